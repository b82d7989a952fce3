import assert from "node:assert/strict"
import { test } from "node:test"
import { isId } from "../core/id.ts"
import type { Outcome } from "../core/outcome.ts"
import type { Attempt, Payment } from "../core/payment.ts"
import { stagedPublish } from "../routing/evidence.ts"
import { sampleAttempt, sampleId, sampleOperation, samplePayment } from "../storage/ledger/sample.ts"
import { KNOWN_EVERYWHERE_MS, lookAt, OUTCOME_WITHIN_MS, type Trial } from "./trial-look.ts"

const policy = sampleId("pol", 1)
const START = 1_000_000
const trial: Trial = {
  id: sampleId("trl", 1),
  kind: "publication",
  policy,
  mode: "test",
  startedAt: START,
  experiment: stagedPublish({ salt: "s", current: 3, candidate: 4, share: 0.05 }),
}
const by = (version: number, bps: number) => ({
  policy: { id: policy, version, hash: "h", share: { of: version === 4 ? "candidate" : "active", bps } },
})
const approved = { kind: "approved", effect: "captured", raw: { code: "ok" } } as unknown as Outcome
const declined = { kind: "declined", reason: "insufficient_funds", raw: { code: "51" } } as unknown as Outcome
const silent = { kind: "unknown", raw: { code: "timeout" } } as unknown as Outcome

function paid(attempts: readonly Partial<Attempt>[], change: Partial<Payment> = {}): Payment {
  const account = sampleId("acc", START)
  const made = attempts.map((one, index) =>
    sampleAttempt(account, START + index * 1_000, { ordinal: index + 1, decision: by(4, 500), ...one }),
  )
  return samplePayment(START, {
    attempts: made,
    operations: made.map((attempt) =>
      sampleOperation(attempt, { state: "succeeded", settledAt: attempt.startedAt + 400 }),
    ),
    ...change,
  })
}
const look = (payment: Payment, now = START + 60_000, arm = 1) => lookAt(payment, trial, arm, now, () => undefined)
const failed = { as: "failed", at: START + 2_000 } as const

test("an approval is final at once, with how long its customer waited over all attempts", () => {
  assert.deepEqual(look(paid([{ outcome: silent }, { outcome: approved }])), {
    kind: "final",
    values: { approval: 1, technical_failures: 1, latency: 1_400 },
  })
})

test("a payment that ended without money is not approved, and a soft decline is no technical failure", () => {
  assert.deepEqual(look(paid([{ outcome: declined }], { closed: failed })), {
    kind: "final",
    values: { approval: 0, technical_failures: 0, latency: 400 },
  })
})

test("what has no outcome in time counts as not approved", () => {
  const open = paid([{}], { operations: [] })
  assert.equal(look(open).kind, "open")
  assert.deepEqual(look(open, START + OUTCOME_WITHIN_MS), {
    kind: "final",
    values: { approval: 0, technical_failures: 0, latency: OUTCOME_WITHIN_MS },
  })
})

test("the waiting time of a payment with a challenge is its customer's own", () => {
  const seen = look(
    paid([{ outcome: approved, action: { kind: "redirect" } as unknown as NonNullable<Attempt["action"]> }]),
  )
  assert.deepEqual(seen, { kind: "final", values: { approval: 1, technical_failures: 0 } })
})

test("only payments that the version of their arm decided, by its share, are part of it", () => {
  const decided = (decision: unknown, arm = 1) =>
    look(paid([{ outcome: approved, decision }]), START + 60_000, arm).kind
  assert.equal(decided(by(4, 500)), "final")
  assert.equal(decided(by(3, 9_500), 0), "final")
  assert.equal(decided(by(3, 9_500)), "left_out", "this node did not know the candidate yet")
  assert.equal(decided(by(4, 1_000)), "left_out", "by another share")
  assert.equal(
    decided({ policy: { id: policy, version: 3, hash: "h" } }, 0),
    "left_out",
    "nothing was published beside it",
  )
  assert.equal(decided(undefined), "left_out")
  assert.ok(isId("pol", policy))
})

test("payments of the other mode, and those that name their account, are no part of it", () => {
  const payment = paid([{ outcome: approved }])
  assert.equal(look({ ...payment, mode: "live" }).kind, "left_out")
  assert.equal(look({ ...payment, intent: { ...payment.intent, pinnedAccount: sampleId("acc", 1) } }).kind, "left_out")
})

test("a payment that its policy sends nowhere is not approved, once every node knows the version", () => {
  const nowhere = (reason: string, at: number): Payment =>
    samplePayment(START, {
      attempts: [],
      operations: [],
      closed: { as: "failed", at },
      failure: { reason } as NonNullable<Payment["failure"]>,
    })
  const late = START + KNOWN_EVERYWHERE_MS
  assert.deepEqual(look(nowhere("declined_by_policy", late)), {
    kind: "final",
    values: { approval: 0, technical_failures: 0 },
  })
  assert.equal(look(nowhere("no_eligible_account", late)).kind, "final")
  assert.equal(look(nowhere("declined_by_policy", late - 1)).kind, "left_out")
  assert.equal(look(nowhere("canceled", late)).kind, "left_out")
  assert.equal(look(samplePayment(START, { attempts: [], operations: [] })).kind, "undecided")
})
