// Random conditions and random payments for properties: every field and operator, and payments that lack what they may lack.

import fc from "fast-check"
import { parseCurrency } from "../src/core/currency.ts"
import type { AccountId } from "../src/core/id.ts"
import { money } from "../src/core/money.ts"
import { given } from "../src/core/given.ts"
import type { RoutingContext } from "../src/routing/routing-context.ts"
import type { Comparison, Condition, Operator, Scalar } from "../src/routing/conditions/condition.ts"
import { fieldOf, fields, metadataField, type FieldSpec } from "../src/routing/conditions/fields.ts"
import { type LiveReading, liveStates } from "../src/routing/conditions/live-reading.ts"

export const someAccounts = ["acc_a", "acc_b"] as AccountId[]
const keys = ["tier", "cart type", "in", 'quoted "key"', "startsWith"]
const zones = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"]
const bins = ["400000", "41111122", "411111", "49999999", "51234567", "371449"]
const issuers = ["Meridian", "Meridian Bank, N.A.", 'Bank "Nord"', "ünion"]
const products = ["business", "business plus", "signature"]
/** Few values, so that random payments meet random conditions. */
const few: Readonly<Record<string, readonly Scalar[]>> = {
  amount: [0, 1, 999, 1_000, 1_001, 999_999_999_999],
  currency: ["EUR", "USD", "JPY"],
  "card.network": ["visa", "mastercard", "amex"],
  "card.country": ["DE", "FR", "US"],
  "billing.country": ["DE", "FR", "US"],
  "shipping.country": ["DE", "FR"],
  "payer.country": ["DE", "FR", "US"],
  "card.issuer": issuers,
  "card.product": products,
  "card.bin": bins,
  "card.bin6": ["400000", "411111", "499999", "371449"],
  "card.bin8": ["41111122", "49999999", "51234567"],
  "metadata.<key>": ["gold", "silver", "", "g", 'a "b" \\ \n', "ünïcödé 🙂"],
  "accounts.<account>.success_rate": [0, 0.5, 0.95, 1],
  "accounts.<account>.technical_failure_rate": [0, 0.001, 1],
  "accounts.<account>.latency_ms": [0, 250.5, 3_000],
  "accounts.<account>.cap_left": [0, 1e-7, 1_000_000],
}

const valuesOf = ({ name, words, min, max }: FieldSpec): readonly Scalar[] =>
  few[name] ?? words ?? Array.from({ length: (max ?? 0) - (min ?? 0) + 1 }, (_, i) => (min ?? 0) + i)

const written = (spec: FieldSpec): fc.Arbitrary<string> => {
  switch (spec.parameter) {
    case "metadata key":
      return fc.constantFrom(...keys).map(metadataField)
    case "account":
      return fc.constantFrom(...someAccounts).map((account) => spec.name.replace("<account>", account))
    case "time zone":
      return fc.constantFrom(...zones).map((zone) => spec.name.replace("<time zone>", zone))
    case undefined:
      return fc.constant(spec.name)
    default:
      return spec.parameter satisfies never
  }
}

const comparisonOf = (field: string, op: Operator, values: readonly Scalar[]): fc.Arbitrary<Comparison> =>
  op === "exists"
    ? fc.constant({ field, op })
    : op === "in"
      ? fc
          .subarray([...values], { minLength: 1, maxLength: Math.min(4, values.length) })
          .map((value) => ({ field, op, value }))
      : fc.constantFrom(...values).map((value) => ({ field, op, value }))

export const comparison: fc.Arbitrary<Comparison> = fc
  .constantFrom(...fields)
  .chain((spec) =>
    fc
      .tuple(written(spec), fc.constantFrom(...spec.operators))
      .chain(([field, op]) => comparisonOf(field, op, valuesOf(fieldOf(field)!.spec))),
  )

/** Any tree, also such as are not in normal form. */
export const condition: fc.Arbitrary<Condition> = fc.letrec<{ readonly node: Condition }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    { weight: 4, arbitrary: comparison },
    { weight: 2, arbitrary: fc.record({ all: fc.array(tie("node"), { maxLength: 4 }) }) },
    { weight: 2, arbitrary: fc.record({ any: fc.array(tie("node"), { maxLength: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ not: tie("node") }) },
  ),
})).node

const pick = <const T>(...values: readonly T[]) => fc.constantFrom(...values)
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined })
const live: fc.Arbitrary<LiveReading> = fc
  .record({
    state: pick(...liveStates),
    successRate: maybe(pick(0, 0.5, 0.94, 0.95, 1)),
    technicalFailureRate: maybe(pick(0, 0.001, 0.5)),
    latencyMs: maybe(pick(100, 250.5, 4_000)),
    capLeft: maybe(pick(0, 1_000_000)),
  })
  .map((reading) => given(reading))

export const context: fc.Arbitrary<RoutingContext> = fc
  .record({
    minor: pick(0n, 1n, 999n, 1_000n, 1_001n, 999_999_999_999n),
    currency: pick("EUR", "USD", "JPY", "KWD"),
    method: pick("card", "network_token", "provider_token"),
    initiator: pick("customer", "merchant"),
    threeDs: pick("automatic", "required", "none", "external"),
    network: maybe(pick("visa", "mastercard", "jcb")),
    country: maybe(pick("DE", "FR", "AT")),
    cardCountry: maybe(pick("DE", "FR", "AT")),
    billingCountry: maybe(pick("DE", "FR", "AT")),
    shippingCountry: maybe(pick("DE", "AT")),
    funding: maybe(pick("credit", "debit", "prepaid")),
    issuer: maybe(pick(...issuers)),
    product: maybe(pick(...products)),
    bin: maybe(pick(...bins)),
    stored: maybe(pick("none", "first", "used")),
    purpose: maybe(pick("recurring", "installment", "unscheduled")),
    // Days around the changes of summer time, and quarters of an hour.
    now: fc.nat(2_000).map((quarters) => Date.UTC(2026, 2, 20) + quarters * 900_000 + 1),
    metadata: maybe(
      fc.dictionary(pick(...keys), pick("gold", "silver", "", "golden", 'a "b" \\ \n'), { noNullPrototype: true }),
    ),
    live: fc.record({ acc_a: live, acc_b: live }, { noNullPrototype: true }),
  })
  .map(({ minor, currency, ...rest }) =>
    given({ mode: "test", amount: money(minor, parseCurrency(currency)!), ...rest }),
  )
