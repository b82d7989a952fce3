// What the merchant's endpoint was told, against what happened: every event arrived, unchanged and signed, and whoever
// keeps only the highest sequence of each payment knows how it stands.

import { statusOf, terminalStatuses } from "../../packages/server/src/core/payment.ts"
import type { Facts, StoredEvent } from "./facts.ts"
import { finding, type Finding } from "./finding.ts"
import type { Received } from "./receiver.ts"

/** Events listed one by one; beyond it only their number. */
const MAX_LISTED = 20

export function judgeTold({ payments, events, received, incidents }: Facts): readonly Finding[] {
  const findings: Finding[] = incidents.map((text) => finding("lost", undefined, text))
  const missing = events.filter(({ id }) => !received.has(id))
  for (const { id, type, payment } of missing.slice(0, MAX_LISTED))
    findings.push(finding("lost", payment, `the webhook ${type} ${id} never came`))
  if (missing.length > MAX_LISTED)
    findings.push(finding("lost", undefined, `${missing.length - MAX_LISTED} more webhooks never came`))
  findings.push(...judgeCopies(events, received))

  const byPayment = Map.groupBy(events, ({ payment }) => payment ?? "")
  const newest = new Map<string, Received>()
  for (const message of received.values()) {
    const known = newest.get(message.payment ?? "")
    if (known === undefined || message.sequence > known.sequence) newest.set(message.payment ?? "", message)
  }
  for (const payment of payments) {
    const status = statusOf(payment)
    const last = newest.get(payment.id)
    if (last === undefined) findings.push(finding("lost", payment.id, `is ${status}, and nothing was ever told of it`))
    else if (last.status !== status)
      findings.push(
        finding("lost", payment.id, `is ${status}; the newest webhook (${last.sequence}) says ${last.status}`),
      )
    if (!terminalStatuses.has(status)) continue
    const own = byPayment.get(payment.id) ?? []
    const told = own.filter(({ type }) => type === `payment.${status}`)
    const corrected = own.some(({ type }) => type === "payment.corrected" || type === "payment.changed_at_provider")
    if (told.length === 0 || (told.length > 1 && !corrected))
      findings.push(finding("lost", payment.id, `its end "${status}" was told ${told.length} times`))
  }
  return findings
}

function judgeCopies(events: readonly StoredEvent[], received: ReadonlyMap<string, Received>): readonly Finding[] {
  const stored = new Map(events.map((event) => [event.id, event]))
  return [...received.values()].flatMap(({ id, type, sequence, payment }) => {
    const event = stored.get(id)
    if (event === undefined)
      return [finding("lost", payment, `the webhook ${type} ${id} is about nothing that is stored`)]
    return event.type === type && event.sequence === sequence && event.payment === payment
      ? []
      : [
          finding(
            "lost",
            payment,
            `the webhook ${id} says ${type} ${sequence}, stored is ${event.type} ${event.sequence}`,
          ),
        ]
  })
}
