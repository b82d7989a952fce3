// A payment and everything tried for it, as one value, and what can be read from it. evolve.ts is the only way it changes;
// the stored rows are nothing but this value. What may happen next is decided in payment-command.ts and settlement.ts.
//
//   status                 | means                                                        | leads to
//   requires_confirmation  | created, nothing sent                                        | processing, canceled, expired
//   processing             | an operation is open or the plan still runs                  | every other
//   requires_action        | the customer must act at the provider; may hold money        | processing, canceled, expired
//   authorized             | money is held (or the card verified, amount 0)               | captures, canceled, expired
//   partially_captured     | some of it is taken, more may follow                         | captured
//   captured               | taken; refunds and disputes stand beside it in the amounts   | (terminal)
//   canceled · failed · expired | nothing is held and nothing is open                     | (terminal)

import type { AttemptResult } from "./card-attempt.ts"
import type { Follows, Stopped } from "./following.ts"
import type { AttemptShape } from "./attempt-shape.ts"
import type { AccountId, AttemptId, DisputeId, IncidentId, MerchantId, OperationId, PaymentId } from "./id.ts"
import type { Intent } from "./intent.ts"
import type { Action, Evidence, Outcome, Raw } from "./outcome.ts"
import type { DeclineReason } from "./decline.ts"

/**
 * What we can ask of a provider. `prepare` makes an object that cannot charge by itself, so that its id is known before
 * money moves (Stripe: an unconfirmed PaymentIntent). `complete` finishes after a redirect. `reverse` undoes an
 * attempt whatever became of it: it voids what is authorized and refunds what is captured.
 */
export type OperationKind =
  | "prepare"
  | "authorize"
  | "complete"
  | "capture"
  | "void"
  | "refund"
  | "increment"
  | "reverse"

/**
 * owed      a stored obligation, not yet (or not again) sent
 * sent      written before the request was handed to a socket; its owner acts until `deadline`
 * unknown   silence or nonsense: money may have moved
 * pending   the provider accepted and will tell
 * action    the customer must act
 * succeeded · failed · absent (proven never to have taken effect) · not_sent · reversed: closed
 */
export type OperationState =
  | "owed"
  | "sent"
  | "unknown"
  | "pending"
  | "action"
  | "succeeded"
  | "failed"
  | "absent"
  | "not_sent"
  | "reversed"

export type Operation = {
  readonly id: OperationId
  readonly attempt: AttemptId
  readonly kind: OperationKind
  readonly state: OperationState
  /** Minor units, reserved from the moment the operation is stored. An increment's is the new total. */
  readonly amount: bigint
  /** Idempotency key at the provider. A new round (reversals only) has a new key; copies of one request share it. */
  readonly key: string
  readonly round: number
  readonly final: boolean
  /** All times are ms since the epoch in database time. */
  readonly createdAt: number
  readonly sentAt?: number
  /** No copy of the request is started after this. */
  readonly sendUntil?: number
  /** The owner listens until then; only afterwards may `recover` take the operation. */
  readonly deadline?: number
  readonly owner?: string
  /** Of the account's credentials, as it was sent: after a change that may be to another provider account, this differs. */
  readonly generation?: number
  /** When someone has to look at it again. Undefined once closed. */
  readonly checkAt?: number
  readonly checks: number
  readonly settledAt?: number
  /** The provider's id of the capture, refund, … */
  readonly reference?: string
  /** What the provider called earlier rounds, and when they were sent: their webhooks may come late. */
  readonly earlierRounds?: readonly { readonly reference: string; readonly sentAt: number }[]
  readonly outcome?: Outcome
  /** Why it was asked for, in the asker's words. */
  readonly reason?: string
  /**
   * Of a refund by hand that gave back all there was: our refunds that were under way beside it. What one of them does not
   * give back, this one did.
   */
  readonly beside?: readonly OperationId[]
  /** `provider` where it was made at the provider and we only learned of it. */
  readonly origin: "merchant" | "engine" | "provider"
  /** The schedule is exhausted: a person has to look. It still counts as open. */
  readonly needsPerson: boolean
  /** What a person did about it last. */
  readonly acted?: Act
}

/** What a person does about an operation: has it looked at anew, or says what the provider's back office shows of it. */
export type Verdict = "succeeded" | "failed" | "absent" | "reversed"
export type Act = {
  readonly said: "retry" | Verdict
  /** Who: the person's name, and the API key that was used. */
  readonly by: string
  readonly key: string
  readonly note?: string
  readonly at: number
}

/**
 * open      its authorization is sent, unknown or pending: may hold money
 * action    waits for the customer: may hold money
 * held      authorized or captured
 * verified  a zero-amount check succeeded
 * declined · rejected · not_sent · absent · reversed · lapsed (the action was never completed): holds nothing
 */
export type AttemptState =
  | "open"
  | "action"
  | "held"
  | "verified"
  | "declined"
  | "rejected"
  | "not_sent"
  | "absent"
  | "reversed"
  | "lapsed"

export type Attempt = {
  readonly id: AttemptId
  readonly ordinal: number
  readonly account: AccountId
  readonly connector: string
  readonly state: AttemptState
  readonly startedAt: number
  readonly settledAt?: number
  /** The provider's id of the payment. */
  readonly reference?: string
  readonly authorized: bigint
  readonly captured: bigint
  readonly refunded: bigint
  /** A final capture was made: the rest is released. */
  readonly released: boolean
  readonly action?: Action
  readonly actionUntil?: number
  readonly outcome?: Outcome
  /** What the card's budget has of it (card-attempt.ts). */
  readonly counted?: AttemptResult
  readonly evidence: Evidence
  /** How it differs from what the merchant asked for; every copy of its request is sent so. */
  readonly shape?: AttemptShape
  /** Of an attempt after another one: why it was allowed. */
  readonly follows?: Follows
  /** Why this account, at this place in the plan. Stored as routing made it. */
  readonly decision: unknown
}

export type Dispute = {
  readonly id: DisputeId
  readonly reference: string
  readonly stage: "inquiry" | "opened" | "won" | "lost" | "reversed"
  readonly amount: bigint
  readonly reason?: string
  readonly dueAt?: string
  readonly at: number
}

/**
 * Our books do not add up (invariant.ts): a provider reported what was never asked for. What is, is booked; a person has to
 * look into it, and says so.
 */
export type Incident = {
  readonly id: IncidentId
  readonly violation: string
  readonly at: number
  readonly acknowledged?: Acknowledgement
}
export type Acknowledgement = Omit<Act, "said" | "note"> & { readonly note: string }

export type PaymentStatus =
  | "requires_confirmation"
  | "requires_action"
  | "processing"
  | "authorized"
  | "partially_captured"
  | "captured"
  | "canceled"
  | "failed"
  | "expired"
export const terminalStatuses: ReadonlySet<PaymentStatus> = new Set(["captured", "canceled", "failed", "expired"])

/** Why a payment failed without any provider saying so. */
export type EngineReason =
  | "no_eligible_account"
  | "declined_by_policy"
  | "partially_approved"
  | "card_no_longer_kept"
  | "provider_unreachable"
  | "never_arrived"
  | "interrupted"

export type Failure = {
  readonly reason: DeclineReason | EngineReason
  readonly raw?: Raw
  readonly attempt?: AttemptId
}

export type Waits = { readonly until: number; readonly step: string; readonly account: AccountId }

export type Skipped = { readonly account: AccountId; readonly reason: string }

export type Payment = {
  readonly id: PaymentId
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  /** Counts commits. Every write compares it; it is also the `sequence` of webhooks. */
  readonly version: number
  readonly intent: Intent
  /** Minor units. Starts as the intent's amount; increments raise it. */
  readonly requested: bigint
  readonly attempts: readonly Attempt[]
  readonly operations: readonly Operation[]
  readonly disputes: readonly Dispute[]
  /** All that there ever were; absent where there was none. */
  readonly incidents?: readonly Incident[]
  /** The plan of attempts: it starts none after `answerBy`, and after a crash it is over at `answerBy`; or it waits. */
  readonly plan: {
    readonly state: "idle" | "running" | "waiting" | "over"
    /** Of a plan that waits: when it goes on with which step of the retry plan, and at which account. */
    readonly waits?: Waits
    readonly answerBy?: number
    readonly owner?: string
    /** Accounts that another attempt was allowed for, and why it was not made there. */
    readonly skipped?: readonly Skipped[]
    /** Why no other attempt was made after the last one. */
    readonly stopped?: Stopped
  }
  readonly closed?: { readonly as: "failed" | "canceled" | "expired"; readonly at: number }
  /** It shall end: it is closed as this once nothing is held and nothing is open. */
  readonly ending?: {
    readonly as: "canceled" | "expired"
    readonly reason?: string
    readonly by?: string
    readonly at: number
  }
  readonly failure?: Failure
  readonly authorizedUntil?: number
  /** The merchant was told that the authorization is about to run out. */
  readonly expiryTold?: true
  readonly createdAt: number
  readonly updatedAt: number
}

export type PaymentEvent =
  | { readonly type: "created"; readonly payment: Payment; readonly at: number }
  | {
      readonly type: "confirmed"
      readonly intent: Intent
      readonly answerBy: number
      readonly owner: string
      readonly at: number
    }
  | { readonly type: "attempt_started"; readonly attempt: Attempt; readonly operation: Operation; readonly at: number }
  | { readonly type: "operation_sent"; readonly operation: Operation; readonly at: number }
  | {
      readonly type: "operation_settled"
      readonly operation: OperationId
      readonly outcome: Outcome
      readonly checkAt?: number
      readonly actionUntil?: number
      readonly authorizedUntil?: number
      readonly correction: boolean
      readonly at: number
    }
  /** Looked at without a verdict: look again later. A reversal that must be sent again gets its next round's key. */
  | {
      readonly type: "operation_rescheduled"
      readonly operation: OperationId
      readonly checkAt: number
      readonly state?: "owed" | "unknown" | "pending"
      readonly nextRoundKey?: string
      readonly reference?: string
      readonly outcome?: Outcome
      readonly needsPerson?: boolean
      /** Nobody has looked yet, only the time has changed: the schedule stays where it is. */
      readonly unlooked?: true
      readonly at: number
    }
  /** A person acted: `retry` starts the schedule anew; a verdict is recorded here and settled by an event of its own. */
  | { readonly type: "operator_acted"; readonly operation: OperationId; readonly act: Act; readonly at: number }
  | { readonly type: "reversal_owed"; readonly operation: Operation; readonly at: number }
  | {
      readonly type: "ending_requested"
      readonly as: "canceled" | "expired"
      readonly reason?: string
      /** Which request of the merchant it was: two may come in one millisecond. */
      readonly by?: string
      readonly at: number
    }
  /** Money was taken before it could end: it goes on as what it is. */
  | { readonly type: "ending_overtaken"; readonly at: number }
  /** Nothing came of it, or nothing is left of it; where something was captured, the uncaptured rest is gone. */
  | { readonly type: "attempt_lapsed"; readonly attempt: AttemptId; readonly at: number }
  | {
      readonly type: "plan_over"
      readonly failure?: Failure
      readonly skipped?: readonly Skipped[]
      readonly stopped?: Stopped
      readonly at: number
    }
  /** Nothing is open, and the next attempt is for later: whoever recovers resumes the plan then. */
  | { readonly type: "plan_waits"; readonly waits: Waits; readonly at: number }
  | { readonly type: "plan_resumed"; readonly answerBy: number; readonly owner: string; readonly at: number }
  | {
      readonly type: "closed"
      readonly as: "failed" | "canceled" | "expired"
      /** Why it failed, where no plan has said so before. */
      readonly failure?: Failure
      readonly at: number
    }
  /** A capture, refund or void that was made at the provider, not by us. */
  | {
      readonly type: "found_at_provider"
      readonly operation: Operation
      readonly outcome: Outcome
      readonly at: number
    }
  /** A refund of ours came to nothing, because one by hand had given back its amount too. */
  | {
      readonly type: "given_back_by_hand"
      /** The one by hand. */
      readonly operation: OperationId
      readonly amount: bigint
      readonly at: number
    }
  | {
      readonly type: "reference_learned"
      readonly attempt: AttemptId
      readonly reference: string
      readonly at: number
    }
  | { readonly type: "authorization_expiring"; readonly at: number }
  | { readonly type: "disputed"; readonly dispute: Dispute; readonly at: number }
  | { readonly type: "invariant_broken"; readonly incident: Incident; readonly at: number }
  | {
      readonly type: "incident_acknowledged"
      readonly incident: IncidentId
      readonly acknowledgement: Acknowledgement
      readonly at: number
    }

export const openStates: ReadonlySet<OperationState> = new Set(["owed", "sent", "unknown", "pending", "action"])
export const isOpen = (operation: Operation): boolean => openStates.has(operation.state)
export const mayHold = (attempt: Attempt): boolean =>
  attempt.state === "open" || attempt.state === "action" || attempt.state === "held"
export const authorizes = (operation: Operation): boolean =>
  operation.kind === "authorize" || operation.kind === "complete"

/** Other attempts may still follow. */
export const isPlanned = ({ plan }: Payment): boolean => plan.state === "running" || plan.state === "waiting"

/** Somebody has to look: the schedule has given up on an operation, or the books do not add up. */
export const needsPerson = (payment: Payment): boolean =>
  payment.operations.some((o) => isOpen(o) && o.needsPerson) || openIncidents(payment).length > 0

/** Those that nobody has looked into. */
export const openIncidents = ({ incidents = [] }: Payment): readonly Incident[] =>
  incidents.filter(({ acknowledged }) => acknowledged === undefined)

/** A stored obligation to reverse the attempt that is still to be met. */
export const reversalOf = (payment: Payment, attempt: AttemptId): Operation | undefined =>
  payment.operations.find((o) => o.kind === "reverse" && o.attempt === attempt && isOpen(o))

/** Attempts that hold or may hold money and are not going to be reversed. The first invariant: at most one. */
export const holders = (payment: Payment): readonly Attempt[] =>
  payment.attempts.filter((a) => mayHold(a) && reversalOf(payment, a.id) === undefined)

/** The attempt that stands for the payment: it holds its money, or verified its card. What stood first stays. */
export const standing = (payment: Payment): Attempt | undefined =>
  firstSettled(
    payment.attempts.filter(
      (a) => (a.state === "held" || a.state === "verified") && reversalOf(payment, a.id) === undefined,
    ),
  )

/**
 * The one that was settled first. Of two in one moment the later attempt: an earlier one had ended before it began, so
 * that its success is the news.
 */
export const firstSettled = (attempts: readonly Attempt[]): Attempt | undefined =>
  attempts.length < 2
    ? attempts[0]
    : attempts.toSorted((a, b) => (a.settledAt ?? 0) - (b.settledAt ?? 0) || b.ordinal - a.ordinal)[0]

export const attemptOf = (payment: Payment, id: AttemptId): Attempt | undefined =>
  payment.attempts.find((a) => a.id === id)
export const operationOf = (payment: Payment, id: OperationId): Operation | undefined =>
  payment.operations.find((o) => o.id === id)

/** What a reversal says that it gave back: money may have been taken by an authorization that nobody ever told of. */
export const givenBack = ({ amount, outcome }: Operation): bigint =>
  outcome?.kind !== "approved" || outcome.effect !== "refunded" ? 0n : outcome.amount > 0n ? outcome.amount : amount

/** Minor units. `capturing` and `refunding` are reserved by operations without a verdict. */
export type Amounts = {
  readonly requested: bigint
  readonly authorized: bigint
  readonly captured: bigint
  readonly refunded: bigint
  readonly disputed: bigint
  readonly capturing: bigint
  readonly refunding: bigint
}

export function amountsOf(payment: Payment): Amounts {
  const held = standing(payment)
  const reserved = (kind: OperationKind): bigint =>
    payment.operations.reduce(
      (total, o) => (o.kind === kind && isOpen(o) && o.attempt === held?.id ? total + o.amount : total),
      0n,
    )
  return {
    requested: payment.requested,
    authorized: held?.authorized ?? 0n,
    captured: held?.captured ?? 0n,
    refunded: held?.refunded ?? 0n,
    disputed: payment.disputes.reduce(
      (total, d) => (d.stage === "opened" || d.stage === "lost" ? total + d.amount : total),
      0n,
    ),
    capturing: reserved("capture"),
    refunding: reserved("refund"),
  }
}

export function statusOf(payment: Payment): PaymentStatus {
  if (payment.closed) return payment.closed.as
  const held = standing(payment)
  if (held !== undefined) {
    if (payment.operations.some((o) => o.kind === "void" && o.attempt === held.id && isOpen(o))) return "processing"
    if (held.captured === 0n) return "authorized"
    return held.captured >= held.authorized || held.released ? "captured" : "partially_captured"
  }
  if (holders(payment).some((a) => a.state === "action")) return "requires_action"
  return payment.plan.state === "idle" && payment.attempts.length === 0 && payment.ending === undefined
    ? "requires_confirmation"
    : "processing"
}

/** After `answerBy` the plan's owner has this long to say that it is over; then anybody may (ms). */
export const PLAN_GRACE_MS = 5_000
/** An unconfirmed payment expires (ms). */
export const UNCONFIRMED_MS = 24 * 3_600_000

/** How long before its end the merchant is told that an authorization runs out (ms), or half its life if that is shorter. */
export const TELL_EXPIRY_MS = 24 * 3_600_000
export const tellExpiryAt = (payment: Payment, until: number): number =>
  Math.max(until - TELL_EXPIRY_MS, payment.createdAt + Math.floor((until - payment.createdAt) / 2))

/** When somebody has to look at the payment again (ms, database time). Everything that is not at rest has such a time, or waits for a person. */
export function wakeAt(payment: Payment): number | undefined {
  const times = payment.operations.filter(isOpen).flatMap((o) => (o.checkAt === undefined ? [] : [o.checkAt]))
  if (payment.plan.state === "running" && payment.plan.answerBy !== undefined)
    times.push(payment.plan.answerBy + PLAN_GRACE_MS)
  if (payment.plan.state === "waiting" && payment.plan.waits !== undefined) times.push(payment.plan.waits.until)
  const held = standing(payment)
  if (
    held?.state === "held" &&
    held.captured < held.authorized &&
    !held.released &&
    payment.authorizedUntil !== undefined
  ) {
    // What is under way has times of its own, and decides first.
    const busy =
      payment.ending !== undefined ||
      (held.captured === 0n && payment.operations.some((o) => o.kind === "capture" && isOpen(o)))
    if (payment.expiryTold !== true) times.push(tellExpiryAt(payment, payment.authorizedUntil))
    else if (!busy) times.push(payment.authorizedUntil)
  }
  if (statusOf(payment) === "requires_confirmation") times.push(payment.createdAt + UNCONFIRMED_MS)
  return times.length === 0 ? undefined : Math.min(...times)
}
