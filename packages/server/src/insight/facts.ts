// The columns of the two wide facts, one row per attempt and one per payment, as data: stores make their tables of them,
// metrics their sums, the documentation its pages. A dimension is what one groups and filters by; a measure is a whole
// number that sums up; a time is the bucket of a duration (histogram/histogram.ts), whose counts sum up. What a fact holds
// is derived from the payment alone, plus what stands beside it (facts-of.ts), so that it can always be derived again.
//
// A correction is two rows: the old one with every measure negated, and the new one. Sums, counts and histograms over all
// rows are therefore right at any moment, in any database, and no row is ever changed.

/** `text` is bounded by MAX_TEXT characters; `whole` by 2^53. */
export type DimensionColumn = { readonly type: "text" | "whole"; readonly meaning: string }
export type MeasureColumn = { readonly unit: "count" | "minor" | "minor²" | "minor/10000"; readonly meaning: string }
export type TimeColumn = { readonly meaning: string }

export const MAX_TEXT = 120

const text = (meaning: string): DimensionColumn => ({ type: "text", meaning })
const whole = (meaning: string): DimensionColumn => ({ type: "whole", meaning })
const count = (meaning: string): MeasureColumn => ({ unit: "count", meaning })
const minor = (meaning: string): MeasureColumn => ({ unit: "minor", meaning })

/** What the card, the customer and the merchant bring along: the same for all attempts of a payment. */
const shared = {
  merchant: text("the merchant's id"),
  mode: text("live or test"),
  method: text("card, network_token or provider_token"),
  network: text("the card's network"),
  funding: text("credit, debit, prepaid …, where known"),
  card_country: text("country of the issuer, ISO 3166-1 alpha-2"),
  issuer: text("the issuer's name, as a provider or the BIN table tells it"),
  bin: text("the card's first six or eight digits"),
  currency: text("ISO 4217"),
  amount_band: text("the amount's power of two in major units: 32 is 32 to below 64"),
  customer_country: text("country of the billing address"),
  label: text("the merchant's own label: one metadata key that the merchant chose"),
  initiator: text("customer, customer_first or customer_stored (CIT), merchant_recurring … (MIT)"),
  three_ds_asked: text("automatic, required, none or external"),
  policy: text("id of the policy that decided"),
  policy_version: whole("its version"),
  rule: text("name of the rule that matched"),
  arm: text("arm of the experiment, or holdout"),
} as const

export const attemptDimensions = {
  ...shared,
  provider: text("the connector"),
  account: text("the merchant's account at the provider"),
  api_version: text("version of the provider's API that the connector speaks"),
  operation: text("the call that decided the attempt: prepare, authorize or complete"),
  ordinal: whole("1 for the payment's first attempt"),
  decision: text("why routing chose this account: best, explore, probe …"),
  propensity: whole("chance in millionths that routing chose this account first, where it drew one"),
  three_ds: text("challenged, and the status and version that came back"),
  state: text("the attempt's state"),
  outcome: text("kind of the provider's last word on the authorization"),
  reason: text("decline reason"),
  category: text("category of the reason"),
  fault: text(
    "whose failure it is: issuer, network, provider, merchant, customer or unknown; engine where none was asked",
  ),
  raw_code: text("the provider's own code"),
  network_code: text("ISO 8583 response code"),
  advice_code: text("merchant advice code"),
  avs: text("line/postcode/name, each pass, fail, unavailable or unchecked"),
  cvc: text("pass, fail, unavailable or unchecked"),
} as const satisfies Record<string, DimensionColumn>

export const attemptMeasures = {
  attempts: count("1"),
  settled: count("1 once the provider's verdict is known"),
  undecided: count("1 until then"),
  pending: count("1 while the provider will tell"),
  waiting: count("1 while the customer must act"),
  unknown: count("1 while nobody knows what became of it"),
  approved: count("1 if the provider authorized, captured or verified, whatever was reversed later"),
  declined: count("1 if it was declined"),
  failed: count("1 if it is settled and was not approved"),
  technical: count(
    "1 if provider, network or the way to them failed: not sent, rejected by their fault, never arrived, or such a decline",
  ),
  at_issuer: count("1 if an issuer (or a network in its place) decided or should have"),
  approved_at_issuer: count("1 if it was at an issuer and was approved"),
  unmapped: count("1 if no table knows the decline code"),
  first: count("1 for a payment's first attempt, once settled"),
  first_approved: count("1 if that was approved"),
  fallback: count("1 for a later attempt, once settled"),
  fallback_approved: count("1 if that was approved"),
  verdict_late: count("1 if the verdict came by a later look, a webhook or a person"),
  routed: count("1 if routing says why it chose the account"),
  routed_best: count("1 if it chose the account that it held for the best"),
  explored: count("1 if it chose another one to learn"),
  amount: minor("what was asked for"),
  approved_amount: minor("what was approved"),
  failed_amount: minor("what was asked for, if it failed"),
  fee: { unit: "minor/10000", meaning: "estimated fee of the attempt, where the account has a fee model" },
  failed_fee: { unit: "minor/10000", meaning: "the same, of attempts that were not approved" },
  priced: count("1 if the fee is known"),
} as const satisfies Record<string, MeasureColumn>

export const attemptTimes = {
  provider_time: {
    meaning: "provider's calls of the attempt, request handed over to answer parsed; a timeout counts at its deadline",
  },
  prepare_time: { meaning: "the same, of the call that prepares" },
  authorize_time: { meaning: "the same, of the call that authorizes" },
  complete_time: { meaning: "the same, of the call that completes after the customer acted" },
  settle_time: { meaning: "start of the attempt to its verdict, of those whose verdict came late" },
} as const satisfies Record<string, TimeColumn>

export const paymentDimensions = {
  ...shared,
  provider: text("connector of the attempt that stands, else of the last"),
  account: text("its account"),
  first_provider: text("connector of the first attempt"),
  status: text("the payment's status"),
  failure: text("why it failed"),
  fault: text("whose failure that is"),
  attempts: whole("how many attempts it took"),
} as const satisfies Record<string, DimensionColumn>

export const paymentMeasures = {
  payments: count("1"),
  confirmed: count("1 once the merchant confirmed it"),
  settled: count("1 once it is approved or failed"),
  undecided: count("1 while it is confirmed and neither approved, failed nor given up"),
  approved: count("1 if it was authorized, captured or verified, whatever was given back later"),
  failed: count("1 if it failed"),
  given_up: count("1 if it was canceled or expired before any approval"),
  first_approved: count("1 if its first attempt was approved"),
  fell_back: count("1 if it is settled and had more than one attempt"),
  recovered: count("1 if a later attempt was approved after the first was not"),
  unroutable: count("1 if no account was eligible"),
  was_unknown: count("1 if the verdict of some attempt came late, or is still unknown"),
  disputed: count("1 if it has a dispute that is not an inquiry"),
  captured: count("1 if anything of it was captured"),
  needs_person: count("1 while somebody has to look"),
  amount: minor("what was asked for"),
  approved_amount: minor("what was approved"),
  captured_amount: minor("what was captured"),
  refunded_amount: minor("what was refunded"),
  disputed_amount: minor("what is disputed"),
  fee: { unit: "minor/10000", meaning: "estimated fees of all its attempts" },
  fee_squared: { unit: "minor²", meaning: "their square, for intervals" },
  approved_fee: { unit: "minor/10000", meaning: "the fees, if it was approved" },
  priced: count("1 if the fees of all its attempts are known"),
  priced_approved: count("1 if they are, and it was approved"),
} as const satisfies Record<string, MeasureColumn>

export const paymentTimes = {
  authorization_time: {
    meaning: "start of the first attempt to the verdict, where the customer had nothing to do in between",
  },
} as const satisfies Record<string, TimeColumn>

export const facts = {
  attempt: { dimensions: attemptDimensions, measures: attemptMeasures, times: attemptTimes },
  payment: { dimensions: paymentDimensions, measures: paymentMeasures, times: paymentTimes },
} as const

export type FactName = keyof typeof facts
export type Dimension<F extends FactName> = keyof (typeof facts)[F]["dimensions"]
export type Measure<F extends FactName> = keyof (typeof facts)[F]["measures"]
export type Time<F extends FactName> = keyof (typeof facts)[F]["times"]

/** One row. `sign` is −1 in the row that takes an earlier one back; the measures are negated with it. */
export type Fact<F extends FactName> = {
  readonly fact: F
  readonly id: string
  readonly payment: string
  /** The payment's version that it was derived from. */
  readonly version: number
  readonly sign: 1 | -1
  /** ms since the epoch: when it began (attempt: was sent; payment: was created), and when its verdict came. */
  readonly startedAt: number
  readonly settledAt: number | undefined
  readonly dimensions: { readonly [D in Dimension<F>]: string | number | undefined }
  readonly measures: { readonly [M in Measure<F>]: bigint }
  /** Buckets; undefined where there is no such time. Each counts `sign`. */
  readonly times: { readonly [T in Time<F>]: number | undefined }
}
