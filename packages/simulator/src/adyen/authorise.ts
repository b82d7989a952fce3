// POST /payments and /payments/details: one authorisation, with a 3DS redirect before it where one is due.
//
//   redirect ──page──▶ challenge known ──details──▶ decided        (verdict set; repeats answer the same)
//      └── an hour without details: the session is over, and nothing was authorised
//   decided at once where no redirect is due; "Received" is decided by webhook a little later
import { DIGITS, randomText } from "../chance.ts"
import type { Challenge, IssuerAnswer } from "../persona.ts"
import { magicOf } from "./magic.ts"
import { paymentResponse, redirectResponse } from "./payment-response.ts"
import type { Purchase } from "./purchase.ts"
import { rawReason, refusal, refusalOf, type Refusal } from "./refusal.ts"
import {
  addPayment,
  type AdyenState,
  expressible,
  newReference,
  notify,
  type Payment,
  spendCryptogram,
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

/** Adyen's test cards that ask for 3DS by themselves. */
const CHALLENGED_CARDS = [
  "4212345678901237",
  "4212345678901245",
  "4917610000000000",
  "5212345678901234",
  "5454545454545454",
  "6771798021000008",
]

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
    if (payment.verdict === undefined) state.ledger.expire(payment.pspReference)
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
  const { additionalData, amount } = paymentResponse(state, payment, verdict)
  if (verdict.refusal)
    return notify(state, payment, "AUTHORISATION", false, { reason: verdict.refusal.reason, additionalData })
  const expiry = `${String(card.expiryMonth).padStart(2, "0")}/${card.expiryYear}`
  notify(state, payment, "AUTHORISATION", true, {
    reason: `${verdict.authCode}:${card.pan.slice(-4)}:${expiry}`,
    operations: ["CANCEL", "CAPTURE", "REFUND"],
    additionalData,
    amount: { currency: amount.currency, value: BigInt(amount.value) },
  })
}

/** Adyen's own rules first, then test values, then the issuer. */
function decide(state: AdyenState, purchase: Purchase, threeDs: Purchase["threeDs"]): Verdict {
  const { card, cvc, iso, networkToken, cryptogram, initiator } = purchase
  const testCardDetails =
    card.expiryMonth === 3 && card.expiryYear === 2030 && (cvc === "737" || cvc === "7373" || cvc === undefined)
  const magic = magicOf({ holderName: card.holderName, requestedCode: purchase.requestedCode, testCardDetails })
  switch (magic?.type) {
    case undefined:
      break
    case "approved":
      return approved(state, purchase, iso, threeDs)
    case "partially_approved":
      return purchase.allowPartial && iso > 1n
        ? approved(state, purchase, iso / 2n, threeDs)
        : approved(state, purchase, iso, threeDs)
    case "pending":
      return { ...approved(state, purchase, iso, threeDs), resultCode: "Received" }
    case "refused":
      return refused(state, magic.refusal, magic.raw)
    default:
      return magic satisfies never
  }
  if (isOver(card, state.ports.now())) return refusedBy(state, "54")
  if (networkToken && initiator === "customer" && (!cryptogram || !spendCryptogram(state, cryptogram)))
    return refusedBy(state, "82")
  if (CHALLENGED_CARDS.includes(card.pan) && initiator === "customer" && threeDs === undefined)
    return refusedBy(state, "1A")
  const answer = askIssuer(state, purchase, iso, threeDs)
  if (answer.responseCode === "00") return approved(state, purchase, answer.approvedAmount, threeDs, answer)
  // Issuers approve in part only where the merchant said that it can handle that; elsewhere the money is not enough.
  if (answer.responseCode !== "10") return refusedBy(state, answer.responseCode, answer)
  return purchase.allowPartial
    ? approved(state, purchase, answer.approvedAmount, threeDs, answer)
    : refusedBy(state, "51", answer)
}

export function askIssuer(
  state: AdyenState,
  purchase: Purchase,
  amount: bigint,
  threeDs: Purchase["threeDs"],
): IssuerAnswer {
  const { card, cvc, addressLine, postcode } = purchase
  return state.issuer({
    account: state.accountId,
    pan: card.pan,
    expiryMonth: card.expiryMonth,
    expiryYear: card.expiryYear,
    amount,
    currency: purchase.amount.currency,
    holderName: card.holderName,
    initiator: purchase.initiator,
    ...(cvc !== undefined && { cvc }),
    ...(addressLine !== undefined && { addressLine }),
    ...(postcode !== undefined && { postcode }),
    ...(threeDs !== undefined && { threeDs }),
  })
}

/** Test values approve without an issuer: what was typed then matches. */
function approved(
  state: AdyenState,
  purchase: Purchase,
  amount: bigint,
  threeDs: Purchase["threeDs"],
  answer?: IssuerAnswer,
): Verdict {
  const approvedAmount = expressible(amount, purchase.amount.currency)
  const typedAddress = purchase.addressLine !== undefined || purchase.postcode !== undefined
  return {
    resultCode: approvedAmount < purchase.iso ? "PartiallyAuthorised" : "Authorised",
    refusal: undefined,
    raw: "AUTHORISED",
    approved: approvedAmount,
    ...traces(state, purchase),
    threeDs,
    adviceCode: undefined,
    avs: answer ? answer.avs : typedAddress ? "Y" : undefined,
    cvv: answer ? answer.cvv : purchase.cvc === undefined ? undefined : "M",
  }
}

function refusedBy(state: AdyenState, responseCode: string, answer?: IssuerAnswer): Verdict {
  return refused(state, refusalOf(responseCode), rawReason(responseCode), answer)
}

function refused(state: AdyenState, because: Refusal, raw: string, answer?: IssuerAnswer): Verdict {
  return {
    resultCode: because.resultCode,
    refusal: because,
    raw,
    approved: 0n,
    authCode: "",
    networkTxReference: "",
    acquirerReference: newReference(state).slice(0, 11),
    threeDs: undefined,
    adviceCode: answer?.adviceCode,
    avs: answer?.avs,
    cvv: answer?.cvv,
  }
}

/** A Mastercard trace id has letters and the settlement date, a Visa transaction id 15 digits. */
function traces({ ports }: AdyenState, purchase: Purchase) {
  const date = new Date(ports.now()).toISOString().slice(5, 10).replace("-", "")
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
  return {
    authCode: randomText(ports.random, 6, DIGITS),
    acquirerReference: randomText(ports.random, 11, alphabet),
    networkTxReference:
      purchase.card.bin.network === "mastercard"
        ? `MCC${randomText(ports.random, 6, alphabet)}${date}`
        : randomText(ports.random, 15, DIGITS),
  }
}

/** Mail order and merchant-initiated payments have nobody to ask. */
function needsChallenge({ initiator, shopperInteraction, threeDs, challenge, card, networkToken }: Purchase): boolean {
  if (initiator === "merchant" || shopperInteraction === "Moto" || threeDs !== undefined || networkToken) return false
  return challenge === "always" || (challenge === "dynamic" && CHALLENGED_CARDS.includes(card.pan))
}

/** Cards are good until the end of their month. */
function isOver({ expiryYear, expiryMonth }: Purchase["card"], now: number): boolean {
  return now >= Date.UTC(expiryYear, expiryMonth, 1)
}
