import assert from "node:assert/strict"
import { test } from "node:test"
import { armOf } from "./assignment.ts"
import { checkExperiment } from "./experiment-check.ts"
import {
  automaticStop,
  evolve,
  type Experiment,
  type ExperimentState,
  planned,
  resultsOf,
  type StopReason,
} from "./experiment.ts"
import { fixedChance } from "./fixed-chance.ts"
import { stagedPublish } from "./staged-publish.ts"

const experiment: Experiment = {
  salt: "spring",
  unit: "payment",
  arms: [
    { name: "today", share: 0.5, policyVersion: 3 },
    { name: "cheap", share: 0.25, policyVersion: 4 },
    { name: "quick", share: 0.25, policyVersion: 5 },
  ],
  decidedBy: "approval",
  guardrails: [
    { metric: "approval", margin: 0.005 },
    { metric: "latency", margin: 500 },
  ],
  alpha: 0.05,
  maxUnits: 1_000_000,
}
const started = (one: Experiment): ExperimentState => evolve(planned(one), { kind: "started", at: 1 })

/** Payments until it stops, or so many. */
function live(
  one: Experiment,
  seed: number,
  payments: number,
  outcome: (arm: number, die: () => number) => { readonly approval: number; readonly latency: number },
): { readonly state: ExperimentState; readonly stop: StopReason | undefined; readonly after: number } {
  const die = fixedChance(seed)
  let state = started(one)
  for (let n = 1; n <= payments; n++) {
    const arm = armOf(one.arms, one.salt, `pay_${seed}_${n}`)
    const { approval, latency } = outcome(arm, die)
    state = evolve(state, { kind: "assigned", arm })
    state = evolve(state, { kind: "measured", arm, metric: "approval", value: approval, first: true })
    state = evolve(state, { kind: "measured", arm, metric: "latency", value: latency, first: true })
    const stop = n % 100 === 0 ? automaticStop(state) : undefined
    if (stop !== undefined) return { state, stop, after: n }
  }
  return { state, stop: undefined, after: payments }
}

test("arms that do no harm run on, and say that there is no verdict yet", () => {
  const { state, stop } = live(experiment, 1, 4_000, (_arm, die) => ({
    approval: die() < 0.9 ? 1 : 0,
    latency: 700 + 300 * die(),
  }))
  assert.equal(stop, undefined)
  const { comparisons, arms, sampleRatio } = resultsOf(state)
  assert.deepEqual(
    comparisons.map(({ arm, metric, verdict }) => [arm, metric, verdict]),
    [
      ["cheap", "approval", "no_verdict"],
      ["cheap", "latency", "no_verdict"],
      ["quick", "approval", "no_verdict"],
      ["quick", "latency", "no_verdict"],
    ],
  )
  assert.equal(
    arms.reduce((sum, { units }) => sum + units, 0),
    4_000,
  )
  assert.equal(sampleRatio.isBroken, false)
  assert.equal(comparisons[1]?.isWithinMargin, true, "500 ms are certainly not lost")
})

test("an arm that declines more is stopped by its guardrail, which is named", () => {
  const { state, stop } = live(experiment, 2, 20_000, (arm, die) => ({
    approval: die() < (arm === 1 ? 0.8 : 0.9) ? 1 : 0,
    latency: 800,
  }))
  assert.ok(stop?.kind === "guardrail")
  assert.deepEqual([stop.arm, stop.metric], ["cheap", "approval"])
  assert.ok(stop.difference < -0.04 && stop.difference > -0.2)
  assert.equal(resultsOf(state).comparisons[0]?.verdict, "worse")
})

test("an arm that is slow is stopped for that, and the better one wins when a person says so", () => {
  const { state, stop } = live(experiment, 3, 20_000, (arm, die) => ({
    approval: die() < (arm === 2 ? 0.97 : 0.9) ? 1 : 0,
    latency: arm === 1 ? 2_500 + 500 * die() : 800,
  }))
  assert.ok(stop?.kind === "guardrail")
  assert.deepEqual([stop.arm, stop.metric], ["cheap", "latency"])
  const stopped = evolve(state, { kind: "stopped", at: 5, reason: stop })
  assert.equal(automaticStop(stopped), undefined)
  const promoted = evolve(stopped, { kind: "promoted", at: 6, arm: 2, by: "Ada Lovelace" })
  assert.deepEqual([promoted.status, promoted.promoted], ["promoted", { at: 6, arm: "quick", by: "Ada Lovelace" }])
})

test("a broken split stops everything, whatever the arms' results", () => {
  const die = fixedChance(4)
  let state = started(experiment)
  for (let n = 0; n < 8_000; n++) {
    const arm = armOf(experiment.arms, experiment.salt, `pay_${n}`)
    // A third of one arm's payments never arrive.
    if (arm !== 2 || die() > 1 / 3) state = evolve(state, { kind: "assigned", arm })
  }
  assert.equal(automaticStop(state)?.kind, "sample_ratio")
})

test("it ends after its units, without a verdict it does not have", () => {
  const short = { ...experiment, maxUnits: 500 }
  const { stop } = live(short, 5, 1_000, (_arm, die) => ({ approval: die() < 0.9 ? 1 : 0, latency: 800 }))
  assert.deepEqual(stop, { kind: "max_units" })
})

test("only a unit's first payment is evidence; the others are counted", () => {
  let state = started(experiment)
  for (let n = 0; n < 50; n++)
    state = evolve(state, { kind: "measured", arm: 1, metric: "approval", value: 0, first: n === 0 })
  assert.deepEqual(state.repeats, [0, 49, 0])
  assert.equal(state.differences[0]?.approval?.n, 1)
})

test("events that cannot follow are refused, and outcomes may come after the end", () => {
  const fresh = planned(experiment)
  assert.throws(() => evolve(fresh, { kind: "assigned", arm: 0 }), /planned/)
  assert.throws(() => evolve(started(experiment), { kind: "promoted", at: 1, arm: 1, by: "Ada" }), /running/)
  const reason = { kind: "person", by: "Ada", note: "enough" } as const
  const stopped = evolve(started(experiment), { kind: "stopped", at: 2, reason })
  assert.throws(() => evolve(stopped, { kind: "assigned", arm: 0 }), /stopped/)
  const late = evolve(stopped, { kind: "measured", arm: 0, metric: "approval", value: 1, first: true })
  assert.equal(late.differences[0]?.approval?.control.n, 1)
})

test("guardrails of alike arms stop no more often than alpha, with looks all the way", () => {
  const alpha = 0.2
  const runs = 60
  let stops = 0
  const two = {
    ...stagedPublish({ salt: "v7", current: 6, candidate: 7, share: 0.2 }),
    alpha,
    guardrails: [
      { metric: "approval", margin: 0 },
      { metric: "latency", margin: 0 },
    ] as const,
  }
  for (let run = 0; run < runs; run++)
    if (
      live(two, 100 + run, 3_000, (_arm, die) => ({ approval: die() < 0.9 ? 1 : 0, latency: 700 + 300 * die() })).stop
    )
      stops += 1
  assert.ok(stops <= runs * alpha + 4 * Math.sqrt(runs * alpha * (1 - alpha)), `${stops} of ${runs}`)
})

test("what is wrong with a plan is told with its place", () => {
  const at = (plan: Partial<Experiment>) => checkExperiment({ ...experiment, ...plan }).map(({ at: place }) => place)
  assert.deepEqual(at({}), [])
  assert.deepEqual(at({ salt: "", alpha: 0, maxUnits: 0.5 }), ["/salt", "/alpha", "/max_units"])
  assert.deepEqual(at({ arms: [{ name: "a", share: 1, policyVersion: 1 }] }), ["/arms", "/arms/0/share"])
  assert.deepEqual(
    at({
      arms: [
        { name: "a", share: 0.5, policyVersion: 1 },
        { name: "a", share: 0.4, policyVersion: 2 },
      ],
    }),
    ["/arms/1/name", "/arms"],
  )
  assert.deepEqual(
    at({
      guardrails: [
        { metric: "approval", margin: 2 },
        { metric: "approval", margin: 0 },
      ],
    }),
    ["/guardrails/0/margin", "/guardrails/1/metric"],
  )
})
