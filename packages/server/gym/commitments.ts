// A promise of volume in the gym: the provider that the router uses least was promised more than it would get. What counts is
// whether the promise is kept at the end of the period, and what it cost against the same router without one, on the same
// payments and dice.

import type { Commitment } from "../src/routing/commitment.ts"
import type { Run } from "./run.ts"
import type { World } from "./world.ts"

/** Points of all payments that are promised beyond what it gets anyway. */
const MORE = 0.05

export type Promised = { readonly provider: number; readonly payments: number }

export function promiseIn(world: World, free: Run): Promised {
  const counts = countsOf(world, free)
  const provider = counts.indexOf(Math.min(...counts))
  return { provider, payments: Math.round(counts[provider]! + MORE * world.count) }
}

export function commitmentsOf(world: World, { provider, payments }: Promised): readonly (Commitment | undefined)[] {
  return Array.from({ length: world.providers }, (_, k) => (k === provider ? { minVolume: payments } : undefined))
}

/** `commitment_met`: of what was promised, at most 1. `commitment_cost_bps`: of the value, by the world's own chances. */
export function keptOf(world: World, promised: Promised, free: Run, bound: Run) {
  return {
    commitment_met: Math.min(1, countsOf(world, bound)[promised.provider]! / promised.payments),
    commitment_cost_bps: 10_000 * (1 - bound.chances / free.chances),
  }
}

function countsOf(world: World, { provider }: Run): number[] {
  const counts = Array.from({ length: world.providers }, () => 0)
  for (const one of provider) counts[one]! += 1
  return counts
}
