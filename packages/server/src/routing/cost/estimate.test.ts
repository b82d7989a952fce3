import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { parseCountry } from "../../core/country.ts"
import { type Currency, parseCurrency } from "../../core/currency.ts"
import { parseRfc3339 } from "../../core/instant.ts"
import { money, type Money, sum } from "../../core/money.ts"
import type { PaymentFacts } from "./asked-facts.ts"
import { type CostEstimate, estimate } from "./estimate.ts"
import { feeModelExamples } from "./fee-model-example.ts"
import { readFeeModel } from "./fee-model-json.ts"
import { feeEvents, type FeeModel } from "./fee-model.ts"
import { FINE } from "./fine-amount.ts"
import { monthlyCost } from "./monthly.ts"

const currency = (code: string): Currency => parseCurrency(code) ?? assert.fail(code)
const country = (code: string) => parseCountry(code) ?? assert.fail(code)
const model = (json: unknown): FeeModel => {
  const read = readFeeModel(json)
  return read.kind === "model" ? read.model : assert.fail(JSON.stringify(read.problems))
}
const [blended, plus, tiered] = ["blended", "interchange_plus", "tiered"].map((name) =>
  model(feeModelExamples[name]),
) as [FeeModel, FeeModel, FeeModel]
const eur = (minor: bigint): Money => money(minor, currency("EUR"))
const usd = (minor: bigint): Money => money(minor, currency("USD"))
const none = eur(0n)

const facts = (more: Partial<PaymentFacts> = {}): PaymentFacts => ({
  event: "payment",
  amount: eur(10_000n),
  network: "visa",
  funding: "debit",
  product: "consumer",
  cardCountry: country("NL"),
  initiator: "customer",
  credential: "card",
  threeDs: false,
  at: parseRfc3339("2026-11-30T00:00:00Z") ?? assert.fail(),
  ...more,
})
const named = ({ parts }: CostEstimate): Readonly<Record<string, bigint>> =>
  Object.fromEntries(parts.map(({ name, amount }) => [name, amount.minor]))

test("a blended price is the first rate that matches, and certain", () => {
  const german = facts({ cardCountry: country("DE") })
  const home = estimate(blended, german, none)
  assert.deepEqual([home.amount.minor, home.certainty, home.assumptions], [175n, "contract", []])
  assert.equal(estimate(blended, facts({ cardCountry: country("US") }), none).amount.minor, 350n)
  assert.equal(estimate(blended, { ...german, product: "commercial" }, none).amount.minor, 315n)
})

test("interchange plus is what issuer, scheme and provider take, each part by itself", () => {
  const cost = estimate(plus, facts(), none)
  // 0.2 % + 0.05 % + (0.6 % + 0.10) + 0.015: 20 + 5 + 70 + 1.5
  assert.deepEqual(named(cost), { interchange: 20n, scheme_fees: 5n, markup: 70n, authorization: 2n })
  assert.equal(cost.amount.minor, 97n)
  assert.equal(cost.parts[0]?.row, "eea-debit")
  assert.equal(cost.certainty, "assumed", "scheme fees are")
})

test("borders, 3-D Secure and conversion cost what the contract says", () => {
  const far = facts({ cardCountry: country("US"), funding: "credit", threeDs: true, presentedIn: currency("USD") })
  const parts = named(estimate(plus, far, none))
  assert.equal(parts["interchange"], 150n)
  assert.equal(parts["3-D Secure"], 3n)
  assert.equal(parts["cross-border"], 20n)
  assert.equal(parts["conversion"], 100n)
  assert.equal(named(estimate(plus, { ...far, presentedIn: currency("EUR") }, none))["conversion"], undefined)
})

test("the markup falls with the month's volume", () => {
  const markup = (before: bigint): bigint => named(estimate(plus, facts(), eur(before)))["markup"] ?? assert.fail()
  assert.deepEqual([markup(0n), markup(25_000_000n), markup(100_000_000n)], [70n, 50n, 35n])
  // Half of it in the first tier, half in the second.
  assert.equal(markup(24_995_000n), 60n)
})

test("a minimum is topped up to, and a maximum is not exceeded", () => {
  const american = facts({ amount: usd(100n), cardCountry: country("US") })
  const small = estimate(tiered, american, usd(0n))
  assert.deepEqual(named(small), { price: 33n, minimum: 2n })
  const large = estimate(tiered, { ...american, amount: usd(1_000_000n) }, usd(8_000_000n))
  assert.deepEqual(named(large), { price: 4000n })
})

test("declines, refunds and chargebacks cost their own fees only", () => {
  assert.deepEqual(named(estimate(plus, facts({ event: "decline", threeDs: true }), none)), {
    authorization: 2n,
    "3-D Secure": 3n,
  })
  assert.deepEqual(named(estimate(plus, facts({ event: "refund" }), none)), { refund: 10n })
  assert.deepEqual(named(estimate(plus, facts({ event: "chargeback" }), none)), { chargeback: 1500n })
  assert.equal(estimate(blended, facts({ event: "decline" }), none).amount.minor, 0n)
  assert.equal(estimate(tiered, facts({ event: "refund", amount: usd(10n) }), usd(0n)).amount.minor, 10n)
})

test("what is asked for and not known is assumed, told, and makes the whole uncertain", () => {
  const { funding: _f, product: _p, cardCountry: _c, ...bare } = facts()
  const cost = estimate(plus, bare, none)
  assert.equal(cost.assumptions.length, 3)
  assert.equal(cost.certainty, "assumed")
  assert.equal(named(cost)["interchange"], 30n, "credit, at home")
  const flat = model({ currency: "EUR", country: "DE", pricing: { kind: "blended", rates: [{ percent: "1" }] } })
  assert.deepEqual(estimate(flat, bare, none).assumptions, [], "a contract that does not care asks nothing")
  const guessed = estimate(blended, bare, none)
  assert.ok(guessed.parts.every(({ certainty }) => certainty === "contract"))
  assert.equal(guessed.certainty, "assumed", "which of its prices counts was a guess")
})

test("the United States ask whether the issuer is capped, of debit only", () => {
  const us = model({
    currency: "USD",
    country: "US",
    pricing: { kind: "interchange_plus", markup: { percent: "0" }, scheme_fees: { fixed: "0" } },
  })
  const american = facts({ amount: usd(10_000n), cardCountry: country("US") })
  const unknown = estimate(us, american, usd(0n))
  assert.equal(unknown.amount.minor, 180n)
  assert.match(unknown.assumptions.join(), /capped/)
  const capped = estimate(us, { ...american, cappedIssuer: true }, usd(0n))
  assert.deepEqual([capped.amount.minor, capped.certainty, capped.assumptions], [27n, "regulated", []])
  assert.deepEqual(estimate(us, { ...american, funding: "credit" }, usd(0n)).assumptions, [])
})

test("a fixed part in another currency is left out, and that is told", () => {
  const inEuros = model({
    currency: "EUR",
    country: "US",
    pricing: { kind: "interchange_plus", markup: { percent: "0" } },
  })
  const cost = estimate(inEuros, facts({ cardCountry: country("US"), cappedIssuer: true }), none)
  assert.equal(named(cost)["interchange"], 5n)
  assert.match(cost.assumptions.join(), /us-capped-debit is in USD and is left out/)
})

test("what settlements showed takes the place of an estimate", () => {
  const observed = [
    { part: "interchange", when: { fundings: ["credit"] }, charge: { fixed: 7n * FINE } },
    { part: "interchange", when: {}, charge: { percent: 180_000n } },
    { part: "scheme_fees", when: {}, charge: { fixed: 3n * FINE } },
  ] as const
  const cost = estimate(plus, facts(), none, observed)
  assert.deepEqual(named(cost), { interchange: 18n, scheme_fees: 3n, markup: 70n, authorization: 2n })
  assert.equal(cost.certainty, "settled")
})

test("another currency, and an amount below nothing, are refused", () => {
  assert.throws(() => estimate(plus, facts({ amount: usd(1n) }), none), TypeError)
  assert.throws(() => estimate(plus, facts(), usd(0n)), TypeError)
  assert.throws(() => estimate(plus, facts({ amount: eur(-1n) }), none), RangeError)
  assert.throws(() => estimate(plus, facts(), eur(-1n)), RangeError)
})

const anyFacts: fc.Arbitrary<PaymentFacts> = fc
  .record({
    event: fc.constantFrom(...feeEvents),
    minor: fc.bigInt({ min: 0n, max: 10n ** 11n }),
    network: fc.constantFrom("visa" as const, "mastercard" as const, "amex" as const),
    funding: fc.constantFrom("credit" as const, "debit" as const, undefined),
    land: fc.constantFrom("NL", "DE", "GB", "US", undefined),
    threeDs: fc.boolean(),
    presentedIn: fc.constantFrom("EUR", "USD"),
  })
  .map(({ minor, land, funding, presentedIn, ...rest }) => {
    const { funding: _f, cardCountry: _c, ...base } = facts()
    return {
      ...base,
      ...rest,
      amount: eur(minor),
      presentedIn: currency(presentedIn),
      ...(funding === undefined ? {} : { funding }),
      ...(land === undefined ? {} : { cardCountry: country(land) }),
    }
  })
const anyModel = fc.constantFrom(blended, plus, { ...tiered, currency: currency("EUR") })
const anyBefore = fc.bigInt({ min: 0n, max: 2n * 10n ** 8n }).map(eur)

test("the parts sum up to the whole, and none is negative", () => {
  fc.assert(
    fc.property(anyModel, anyFacts, anyBefore, (one, payment, before) => {
      const { amount, parts } = estimate(one, payment, before)
      assert.deepEqual(
        sum(
          parts.map((part) => part.amount),
          amount.currency,
        ),
        amount,
      )
      assert.ok(parts.every((part) => part.amount.minor >= 0n))
    }),
  )
})

test("a larger amount never costs less, a minor unit more at most a minor unit", () => {
  fc.assert(
    fc.property(anyModel, anyFacts, anyBefore, fc.bigInt({ min: 0n, max: 10n ** 9n }), (one, payment, before, more) => {
      const larger = (by: bigint): bigint =>
        estimate(one, { ...payment, amount: eur(payment.amount.minor + by) }, before).amount.minor
      assert.ok(larger(more) >= larger(0n))
      assert.ok(larger(1n) - larger(0n) <= 1n)
    }),
  )
})

test("the month's own costs are its fee and what is missing to its minimum", () => {
  const month = (charged: bigint) => {
    const { fixed, toMinimum, amount } = monthlyCost(tiered, usd(charged))
    return [fixed.minor, toMinimum.minor, amount.minor]
  }
  assert.deepEqual(month(0n), [1000n, 2500n, 3500n])
  assert.deepEqual(month(2400n), [1000n, 100n, 1100n])
  assert.deepEqual(month(9000n), [1000n, 0n, 1000n])
  assert.equal(monthlyCost(plus, eur(0n)).amount.minor, 0n)
  assert.throws(() => monthlyCost(plus, usd(0n)), TypeError)
})
