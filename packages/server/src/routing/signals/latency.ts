// Latency per account: what is usual, what is expected of the next attempt, and a brown-out as a change with evidence.
// Logs of latencies are near normal (routing.md §7.1), so a Gaussian CUSUM looks for a shift of the mean.

import type { SignalChange } from "./health-change.ts"

/** A shift of 1.5 standard deviations: at a usual spread that is an answer twice as slow. */
const SHIFT_SD = 1.5
/** ln of a month's outcomes per false alarm: e^16 ≈ 9 million. */
const THRESHOLD = 16
/** Outcomes that the usual is made of, and those that say what to expect next. */
const SLOW = 5_000
const FAST = 20
/** Before so many outcomes there is no "usual". */
const FIRST = 100
/** The spread is at least this (in logs): no account is that regular. */
const SD_MIN = 0.1
/** Expected before any outcome. */
const PRIOR_MS = 1_000

type Known = { n: number; mean: number; square: number; fast: number; cusum: number; slow: boolean }

export type Latency = ReturnType<typeof createLatency>

export function createLatency(size: number, tell: (change: SignalChange) => void) {
  const known: Known[] = Array.from({ length: size }, () => ({
    n: 0,
    mean: Math.log(PRIOR_MS),
    square: 1,
    fast: Math.log(PRIOR_MS),
    cusum: 0,
    slow: false,
  }))

  function observe(account: number, latencyMs: number, nowMs: number): void {
    const k = known[account]!
    const value = Math.log(Math.max(1, latencyMs))
    k.n += 1
    k.fast += (value - k.fast) / Math.min(k.n, FAST)
    const sd = Math.max(SD_MIN, Math.sqrt(k.square))
    const z = (value - k.mean) / sd
    if (k.n > FIRST) {
      k.cusum = Math.max(0, Math.min(k.cusum + SHIFT_SD * z - SHIFT_SD ** 2 / 2, 2 * THRESHOLD))
      if (k.slow ? k.cusum === 0 : k.cusum >= THRESHOLD) {
        k.slow = !k.slow
        const evidence = { usualMs: Math.exp(k.mean), nowMs: Math.exp(k.fast), statistic: k.cusum }
        tell({ kind: "latency", account, slow: k.slow, ...evidence, atMs: nowMs })
      }
    }
    // A brown-out must not become the usual.
    if (k.cusum > 0 && k.n > FIRST && k.slow) return
    const weight = 1 / Math.min(k.n, SLOW)
    k.square += weight * ((value - k.mean) ** 2 - k.square)
    k.mean += weight * (value - k.mean)
  }

  return {
    observe,
    /** Milliseconds to expect of the next attempt. */
    expectedMs: (account: number): number => Math.exp(known[account]!.fast),
    isSlow: (account: number): boolean => known[account]!.slow,
  }
}
