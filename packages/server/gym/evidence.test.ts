import assert from "node:assert/strict"
import { test } from "node:test"
import { commitmentsOf, keptOf, promiseIn } from "./commitments.ts"
import { stagedRun } from "./evidence-guardrails.ts"
import { drawnEvidence, routerEvidence, type Estimated } from "./evidence-off-policy.ts"
import { ours } from "./ours.ts"
import { run } from "./run.ts"
import { createWorld } from "./world.ts"

const world = createWorld({ name: "calibrated", volume: 20_000, seed: 1 })
const holds = ({ report, truth }: Estimated): boolean => {
  const { approval } = report.estimates
  if (approval.kind === "cannot_tell") return assert.fail(approval.why)
  return approval.targetInterval.low <= truth && truth <= approval.targetInterval.high
}

test("a split's log tells of every other split and rule, and mostly holds the truth", () => {
  const all = Array.from({ length: 12 }, (_, draw) => drawnEvidence(world, "split", draw)).flat()
  assert.equal(all.length, 36)
  // 95 % of them; fewer than 30 of 36 would be a chance of one in thousands.
  assert.ok(all.filter(holds).length >= 30)
})

test("the router's log says that it cannot tell what it never tried", () => {
  const all = routerEvidence(world)
  for (const { draft, report, truth, logged } of all) {
    const { approval } = report.estimates
    if (draft === "network") assert.ok(approval.kind === "cannot_tell" && approval.why === "never_logged")
    assert.ok(Math.abs(truth - logged) <= report.overlap.moved + 1e-9, "the bounds hold whatever is told")
  }
})

test("a candidate that loses five points is stopped, and one that loses none is not", () => {
  const long = createWorld({ name: "calibrated", volume: 40_000, seed: 2 })
  const after = stagedRun(long, { share: 0.5, harm: 5, margin: 0.005 }, 1)
  assert.ok(after !== undefined && after < 20_000)
  assert.equal(stagedRun(long, { share: 0.5, harm: 0, margin: 0.005 }, 1), undefined)
})

test("a promise of volume is kept by the end of its period", () => {
  const free = run(world, ours(world))
  const promised = promiseIn(world, free)
  const bound = run(world, ours(world, { commitments: commitmentsOf(world, promised) }))
  const { commitment_met: met, commitment_cost_bps: cost } = keptOf(world, promised, free, bound)
  assert.ok(met >= 0.995, `${met}`)
  assert.ok(Math.abs(cost) < 300)
})
