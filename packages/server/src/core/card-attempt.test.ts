import assert from "node:assert/strict"
import { test } from "node:test"
import { cardAttemptOf, cardAttemptsOf, resultAfter, type AttemptResult } from "./card-attempt.ts"
import { evolve } from "./evolve.ts"
import type { Outcome } from "./outcome.ts"
import type { Payment } from "./payment.ts"
import { samplePayment } from "../storage/ledger/sample.ts"

const raw = { code: "x", networkCode: "51", adviceCode: "02" }
const bare = (kind: "pending" | "unknown" | "not_sent" | "absent"): Outcome => ({ kind, raw, evidence: {} })
const rejected = (executed: "no" | "unknown"): Outcome => ({
  kind: "rejected",
  fault: "theirs",
  executed,
  reason: "rate_limited",
  raw,
  evidence: {},
})
const declined: Outcome = { kind: "declined", reason: "insufficient_funds", raw, evidence: {} }
const approved: Outcome = { kind: "approved", effect: "authorized", amount: 1_250n, raw, evidence: {} }

test("each kind of outcome says what it means for the budget", () => {
  assert.equal(resultAfter(declined, undefined), "declined")
  assert.equal(resultAfter(bare("unknown"), undefined), "unknown")
  assert.equal(resultAfter(rejected("unknown"), undefined), "unknown")
  for (const outcome of [approved, bare("not_sent"), bare("absent"), rejected("no")]) {
    assert.equal(resultAfter(outcome, undefined), undefined, outcome.kind)
    assert.equal(resultAfter(outcome, "unknown"), "none", outcome.kind)
  }
  assert.equal(resultAfter(bare("pending"), "unknown"), undefined)
  assert.equal(resultAfter(declined, "unknown"), "declined")
  assert.equal(resultAfter(declined, "none"), "declined")
  for (const outcome of [approved, bare("unknown"), bare("absent"), declined])
    assert.equal(resultAfter(outcome, "declined"), undefined, outcome.kind)
})

const told = (payment: Payment, outcome: Outcome, at: number, correction = false): Payment =>
  evolve(payment, {
    type: "operation_settled",
    operation: payment.operations[0]!.id,
    outcome,
    checkAt: at,
    correction,
    at,
  })

test("an attempt is one row of the time at which it was sent, whatever becomes of it and whenever", () => {
  const sent = samplePayment(1_000)
  assert.deepEqual(cardAttemptsOf(undefined, sent), [])
  const steps: readonly (readonly [Outcome, AttemptResult | undefined])[] = [
    [bare("unknown"), "unknown"],
    [bare("pending"), undefined],
    [declined, "declined"],
  ]
  let payment = sent
  for (const [index, [outcome, result]] of steps.entries()) {
    const next = told(payment, outcome, 2_000 + index)
    const rows = cardAttemptsOf(payment, next)
    assert.deepEqual(
      rows.map((row) => [row.id, row.at, row.result]),
      result === undefined ? [] : [[sent.attempts[0]!.id, 1_000, result]],
    )
    payment = next
  }
  assert.deepEqual(cardAttemptOf(payment, payment.attempts[0]!), {
    id: sent.attempts[0]!.id,
    at: 1_000,
    account: sent.attempts[0]!.account,
    amount: { minor: 1_250n, currency: "EUR" },
    initiator: "customer",
    result: "declined",
    networkCode: "51",
    adviceCode: "02",
    reason: "insufficient_funds",
  })
})

test("an approval writes nothing, unless it takes back an unknown", () => {
  const sent = samplePayment(1_000)
  assert.deepEqual(cardAttemptsOf(sent, told(sent, approved, 2_000)), [])
  const unknown = told(sent, bare("unknown"), 2_000)
  assert.deepEqual(
    cardAttemptsOf(unknown, told(unknown, approved, 3_000)).map((row) => row.result),
    ["none"],
  )
})

test("a decline that turns out to be an approval stays counted: the scheme saw it", () => {
  const refused = told(samplePayment(1_000), declined, 2_000)
  const after = told(refused, approved, 3_000, true)
  assert.equal(after.attempts[0]?.state, "held")
  assert.deepEqual(cardAttemptsOf(refused, after), [])
})

test("what was only prepared has come to no scheme, and codes that are no scheme's are not kept", () => {
  const sample = samplePayment(1_000)
  const prepared = { ...sample, operations: [{ ...sample.operations[0]!, kind: "prepare" as const }] }
  assert.deepEqual(cardAttemptsOf(prepared, told(prepared, bare("unknown"), 2_000)), [])
  const worded = told(sample, { ...declined, raw: { code: "x", networkCode: "insufficient_funds" } }, 2_000)
  assert.equal(cardAttemptsOf(sample, worded)[0]?.networkCode, undefined)
})
