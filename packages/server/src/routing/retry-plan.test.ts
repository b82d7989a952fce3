import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import fc from "fast-check"
import type { AttemptShape } from "../core/attempt-shape.ts"
import { type DeclineCategory, declineCategories, type DeclineReason } from "../core/decline.ts"
import { readRetryPlan, retryPlanToJson } from "./retry-plan-json.ts"
import {
  MAX_DELAY_SECONDS,
  MAX_RETRIES,
  MAX_RETRY_STEPS,
  plainRetryPlan,
  planOf,
  type RetryPlan,
  type RetryStep,
} from "./retry-plan.ts"

const example = {
  max_retries: 3,
  steps: [
    {
      name: "gateway down",
      on: { not_executed: true, categories: ["provider_technical", "network_technical"] },
      times: 2,
      provider: "other",
      avoid_above: { at_least_bps: 2000, window_seconds: 60, minimum_attempts: 20 },
    },
    {
      name: "step up",
      on: { reasons: ["authentication_required"] },
      initiator: "customer",
      times: 1,
      provider: "same",
      shape: { three_ds: "required" },
    },
    {
      name: "payday",
      on: { categories: ["insufficient_funds"] },
      initiator: "merchant",
      times: 3,
      provider: "any",
      delay_seconds: [86_400, 259_200],
      shape: { credential: "network_token", merchant_initiated: true, descriptor: "SHOP*RENEWAL" },
    },
  ],
}

test("an example is read as it stands", () => {
  const read = readRetryPlan(example)
  assert.ok(read.kind === "plan")
  assert.equal(read.plan.maxRetries, 3)
  assert.deepEqual(read.plan.steps[2], {
    name: "payday",
    on: { categories: ["insufficient_funds"] },
    initiator: "merchant",
    times: 3,
    provider: "any",
    delaySeconds: [86_400, 259_200],
    shape: { credential: "network_token", merchantInitiated: true, descriptor: "SHOP*RENEWAL" },
  })
})

test("the example of the page on retries is read", () => {
  const page = readFileSync(new URL("../../../../docs/retries.md", import.meta.url), "utf8")
  const json: unknown = JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? assert.fail("no example"))
  const read = readRetryPlan(json)
  assert.ok(read.kind === "plan", JSON.stringify(read))
  assert.equal(read.plan.steps.length, 3)
})

const anyShape: fc.Arbitrary<AttemptShape> = fc.record(
  {
    credential: fc.constantFrom("card" as const, "network_token" as const),
    threeDs: fc.constant("none" as const),
    merchantInitiated: fc.constant(true as const),
    descriptor: fc.constant("SHOP"),
    updatedAccount: fc.constant(true as const),
  },
  { requiredKeys: [], noNullPrototype: true },
)
const anyRate = fc.record(
  {
    atLeastBps: fc.integer({ min: 1, max: 10_000 }),
    windowSeconds: fc.integer({ min: 1, max: 3600 }),
    minimumAttempts: fc.integer({ min: 1, max: 1000 }),
  },
  { noNullPrototype: true },
)
const anyStep: fc.Arbitrary<Omit<RetryStep, "name">> = fc.record(
  {
    on: fc.constantFrom<RetryStep["on"]>(
      { notExecuted: true },
      { categories: ["fraud", "limit"] },
      { reasons: ["do_not_honor"], notExecuted: true },
    ),
    initiator: fc.constant("merchant" as const),
    times: fc.integer({ min: 1, max: MAX_RETRIES }),
    provider: fc.constantFrom("same" as const, "other" as const, "any" as const),
    delaySeconds: fc.array(fc.integer({ min: 0, max: MAX_DELAY_SECONDS }), { maxLength: 5 }),
    shape: anyShape,
    onlyAbove: anyRate,
    avoidAbove: anyRate,
  },
  { requiredKeys: ["on", "times", "provider", "delaySeconds", "shape"], noNullPrototype: true },
)
const anyPlan: fc.Arbitrary<RetryPlan> = fc.record(
  {
    maxRetries: fc.integer({ min: 0, max: MAX_RETRIES }),
    steps: fc
      .array(anyStep, { maxLength: MAX_RETRY_STEPS })
      .map((steps) => steps.map((step, index) => ({ name: `step ${index}`, ...step }))),
  },
  { noNullPrototype: true },
)

test("what is written reads back as it was", () => {
  fc.assert(
    fc.property(anyPlan, (plan) => {
      const json: unknown = JSON.parse(JSON.stringify(retryPlanToJson(plan)))
      assert.deepEqual(readRetryPlan(json), { kind: "plan", plan })
    }),
  )
  const plain = { ...plainRetryPlan, steps: plainRetryPlan.steps.map((step) => ({ ...step, name: "anywhere" })) }
  assert.deepEqual(readRetryPlan(retryPlanToJson(plain)), { kind: "plan", plan: plain })
})

test("every problem is told with its place", () => {
  const read = readRetryPlan({
    max_retries: 99,
    step: [],
    steps: [
      { ...example.steps[0], tmies: 3, times: 0 },
      { ...example.steps[1], on: {}, shape: { three_ds: "required", merchant_initiated: true } },
      { ...example.steps[2], on: { reasons: ["because"] }, delay_seconds: [1.5], name: "gateway down" },
      {
        ...example.steps[0],
        name: "x",
        on: { categories: [] },
        shape: { descriptor: "D".repeat(23), merchant_initiated: false },
      },
      "nothing",
    ],
  })
  assert.ok(read.kind === "broken")
  assert.deepEqual(
    read.problems.map(({ at }) => at),
    [
      "/step",
      "/max_retries",
      "/steps/0/tmies",
      "/steps/0/times",
      "/steps/1/on",
      "/steps/1/shape/three_ds",
      "/steps/1/shape/merchant_initiated",
      "/steps/2/on/reasons/0",
      "/steps/2/delay_seconds/0",
      "/steps/3/on/categories",
      "/steps/3/shape/merchant_initiated",
      "/steps/3/shape/descriptor",
      "/steps/4",
    ],
  )
  for (const { detail } of read.problems) assert.match(detail, /^(is|has|names|cannot|contradicts) /)
})

test("two steps of one name and more steps than a plan may have are refused", () => {
  const [step] = example.steps
  const twice = readRetryPlan({ max_retries: 1, steps: [step, step] })
  assert.deepEqual(twice.kind === "broken" ? twice.problems.map(({ at }) => at) : [], ["/steps/1/name"])
  const many = Array.from({ length: MAX_RETRY_STEPS + 1 }, (_, index) => ({ ...step, name: `s${index}` }))
  assert.equal(readRetryPlan({ max_retries: 1, steps: many }).kind, "broken")
  assert.equal(readRetryPlan({ max_retries: 1, steps: many.slice(1) }).kind, "plan")
  assert.equal(readRetryPlan(null).kind, "broken")
})

test("the plain plan is for every end of an attempt", () => {
  const [step] = plainRetryPlan.steps
  assert.deepEqual(new Set<DeclineCategory>(step?.on.categories), new Set(Object.keys(declineCategories)))
  assert.equal(step?.on.notExecuted, true)
  const none: readonly DeclineReason[] | undefined = step.on.reasons
  assert.equal(none, undefined)
})

test("a plan that says nothing of attempts that came to nothing goes on to the next account, for whomever it leaves out", () => {
  const [elsewhere] = plainRetryPlan.steps
  const step = (on: RetryStep["on"], initiator?: "customer" | "merchant"): RetryStep => ({
    ...elsewhere!,
    name: "mine",
    on,
    ...(initiator === undefined ? {} : { initiator }),
  })
  const added = (...steps: readonly RetryStep[]): readonly RetryStep[] =>
    planOf({ maxRetries: 2, steps }).steps.slice(steps.length)
  const failover = { ...elsewhere, on: { notExecuted: true } }
  assert.deepEqual(added(), [failover])
  assert.deepEqual(added(step({ categories: ["insufficient_funds"] })), [failover])
  assert.deepEqual(added(step({ notExecuted: true }, "merchant")), [{ ...failover, initiator: "customer" }])
  assert.deepEqual(added(step({ notExecuted: true })), [])
  assert.equal(planOf({ maxRetries: 2, steps: [] }).maxRetries, 2)
  assert.equal(planOf(undefined), plainRetryPlan)
})

test("no step of a plan is named like those that no plan writes", () => {
  for (const name of ["(default)", "reverse_then_reroute"]) {
    const read = readRetryPlan({ max_retries: 1, steps: [{ ...example.steps[0], name }] })
    assert.deepEqual(read.kind === "broken" ? read.problems.map(({ at }) => at) : [], ["/steps/0/name"])
  }
})
