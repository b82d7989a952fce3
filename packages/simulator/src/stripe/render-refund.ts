// How a refund looks on the wire. A release is a refund that moved no money: Stripe writes one when it lets go of (the
// rest of) a hold, and only the missing balance transaction tells it from money that went back.
import type { Stripe } from "stripe"
import type { Charge, RefundRecord, World } from "./world.ts"

export function recordRelease(world: World, charge: Charge, amount: bigint): RefundRecord | undefined {
  if (amount <= 0n) return undefined
  const release: RefundRecord = {
    id: world.id("re"),
    charge: charge.id,
    intent: charge.intent,
    created: world.seconds(),
    amount,
    reason: null,
    arn: "",
    isRelease: true,
    metadata: {},
    status: "succeeded",
  }
  charge.refunds.push(release)
  return world.refunds.put(release.id, release)
}

export function renderRefund(world: World, refund: RefundRecord): Stripe.Refund {
  const charge = world.charges.get(refund.charge)
  const intent = world.intents.get(refund.intent)
  const pending = refund.status === "pending"
  return {
    id: refund.id,
    object: "refund",
    amount: Number(refund.amount),
    balance_transaction: pending || refund.isRelease ? null : `txn_${refund.id.slice(3)}`,
    charge: refund.charge,
    created: refund.created,
    currency: intent?.currency ?? "usd",
    customer: intent?.customer ?? null,
    customer_account: null,
    destination_details: {
      card: refund.isRelease
        ? { type: "reversal" }
        : {
            ...(refund.status === "succeeded" && { reference: refund.arn }),
            reference_status: refund.status === "succeeded" ? "available" : "pending",
            reference_type: "acquirer_reference_number",
            type: pending ? "pending" : "refund",
          },
      type: "card",
    },
    ...(refund.status === "failed" && {
      failure_reason: "expired_or_canceled_card",
      failure_balance_transaction: `txn_f${refund.id.slice(4)}`,
    }),
    metadata: refund.metadata,
    payment_intent: refund.intent,
    payment_method: charge?.method.id ?? null,
    ...(pending && { pending_reason: "processing" }),
    reason: refund.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: refund.status,
    transfer_reversal: null,
  }
}
