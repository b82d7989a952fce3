import assert from "node:assert/strict"
import { test } from "node:test"
import { declineReasons } from "./decline.ts"
import { adviceCodes, commonCodes } from "./network-code.ts"
import { outcomesDocument } from "./outcomes-document.ts"

const text = outcomesDocument()
const lines = text.split("\n")

test("every reason has exactly one row of its own", () => {
  for (const reason of Object.keys(declineReasons))
    assert.equal(lines.filter((line) => line.startsWith(`| \`${reason}\` | `)).length, 1, reason)
})

test("every response code and every advice code is documented", () => {
  for (const code of [...Object.keys(commonCodes), ...Object.keys(adviceCodes)])
    assert.ok(
      lines.some((line) => line.startsWith(`| \`${code}\` |`)),
      code,
    )
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
