import assert from "node:assert/strict"
import { test } from "node:test"
import { evolve } from "../core/evolve.ts"
import type { Outcome } from "../core/outcome.ts"
import type { Payment } from "../core/payment.ts"
import { isAbove } from "../routing/retry-target.ts"
import { samplePayment } from "../storage/ledger/sample.ts"
import { BUCKET_SECONDS, createErrorRates } from "./error-rates.ts"

const raw = { code: "x" }
const bare = (kind: "unknown" | "pending" | "not_sent"): Outcome => ({ kind, raw, evidence: {} })
const approved: Outcome = { kind: "approved", effect: "authorized", amount: 1_250n, raw, evidence: {} }
const declined = (reason: "do_not_honor" | "provider_error"): Outcome => ({
  kind: "declined",
  reason,
  raw,
  evidence: {},
})

const told = (payment: Payment, outcome: Outcome): Payment =>
  evolve(payment, {
    type: "operation_settled",
    operation: payment.operations[0]!.id,
    outcome,
    checkAt: 2_000,
    correction: false,
    at: 2_000,
  })

function counter() {
  const clock = { at: 1_000_000_000_000, now: () => clock.at }
  const rates = createErrorRates(clock)
  const attempt = (...outcomes: readonly Outcome[]): void => {
    let payment = samplePayment(1_000)
    rates.note(undefined, payment)
    for (const outcome of outcomes) {
      const next = told(payment, outcome)
      rates.note(payment, next)
      payment = next
    }
  }
  const seen = (windowSeconds: number) => rates.observed("test", [windowSeconds])["stripe"]?.[0]
  return { clock, rates, attempt, seen }
}

test("an attempt counts once, by the first that is said of it, and technical failures are told from declines", () => {
  const { attempt, seen } = counter()
  attempt(approved)
  attempt(declined("do_not_honor"))
  attempt(declined("provider_error"))
  attempt(bare("not_sent"))
  attempt(bare("unknown"), approved)
  assert.deepEqual(seen(60), { windowSeconds: 60, attempts: 5, technicalFailures: 3 })
})

test("what is pending says nothing", () => {
  const { attempt, seen } = counter()
  attempt(bare("pending"))
  assert.equal(seen(60), undefined)
})

test("an attempt leaves the window, and the memory ends after the longest one", () => {
  const { clock, attempt, seen } = counter()
  attempt(bare("unknown"))
  clock.at += 60_000 + BUCKET_SECONDS * 1_000
  attempt(approved)
  assert.deepEqual(seen(60), { windowSeconds: 60, attempts: 1, technicalFailures: 0 })
  assert.deepEqual(seen(3_600), { windowSeconds: 3_600, attempts: 2, technicalFailures: 1 })
  clock.at += 86_400_000
  attempt(approved)
  assert.deepEqual(seen(86_400), { windowSeconds: 86_400, attempts: 1, technicalFailures: 0 })
})

test("a plan's step finds the rate of the window that it asks for", () => {
  const { attempt, rates } = counter()
  for (let i = 0; i < 5; i++) attempt(bare("not_sent"))
  const asked = { atLeastBps: 9_000, windowSeconds: 45, minimumAttempts: 5 }
  assert.equal(isAbove(asked, rates.observed("test", [45])["stripe"]), true)
  assert.equal(isAbove(asked, rates.observed("test", [60])["stripe"]), false)
  assert.deepEqual(rates.observed("test", []), {})
})

test("neither tests say anything of live payments, nor what never left for reasons of our own", () => {
  const { attempt, rates, seen } = counter()
  attempt({ kind: "not_sent", raw: { code: "TOO_LATE" }, evidence: {} })
  assert.equal(seen(60), undefined)
  attempt(bare("not_sent"))
  assert.equal(seen(60)?.technicalFailures, 1)
  assert.deepEqual(rates.observed("live", [60]), {})
})
