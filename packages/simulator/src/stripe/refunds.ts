// Refunds: at once for most cards; one test card's stay pending for a while, another's bounce after they succeeded.
import { DIGITS, randomText } from "../chance.ts"
import { findCharge, moneyOf, renderCharge } from "./charges.ts"
import { mergeMetadata } from "./customers.ts"
import { conflicting, invalid, missing } from "./errors.ts"
import { findIntent } from "./intents.ts"
import type { Fields } from "./params.ts"
import { renderRefund } from "./render-refund.ts"
import type { Charge, RefundRecord, World } from "./world.ts"

/** How long pending refunds stay pending, and good news lasts before it turns. */
export const REFUND_SETTLES_MS = 5_000
const REASONS = ["duplicate", "fraudulent", "requested_by_customer"] as const

export function createRefund(world: World, fields: Fields): RefundRecord {
  const charge = refundedCharge(world, fields)
  const money = moneyOf(world, charge)
  const reason = fields.oneOf("reason", REASONS) ?? null
  const wanted = fields.integer("amount")
  if (wanted !== undefined && wanted < 1)
    throw invalid("This value must be greater than or equal to 1.", {
      param: "amount",
      code: "parameter_invalid_integer",
    })
  refuseDisputed(charge)
  if (money.refundable === 0n)
    throw conflicting(`Charge ${charge.id} has already been refunded.`, { code: "charge_already_refunded" })
  const amount = wanted === undefined ? money.refundable : BigInt(wanted)
  if (amount > money.refundable)
    throw conflicting(`Refund amount (${amount}) is greater than unrefunded amount on charge (${money.refundable})`, {
      param: "amount",
    })
  const refund: RefundRecord = {
    id: world.id("re"),
    charge: charge.id,
    intent: charge.intent,
    created: world.seconds(),
    amount,
    reason,
    arn: randomText(world.ports.random, 23, DIGITS),
    isRelease: false,
    metadata: fields.map("metadata") ?? {},
    status: charge.method.magic.refund === "pending" ? "pending" : "succeeded",
  }
  const booked =
    refund.status === "pending"
      ? world.ledger.startRefund(charge.intent, refund.id, amount)
      : world.ledger.refund(charge.intent, refund.id, amount)
  if (!booked.ok) throw new Error(`the ledger refused what the rules allow: ${booked.refusal}`)
  world.refunds.put(refund.id, refund)
  charge.refunds.push(refund)
  world.events.emit("refund.created", renderRefund(world, refund))
  world.events.emit("charge.refunded", renderCharge(world, charge))
  settleLater(world, charge, refund)
  return refund
}

export function findRefund(world: World, id: string): RefundRecord {
  const refund = world.refunds.get(id)
  if (!refund) throw missing("refund", id, "refund")
  return refund
}

export function updateRefund(refund: RefundRecord, fields: Fields): void {
  refund.metadata = mergeMetadata(refund.metadata, fields.map("metadata"))
}

function refundedCharge(world: World, fields: Fields): Charge {
  const intentId = fields.text("payment_intent")
  const chargeId = fields.text("charge")
  if (intentId && chargeId)
    throw invalid("You cannot pass both payment_intent and charge", { code: "parameters_exclusive" })
  if (chargeId) {
    const charge = findCharge(world, chargeId, 400)
    if (moneyOf(world, charge).captured > 0n) return charge
    throw conflicting(`Charge ${charge.id} has not been captured; cancel its PaymentIntent instead.`, {
      code: "charge_not_refundable",
    })
  }
  if (!intentId)
    throw invalid("One of the following params should be provided for this request: payment_intent or charge.", {
      code: "parameter_missing",
    })
  const intent = findIntent(world, intentId, 400)
  const charge = intent.latestCharge === null ? undefined : world.charges.get(intent.latestCharge)
  if (!charge?.approved || moneyOf(world, charge).captured === 0n)
    throw conflicting(`This PaymentIntent (${intent.id}) does not have a successful charge to refund.`, {
      code: "payment_intent_unexpected_state",
      param: "payment_intent",
    })
  return charge
}

function refuseDisputed(charge: Charge): void {
  if (charge.disputes.some((dispute) => !dispute.inquiry && dispute.status !== "won"))
    throw conflicting(`Charge ${charge.id} has been charged back; cannot issue a refund.`, {
      code: "charge_disputed",
    })
}

function settleLater(world: World, charge: Charge, refund: RefundRecord): void {
  const fate = charge.method.magic.refund
  if (!fate) return
  world.ports.after(REFUND_SETTLES_MS, () => {
    if (fate === "pending") world.ledger.finish(refund.id, "succeeded")
    else world.ledger.revoke(refund.id)
    refund.status = fate === "pending" ? "succeeded" : "failed"
    const rendered = renderRefund(world, refund)
    world.events.emit("charge.refund.updated", rendered)
    world.events.emit(fate === "pending" ? "refund.updated" : "refund.failed", rendered)
  })
}
