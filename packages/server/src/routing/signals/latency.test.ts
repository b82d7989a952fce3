import assert from "node:assert/strict"
import { test } from "node:test"
import { diceAt } from "./dice.ts"
import type { SignalChange } from "./health-change.ts"
import { createLatency } from "./latency.ts"

test("a brown-out is told with what is usual, expected at once, and over when it is", () => {
  const changes: SignalChange[] = []
  const latency = createLatency(2, (change) => changes.push(change))
  let at = 0
  const see = (medianMs: number, count: number): void => {
    for (let i = 0; i < count; i++) latency.observe(0, medianMs * Math.exp(0.8 * (diceAt(1, at) - 0.5)), at++)
  }
  see(800, 2_000)
  assert.equal(changes.length, 0)
  see(4_000, 40)
  assert.ok(latency.isSlow(0))
  assert.ok(latency.expectedMs(0) > 3_000)
  const [change] = changes
  assert.ok(change?.kind === "latency" && change.slow && Math.abs(change.usualMs - 800) < 100)
  see(800, 200)
  assert.equal(latency.isSlow(0), false)
  assert.equal(latency.isSlow(1), false)
})
