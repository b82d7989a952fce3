// How a payment changes: one event at a time, purely and totally. Events come from our own decisions (payment-command.ts,
// settlement.ts, the engine) or from our own store; what they mean for attempts and operations stands here alone.

import { resultAfter } from "./card-attempt.ts"
import type { Evidence, Outcome } from "./outcome.ts"
import {
  authorizes,
  givenBack,
  isOpen,
  mayHold,
  openStates,
  operationOf,
  type Act,
  type Attempt,
  type AttemptState,
  type Operation,
  type OperationKind,
  type OperationState,
  type Payment,
  type PaymentEvent,
} from "./payment.ts"

/** Applies one event. Total: events come from our own decisions or from our own store. */
export function evolve(payment: Payment, event: PaymentEvent): Payment {
  const now = { ...payment, updatedAt: Math.max(payment.updatedAt, event.at) }
  switch (event.type) {
    case "created":
      return event.payment
    case "confirmed":
      return { ...now, intent: event.intent, plan: { state: "running", answerBy: event.answerBy, owner: event.owner } }
    case "attempt_started":
      return {
        ...now,
        attempts: [...payment.attempts, event.attempt],
        operations: [...payment.operations, event.operation],
      }
    case "operation_sent":
      return { ...now, operations: put(payment.operations, event.operation) }
    case "reversal_owed":
      return { ...now, operations: [...payment.operations, event.operation] }
    case "operation_rescheduled":
      return { ...now, operations: change(payment.operations, event.operation, (o) => reschedule(o, event)) }
    case "operator_acted":
      return { ...now, operations: change(payment.operations, event.operation, (o) => actedOn(o, event.act)) }
    case "operation_settled":
      return settleOperation(now, event)
    case "ending_requested":
      return {
        ...now,
        ending: {
          as: event.as,
          at: event.at,
          ...(event.reason === undefined ? {} : { reason: event.reason }),
          ...(event.by === undefined ? {} : { by: event.by }),
        },
      }
    case "attempt_lapsed":
      return {
        ...now,
        attempts: change(payment.attempts, event.attempt, (a) =>
          a.captured > 0n ? { ...a, released: true } : { ...a, state: "lapsed", settledAt: event.at },
        ),
        operations: payment.operations.map((o) => {
          if (o.attempt !== event.attempt || !isOpen(o)) return o
          if (authorizes(o)) return close(o, "failed", event.at)
          const captured = payment.attempts.some((a) => a.id === event.attempt && a.captured > 0n)
          return captured ? o : close(o, leftover(o, "lapsed"), event.at)
        }),
      }
    case "ending_overtaken": {
      const { ending: _ending, ...rest } = now
      return rest
    }
    case "plan_waits": {
      const { answerBy: _answerBy, ...plan } = payment.plan
      return { ...now, plan: { ...plan, state: "waiting", waits: event.waits } }
    }
    case "plan_resumed":
      return {
        ...now,
        plan: { ...endedPlan(payment), state: "running", answerBy: event.answerBy, owner: event.owner },
      }
    case "plan_over":
      return {
        ...now,
        plan: {
          ...endedPlan(payment),
          ...(event.skipped === undefined ? {} : { skipped: event.skipped }),
          ...(event.stopped === undefined ? {} : { stopped: event.stopped }),
        },
        ...(event.failure === undefined ? {} : { failure: event.failure }),
      }
    case "closed":
      return {
        ...now,
        closed: { as: event.as, at: event.at },
        plan: endedPlan(payment),
        ...(event.failure === undefined ? {} : { failure: event.failure }),
      }
    case "found_at_provider":
      return applyToAttempt(
        { ...(reopens(payment, event) ? withoutEnd(now) : now), operations: [...payment.operations, event.operation] },
        event.operation,
        event.outcome,
        event.at,
        event.outcome.kind === "declined",
      )
    case "given_back_by_hand": {
      const attempt = operationOf(payment, event.operation)?.attempt
      return {
        ...now,
        attempts: payment.attempts.map((a) => (a.id === attempt ? { ...a, refunded: a.refunded + event.amount } : a)),
        operations: change(payment.operations, event.operation, (o) => grown(o, event.amount)),
      }
    }
    case "authorization_expiring":
      return { ...now, expiryTold: true }
    case "reference_learned":
      return {
        ...now,
        attempts: change(payment.attempts, event.attempt, (a) => ({ ...a, reference: event.reference })),
      }
    case "disputed":
      return { ...now, disputes: [...payment.disputes.filter((d) => d.id !== event.dispute.id), event.dispute] }
    case "invariant_broken":
      return { ...now, incidents: [...(payment.incidents ?? []), event.incident] }
    case "incident_acknowledged":
      return {
        ...now,
        incidents: change(payment.incidents ?? [], event.incident, (i) => ({
          ...i,
          acknowledged: event.acknowledgement,
        })),
      }
    default:
      return event satisfies never
  }
}

function endedPlan({ plan: { waits: _waits, ...plan } }: Payment): Payment["plan"] {
  return { ...plan, state: "over" }
}

/** Money that somebody took at the provider of an authorization that we thought had ended: the payment goes on with it. */
const reopens = (payment: Payment, { operation, outcome }: Extract<PaymentEvent, { type: "found_at_provider" }>) =>
  operation.kind === "capture" &&
  outcome.kind === "approved" &&
  (payment.closed?.as === "expired" || payment.closed?.as === "canceled") &&
  payment.attempts.some((a) => a.id === operation.attempt && a.state === "lapsed" && a.authorized > 0n)

function withoutEnd({ closed: _closed, ending: _ending, ...payment }: Payment): Payment {
  return payment
}

type Settled = Extract<PaymentEvent, { type: "operation_settled" }>

function settleOperation(payment: Payment, event: Settled): Payment {
  const operation = operationOf(payment, event.operation)
  if (operation === undefined) return payment
  const { outcome } = event
  const state = stateAfter(operation.kind, outcome)
  const open = openStates.has(state)
  const { checkAt: _checkAt, settledAt: _settledAt, ...rest } = operation
  const settled: Operation = {
    ...rest,
    state,
    outcome,
    needsPerson: open && operation.needsPerson,
    ...(outcome.evidence.reference === undefined || authorizes(operation)
      ? {}
      : { reference: outcome.evidence.reference }),
    ...(open ? (event.checkAt === undefined ? {} : { checkAt: event.checkAt }) : { settledAt: event.at }),
  }
  const operations = payment.operations.map((o) => {
    if (o.id === operation.id) return settled
    // What decides the attempt closes all its authorizing operations: authorize and complete are one question.
    const same = o.attempt === operation.attempt && authorizes(o) && isOpen(o) && decidesAttempt(operation, outcome)
    return same ? close(o, state, event.at) : o
  })
  // Never before what is stored already: of two successes the first to be stored stands, whatever the nodes' clocks say.
  const after = applyToAttempt(
    { ...payment, operations },
    operation,
    outcome,
    payment.updatedAt,
    event.correction,
    event.actionUntil,
  )
  return event.authorizedUntil === undefined ? after : { ...after, authorizedUntil: event.authorizedUntil }
}

function stateAfter(kind: OperationKind, outcome: Outcome): OperationState {
  switch (outcome.kind) {
    case "approved":
      return "succeeded"
    case "pending":
      return "pending"
    case "action":
      return "action"
    case "declined":
      return "failed"
    case "rejected":
      return outcome.executed === "no" || kind === "prepare" ? "failed" : "unknown"
    case "unknown":
      return kind === "prepare" ? "failed" : "unknown"
    case "not_sent":
      return "not_sent"
    case "absent":
      return "absent"
    default:
      return outcome satisfies never
  }
}

/** Verdicts about the authorization itself; a `complete` that was not executed leaves the customer's action as it was. */
const decidesAttempt = (operation: Operation, outcome: Outcome): boolean =>
  authorizes(operation) &&
  (outcome.kind === "approved" ||
    outcome.kind === "declined" ||
    outcome.kind === "absent" ||
    (operation.kind === "authorize" &&
      (outcome.kind === "not_sent" || (outcome.kind === "rejected" && outcome.executed === "no"))))

function applyToAttempt(
  payment: Payment,
  operation: Operation,
  outcome: Outcome,
  at: number,
  correction: boolean,
  actionUntil?: number,
): Payment {
  const attempts = change(payment.attempts, operation.attempt, (attempt): Attempt => {
    const told: Attempt = { ...attempt, evidence: merge(attempt.evidence, outcome, operation) }
    switch (operation.kind) {
      case "prepare":
      case "authorize":
      case "complete":
        return authorize(told, operation, outcome, at, actionUntil)
      case "capture":
        return capture(told, operation, outcome, correction)
      case "refund":
        if (outcome.kind === "approved") return { ...told, refunded: told.refunded + outcome.amount }
        return correction && outcome.kind === "declined"
          ? { ...told, refunded: told.refunded - booked(operation) }
          : told
      case "increment":
        return outcome.kind === "approved" ? { ...told, authorized: outcome.amount } : told
      case "void":
      case "reverse":
        // It was given back, and then it was not: what was taken is still there.
        if (correction && outcome.kind === "declined")
          return told.state === "reversed" ? bounced(told, operation, at) : told
        // What was captured meanwhile stays: a void can only release the rest.
        if (operation.kind === "void" && outcome.kind === "approved" && told.captured > 0n)
          return { ...told, released: true }
        // A void that never took effect leaves the attempt as it is; a reversal looked for the attempt itself.
        if (outcome.kind === "absent")
          return operation.kind === "void" ? told : { ...told, state: "absent", settledAt: at }
        return outcome.kind === "approved" ? { ...told, state: "reversed", settledAt: at } : told
      default:
        return operation.kind satisfies never
    }
  })
  // An attempt that ended without money leaves nothing to do at the provider.
  const ended = attempts.find((a) => a.id === operation.attempt && !mayHold(a))
  const operations =
    ended === undefined
      ? payment.operations
      : payment.operations.map((o) =>
          o.attempt === ended.id && o.id !== operation.id && isOpen(o) ? close(o, leftover(o, ended.state), at) : o,
        )
  const requested =
    operation.kind === "increment" && outcome.kind === "approved" && outcome.amount > payment.requested
      ? outcome.amount
      : payment.requested
  return { ...payment, attempts, operations, requested }
}

/**
 * An open operation of an attempt that holds nothing any more: what undoes it is done, the rest is undone with it, an increment
 * whether it took effect or not. Where nothing was given back, it counts as never having taken effect, which a success told late corrects.
 */
const leftover = (operation: Operation, attempt: AttemptState): OperationState =>
  operation.kind !== "reverse" && operation.kind !== "void"
    ? attempt === "reversed" || operation.kind === "increment"
      ? "reversed"
      : "absent"
    : attempt === "reversed"
      ? "succeeded"
      : "absent"

function authorize(
  attempt: Attempt,
  operation: Operation,
  outcome: Outcome,
  at: number,
  actionUntil: number | undefined,
): Attempt {
  const reference = outcome.evidence.reference ?? attempt.reference
  const { action: _action, actionUntil: _until, ...rest } = attempt
  // What was only prepared has come to no scheme.
  const counted = operation.kind === "prepare" ? undefined : resultAfter(outcome, attempt.counted)
  const known: Attempt = {
    ...rest,
    ...(reference === undefined ? {} : { reference }),
    ...(counted === undefined ? {} : { counted }),
    outcome,
  }
  switch (outcome.kind) {
    case "approved":
      switch (outcome.effect) {
        case "prepared":
          return known
        case "verified":
          return { ...known, state: "verified", settledAt: at }
        case "voided":
        case "refunded":
          return { ...known, state: "reversed", settledAt: at }
        case "authorized":
        case "incremented":
          return { ...known, state: "held", authorized: outcome.amount, settledAt: at }
        case "captured":
          return { ...known, state: "held", authorized: outcome.amount, captured: outcome.amount, settledAt: at }
        default:
          return outcome.effect satisfies never
      }
    case "declined":
      return { ...known, state: "declined", settledAt: at }
    case "absent":
      return { ...known, state: "absent", settledAt: at }
    case "action":
      return {
        ...known,
        state: "action",
        action: outcome.action,
        ...(actionUntil === undefined ? {} : { actionUntil }),
      }
    case "rejected":
    case "not_sent":
    case "unknown":
      if (operation.kind === "prepare")
        return { ...known, state: outcome.kind === "not_sent" ? "not_sent" : "rejected", settledAt: at }
      if (operation.kind === "complete")
        return attempt.state === "action" && stateAfter(operation.kind, outcome) === "unknown"
          ? { ...known, state: "open" }
          : attempt
      if (outcome.kind === "not_sent") return { ...known, state: "not_sent", settledAt: at }
      return outcome.kind === "rejected" && outcome.executed === "no"
        ? { ...known, state: "rejected", settledAt: at }
        : { ...known, state: "open" }
    case "pending":
      return { ...known, state: "open" }
    default:
      return outcome satisfies never
  }
}

/**
 * As it was before it was reversed; where only the reversal told that money had been taken, by what it gave back, or by what
 * it was to give back. It holds from now on: an attempt that has stood meanwhile goes on standing.
 */
function bounced(attempt: Attempt, reversal: Operation, at: number): Attempt {
  const captured = attempt.captured > 0n ? attempt.captured : givenBack(reversal)
  const known = captured > attempt.authorized ? captured : attempt.authorized
  return { ...attempt, state: "held", captured, authorized: known > 0n ? known : reversal.amount, settledAt: at }
}

function capture(attempt: Attempt, operation: Operation, outcome: Outcome, correction: boolean): Attempt {
  if (outcome.kind === "approved") {
    const captured = attempt.captured + outcome.amount
    const taken = { ...attempt, captured, released: attempt.released || operation.final }
    if (attempt.state === "held") return taken
    // It was thought to hold nothing: what was taken shows that it did.
    return { ...taken, state: "held", authorized: captured > attempt.authorized ? captured : attempt.authorized }
  }
  return correction && outcome.kind === "declined"
    ? { ...attempt, captured: attempt.captured - booked(operation), released: false }
    : attempt
}

/** What its approval booked, which a correction takes back; of what was never approved by itself, its whole amount. */
const booked = ({ amount, outcome }: Operation): bigint => (outcome?.kind === "approved" ? outcome.amount : amount)

const merge = (before: Evidence, outcome: Outcome, operation: Operation): Evidence => {
  if (!authorizes(operation) && operation.kind !== "prepare") return before
  const { reference: _reference, ...news } = outcome.evidence
  return { ...before, ...news }
}

function reschedule(operation: Operation, event: Extract<PaymentEvent, { type: "operation_rescheduled" }>): Operation {
  const { checkAt: _checkAt, reference, ...rest } = operation
  const { sentAt, earlierRounds = [] } = operation
  const ended = event.nextRoundKey !== undefined && reference !== undefined && sentAt !== undefined
  return {
    ...rest,
    ...(ended ? { earlierRounds: [...earlierRounds, { reference, sentAt }] } : {}),
    // A new round is a new request: what the provider called the last one says nothing about it.
    ...(reference === undefined || event.nextRoundKey !== undefined ? {} : { reference }),
    checks: event.unlooked === true ? operation.checks : operation.checks + 1,
    ...(event.needsPerson === true ? { needsPerson: true } : { checkAt: event.checkAt }),
    ...(event.state === undefined ? {} : { state: event.state }),
    ...(event.nextRoundKey === undefined ? {} : { key: event.nextRoundKey, round: operation.round + 1 }),
    ...(event.reference === undefined ? {} : { reference: event.reference }),
    ...(event.outcome === undefined ? {} : { outcome: event.outcome }),
  }
}

const actedOn = (operation: Operation, act: Act): Operation =>
  act.said === "retry" && isOpen(operation)
    ? { ...operation, acted: act, needsPerson: false, checks: 0, checkAt: act.at }
    : { ...operation, acted: act }

/** A later correction takes back all of it. */
function grown(operation: Operation, by: bigint): Operation {
  const { outcome } = operation
  return {
    ...operation,
    amount: operation.amount + by,
    ...(outcome?.kind === "approved" ? { outcome: { ...outcome, amount: outcome.amount + by } } : {}),
  }
}

function close(operation: Operation, state: OperationState, at: number): Operation {
  const { checkAt: _checkAt, ...rest } = operation
  return { ...rest, state, settledAt: at, needsPerson: false }
}

const put = (operations: readonly Operation[], operation: Operation): readonly Operation[] =>
  operations.some((o) => o.id === operation.id)
    ? operations.map((o) => (o.id === operation.id ? operation : o))
    : [...operations, operation]

const change = <T extends { readonly id: string }>(
  items: readonly T[],
  id: string,
  alter: (item: T) => T,
): readonly T[] => items.map((item) => (item.id === id ? alter(item) : item))
