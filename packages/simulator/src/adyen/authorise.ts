// POST /payments and /payments/details: one authorisation, with a 3DS redirect before it where one is due.
//
//   redirect ──page──▶ challenge known ──details──▶ decided        (verdict set; repeats answer the same)
//      └── an hour without details: OFFER_CLOSED, and nothing was authorised
//   decided at once where no redirect is due; "Received" is decided by webhook a little later
import { randomText } from "../chance.ts"
import type { Challenge } from "../persona.ts"
import { asksForChallenge, decide, refused } from "./decide.ts"
import { paymentResponse, redirectResponse, webhookData } from "./payment-response.ts"
import type { Purchase } from "./purchase.ts"
import { refusal } from "./refusal.ts"
import {
  addPayment,
  type AdyenState,
  newReference,
  notify,
  type Payment,
  storeCard,
  unwatchEnded,
  type Verdict,
} from "./state.ts"

/** The AUTHORISATION webhook follows the answer. */
export const AUTHORISATION_WEBHOOK_MS = 1_000
export const RECEIVED_MS = 30_000
export const CHALLENGE_MS = 3_600_000
/** Adyen's default validity of card authorisations. */
export const AUTHORISATION_VALID_MS = 28 * 86_400_000

const HOUR_MS = 3_600_000

export function startPayment(state: AdyenState, purchase: Purchase): unknown {
  const { merchantReference, amount } = purchase
  const challenged = needsChallenge(purchase)
  const payment: Payment = {
    pspReference: newReference(state),
    purchase,
    redirectId: challenged ? randomText(state.ports.random, 32) : undefined,
    challenge: undefined,
    verdict: undefined,
    storedPaymentMethodId: undefined,
    adjustAuthorisationData: undefined,
  }
  state.ledger.open({ reference: payment.pspReference, merchantReference, currency: amount.currency })
  addPayment(state, payment)
  if (!challenged) return authorise(state, payment)
  state.ledger.awaitAction(payment.pspReference)
  state.ports.after(CHALLENGE_MS, () => {
    if (payment.verdict === undefined && state.ledger.expire(payment.pspReference).ok)
      notify(state, payment, "OFFER_CLOSED", true)
  })
  return redirectResponse(state, payment)
}

/** After the redirect. Undefined when there is nothing that these details could complete. */
export function completePayment(state: AdyenState, payment: Payment): unknown {
  if (payment.verdict) return paymentResponse(state, payment, payment.verdict)
  if (payment.challenge === undefined || state.ledger.get(payment.pspReference)?.state !== "action") return undefined
  return authorise(state, payment, payment.challenge)
}

function authorise(state: AdyenState, payment: Payment, challenge?: Challenge): unknown {
  const { purchase } = payment
  const threeDs = challenge === "authenticated" ? "authenticated" : purchase.threeDs
  const verdict =
    challenge === "failed"
      ? refused(state, refusal("11"), "3D Not Authenticated")
      : challenge === "abandoned"
        ? refused(state, { ...refusal("16"), resultCode: "Cancelled" }, "Shopper Cancelled")
        : decide(state, purchase, threeDs)
  payment.verdict = verdict
  if (verdict.resultCode === "Received") {
    state.ports.after(RECEIVED_MS, () => {
      // What was pending is approved in the end, as the amount was asked for.
      settle(state, payment, { ...verdict, resultCode: "Authorised" })
    })
    return paymentResponse(state, payment, verdict)
  }
  settle(state, payment, verdict)
  return paymentResponse(state, payment, verdict)
}

function settle(state: AdyenState, payment: Payment, verdict: Verdict): void {
  payment.verdict = verdict
  if (verdict.refusal) state.ledger.decline(payment.pspReference)
  else hold(state, payment, verdict)
  state.ports.after(AUTHORISATION_WEBHOOK_MS, () => notifyOutcome(state, payment, verdict))
}

function hold(state: AdyenState, payment: Payment, verdict: Verdict): void {
  const { pspReference, purchase } = payment
  if (purchase.storeFor !== undefined)
    payment.storedPaymentMethodId = storeCard(state, purchase.storeFor, purchase.card)
  if (purchase.preAuthorised) payment.adjustAuthorisationData = newAdjustData(state)
  if (verdict.approved === 0n) return // a verification holds nothing
  const expiresAt = state.ports.now() + AUTHORISATION_VALID_MS
  state.ledger.authorize(pspReference, verdict.approved, expiresAt)
  state.expiry.watch(pspReference, expiresAt)
  const captureAll = (): void => {
    const capturable = state.ledger.get(pspReference)?.capturable ?? 0n
    if (capturable > 0n) state.ledger.capture(pspReference, newReference(state), capturable)
    unwatchEnded(state, payment)
  }
  switch (purchase.capture.type) {
    case "immediate":
      return captureAll()
    case "delayed":
      return state.ports.after(purchase.capture.hours * HOUR_MS, captureAll)
    case "manual":
      return
    default:
      return purchase.capture satisfies never
  }
}

export function newAdjustData(state: AdyenState): string {
  return `BQABAQ${randomText(state.ports.random, 64)}`
}

function notifyOutcome(state: AdyenState, payment: Payment, verdict: Verdict): void {
  const { card } = payment.purchase
  const response = paymentResponse(state, payment, verdict)
  const additionalData = webhookData(response)
  if (verdict.refusal)
    return notify(state, payment, "AUTHORISATION", false, { reason: verdict.refusal.reason, additionalData })
  const expiry = `${String(card.expiryMonth).padStart(2, "0")}/${card.expiryYear}`
  notify(state, payment, "AUTHORISATION", true, {
    reason: `${verdict.authCode}:${card.pan.slice(-4)}:${expiry}`,
    operations: ["CANCEL", "CAPTURE", "REFUND"],
    additionalData,
    amount: { currency: response.amount.currency, value: BigInt(response.amount.value) },
  })
}

/** Mail order and merchant-initiated payments have nobody to ask. */
function needsChallenge({ initiator, shopperInteraction, threeDs, challenge, card, networkToken }: Purchase): boolean {
  if (initiator === "merchant" || shopperInteraction === "Moto" || threeDs !== undefined || networkToken) return false
  return challenge === "always" || (challenge === "dynamic" && asksForChallenge(card))
}
