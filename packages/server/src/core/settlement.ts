// What an outcome means for a payment, whoever brought it: the answer, a replay, an inquiry, a webhook, in any order and
// any number of times. Verdicts are monotone: a closed operation changes only by a recorded correction, and an open one
// never becomes less certain. `consequences` then keeps the invariants: at most one attempt holds or may hold money
// without a stored reversal, and the payment is closed as soon as nothing is held and nothing is open.

import type { AttemptId, OperationId } from "./id.ts"
import type { Outcome } from "./outcome.ts"
import { evolve } from "./evolve.ts"
import {
  attemptOf,
  authorizes,
  firstSettled,
  holders,
  isOpen,
  isPlanned,
  operationOf,
  reversalOf,
  standing,
  type Attempt,
  type Failure,
  type Operation,
  type Payment,
  type PaymentEvent,
} from "./payment.ts"

/** Makes a new operation's id and its key at the provider. */
export type NewOperation = () => { readonly id: OperationId; readonly key: string }

export type Times = {
  readonly now: number
  /** When to look again if the outcome leaves the operation open. */
  readonly checkAt: number
  /** How long a customer's action stays usable. */
  readonly actionUntil: number
  /** How long the authorization is valid, if one comes of it. */
  readonly authorizedUntil: number
}

export type News = "settles" | "corrects" | "nothing"

/**
 * Whether an outcome says anything new about an operation.
 *
 *   operation is            | settles                                    | corrects
 *   owed, sent              | everything                                 |
 *   unknown                 | approved declined absent pending action    |
 *   pending                 | approved declined absent                   |
 *   action                  | approved declined absent pending (unless   |
 *                           | it may still be the customer's turn)       |
 *   succeeded               |                                            | declined, of a capture, refund or reversal (it failed later);
 *                           |                                            | captured, of an authorization
 *   failed, absent, not_sent|                                            | approved (it took effect after all); but a capture,
 *                           |                                            | refund or reversal that the provider declined stays so
 *   reversed                |                                            |
 *
 * `rejected` and `not_sent` speak about one copy of the request: they decide only while the first copy is the only one.
 */
export function newsOf(operation: Operation, outcome: Outcome): News {
  switch (operation.state) {
    case "owed":
    case "sent":
      return "settles"
    case "unknown":
      return isVerdict(outcome) || outcome.kind === "pending" || outcome.kind === "action" ? "settles" : "nothing"
    case "pending":
      return isVerdict(outcome) ? "settles" : "nothing"
    case "action":
      return isVerdict(outcome) || (outcome.kind === "pending" && outcome.maybeCustomer !== true)
        ? "settles"
        : "nothing"
    case "succeeded":
      // Networks of single messages capture with the authorization, and not every message says so.
      if (authorizes(operation) && effectOf(operation.outcome) === "authorized" && effectOf(outcome) === "captured")
        return "corrects"
      return outcome.kind === "declined" && mayFailLater(operation) ? "corrects" : "nothing"
    case "failed":
      // What failed after its success fails for good: its success, told late, is old news. That is all that a "no" to a
      // reversal can mean here, since an open one is armed again by it. A person who said so may have been wrong.
      if (mayFailLater(operation) && operation.outcome?.kind === "declined" && !isByHand(operation.outcome))
        return "nothing"
      return tookEffect(operation, outcome) ? "corrects" : "nothing"
    case "absent":
    case "not_sent":
      return tookEffect(operation, outcome) ? "corrects" : "nothing"
    case "reversed":
      return "nothing"
    default:
      return operation.state satisfies never
  }
}

/**
 * What `newsOf` would take for news of the operation, and what the attempt knows better: its authorization succeeded by
 * another operation (a completion that failed has nothing to add), it was undone by another one, or is being reversed anew.
 */
function isOld(payment: Payment, operation: Operation, outcome: Outcome): boolean {
  const own = payment.operations.filter((o) => o.attempt === operation.attempt)
  const attempt = attemptOf(payment, operation.attempt)
  if (authorizes(operation) && !isOpen(operation)) {
    const taken = own.some((o) => o.kind === "capture" && (isOpen(o) || o.state === "succeeded"))
    return operation.state === "succeeded"
      ? taken || attempt?.state !== "held" || attempt.captured > 0n
      : own.some((o) => authorizes(o) && o.state === "succeeded")
  }
  // What undoes an attempt and comes late is news while there is something that it undid.
  const undoes = operation.kind === "void" || operation.kind === "reverse"
  if (undoes && !isOpen(operation) && operation.state !== "succeeded") return attempt?.state !== "held"
  if (operation.kind !== "reverse" || operation.state !== "succeeded" || outcome.kind !== "declined") return false
  // One that was closed because something else undid the attempt (a void, a refund by hand) found nothing left to do.
  return operation.outcome?.kind !== "approved" || own.some((o) => o.kind === "reverse" && isOpen(o))
}

const mayFailLater = ({ kind }: Operation): boolean => kind === "capture" || kind === "refund" || kind === "reverse"

const effectOf = (outcome: Outcome | undefined) => (outcome?.kind === "approved" ? outcome.effect : undefined)

/** It took effect after all. */
function tookEffect({ kind }: Operation, outcome: Outcome): boolean {
  if (outcome.kind !== "approved" || kind === "prepare") return false
  if (kind === "void") return outcome.effect === "voided"
  if (kind === "reverse") return true
  return kind === "refund"
    ? outcome.effect === "refunded"
    : outcome.effect !== "voided" && outcome.effect !== "refunded"
}

/** The raw code of what a person said. */
export const BY_HAND = "settled_by_hand"
const isByHand = (outcome: Outcome): boolean => outcome.raw.code === BY_HAND

const isVerdict = (outcome: Outcome): boolean =>
  outcome.kind === "approved" || outcome.kind === "declined" || outcome.kind === "absent"

/** Nothing else stands, and it neither is nor may be reversed: what it holds is the payment's. */
const mayStand = (payment: Payment, attempt: AttemptId): boolean =>
  reversalOf(payment, attempt) === undefined &&
  !isGivenUp(payment, attempt) &&
  (standing(payment)?.id ?? attempt) === attempt

/**
 * A reversal of it was handed over. Whatever has ended that reversal, a copy of it may still arrive: an attempt that turns
 * out to hold money after all must not be relied on.
 */
const isGivenUp = (payment: Payment, attempt: AttemptId): boolean =>
  payment.operations.some((o) => o.kind === "reverse" && o.attempt === attempt && o.sentAt !== undefined)

/** The events that an outcome of an operation leads to, with all their consequences; none if it is no news. */
export function settle(
  payment: Payment,
  id: OperationId,
  outcome: Outcome,
  times: Times,
  create: NewOperation,
  planOver?: { readonly failure?: Failure },
): readonly PaymentEvent[] {
  const operation = operationOf(payment, id)
  const news = operation === undefined || isOld(payment, operation, outcome) ? "nothing" : newsOf(operation, outcome)
  const events: PaymentEvent[] = []
  if (operation !== undefined && news !== "nothing") {
    const holds =
      outcome.kind === "approved" &&
      (outcome.effect === "authorized" || outcome.effect === "captured" || outcome.effect === "incremented")
    events.push({
      type: "operation_settled",
      operation: id,
      outcome,
      correction: news === "corrects",
      at: times.now,
      checkAt: outcome.kind === "action" ? times.actionUntil : times.checkAt,
      ...(outcome.kind === "action" ? { actionUntil: times.actionUntil } : {}),
      ...(holds && authorizes(operation) && mayStand(payment, operation.attempt)
        ? { authorizedUntil: times.authorizedUntil }
        : {}),
    })
    events.push(...givenByHand(payment, operation, events.reduce(evolve, payment), times.now))
  }
  if (planOver !== undefined && payment.plan.state === "running")
    events.push({ type: "plan_over", at: times.now, ...planOver })
  return [...events, ...consequences(events.reduce(evolve, payment), times.now, create)]
}

/** A refund that was under way when all there was had been given back by hand, and that came to nothing now. */
function givenByHand(before: Payment, refund: Operation, after: Payment, at: number): readonly PaymentEvent[] {
  const now = operationOf(after, refund.id)
  if (refund.kind !== "refund" || now === undefined || !isOpen(refund) || isOpen(now) || now.state === "succeeded")
    return []
  const byHand = before.operations.find((o) => o.state === "succeeded" && o.beside?.includes(refund.id) === true)
  return byHand === undefined ? [] : [{ type: "given_back_by_hand", operation: byHand.id, amount: refund.amount, at }]
}

/**
 * What must follow from the payment as it is: reversals that are owed now, and its end. Pure and idempotent:
 * applied to its own result it gives nothing.
 */
export function consequences(payment: Payment, now: number, create: NewOperation): readonly PaymentEvent[] {
  const events: PaymentEvent[] = []
  const held = standing(payment)
  const stands = held !== undefined && (held.state === "verified" || !isGivenUp(payment, held.id))
  if ((payment.ending !== undefined || stands) && isPlanned(payment)) events.push({ type: "plan_over", at: now })
  const planned = events.reduce(evolve, payment)
  // Prepared, and never to be confirmed any more: it cannot charge.
  for (const attempt of isPlanned(planned) ? [] : planned.attempts.filter((a) => a.state === "open")) {
    if (!planned.operations.some((o) => o.attempt === attempt.id && isOpen(o)))
      events.push({ type: "attempt_lapsed", attempt: attempt.id, at: now })
  }
  const lapsed = events.reduce(evolve, payment)
  for (const { attempt, why } of toReverse(lapsed))
    events.push({ type: "reversal_owed", operation: reversal(lapsed, attempt, why, now, create), at: now })
  const then = events.reduce(evolve, payment)
  if (isOvertaken(then)) return [...events, { type: "ending_overtaken", at: now }]
  const ending = endOf(then)
  if (ending === undefined) return events
  const failure = ending === "failed" ? failureAtEnd(then) : undefined
  return [...events, { type: "closed", as: ending, at: now, ...(failure === undefined ? {} : { failure }) }]
}

/**
 * Whether its money was taken by somebody's wish that the end does not undo: by hand at the provider, or, where only time
 * was to end it, by a capture of the merchant's. What an authorization captured by itself is given back.
 */
const isWanted = (payment: Payment, attempt: Attempt): boolean =>
  attempt.captured > 0n &&
  payment.operations.some(
    (o) =>
      o.kind === "capture" &&
      o.attempt === attempt.id &&
      o.state === "succeeded" &&
      (o.origin === "provider" || payment.ending?.as === "expired"),
  )

/** It was to end, but money had been taken on purpose, and nothing is under way that would still give it back. */
function isOvertaken(payment: Payment): boolean {
  const held = standing(payment)
  return (
    payment.ending !== undefined &&
    payment.closed === undefined &&
    held !== undefined &&
    isWanted(payment, held) &&
    !payment.operations.some((o) => o.kind === "void" && o.attempt === held.id && isOpen(o))
  )
}

/** What the plan said, unless it could only say that it was interrupted and a verdict has come since. */
function failureAtEnd(payment: Payment): Failure | undefined {
  if (payment.failure !== undefined && payment.failure.reason !== "interrupted") return undefined
  const last = payment.attempts.at(-1)
  return last === undefined ? payment.failure : failureOf(last, last.outcome)
}

/** Why a payment failed: by what became of its last attempt. */
export function failureOf({ id, state }: Attempt, outcome: Outcome | undefined): Failure {
  if (outcome === undefined) return { reason: state === "absent" ? "never_arrived" : "interrupted", attempt: id }
  const failed = (reason: Failure["reason"]): Failure => ({ reason, raw: outcome.raw, attempt: id })
  switch (outcome.kind) {
    case "declined":
    case "rejected":
      return failed(outcome.raw.code === CARD_GONE ? "card_no_longer_kept" : outcome.reason)
    case "not_sent":
      return failed("provider_unreachable")
    case "absent":
      return failed("never_arrived")
    case "approved":
      return failed(
        outcome.effect === "authorized" || outcome.effect === "captured" ? "partially_approved" : "interrupted",
      )
    case "pending":
    case "action":
    case "unknown":
      return failed(state === "absent" ? "never_arrived" : "interrupted")
    default:
      return outcome satisfies never
  }
}
/** The raw code of an attempt whose card could no longer be read. */
export const CARD_GONE = "card_no_longer_kept"

function toReverse(payment: Payment): readonly { readonly attempt: Attempt; readonly why: string }[] {
  const holding = holders(payment)
  if (payment.closed !== undefined)
    return holding.map((attempt) => ({ attempt, why: `the payment is ${payment.closed?.as}` }))
  if (payment.ending !== undefined && !holding.some((a) => isWanted(payment, a))) {
    // A void that the merchant asked for is its own operation; what it does not cover is owed.
    return holding
      .filter((a) => !payment.operations.some((o) => o.kind === "void" && o.attempt === a.id && isOpen(o)))
      .map((attempt) => ({ attempt, why: payment.ending?.reason ?? `the payment is to be ${payment.ending?.as}` }))
  }
  const isUnreliable = (a: Attempt): boolean => isGivenUp(payment, a.id) && !isWanted(payment, a)
  // What stood stays: a success of an older attempt that is told late must not undo captures and refunds.
  const keeps =
    firstSettled(holding.filter((a) => a.state === "held" && !isShort(payment, a) && !isUnreliable(a))) ??
    holding.find((a) => a.state !== "held") ??
    undefined
  return holding.flatMap((attempt) => {
    if (attempt.state === "held" && isShort(payment, attempt)) return [{ attempt, why: "only a part was authorized" }]
    if (attempt.state === "held" && isUnreliable(attempt)) return [{ attempt, why: "it was being reversed" }]
    return attempt === keeps ? [] : [{ attempt, why: "another attempt stands for the payment" }]
  })
}

/** Approved for less than asked, where the merchant does not take a part. */
const isShort = (payment: Payment, attempt: Attempt): boolean =>
  !payment.intent.allowPartial &&
  attempt.captured < payment.intent.amount.minor &&
  attempt.authorized < payment.intent.amount.minor

function endOf(payment: Payment): "failed" | "canceled" | "expired" | undefined {
  if (payment.closed !== undefined) return undefined
  // A verified card holds no money: a cancelled verification has nothing to wait for.
  const held = standing(payment)
  if (held !== undefined && (held.state === "held" || payment.ending === undefined)) return undefined
  if (payment.operations.some(isOpen) || holders(payment).length > 0) return undefined
  if (payment.ending !== undefined) return payment.ending.as
  return payment.plan.state === "over" ? "failed" : undefined
}

export function reversal(
  payment: Payment,
  attempt: Attempt,
  why: string,
  now: number,
  create: NewOperation,
): Operation {
  const { id, key } = create()
  return {
    id,
    attempt: attempt.id,
    kind: "reverse",
    state: "owed",
    amount: attempt.authorized > 0n ? attempt.authorized : payment.requested,
    key,
    round: 0,
    final: false,
    createdAt: now,
    checkAt: now,
    checks: 0,
    reason: why,
    origin: "engine",
    needsPerson: false,
  }
}

/**
 * An attempt's time is over: the payment's too, unless another attempt stands for it or may yet. What the attempt may
 * hold is to be reversed either way.
 */
export function endAttempt(
  payment: Payment,
  attempt: AttemptId,
  why: string,
  now: number,
  create: NewOperation,
): readonly PaymentEvent[] {
  const alone =
    !isPlanned(payment) &&
    (standing(payment)?.id ?? attempt) === attempt &&
    holders(payment).every((a) => a.id === attempt)
  if (!alone || payment.closed !== undefined) return oweReversal(payment, attempt, why, now, create)
  return payment.ending === undefined ? [{ type: "ending_requested", as: "expired", reason: why, at: now }] : []
}

/** Stores the obligation to reverse an attempt whose outcome is unknown, so that another may be tried. */
export function oweReversal(
  payment: Payment,
  attempt: AttemptId,
  why: string,
  now: number,
  create: NewOperation,
): readonly PaymentEvent[] {
  const unknown = attemptOf(payment, attempt)
  return unknown === undefined
    ? []
    : [{ type: "reversal_owed", operation: reversal(payment, unknown, why, now, create), at: now }]
}
