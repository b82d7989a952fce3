import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { type Currency, parseCurrency } from "../../core/currency.ts"
import { money } from "../../core/money.ts"
import { converted, noRates, parseRate, RATE_DIGITS } from "./exchange.ts"
import { expectedFee, feeShare, type FeePayment } from "./expected-fee.ts"
import { feeModelExamples } from "./fee-model-example.ts"
import { readFeeModel } from "./fee-model-json.ts"
import type { FeeModel } from "./fee-model.ts"

const currency = (code: string): Currency => parseCurrency(code) ?? assert.fail(code)
const model = (json: unknown): FeeModel => {
  const read = readFeeModel(json)
  return read.kind === "model" ? read.model : assert.fail(JSON.stringify(read.problems))
}
const at = Date.UTC(2026, 10, 30)
const payment: FeePayment = {
  amount: money(10_000n, currency("EUR")),
  method: "card",
  network: "visa",
  country: "DE",
  funding: "debit",
  product: "consumer",
  initiator: "customer",
  threeDs: "none",
}
const blended = model(feeModelExamples["blended"])
const plus = model(feeModelExamples["interchange_plus"])
const rate = (text: string) => parseRate(text) ?? assert.fail(text)

test("the expected fee is a share of the amount, for both endings", () => {
  const fee = expectedFee(blended, payment, { at })
  assert.ok(fee.kind === "known")
  assert.deepEqual([fee.share, fee.declinedShare, fee.certainty, fee.assumptions], [0.0175, 0, "contract", []])
  assert.equal(feeShare(fee, 0.5), 0.00875)
})

test("a fee that nobody can know is none, and says why", () => {
  const why = (fees: FeeModel | undefined, asked: FeePayment) => {
    const fee = expectedFee(fees, asked, { at })
    return fee.kind === "unknown" ? fee.why : assert.fail()
  }
  assert.equal(why(undefined, payment), "no_model")
  assert.equal(why(blended, { ...payment, amount: money(10_000n, currency("USD")) }), "no_rate")
  assert.equal(why(blended, { ...payment, amount: money(0n, currency("EUR")) }), "no_amount")
})

test("what routing does not know of a payment makes the fee assumed, where the contract asks for it", () => {
  const { network: _n, country: _c, funding: _f, product: _p, ...bare } = payment
  const fee = expectedFee(plus, { ...bare, threeDs: "automatic" }, { at })
  assert.ok(fee.kind === "known")
  assert.equal(fee.certainty, "assumed")
  for (const word of ["network", "country", "funding", "product", "3-D Secure", "volume"])
    assert.ok(
      fee.assumptions.some((text) => text.includes(word)),
      word,
    )
  const careless = expectedFee(
    model({ currency: "EUR", country: "DE", pricing: { kind: "blended", rates: [{ percent: "1.5" }] } }),
    { ...bare, threeDs: "automatic" },
    { at },
  )
  assert.ok(careless.kind === "known")
  assert.deepEqual([careless.share, careless.certainty, careless.assumptions], [0.015, "contract", []])
})

test("tiers are read at the month's volume where it is known", () => {
  const known = (minor: bigint) => {
    const fee = expectedFee(plus, payment, { at, monthToDate: money(minor, currency("EUR")) })
    return fee.kind === "known" ? fee : assert.fail()
  }
  assert.ok(known(100_000_000n).share < known(0n).share)
  assert.ok(!known(0n).assumptions.some((text) => text.includes("volume")))
})

test("conversion is exact in both currencies' digits, and charged as the contract says", () => {
  const yen = money(1_000n, currency("JPY"))
  assert.equal(converted(yen, currency("EUR"), () => rate("0.00615"))?.minor, 615n)
  assert.equal(converted(yen, currency("KWD"), () => rate("0.0021"))?.minor, 2_100n)
  assert.equal(converted(yen, currency("EUR"), noRates), undefined)
  const fee = expectedFee(blended, { ...payment, amount: yen }, { at, rates: () => rate("0.00615") })
  assert.ok(fee.kind === "known")
  // 1.5 % + 0.25 of 6.15 EUR, and 2 % for the conversion: 9.2 + 25 + 12.3 cents.
  assert.equal(fee.approved.amount.minor, 47n)
  assert.deepEqual(["0", "1e3", "-1", "1.0000000000001", ""].map(parseRate), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test("whatever the amount and the rate, the share is the fee over the converted amount", () => {
  fc.assert(
    fc.property(
      fc.bigInt(1n, 10n ** 10n),
      fc.bigInt(10n ** 9n, 10n ** 15n),
      fc.constantFrom("JPY", "USD", "KWD"),
      (minor, perUnit, code) => {
        const rates = () => perUnit
        const amount = money(minor, currency(code))
        const here = converted(amount, plus.currency, rates)!
        const fee = expectedFee(plus, { ...payment, amount }, { at, rates })
        if (here.minor === 0n) return fee.kind === "unknown"
        return (
          fee.kind === "known" &&
          fee.share === Number(fee.approved.amount.minor) / Number(here.minor) &&
          fee.approved.amount.minor >= fee.declined.amount.minor
        )
      },
    ),
  )
  assert.equal(RATE_DIGITS, 12)
})
