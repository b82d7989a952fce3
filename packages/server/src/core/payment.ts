// A payment and everything tried for it, as one value. `evolve` is the only way it changes; it is pure and total, and
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

import type { AccountId, AttemptId, DisputeId, MerchantId, OperationId, PaymentId } from "./id.ts"
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
  /** When someone has to look at it again. Undefined once closed. */
  readonly checkAt?: number
  readonly checks: number
  readonly settledAt?: number
  /** The provider's id of the capture, refund, … */
  readonly reference?: string
  readonly outcome?: Outcome
  /** Why it was asked for, in the asker's words. */
  readonly reason?: string
  /** `provider` where it was made at the provider and we only learned of it. */
  readonly origin: "merchant" | "engine" | "provider"
  /** The schedule is exhausted: a person has to look. It still counts as open. */
  readonly needsPerson: boolean
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
  readonly evidence: Evidence
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

export type Failure = { readonly reason: DeclineReason; readonly raw?: Raw; readonly attempt?: AttemptId }

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
  /** The plan of attempts: it starts none after `answerBy`, and after a crash it is over at `answerBy`. */
  readonly plan: { readonly state: "idle" | "running" | "over"; readonly answerBy?: number; readonly owner?: string }
  readonly closed?: { readonly as: "failed" | "canceled" | "expired"; readonly at: number }
  /** The merchant wants it canceled; it is closed once nothing is held and nothing is open. */
  readonly cancelRequested?: { readonly reason?: string; readonly at: number }
  readonly failure?: Failure
  readonly authorizedUntil?: number
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
      readonly at: number
    }
  | { readonly type: "reversal_owed"; readonly operation: Operation; readonly at: number }
  | { readonly type: "cancel_requested"; readonly reason?: string; readonly at: number }
  /** The action was canceled or expired at the provider, or its page's time is over and the reversal is done. */
  | { readonly type: "attempt_lapsed"; readonly attempt: AttemptId; readonly at: number }
  | { readonly type: "plan_over"; readonly failure?: Failure; readonly at: number }
  | { readonly type: "closed"; readonly as: "failed" | "canceled" | "expired"; readonly at: number }
  /** A capture, refund or void that was made at the provider, not by us. */
  | {
      readonly type: "found_at_provider"
      readonly operation: Operation
      readonly outcome: Outcome
      readonly at: number
    }
  | { readonly type: "disputed"; readonly dispute: Dispute; readonly at: number }
