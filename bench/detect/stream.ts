// A stream of one slice, minute by minute: traffic that breathes with day and week, a rate of failures that does too and moves
// by more than chance, and from some minute on a drop of approvals.

import { createRandom, type Random } from "../../packages/server/gym/random.ts"

export type StreamKind = {
  /** Attempts a minute, on average. */
  readonly volume: number
  /** Standard deviation of the rate of failures from minute to minute. */
  readonly rho: number
  /** Standard deviation of a part of it that wanders, with a memory of an hour. */
  readonly wander?: number
}
export type Minute = { readonly n: number; readonly k: number; readonly usual: number }

const FAILURES = 0.1
const DAY = 1_440
const MEMORY = Math.exp(-1 / 60)

export function createStream({ volume, rho, wander = 0 }: StreamKind, seed: number) {
  const random = createRandom(seed)
  const phase = random.whole(DAY)
  let drift = 0
  return (minute: number, drop = 0): Minute => {
    const usual = usualRate(minute + phase)
    if (wander > 0) drift = MEMORY * drift + Math.sqrt(1 - MEMORY ** 2) * wander * random.normal()
    const rate = Math.min(Math.max(usual + drop + drift + rho * random.normal(), 0), 1)
    const n = poisson(random, volume * breath(minute + phase))
    return { n, k: binomial(random, n, rate), usual }
  }
}

const wave = (minute: number): number => Math.sin((2 * Math.PI * minute) / DAY)
const isWeekend = (minute: number): boolean => Math.floor(minute / DAY) % 7 >= 5
/** One on average over a week. */
const breath = (minute: number): number => (1 + 0.5 * wave(minute)) * (isWeekend(minute) ? 0.84 : 1.064)
const usualRate = (minute: number): number => FAILURES + 0.015 * wave(minute + 300) + (isWeekend(minute) ? 0.01 : 0)

/** Exact for small counts, a rounded normal where that is as good (mean above 40). */
function poisson(random: Random, mean: number): number {
  if (mean > 40) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()))
  let [k, p] = [0, random.next()]
  for (const floor = Math.exp(-mean); p > floor; k++) p *= random.next()
  return k
}

function binomial(random: Random, n: number, p: number): number {
  if (p <= 0 || n === 0) return 0
  if (p >= 1) return n
  if (n * Math.min(p, 1 - p) > 40)
    return Math.min(n, Math.max(0, Math.round(n * p + Math.sqrt(n * p * (1 - p)) * random.normal())))
  if (p > 0.5) return n - binomial(random, n, 1 - p)
  // By the gaps between successes (Devroye 1986, X.4.3): as many draws as there are successes.
  let [k, at] = [0, 0]
  for (const scale = Math.log(1 - p); ; k++) {
    at += Math.floor(Math.log(1 - random.next()) / scale) + 1
    if (at > n) return k
  }
}
