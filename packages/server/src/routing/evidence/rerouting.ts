// What a draft changes about where payments go: exact, from the chances that both policies give each account. Of a payment
// whose chances differ by d in all, d is the part that must move, whatever the dice (the distance in total variation); for policies without
// dice it is 0 or 1, and the sums are counts of payments.

import type { Propensities } from "./decision-evidence.ts"
import { createTally, type TallyRow } from "./tally.ts"

export type Routed = {
  readonly propensities: Propensities
  /** The rule's name, or what stands in its place. */
  readonly rule: string
}

export type Rerouting = {
  readonly payments: number
  /** Payments that go elsewhere; not whole where policies have dice. */
  readonly moved: number
  /** Payments by account under each policy. */
  readonly accounts: readonly TallyRow<"after" | "before">[]
  /** `a → b`: payments that leave a for b. Where several accounts lose and gain, in proportion. */
  readonly flows: readonly TallyRow<"moved">[]
  /** By the rule of the draft that decides them; `from → to` where another rule did before. */
  readonly rules: readonly TallyRow<"payments" | "moved">[]
  readonly segments: readonly TallyRow<"payments" | "moved">[]
}

export function createRerouting() {
  const accounts = createTally(["after", "before"])
  const flows = createTally(["moved"])
  const rules = createTally(["payments", "moved"])
  const segments = createTally(["payments", "moved"])
  let payments = 0
  let moved = 0

  function add(before: Routed, after: Routed, segment: string): void {
    const part = distance(before.propensities, after.propensities)
    const rule = before.rule === after.rule ? after.rule : `${before.rule} → ${after.rule}`
    payments += 1
    moved += part
    rules.add(rule, "payments", 1)
    rules.add(rule, "moved", part)
    segments.add(segment, "payments", 1)
    segments.add(segment, "moved", part)
    for (const [account, chance] of Object.entries(before.propensities)) accounts.add(account, "before", chance)
    for (const [account, chance] of Object.entries(after.propensities)) accounts.add(account, "after", chance)
    if (part === 0) return
    for (const [from, lost] of losses(before.propensities, after.propensities))
      for (const [to, gained] of losses(after.propensities, before.propensities))
        flows.add(`${from} → ${to}`, "moved", (lost * gained) / part)
  }

  return {
    add,
    /** What was added to another one. */
    merge(more: Rerouting): void {
      payments += more.payments
      moved += more.moved
      accounts.merge(more.accounts)
      flows.merge(more.flows)
      rules.merge(more.rules)
      segments.merge(more.segments)
    },
    report: (): Rerouting => ({
      payments,
      moved,
      accounts: accounts.rows(),
      flows: flows.rows(),
      rules: rules.rows(),
      segments: segments.rows(),
    }),
  }
}

/** Of all chance the part that differs: 0 for the same, 1 for policies that never agree. */
export function distance(before: Propensities, after: Propensities): number {
  let sum = 0
  for (const [, lost] of losses(before, after)) sum += lost
  return sum
}

function losses(before: Propensities, after: Propensities): readonly (readonly [string, number])[] {
  return Object.entries(before).flatMap(([account, chance]) => {
    const lost = chance - (after[account] ?? 0)
    return lost > 0 ? [[account, lost] as const] : []
  })
}
