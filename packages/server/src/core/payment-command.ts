// What a merchant may ask of a payment, and when. Each function answers with the operation to write ahead, its amount
// reserved in the same moment, or with the reason why not. Pure: ids, keys and times are handed in.

import { given } from "./given.ts"
import {
  amountsOf,
  isOpen,
  reversalOf,
  standing,
  statusOf,
  type Attempt,
  type Operation,
  type OperationKind,
  type Payment,
} from "./payment.ts"
import type { NewOperation } from "./settlement.ts"

/** Codes of the fault table (fault.ts) that a command may end in. */
export type RefusalCode =
  | "payment.not_confirmable"
  | "payment.not_capturable"
  | "payment.not_refundable"
  | "payment.not_cancelable"
  | "payment.not_incrementable"
  | "payment.no_action"
  | "amount.exceeds_authorized"
  | "amount.exceeds_captured"
  | "amount.not_positive"
  | "amount.not_higher"
  | "amount.not_expressible"
  | "provider.unsupported"
  | "account.disabled"
  | "operations.too_many"

export type Refusal = { readonly kind: "refused"; readonly code: RefusalCode; readonly detail: string }
export type Reserved = { readonly kind: "reserved"; readonly operation: Operation; readonly attempt: Attempt }

/** What the account's provider can do beyond the plain operation, from its manifest. */
export type Abilities = {
  readonly partialCapture: boolean
  readonly multipleCaptures: boolean
  readonly partialRefund: boolean
  readonly multipleRefunds: boolean
  readonly increment: boolean
}

/** Captures, refunds and increments of one payment at most. */
export const MAX_OPERATIONS = 200
/** Returns of a customer that are worth a question to the provider: its address is public. */
export const MAX_COMPLETIONS = 20

export type Send = {
  readonly now: number
  readonly sendUntil: number
  readonly deadline: number
  readonly owner: string
  readonly generation?: number
  readonly create: NewOperation
}

/** The attempt that a command is about; none where there is nothing that it could be about. */
export const addressed = (payment: Payment, command: "capture" | "refund" | "increment" | "cancel" | "complete") =>
  command === "complete"
    ? payment.attempts.find((a) => a.state === "action" && reversalOf(payment, a.id) === undefined)
    : standing(payment)

export function capture(
  payment: Payment,
  amount: bigint | undefined,
  final: boolean | undefined,
  abilities: Abilities,
  send: Send,
): Reserved | Refusal {
  const attempt = standing(payment)
  const { authorized, captured, capturing } = amountsOf(payment)
  const left = authorized - captured - capturing
  if (
    attempt === undefined ||
    attempt.state !== "held" ||
    attempt.released ||
    payment.ending !== undefined ||
    voiding(payment, attempt)
  ) {
    return refuse("payment.not_capturable", `A payment that is ${statusOf(payment)} has nothing to capture.`)
  }
  if (payment.operations.some((o) => o.kind === "capture" && o.attempt === attempt.id && isOpen(o) && o.final))
    return refuse("payment.not_capturable", "A final capture is already on its way.")
  // What "all" is, and what a last capture gives up, nobody knows before the increment's verdict. An amount that is said is.
  const incrementing = payment.operations.some((o) => o.kind === "increment" && o.attempt === attempt.id && isOpen(o))
  if (incrementing && (amount === undefined || final === undefined))
    return refuse(
      "payment.not_capturable",
      "An increment is on its way: wait for its verdict, or say both the amount and whether this capture is final.",
    )
  if (payment.authorizedUntil !== undefined && send.now >= payment.authorizedUntil)
    return refuse("payment.not_capturable", "The authorization has run out: make a new payment.")
  const asked = amount ?? left
  if (left <= 0n)
    return refuse("payment.not_capturable", "Everything that was authorized is captured, or its capture is on its way.")
  if (asked <= 0n) return refuse("amount.not_positive", "The amount to capture must be above 0.")
  if (asked > left)
    return refuse(
      "amount.exceeds_authorized",
      `At most ${left} can still be captured: ${authorized} authorized, ${captured} captured, ${capturing} on its way.`,
    )
  const last = final ?? (asked === left || !abilities.multipleCaptures)
  if (asked < left && !abilities.partialCapture)
    return refuse("provider.unsupported", "This provider captures only the whole authorized amount.")
  if (!last && !abilities.multipleCaptures)
    return refuse("provider.unsupported", "This provider captures only once per payment: the first capture is final.")
  return reserve(payment, attempt, "capture", asked, last, send)
}

export function refund(
  payment: Payment,
  amount: bigint | undefined,
  reason: string | undefined,
  abilities: Abilities,
  send: Send,
): Reserved | Refusal {
  const attempt = standing(payment)
  const { captured, refunded, refunding, disputed } = amountsOf(payment)
  // What a chargeback has taken back already would be given back twice.
  const left = captured - refunded - refunding - disputed
  if (attempt === undefined || captured === 0n)
    return refuse("payment.not_refundable", `A payment that is ${statusOf(payment)} has nothing to refund.`)
  if (left <= 0n)
    return refuse(
      "payment.not_refundable",
      "Everything that was captured is refunded or disputed, or its refund is on its way.",
    )
  const asked = amount ?? left
  if (asked <= 0n) return refuse("amount.not_positive", "The amount to refund must be above 0.")
  if (asked > left)
    return refuse(
      "amount.exceeds_captured",
      `At most ${left} can still be refunded: ${captured} captured, ${refunded} refunded, ${refunding} on its way, ${disputed} disputed.`,
    )
  if (asked < captured && !abilities.partialRefund)
    return refuse("provider.unsupported", "This provider refunds only the whole captured amount.")
  if (refunded + refunding > 0n && !abilities.multipleRefunds)
    return refuse("provider.unsupported", "This provider refunds only once per payment.")
  return reserve(payment, attempt, "refund", asked, false, send, reason)
}

/** `amount` is the new total to authorize. */
export function increment(payment: Payment, amount: bigint, abilities: Abilities, send: Send): Reserved | Refusal {
  const attempt = standing(payment)
  if (
    attempt === undefined ||
    statusOf(payment) !== "authorized" ||
    attempt.state !== "held" ||
    payment.ending !== undefined
  ) {
    return refuse("payment.not_incrementable", `A payment that is ${statusOf(payment)} cannot be incremented.`)
  }
  if (payment.operations.some((o) => (o.kind === "increment" || o.kind === "capture") && isOpen(o)))
    return refuse("payment.not_incrementable", "Another operation on the authorization is on its way.")
  if (amount <= attempt.authorized)
    return refuse("amount.not_higher", `The new total must be above the ${attempt.authorized} that is authorized.`)
  if (!abilities.increment) return refuse("provider.unsupported", "This provider cannot increment an authorization.")
  return reserve(payment, attempt, "increment", amount, false, send)
}

export type Cancel = {
  readonly kind: "cancel"
  readonly void: Operation | undefined
  readonly attempt: Attempt | undefined
}

/** What is authorized is voided by an operation of its own; what may be authorized is owed a reversal (see consequences). */
export function cancel(payment: Payment, send: Send): Cancel | Refusal {
  if (payment.closed !== undefined || payment.ending !== undefined)
    return refuse(
      "payment.not_cancelable",
      `The payment is ${payment.closed?.as ?? `already being ${payment.ending?.as}`}.`,
    )
  const attempt = standing(payment)
  if (attempt !== undefined && attempt.captured > 0n)
    return refuse(
      "payment.not_cancelable",
      "Money was captured: refund it. What is left of the authorization is released by a capture that is final, or lapses.",
    )
  if (
    attempt !== undefined &&
    payment.operations.some(
      (o) => (o.kind === "capture" || o.kind === "increment") && o.attempt === attempt.id && isOpen(o),
    )
  ) {
    return refuse("payment.not_cancelable", "Another operation on the authorization is on its way.")
  }
  if (attempt?.state !== "held" || attempt.reference === undefined) return { kind: "cancel", void: undefined, attempt }
  const reserved = reserve(payment, attempt, "void", attempt.authorized, true, send)
  return reserved.kind === "refused" ? reserved : { kind: "cancel", void: reserved.operation, attempt }
}

/** The customer is back: the provider is asked to finish, or asked what became of it. */
export function complete(payment: Payment, send: Send): Reserved | Refusal {
  const attempt = addressed(payment, "complete")
  if (attempt === undefined || payment.ending !== undefined)
    return refuse("payment.no_action", `A payment that is ${statusOf(payment)} waits for no customer.`)
  if (payment.operations.some((o) => o.kind === "complete" && o.attempt === attempt.id && isOpen(o)))
    return refuse("payment.no_action", "The return of the customer is being worked on.")
  return reserve(payment, attempt, "complete", payment.requested, false, send)
}

function reserve(
  payment: Payment,
  attempt: Attempt,
  kind: OperationKind,
  amount: bigint,
  final: boolean,
  send: Send,
  reason?: string,
): Reserved | Refusal {
  // What the merchant asked for counts. A void is never refused for it, nor do a customer's returns use it up.
  const counted = payment.operations.filter((o) =>
    kind === "complete" ? o.kind === "complete" : o.origin === "merchant" && o.kind !== "complete",
  ).length
  const most = kind === "complete" ? MAX_COMPLETIONS : MAX_OPERATIONS
  if (kind !== "void" && counted >= most)
    return refuse("operations.too_many", `A payment has at most ${most} operations of this kind.`)
  const { id, key } = send.create()
  const operation: Operation = {
    id,
    attempt: attempt.id,
    kind,
    state: "sent",
    amount,
    key,
    round: 0,
    final,
    createdAt: send.now,
    sentAt: send.now,
    sendUntil: send.sendUntil,
    deadline: send.deadline,
    owner: send.owner,
    ...given({ generation: send.generation }),
    checkAt: send.deadline,
    checks: 0,
    origin: "merchant",
    needsPerson: false,
    ...(reason === undefined ? {} : { reason }),
  }
  return { kind: "reserved", operation, attempt }
}

const voiding = (payment: Payment, attempt: Attempt): boolean =>
  payment.operations.some((o) => o.kind === "void" && o.attempt === attempt.id && isOpen(o))
const refuse = (code: RefusalCode, detail: string): Refusal => ({ kind: "refused", code, detail })
