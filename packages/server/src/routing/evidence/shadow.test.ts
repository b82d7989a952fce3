import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { distance } from "./rerouting.ts"
import { createShadowReport } from "./shadow.ts"

test("a shadow's divergence is told by rule, account and segment, with what both sides expected of it", () => {
  const shadow = createShadowReport()
  const live = { rule: "all", propensities: { a: 1 }, account: "a", scores: { a: 0.9, b: 0.88 } }
  for (let n = 0; n < 8; n++) shadow.add(live, live, "DE")
  shadow.add(live, { rule: "new", propensities: { b: 1 }, account: "b", scores: { a: 0.9, b: 0.92 } }, "FR")
  shadow.add(live, { rule: "new", propensities: { c: 1 }, account: "c" }, "FR")
  const report = shadow.report()
  assert.deepEqual([report.agreement, report.rerouting.moved], [0.8, 2])
  assert.deepEqual(
    report.rerouting.rules.map(({ name, moved }) => [name, moved]),
    [
      ["all", 0],
      ["all → new", 2],
    ],
  )
  assert.ok(Math.abs(report.byLiveScores.perPayment! - -0.002) < 1e-12)
  assert.ok(Math.abs(report.byShadowScores.perPayment! - 0.002) < 1e-12)
  assert.deepEqual([report.byLiveScores.unscored, report.byShadowScores.unscored], [1, 1])
})

test("nothing shadowed is all agreement, and no expectation", () => {
  const report = createShadowReport().report()
  assert.deepEqual([report.agreement, report.byLiveScores], [1, { payments: 0, unscored: 0 }])
})

test("a distance is symmetric, between 0 and 1, and 0 only for the same", () => {
  const chances = fc
    .array(fc.integer({ min: 0, max: 5 }), { minLength: 4, maxLength: 4 })
    .filter((weights) => weights.some((weight) => weight > 0))
    .map((weights) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      return Object.fromEntries(weights.map((weight, k) => [`a${k}`, weight / total]))
    })
  fc.assert(
    fc.property(chances, chances, (one, other) => {
      const there = distance(one, other)
      assert.ok(Math.abs(there - distance(other, one)) < 1e-9)
      assert.ok(there >= 0 && there <= 1 + 1e-9 && Math.abs(distance(one, one)) === 0)
    }),
  )
})
