// Adyen's Customer Area: what somebody does there to a payment. It is a modification like those of the API, with a
// reference of its own and the payment's merchant reference. Here it says no at once where a modification would later.
import type { ByHand } from "../persona.ts"
import { fromIso, wireAmount } from "./amount.ts"
import { modify } from "./modification.ts"
import type { AdyenState, Payment } from "./state.ts"

export function workByHand(state: AdyenState, payment: Payment, deed: ByHand): boolean {
  const charge = state.ledger.get(payment.pspReference)
  if (!charge) return false
  const isHeld = charge.state === "authorized" && charge.capturePending === 0n
  const body = (amount: bigint) => ({ amount: wireAmount(fromIso(amount, charge.currency)) })
  switch (deed.type) {
    case "capture": {
      const amount = deed.amount ?? charge.capturable
      const isFirst = charge.captured === 0n && charge.capturePending === 0n
      if (charge.state !== "authorized" || amount <= 0n || amount > charge.capturable) return false
      return (isFirst || state.multipleCaptures) && modify(state, payment, "captures", body(amount)).ok
    }
    case "refund": {
      const amount = deed.amount ?? charge.refundable
      return amount > 0n && amount <= charge.refundable && modify(state, payment, "refunds", body(amount)).ok
    }
    case "void":
      return isHeld && modify(state, payment, "cancels", {}).ok
    case "cancel_or_refund":
      return (isHeld || charge.refundable > 0n) && modify(state, payment, "reversals", {}).ok
    default:
      return deed satisfies never
  }
}
