// A payment as Checkout.com shows it: in the answer to its creation, when it is read, in lists, and its actions.
import { createHash } from "node:crypto"
import { challengePage } from "../challenge-page.ts"
import type { Network } from "../bins.ts"
import type { LedgerCharge } from "../money-ledger.ts"
import type { WireResponse } from "../persona.ts"
import { fromIso } from "./amount.ts"
import { summaryOf } from "./response-code.ts"
import { type Action, chargeOf, type CheckoutState, type Payment, timestamp, type Verdict } from "./state.ts"

const SCHEMES: Readonly<Record<Network, string>> = {
  visa: "Visa",
  mastercard: "Mastercard",
  amex: "American Express",
  discover: "Discover",
  diners: "Diners Club International",
  jcb: "JCB",
  unionpay: "China UnionPay",
  maestro: "Maestro",
}

const API = "https://api.sandbox.checkout.com"
/** Below the account's public address. */
export const SESSION_PATH = "/sessions-interceptor/"

type Status =
  | "Pending"
  | "Authorized"
  | "Card Verified"
  | "Voided"
  | "Partially Captured"
  | "Captured"
  | "Partially Refunded"
  | "Refunded"
  | "Declined"
  | "Expired"

/** The 201 of POST /payments. */
export function createdView(state: CheckoutState, payment: Payment, verdict: Verdict, action: Action) {
  const { purchase } = payment
  return {
    id: payment.id,
    action_id: action.id,
    amount: action.amount,
    ...(verdict.approved && action.amount < Number(purchase.value) && { amount_requested: Number(purchase.value) }),
    currency: purchase.currency,
    approved: verdict.approved,
    status: statusOf(state, payment),
    ...(verdict.authCode && { auth_code: verdict.authCode }),
    response_code: verdict.responseCode,
    response_summary: summaryOf(verdict.responseCode),
    ...(payment.expiresAt !== undefined && { expires_on: timestamp(payment.expiresAt) }),
    ...threeDsView(payment),
    risk: { flagged: false, score: 0 },
    source: sourceView(payment),
    customer: { id: payment.customerId },
    balances: balancesOf(chargeOf(state, payment)),
    processed_on: timestamp(action.processedAt),
    ...referenceView(payment),
    processing: { ...action.processing, ...adviceView(verdict) },
    ...(verdict.eci !== undefined && { eci: verdict.eci }),
    ...(verdict.schemeId && { scheme_id: verdict.schemeId }),
    _links: linksOf(state, payment),
  }
}

/** The 202 of POST /payments: the customer has to go to the redirect first. */
export function pendingView(state: CheckoutState, payment: Payment) {
  const href = `${state.publicUrl}${SESSION_PATH}${payment.sessionId}`
  return {
    id: payment.id,
    status: "Pending",
    ...referenceView(payment),
    customer: { id: payment.customerId },
    "3ds": { downgraded: false, enrolled: "Y" },
    _links: { ...linksOf(state, payment), redirect: { href } },
  }
}

/** GET /payments/{id}, and one entry of a list. */
export function paymentView(state: CheckoutState, payment: Payment) {
  const { purchase, verdict } = payment
  const charge = chargeOf(state, payment)
  const approved = verdict?.approved ?? false
  const requested = Number(purchase.value)
  const amount = approved && charge.authorized > 0n ? authorizedFirst(payment) : requested
  return {
    id: payment.id,
    requested_on: timestamp(payment.createdAt),
    source: sourceView(payment),
    ...(payment.expiresAt !== undefined && { expires_on: timestamp(payment.expiresAt) }),
    amount,
    ...(amount < requested && { amount_requested: requested }),
    currency: purchase.currency,
    payment_type: purchase.paymentType,
    ...referenceView(payment),
    status: statusOf(state, payment),
    approved,
    balances: balancesOf(charge),
    ...threeDsView(payment),
    risk: { flagged: false, score: 0 },
    customer: { id: payment.customerId },
    processing: adviceView(verdict),
    ...(purchase.metadata && { metadata: purchase.metadata }),
    ...(verdict?.eci !== undefined && { eci: verdict.eci }),
    ...(verdict?.schemeId && { scheme_id: verdict.schemeId }),
    _links: linksOf(state, payment),
  }
}

/** GET /payments/{id}/actions: the latest first. */
export function actionsView({ actions }: Payment) {
  return actions.toReversed().map((action) => ({
    id: action.id,
    type: action.type,
    processed_on: timestamp(action.processedAt),
    amount: action.amount,
    approved: action.approved,
    ...(action.authCode && { auth_code: action.authCode }),
    response_code: action.responseCode,
    response_summary: summaryOf(action.responseCode),
    ...(action.authorizationType !== undefined && { authorization_type: action.authorizationType }),
    ...(action.reference !== undefined && { reference: action.reference }),
    processing: action.processing,
    ...(action.metadata !== undefined && { metadata: action.metadata }),
  }))
}

/** Asked for by session id, a payment comes with a summary of its actions. */
export function actionSummaries({ actions }: Payment) {
  return actions.toReversed().map(({ id, type, responseCode }) => ({
    id,
    type,
    response_code: responseCode,
    response_summary: summaryOf(responseCode),
  }))
}

export function statusOf(state: CheckoutState, payment: Payment): Status {
  const charge = chargeOf(state, payment)
  const { verdict, purchase } = payment
  if (!verdict) return charge.state === "expired" ? "Expired" : "Pending"
  if (!verdict.approved) return "Declined"
  if (purchase.iso === 0n) return "Card Verified"
  if (charge.refunded > 0n) return charge.refunded < charge.captured ? "Partially Refunded" : "Refunded"
  switch (charge.state) {
    case "authorized":
      return charge.captured > 0n ? "Partially Captured" : "Authorized"
    case "captured": {
      const closed = charge.operations.some(
        ({ kind, final, status }) => kind === "capture" && final && status === "succeeded",
      )
      return closed || charge.captured === charge.authorized ? "Captured" : "Partially Captured"
    }
    case "voided":
      return "Voided"
    case "expired":
      return "Expired"
    case "none":
    case "action":
    case "declined":
      return "Pending"
    default:
      return charge.state satisfies never
  }
}

export function balancesOf(charge: LedgerCharge) {
  const show = (minor: bigint): number => fromIso(minor, charge.currency)
  const open = charge.state === "authorized"
  return {
    total_authorized: show(charge.authorized),
    total_voided: show(open ? 0n : charge.authorized - charge.captured),
    available_to_void: show(charge.capturable),
    total_captured: show(charge.captured),
    available_to_capture: show(charge.capturable),
    total_refunded: show(charge.refunded),
    available_to_refund: show(charge.refundable),
  }
}

/** Links tell what may be done next. */
export function linksOf(state: CheckoutState, payment: Payment): Record<string, { href: string }> {
  const self = `${API}/payments/${payment.id}`
  const charge = chargeOf(state, payment)
  const open = charge.state === "authorized" && charge.capturable > 0n
  return {
    self: { href: self },
    actions: { href: `${self}/actions` },
    ...(open && { capture: { href: `${self}/captures` }, void: { href: `${self}/voids` } }),
    ...(open && payment.purchase.authorizationType !== "Final" && { authorize: { href: `${self}/authorizations` } }),
    ...(charge.refundable > 0n && { refund: { href: `${self}/refunds` } }),
  }
}

export function pageOf({ purchase }: Payment): WireResponse {
  return challengePage({
    provider: "Checkout.com",
    merchantReference: purchase.reference ?? "without a reference",
    amount: `${purchase.value} ${purchase.currency} (minor units)`,
    last4: purchase.card.pan.slice(-4),
  })
}

/** What the first authorization was for; increments show in the balances. */
function authorizedFirst({ actions, purchase }: Payment): number {
  return actions.find(({ type }) => type === "Authorization")?.amount ?? Number(purchase.value)
}

function referenceView({ purchase }: Payment) {
  return purchase.reference === undefined ? {} : { reference: purchase.reference }
}

/** Mastercard's advice; the recommendation code says the same for this network. */
function adviceView(verdict: Verdict | undefined) {
  const advice = verdict?.adviceCode
  return advice === undefined ? {} : { recommendation_code: advice, partner_merchant_advice_code: advice }
}

function threeDsView({ purchase, verdict }: Payment) {
  if (purchase.threeDs.type === "none") return {}
  switch (verdict?.threeDs) {
    case "not_enrolled":
      return { "3ds": { downgraded: verdict.approved, enrolled: "N" } }
    case "authenticated":
    case "attempted":
    case "failed": {
      const challenged = purchase.threeDs.type === "challenge"
      const answer = { authenticated: "Y", attempted: "A", failed: "N" }[verdict.threeDs]
      const about = { enrolled: "Y", authentication_response: answer, version: "2.2.0", challenged }
      return { "3ds": { downgraded: false, ...about } }
    }
    case undefined:
      return { "3ds": { downgraded: false, enrolled: "Y" } }
  }
}

function sourceView({ purchase, sourceId, verdict }: Payment) {
  const { card, addressLine, postcode } = purchase
  const address = { ...(addressLine && { address_line1: addressLine }), ...(postcode && { zip: postcode }) }
  return {
    id: sourceId,
    type: "card",
    ...(Object.keys(address).length > 0 && { billing_address: address }),
    expiry_month: card.expiryMonth,
    expiry_year: card.expiryYear,
    ...(card.name && { name: card.name }),
    scheme: SCHEMES[card.bin.network],
    last4: card.pan.slice(-4),
    fingerprint: createHash("sha256").update(`fingerprint:${card.pan}`).digest("hex").toUpperCase(),
    bin: card.pan.slice(0, 6),
    card_type: card.bin.funding.toUpperCase(),
    card_category: "CONSUMER",
    issuer: card.bin.issuer,
    issuer_country: card.bin.country,
    // S: the issuer was not asked about the address.
    avs_check: verdict?.avs ?? "S",
    ...(verdict?.cvv !== undefined && { cvv_check: verdict.cvv === "M" ? "Y" : "N" }),
  }
}
