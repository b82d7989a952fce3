// Payments and commits as the tests of both stores need them: valid in shape, awkward in content.

import { idPrefixes, makeId, type AccountId, type Id, type IdPrefix, type MerchantId } from "../../core/id.ts"
import type { Currency } from "../../core/money.ts"
import type { Attempt, Operation, Payment } from "../../core/payment.ts"
import type { Commit, IdempotencyRow, InboundWebhook, OutboxEvent, SealedCard, Transcript } from "./ledger.ts"

/** Strings that bend or break in careless stores. */
export const AWKWARD = "Zoë 🙂 \0 \ud800 $bigint \\u0000 ' \" ; drop"

/** A lease that surely outlives a test, and one that surely does not outlive twice its time. */
export const LONG_MS = 600_000
export const BRIEF_MS = 30

let counter = 0

/** A new id; the count of calls stands in for chance, so that a run can be repeated. */
export function sampleId<P extends IdPrefix>(prefix: P, nowMs: number): Id<P> {
  counter += 1
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setUint32(12, counter)
  return makeId(prefix, nowMs, bytes)
}

export function sampleOperation(attempt: Attempt, change: Partial<Operation> = {}): Operation {
  const id = sampleId("op", attempt.startedAt)
  return {
    id,
    attempt: attempt.id,
    kind: "authorize",
    state: "sent",
    amount: 1_250n,
    key: id,
    round: 1,
    final: false,
    createdAt: attempt.startedAt,
    sentAt: attempt.startedAt,
    deadline: attempt.startedAt + 80_000,
    checkAt: attempt.startedAt + 80_000,
    owner: "node-1",
    checks: 0,
    origin: "engine",
    needsPerson: false,
    ...change,
  }
}

export function sampleAttempt(account: AccountId, now: number, change: Partial<Attempt> = {}): Attempt {
  return {
    id: sampleId("att", now),
    ordinal: 1,
    account,
    connector: "stripe",
    state: "open",
    startedAt: now,
    authorized: 0n,
    captured: 0n,
    refunded: 0n,
    released: false,
    evidence: {},
    decision: {
      policy: "pol_1",
      version: 3,
      candidates: [{ account, score: 0.25, cost: 30n }],
      dice: 0.1,
      why: undefined,
    },
    ...change,
  }
}

/** A customer's card payment with one attempt that was just sent. */
export function samplePayment(now: number, change: Partial<Payment> = {}): Payment {
  const merchant = change.merchant ?? sampleId("mer", now)
  const attempt = sampleAttempt(sampleId("acc", now), now)
  return {
    id: sampleId("pay", now),
    merchant,
    mode: "test",
    version: 1,
    intent: {
      amount: { minor: 1_250n, currency: "EUR" as Currency },
      capture: "automatic",
      method: {
        type: "card",
        token: sampleId("tok", now),
        network: "visa",
        bin: "424242",
        last4: "4242",
        expiryMonth: 12,
        expiryYear: 2031,
        holderName: AWKWARD,
        fingerprint: "f1",
      },
      store: false,
      initiator: { by: "customer", stored: "none" },
      threeDs: { mode: "automatic" },
      allowPartial: false,
      answerWithinMs: 25_000,
      merchantReference: "order-1",
      customer: { email: "zoe@example.com", name: AWKWARD },
      metadata: { note: AWKWARD, $bigint: "7", order: "1" },
    },
    requested: 1_250n,
    attempts: [attempt],
    operations: [sampleOperation(attempt)],
    disputes: [],
    plan: { state: "running", answerBy: now + 25_000, owner: "node-1" },
    createdAt: now,
    updatedAt: now,
    ...change,
  }
}

export function sampleEvent(payment: Payment, now: number, change: Partial<OutboxEvent> = {}): OutboxEvent {
  return {
    id: sampleId("evt", now),
    merchant: payment.merchant,
    payment: payment.id,
    sequence: payment.version,
    type: "payment.created",
    data: { status: "processing", amounts: { requested: "1250" }, note: AWKWARD },
    at: now,
    ...change,
  }
}

/** The commit that inserts this payment whole, with one event. */
export function inserting(payment: Payment, change: Partial<Commit> = {}): Commit {
  return {
    payment,
    expected: payment.version - 1,
    attempts: payment.attempts,
    operations: payment.operations,
    wakeAt: payment.createdAt + 80_000,
    events: [sampleEvent(payment, payment.createdAt)],
    ...change,
  }
}

/** The commit that changes `before` by `edit` and moves its version; attempts and operations are compared by identity. */
export function changing(before: Payment, edit: Partial<Payment>, change: Partial<Commit> = {}): Commit {
  const payment: Payment = { ...before, ...edit, version: before.version + 1 }
  return {
    payment,
    expected: before.version,
    attempts: payment.attempts.filter((a) => !before.attempts.includes(a)),
    operations: payment.operations.filter((o) => !before.operations.includes(o)),
    wakeAt: undefined,
    events: [sampleEvent(payment, payment.updatedAt, { type: "payment.changed" })],
    ...change,
  }
}

export function sampleKey(payment: Payment, key: string, change: Partial<IdempotencyRow> = {}): IdempotencyRow {
  return {
    merchant: payment.merchant,
    mode: payment.mode,
    method: "POST",
    path: "/v1/payments",
    key,
    fingerprint: "hash-of-the-body",
    payment: payment.id,
    leaseUntil: payment.createdAt + 30_000,
    ...change,
  }
}

export function sampleCard(payment: Payment, now: number): SealedCard {
  return {
    id: sampleId("tok", now),
    merchant: payment.merchant,
    fingerprint: "f1",
    keyId: "key-1",
    sealed: Uint8Array.of(0, 255, 1, 254),
    payment: payment.id,
  }
}

export function sampleTranscript(payment: Payment, now: number): Transcript {
  const [attempt] = payment.attempts
  const [operation] = payment.operations
  if (attempt === undefined || operation === undefined) throw new Error("the sample has no attempt")
  return {
    operation: operation.id,
    attempt: attempt.id,
    account: attempt.account,
    at: now,
    durationMs: 123,
    request: { method: "POST", path: "/v1/charges", body: AWKWARD },
    response: { status: 200, body: AWKWARD },
  }
}

export function sampleInbound(
  merchant: MerchantId,
  account: AccountId,
  deduplication: string,
  now: number,
): InboundWebhook {
  return {
    id: sampleId(idPrefixes.inboundWebhook, now),
    merchant,
    account,
    deduplication,
    headers: { "x-signature": "abc", "user-agent": "Zoë" },
    body: '{"id":"evt_1","note":"🙂"}',
    receivedAt: now,
    tries: 0,
  }
}
