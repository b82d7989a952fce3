import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { currencies, type Currency, exponentOf, parseCurrency } from "../../core/currency.ts"
import { apportioned, FINE, fixedText, parseFixed, parsePercent, percentText, rounded } from "./fine-amount.ts"

const currency = (code: string): Currency => parseCurrency(code) ?? assert.fail(code)

test("percentages and amounts are read exactly", () => {
  assert.equal(parsePercent("1.4"), 1_400_000n)
  assert.equal(parsePercent("0.0125"), 12_500n)
  assert.equal(parsePercent("100"), FINE)
  assert.equal(parseFixed("0.25", currency("EUR")), 25n * FINE)
  assert.equal(parseFixed("0.004", currency("EUR")), (4n * FINE) / 10n)
  assert.equal(parseFixed("0.5", currency("JPY")), FINE / 2n)
  assert.equal(parseFixed("0.0005", currency("KWD")), FINE / 2n)
})

test("what is no plain decimal, or has too many digits, is not read", () => {
  for (const text of ["", "1,5", "1e3", "-1", "+1", ".5", "1.", "0.1234567", "NaN", " 1", "1234567890123"]) {
    assert.equal(parsePercent(text), undefined, text)
    assert.equal(parseFixed(text, currency("EUR")), undefined, text)
  }
  for (const text of ["100.000001", "101"]) assert.equal(parsePercent(text), undefined, text)
})

test("what is written reads back as it was", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: FINE }), (share) => assert.equal(parsePercent(percentText(share)), share)),
  )
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.constantFrom(...currencies), (millionths, code) => {
      const fine = millionths * 10n ** BigInt(exponentOf(code) + 2)
      assert.equal(parseFixed(fixedText(fine, code), code), fine)
    }),
  )
})

test("a half and more is rounded up, less is rounded down, and nothing is negative", () => {
  assert.equal(rounded(FINE / 2n), 1n)
  assert.equal(rounded(FINE / 2n - 1n), 0n)
  assert.equal(rounded(3n * FINE), 3n)
  assert.throws(() => rounded(-1n), RangeError)
})

const anyFine = fc.bigInt({ min: 0n, max: 1000n * FINE })

test("the parts sum up to the whole, which is rounded once, and each is off by less than one", () => {
  fc.assert(
    fc.property(fc.array(anyFine, { maxLength: 12 }), (parts) => {
      const { total, parts: minor } = apportioned(parts)
      const exact = parts.reduce((sum, part) => sum + part, 0n)
      assert.equal(total, rounded(exact))
      assert.equal(
        minor.reduce((sum, part) => sum + part, 0n),
        total,
      )
      for (const [index, part] of minor.entries()) {
        const off = part * FINE - (parts[index] ?? 0n)
        assert.ok(off > -FINE && off < FINE)
      }
    }),
  )
})

test("who loses most by rounding down gets what is missing", () => {
  // 0.4 + 0.4 + 0.7 = 1.5 → 2: the 0.7, and the first of the equals.
  const tenth = FINE / 10n
  assert.deepEqual(apportioned([4n * tenth, 4n * tenth, 7n * tenth]), { total: 2n, parts: [1n, 0n, 1n] })
  assert.deepEqual(apportioned([]), { total: 0n, parts: [] })
})
