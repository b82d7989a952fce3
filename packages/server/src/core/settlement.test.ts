import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { parseCurrency } from "./currency.ts"
import type { AccountId, AttemptId, MerchantId, OperationId, PaymentId } from "./id.ts"
import type { Intent } from "./intent.ts"
import type { Outcome } from "./outcome.ts"
import { evolve } from "./evolve.ts"
import {
  amountsOf,
  holders,
  isOpen,
  operationOf,
  standing,
  statusOf,
  wakeAt,
  type Attempt,
  type Operation,
  type Payment,
  type PaymentEvent,
} from "./payment.ts"
import { violationOf } from "./invariant.ts"
import { cancel, capture, increment, refund, type Send } from "./payment-command.ts"
import { consequences, endAttempt, newsOf, oweReversal, settle, type Times } from "./settlement.ts"

const NOW = 1_800_000_000_000
const times: Times = { now: NOW, checkAt: NOW + 1, actionUntil: NOW + 600_000, authorizedUntil: NOW + 86_400_000 }
const abilities = {
  partialCapture: true,
  multipleCaptures: true,
  partialRefund: true,
  multipleRefunds: true,
  increment: true,
}

const numbered = () => {
  let n = 0
  return () => {
    n += 1
    return { id: `op_new${n}` as OperationId, key: `key${n}` }
  }
}

const intent: Intent = {
  amount: { minor: 1_000n, currency: parseCurrency("EUR")! },
  capture: "manual",
  store: false,
  initiator: { by: "customer", stored: "none" },
  threeDs: { mode: "automatic" },
  allowPartial: false,
  answerWithinMs: 25_000,
  metadata: {},
}

const attempt = (n: number): Attempt => ({
  id: `att_${n}` as AttemptId,
  ordinal: n,
  account: `acc_${n}` as AccountId,
  connector: "lab",
  state: "open",
  startedAt: NOW,
  authorized: 0n,
  captured: 0n,
  refunded: 0n,
  released: false,
  evidence: {},
  decision: undefined,
})
const authorization = (n: number): Operation => ({
  id: `op_${n}` as OperationId,
  attempt: `att_${n}` as AttemptId,
  kind: "authorize",
  state: "sent",
  amount: 1_000n,
  key: `att_${n}`,
  round: 0,
  final: false,
  createdAt: NOW,
  sentAt: NOW,
  sendUntil: NOW + 5_000,
  deadline: NOW + 80_000,
  checkAt: NOW + 80_000,
  checks: 0,
  origin: "engine",
  needsPerson: false,
})

function started(tries = 1, overrides: Partial<Intent> = {}): Payment {
  let payment: Payment = {
    id: "pay_0" as PaymentId,
    merchant: "mer_0" as MerchantId,
    mode: "test",
    version: 1,
    intent: { ...intent, ...overrides },
    requested: 1_000n,
    attempts: [],
    operations: [],
    disputes: [],
    plan: { state: "running", answerBy: NOW + 25_000 },
    createdAt: NOW,
    updatedAt: NOW,
  }
  for (let n = 1; n <= tries; n++)
    payment = evolve(payment, { type: "attempt_started", attempt: attempt(n), operation: authorization(n), at: NOW })
  return payment
}

const approved = (
  effect: "authorized" | "captured" | "voided" | "refunded" | "verified",
  amount = 1_000n,
): Outcome => ({ kind: "approved", effect, amount, raw: { code: effect }, evidence: { reference: "ref" } })
const declined: Outcome = { kind: "declined", reason: "do_not_honor", raw: { code: "05" }, evidence: {} }
const unknown: Outcome = { kind: "unknown", raw: { code: "silence" }, evidence: {} }
const pending: Outcome = { kind: "pending", raw: { code: "received" }, evidence: { reference: "later" } }
const absent: Outcome = { kind: "absent", raw: { code: "404" }, evidence: {} }

const apply = (payment: Payment, events: readonly PaymentEvent[]): Payment =>
  events.reduce<Payment>((known, event) => evolve(known, event), payment)
const settled = (payment: Payment, operation: string, outcome: Outcome, over = false): Payment =>
  apply(payment, settle(payment, operation as OperationId, outcome, times, numbered(), over ? {} : undefined))
const send = (create = numbered()): Send => ({
  now: NOW,
  sendUntil: NOW + 5_000,
  deadline: NOW + 80_000,
  owner: "node",
  create,
})
const authorized = (): Payment => settled(started(), "op_1", approved("authorized"))
const sent = (payment: Payment, operation: Operation): Payment =>
  evolve(payment, { type: "operation_sent", operation, at: NOW })

describe("an authorization's outcome", () => {
  test("an approval makes the payment authorized and ends its plan", () => {
    const payment = authorized()
    assert.equal(statusOf(payment), "authorized")
    assert.equal(payment.plan.state, "over")
    assert.equal(amountsOf(payment).authorized, 1_000n)
  })

  test("a decline with the plan over closes the payment as failed", () => {
    assert.equal(statusOf(settled(started(), "op_1", declined, true)), "failed")
  })

  test("an unknown outcome keeps the payment processing, also when the plan is over", () => {
    const payment = settled(started(), "op_1", unknown, true)
    assert.equal(statusOf(payment), "processing")
    assert.ok(wakeAt(payment) !== undefined, "somebody looks at it again")
  })

  test("what comes after a verdict is no news", () => {
    for (const verdict of [approved("authorized"), declined]) {
      const once: Payment = settled(started(), "op_1", verdict)
      const later: readonly Outcome[] = [unknown, pending, absent]
      later.forEach((told) => assert.deepEqual(settle(once, "op_1" as OperationId, told, times, numbered()), []))
    }
  })

  test("a copy that was rejected or never left says nothing about the first one", () => {
    const open = settled(started(), "op_1", unknown)
    const operation = open.operations[0]!
    assert.equal(newsOf(operation, { kind: "not_sent", raw: { code: "ECONNREFUSED" }, evidence: {} }), "nothing")
    assert.equal(
      newsOf(operation, {
        kind: "rejected",
        fault: "theirs",
        executed: "no",
        reason: "rate_limited",
        raw: { code: "429" },
        evidence: {},
      }),
      "nothing",
    )
  })

  test("less than was asked is reversed unless the merchant takes a part", () => {
    const short = settled(started(), "op_1", approved("authorized", 400n))
    assert.equal(short.operations.at(-1)?.kind, "reverse")
    assert.equal(statusOf(short), "processing")
    const taken = settled(started(1, { allowPartial: true }), "op_1", approved("authorized", 400n))
    assert.equal(statusOf(taken), "authorized")
    assert.equal(amountsOf(taken).authorized, 400n)
  })
})

describe("a late success", () => {
  test("of an attempt whose payment has failed is a correction, and is reversed", () => {
    const failed = settled(started(), "op_1", declined, true)
    const events = settle(failed, "op_1" as OperationId, approved("authorized"), times, numbered())
    assert.ok(events.some((e) => e.type === "operation_settled" && e.correction))
    const after = apply(failed, events)
    assert.equal(after.operations.at(-1)?.kind, "reverse")
    assert.equal(statusOf(after), "failed")
    assert.equal(holders(after).length, 0)
  })

  test("of an attempt that was given up stands beside the one that replaced it only with a stored reversal", () => {
    let payment = settled(started(), "op_1", unknown)
    payment = apply(payment, oweReversal(payment, "att_1" as AttemptId, "rerouted", NOW, numbered()))
    payment = evolve(payment, { type: "attempt_started", attempt: attempt(2), operation: authorization(2), at: NOW })
    payment = settled(payment, "op_2", approved("authorized"))
    payment = settled(payment, "op_1", approved("authorized"))
    assert.equal(statusOf(payment), "authorized")
    assert.deepEqual(
      holders(payment).map((a) => a.id),
      ["att_2"],
    )
    assert.ok(payment.operations.some((o) => o.kind === "reverse" && o.attempt === "att_1" && isOpen(o)))
  })
})

describe("what stands", () => {
  const both = (): Payment => {
    // The first attempt was declined, the second captured; then the first one's success is told after all.
    const second = settled(settled(started(2), "op_1", declined), "op_2", approved("captured"))
    return apply(
      second,
      settle(second, "op_1" as OperationId, approved("captured"), { ...times, now: NOW + 60_000 }, numbered()),
    )
  }

  test("stays: the success of an older attempt that comes late is what is reversed", () => {
    const payment = both()
    assert.equal(standing(payment)?.ordinal, 2)
    assert.deepEqual(
      payment.operations.filter((o) => o.kind === "reverse").map((o) => o.attempt),
      ["att_1"],
    )
  })

  test("stays also when both are told in one moment", () => {
    const second = settled(settled(started(2), "op_1", declined), "op_2", approved("captured"))
    assert.equal(standing(settled(second, "op_1", approved("captured")))?.ordinal, 2)
  })

  test("ends at once when it only verified a card and is canceled: it holds nothing", () => {
    const verified = settled(
      started(1, { amount: { minor: 0n, currency: parseCurrency("EUR")! } }),
      "op_1",
      approved("verified", 0n),
    )
    const events: PaymentEvent[] = [{ type: "ending_requested", as: "canceled", at: NOW }]
    const asked = apply(verified, events)
    assert.equal(statusOf(apply(asked, consequences(asked, NOW, numbered()))), "canceled")
  })

  test("does not end when money was taken before it could: it goes on as what it is", () => {
    const held = settled(started(), "op_1", approved("authorized"))
    const asked = apply(held, [{ type: "ending_requested", as: "canceled", at: NOW }])
    const operation = {
      ...authorization(1),
      id: "op_found" as OperationId,
      kind: "capture",
      amount: 400n,
      origin: "provider",
    } as const
    const taken = apply(asked, [
      {
        type: "found_at_provider",
        operation: { ...operation, state: "succeeded" },
        outcome: approved("captured", 400n),
        at: NOW,
      },
    ])
    const after = apply(taken, consequences(taken, NOW, numbered()))
    assert.equal(after.ending, undefined)
    assert.equal(statusOf(after), "partially_captured")
    assert.equal(capture(after, undefined, undefined, abilities, send()).kind, "reserved")
  })

  test("gives back what an authorization captured by itself after its payment was canceled", () => {
    const held = settled(started(), "op_1", approved("authorized"))
    const asked = apply(held, [{ type: "ending_requested", as: "canceled", at: NOW }])
    const voiding = { ...authorization(1), id: "op_void" as OperationId, kind: "void" } as const
    const underWay = { ...asked, operations: [...asked.operations, voiding] }
    // The network captured with the authorization, and the message that says so comes late.
    const captured = settled(underWay, "op_1", approved("captured"))
    assert.equal(captured.attempts[0]?.captured, 1_000n)
    const refused = settled(captured, "op_void", declined)
    assert.equal(refused.ending?.as, "canceled")
    assert.deepEqual(
      refused.operations.filter((o) => o.kind === "reverse").map((o) => o.state),
      ["owed"],
    )
  })

  test("an attempt's time-out ends the payment only where nothing else stands or may stand", () => {
    const alone = settled(started(), "op_1", unknown, true)
    assert.equal(endAttempt(alone, "att_1" as AttemptId, "too late", NOW, numbered())[0]?.type, "ending_requested")
    const other = settled(
      apply(started(2), oweReversal(started(2), "att_1" as AttemptId, "x", NOW, numbered())),
      "op_2",
      approved("authorized"),
    )
    const events = endAttempt(other, "att_1" as AttemptId, "too late", NOW, numbered())
    assert.deepEqual(
      events.map((e) => e.type),
      ["reversal_owed"],
    )
  })
})

describe("what is told late or twice", () => {
  const held = (): Payment => settled(started(), "op_1", approved("authorized"))
  const followed = (payment: Payment, kind: "capture" | "void" | "refund" | "reverse" | "complete"): Payment => ({
    ...payment,
    operations: [
      ...payment.operations,
      { ...authorization(1), id: "op_next" as OperationId, kind, key: "next", amount: 400n, origin: "merchant" },
    ],
  })

  test("a void after a capture releases the rest and nothing else", () => {
    const captured = settled(followed(held(), "capture"), "op_next", approved("captured", 400n))
    const operation = { ...authorization(1), id: "op_void" as OperationId, kind: "void" } as const
    const voided = settled(
      { ...captured, operations: [...captured.operations, operation] },
      "op_void",
      approved("voided", 0n),
    )
    assert.equal(statusOf(voided), "captured")
    assert.equal(amountsOf(voided).captured, 400n)
  })

  test("a completion that failed has nothing to add to an authorization that succeeded", () => {
    const failed = settled(followed(started(), "complete"), "op_next", {
      kind: "rejected",
      fault: "theirs",
      executed: "no",
      reason: "rate_limited",
      raw: { code: "429" },
      evidence: {},
    })
    const authorized = settled(failed, "op_1", approved("authorized"))
    assert.deepEqual(settle(authorized, "op_next" as OperationId, approved("captured"), times, numbered()), [])
  })

  test("a correction takes back what was booked, not what was asked for", () => {
    const captured = settled(followed(held(), "capture"), "op_next", approved("captured", 300n))
    assert.equal(amountsOf(settled(captured, "op_next", declined)).captured, 0n)
  })

  test("a person who said that a refund failed may have been wrong", () => {
    const paid = settled(started(), "op_1", approved("captured"))
    const byHand: Outcome = { kind: "declined", reason: "unmapped", raw: { code: "settled_by_hand" }, evidence: {} }
    const said = settled(followed(paid, "refund"), "op_next", byHand)
    assert.equal(amountsOf(settled(said, "op_next", approved("refunded", 400n))).refunded, 400n)
    const told = settled(followed(paid, "refund"), "op_next", declined)
    assert.equal(amountsOf(settled(told, "op_next", approved("refunded", 400n))).refunded, 0n)
  })

  test("an approval of what is being reversed does not prolong the authorization that stands", () => {
    const standing = settled(
      apply(started(2), oweReversal(started(2), "att_1" as AttemptId, "x", NOW, numbered())),
      "op_2",
      approved("authorized"),
    )
    const late = { ...times, authorizedUntil: times.authorizedUntil + 1_000_000 }
    const after = apply(standing, settle(standing, "op_1" as OperationId, approved("authorized"), late, numbered()))
    assert.equal(after.authorizedUntil, times.authorizedUntil)
  })

  test("an authorization that captured with itself is captured, unless captures of its own say more", () => {
    assert.equal(amountsOf(settled(held(), "op_1", approved("captured"))).captured, 1_000n)
    const capturing = followed(held(), "capture")
    assert.equal(amountsOf(settled(capturing, "op_1", approved("captured"))).captured, 0n)
  })

  test("a void that was refused and then told as done is done, while there is something to void", () => {
    const refused = settled(followed(held(), "void"), "op_next", declined)
    assert.equal(settled(refused, "op_next", approved("voided", 0n)).attempts[0]?.state, "reversed")
    const gone = settled(refused, "op_next", approved("voided", 0n))
    assert.deepEqual(settle(gone, "op_next" as OperationId, approved("voided", 0n), times, numbered()), [])
  })

  test("an authorization past its end is not looked at for ever while its capture is on its way", () => {
    const past = { ...held(), authorizedUntil: NOW - 1, expiryTold: true as const }
    assert.equal(wakeAt(past), NOW - 1)
    assert.equal(wakeAt(followed(past, "capture")), NOW + 80_000)
  })

  test("money of an attempt that counts as ended breaks an invariant", () => {
    const paid = settled(started(), "op_1", approved("captured"))
    assert.equal(violationOf(paid), undefined)
    const ended = { ...paid, attempts: paid.attempts.map((a) => ({ ...a, state: "lapsed" as const })) }
    assert.equal(violationOf(ended), "money was captured of an attempt that counts as ended")
  })

  test("what a chargeback took back is not refunded again", () => {
    const paid = settled(started(), "op_1", approved("captured"))
    const disputed = apply(paid, [
      {
        type: "disputed",
        at: NOW,
        dispute: { id: "dsp_1" as never, reference: "d", stage: "opened", amount: 700n, at: NOW },
      },
    ])
    assert.equal(refund(disputed, 400n, undefined, abilities, send()).kind, "refused")
    assert.equal(refund(disputed, 300n, undefined, abilities, send()).kind, "reserved")
  })
})

describe("a payment that failed", () => {
  const told = (outcome: Outcome): string | undefined =>
    settled(settled(started(), "op_1", unknown, true), "op_1", outcome).failure?.reason

  test("says why, also when the verdict came after its plan was over", () => {
    assert.equal(told(declined), "do_not_honor")
    assert.equal(told(absent), "never_arrived")
  })

  test("keeps the reason that its plan gave", () => {
    const over = apply(started(), [{ type: "plan_over", failure: { reason: "no_eligible_account" }, at: NOW }])
    assert.equal(settled(over, "op_1", declined).failure?.reason, "no_eligible_account")
  })

  test("was approved in part: that is its reason", () => {
    const part = settled(started(), "op_1", approved("authorized", 400n))
    const reversal = part.operations.find((o) => o.kind === "reverse")!
    assert.equal(settled(part, reversal.id, approved("voided", 0n)).failure?.reason, "partially_approved")
  })
})

describe("what was thought to be gone", () => {
  test("is corrected when the provider tells its success later, and reversed", () => {
    const closed = settled(started(), "op_1", unknown, true)
    const owed = apply(closed, oweReversal(closed, "att_1" as AttemptId, "x", NOW, numbered()))
    const reversal = owed.operations.find((o) => o.kind === "reverse")!
    const gone = settled(owed, reversal.id, absent)
    assert.equal(statusOf(gone), "failed")
    const back = settled(gone, "op_1", approved("authorized"))
    assert.ok(back.operations.some((o) => o.kind === "reverse" && o.state === "owed"))
  })
})

describe("a look at an operation", () => {
  test("that nobody took, only the time changed, uses up nothing of its schedule", () => {
    const payment = settled(started(), "op_1", unknown)
    const checks = (unlooked: boolean): number =>
      apply(payment, [
        {
          type: "operation_rescheduled",
          operation: "op_1" as OperationId,
          checkAt: NOW,
          at: NOW,
          ...(unlooked ? { unlooked: true } : {}),
        },
      ]).operations[0]!.checks
    assert.equal(checks(true), 0)
    assert.equal(checks(false), 1)
  })
})

describe("a customer's return", () => {
  const action: Outcome = {
    kind: "action",
    action: { type: "redirect", method: "GET", url: "https://issuer.example" },
    raw: { code: "3ds" },
    evidence: {},
  }
  const returned = (): Payment =>
    sent(settled(started(), "op_1", action, true), {
      ...authorization(1),
      id: "op_back" as OperationId,
      kind: "complete",
    })
  const failed = (executed: "no" | "unknown"): Outcome => ({
    kind: "rejected",
    fault: "theirs",
    executed,
    reason: "provider_error",
    raw: { code: "502" },
    evidence: {},
  })
  test("that may have been worked on is not asked for again", () => {
    assert.equal(statusOf(returned()), "requires_action")
    assert.equal(statusOf(settled(returned(), "op_back", failed("unknown"))), "processing")
    assert.equal(statusOf(settled(returned(), "op_back", unknown)), "processing")
    assert.equal(statusOf(settled(returned(), "op_back", failed("no"))), "requires_action")
  })
})

describe("a reversal", () => {
  const owed = (): Payment => {
    const payment = settled(started(), "op_1", unknown, true)
    return apply(payment, oweReversal(payment, "att_1" as AttemptId, "gave up", NOW, numbered()))
  }
  test("that is confirmed closes everything that was open of its attempt", () => {
    const payment = settled(owed(), "op_new1", approved("voided"))
    assert.equal(statusOf(payment), "failed")
    assert.ok(payment.operations.every((o) => !isOpen(o)))
  })
  test("is not needed any more once the authorization turns out declined", () => {
    const payment = settled(owed(), "op_1", declined)
    assert.equal(payment.operations.find((o) => o.kind === "reverse")?.state, "absent")
    assert.equal(statusOf(payment), "failed")
  })
  test("stays owed when the authorization turns out approved", () => {
    const payment = settled(owed(), "op_1", approved("captured"))
    assert.equal(statusOf(payment), "processing")
    assert.equal(payment.operations.find((o) => o.kind === "reverse")?.state, "owed")
  })
  test("that was handed over may still arrive: an attempt that turns out paid after all is reversed anew", () => {
    const first = apply(started(2), oweReversal(started(2), "att_1" as AttemptId, "gave up", NOW, numbered()))
    const paidAfter = (payment: Payment): Payment => {
      const told = settled(payment, "op_1", declined)
      assert.equal(operationOf(told, "op_new1" as OperationId)?.state, "absent")
      const create = () => ({ id: "op_second" as OperationId, key: "second" })
      return apply(told, settle(told, "op_1" as OperationId, approved("captured"), times, create))
    }
    const holding = (payment: Payment): readonly string[] => holders(payment).map(({ id }) => id)
    const owed = operationOf(first, "op_new1" as OperationId) ?? assert.fail()
    const over = paidAfter(sent(first, { ...owed, state: "sent", sentAt: NOW, deadline: NOW + 80_000, owner: "node" }))
    assert.equal(operationOf(over, "op_second" as OperationId)?.attempt, "att_1")
    assert.deepEqual(holding(over), ["att_2"])
    // One that never left takes nothing away.
    const kept = paidAfter(first)
    assert.equal(operationOf(kept, "op_second" as OperationId)?.attempt, "att_2")
    assert.deepEqual(holding(kept), ["att_1"])
  })
  test("that found nothing to do, because something else had undone the attempt, has not failed later", () => {
    const asked = apply(authorized(), oweReversal(authorized(), "att_1" as AttemptId, "gave up", NOW, numbered()))
    const voiding: Operation = { ...authorization(1), id: "op_void" as OperationId, kind: "void" }
    const voided = settled(settled(sent(asked, voiding), "op_new1", pending), "op_void", approved("voided", 0n))
    assert.equal(voided.attempts[0]?.state, "reversed")
    assert.equal(operationOf(voided, "op_new1" as OperationId)?.state, "succeeded")
    assert.deepEqual(settle(voided, "op_new1" as OperationId, declined, times, numbered()), [])
  })
  test("that gave back money which nobody had told of, and fails later, leaves the money to be reversed", () => {
    const given = settled(owed(), "op_new1", approved("refunded", 900n))
    assert.equal(statusOf(given), "failed")
    const bounced = settled(given, "op_new1", declined)
    assert.equal(bounced.attempts[0]?.state, "held")
    assert.equal(bounced.attempts[0]?.captured, 900n)
    assert.equal(bounced.operations.filter((o) => o.kind === "reverse" && isOpen(o)).length, 1)
    assert.equal(violationOf(bounced), undefined)
    // Adyen calls both by one name, and a reversal that gave back nothing to fail later is not told to have failed.
    const unnamed = settled(settled(owed(), "op_new1", approved("voided", 0n)), "op_new1", declined)
    assert.equal(unnamed.attempts[0]?.state, "held")
    assert.equal(unnamed.operations.filter((o) => o.kind === "reverse" && isOpen(o)).length, 1)
    assert.equal(violationOf(unnamed), undefined)
  })
})

describe("captures and refunds", () => {
  test("a capture beside an increment says its amount and whether it is final, or waits", () => {
    const payment = authorized()
    const raised = increment(payment, 1_500n, abilities, send())
    const open = sent(payment, raised.kind === "reserved" ? raised.operation : assert.fail())
    const refused = (amount: bigint | undefined, final: boolean | undefined): boolean =>
      capture(open, amount, final, abilities, send()).kind === "refused"
    assert.deepEqual(
      [refused(undefined, undefined), refused(undefined, true), refused(1_000n, undefined), refused(1_000n, true)],
      [true, true, true, false],
    )
    const after = settled(open, "op_new1", { ...approved("authorized", 1_500n), effect: "incremented" } as Outcome)
    const all = capture(after, undefined, undefined, abilities, send())
    assert.equal(all.kind === "reserved" ? all.operation.amount : undefined, 1_500n)
  })
  test("reserve their amount before they are sent", () => {
    const payment = authorized()
    const first = capture(payment, 700n, false, abilities, send())
    assert.equal(first.kind, "reserved")
    const after = sent(payment, first.kind === "reserved" ? first.operation : assert.fail())
    const second = capture(after, 400n, false, abilities, send())
    assert.equal(second.kind, "refused")
    assert.equal(second.kind === "refused" ? second.code : "", "amount.exceeds_authorized")
    assert.equal(capture(after, 300n, undefined, abilities, send()).kind, "reserved")
  })

  test("a capture that fails days later gives its amount back", () => {
    const payment = authorized()
    const reserved = capture(payment, undefined, undefined, abilities, send())
    assert.equal(reserved.kind, "reserved")
    if (reserved.kind !== "reserved") return
    const captured = settled(sent(payment, reserved.operation), reserved.operation.id, approved("captured"))
    assert.equal(statusOf(captured), "captured")
    const events = settle(captured, reserved.operation.id, declined, times, numbered())
    assert.ok(events.some((e) => e.type === "operation_settled" && e.correction))
    assert.equal(statusOf(apply(captured, events)), "authorized")
  })

  test("refunds never exceed what is captured", () => {
    const captured = settled(started(1, { capture: "automatic" }), "op_1", approved("captured"))
    const first = refund(captured, 600n, undefined, abilities, send())
    assert.equal(first.kind, "reserved")
    if (first.kind !== "reserved") return
    const after = sent(captured, first.operation)
    const second = refund(after, 500n, undefined, abilities, send())
    assert.equal(second.kind === "refused" ? second.code : "", "amount.exceeds_captured")
  })

  test("a canceled authorization is voided, and closed only when the void is confirmed", () => {
    const payment = authorized()
    const decided = cancel(payment, { ...send(), create: numbered() })
    assert.equal(decided.kind, "cancel")
    if (decided.kind !== "cancel" || decided.void === undefined) assert.fail("an authorization is voided")
    const asked = sent(evolve(payment, { type: "ending_requested", as: "canceled", at: NOW }), decided.void)
    assert.equal(statusOf(asked), "processing")
    assert.equal(statusOf(settled(asked, decided.void.id, approved("voided", 0n))), "canceled")
  })

  test("a canceled payment whose authorization is unknown owes its reversal at once", () => {
    const open = settled(started(), "op_1", unknown)
    const asked = evolve(open, { type: "ending_requested", as: "canceled", at: NOW })
    const after = apply(asked, consequences(asked, NOW, numbered()))
    assert.equal(after.operations.at(-1)?.kind, "reverse")
    assert.equal(statusOf(settled(after, "op_new1", absent)), "canceled")
  })
})

describe("whatever is told, in whatever order", () => {
  const outcome = fc.constantFrom(
    approved("authorized"),
    approved("captured"),
    approved("voided", 0n),
    approved("authorized", 400n),
    declined,
    unknown,
    pending,
    absent,
  )
  const history = fc.array(fc.tuple(fc.nat({ max: 20 }), outcome, fc.boolean()), { maxLength: 25 })

  const live = (steps: readonly (readonly [number, Outcome, boolean])[]): Payment => {
    const create = numbered()
    return steps.reduce(
      (payment, [which, told, over]) => {
        const operation = payment.operations[which % payment.operations.length]!
        return apply(payment, settle(payment, operation.id, told, times, create, over ? {} : undefined))
      },
      apply(started(2), oweReversal(started(2), "att_1" as AttemptId, "rerouted", NOW, create)),
    )
  }

  test("at most one attempt may hold money without a stored reversal, and nothing is forgotten", () => {
    fc.assert(
      fc.property(history, (steps) => {
        const payment = live(steps)
        assert.ok(holders(payment).length <= 1)
        for (const operation of payment.operations) if (isOpen(operation)) assert.ok(operation.checkAt !== undefined)
        if (payment.closed?.as === "failed")
          assert.ok(payment.operations.every((o) => !isOpen(o) || o.kind === "reverse"))
      }),
      { numRuns: 1_000 },
    )
  })

  test("consequences are complete: applied to their own result they say nothing", () => {
    fc.assert(fc.property(history, (steps) => assert.deepEqual(consequences(live(steps), NOW, numbered()), [])))
  })

  test("the same outcome twice is told once", () => {
    fc.assert(
      fc.property(history, outcome, (steps, told) => {
        const payment = live(steps)
        for (const operation of payment.operations) {
          const after = apply(payment, settle(payment, operation.id, told, times, numbered()))
          const again = settle(after, operation.id, told, times, numbered())
          assert.ok(
            again.every((e) => e.type !== "operation_settled"),
            `${operation.kind} ${operation.state} took ${told.kind} twice`,
          )
        }
      }),
    )
  })
})
