import assert from "node:assert/strict"
import { test } from "node:test"
import { metricsTable } from "./metrics-table.ts"

test("texts of others are quoted, and kept from being formulas; what there is not is empty", () => {
  const row = {
    from: 0,
    to: 60,
    key: [`=cmd|'/c calc'!A1`, 'a "quoted", text\n', null, 2],
    immature: false,
    undecided: {},
    values: { rate: { value: undefined, count: 0, interval: undefined } },
    compared: { rate: { value: 0.5, count: 4, interval: { low: 0.1, high: 0.9 } } },
  }
  assert.equal(
    metricsTable(["a", "b", "c", "d"], ["rate"], [row]),
    "from,to,a,b,c,d,immature,rate,rate_count,rate_low,rate_high,compared_rate,compared_rate_count,compared_rate_low,compared_rate_high\r\n" +
      `1970-01-01T00:00:00.000Z,1970-01-01T01:00:00.000Z,'=cmd|'/c calc'!A1,"a ""quoted"", text\n",,2,false,,0,,,0.5,4,0.1,0.9\r\n`,
  )
})
