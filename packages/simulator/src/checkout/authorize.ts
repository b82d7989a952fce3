// POST /payments: one authorization, with a 3DS challenge before it where one is asked for.
//
//   Pending ──page──▶ decided by Checkout.com at once, before the customer is sent back   (verdict set)
//      └── fifteen minutes without a deed: Expired, and nothing was authorized
//   decided at once where no challenge is asked for; captured a little later unless the merchant captures
import type { Challenge } from "../persona.ts"
import { capturePart } from "./action.ts"
import { fromIso } from "./amount.ts"
import { decide } from "./decide.ts"
import type { EventType } from "./event.ts"
import { createdView, paymentView, pendingView } from "./payment-view.ts"
import type { Purchase } from "./purchase.ts"
import { UNFINISHED_3DS } from "./response-code.ts"
import {
  type Action,
  actionData,
  addAction,
  addPayment,
  type CheckoutState,
  newId,
  type Payment,
  rememberCard,
  type Verdict,
} from "./state.ts"
import { CHALLENGE_MS, EVENT_MS, validUntil } from "./timing.ts"

/** Networks whose cards know no 3DS here, for the ways that end without it. */
const NETWORKS_WITHOUT_3DS = ["unionpay"]

export function startPayment(
  state: CheckoutState,
  purchase: Purchase,
): { readonly status: 201 | 202; readonly view: unknown } {
  const asked = purchase.threeDs.type === "challenge" && purchase.initiator === "customer"
  const challenged = asked && !NETWORKS_WITHOUT_3DS.includes(purchase.card.bin.network)
  const payment: Payment = {
    id: newId(state, "pay"),
    sessionId: challenged ? newId(state, "sid") : undefined,
    sourceId: purchase.sourceId ?? rememberCard(state, purchase.card),
    customerId: newId(state, "cus"),
    purchase,
    createdAt: state.ports.now(),
    expiresAt: undefined,
    challenge: undefined,
    verdict: undefined,
    actions: [],
  }
  const { reference = "", currency } = purchase
  state.ledger.open({ reference: payment.id, merchantReference: reference, currency })
  addPayment(state, payment)
  if (!challenged) return { status: 201, view: authorize(state, payment) }
  state.ledger.awaitAction(payment.id)
  state.ports.after(EVENT_MS, () => state.send("payment_pending", payment, {}))
  state.ports.after(CHALLENGE_MS, () => {
    if (payment.verdict === undefined && state.ledger.expire(payment.id).ok)
      state.send("payment_expired", payment, { response_code: UNFINISHED_3DS })
  })
  return { status: 202, view: pendingView(state, payment) }
}

/** The cardholder's deed decides the payment. True when it is approved, which is where the customer is sent. */
export function completeChallenge(state: CheckoutState, payment: Payment, challenge: Challenge): boolean {
  payment.challenge = challenge
  authorize(state, payment)
  return payment.verdict?.approved ?? false
}

function authorize(state: CheckoutState, payment: Payment): unknown {
  const { purchase } = payment
  const verdict = decide(state, payment)
  payment.verdict = verdict
  const verification = purchase.iso === 0n
  const action = addAction(state, payment, {
    id: newId(state, "act"),
    type: verification ? "Card Verification" : "Authorization",
    amount: verdict.approved ? fromIso(verdict.amount, purchase.currency) : Number(purchase.value),
    approved: verdict.approved,
    responseCode: verdict.responseCode,
    reference: purchase.reference,
    authCode: verdict.authCode || undefined,
    authorizationType: verification ? undefined : purchase.authorizationType,
  })
  if (!verdict.approved) state.ledger.decline(payment.id)
  else if (!verification) hold(state, payment, verdict)
  const view = createdView(state, payment, verdict, action)
  state.ports.after(EVENT_MS, () => sendOutcome(state, payment, verdict, action))
  return view
}

function hold(state: CheckoutState, payment: Payment, verdict: Verdict): void {
  const { capture, card } = payment.purchase
  payment.expiresAt = validUntil(state.ports.now(), payment.purchase)
  state.ledger.authorize(payment.id, verdict.amount, payment.expiresAt)
  state.expiry.watch(payment.id, payment.expiresAt)
  if (capture.type === "manual") return
  const captureAll = (): void => {
    const capturable = state.ledger.get(payment.id)?.capturable ?? 0n
    const part = {
      id: newId(state, "act"),
      amount: capturable,
      final: true,
      reference: payment.purchase.reference,
      metadata: undefined,
    }
    if (capturable > 0n) capturePart(state, payment, part, card.name)
  }
  if (capture.at === undefined) captureAll()
  else state.ports.after(Math.max(0, capture.at - state.ports.now()), captureAll)
}

function sendOutcome(state: CheckoutState, payment: Payment, verdict: Verdict, action: Action): void {
  const verification = action.type === "Card Verification"
  const type: EventType = verification
    ? verdict.approved
      ? "card_verified"
      : "card_verification_declined"
    : verdict.approved
      ? "payment_approved"
      : "payment_declined"
  const { source, "3ds": threeDs, risk } = paymentView(state, payment) as Record<string, unknown>
  state.send(type, payment, {
    ...actionData(action),
    ...(threeDs !== undefined && { "3ds": threeDs }),
    payment_type: payment.purchase.paymentType,
    scheme_id: verdict.schemeId,
    source,
    risk,
  })
}
