import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { distance } from "./rerouting.ts"
import {
  createShadowTally,
  MAX_DIVERGENCES,
  mergedShadow,
  nothingShadowed,
  shadowReport,
  type ShadowedDecision,
} from "./shadow.ts"

const of = (n: number) => ({ payment: `pay_${n}`, at: n })
const live: ShadowedDecision = { rule: "all", propensities: { a: 1 }, account: "a", scores: { a: 0.9, b: 0.88 } }
const elsewhere: ShadowedDecision = {
  rule: "new",
  propensities: { b: 1 },
  account: "b",
  scores: { a: 0.9, b: 0.92 },
}

test("a shadow's divergence is told by rule, account and segment, with what both sides expected of it", () => {
  const shadow = createShadowTally()
  for (let n = 0; n < 8; n++) shadow.add(live, live, "DE", of(n))
  shadow.add(live, elsewhere, "FR", of(8))
  shadow.add(live, { rule: "new", propensities: { c: 1 }, account: "c" }, "FR", of(9))
  const report = shadowReport(shadow.tally())
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
  assert.deepEqual(shadow.tally().divergences[0], {
    payment: "pay_8",
    at: 8,
    live: { rule: "all", account: "a" },
    shadow: { rule: "new", account: "b" },
  })
})

test("what two nodes counted is, together, what one would have", () => {
  const decision = fc.constantFrom(live, elsewhere, { ...elsewhere, rule: "third" })
  const payments = fc.array(fc.tuple(decision, decision, fc.constantFrom("DE", "FR"), fc.boolean()), { maxLength: 150 })
  fc.assert(
    fc.property(payments, (all) => {
      const [whole, here, there] = [createShadowTally(), createShadowTally(), createShadowTally()]
      for (const [n, [one, other, segment, isHere]] of all.entries())
        for (const tally of [whole, isHere ? here : there]) tally.add(one, other, segment, of(n))
      const sorted = ({ rerouting, byLive, byShadow, ...rest }: ReturnType<typeof whole.tally>) => ({
        ...rest,
        scored: [byLive.scored, byLive.unscored, byShadow.scored, byShadow.unscored],
        sums: [byLive.sum, byShadow.sum].map((sum) => Math.round(sum * 1e9)),
        payments: rerouting.payments,
        moved: Math.round(rerouting.moved * 1e9),
        rules: rerouting.rules.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      })
      const merged = mergedShadow(mergedShadow(nothingShadowed, here.tally()), there.tally())
      assert.deepEqual(sorted(merged), sorted(whole.tally()))
      assert.ok(merged.divergences.length <= MAX_DIVERGENCES)
    }),
  )
})

test("nothing shadowed is all agreement, and no expectation", () => {
  const report = shadowReport(nothingShadowed)
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
