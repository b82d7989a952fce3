// What is done to a payment after its authorization. Captures, voids and refunds are accepted with an action id,
// processed a little later, and told by webhook; increments are decided at once.
import { amountAt, type JsonObject, textAt, valueAt } from "../json-body.ts"
import { fromIso, toIso } from "./amount.ts"
import { askIssuer } from "./decide.ts"
import { type Checked, failed, invalid, NOT_ALLOWED } from "./error.ts"
import { balancesOf, linksOf } from "./payment-view.ts"
import { APPROVED, responseCodeOf, summaryOf } from "./response-code.ts"
import {
  actionData,
  type ActionType,
  addAction,
  chargeOf,
  type CheckoutState,
  newId,
  type Payment,
  timestamp,
  unwatchEnded,
} from "./state.ts"
import { CAPTURE_DECLINES, REFUND_DECLINES } from "./test-values.ts"
import { ACTION_MS, EVENT_MS, validUntil } from "./timing.ts"

const DECLINED = "20005"
const MAX_REFERENCE = 50

export type Part = {
  readonly id: string
  /** ISO minor units. */
  readonly amount: bigint
  readonly final: boolean
  readonly reference: string | undefined
  readonly metadata: Readonly<Record<string, unknown>> | undefined
}

export function requestCapture(state: CheckoutState, payment: Payment, body: JsonObject): Checked<unknown> {
  const charge = chargeOf(state, payment)
  if (charge.state !== "authorized" || charge.capturable === 0n) return failed(NOT_ALLOWED)
  const part = readPart(state, payment, body, charge.capturable)
  if (!part.ok) return part
  if (part.value.amount > charge.authorized) return invalid("capture_value_greater_than_authorized")
  if (part.value.amount > charge.capturable) return invalid("capture_value_greater_than_remaining_authorized")
  capturePart(state, payment, part.value, payment.purchase.card.name)
  return accepted(payment, part.value)
}

/** Accepts a capture whose amount is free; also used for the capture that Checkout.com makes by itself. */
export function capturePart(state: CheckoutState, payment: Payment, part: Part, holderName: string): void {
  const started = state.ledger.startCapture(payment.id, part.id, part.amount, part.final)
  if (!started.ok) return
  state.ports.after(ACTION_MS, () => {
    const works = holderName !== CAPTURE_DECLINES
    state.ledger.finish(part.id, works ? "succeeded" : "failed")
    unwatchEnded(state, payment)
    record(state, payment, "Capture", part, works)
  })
}

export function requestRefund(state: CheckoutState, payment: Payment, body: JsonObject): Checked<unknown> {
  const charge = chargeOf(state, payment)
  if (charge.captured === 0n || charge.refundable === 0n) return failed(NOT_ALLOWED)
  const part = readPart(state, payment, body, charge.refundable)
  if (!part.ok) return part
  if (part.value.amount > charge.refundable) return invalid("refund_amount_exceeds_balance")
  state.ledger.startRefund(payment.id, part.value.id, part.value.amount)
  state.ports.after(ACTION_MS, () => {
    const works = payment.purchase.card.name !== REFUND_DECLINES
    state.ledger.finish(part.value.id, works ? "succeeded" : "failed")
    record(state, payment, "Refund", part.value, works)
  })
  return accepted(payment, part.value)
}

export function requestVoid(state: CheckoutState, payment: Payment, body: JsonObject): Checked<unknown> {
  const charge = chargeOf(state, payment)
  if (charge.state !== "authorized" || charge.capturePending > 0n) return failed(NOT_ALLOWED)
  const part = readPart(state, payment, body, charge.capturable)
  if (!part.ok) return part
  // Voiding in part is not simulated: the ledger of this simulator knows no smaller hold.
  if (part.value.amount !== charge.capturable) return invalid("void_amount_invalid")
  state.ports.after(ACTION_MS, () => {
    const done = state.ledger.get(payment.id)?.state === "authorized" && state.ledger.void(payment.id).ok
    unwatchEnded(state, payment)
    record(state, payment, "Void", part.value, done)
  })
  return accepted(payment, part.value)
}

/** `amount` is what comes on top; without one, only the validity is extended. */
export function increment(state: CheckoutState, payment: Payment, body: JsonObject): Checked<unknown> {
  const { purchase } = payment
  const charge = chargeOf(state, payment)
  const open = charge.state === "authorized" && charge.captured === 0n && charge.capturePending === 0n
  if (!open || purchase.authorizationType === "Final") return failed(NOT_ALLOWED)
  const part = readPart(state, payment, body, 0n)
  if (!part.ok) return part
  const answer = part.value.amount > 0n ? askIssuer(state, purchase, part.value.amount, undefined) : undefined
  const responseCode = answer ? responseCodeOf(answer.responseCode) : APPROVED
  const approved = responseCode === APPROVED
  if (approved) {
    payment.expiresAt = validUntil(state.ports.now(), purchase)
    state.ledger.increment(payment.id, part.value.amount, payment.expiresAt)
    state.expiry.watch(payment.id, payment.expiresAt)
  }
  const action = addAction(state, payment, {
    id: part.value.id,
    type: "Authorization",
    amount: fromIso(part.value.amount, purchase.currency),
    approved,
    responseCode,
    reference: part.value.reference,
    metadata: part.value.metadata,
    authCode: payment.verdict?.authCode,
    authorizationType: "Incremental",
  })
  const type = approved ? "payment_authorization_incremented" : "payment_authorization_increment_declined"
  state.ports.after(EVENT_MS, () => state.send(type, payment, actionData(action)))
  return {
    ok: true,
    value: {
      action_id: action.id,
      amount: action.amount,
      currency: purchase.currency,
      approved,
      status: approved ? "Authorized" : "Declined",
      auth_code: action.authCode,
      response_code: responseCode,
      response_summary: summaryOf(responseCode),
      ...(payment.expiresAt !== undefined && { expires_on: timestamp(payment.expiresAt) }),
      balances: balancesOf(chargeOf(state, payment)),
      processed_on: timestamp(action.processedAt),
      ...(part.value.reference !== undefined && { reference: part.value.reference }),
      processing: action.processing,
      scheme_id: payment.verdict?.schemeId,
      _links: linksOf(state, payment),
    },
  }
}

const EVENTS = {
  Capture: ["payment_captured", "payment_capture_declined"],
  Refund: ["payment_refunded", "payment_refund_declined"],
  Void: ["payment_voided", "payment_void_declined"],
} as const satisfies Partial<Record<ActionType, readonly [string, string]>>

export function record(
  state: CheckoutState,
  payment: Payment,
  type: keyof typeof EVENTS,
  part: Part,
  approved: boolean,
): void {
  const action = addAction(state, payment, {
    id: part.id,
    type,
    amount: fromIso(part.amount, payment.purchase.currency),
    approved,
    responseCode: approved ? APPROVED : DECLINED,
    reference: part.reference,
    metadata: part.metadata,
    authCode: undefined,
    authorizationType: undefined,
  })
  state.send(EVENTS[type][approved ? 0 : 1], payment, actionData(action))
}

export function readPart(state: CheckoutState, payment: Payment, body: JsonObject, all: bigint): Checked<Part> {
  const { currency } = payment.purchase
  const reference = textAt(body, "reference")
  if (reference !== undefined && reference.length > MAX_REFERENCE) return invalid("reference_invalid")
  const final = textAt(body, "capture_type") !== "NonFinal"
  const part = { id: newId(state, "act"), final, reference, metadata: parseFields(valueAt(body, "metadata")) }
  if (valueAt(body, "amount") === undefined) return { ok: true, value: { ...part, amount: all } }
  const value = amountAt(body, "amount")
  const amount = value === undefined ? undefined : toIso(value, currency)
  // Zero extends an authorization, but captures and refunds nothing.
  if (amount === undefined || (amount === 0n && all > 0n)) return invalid("amount_invalid")
  return { ok: true, value: { ...part, amount } }
}

const parseFields = (value: unknown): JsonObject | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined

export function accepted(payment: Payment, { id, reference }: Part): Checked<unknown> {
  const href = `https://api.sandbox.checkout.com/payments/${payment.id}`
  return {
    ok: true,
    value: { action_id: id, ...(reference !== undefined && { reference }), _links: { payment: { href } } },
  }
}
