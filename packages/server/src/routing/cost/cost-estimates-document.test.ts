import assert from "node:assert/strict"
import { test } from "node:test"
import { costEstimatesDocument } from "./cost-estimates-document.ts"
import { feeModelExamples } from "./fee-model-example.ts"
import { readFeeModel } from "./fee-model-json.ts"
import { costSources, interchangeRows, schemeFeeRows } from "./interchange.ts"

const text = costEstimatesDocument()
const lines = text.split("\n")

test("every row and every source has exactly one line", () => {
  for (const id of [...[...interchangeRows, ...schemeFeeRows].map((row) => row.id), ...Object.keys(costSources)])
    assert.equal(lines.filter((line) => line.startsWith(`| \`${id}\` |`)).length, 1, id)
})

test("the examples that are shown are read as they stand", () => {
  const shown = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, json = ""]) => readFeeModel(JSON.parse(json)).kind,
  )
  assert.deepEqual(
    shown,
    Object.keys(feeModelExamples).map(() => "model"),
  )
})

test("every line of a table has as many cells as its head", () => {
  let width = 0
  for (const line of lines) {
    const cells = line.startsWith("|") ? line.split(/(?<!\\)\|/).length : 0
    if (cells > 0 && width > 0) assert.equal(cells, width, line)
    width = cells
  }
})
