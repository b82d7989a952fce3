import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { facts } from "../facts.ts"
import { histogramOf } from "../histogram/histogram.ts"
import { columnsOf, read } from "./metric.ts"
import { metricOf, metrics } from "./metrics.ts"

const reading = (id: string, sums: Readonly<Record<string, bigint>>, whole?: Readonly<Record<string, bigint>>) =>
  read(metricOf(id)!, { sums }, whole === undefined ? undefined : { sums: whole })

describe("the metrics", () => {
  test("have ids of their own and formulas over columns that exist", () => {
    assert.equal(new Set(metrics.map(({ id }) => id)).size, metrics.length)
    for (const metric of metrics) {
      const { sums, times } = columnsOf(metric)
      for (const name of sums) assert.ok(name in facts[metric.fact].measures, `${metric.id}: ${name}`)
      for (const name of times) assert.ok(name in facts[metric.fact].times, `${metric.id}: ${name}`)
      assert.ok(metric.excludes !== "" && metric.whose !== "")
    }
  })

  test("say value, count and interval of a proportion", () => {
    const { value, count, interval } = reading("attempt_success", { approved: 90n, settled: 100n })
    assert.deepEqual([value, count], [0.9, 100])
    assert.ok(interval!.low > 0.82 && interval!.low < 0.83 && interval!.high > 0.94 && interval!.high < 0.95)
  })

  test("have no value where there is nothing, and never take a missing column for zero", () => {
    assert.deepEqual(reading("attempt_success", { approved: 0n, settled: 0n }), {
      value: undefined,
      count: 0,
      interval: undefined,
    })
    assert.throws(() => reading("attempt_success", { approved: 1n }), /attempt_success needs the column settled/)
  })

  test("read a share against the whole that was asked for", () => {
    assert.equal(reading("decline_mix", { declined: 30n }, { declined: 120n }).value, 0.25)
  })

  test("read a cost per approved payment in its unit, with an interval that holds it", () => {
    // Ten payments at 25.00 minor units each, eight of them approved; then the spread is that of the approvals alone.
    const { value, count, interval } = reading("cost_per_approved_payment", {
      fee: 2_500_000n,
      fee_squared: 6_250n,
      approved_fee: 2_000_000n,
      priced: 10n,
      priced_approved: 8n,
    })
    assert.deepEqual([value, count], [312_500, 10])
    assert.ok(interval!.low > 0 && interval!.low < 312_500 && interval!.high > 312_500)
  })

  test("read quantiles out of buckets", () => {
    const histogram = histogramOf(Array.from({ length: 101 }, (_, i) => i * 10))
    const { value, count } = read(metricOf("provider_time_p95")!, {
      sums: {},
      histograms: { provider_time: histogram },
    })
    assert.equal(count, 101)
    assert.ok(Math.abs(value! - 950) <= 9.5)
  })

  test("weigh failures by what they cost and how often they come back", () => {
    const metric = metricOf("error_weight")!
    const sums = { failed: 10n, failed_amount: 50_000n }
    assert.equal(read(metric, { sums, hours: { seen: 6, all: 24 } }).value, 12_500)
  })
})
