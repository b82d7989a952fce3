// One policy in one world: payments come in their order, outcomes become known when they would, and a payment whose first
// attempt failed in a way that allows it has one more at another provider. The same for every policy.

import type { Previous, Ending } from "../src/routing/signals/observation.ts"
import type { SignalChange } from "../src/routing/signals/health-change.ts"
import { attempt, type Attempted } from "./outcome.ts"
import { chance, type World } from "./world.ts"

export type Tried = {
  readonly payment: number
  readonly provider: number
  readonly number: 1 | 2
  /** How the attempt before ended; undefined for the first. */
  readonly before: Previous | undefined
  readonly ending: Ending
  readonly latencyMs: number
}

/** What a policy may be asked and told. It sees the payment's own facts (`Seen` of its world), never chances. */
export type GymPolicy = {
  choose(payment: number, nowMs: number): Chosen
  /** The second attempt; undefined: none. */
  retry(payment: number, tried: number, before: Previous, nowMs: number): number | undefined
  learn(tried: Tried, nowMs: number): void
  /** Every ten seconds: what is not driven by payments. */
  tick?(nowMs: number): void
  takeChanges?(): readonly SignalChange[]
}

export type Chosen = {
  readonly provider: number
  readonly why?: "explore" | "probe"
  /** Whether health alone made another provider than usual the choice. */
  readonly diverted?: boolean
  /** The chance of every account, by its id, where the policy has dice and says so. */
  readonly propensities?: Readonly<Record<string, number>>
}

export type Run = {
  readonly provider: Uint8Array
  readonly diverted: Uint8Array
  /** Sum of the chances of first attempts, and payments paid at the first and at last. */
  chances: number
  paidFirst: number
  paidAtLast: number
  recoveredSoft: number
  explored: number
  probed: number
  readonly changes: SignalChange[]
}

const TICK_MS = 10_000
const BUCKET_MS = 1_000

type Pending = {
  readonly payment: number
  readonly provider: number
  readonly number: 1 | 2
  readonly before: Previous | undefined
  readonly attempted: Attempted
}

export function run(world: World, policy: GymPolicy): Run {
  const result: Run = {
    provider: new Uint8Array(world.count),
    diverted: new Uint8Array(world.count),
    chances: 0,
    paidFirst: 0,
    paidAtLast: 0,
    recoveredSoft: 0,
    explored: 0,
    probed: 0,
    changes: [],
  }
  const buckets: (Pending[] | undefined)[] = []
  let nextBucket = 0
  let nextTickMs = 0
  const send = (
    payment: number,
    provider: number,
    number: 1 | 2,
    before: Previous | undefined,
    nowMs: number,
  ): void => {
    const attempted = attempt(world, payment, provider)
    const bucket = Math.floor((nowMs + attempted.knownAfterMs) / BUCKET_MS)
    const pending = { payment, provider, number, before, attempted }
    const there = buckets[bucket]
    if (there === undefined) buckets[bucket] = [pending]
    else there.push(pending)
    if (attempted.ending !== "paid") return
    result.paidAtLast += 1
    if (number === 1) result.paidFirst += 1
    else if (before === "soft_decline") result.recoveredSoft += 1
  }
  const mature = ({ payment, provider, number, before, attempted }: Pending, nowMs: number): void => {
    policy.learn({ payment, provider, number, before, ending: attempted.ending, latencyMs: attempted.latencyMs }, nowMs)
    if (number === 2 || attempted.previous === undefined || attempted.previous === "decline") return
    // A customer who passed a challenge is not asked for another one.
    if (world.challenged[payment] === 1 && attempted.previous !== "technical") return
    const other = policy.retry(payment, provider, attempted.previous, nowMs)
    if (other !== undefined) send(payment, other, 2, attempted.previous, nowMs)
  }
  const advance = (untilMs: number): void => {
    const until = Math.floor(untilMs / BUCKET_MS)
    for (; nextBucket < until; nextBucket++) {
      const bucket = buckets[nextBucket]
      if (bucket === undefined) continue
      // Retries may join the bucket that is being emptied.
      for (let i = 0; i < bucket.length; i++) mature(bucket[i]!, nextBucket * BUCKET_MS)
      buckets[nextBucket] = undefined
    }
    for (; nextTickMs <= untilMs; nextTickMs += TICK_MS) policy.tick?.(nextTickMs)
  }
  for (let payment = 0; payment < world.count; payment++) {
    const nowMs = world.atMs[payment]!
    advance(nowMs)
    const { provider, why, diverted } = policy.choose(payment, nowMs)
    result.provider[payment] = provider
    result.chances += chance(world, payment, provider)
    if (why === "explore") result.explored += 1
    if (why === "probe") result.probed += 1
    if (diverted === true) result.diverted[payment] = 1
    send(payment, provider, 1, undefined, nowMs)
    if ((payment & 1023) === 0 && policy.takeChanges !== undefined) result.changes.push(...policy.takeChanges())
  }
  if (policy.takeChanges !== undefined) result.changes.push(...policy.takeChanges())
  return result
}
