// What one simulated Adyen account remembers, and the few things that all its operations do: make references, look
// payments up, send webhooks.
import { randomText } from "../chance.ts"
import type { HoldExpiry } from "../hold-expiry.ts"
import { MAX_CHARGES, type MoneyLedger } from "../money-ledger.ts"
import type { Challenge, Issuer, PersonaPorts } from "../persona.ts"
import { fromIso, toIso } from "./amount.ts"
import type { EventCode, Notification } from "./notification.ts"
import type { Card, Purchase } from "./purchase.ts"
import type { Refusal, ResultCode } from "./refusal.ts"

export type AdyenState = {
  readonly merchantAccount: string
  readonly publicUrl: string
  /** Whether the account may capture a payment in parts; if not, a capture releases what it leaves. */
  readonly multipleCaptures: boolean
  readonly accountId: string
  readonly ports: PersonaPorts
  readonly issuer: Issuer
  readonly ledger: MoneyLedger
  readonly expiry: HoldExpiry
  readonly payments: Map<string, Payment>
  /** The latest payment of a merchant reference: references need not be unique at Adyen. */
  readonly latestByMerchantReference: Map<string, string>
  readonly byRedirect: Map<string, string>
  readonly storedCards: Map<string, Card>
  readonly spentCryptograms: Set<string>
  send(notification: Notification): void
}

export type Payment = {
  readonly pspReference: string
  readonly purchase: Purchase
  /** Part of the 3DS page's address and of the redirectResult. */
  readonly redirectId: string | undefined
  challenge: Challenge | undefined
  verdict: Verdict | undefined
  storedPaymentMethodId: string | undefined
  /** What the next synchronous amount update has to bring along. */
  adjustAuthorisationData: string | undefined
}

export type Verdict = {
  readonly resultCode: ResultCode
  readonly refusal: Refusal | undefined
  readonly raw: string
  /** In ISO minor units; zero when nothing was approved, or when the card was only verified. */
  readonly approved: bigint
  readonly authCode: string
  readonly networkTxReference: string
  readonly acquirerReference: string
  readonly threeDs: "authenticated" | "attempted" | undefined
  readonly adviceCode: string | undefined
  readonly avs: string | undefined
  readonly cvv: string | undefined
}

/** Payments are forgotten together with their charges, the oldest first; so are cards and cryptograms. */
const MAX_PAYMENTS = MAX_CHARGES
/** As in Adyen's own references. */
const REFERENCE_ALPHABET = "BCDFGHJKLMNPQRSTVWXZ23456789"

export function newReference({ ports }: AdyenState): string {
  return randomText(ports.random, 16, REFERENCE_ALPHABET)
}

export function addPayment(state: AdyenState, payment: Payment): void {
  state.payments.set(payment.pspReference, payment)
  state.latestByMerchantReference.set(payment.purchase.merchantReference, payment.pspReference)
  if (payment.redirectId !== undefined) state.byRedirect.set(payment.redirectId, payment.pspReference)
  if (state.payments.size > MAX_PAYMENTS) forgetOldest(state)
}

export function paymentOfRedirect(state: AdyenState, redirectId: string): Payment | undefined {
  return state.payments.get(state.byRedirect.get(redirectId) ?? "")
}

export function storeCard(state: AdyenState, shopperReference: string, card: Card): string {
  const id = newReference(state)
  state.storedCards.set(`${shopperReference}/${id}`, card)
  dropOldest(state.storedCards, MAX_PAYMENTS)
  return id
}

/** False when this cryptogram was seen before: each is good for one authorization. */
export function spendCryptogram(state: AdyenState, cryptogram: string): boolean {
  if (state.spentCryptograms.has(cryptogram)) return false
  state.spentCryptograms.add(cryptogram)
  dropOldest(state.spentCryptograms, MAX_PAYMENTS)
  return true
}

/** Call after what may end a hold: only holds that are still open run out. */
export function unwatchEnded({ ledger, expiry }: AdyenState, { pspReference }: Payment): void {
  if (ledger.get(pspReference)?.state !== "authorized") expiry.forget(pspReference)
}

/** Sends a webhook about this payment, or about a modification of it. */
export function notify(
  state: AdyenState,
  payment: Payment,
  eventCode: EventCode,
  success: boolean,
  about: Partial<Omit<Notification, "eventCode" | "success" | "at">> = {},
): void {
  state.send({
    eventCode,
    success,
    pspReference: payment.pspReference,
    merchantAccount: state.merchantAccount,
    merchantReference: payment.purchase.merchantReference,
    amount: payment.purchase.amount,
    paymentMethod: brandOf(payment),
    ...about,
    at: state.ports.now(),
  })
}

/** visa, mc, amex, ... */
export function brandOf({ purchase }: Payment): string {
  const { network } = purchase.card.bin
  return network === "mastercard" ? "mc" : network === "unionpay" ? "cup" : network
}

/** What Adyen can express of an amount that an issuer approved. */
export function expressible(iso: bigint, currency: string): bigint {
  return toIso(fromIso(iso, currency)) ?? iso
}

function forgetOldest(state: AdyenState): void {
  const oldest = state.payments.values().next().value
  if (!oldest) return
  const { pspReference, redirectId, purchase } = oldest
  state.payments.delete(pspReference)
  state.expiry.forget(pspReference)
  if (redirectId !== undefined) state.byRedirect.delete(redirectId)
  if (state.latestByMerchantReference.get(purchase.merchantReference) === pspReference)
    state.latestByMerchantReference.delete(purchase.merchantReference)
}

function dropOldest(kept: Map<string, unknown> | Set<string>, max: number): void {
  if (kept.size <= max) return
  const [oldest] = kept.keys()
  if (oldest !== undefined) kept.delete(oldest)
}
