// What must hold for every payment at every moment. The engine looks at each commit and raises an incident where it does
// not; the simulation's judge has its own words for the same and more.

import { amountsOf, holders, isOpen, statusOf, type Payment } from "./payment.ts"

/** What is broken, or undefined. */
export function violationOf(payment: Payment): string | undefined {
  if (holders(payment).length > 1) return "two attempts may hold money without a stored reversal"
  const { authorized, captured, capturing, refunded, refunding } = amountsOf(payment)
  if (captured + capturing > authorized) return "captures exceed what is authorized"
  if (refunded + refunding > captured) return "refunds exceed what is captured"
  if (payment.attempts.some((a) => a.captured > a.refunded && a.state !== "held" && a.state !== "reversed"))
    return "money was captured of an attempt that counts as ended"
  const open = payment.operations.filter(isOpen)
  if (open.some((o) => o.checkAt === undefined && !o.needsPerson)) return "nobody will look at an open operation again"
  const status = statusOf(payment)
  if ((status === "failed" || status === "canceled" || status === "expired") && open.some((o) => o.kind !== "reverse"))
    return `it is ${status} while an operation is open`
  return undefined
}
