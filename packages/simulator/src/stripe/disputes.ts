// Disputes, inquiries and early fraud warnings: they befall a charge, and the merchant may answer with evidence.
import type { Stripe } from "stripe"
import { binOf } from "../bins.ts"
import type { Misfortune } from "../persona.ts"
import { moneyOf, renderCharge } from "./charges.ts"
import { mergeMetadata } from "./customers.ts"
import { conflicting, missing } from "./errors.ts"
import { disputeReason, MAGIC_EVIDENCE } from "./magic.ts"
import type { Fields } from "./params.ts"
import type { Charge, DisputeRecord, World } from "./world.ts"

/** Test cards dispute a moment after they paid, and not within the payment itself. */
const DISPUTE_DELAY_MS = 2_000
const DUE_DAYS = 7
/** Visa's code for fraud in card-absent environments, and so on. */
const NETWORK_REASONS: Readonly<Record<string, string>> = {
  fraudulent: "10.4",
  product_not_received: "13.1",
  product_unacceptable: "13.3",
  subscription_canceled: "13.2",
  credit_not_processed: "13.6",
  duplicate: "12.6",
}

export function disputeOnceCharged(world: World, charge: Charge): void {
  const { dispute } = charge.method.magic
  if (!dispute) return
  world.ports.after(DISPUTE_DELAY_MS, () => {
    if (dispute.kind === "warning") return warn(world, charge)
    const whole = moneyOf(world, charge).captured
    const each = whole / BigInt(dispute.times)
    for (let n = 0; n < dispute.times; n++) openDispute(world, charge, each, dispute.reason, dispute.kind === "inquiry")
  })
}

export function befallDispute(world: World, charge: Charge, event: Extract<Misfortune, { type: "dispute" }>): boolean {
  return openDispute(world, charge, event.amount ?? moneyOf(world, charge).captured, disputeReason(event), false)
}

export function findDispute(world: World, id: string): DisputeRecord {
  const dispute = world.disputes.get(id)
  if (!dispute) throw missing("dispute", id, "dispute")
  return dispute
}

export function answerDispute(world: World, dispute: DisputeRecord, fields: Fields): void {
  dispute.metadata = mergeMetadata(dispute.metadata, fields.map("metadata"))
  const evidence = fields.map("evidence")
  if (evidence) dispute.evidence = { ...dispute.evidence, ...evidence }
  const submits = fields.bool("submit") ?? true
  if (!evidence || !submits) return
  if (dispute.status !== "needs_response" && dispute.status !== "warning_needs_response")
    throw conflicting("This dispute is already closed")
  dispute.submissions++
  const verdict = MAGIC_EVIDENCE[evidence["uncategorized_text"] ?? ""]
  if (verdict === "won" || verdict === "lost") return closeDispute(world, dispute, verdict)
  if (verdict === "escalated" && dispute.inquiry) return escalate(world, dispute)
  dispute.status = dispute.inquiry ? "warning_closed" : "under_review"
  world.events.emit("charge.dispute.updated", renderDispute(world, dispute))
}

/** Accepting a dispute is losing it. */
export function closeDispute(world: World, dispute: DisputeRecord, verdict: "won" | "lost"): void {
  if (dispute.inquiry) dispute.status = "warning_closed"
  else {
    dispute.status = verdict
    if (verdict === "won") {
      world.ledger.revoke(dispute.id)
      world.events.emit("charge.dispute.funds_reinstated", renderDispute(world, dispute))
    }
  }
  world.events.emit("charge.dispute.closed", renderDispute(world, dispute))
}

export function renderDispute(world: World, dispute: DisputeRecord): Stripe.Dispute {
  const charge = world.charges.get(dispute.charge)
  const intent = world.intents.get(dispute.intent)
  const brand = (charge && binOf(charge.method.pan)?.network) ?? "visa"
  const networkReason = NETWORK_REASONS[dispute.reason] ?? "10.4"
  return {
    id: dispute.id,
    object: "dispute",
    amount: Number(dispute.amount),
    balance_transactions: [],
    charge: dispute.charge,
    created: dispute.created,
    currency: intent?.currency ?? "usd",
    enhanced_eligibility_types: [],
    evidence: renderEvidence(dispute),
    evidence_details: {
      due_by: dispute.created + DUE_DAYS * 86_400,
      enhanced_eligibility: {},
      has_evidence: Object.keys(dispute.evidence).length > 0,
      past_due: false,
      submission_count: dispute.submissions,
      submission_method: "manual",
    },
    intended_submission_method: "manual",
    is_charge_refundable: dispute.inquiry,
    livemode: false,
    metadata: dispute.metadata,
    network_reason_code: networkReason,
    payment_intent: dispute.intent,
    payment_method_details: {
      card: {
        brand,
        case_type: dispute.inquiry ? "inquiry" : "chargeback",
        network: brand,
        network_reason_code: networkReason,
      },
      type: "card",
    },
    reason: dispute.reason,
    status: dispute.status,
  }
}

function openDispute(world: World, charge: Charge, amount: bigint, reason: string, inquiry: boolean): boolean {
  const id = world.id("du")
  if (!inquiry && !world.ledger.dispute(charge.intent, id, amount).ok) return false
  if (inquiry && moneyOf(world, charge).captured === 0n) return false
  const dispute: DisputeRecord = {
    id,
    charge: charge.id,
    intent: charge.intent,
    created: world.seconds(),
    amount,
    reason,
    inquiry,
    status: inquiry ? "warning_needs_response" : "needs_response",
    evidence: {},
    submissions: 0,
    metadata: {},
  }
  world.disputes.put(id, dispute)
  charge.disputes.push(dispute)
  world.events.emit("charge.dispute.created", renderDispute(world, dispute))
  if (!inquiry) world.events.emit("charge.dispute.funds_withdrawn", renderDispute(world, dispute))
  return true
}

function escalate(world: World, dispute: DisputeRecord): void {
  dispute.inquiry = false
  dispute.status = "needs_response"
  world.ledger.dispute(dispute.intent, dispute.id, dispute.amount)
  world.events.emit("charge.dispute.updated", renderDispute(world, dispute))
  world.events.emit("charge.dispute.funds_withdrawn", renderDispute(world, dispute))
}

function warn(world: World, charge: Charge): void {
  world.events.emit("radar.early_fraud_warning.created", {
    id: world.id("issfr"),
    object: "radar.early_fraud_warning",
    actionable: true,
    charge: charge.id,
    created: world.seconds(),
    fraud_type: "made_with_stolen_card",
    livemode: false,
    payment_intent: charge.intent,
  })
  world.events.emit("charge.updated", renderCharge(world, charge))
}

// oxfmt-ignore
const EVIDENCE = [
  "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
  "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
  "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
  "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
  "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
  "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text",
]

function renderEvidence(dispute: DisputeRecord): Stripe.Dispute.Evidence {
  const texts = Object.fromEntries(EVIDENCE.map((name) => [name, dispute.evidence[name] || null]))
  return { ...texts, enhanced_evidence: {} } as Stripe.Dispute.Evidence
}
