import assert from "node:assert/strict"
import { test } from "node:test"
import { cardRegionOf, type CardRegion, cardRegions, crossingOf } from "./card-region.ts"
import { countries, parseCountry } from "./country.ts"
import { parseCurrency } from "./currency.ts"
import { parseRfc3339 } from "./instant.ts"
import { adviceCodes, visaCategoryOf } from "./network-code.ts"
import { dayStart, isInForce, type Scheme, schemes } from "./scheme-rule.ts"
import { schemeSources } from "./scheme-rules-source.ts"
import {
  changesBetween,
  schemeAdvice,
  schemeFees,
  schemeLimits,
  schemeRules,
  visaCategoryAt,
} from "./scheme-rules-table.ts"
import { visaCategoryRules } from "./scheme-rules-visa.ts"

const on = (text: string): number => parseRfc3339(text) ?? assert.fail(text)
const today = on("2026-11-30T00:00:00Z")

test("every row has a name of its own, days in order, and a source or the word that it is assumed", () => {
  assert.equal(new Set(schemeRules.map(({ id }) => id)).size, schemeRules.length)
  for (const { id, from, until, sources, certainty, conflict } of schemeRules) {
    assert.ok(until === undefined || dayStart(from) < dayStart(until), id)
    assert.ok(sources.length > 0 || certainty === "assumed", id)
    assert.ok(certainty !== "disputed" || conflict !== undefined, `${id} names no conflict`)
    assert.ok(certainty !== "agreed" || sources.length > 1, `${id} has one source only`)
  }
})

test("every source is cited", () => {
  const cited = new Set<string>(schemeRules.flatMap(({ sources }) => sources))
  const named = schemeRules.map(({ conflict = "" }) => conflict).join(" ")
  for (const [id, { publisher }] of Object.entries(schemeSources))
    assert.ok(cited.has(id) || named.includes(publisher), id)
})

/** Every day on which some row begins or ends, which is every day on which something can go wrong. */
const turningDays = [
  ...new Set(schemeRules.flatMap(({ from, until }) => (until === undefined ? [from] : [from, until]))),
]

test("no code is in two of Visa's categories on one day", () => {
  for (const day of turningDays) {
    const codes = visaCategoryRules.filter((row) => isInForce(row, dayStart(day))).flatMap((row) => row.codes)
    assert.equal(new Set(codes).size, codes.length, day)
  }
})

test("on every day, in every region, one fee answers for one charge and crossing", () => {
  for (const day of turningDays)
    for (const scheme of Object.keys(schemes) as Scheme[])
      for (const region of Object.keys(cardRegions) as CardRegion[])
        for (const charge of ["stop", "excess", "stop_order"] as const)
          for (const crossing of ["domestic", "intra", "inter"] as const) {
            const rows = schemeFees.filter(
              (fee) =>
                fee.charge === charge &&
                fee.schemes.includes(scheme) &&
                (fee.regions?.includes(region) ?? true) &&
                (fee.crossing?.includes(crossing) ?? true) &&
                isInForce(fee, dayStart(day)),
            )
            assert.ok(rows.length <= 1, `${day} ${rows.map(({ id }) => id).join(" ")}`)
          }
  for (const { id, currency, minor } of schemeFees) assert.ok(parseCurrency(currency) !== undefined && minor > 0n, id)
})

test("today every scheme has a limit in every region", () => {
  for (const scheme of Object.keys(schemes) as Scheme[])
    for (const region of Object.keys(cardRegions) as CardRegion[])
      assert.ok(
        schemeLimits.some(
          (row) => row.schemes.includes(scheme) && (row.regions?.includes(region) ?? true) && isInForce(row, today),
        ),
        `${scheme} ${region}`,
      )
})

test("Visa's categories agree with the table of codes that has no dates", () => {
  for (const code of "01 02 03 04 05 07 12 13 14 15 19 41 43 46 51 54 55 57 58 59 61 62 65 75 78 83 91 93 96 N7 R1".split(
    " ",
  ))
    assert.equal(visaCategoryAt(code, today), visaCategoryOf(code), code)
})

test("what is to come is told before it comes", () => {
  const changes = changesBetween(on("2026-10-01T00:00:00Z"), on("2026-10-31T00:00:00Z"))
  assert.deepEqual(
    changes.map(({ kind, rule }) => [kind, rule.id]),
    [["begins", "visa/category/83"]],
  )
  const may = changesBetween(on("2025-05-24T23:59:59Z"), on("2025-05-25T00:00:00Z"))
  assert.deepEqual(
    new Set(may.map(({ kind, rule }) => `${kind} ${rule.id}`)),
    new Set(["ends visa/reattempts-15", "begins visa/reattempts-20"]),
  )
  assert.deepEqual(changesBetween(on("2025-05-25T00:00:00Z"), on("2025-05-26T00:00:00Z")), [])
})

test("advice asks for the waits that the table of advice codes names", () => {
  for (const { adviceCode, asks, afterHours } of schemeAdvice) {
    const advice = adviceCodes[adviceCode] ?? assert.fail(adviceCode)
    const expected = { later: "after", changed: "with_changes", free: "unrestricted" } as const
    assert.equal(advice.retry, expected[asks], adviceCode)
    if (asks === "later") assert.equal(advice.afterSeconds, (afterHours ?? 0) * 3600, adviceCode)
  }
})

test("each country is in one region, and the regions are those that rules name", () => {
  const country = (code: string) => parseCountry(code) ?? assert.fail(code)
  assert.deepEqual(
    ["US", "PR", "CA", "BR", "DE", "NO", "GB", "CH", "JP"].map((code) => cardRegionOf(country(code))),
    ["us", "us", "canada", "brazil", "eea", "eea", "uk", "elsewhere", "elsewhere"],
  )
  assert.equal(countries.filter((code) => cardRegionOf(code) === "eea").length, 37)
  assert.equal(crossingOf(country("DE"), country("DE")), "domestic")
  assert.equal(crossingOf(country("DE"), country("FR")), "intra")
  assert.equal(crossingOf(country("GB"), country("FR")), "intra")
  assert.equal(crossingOf(country("US"), country("FR")), "inter")
  assert.equal(crossingOf(country("CH"), country("JP")), "inter")
  assert.equal(crossingOf(undefined, country("FR")), "inter")
})
