import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createChart, forget, oddsAt, step, type ChartKind } from "./chart.ts"
import { diceAt } from "./dice.ts"

const kind: ChartKind = { everyMs: 86_400_000, fadeMs: 180_000, maxOdds: 1e3 }
const WELL = 0.006
const SICK = 0.4

/** Outcomes until the CUSUM crosses `threshold`. */
function runLength(rate: number, threshold: number, seed: number, limit: number): number {
  const chart = createChart(0)
  for (let i = 0; i < limit; i++) {
    const bad = diceAt(seed, i) < rate
    step(chart, kind, bad ? SICK / WELL : (1 - SICK) / (1 - WELL), bad, i * 1_000)
    if (chart.cusum >= threshold) return i + 1
  }
  return limit
}

describe("a chart", () => {
  test("alarms without cause not more often than its threshold promises", () => {
    // Lorden: the mean time between false alarms is at least e^h.
    const threshold = 8
    const lengths = Array.from({ length: 60 }, (_, seed) => runLength(WELL, threshold, seed, 30_000))
    const mean = lengths.reduce((sum, n) => sum + n, 0) / lengths.length
    assert.ok(mean > Math.exp(threshold), `${mean} outcomes`)
  })

  test("finds a hard outage in four attempts or fewer and a gray one in about twelve", () => {
    const median = (rate: number): number =>
      Array.from({ length: 101 }, (_, seed) => runLength(rate, 14, seed + 1_000, 1_000)).sort((a, b) => a - b)[50]!
    assert.ok(median(0.92) <= 4)
    assert.ok(median(SICK) <= 14)
  })

  test("lets its odds fade while nothing is heard, and keeps the evidence of what was", () => {
    const chart = createChart(0)
    for (let i = 0; i < 4; i++) step(chart, kind, SICK / WELL, true, 1_000 * (i + 1))
    const then = oddsAt(chart, kind, 4_000)
    assert.ok(then > 1)
    assert.ok(oddsAt(chart, kind, 4_000 + kind.fadeMs) < then / 2)
    assert.deepEqual([chart.n, chart.bad, chart.sinceMs], [4, 4, 1_000])
    forget(chart, 5_000)
    assert.deepEqual([chart.n, chart.odds, chart.sinceMs], [0, 0, 5_000])
  })
})
