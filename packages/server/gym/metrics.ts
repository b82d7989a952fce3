// What a run was worth (routing.md §7.2): approval against the best single provider and the oracle, what outages cost, what
// was switched without need, what exploring and retrying did.

import type { Outage } from "./events.ts"
import type { Run } from "./run.ts"
import { chance, firstAt, WEEK_MS, type World } from "./world.ts"

export type OutageKind = "hard" | "gray" | "silent"
export const outageKinds = ["hard", "gray", "silent"] as const

export type Metrics = {
  readonly approval: number
  readonly approval_pp_vs_best_single: number
  readonly headroom: number
  /** Of the payments that an outage was in the way of, those that went to the sick provider. */
  readonly outage_share: Readonly<Record<OutageKind, number>>
  /** Attempts at the sick provider until it got less than a tenth; one per outage of a provider that had traffic. */
  readonly attempts_to_leave: Readonly<Record<OutageKind, readonly number[]>>
  readonly false_ejections_per_month: number
  readonly exploration_share: number
  readonly probe_share: number
  /** Share of payments in issuers' outages that health sent elsewhere, beyond what it does in quiet times. */
  readonly issuer_outage_switching: number
  /** Points of approval that the second attempt added: all, and after soft declines alone. */
  readonly retry_pp: number
  readonly retry_soft_pp: number
  /** Of a run that owed a provider volume: how much of it was delivered, and what that cost (commitments.ts). */
  readonly commitment_met?: number
  readonly commitment_cost_bps?: number
}

const MONTH_WEEKS = 30 / 7
/** An ejection this soon after an outage ended was still about it: outcomes come late. */
const AFTERMATH_MS = 15 * 60_000
/** Left: of so many payments in scope, at most so many went to the sick provider. */
const LEFT_OF = 20
const LEFT_AT_MOST = 2
/** Leaving means something only where the provider had this share before. */
const HAD_SHARE = 0.2

export function bestSingle(world: World): { readonly provider: number; readonly rate: number } {
  const sums = new Float64Array(world.providers)
  for (let i = 0; i < world.count; i++) for (let k = 0; k < world.providers; k++) sums[k]! += chance(world, i, k)
  let provider = 0
  for (let k = 1; k < world.providers; k++) if (sums[k]! > sums[provider]!) provider = k
  return { provider, rate: sums[provider]! / world.count }
}

export function oracleRate(world: World): number {
  let sum = 0
  for (let i = 0; i < world.count; i++) {
    let best = 0
    for (let k = 0; k < world.providers; k++) best = Math.max(best, chance(world, i, k))
    sum += best
  }
  return sum / world.count
}

export function measure(world: World, result: Run, single: number, oracle: number): Metrics {
  const approval = result.chances / world.count
  const share = { hard: 0, gray: 0, silent: 0 }
  const attempts: Record<OutageKind, number[]> = { hard: [], gray: [], silent: [] }
  const met = { hard: 0, gray: 0, silent: 0 }
  world.events.outages.forEach((outage, index) => {
    if (outage.kind === "slow") return
    const { inScope, sent, toLeave } = follow(world, result, outage, index)
    met[outage.kind] += inScope
    share[outage.kind] += sent
    if (toLeave !== undefined) attempts[outage.kind].push(toLeave)
  })
  for (const kind of outageKinds) share[kind] /= Math.max(1, met[kind])
  return {
    approval,
    approval_pp_vs_best_single: 100 * (approval - single),
    headroom: (approval - single) / (oracle - single),
    outage_share: share,
    attempts_to_leave: attempts,
    false_ejections_per_month: falseEjections(world, result) / world.providers / (world.endMs / WEEK_MS / MONTH_WEEKS),
    exploration_share: result.explored / world.count,
    probe_share: result.probed / world.count,
    issuer_outage_switching: issuerSwitching(world, result),
    retry_pp: (100 * (result.paidAtLast - result.paidFirst)) / world.count,
    retry_soft_pp: (100 * result.recoveredSoft) / world.count,
  }
}

export function follow(world: World, result: Run, outage: Outage, index: number) {
  let inScope = 0
  let sent = 0
  let recent = 0
  let left: number | undefined
  const window: number[] = []
  for (let i = firstAt(world.atMs, outage.fromMs); i < world.count && world.atMs[i]! < outage.untilMs; i++) {
    if (world.outageAt[i * world.providers + outage.provider] !== index) continue
    const there = result.provider[i] === outage.provider ? 1 : 0
    inScope += 1
    sent += there
    recent += there
    window.push(there)
    if (window.length > LEFT_OF) recent -= window[window.length - 1 - LEFT_OF]!
    // All attempts up to here, the last few of the window included.
    if (left === undefined && window.length >= LEFT_OF && recent <= LEFT_AT_MOST) left = sent
  }
  const toLeave = inScope >= LEFT_OF && shareBefore(world, result, outage) >= HAD_SHARE ? (left ?? sent) : undefined
  return { inScope, sent, toLeave }
}

function shareBefore(world: World, result: Run, outage: Outage): number {
  let seen = 0
  let there = 0
  const start = firstAt(world.atMs, outage.fromMs - 3 * 3_600_000)
  for (let i = start; i < world.count && world.atMs[i]! < outage.fromMs; i++) {
    if (outage.network >= 0 && world.network[i] !== outage.network) continue
    if (outage.country >= 0 && world.country[i] !== outage.country) continue
    if (outage.challengedOnly && world.challenged[i] === 0) continue
    seen += 1
    if (result.provider[i] === outage.provider) there += 1
  }
  return seen === 0 ? 0 : there / seen
}

/** Ejections for which the provider gave no cause: no outage of its own, now or just before. */
function falseEjections(world: World, result: Run): number {
  let count = 0
  for (const change of result.changes) {
    if (change.kind !== "health" || change.to !== "ejected" || change.why !== "threshold") continue
    const isTrue = world.events.outages.some(
      (o) =>
        o.kind !== "slow" &&
        o.provider === change.account &&
        change.atMs >= o.fromMs &&
        change.atMs < o.untilMs + AFTERMATH_MS,
    )
    if (!isTrue) count += 1
  }
  return count
}

function issuerSwitching(world: World, result: Run): number {
  let inOutage = 0
  let switched = 0
  let quiet = 0
  let switchedQuiet = 0
  for (let i = 0; i < world.count; i++) {
    let isQuiet = true
    for (let k = 0; k < world.providers; k++) if (world.outageAt[i * world.providers + k]! >= 0) isQuiet = false
    if (!isQuiet) continue
    if (world.issuerOutageAt[i]! >= 0) {
      inOutage += 1
      switched += result.diverted[i]!
    } else {
      quiet += 1
      switchedQuiet += result.diverted[i]!
    }
  }
  return Math.max(0, switched / Math.max(1, inOutage) - switchedQuiet / Math.max(1, quiet))
}
