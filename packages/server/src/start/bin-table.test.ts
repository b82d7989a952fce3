import assert from "node:assert/strict"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { binOf } from "@orchestra/simulator"
import { demoBinTable, loadBinTable } from "./bin-table.ts"
import { Usage } from "./options.ts"

const folder = mkdtempSync(join(tmpdir(), "bins-"))
after(() => rmSync(folder, { recursive: true }))
const fileWith = (content: string | Uint8Array): string => {
  const file = join(folder, "bins.csv")
  writeFileSync(file, content)
  return file
}
const refusal = (file: string): string => {
  try {
    loadBinTable(file)
  } catch (error) {
    assert.ok(error instanceof Usage)
    return error.message
  }
  return "it was taken"
}

test("the operator's file is read", () => {
  const table = loadBinTable(fileWith("bin,country\n424242,US\n"))
  assert.deepEqual([table.rows, table.factsOf("42424242")], [1, { country: "US" }])
})

test("a file that cannot be used stops the start, and says why", () => {
  assert.match(refusal(join(folder, "none.csv")), /^The BIN table .*none\.csv cannot be read: there is no such file\.$/)
  assert.match(refusal(folder), /it is a folder\.$/)
  assert.match(refusal(fileWith(Uint8Array.of(0x62, 0xff))), /it is not written in UTF-8\.$/)
  assert.match(
    refusal(fileWith("bin,country\n42,US\n424242,UK\n")),
    /^The BIN table .* cannot be used:\n  line 2 has the bin "42".*\n  line 3 has the country "UK".*$/,
  )
  assert.match(refusal(fileWith(`bin\n${"x\n".repeat(30)}`)), /\n  and more after these 20$/)
})

test("the demo knows the simulator's test cards once it runs, as the simulator itself sees them", () => {
  const table = demoBinTable()
  assert.equal(table.factsOf("4242424242424242"), undefined)
  table.simulatorRuns()
  // Two cards of one BIN that differ in country (Sweden, Switzerland) are not told apart by eight digits.
  assert.equal(table.factsOf("4000007520000008"), undefined)
  for (const number of [
    "4242424242424242",
    "5555555555554444",
    "4111111111111111",
    "378282246310005",
    "5436031030606378",
    "4000002760000016",
    "5105105105105100",
  ]) {
    const { country, funding, issuer } = binOf(number)!
    assert.deepEqual(table.factsOf(number), { country, funding, issuer }, number)
  }
})
