// What is believed is so: whatever our books call ended without money is without money in the provider's books, from that
// moment on. A correction would make it good again, and hide that somebody had guessed; so it is asked at once, not at rest.
// What a provider itself said and took back is its own surprise, and is marked so in its books.

import { isOpen, type AttemptState, type OperationState, type Payment } from "../src/core/payment.ts"
import { claim } from "./claim.ts"
import { holds, type Charge } from "./lab-psp.ts"

const EMPTY: ReadonlySet<AttemptState> = new Set(["declined", "rejected", "not_sent", "absent", "lapsed"])
const NOT_DONE: ReadonlySet<OperationState> = new Set(["failed", "absent", "not_sent"])

export function judgeBelief(payment: Payment, charge: Charge): void {
  const attempt = payment.attempts.find((a) => a.id === charge.attempt)
  if (attempt === undefined) return
  const undoing = payment.operations.some((o) => o.kind === "reverse" && o.attempt === attempt.id && isOpen(o))
  claim(
    charge.changedItsMind === true || undoing || !EMPTY.has(attempt.state) || holds(charge) <= 0n,
    () =>
      `${payment.id}: attempt ${attempt.ordinal} is believed ${attempt.state}, and ${charge.reference} holds ${holds(charge)}`,
  )
  for (const deed of charge.does) {
    if (deed.operation === "" || deed.state === "failed" || deed.surprising === true) continue
    const operation = payment.operations.find((o) => o.id === deed.operation)
    claim(
      operation === undefined || !NOT_DONE.has(operation.state),
      () =>
        `${payment.id}: ${deed.kind} ${deed.operation} is believed ${operation?.state}, and ${deed.id} is ${deed.state}`,
    )
  }
}
