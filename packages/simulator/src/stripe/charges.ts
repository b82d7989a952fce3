// Charges: one per try to authorize. How they look is told by the ledger, which has the only truth about the money.
import type { Stripe } from "stripe"
import { binOf } from "../bins.ts"
import { missing } from "./errors.ts"
import { fingerprint, hexOf, renderChecks } from "./methods.ts"
import type { Charge, World } from "./world.ts"

export function findCharge(world: World, id: string, status = 404): Charge {
  const charge = world.charges.get(id)
  if (!charge) throw missing("charge", id, status === 404 ? "id" : "charge", status)
  return charge
}

/** Money of an approved charge, as Stripe counts it. */
export function moneyOf(world: World, charge: Charge) {
  const truth = charge.approved ? world.ledger.get(charge.intent) : undefined
  const authorized = truth?.authorized ?? charge.amount
  const captured = truth?.captured ?? 0n
  const open = truth?.state === "authorized"
  // What a final capture, a cancellation or expiry releases is shown as refunded, although no money ever moved.
  const released = truth && !open ? authorized - captured : 0n
  const givenBack = (truth?.refunded ?? 0n) + (truth?.refundPending ?? 0n)
  return {
    authorized,
    captured,
    capturable: truth?.capturable ?? 0n,
    refundable: truth?.refundable ?? 0n,
    amountRefunded: released + givenBack,
    isCaptured: charge.approved && !open && captured > 0n,
  }
}

export function renderCharge(world: World, charge: Charge): Stripe.Charge {
  const intent = world.intents.get(charge.intent)
  const money = moneyOf(world, charge)
  const { decline } = charge
  return {
    id: charge.id,
    object: "charge",
    amount: Number(money.authorized),
    amount_captured: Number(money.captured),
    amount_refunded: Number(money.amountRefunded),
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: money.isCaptured ? `txn_${charge.id.slice(3)}` : null,
    billing_details: charge.method.billing,
    calculated_statement_descriptor: "ORCHESTRA SIMULATOR",
    captured: money.isCaptured,
    created: charge.created,
    currency: intent?.currency ?? "usd",
    customer: intent?.customer ?? null,
    description: intent?.description ?? null,
    disputed: charge.disputes.length > 0,
    failure_balance_transaction: null,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: charge.metadata,
    on_behalf_of: null,
    outcome: renderOutcome(charge),
    paid: charge.approved,
    payment_intent: charge.intent,
    payment_method: charge.method.id,
    payment_method_details: { card: renderCard(charge, money.authorized), type: "card" },
    radar_options: {},
    receipt_email: intent?.receiptEmail ?? null,
    receipt_number: null,
    receipt_url: charge.approved ? `https://pay.stripe.com/receipts/payment/${hexOf(charge.id, 32)}` : null,
    refunded: charge.approved && money.amountRefunded === money.authorized,
    review: null,
    shipping: (intent?.shipping as Stripe.Charge.Shipping | undefined) ?? null,
    source: null,
    source_transfer: null,
    statement_descriptor: intent?.statementDescriptor ?? null,
    statement_descriptor_suffix: intent?.statementDescriptorSuffix ?? null,
    status: charge.approved ? "succeeded" : "failed",
    transfer_data: null,
    transfer_group: null,
  }
}

function renderOutcome(charge: Charge): Stripe.Charge.Outcome {
  const { decline, risk } = charge
  const level = { risk_level: risk.level, risk_score: risk.score }
  if (charge.approved)
    return {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: "approved_by_network",
      reason: null,
      ...level,
      seller_message: "Payment complete.",
      type: "authorized",
    }
  if (charge.blocked)
    return {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: "not_sent_to_network",
      reason: "highest_risk_level",
      ...level,
      rule: "block_if_high_risk",
      seller_message: "Stripe blocked this payment as too risky.",
      type: "blocked",
    }
  return {
    advice_code: decline?.adviceCode ?? null,
    network_advice_code: decline?.networkAdviceCode ?? null,
    network_decline_code: decline?.networkDeclineCode ?? null,
    network_status: "declined_by_network",
    reason: decline?.declineCode ?? null,
    ...level,
    seller_message: "The bank did not return any further details with this decline.",
    type: "issuer_declined",
  }
}

function renderCard(charge: Charge, authorized: bigint): Stripe.Charge.PaymentMethodDetails.Card {
  const { method, features } = charge
  const bin = binOf(method.pan)
  const brand = bin?.network ?? "unknown"
  const availability = (asked: boolean): "available" | "unavailable" => (asked ? "available" : "unavailable")
  return {
    amount_authorized: charge.approved ? Number(authorized) : null,
    authorization_code: charge.approved ? charge.authorizationCode : null,
    brand,
    ...(charge.captureBefore !== undefined && { capture_before: charge.captureBefore }),
    checks: renderChecks(charge.checks),
    country: bin?.country ?? null,
    electronic_commerce_indicator: charge.threeDs ? eci(charge, brand) : null,
    exp_month: method.expMonth,
    exp_year: method.expYear,
    extended_authorization: { status: features.extended ? "enabled" : "disabled" },
    fingerprint: fingerprint(method.pan),
    funding: bin?.funding ?? "unknown",
    incremental_authorization: { status: availability(features.incremental) },
    installments: null,
    last4: method.pan.slice(-4),
    mandate: null,
    multicapture: { status: availability(features.multicapture) },
    network: brand,
    network_token: { used: false },
    network_transaction_id: charge.approved ? charge.networkTransactionId : null,
    overcapture: { maximum_amount_capturable: Number(authorized), status: "unavailable" },
    // In Stripe's preview of partial authorization; the public types do not have it yet.
    ...(charge.partial !== "not_requested" && { partial_authorization: { status: charge.partial } }),
    regulated_status: "unregulated",
    three_d_secure: renderThreeDs(charge, brand),
    transaction_link_id: null,
    wallet: null,
  }
}

function renderThreeDs(charge: Charge, brand: string): Stripe.Charge.PaymentMethodDetails.Card.ThreeDSecure | null {
  if (!charge.threeDs) return null
  return {
    authentication_flow: charge.threeDs.flow,
    electronic_commerce_indicator: eci(charge, brand),
    exemption_indicator: null,
    result: charge.threeDs.result,
    result_reason: null,
    transaction_id: uuidOf(`3ds:${charge.id}`),
    version: "2.2.0",
  }
}

/** 02/05: authenticated, 01/06: attempted; Mastercard counts differently from the rest. */
function eci(charge: Charge, brand: string): "01" | "02" | "05" | "06" {
  const full = charge.threeDs?.result === "authenticated"
  return brand === "mastercard" ? (full ? "02" : "01") : full ? "05" : "06"
}

function uuidOf(text: string): string {
  const hex = hexOf(text, 32)
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20)].join("-")
}
