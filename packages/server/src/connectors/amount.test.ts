import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { currencies, type Currency, exponentOf, parseCurrency } from "../core/currency.ts"
import { maxPaymentMinor, maxStoredMinor, money } from "../core/money.ts"
import { amountFrom, exactAmount, isExact, providerAmount } from "./amount.ts"

const currency = (code: string): Currency => parseCurrency(code)!
const all = { currencies: "all", exponents: {} } as const
const odd = { currencies: "all", exponents: { ISK: 2, MGA: 0 }, steps: { KWD: 10 } } as const

test("amounts are counted as ISO counts them, unless the provider says otherwise", () => {
  assert.equal(providerAmount(all, money(1999n, currency("EUR"))), 1999n)
  assert.equal(providerAmount(odd, money(1500n, currency("ISK"))), 150_000n)
  assert.equal(providerAmount(odd, money(1500n, currency("MGA"))), 15n)
  assert.equal(providerAmount(odd, money(12_340n, currency("KWD"))), 12_340n)
})

test("what the provider cannot express is never rounded", () => {
  assert.equal(providerAmount(odd, money(1550n, currency("MGA"))), undefined)
  assert.equal(providerAmount(odd, money(12_345n, currency("KWD"))), undefined)
  assert.throws(() => exactAmount(odd, money(12_345n, currency("KWD"))), RangeError)
  assert.equal(providerAmount({ currencies: ["EUR"], exponents: {} }, money(1n, currency("USD"))), undefined)
})

test("what goes out comes back, in every currency and with any digits", () => {
  const cases = fc.record({
    code: fc.constantFrom(...currencies),
    count: fc.bigInt({ min: 0n, max: maxPaymentMinor }),
    digits: fc.integer({ min: 0, max: 4 }),
  })
  fc.assert(
    fc.property(cases, ({ code, count, digits }) => {
      const counting = { currencies: "all", exponents: { [code]: digits } } as const
      const sent = providerAmount(counting, money(count, code))
      if (sent === undefined) return assert.ok(digits < exponentOf(code))
      assert.deepEqual(amountFrom(counting, sent, code.toLowerCase()), money(count, code))
    }),
  )
})

test("an answer's amount makes no sense without a known currency, below zero, or between our digits", () => {
  assert.equal(amountFrom(all, 100n, "zzz"), undefined)
  assert.equal(amountFrom(all, 100n, undefined), undefined)
  assert.equal(amountFrom(all, undefined, "eur"), undefined)
  assert.equal(amountFrom(all, -1n, "eur"), undefined)
  assert.equal(amountFrom(odd, 150n, "isk"), undefined)
})

test("any amount and any count has an answer: an amount that passes is encoded, and none makes an exception", () => {
  const anything = fc.record({
    code: fc.constantFrom(...currencies),
    minor: fc.bigInt({ min: -maxStoredMinor, max: maxStoredMinor }),
    count: fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    digits: fc.integer({ min: 0, max: 4 }),
    step: fc.constantFrom(2, 10, 100),
    listed: fc.boolean(),
  })
  fc.assert(
    fc.property(anything, ({ code, minor, count, digits, step, listed }) => {
      const counting = { currencies: listed ? [code] : [], exponents: { [code]: digits }, steps: { [code]: step } }
      const amount = money(minor, code)
      if (isExact(counting, amount)) assert.equal(exactAmount(counting, amount), providerAmount(counting, amount))
      else assert.throws(() => exactAmount(counting, amount), RangeError)
      const read = amountFrom(counting, count, code)
      assert.ok(read === undefined || (read.minor >= 0n && read.minor <= maxPaymentMinor * 10_000n))
    }),
  )
  assert.equal(isExact(all, money(0n, currency("EUR"))), true)
  assert.equal(isExact(all, money(-1n, currency("EUR"))), false)
  assert.equal(isExact(all, money(maxPaymentMinor + 1n, currency("EUR"))), false)
})
