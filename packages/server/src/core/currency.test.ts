import assert from "node:assert/strict"
import { test } from "node:test"
import { currencies, exponentOf, parseCurrency } from "./currency.ts"

test("each currency is an upper-case code that parses to itself and stands in the list once", () => {
  assert.equal(new Set(currencies).size, currencies.length)
  for (const code of currencies) {
    assert.match(code, /^[A-Z]{3}$/)
    assert.equal(parseCurrency(code), code)
  }
})

test("the exponents that differ from two are ISO's", () => {
  const odd = Object.groupBy(currencies, (code) => String(exponentOf(code)))
  assert.deepEqual(Object.keys(odd), ["0", "2", "3", "4"])
  assert.equal(odd["0"]?.join(" "), "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF")
  assert.equal(odd["3"]?.join(" "), "BHD IQD JOD KWD LYD OMR TND")
  assert.equal(odd["4"]?.join(" "), "CLF UYW")
})

test("retired currencies, precious metals and other spellings are not currencies", () => {
  for (const code of ["BGN", "HRK", "ANG", "XAU", "XDR", "XTS", "XXX", "usd", "US", "USDT", "", "constructor"])
    assert.equal(parseCurrency(code), undefined, code)
})

// The platform knows the currencies too; where its idea of cash digits differs from ISO's, ISO's counts.
test("every currency of today is known to the platform's own list or is on a short list of funds codes and newcomers", () => {
  const platform = new Set(Intl.supportedValuesOf("currency"))
  const newcomers = new Set(["BOV", "CHE", "CHW", "CLF", "COU", "MXV", "USN", "UYI", "UYW", "VED", "XAD"])
  assert.deepEqual(
    currencies.filter((code) => !platform.has(code) && !newcomers.has(code)),
    [],
  )
})
