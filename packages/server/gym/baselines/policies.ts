// The baselines of the gym (routing.md §7.3), each as a policy of run.ts. Those that learn see first attempts only, which is
// kinder to them than life. What "hindsight" or "oracle" is in the name knows what no router can.

import { createRandom } from "../random.ts"
import type { GymPolicy } from "../run.ts"
import { chance, COUNTRIES, SEGMENTS, type World } from "../world.ts"
import { bestSingle } from "../metrics.ts"
import { discountedThompson, discountedUcb, slidingUcb, type Bandit, type BanditMaker } from "./bandit.ts"
import { createElimination, juspayScore } from "./juspay.ts"
import { glrKlUcb } from "./kl.ts"

export type PolicyMaker = (world: World) => GymPolicy

export const baselines: Readonly<Record<string, PolicyMaker>> = {
  round_robin: (world) => fixed(world, (payment) => payment % world.providers),
  best_single: (world) => {
    const { provider } = bestSingle(world)
    return fixed(world, () => provider)
  },
  segment_rules_hindsight: (world) => {
    const rules = bestPerSegment(world, false)
    return withBreaker(world, (payment) => rules[segmentOf(world, payment)]!)
  },
  juspay_like: (world) => withElimination(world),
  sw_ucb_200: (world) => perSegment(world, slidingUcb(200)),
  d_ucb: (world) => perSegment(world, discountedUcb(discountFor(world))),
  d_ts: (world) => perSegment(world, discountedThompson(0.999)),
  glr_klucb: (world) =>
    perSegment(world, glrKlUcb({ horizon: world.count / SEGMENTS, restart: "local", testEvery: 20, splitEvery: 20 })),
  segments_hindsight_outages_known: (world) => {
    const rules = bestPerSegment(world, true)
    return fixed(world, (payment) => knowingOutages(world, payment, rules[segmentOf(world, payment)]!))
  },
  oracle: (world) =>
    fixed(world, (payment) => {
      let best = 0
      for (let k = 1; k < world.providers; k++) if (chance(world, payment, k) > chance(world, payment, best)) best = k
      return best
    }),
}

function segmentOf(world: World, payment: number): number {
  return world.network[payment]! * COUNTRIES.length + world.country[payment]!
}

/** Theory's γ = 1 − ¼√(Υ/T) for a segment of equal size with a change a day. */
function discountFor(world: World): number {
  return 1 - 0.25 * Math.sqrt(7 / (world.count / SEGMENTS))
}

function next(world: World, tried: number): number {
  return (tried + 1) % world.providers
}

function fixed(world: World, provider: (payment: number) => number): GymPolicy {
  return {
    choose: (payment) => ({ provider: provider(payment) }),
    retry: (payment, tried) => (provider(payment) === tried ? next(world, tried) : provider(payment)),
    learn: () => undefined,
  }
}

function perSegment(world: World, make: BanditMaker): GymPolicy {
  const random = createRandom(world.input.seed + 1_000_003)
  const bandits: Bandit[] = Array.from({ length: SEGMENTS }, () => make(world.providers, random))
  return {
    choose: (payment) => ({ provider: bandits[segmentOf(world, payment)]!.pick() }),
    retry: (_, tried) => next(world, tried),
    learn({ payment, provider, number, ending }) {
      if (number === 1) bandits[segmentOf(world, payment)]!.reward(provider, ending === "paid")
    },
  }
}

function withElimination(world: World): GymPolicy {
  const inner = perSegment(world, juspayScore)
  const elimination = createElimination(world.providers)
  return {
    ...inner,
    choose(payment, nowMs) {
      let { provider } = inner.choose(payment, nowMs)
      for (let k = 0; k < world.providers && elimination.isOut(provider, nowMs); k++) provider = next(world, provider)
      return { provider }
    },
    learn(tried, nowMs) {
      inner.learn(tried, nowMs)
      if (tried.number === 1) elimination.observe(tried.provider, tried.ending === "paid", nowMs)
    },
  }
}

/** Rules with resilience4j's default breaker: 100 calls, at least 100, half failing, open 60 s, 10 calls half open. */
function withBreaker(world: World, rule: (payment: number) => number): GymPolicy {
  const breakers = Array.from({ length: world.providers }, () => createBreaker())
  return {
    choose(payment, nowMs) {
      let provider = rule(payment)
      for (let k = 0; k < world.providers && breakers[provider]!.isOpen(nowMs); k++) provider = next(world, provider)
      breakers[provider]!.called(nowMs)
      return { provider }
    },
    retry: (_, tried) => next(world, tried),
    learn({ provider, number, ending }, nowMs) {
      if (number === 1) breakers[provider]!.observe(ending === "technical", nowMs)
    },
  }
}

const CALLS = 100
const OPEN_MS = 60_000
const HALF_OPEN_CALLS = 10

function createBreaker() {
  const ring = new Uint8Array(CALLS)
  let seen = 0
  let failed = 0
  let openUntilMs = -1
  let trial = -1
  let trialFailed = 0
  return {
    isOpen: (nowMs: number): boolean => nowMs < openUntilMs,
    called(nowMs: number): void {
      if (openUntilMs >= 0 && nowMs >= openUntilMs && trial < 0) trial = 0
    },
    observe(isFailure: boolean, nowMs: number): void {
      if (trial >= 0) {
        trial += 1
        trialFailed += isFailure ? 1 : 0
        if (trial < HALF_OPEN_CALLS) return
        openUntilMs = trialFailed >= HALF_OPEN_CALLS / 2 ? nowMs + OPEN_MS : -1
        trial = -1
        trialFailed = 0
        seen = 0
        failed = 0
        return
      }
      if (openUntilMs >= 0) return
      const at = seen % CALLS
      if (seen >= CALLS) failed -= ring[at]!
      ring[at] = isFailure ? 1 : 0
      failed += ring[at]!
      seen += 1
      if (seen >= CALLS && failed >= CALLS / 2) openUntilMs = nowMs + OPEN_MS
    },
  }
}

function bestPerSegment(world: World, isWithoutOutages: boolean): readonly number[] {
  const sums = new Float64Array(SEGMENTS * world.providers)
  const counts = new Float64Array(SEGMENTS * world.providers)
  for (let i = 0; i < world.count; i++)
    for (let k = 0; k < world.providers; k++) {
      if (isWithoutOutages && world.outageAt[i * world.providers + k]! >= 0) continue
      const at = segmentOf(world, i) * world.providers + k
      sums[at]! += chance(world, i, k)
      counts[at]! += 1
    }
  return Array.from({ length: SEGMENTS }, (_, segment) => {
    const rate = (k: number): number =>
      sums[segment * world.providers + k]! / Math.max(1, counts[segment * world.providers + k]!)
    let best = 0
    for (let k = 1; k < world.providers; k++) if (rate(k) > rate(best)) best = k
    return best
  })
}

function knowingOutages(world: World, payment: number, wanted: number): number {
  for (let k = 0; k < world.providers; k++) {
    const provider = (wanted + k) % world.providers
    if (world.outageAt[payment * world.providers + provider]! < 0) return provider
  }
  return wanted
}
