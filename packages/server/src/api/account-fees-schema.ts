// The wire format of fee models, and of the estimates that are made by them. What a shape cannot say (tiers that rise, a last
// rate for everything, amounts with too many digits) is said by routing/cost, which reads the same document.

import { Type, type Static } from "typebox"
import { cardRegions, type CardRegion } from "../core/card-region.ts"
import { fundings } from "../core/card-facts.ts"
import { Fault } from "../core/fault.ts"
import {
  costCertainties,
  credentials,
  feeEvents,
  type FeeModel,
  feeModelExamples,
  MAX_FEE_NAME,
  MAX_FEES,
  MAX_RATES,
  MAX_TIERS,
  products,
  readFeeModel,
} from "../routing/cost.ts"
import { closed, Country, Currency, NetworkName, nullable, PositiveAmount, Text, words } from "./schema.ts"

const Decimal = (description: string) => Type.String({ pattern: "^\\d{1,12}(\\.\\d{1,6})?$", description })
const chargeFields = {
  percent: Type.Optional(Decimal('Of the amount, as text: "1.4" is 1.4 %.')),
  fixed: Type.Optional(Decimal('In major units of the model\'s currency, as text: "0.25".')),
  least: Type.Optional(Decimal("The charge is at least this.")),
  most: Type.Optional(Decimal("The charge is at most this.")),
}
const some = <const T extends readonly string[]>(values: T) =>
  Type.Array(words(values), { minItems: 1, maxItems: values.length })

export const FeeCharge = closed(chargeFields, {
  minProperties: 1,
  description: "A share of the amount, a fixed amount, or both.",
})
export const FeeCondition = closed(
  {
    networks: Type.Optional(Type.Array(NetworkName, { minItems: 1, maxItems: 20 })),
    fundings: Type.Optional(some(fundings)),
    products: Type.Optional(some(products)),
    crossings: Type.Optional(some(["domestic", "intra", "inter"])),
    card_regions: Type.Optional(some(Object.keys(cardRegions) as CardRegion[])),
    initiators: Type.Optional(some(["customer", "merchant"])),
    credentials: Type.Optional(some(credentials)),
    three_ds: Type.Optional(Type.Boolean()),
  },
  { description: "All that are named must hold; none named always does." },
)
const tierFields = {
  applies: Type.Optional(
    words(
      ["part", "payment"],
      "With tiers. part: a payment that crosses into a tier is charged for each part at its tier. payment: all of it in the tier in which it begins.",
    ),
  ),
  tiers: Type.Optional(
    Type.Array(
      closed({
        from: Decimal("The month's volume from which it counts, in major units; the first is 0."),
        ...chargeFields,
      }),
      { minItems: 1, maxItems: MAX_TIERS },
    ),
  ),
}
const feePrice = { ...chargeFields, ...tierFields }

export const FeeModelSchema = closed(
  {
    currency: { ...Currency, description: "In which the account is settled: all amounts of the model are in it." },
    country: { ...Country, description: "The merchant's at this account: where a card is domestic." },
    pricing: closed({
      kind: words(
        ["blended", "interchange_plus"],
        "blended: one price for all, by `rates`. interchange_plus: what issuer and scheme take, and the provider's `markup`.",
      ),
      rates: Type.Optional(
        Type.Array(closed({ when: Type.Optional(FeeCondition), ...feePrice }), {
          minItems: 1,
          maxItems: MAX_RATES,
          description: "The first that matches counts; the last has no `when`.",
        }),
      ),
      markup: Type.Optional(closed(feePrice)),
      scheme_fees: Type.Optional(
        Type.Union([Type.Literal("estimated"), FeeCharge], {
          description: "By our tables (the default), or the charge that the contract names.",
        }),
      ),
    }),
    fees: Type.Optional(
      Type.Array(
        closed({ name: Text(MAX_FEE_NAME), on: some(feeEvents), when: Type.Optional(FeeCondition), ...chargeFields }),
        { maxItems: MAX_FEES, description: "Charged beside the price, each for itself." },
      ),
    ),
    conversion: Type.Optional({ ...FeeCharge, description: "Of payments in another currency." }),
    refund: Type.Optional({ ...FeeCharge, description: "Of a refund." }),
    chargeback: Type.Optional({ ...FeeCharge, description: "Of a chargeback." }),
    least_per_payment: Type.Optional(Decimal("The least that an approved payment costs in all.")),
    monthly: Type.Optional(
      closed({
        fixed: Type.Optional(Decimal("Whatever the payments.")),
        minimum: Type.Optional(Decimal("What is missing to it is charged at the end of the month.")),
      }),
    ),
  },
  {
    description:
      "What the contract of this account charges. Percentages and amounts are decimal text, because contracts quote fractions of minor units. docs/cost-estimates.md says what is estimated, and from what.",
    examples: Object.values(feeModelExamples),
  },
)
export type FeeModelJson = Static<typeof FeeModelSchema>
export const NullableFeeModel = nullable(FeeModelSchema)

/** Shape aside, what else can be wrong with it, each with its place below `at`. */
export function readFees(at: string, json: unknown): FeeModel {
  const read = readFeeModel(json)
  if (read.kind === "model") return read.model
  throw new Fault("request.invalid", {
    errors: read.problems.map(({ at: place, detail }) => ({ pointer: `${at}${place}`, detail })),
  })
}

export const FeeEstimateCreate = closed(
  {
    amount: PositiveAmount,
    currency: Currency,
    network: Type.Optional(NetworkName),
    country: Type.Optional({ ...Country, description: "Of the card's issuer." }),
    funding: Type.Optional(words(fundings)),
    product: Type.Optional(words(products)),
    capped_issuer: Type.Optional(
      Type.Boolean({ description: "Whether the issuer is one whose debit fees are capped (United States)." }),
    ),
    initiator: Type.Optional(words(["customer", "merchant"], "customer, if it is not said.")),
    payment_method: Type.Optional(words(credentials, "card, if it is not said.")),
    three_ds: Type.Optional(Type.Boolean({ description: "Whether the issuer is asked by 3-D Secure." })),
    month_to_date: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "What the account took in this month, in minor units of the model's currency: for tiers.",
      }),
    ),
    exchange_rate: Type.Optional(
      Type.String({
        pattern: "^\\d{1,9}(\\.\\d{1,12})?$",
        description:
          "How many units of the account's currency one of the payment's is worth, as text. Without it a payment in another currency has no estimate.",
      }),
    ),
  },
  {
    $id: "FeeEstimateCreate",
    description: "A payment that nobody makes. What is not said is assumed, and stands among the assumptions.",
    examples: [
      { amount: 10_000, currency: "EUR", network: "visa", country: "DE", funding: "debit", product: "consumer" },
    ],
  },
)
export type FeeEstimateCreate = Static<typeof FeeEstimateCreate>

const certainty = words(
  Object.keys(costCertainties),
  Object.entries(costCertainties)
    .map(([name, meaning]) => `${name}: ${meaning}.`)
    .join(" "),
)
const Ending = Type.Object({
  amount: Type.Integer({ description: "Minor units of `currency`." }),
  share: Type.Number({ description: "Of the payment's amount." }),
  certainty,
  parts: Type.Array(
    Type.Object({
      name: Type.String(),
      amount: Type.Integer(),
      certainty,
      row: Type.Union([Type.String(), Type.Null()], {
        description: "The row of docs/cost-estimates.md that it is from, where it is from one.",
      }),
    }),
    { description: "They sum up to the amount." },
  ),
})

export const FeeEstimate = Type.Object(
  {
    object: Type.Literal("fee_estimate"),
    account: Type.String(),
    known: Type.Boolean({ description: "Whether the cost can be said. If not, routing counts none." }),
    why_unknown: Type.Union([Type.String(), Type.Null()]),
    currency: Type.Union([Type.String(), Type.Null()], { description: "The account's." }),
    certainty: Type.Union([certainty, Type.Null()], { description: "That of the least sure part." }),
    assumptions: Type.Array(Type.String()),
    approved: Type.Union([Ending, Type.Null()]),
    declined: Type.Union([Ending, Type.Null()]),
  },
  { $id: "FeeEstimate" },
)
export type FeeEstimate = Static<typeof FeeEstimate>
