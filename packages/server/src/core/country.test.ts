import assert from "node:assert/strict"
import { test } from "node:test"
import { countries, parseCountry } from "./country.ts"

test("the 249 assigned countries and Kosovo parse to themselves", () => {
  assert.equal(new Set(countries).size, 250)
  for (const code of countries) {
    assert.match(code, /^[A-Z]{2}$/)
    assert.equal(parseCountry(code), code)
  }
})

test("the platform has a name for every country", () => {
  const names = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" })
  assert.deepEqual(
    countries.filter((code) => names.of(code) === undefined),
    [],
  )
})

test("retired, reserved and misspelt codes are not countries", () => {
  for (const code of ["UK", "EU", "AN", "SU", "ZZ", "gb", "GBR", ""]) assert.equal(parseCountry(code), undefined, code)
})
