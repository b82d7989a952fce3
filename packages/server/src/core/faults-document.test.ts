import assert from "node:assert/strict"
import { test } from "node:test"
import { faults } from "./fault.ts"
import { faultsDocument, faultSections } from "./faults-document.ts"

test("every fault has exactly one row", () => {
  const lines = faultsDocument().split("\n")
  for (const [code, { status }] of Object.entries(faults))
    assert.equal(lines.filter((line) => line.startsWith(`| \`${code}\` | ${status} | `)).length, 1, code)
})

test("every subject has a title in words", () => {
  for (const { title } of faultSections()) assert.match(title, /^[A-Z]/)
})
