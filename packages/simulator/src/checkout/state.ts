// What one simulated Checkout.com account remembers, and what all its operations do: make ids, look payments up, keep
// the list of a payment's actions, send webhooks.
import { DIGITS, randomText } from "../chance.ts"
import type { HoldExpiry } from "../hold-expiry.ts"
import { type LedgerCharge, MAX_CHARGES, type MoneyLedger } from "../money-ledger.ts"
import type { Challenge, Issuer, PersonaPorts } from "../persona.ts"
import type { EventType } from "./event.ts"
import type { Card, Purchase } from "./purchase.ts"
import { summaryOf } from "./response-code.ts"

export type CheckoutState = {
  readonly accountId: string
  readonly processingChannelId: string
  readonly publicUrl: string
  readonly ports: PersonaPorts
  readonly issuer: Issuer
  readonly ledger: MoneyLedger
  readonly expiry: HoldExpiry
  readonly payments: Map<string, Payment>
  readonly bySession: Map<string, string>
  readonly byReference: Map<string, string[]>
  /** Stored instruments (src_) and card tokens (tok_). */
  readonly sources: Map<string, Card>
  readonly tokens: Map<string, { readonly card: Card; readonly expiresAt: number }>
  readonly spentCryptograms: Set<string>
  /** `data` is built when the webhook is due, except for what the event itself is about. */
  send(type: EventType, payment: Payment, data: Readonly<Record<string, unknown>>): void
}

export type Payment = {
  readonly id: string
  /** The 3DS session, also the last part of its page's address. */
  readonly sessionId: string | undefined
  readonly sourceId: string
  readonly customerId: string
  readonly purchase: Purchase
  readonly createdAt: number
  expiresAt: number | undefined
  challenge: Challenge | undefined
  verdict: Verdict | undefined
  /** A reversal was accepted: there will be no second one. */
  isReversed?: true
  /** In the order of processing. An action that was only accepted does not stand here yet. */
  readonly actions: Action[]
}

export type Verdict = {
  readonly approved: boolean
  readonly responseCode: string
  /** In ISO minor units; zero when declined, or when the card was only verified. */
  readonly amount: bigint
  readonly authCode: string
  readonly schemeId: string
  readonly eci: string | undefined
  readonly adviceCode: string | undefined
  readonly avs: string | undefined
  readonly cvv: string | undefined
  readonly threeDs: "authenticated" | "attempted" | "failed" | "not_enrolled" | undefined
}

export type ActionType = "Authorization" | "Card Verification" | "Capture" | "Void" | "Refund"

export type Action = {
  readonly id: string
  readonly type: ActionType
  readonly processedAt: number
  /** As Checkout.com counts. */
  readonly amount: number
  readonly approved: boolean
  readonly responseCode: string
  readonly reference: string | undefined
  readonly authCode: string | undefined
  readonly authorizationType: "Final" | "Estimated" | "Incremental" | undefined
  readonly processing: Readonly<Record<string, string>>
  /** What the merchant attached to this action, beside what he attached to the payment. */
  readonly metadata: Readonly<Record<string, unknown>> | undefined
}

/** Payments are forgotten together with their charges, the oldest first; so are cards, tokens and cryptograms. */
const MAX_PAYMENTS = MAX_CHARGES
const ID_LENGTH = 26
const ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"

export type IdPrefix = "pay" | "act" | "src" | "tok" | "cus" | "sid" | "evt" | "dsp"

export function newId({ ports }: Pick<CheckoutState, "ports">, prefix: IdPrefix): string {
  return `${prefix}_${randomText(ports.random, ID_LENGTH, ID_ALPHABET)}`
}

export function addPayment(state: CheckoutState, payment: Payment): void {
  const { id, sessionId, purchase } = payment
  state.payments.set(id, payment)
  if (sessionId !== undefined) state.bySession.set(sessionId, id)
  if (purchase.reference !== undefined) {
    const others = state.byReference.get(purchase.reference)
    if (others) others.push(id)
    else state.byReference.set(purchase.reference, [id])
  }
  if (state.payments.size > MAX_PAYMENTS) forgetOldest(state)
}

/** By payment id or by the id of its 3DS session. */
export function findPayment(state: CheckoutState, id: string): Payment | undefined {
  return state.payments.get(state.bySession.get(id) ?? id)
}

export function addAction(
  state: CheckoutState,
  payment: Payment,
  action: Omit<Action, "processedAt" | "processing" | "metadata"> & Partial<Pick<Action, "metadata">>,
): Action {
  const { ports } = state
  const trace =
    action.type === "Authorization" || action.type === "Card Verification"
      ? { retrieval_reference_number: randomText(ports.random, 12, DIGITS) }
      : { acquirer_reference_number: randomText(ports.random, 23, DIGITS) }
  const processing = { acquirer_transaction_id: randomText(ports.random, 21, DIGITS), ...trace }
  const done = { metadata: undefined, ...action, processedAt: ports.now(), processing }
  payment.actions.push(done)
  return done
}

export function rememberCard(state: CheckoutState, card: Card): string {
  const id = newId(state, "src")
  state.sources.set(id, card)
  dropOldest(state.sources)
  return id
}

export function rememberToken(state: CheckoutState, card: Card, expiresAt: number): string {
  const token = newId(state, "tok")
  state.tokens.set(token, { card, expiresAt })
  dropOldest(state.tokens)
  return token
}

/** False when this cryptogram was seen before: each is good for one authorization. */
export function spendCryptogram(state: CheckoutState, cryptogram: string): boolean {
  if (state.spentCryptograms.has(cryptogram)) return false
  state.spentCryptograms.add(cryptogram)
  dropOldest(state.spentCryptograms)
  return true
}

/** Call after what may end a hold: only holds that are still open run out. */
export function unwatchEnded({ ledger, expiry }: CheckoutState, { id }: Payment): void {
  if (ledger.get(id)?.state !== "authorized") expiry.forget(id)
}

/** A payment and its charge live and die together, but for the oldest of many. */
export function chargeOf({ ledger }: CheckoutState, { id }: Payment): LedgerCharge {
  const charge = ledger.get(id)
  if (!charge) throw new Error(`the ledger has forgotten ${id}`)
  return charge
}

/** What webhooks tell of an action. */
export function actionData(action: Action) {
  return {
    action_id: action.id,
    amount: action.amount,
    processed_on: timestamp(action.processedAt),
    response_code: action.responseCode,
    response_summary: summaryOf(action.responseCode),
    processing: action.processing,
    ...(action.reference !== undefined && { reference: action.reference }),
    ...(action.authCode !== undefined && { auth_code: action.authCode }),
    ...(action.metadata !== undefined && { metadata: action.metadata }),
  }
}

export function timestamp(at: number): string {
  return new Date(at).toISOString()
}

function forgetOldest(state: CheckoutState): void {
  const oldest = state.payments.values().next().value
  if (!oldest) return
  const { id, sessionId, purchase } = oldest
  state.payments.delete(id)
  state.expiry.forget(id)
  if (sessionId !== undefined) state.bySession.delete(sessionId)
  if (purchase.reference === undefined) return
  const others = state.byReference.get(purchase.reference)?.filter((other) => other !== id) ?? []
  if (others.length) state.byReference.set(purchase.reference, others)
  else state.byReference.delete(purchase.reference)
}

function dropOldest(kept: Map<string, unknown> | Set<string>): void {
  if (kept.size <= MAX_PAYMENTS) return
  const [oldest] = kept.keys()
  if (oldest !== undefined) kept.delete(oldest)
}
