// What must hold for every payment at every moment. The engine looks at each commit and raises an incident where it does
// not; the simulation's judge has its own words for the same and more.

import { amountsOf, holders, isOpen, openIncidents, statusOf, type Payment } from "./payment.ts"

/**
 * What is broken and nobody was told of yet. Said once: it stays so until a person has looked into it, and then as long as
 * it stays the same.
 */
export function newViolation(before: Payment | undefined, payment: Payment): string | undefined {
  const violation = violationOf(payment)
  if (violation === undefined || openIncidents(payment).some((i) => i.violation === violation)) return undefined
  const stays = before !== undefined && violationOf(before) === violation
  return stays && before.incidents?.some((i) => i.violation === violation) === true ? undefined : violation
}

/** What is broken, or undefined. */
export function violationOf(payment: Payment): string | undefined {
  if (holders(payment).length > 1) return "two attempts may hold money without a stored reversal"
  const { authorized, captured, capturing, refunded, refunding, disputed } = amountsOf(payment)
  if (captured + capturing > authorized) return "captures exceed what is authorized"
  if (refunded + refunding > captured) return "refunds exceed what is captured"
  if (refunded + refunding + disputed > captured) return "refunds and disputes together exceed what is captured"
  if (payment.attempts.some((a) => a.captured > a.refunded && a.state !== "held" && a.state !== "reversed"))
    return "money was captured of an attempt that counts as ended"
  const open = payment.operations.filter(isOpen)
  if (open.some((o) => o.checkAt === undefined && !o.needsPerson)) return "nobody will look at an open operation again"
  const status = statusOf(payment)
  if ((status === "failed" || status === "canceled" || status === "expired") && open.some((o) => o.kind !== "reverse"))
    return `it is ${status} while an operation is open`
  return undefined
}
