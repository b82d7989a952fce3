import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { currencies, type Currency, exponentOf, parseCurrency } from "./currency.ts"
import {
  add,
  compare,
  fromJson,
  fromScaled,
  maxExponent,
  maxJsonMinor,
  maxPaymentMinor,
  maxStoredMinor,
  type Money,
  money,
  parseMajorString,
  rescale,
  subtract,
  sum,
  toJson,
  toMajorString,
} from "./money.ts"

const currency = (code: string): Currency => parseCurrency(code) ?? assert.fail(code)
const eur = currency("EUR")
const anyCurrency = fc.constantFrom(...currencies)
const anyMinor = fc.bigInt({ min: -maxPaymentMinor, max: maxPaymentMinor })
const anyMoney = fc.tuple(anyMinor, anyCurrency).map(([minor, code]) => money(minor, code))
const twoOfOne = fc
  .tuple(anyMinor, anyMinor, anyCurrency)
  .map(([a, b, code]) => [money(a, code), money(b, code)] as const)

test("subtracting undoes adding", () => {
  fc.assert(fc.property(twoOfOne, ([a, b]) => assert.deepEqual(subtract(add(a, b), b), a)))
})

test("a sum does not depend on order and of nothing is zero", () => {
  fc.assert(
    fc.property(fc.array(anyMinor, { maxLength: 20 }), anyCurrency, (minors, code) => {
      const amounts = minors.map((minor) => money(minor, code))
      assert.deepEqual(sum(amounts, code), sum(amounts.toReversed(), code))
    }),
  )
  assert.deepEqual(sum([], eur), money(0n, eur))
})

test("comparison is the order of the counts, and its sign turns with the operands", () => {
  fc.assert(
    fc.property(twoOfOne, ([a, b]) => {
      assert.equal(compare(a, b), a.minor < b.minor ? -1 : a.minor > b.minor ? 1 : 0)
      assert.equal(compare(a, b) + compare(b, a), 0)
    }),
  )
})

test("two currencies never meet in one operation", () => {
  const a = money(1n, eur)
  const b = money(1n, currency("USD"))
  for (const operation of [add, subtract, compare]) assert.throws(() => operation(a, b), TypeError)
  assert.throws(() => sum([a, b], eur), TypeError)
})

test("an amount that the ledger cannot hold is refused at its birth", () => {
  assert.equal(money(maxStoredMinor, eur).minor, maxStoredMinor)
  assert.throws(() => money(maxStoredMinor + 1n, eur), RangeError)
  assert.throws(() => add(money(maxStoredMinor, eur), money(1n, eur)), RangeError)
})

test("major units carry exactly the currency's digits", () => {
  assert.equal(toMajorString(money(1230n, eur)), "12.30")
  assert.equal(toMajorString(money(5n, eur)), "0.05")
  assert.equal(toMajorString(money(-5n, currency("KWD"))), "-0.005")
  assert.equal(toMajorString(money(500n, currency("JPY"))), "500")
  assert.equal(toMajorString(money(1n, currency("CLF"))), "0.0001")
})

test("every amount survives the way to major units and back", () => {
  fc.assert(
    fc.property(anyMoney, (amount) =>
      assert.deepEqual(parseMajorString(toMajorString(amount), amount.currency), amount),
    ),
  )
})

test("major units that would be rounded or are not plain decimals are not read", () => {
  assert.deepEqual(parseMajorString("10.500", eur), money(1050n, eur))
  assert.deepEqual(parseMajorString("10", eur), money(1000n, eur))
  for (const text of ["10.005", "1e3", "1,000", "", ".5", "5.", "+5", " 5", "0x10", "NaN", "9".repeat(19)])
    assert.equal(parseMajorString(text, eur), undefined, text)
})

test("JSON carries integers only as far as every reader keeps them exact", () => {
  assert.deepEqual(toJson(money(maxJsonMinor, eur)), { amount: Number.MAX_SAFE_INTEGER, currency: "EUR" })
  assert.throws(() => toJson(money(maxJsonMinor + 1n, eur)), RangeError)
  assert.throws(() => toJson(money(-maxJsonMinor - 1n, eur)), RangeError)
})

test("every amount survives the way to JSON text and back", () => {
  fc.assert(
    fc.property(anyMoney, (amount) => assert.deepEqual(fromJson(JSON.parse(JSON.stringify(toJson(amount)))), amount)),
  )
})

test("JSON that is no exact amount of a known currency is not read", () => {
  for (const amount of [1.5, Number.NaN, Infinity, 2 ** 53])
    assert.equal(fromJson({ amount, currency: "EUR" }), undefined)
  assert.equal(fromJson({ amount: 1, currency: "eur" }), undefined)
})

test("rescaling is exact or undefined, and its way back gives the same money", () => {
  fc.assert(
    fc.property(anyMoney, fc.integer({ min: 0, max: maxExponent }), (amount: Money, exponent) => {
      const digits = exponentOf(amount.currency)
      const count = rescale(amount, exponent)
      const exact = exponent >= digits || amount.minor % 10n ** BigInt(digits - exponent) === 0n
      assert.equal(count !== undefined, exact)
      if (count !== undefined) assert.deepEqual(fromScaled(count, exponent, amount.currency), amount)
    }),
  )
})

test("an amount that a provider with fewer digits cannot express is not rounded", () => {
  assert.equal(rescale(money(12_345n, currency("KWD")), 2), undefined)
  assert.equal(rescale(money(12_340n, currency("KWD")), 2), 1234n)
  assert.equal(rescale(money(5n, currency("ISK")), 2), 500n)
  assert.equal(fromScaled(550n, 2, currency("ISK")), undefined)
})

test("an exponent beyond the limit is a bug and not an amount", () => {
  for (const exponent of [1.5, 99, -99]) assert.throws(() => rescale(money(1n, eur), exponent), RangeError)
})
