// What one payment, decline, refund or chargeback costs at an account: the fee model applied to what is known of it, part by
// part, with what had to be assumed and how sure the whole is. Exact until the one rounding at the end: the parts sum up to
// the whole, and a larger amount never costs less.

import { money, type Money } from "../../core/money.ts"
import { askedFacts, type AskedFacts, type PaymentFacts } from "./asked-facts.ts"
import { type Charge, chargeFor, type FeeCondition, type FeeModel, priceFor } from "./fee-model.ts"
import { apportioned, type Fine } from "./fine-amount.ts"
import { type CostCertainty, leastSure } from "./interchange.ts"

/** What settlements of the account showed, in place of an estimate. The first that matches counts. */
export type ObservedCost = {
  readonly part: "interchange" | "scheme_fees"
  readonly when: FeeCondition
  readonly charge: Charge
}

export type CostPart = {
  readonly name: string
  readonly amount: Money
  readonly certainty: CostCertainty
  /** The row of the tables that it is from, where it is. */
  readonly row?: string
}

export type CostEstimate = {
  readonly amount: Money
  readonly parts: readonly CostPart[]
  /** That of the least sure part; `assumed` too where a fact had to be assumed. */
  readonly certainty: CostCertainty
  readonly assumptions: readonly string[]
}

/** Throws a TypeError where currencies differ, a RangeError for a negative amount. */
export function estimate(
  model: FeeModel,
  facts: PaymentFacts,
  monthToDate: Money,
  observed: readonly ObservedCost[] = [],
): CostEstimate {
  for (const { currency } of [facts.amount, monthToDate])
    if (currency !== model.currency) throw new TypeError(`the model is in ${model.currency}, not in ${currency}`)
  if (facts.amount.minor < 0n || monthToDate.minor < 0n)
    throw new RangeError("an amount that is charged is not negative")
  const asked = askedFacts(model, facts)
  const fine = partsOf(model, facts, monthToDate.minor, observed, asked)
  const { total, parts } = apportioned(fine.map((part) => part.fine))
  const least = leastSure([
    asked.assumptions.size > 0 ? "assumed" : "contract",
    ...fine.map(({ certainty }) => certainty),
  ])
  return {
    amount: money(total, model.currency),
    parts: fine.map(({ name, certainty, row }, index) => ({
      name,
      amount: money(parts[index] ?? 0n, model.currency),
      certainty,
      ...(row === undefined ? {} : { row }),
    })),
    certainty: least,
    assumptions: [...asked.assumptions],
  }
}

type FinePart = { readonly name: string; readonly fine: Fine; readonly certainty: CostCertainty; readonly row?: string }

function partsOf(
  model: FeeModel,
  facts: PaymentFacts,
  before: bigint,
  observed: readonly ObservedCost[],
  asked: AskedFacts,
): readonly FinePart[] {
  const minor = facts.amount.minor
  const own = (name: string, charge: Charge | undefined): readonly FinePart[] =>
    charge === undefined ? [] : [{ name, fine: chargeFor(charge, minor), certainty: "contract" }]
  const fees = model.fees
    .filter((fee) => fee.on.includes(facts.event) && asked.matches(fee.when))
    .flatMap((fee) => own(fee.name, fee.charge))
  switch (facts.event) {
    case "decline":
      return fees
    case "refund":
      return [...own("refund", model.refund), ...fees]
    case "chargeback":
      return [...own("chargeback", model.chargeback), ...fees]
    case "payment": {
      const converts = facts.presentedIn !== undefined && facts.presentedIn !== model.currency
      const parts = [
        ...priceParts(model, minor, before, observed, asked),
        ...fees,
        ...(converts ? own("conversion", model.conversion) : []),
      ]
      const missing = (model.leastPerPayment ?? 0n) - parts.reduce((sum, { fine }) => sum + fine, 0n)
      return missing > 0n ? [...parts, { name: "minimum", fine: missing, certainty: "contract" }] : parts
    }
    default:
      return facts.event satisfies never
  }
}

function priceParts(
  { pricing, currency }: FeeModel,
  minor: bigint,
  before: bigint,
  observed: readonly ObservedCost[],
  asked: AskedFacts,
): readonly FinePart[] {
  if (pricing.kind === "blended") {
    const rate = pricing.rates.find(({ when }) => asked.matches(when))
    if (rate === undefined) throw new RangeError("no rate of the model matches everything")
    return [{ name: "price", fine: priceFor(rate.price, minor, before), certainty: "contract" }]
  }
  const estimated = (part: ObservedCost["part"]): FinePart => {
    const seen = observed.find((one) => one.part === part && asked.matches(one.when))
    if (seen !== undefined) return { name: part, fine: chargeFor(seen.charge, minor), certainty: "settled" }
    const row = asked.row(part)
    if (row === undefined) {
      asked.assume(`no ${part} is known for that day: none is counted`)
      return { name: part, fine: 0n, certainty: "assumed" }
    }
    const foreign = row.fixed > 0n && row.currency !== currency
    if (foreign) asked.assume(`the fixed part of ${row.id} is in ${row.currency} and is left out`)
    const fine = chargeFor({ percent: row.percent, fixed: foreign ? 0n : row.fixed }, minor)
    return { name: part, fine, certainty: row.certainty, row: row.id }
  }
  const { markup, schemeFees } = pricing
  return [
    estimated("interchange"),
    schemeFees === "estimated"
      ? estimated("scheme_fees")
      : { name: "scheme_fees", fine: chargeFor(schemeFees, minor), certainty: "contract" },
    { name: "markup", fine: priceFor(markup, minor, before), certainty: "contract" },
  ]
}
