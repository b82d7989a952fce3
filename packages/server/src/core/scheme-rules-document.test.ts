import assert from "node:assert/strict"
import { test } from "node:test"
import { schemeRulesDocument } from "./scheme-rules-document.ts"
import { schemeSources } from "./scheme-rules-source.ts"
import { schemeFees, schemeLimits, schemeRules, schemeStops } from "./scheme-rules-table.ts"

const text = schemeRulesDocument()
const lines = text.split("\n")

test("every limit, stop and fee has exactly one row of its own", () => {
  for (const { id } of [...schemeLimits, ...schemeStops, ...schemeFees])
    assert.equal(lines.filter((line) => line.startsWith(`| \`${id}\` | `) && line.split("|").length > 5).length, 1, id)
})

test("every conflict and every source is told", () => {
  for (const { id, conflict } of schemeRules) if (conflict !== undefined) assert.ok(text.includes(conflict), id)
  for (const source of Object.keys(schemeSources))
    assert.ok(
      lines.some((line) => line.startsWith(`| \`${source}\` |`)),
      source,
    )
})

test("amounts stand in major units with their currency", () => {
  assert.match(text, /\| 0\.10 USD \|/)
  assert.match(text, /\| 2\.00 BRL \|/)
})

test("every row has as many cells as its table's head", () => {
  let width = 0
  for (const line of lines) {
    const cells = line.startsWith("|") ? line.split(/(?<!\\)\|/).length : 0
    if (cells > 0 && width > 0) assert.equal(cells, width, line)
    width = cells
  }
})

test("the text ends in one newline and names what it is generated from", () => {
  assert.match(text, /[^\n]\n$/)
  assert.match(text, /Do not edit/)
})
