// Reversing a payment whatever it has come to: what is held is voided and what was taken is refunded, with one request
// that is accepted first and processed a little later. A second request finds it reversed.
// https://www.checkout.com/docs/payments/manage-payments/reverse-a-payment (2026-05)
import type { JsonObject } from "../json-body.ts"
import { accepted, type Part, readPart, record } from "./action.ts"
import { type Checked, failed, NOT_ALLOWED } from "./error.ts"
import { chargeOf, type CheckoutState, newId, type Payment, unwatchEnded } from "./state.ts"
import { REFUND_DECLINES } from "./test-values.ts"
import { ACTION_MS } from "./timing.ts"

export function requestReversal(
  state: CheckoutState,
  payment: Payment,
  body: JsonObject,
): Checked<{ readonly status: number; readonly body: unknown }> {
  const charge = chargeOf(state, payment)
  const isOver = charge.state === "voided" || (charge.captured > 0n && charge.held === 0n)
  if (payment.isReversed || isOver) return { ok: true, value: { status: 204, body: undefined } }
  if (charge.state !== "authorized" && charge.state !== "captured") return failed(NOT_ALLOWED)
  const part = readPart(state, payment, body, charge.held)
  if (!part.ok) return part
  payment.isReversed = true
  state.ports.after(ACTION_MS, () => reverse(state, payment, part.value))
  const answer = accepted(payment, part.value)
  return answer.ok ? { ok: true, value: { status: 202, body: answer.value } } : answer
}

/** One action, or two where a part was captured: the first has the id that the answer gave. */
function reverse(state: CheckoutState, payment: Payment, part: Part): void {
  const charge = chargeOf(state, payment)
  // A capture under way is waited for: it decides what there is to reverse.
  if (charge.capturePending > 0n) {
    state.ports.after(ACTION_MS, () => reverse(state, payment, part))
    return
  }
  const { capturable, refundable } = charge
  const refund = { ...part, amount: refundable }
  if (charge.state === "authorized") {
    const voided = { ...part, amount: capturable }
    state.ledger.void(payment.id)
    unwatchEnded(state, payment)
    record(state, payment, "Void", voided, true)
    if (refundable > 0n) giveBack(state, payment, { ...refund, id: newId(state, "act") })
  } else if (refundable > 0n) giveBack(state, payment, refund)
  // Something else ended it in the meantime.
  else record(state, payment, "Void", { ...part, amount: 0n }, false)
}

function giveBack(state: CheckoutState, payment: Payment, part: Part): void {
  const works = payment.purchase.card.name !== REFUND_DECLINES
  state.ledger.startRefund(payment.id, part.id, part.amount)
  state.ledger.finish(part.id, works ? "succeeded" : "failed")
  record(state, payment, "Refund", part, works)
}
