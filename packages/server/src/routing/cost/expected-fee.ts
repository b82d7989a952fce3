// What a payment is expected to cost at an account, as routing needs it: a share of its amount, so that accounts in different
// currencies compare, with how sure it is and what had to be assumed. Pure and quick: it runs for every account of every
// payment. Where it cannot be said (no model, no rate of exchange), there is no cost, and the result says why.

import type { Funding } from "../../core/card-facts.ts"
import type { Country } from "../../core/country.ts"
import { parseCountry } from "../../core/country.ts"
import type { Network } from "../../core/card.ts"
import { given } from "../../core/given.ts"
import { money, type Money } from "../../core/money.ts"
import type { PaymentFacts } from "./asked-facts.ts"
import { type CostEstimate, estimate, type ObservedCost } from "./estimate.ts"
import { converted, noRates, type Rates } from "./exchange.ts"
import { type Credential, type FeeModel, hasTiers, type Product } from "./fee-model.ts"
import { type CostCertainty, leastSure } from "./interchange.ts"

/** Of a payment what a fee may depend on. A routing context has these names. */
export type FeePayment = {
  readonly amount: Money
  readonly method: Credential
  readonly network?: Network
  /** ISO 3166-1 alpha-2 of the card's issuer, else of the billing address. */
  readonly country?: string
  readonly funding?: Funding
  readonly product?: Product
  /** Whether the issuer is one whose debit fees are capped (United States). */
  readonly cappedIssuer?: boolean
  readonly initiator: "customer" | "merchant"
  readonly threeDs: "automatic" | "required" | "none" | "external"
}

export const unknownFees = {
  no_model: "the account has no fee model",
  no_rate: "no rate of exchange is known between the payment's currency and the account's",
  no_amount: "the payment's amount is 0, and a fee is no share of it",
} as const

export type ExpectedFee =
  | { readonly kind: "unknown"; readonly why: keyof typeof unknownFees }
  | {
      readonly kind: "known"
      /** Of the amount, if the payment is approved, and if it is declined. */
      readonly share: number
      readonly declinedShare: number
      /** Of the least sure part. */
      readonly certainty: CostCertainty
      readonly assumptions: readonly string[]
      /** In the model's currency. */
      readonly approved: CostEstimate
      readonly declined: CostEstimate
    }

export type FeeKnowledge = {
  /** When, for prices that changed; ms since the epoch. */
  readonly at: number
  readonly rates?: Rates
  /** What the account took in this month, in the model's currency: for tiers. */
  readonly monthToDate?: Money
  readonly observed?: readonly ObservedCost[]
}

/** Throws a TypeError where `monthToDate` is in another currency than the model. */
export function expectedFee(model: FeeModel | undefined, payment: FeePayment, known: FeeKnowledge): ExpectedFee {
  if (model === undefined) return { kind: "unknown", why: "no_model" }
  if (payment.amount.minor <= 0n) return { kind: "unknown", why: "no_amount" }
  const amount = converted(payment.amount, model.currency, known.rates ?? noRates)
  if (amount === undefined) return { kind: "unknown", why: "no_rate" }
  if (amount.minor === 0n) return { kind: "unknown", why: "no_amount" }
  const facts = factsOf(payment, amount, known.at)
  const before = known.monthToDate ?? money(0n, model.currency)
  const [approved, declined] = (["payment", "decline"] as const).map((event) =>
    estimate(model, { ...facts, event }, before, known.observed),
  ) as [CostEstimate, CostEstimate]
  const isVolumeGuessed = known.monthToDate === undefined && hasTiers(model)
  const assumptions = new Set([...approved.assumptions, ...declined.assumptions])
  if (isVolumeGuessed) assumptions.add(VOLUME_GUESSED)
  return {
    kind: "known",
    share: shareOf(approved, amount),
    declinedShare: shareOf(declined, amount),
    certainty: leastSure([approved.certainty, declined.certainty, ...(isVolumeGuessed ? (["assumed"] as const) : [])]),
    assumptions: [...assumptions],
    approved,
    declined,
  }
}

const VOLUME_GUESSED = "the month's volume so far is not known: taken as none, the first tier"

/** Over both endings, by the chance of approval: what a score subtracts. */
export function feeShare(
  { share, declinedShare }: { readonly share: number; readonly declinedShare: number },
  paid: number,
): number {
  return paid * share + (1 - paid) * declinedShare
}

function factsOf(payment: FeePayment, amount: Money, at: number): Omit<PaymentFacts, "event"> {
  const { network, funding, product, cappedIssuer, initiator, method, threeDs } = payment
  const cardCountry: Country | undefined = payment.country === undefined ? undefined : parseCountry(payment.country)
  return {
    amount,
    presentedIn: payment.amount.currency,
    initiator,
    credential: method,
    at,
    ...given({ network, funding, product, cappedIssuer, cardCountry }),
    // "automatic" leaves it to the provider and the issuer.
    ...(threeDs === "automatic" ? {} : { threeDs: threeDs !== "none" }),
  }
}

/** Exact to the fee's minor unit; from here on it is a weight among others, no money. */
function shareOf({ amount: fee }: CostEstimate, { minor }: Money): number {
  return Number(fee.minor) / Number(minor)
}
