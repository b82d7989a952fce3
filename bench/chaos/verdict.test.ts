// The verdict itself: on a run in which all is well it says nothing, and each thing that may go wrong is named.

import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { test } from "node:test"
import type { TrueCharge } from "@orchestra/simulator"
import type { AccountId, AttemptId, MerchantId, OperationId, PaymentId } from "../../packages/server/src/core/id.ts"
import { money, type Currency } from "../../packages/server/src/core/money.ts"
import type { Attempt, Operation, Payment } from "../../packages/server/src/core/payment.ts"
import type { Facts, StoredEvent } from "./facts.ts"
import { openJournal, type Acknowledged, type Wish } from "./journal.ts"
import { problemOf, type Received } from "./receiver.ts"
import { judge, summarize } from "./verdict.ts"

const id = "pay_1" as PaymentId
const standingId = "att_2" as AttemptId

const attempt: Attempt = {
  id: standingId,
  ordinal: 2,
  account: "acc_1" as AccountId,
  connector: "stripe",
  state: "held",
  startedAt: 0,
  reference: "pi_2",
  authorized: 1_000n,
  captured: 1_000n,
  refunded: 400n,
  released: true,
  evidence: {},
  decision: undefined,
}
const reversed: Attempt = {
  ...attempt,
  id: "att_1" as AttemptId,
  ordinal: 1,
  state: "reversed",
  reference: "pi_1",
  captured: 0n,
  refunded: 0n,
}
const refund: Operation = {
  id: "op_1" as OperationId,
  attempt: standingId,
  kind: "refund",
  state: "succeeded",
  amount: 400n,
  key: "op_1",
  round: 0,
  final: false,
  createdAt: 0,
  checks: 0,
  origin: "merchant",
  reason: "refund-7-1",
  needsPerson: false,
}
const payment: Payment = {
  id,
  merchant: "mer_1" as MerchantId,
  mode: "test",
  version: 3,
  intent: {
    amount: money(1_000n, "EUR" as Currency),
    capture: "automatic",
    store: false,
    initiator: { by: "customer", stored: "none" },
    threeDs: { mode: "none" },
    allowPartial: false,
    answerWithinMs: 25_000,
    metadata: { order: "7" },
  },
  requested: 1_000n,
  attempts: [reversed, attempt],
  operations: [refund],
  disputes: [],
  plan: { state: "over" },
  createdAt: 0,
  updatedAt: 0,
}
const charge: TrueCharge = {
  account: "stripe_1",
  reference: "pi_2",
  merchantReference: standingId,
  currency: "EUR",
  createdAt: 0,
  state: "captured",
  authorized: 1_000n,
  captured: 1_000n,
  refunded: 400n,
  disputed: 0n,
  held: 600n,
  capturePending: 0n,
  refundPending: 0n,
}
const voided: TrueCharge = {
  ...charge,
  reference: "pi_1",
  merchantReference: "att_1",
  state: "voided",
  captured: 0n,
  refunded: 0n,
  held: 0n,
}
const event = (sequence: number, type: string, status: string, refunded = "0"): StoredEvent => ({
  id: `evt_${sequence}_${type}`,
  payment: id,
  sequence,
  type,
  status,
  amounts: {
    authorized: status === "processing" ? "0" : "1000",
    captured: status === "captured" ? "1000" : "0",
    refunded,
  },
})
const events = [
  event(1, "payment.processing", "processing"),
  event(2, "payment.captured", "captured"),
  event(3, "refund.succeeded", "captured", "400"),
]
const told = (event: StoredEvent): Received => ({ ...event, digest: "", copies: 1 })
const acknowledged: Acknowledged = {
  order: 7,
  what: "create",
  key: "order-7",
  server: "1",
  payment: id,
  version: 2,
  status: "captured",
  amounts: { requested: 1_000, authorized: 1_000, captured: 1_000, refunded: 0, capturing: 0, refunding: 0 },
}
const wish: Wish = {
  order: 7,
  what: "refund",
  key: "refund-7-1",
  path: `/v1/payments/${id}/refund`,
  amount: 400,
  outcome: "acknowledged",
  payment: id,
  payments: new Set([id]),
}
const keys = [
  { path: "/v1/payments", key: "order-7", payment: id },
  { path: `/v1/payments/${id}/refund`, key: "refund-7-1", payment: id },
]

const facts = (change: Partial<Facts> = {}): Facts => ({
  payments: [payment],
  charges: [voided, charge],
  events,
  keys,
  journal: { ...openJournal(), acknowledged: [acknowledged], wishes: [wish] },
  received: new Map(events.map((each) => [each.id, told(each)])),
  incidents: [],
  ...change,
})
const judged = (change: Partial<Facts>): readonly string[] =>
  judge(facts(change)).map(({ kind, payment: about, what }) => `${kind} ${about ?? "-"} ${what}`)
const answered = (change: Partial<Acknowledged>): Partial<Facts> => ({
  journal: { ...openJournal(), acknowledged: [{ ...acknowledged, ...change }] },
})
const only = (found: readonly string[], pattern: RegExp): void => {
  assert.equal(found.length, 1, found.join("\n"))
  assert.match(found[0] ?? "", pattern)
}

test("finds nothing where books, answers and webhooks agree with the truth", () => {
  assert.deepEqual(judged({}), [])
  assert.deepEqual(summarize([]), { double_charges: 0, lost: 0, unsettled: 0 })
})

test("finds a charge that does not stand and holds money, and that the cardholder is charged twice", () => {
  const found = judged({ charges: [{ ...voided, state: "authorized", held: 1_000n }, charge] })
  assert.equal(found.length, 2)
  assert.match(found[0] ?? "", /^double_charge pay_1 the cardholder is charged 2 times/)
  assert.match(found[1] ?? "", /^double_charge pay_1 is captured, and yet stripe_1 pi_1 of att_1/)
})

test("finds a second charge of the attempt that stands", () => {
  const found = judged({ charges: [charge, { ...charge, reference: "pi_3" }] })
  assert.ok(found.some((each) => each.startsWith("double_charge pay_1 the cardholder is charged 2 times")))
})

test("finds money that is taken for an attempt that nobody knows", () => {
  only(judged({ charges: [voided, charge, { ...charge, merchantReference: "att_9" }] }), /^double_charge - .*att_9/)
})

test("finds amounts that differ by one unit, in either direction", () => {
  const more = judged({ charges: [voided, { ...charge, refunded: 399n, held: 601n }] })
  assert.ok(more.some((each) => each.startsWith("double_charge pay_1 refunded: 400 in our books, 399")))
  const less = judged({ charges: [voided, { ...charge, authorized: 1_001n, captured: 999n, held: 599n }] })
  assert.ok(less.some((each) => each.startsWith("lost pay_1 captured: 1000 in our books, 999")))
  assert.ok(less.some((each) => each.startsWith("double_charge pay_1 authorized: 1000 in our books, 1001")))
})

test("finds a payment that stands without a charge at any provider", () => {
  only(judged({ charges: [voided] }), /^lost pay_1 is captured, and no provider has a charge of att_2/)
})

test("finds what is still open, here or at the provider", () => {
  const open: Operation = { ...refund, state: "pending" }
  const found = judged({ payments: [{ ...payment, operations: [open] }] })
  only(found, /^unsettled pay_1 is captured with op_1 refund pending/)
  only(judged({ charges: [voided, { ...charge, refundPending: 5n }] }), /^unsettled pay_1 .*5 to refund/)
})

test("finds an acknowledged payment that is not stored", () => {
  const found = judged({ ...answered({ payment: "pay_gone" }) })
  only(found, /^lost pay_gone 1 answered create with captured at version 2, and the payment does not exist/)
})

test("finds answers that were not true at their version", () => {
  only(judged(answered({ status: "authorized" })), /^lost pay_1 .*but it was captured since version 2/)
  only(
    judged(answered({ amounts: { ...acknowledged.amounts, refunded: 1 } })),
    /^lost pay_1 .*1 refunded, but it was 0/,
  )
  only(judged(answered({ version: 9, amounts: { ...acknowledged.amounts, refunded: 400 } })), /stored version is 3/)
})

test("finds a paid answer whose payment ended unpaid, unless an event says why", () => {
  const failed: Payment = {
    ...payment,
    attempts: [reversed, { ...attempt, state: "reversed" }],
    closed: { as: "failed", at: 1 },
  }
  const end = [...events.slice(0, 2), { ...event(3, "payment.failed", "failed"), amounts: {} }]
  const run = (more: readonly StoredEvent[]): readonly string[] => {
    const all = [...end, ...more]
    const received = new Map(all.map((each) => [each.id, told(each)]))
    const gone = { ...charge, state: "voided", captured: 0n, refunded: 0n, held: 0n } as const
    return judged({
      ...answered({}),
      payments: [{ ...failed, operations: [] }],
      keys: keys.slice(0, 1),
      events: all,
      received,
      charges: [gone],
    })
  }
  only(run([]), /^lost pay_1 1 answered create with captured at version 2; now it is failed, and no event says why/)
  assert.deepEqual(run([{ ...event(3, "payment.corrected", "failed"), amounts: {} }]), [])
})

test("finds a key that made two payments, an order with two, and a refund that was made twice or never", () => {
  const two = { ...wish, payments: new Set([id, "pay_2"]) }
  only(judged({ journal: { ...openJournal(), wishes: [two] } }), /^double_charge pay_1 key refund-7-1 made/)
  const twin = {
    ...payment,
    id: "pay_2" as PaymentId,
    attempts: [],
    operations: [],
    closed: { as: "failed", at: 1 } as const,
  }
  assert.ok(judged({ payments: [payment, twin] }).includes("double_charge pay_1 order 7 has 2 payments"))
  const twice = judged({ payments: [{ ...payment, operations: [refund, { ...refund, id: "op_2" as OperationId }] }] })
  assert.ok(twice.includes("double_charge pay_1 refund-7-1 was acknowledged and made 2 refunds"))
  assert.ok(twice.includes("double_charge pay_1 1 keys were taken for refund, 2 made"))
  const never = judged({ payments: [{ ...payment, operations: [] }] })
  assert.ok(never.includes("lost pay_1 refund-7-1 was acknowledged and made 0 refunds"))
})

test("finds an acknowledged cancellation whose payment stands", () => {
  const cancel: Wish = { ...wish, what: "cancel", key: "cancel-7" }
  only(judged({ journal: { ...openJournal(), wishes: [cancel] } }), /^double_charge pay_1 cancel-7 was acknowledged/)
})

test("excuses a cancellation that a capture by hand overtook, only where the merchant was told", () => {
  const cancel: Wish = { ...wish, what: "cancel", key: "cancel-7" }
  const byHand = { ...refund, id: "op_9" as OperationId, kind: "capture", origin: "provider" } as const
  const run = (payments: readonly Payment[], more: readonly StoredEvent[]): readonly string[] =>
    judged({ payments, events: [...events, ...more], journal: { ...openJournal(), wishes: [cancel] } }).filter(
      (found) => found.includes("cancel-7"),
    )
  const captured = { ...payment, operations: [...payment.operations, byHand] }
  const told_ = event(4, "payment.cancel_overtaken", "captured")
  assert.deepEqual(run([captured], [told_]), [])
  assert.equal(run([captured], []).length, 1)
  assert.equal(run([payment], [told_]).length, 1)
})

test("finds keys without their payment and payments without their key", () => {
  only(judged({ keys: [...keys, { path: "/v1/payments", key: "order-8", payment: "pay_8" }] }), /^lost pay_8/)
  only(judged({ keys: keys.slice(1) }), /^lost pay_1 was created without taking its key/)
})

test("finds webhooks that never came, that are about nothing, and that end in another status", () => {
  const some = new Map(events.slice(0, 2).map((each) => [each.id, told(each)]))
  only(judged({ received: some }), /^lost pay_1 the webhook refund.succeeded evt_3_refund.succeeded never came/)
  const stray = new Map([...facts().received, ["evt_x", { ...told(events[0]!), id: "evt_x" }]])
  only(judged({ received: stray }), /evt_x is about nothing that is stored/)
  const changed = new Map([...facts().received, [events[2]!.id, { ...told(events[2]!), status: "failed" }]])
  only(judged({ received: changed }), /^lost pay_1 is captured; the newest webhook \(3\) says failed/)
  const again = event(3, "payment.captured", "captured", "400")
  const twice = [...events, again]
  const received = new Map(twice.map((each) => [each.id, told(each)]))
  only(judged({ events: twice, received }), /^lost pay_1 its end "captured" was told 2 times/)
})

test("counts payments, not sentences", () => {
  const findings = judge(facts({ charges: [{ ...voided, state: "authorized", held: 1_000n }, charge] }))
  assert.deepEqual(summarize(findings), { double_charges: 1, lost: 0, unsettled: 0 })
  assert.equal(summarize(judge(facts({ incidents: ["server 1 ended by itself", "again"] }))).lost, 2)
})

test("believes webhooks only with the endpoint's signature and a fresh time", () => {
  const secret = `whsec_${Buffer.from("0123456789abcdef").toString("base64")}`
  const sign = (key: string, at: number): string =>
    `v1,${createHmac("sha256", key).update(`evt_1.${at}.{}`).digest("base64")}`
  const now = 1_800_000_000
  const genuine = sign("0123456789abcdef", now)
  assert.equal(problemOf(secret, "evt_1", String(now), `v1,AAAA ${genuine}`, "{}", now), undefined)
  assert.match(problemOf(secret, "evt_1", String(now), genuine, "{ }", now) ?? "", /not signed/)
  assert.match(problemOf(secret, "evt_1", String(now), sign("another key", now), "{}", now) ?? "", /not signed/)
  assert.match(problemOf(secret, "evt_1", String(now), genuine, "{}", now + 301) ?? "", /timestamp/)
})
