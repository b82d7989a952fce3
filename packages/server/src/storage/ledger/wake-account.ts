// Which account the next question about a payment goes to: the ledger limits recovery per account by it, so that an
// outage does not end in a storm of inquiries. Both stores note it with `wakeAt`.

import type { AccountId } from "../../core/id.ts"
import { attemptOf, isOpen, type Payment } from "../../core/payment.ts"

/** The account of the open operation with the earliest `checkAt`. Undefined where no provider has to be asked. */
export function wakeAccount(payment: Payment): AccountId | undefined {
  const [next] = payment.operations
    .filter((operation) => isOpen(operation) && operation.checkAt !== undefined)
    .toSorted((a, b) => (a.checkAt ?? 0) - (b.checkAt ?? 0))
  return next === undefined ? undefined : attemptOf(payment, next.attempt)?.account
}
