import assert from "node:assert/strict"
import { test } from "node:test"
import { type CardRegion, cardRegions } from "../../core/card-region.ts"
import { networks, type Network } from "../../core/card.ts"
import { parseCurrency } from "../../core/currency.ts"
import { parseRfc3339 } from "../../core/instant.ts"
import { dayStart } from "../../core/scheme-rule.ts"
import { FINE, parseFixed, parsePercent, percentText } from "./fine-amount.ts"
import { costRow, costSources, interchangeRows, type RowFacts, schemeFeeRows } from "./interchange.ts"

const on = (text: string): number => parseRfc3339(text) ?? assert.fail(text)
const facts = (more: Partial<RowFacts> = {}): RowFacts => ({
  merchantRegion: "eea",
  cardRegion: "eea",
  crossing: "domestic",
  network: "visa",
  funding: "debit",
  product: "consumer",
  cappedIssuer: false,
  at: on("2026-11-30T00:00:00Z"),
  ...more,
})
const percent = (more: Partial<RowFacts>): string =>
  percentText(costRow("interchange", facts(more))?.percent ?? assert.fail())

test("every row has a name of its own, can be read, and says where it is from", () => {
  const rows = [...interchangeRows, ...schemeFeeRows]
  assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length)
  for (const { id, percent: share, fixed, currency, source, certainty, from, until } of rows) {
    assert.notEqual(parsePercent(share), undefined, id)
    assert.equal(fixed === undefined, currency === undefined, id)
    const known = currency === undefined ? undefined : (parseCurrency(currency) ?? assert.fail(id))
    if (fixed !== undefined && known !== undefined) assert.notEqual(parseFixed(fixed, known), undefined, id)
    assert.equal(source === "assumption", certainty === "assumed", id)
    assert.ok(until === undefined || dayStart(from) < dayStart(until), id)
  }
  const cited = new Set<string>(rows.map(({ source }) => source))
  assert.deepEqual(cited, new Set(Object.keys(costSources)))
})

test("the caps of the EEA and the United Kingdom hold at home, and not between them since October 2021", () => {
  for (const region of ["eea", "uk"] as const) {
    const home = { merchantRegion: region, cardRegion: region } as const
    assert.equal(percent(home), "0.2")
    assert.equal(percent({ ...home, funding: "prepaid" }), "0.2")
    assert.equal(percent({ ...home, funding: "credit" }), "0.3")
  }
  const across = { merchantRegion: "uk", cardRegion: "eea", crossing: "intra" } as const
  assert.equal(percent(across), "1.15")
  assert.equal(percent({ ...across, funding: "credit" }), "1.5")
  assert.equal(percent({ ...across, at: on("2021-10-14T23:59:59Z") }), "0.2")
  assert.equal(percent({ ...across, at: on("2021-10-15T00:00:00Z") }), "1.15")
})

test("a card from elsewhere costs 1.15 and 1.5 % in Europe, and more than a cap is only assumed", () => {
  const far = { cardRegion: "us", crossing: "inter" } as const
  assert.equal(percent(far), "1.15")
  assert.equal(percent({ ...far, funding: "credit" }), "1.5")
  assert.equal(costRow("interchange", facts({ product: "commercial" }))?.certainty, "assumed")
})

test("a capped issuer in the United States takes 22 cents and 0.05 %", () => {
  const us = { merchantRegion: "us", cardRegion: "us" } as const
  const capped = costRow("interchange", facts({ ...us, cappedIssuer: true })) ?? assert.fail()
  assert.deepEqual([percentText(capped.percent), capped.fixed, capped.currency], ["0.05", 22n * FINE, "USD"])
  assert.equal(capped.certainty, "regulated")
  assert.equal(costRow("interchange", facts(us))?.certainty, "assumed")
})

test("every payment since 2015 has a row for both parts, whatever it is", () => {
  for (const merchantRegion of Object.keys(cardRegions) as CardRegion[])
    for (const network of Object.keys(networks) as Network[])
      for (const crossing of ["domestic", "intra", "inter"] as const)
        for (const funding of ["credit", "debit"] as const)
          for (const product of ["consumer", "commercial"] as const)
            for (const part of ["interchange", "scheme_fees"] as const) {
              const asked = facts({ merchantRegion, cardRegion: merchantRegion, network, crossing, funding, product })
              assert.ok(costRow(part, asked) !== undefined)
              assert.ok(costRow(part, { ...asked, at: on("2015-01-01T00:00:00Z") }) !== undefined)
            }
  assert.equal(costRow("interchange", facts({ at: on("2014-12-31T23:59:59Z") })), undefined)
})
