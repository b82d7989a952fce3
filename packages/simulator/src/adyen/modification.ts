// What is done to a payment after its authorisation. Every request is only received; whether it worked is told by
// webhook when it has been processed, and a capture or refund that worked may still be returned by the scheme days
// later. Everything is judged when it is processed, except that captures and refunds reserve their amount at once.
import type { Refusal as LedgerRefusal } from "../money-ledger.ts"
import { type JsonObject, textAt } from "../json-body.ts"
import { wireAmount } from "./amount.ts"
import { AUTHORISATION_VALID_MS, newAdjustData } from "./authorise.ts"
import { askIssuer } from "./decide.ts"
import { type Checked, errors, failed, fieldMissing, fieldTooLong } from "./error.ts"
import { CAPTURE_FAILS, REFUND_FAILS } from "./magic.ts"
import { readAmount } from "./purchase.ts"
import { type AdyenState, newReference, notify, type Payment, unwatchEnded } from "./state.ts"

export const PROCESSING_MS = 5_000
/** In the world days; here soon enough to be watched. */
export const SCHEME_RETURN_MS = 60_000

const MAX_REFERENCE = 80

type Request = {
  readonly pspReference: string
  readonly body: JsonObject
  /** The merchant's reference of the modification; webhooks carry the payment's when there is none. */
  readonly reference: string | undefined
}

export type Modification = "captures" | "cancels" | "refunds" | "reversals" | "amountUpdates"

export function modify(state: AdyenState, payment: Payment, kind: Modification, body: JsonObject): Checked<unknown> {
  const request = readRequest(state, body)
  if (!request.ok) return request
  switch (kind) {
    case "captures":
      return capture(state, payment, request.value)
    case "cancels":
      return cancel(state, payment, request.value)
    case "refunds":
      return refund(state, payment, request.value)
    case "reversals":
      return reverse(state, payment, request.value)
    case "amountUpdates":
      return updateAmount(state, payment, request.value)
    default:
      return kind satisfies never
  }
}

/** POST /cancels: by the merchant's reference, for a payment whose answer was lost. */
export function technicalCancel(state: AdyenState, body: JsonObject): Checked<unknown> {
  const request = readRequest(state, body)
  if (!request.ok) return request
  const { pspReference, reference } = request.value
  const paymentReference = textAt(body, "paymentReference")
  if (paymentReference === undefined) return failed(fieldMissing("paymentReference"))
  state.ports.after(PROCESSING_MS, () => {
    const payment = state.payments.get(state.latestByMerchantReference.get(paymentReference) ?? "")
    if (!payment) {
      // Nothing is known of such a payment, its currency included.
      return state.send({
        eventCode: "TECHNICAL_CANCEL",
        success: false,
        pspReference,
        merchantAccount: state.merchantAccount,
        merchantReference: paymentReference,
        amount: { currency: "EUR", value: 0n },
        reason: "Payment not found",
        at: state.ports.now(),
      })
    }
    const problem = voidHold(state, payment)
    notify(state, payment, "TECHNICAL_CANCEL", problem === undefined, {
      pspReference,
      originalReference: payment.pspReference,
      reason: problem ?? "",
    })
  })
  return received({ merchantAccount: state.merchantAccount, paymentReference, pspReference, reference })
}

function capture(state: AdyenState, payment: Payment, request: Request): Checked<unknown> {
  const amount = readModificationAmount(payment, request.body)
  if (!amount.ok) return amount
  const { pspReference } = request
  const about = aboutOf(payment, request, amount.value.amount)
  const problem = startCapture(state, payment, pspReference, amount.value.iso)
  state.ports.after(PROCESSING_MS, () => {
    if (problem !== undefined) return notify(state, payment, "CAPTURE", false, { ...about, reason: problem })
    // CAPTURE says that Adyen sent it to the scheme; where the scheme refuses, no money has moved.
    const returned = payment.purchase.card.holderName === CAPTURE_FAILS
    if (returned) state.ports.after(SCHEME_RETURN_MS, () => captureFailed(state, payment, about))
    else state.ledger.finish(pspReference, "succeeded")
    unwatchEnded(state, payment)
    notify(state, payment, "CAPTURE", true, about)
  })
  return accepted(state, payment, request, { amount: wireAmount(amount.value.amount) })
}

function refund(state: AdyenState, payment: Payment, request: Request): Checked<unknown> {
  const amount = readModificationAmount(payment, request.body)
  if (!amount.ok) return amount
  const { pspReference } = request
  const started = state.ledger.startRefund(payment.pspReference, pspReference, amount.value.iso)
  const about = aboutOf(payment, request, amount.value.amount)
  state.ports.after(PROCESSING_MS, () => {
    if (!started.ok) {
      const reason =
        started.refusal === "wrong_state"
          ? "Transaction hasn't been captured, refund not possible"
          : reasonOf(started.refusal)
      return notify(state, payment, "REFUND", false, { ...about, reason })
    }
    state.ledger.finish(pspReference, "succeeded")
    notify(state, payment, "REFUND", true, about)
    if (payment.purchase.card.holderName === REFUND_FAILS)
      state.ports.after(SCHEME_RETURN_MS, () => refundFailed(state, payment, about))
  })
  return accepted(state, payment, request, { amount: wireAmount(amount.value.amount) })
}

function cancel(state: AdyenState, payment: Payment, request: Request): Checked<unknown> {
  state.ports.after(PROCESSING_MS, () => {
    const problem = voidHold(state, payment)
    const about = aboutOf(payment, request, payment.purchase.amount)
    notify(state, payment, "CANCELLATION", problem === undefined, { ...about, reason: problem ?? "" })
  })
  return accepted(state, payment, request)
}

/** Cancels, or refunds what was captured: the merchant need not know which. */
function reverse(state: AdyenState, payment: Payment, request: Request): Checked<unknown> {
  state.ports.after(PROCESSING_MS, () => {
    const about = aboutOf(payment, request, payment.purchase.amount)
    const charge = state.ledger.get(payment.pspReference)
    if (charge && charge.refundable > 0n) {
      state.ledger.refund(payment.pspReference, request.pspReference, charge.refundable)
      return notify(state, payment, "CANCEL_OR_REFUND", true, {
        ...about,
        additionalData: { "modification.action": "refund" },
      })
    }
    const problem = voidHold(state, payment)
    notify(state, payment, "CANCEL_OR_REFUND", problem === undefined, {
      ...about,
      reason: problem ?? "",
      additionalData: { "modification.action": "cancel" },
    })
  })
  return accepted(state, payment, request)
}

/** The amount is the new total. With adjustAuthorisationData the answer is the verdict, without it a webhook is. */
function updateAmount(state: AdyenState, payment: Payment, request: Request): Checked<unknown> {
  const amount = readModificationAmount(payment, request.body)
  if (!amount.ok) return amount
  const wire = wireAmount(amount.value.amount)
  const data = textAt(request.body, "adjustAuthorisationData")
  if (data === undefined) {
    state.ports.after(PROCESSING_MS, () => {
      const problem = adjust(state, payment, amount.value.iso)
      const about = aboutOf(payment, request, amount.value.amount)
      notify(state, payment, "AUTHORISATION_ADJUSTMENT", problem === undefined, { ...about, reason: problem ?? "" })
    })
    return accepted(state, payment, request, { amount: wire })
  }
  if (data !== payment.adjustAuthorisationData) return failed(errors.payload)
  const problem = adjust(state, payment, amount.value.iso)
  if (problem === undefined) payment.adjustAuthorisationData = newAdjustData(state)
  return accepted(state, payment, request, {
    amount: wire,
    status: problem === undefined ? "authorised" : "refused",
    adjustAuthorisationData: payment.adjustAuthorisationData,
  })
}

/** Undefined, or why the hold was not released. */
function voidHold(state: AdyenState, payment: Payment): string | undefined {
  const charge = state.ledger.get(payment.pspReference)
  if (charge?.state === "captured") return "Transaction has been captured, cancel not possible"
  if (charge?.state !== "authorized") return "Transaction is not authorised, cancel not possible"
  const done = state.ledger.void(payment.pspReference)
  unwatchEnded(state, payment)
  return done.ok ? undefined : "Transaction is being captured, cancel not possible"
}

function adjust(state: AdyenState, payment: Payment, total: bigint): string | undefined {
  const { pspReference, purchase } = payment
  const charge = state.ledger.get(pspReference)
  if (!purchase.preAuthorised) return "Only pre-authorisations can be adjusted"
  if (charge?.state !== "authorized" || charge.captured > 0n) return "Transaction is not authorised"
  const more = total - charge.authorized
  if (more < 0n) return "Decreasing is not simulated"
  // The same amount again only extends the validity.
  if (more > 0n && askIssuer(state, purchase, more, undefined).responseCode !== "00") return "Refused"
  const expiresAt = state.ports.now() + AUTHORISATION_VALID_MS
  state.ledger.increment(pspReference, more, expiresAt)
  state.expiry.watch(pspReference, expiresAt)
  return undefined
}

/** Undefined, or why nothing is captured. */
function startCapture(state: AdyenState, payment: Payment, id: string, amount: bigint): string | undefined {
  const { operations = [] } = state.ledger.get(payment.pspReference) ?? {}
  const another = operations.some(({ kind, status }) => kind === "capture" && status !== "failed")
  if (another && !state.multipleCaptures) return reasonOf("exceeds_authorized")
  const started = state.ledger.startCapture(payment.pspReference, id, amount, !state.multipleCaptures)
  return started.ok ? undefined : reasonOf(started.refusal)
}

function captureFailed(state: AdyenState, payment: Payment, about: About): void {
  state.ledger.finish(about.pspReference, "failed")
  notify(state, payment, "CAPTURE_FAILED", true, { ...about, reason: "Capture Failed" })
}

function refundFailed(state: AdyenState, payment: Payment, about: About): void {
  state.ledger.revoke(about.pspReference)
  notify(state, payment, "REFUND_FAILED", true, { ...about, reason: "Refund Failed" })
}

function readRequest(state: AdyenState, body: JsonObject): Checked<Request> {
  const reference = textAt(body, "reference")
  if (reference !== undefined && reference.length > MAX_REFERENCE)
    return failed(fieldTooLong("reference", MAX_REFERENCE))
  return { ok: true, value: { pspReference: newReference(state), body, reference } }
}

function readModificationAmount(payment: Payment, body: JsonObject) {
  const amount = readAmount(body)
  if (!amount.ok) return amount
  if (amount.value.amount.currency !== payment.purchase.amount.currency) return failed<never>(errors.currency)
  return amount.value.iso === 0n ? failed<never>(errors.amount) : amount
}

function aboutOf(payment: Payment, request: Request, amount: Payment["purchase"]["amount"]) {
  return {
    pspReference: request.pspReference,
    originalReference: payment.pspReference,
    merchantReference: request.reference ?? payment.purchase.merchantReference,
    amount,
    reason: "",
  }
}

type About = ReturnType<typeof aboutOf>

function accepted(state: AdyenState, payment: Payment, request: Request, more: object = {}): Checked<unknown> {
  const { pspReference, reference } = request
  return received({
    merchantAccount: state.merchantAccount,
    paymentPspReference: payment.pspReference,
    pspReference,
    reference,
    ...more,
  })
}

function received(body: object): Checked<unknown> {
  return { ok: true, value: { status: "received", ...body } }
}

function reasonOf(refusal: LedgerRefusal): string {
  switch (refusal) {
    case "exceeds_authorized":
    case "exceeds_captured":
      return "Insufficient balance on payment"
    case "not_positive":
      return "Invalid amount"
    case "wrong_state":
    case "unknown_charge":
    case "unknown_operation":
    case "already_finished":
      return "Transaction is not in a state for this operation"
    default:
      return refusal satisfies never
  }
}
