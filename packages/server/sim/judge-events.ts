// What the world was told: every stored event reached the sink, each of a payment's in the order in which they happened, and
// every end once.

import { statusOf, terminalStatuses, type PaymentStatus } from "../src/core/payment.ts"
import type { EventHead, LoggedEvent } from "../src/storage/ledger/ledger.ts"
import type { MemoryLedger } from "../src/storage/ledger/memory.ts"
import { claim } from "./claim.ts"

/** `delivered`: one of each, in the order in which the sink had them first. */
export function checkEvents(ledger: MemoryLedger, delivered: readonly EventHead[]): void {
  const stored = ledger.contents.events()
  // After a correction (a capture that failed days later, with its refund under way) an incident is what it is: a work item.
  const corrected = new Set(stored.flatMap((e) => (e.type === "payment.corrected" ? [e.payment] : [])))
  for (const payment of ledger.contents.payments())
    if (payment.operations.some((o) => o.origin === "provider") || payment.disputes.length > 0)
      corrected.add(payment.id)
  const incident = stored.find((e) => e.type === "payment.invariant_broken" && !corrected.has(e.payment))
  claim(incident === undefined, () => `the engine itself says of ${incident?.payment} that an invariant is broken`)
  const got = new Set(delivered.map((e) => e.id))
  for (const event of stored)
    claim(got.has(event.id), () => `event ${event.type} ${event.id} of ${event.payment} was never relayed`)
  claim(got.size === stored.length, () => `${got.size} events were relayed, ${stored.length} stored`)
  for (const payment of ledger.contents.payments()) {
    const status = statusOf(payment)
    const own = stored.filter((e) => e.payment === payment.id)
    const told = own.filter((e) => e.type === `payment.${status}`)
    if (terminalStatuses.has(status) && !own.some((e) => e.type === "payment.corrected"))
      claim(told.length === 1, () => `${payment.id}: "${status}" was told ${told.length} times`)
    inOrder(own)
    for (const { reference, stage } of payment.disputes) {
      const opened = own.filter((e) => e.type === "dispute.opened").length
      const disputes = payment.disputes.length
      claim(
        opened <= disputes,
        () => `${payment.id}: ${disputes} disputes (${reference} ${stage}) were told ${opened} times`,
      )
    }
  }
}

/** A payment's events come in the order of its versions; of one version, what has become of it comes last. */
function inOrder(events: readonly LoggedEvent[]): void {
  for (const [i, event] of events.entries()) {
    const next = events[i + 1]
    if (next === undefined) return
    claim(
      event.sequence < next.sequence ||
        (event.sequence === next.sequence && (!isStatus(event.type) || next.type === "payment.invariant_broken")),
      () => `${event.payment}: "${next.type}" (${next.sequence}) was told after "${event.type}" (${event.sequence})`,
    )
  }
}

const statuses: readonly PaymentStatus[] = [
  "requires_confirmation",
  "requires_action",
  "processing",
  "authorized",
  "partially_captured",
  "captured",
  "canceled",
  "failed",
  "expired",
]
const names = new Set<string>(statuses.map((status) => `payment.${status}`))
const isStatus = (type: string): boolean => names.has(type)
