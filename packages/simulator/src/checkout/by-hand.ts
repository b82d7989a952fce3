// Checkout.com's dashboard: what somebody does there to a payment. The same actions as by the API, without a reference and
// metadata of their own, so that their events carry the payment's.
import type { ByHand } from "../persona.ts"
import { requestCapture, requestRefund, requestVoid } from "./action.ts"
import { fromIso } from "./amount.ts"
import type { CheckoutState, Payment } from "./state.ts"

export function workByHand(state: CheckoutState, payment: Payment, deed: ByHand): boolean {
  const amount = "amount" in deed && deed.amount !== undefined ? deed.amount : undefined
  const body = amount === undefined ? {} : { amount: fromIso(amount, payment.purchase.currency) }
  switch (deed.type) {
    case "capture": {
      const type = deed.final === false ? "NonFinal" : "Final"
      return requestCapture(state, payment, { ...body, capture_type: type }).ok
    }
    case "refund":
      return requestRefund(state, payment, body).ok
    case "void":
      return requestVoid(state, payment, {}).ok
    case "cancel_or_refund":
      return false
    default:
      return deed satisfies never
  }
}
