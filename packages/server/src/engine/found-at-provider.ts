// What somebody did at the provider without us: a capture, refund, void or increment made in its dashboard, or an
// authorization that it let expire. Signed facts, so they are booked as they are; what does not fit yet (its authorization
// is still unknown, or another webhook was overtaken) waits, and what still does not fit then is booked all the same and
// shows as a broken invariant, because what is, is.

import type { Notice } from "../connectors/connector.ts"
import type { Outcome } from "../core/outcome.ts"
import {
  authorizes,
  holders,
  isPlanned,
  isOpen,
  reversalOf,
  standing,
  type Attempt,
  type Operation,
  type OperationKind,
  type Payment,
  type PaymentEvent,
} from "../core/payment.ts"
import { settle, type NewOperation, type Times } from "../core/settlement.ts"

/** `wait`: it may fit later. */
export type Found = readonly PaymentEvent[] | "wait"

export type Finding = {
  readonly payment: Payment
  readonly attempt: Attempt
  readonly notice: Notice
  readonly times: Times
  /** How often it has waited already. */
  readonly tries: number
  readonly create: NewOperation
}

/** Tries after which a fact that does not fit is no longer waited with: what it overtook has come by then, or never will. */
export const BELIEVED_AFTER_TRIES = 4
/** Tries for which an end waits, so that a capture told a moment later is not told of a payment that has ended. */
const ENDS_AFTER_TRIES = 2
const isBelieved = ({ tries }: Finding): boolean => tries >= BELIEVED_AFTER_TRIES

export function foundAtProvider(finding: Finding): Found {
  const { attempt, notice, times } = finding
  switch (notice.about) {
    case "expire":
      return ended(finding, "expired", "the provider says that the authorization has expired")
    case "void":
      return notice.outcome.kind === "approved" ? ended(finding, "canceled", "voided at the provider") : []
    case "reverse":
      if (notice.outcome.kind !== "approved") return []
      // "Cancel or refund": whatever there was has been given back.
      return attempt.captured > 0n
        ? [...givenAll(finding), ...rest(attempt, times.now)]
        : ended(finding, "canceled", "voided at the provider")
    case "capture":
      return captured(finding)
    case "refund":
      return refunded(finding)
    case "increment":
      return notice.outcome.kind === "approved" &&
        attempt.state === "held" &&
        notice.outcome.amount > attempt.authorized
        ? found(finding, "increment", notice.outcome.amount, notice.outcome)
        : []
    case "prepare":
    case "authorize":
    case "complete":
    case "dispute":
    case "other":
      return []
    default:
      return notice.about satisfies never
  }
}

function captured(finding: Finding): Found {
  const { attempt, notice, payment, times, create } = finding
  const { outcome } = notice
  if (attempt.state === "held" && outcome.kind === "declined") return lost(finding)
  if (outcome.kind !== "approved") return []
  if (attempt.state === "open" || attempt.state === "action") return "wait"
  // We know it as ended, and money was taken: what said so was wrong. The payment's own rules decide what stands.
  if (attempt.state === "lapsed" && attempt.authorized > 0n)
    return found(finding, "capture", outcome.amount, outcome, notice.final === true)
  if (attempt.state !== "held") {
    const authorization = payment.operations.findLast((o) => o.attempt === attempt.id && authorizes(o))
    return authorization === undefined || attempt.state === "reversed" || attempt.state === "verified"
      ? []
      : settle(
          payment,
          authorization.id,
          { ...outcome, effect: "captured", evidence: evidenceOf(notice) },
          times,
          create,
        )
  }
  const amount = notice.sum === true ? outcome.amount - byHand(payment, attempt, "capture") : outcome.amount
  // An automatic capture is told again by its own webhook: nothing new.
  if (amount <= 0n || attempt.captured >= attempt.authorized) return []
  const room = attempt.authorized - attempt.captured - inFlight(payment, attempt, "capture")
  if (amount > room && !isBelieved(finding)) return "wait"
  return found(finding, "capture", amount, { ...outcome, amount }, notice.final === true)
}

/** Of the payment there, not of what was made by hand. */
const evidenceOf = ({ reference }: Notice) => (reference === undefined ? {} : { reference })

/** The capture that came with an automatic authorization failed afterwards: the money was never taken. */
function lost(finding: Finding): readonly PaymentEvent[] {
  const { attempt, payment, notice } = finding
  const whole = attempt.captured === attempt.authorized && attempt.captured > 0n
  return payment.intent.capture === "automatic" && whole
    ? found(finding, "capture", attempt.captured, notice.outcome)
    : []
}

function refunded(finding: Finding): Found {
  const { attempt, notice, payment } = finding
  const { outcome } = notice
  if (outcome.kind !== "approved" || attempt.state === "reversed" || attempt.state === "verified") return []
  if (attempt.state === "open" || attempt.state === "action") return "wait"
  if (attempt.state !== "held") return isBelieved(finding) ? [] : "wait"
  const amount = notice.sum === true ? outcome.amount - byHand(payment, attempt, "refund") : outcome.amount
  if (amount <= 0n) return []
  return amount > refundable(payment, attempt) && !isBelieved(finding) ? "wait" : given(finding, amount)
}

const given = (finding: Finding, amount: bigint): readonly PaymentEvent[] =>
  amount <= 0n || finding.notice.outcome.kind !== "approved"
    ? []
    : found(finding, "refund", amount, { ...finding.notice.outcome, effect: "refunded", amount })

/**
 * The rest beside our refunds that are on their way; what one of them turns out not to have given back counts as given by
 * this one then (settlement.ts), and therefore it is noted even where it is nothing so far.
 */
function givenAll(finding: Finding): readonly PaymentEvent[] {
  const { attempt, payment, notice } = finding
  const beside = ofKind(payment, attempt, "refund").filter(isOpen)
  const left = refundable(payment, attempt)
  if (beside.length === 0 || notice.outcome.kind !== "approved") return given(finding, left)
  const amount = left > 0n ? left : 0n
  const outcome: Outcome = { ...notice.outcome, effect: "refunded", amount }
  return found(finding, "refund", amount, outcome, false, beside)
}

/** Nothing of the authorization is left: the payment ends with it, unless money was taken or another attempt stands. */
function ended(finding: Finding, as: "canceled" | "expired", why: string): Found {
  const { attempt, payment, times } = finding
  const at = times.now
  // Its verdict is still to come, and says more than this.
  if (attempt.state === "open") return "wait"
  if (attempt.state !== "held" && attempt.state !== "action") return []
  // Our own capture on its way says what became of the rest.
  if (finding.tries < ENDS_AFTER_TRIES || inFlight(payment, attempt, "capture") > 0n) return "wait"
  if (attempt.captured > 0n) return rest(attempt, at)
  const alone =
    !isPlanned(payment) &&
    reversalOf(payment, attempt.id) === undefined &&
    (standing(payment)?.id ?? attempt.id) === attempt.id &&
    holders(payment).every((a) => a.id === attempt.id)
  return [
    ...(alone && payment.ending === undefined && payment.closed === undefined
      ? [{ type: "ending_requested", as, reason: why, at } as const]
      : []),
    { type: "attempt_lapsed", attempt: attempt.id, at },
  ]
}

/** The part that was not captured is released. */
const rest = ({ id, authorized, captured: taken, released }: Attempt, at: number): readonly PaymentEvent[] =>
  released || taken >= authorized ? [] : [{ type: "attempt_lapsed", attempt: id, at }]

const ofKind = (payment: Payment, attempt: Attempt, kind: OperationKind): readonly Operation[] =>
  payment.operations.filter((o) => o.attempt === attempt.id && o.kind === kind)
const total = (operations: readonly Operation[]): bigint => operations.reduce((sum, o) => sum + o.amount, 0n)
const byHand = (payment: Payment, attempt: Attempt, kind: OperationKind): bigint =>
  total(ofKind(payment, attempt, kind).filter((o) => o.origin === "provider" && o.state === "succeeded"))
const inFlight = (payment: Payment, attempt: Attempt, kind: OperationKind): bigint =>
  total(ofKind(payment, attempt, kind).filter(isOpen))
const refundable = (payment: Payment, attempt: Attempt): bigint =>
  attempt.captured - attempt.refunded - inFlight(payment, attempt, "refund")

function found(
  { attempt, create, notice, times }: Finding,
  kind: OperationKind,
  amount: bigint,
  outcome: Outcome,
  final = false,
  beside: readonly Operation[] = [],
): readonly PaymentEvent[] {
  const { id, key } = create()
  const operation: Operation = {
    id,
    attempt: attempt.id,
    kind,
    state: outcome.kind === "approved" ? "succeeded" : "failed",
    amount,
    key,
    round: 0,
    final,
    createdAt: times.now,
    checks: 0,
    settledAt: times.now,
    outcome,
    origin: "provider",
    needsPerson: false,
    // By it a second telling is known.
    reference: notice.operationReference ?? notice.eventId,
    ...(beside.length === 0 ? {} : { beside: beside.map((o) => o.id) }),
  }
  return [{ type: "found_at_provider", operation, outcome, at: times.now }]
}
