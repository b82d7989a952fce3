// kl-UCB (Garivier and Cappé 2011) and GLR-klUCB (Besson, Kaufmann, Maillard and Seznec, arXiv 1902.01575): the index is
// the largest mean whose divergence from the arm's mean is below ln(t)/n; a change anywhere in an arm's history (by the
// Bernoulli generalized likelihood ratio) starts it, or all arms, again.

import { argmax, type Bandit, type BanditMaker } from "./bandit.ts"

const EDGE = 1e-15

export function klBernoulli(p: number, q: number): number {
  const a = Math.min(Math.max(p, EDGE), 1 - EDGE)
  const b = Math.min(Math.max(q, EDGE), 1 - EDGE)
  return a * Math.log(a / b) + (1 - a) * Math.log((1 - a) / (1 - b))
}

/** The upper confidence bound by bisection. */
export function klUpper(mean: number, divergence: number): number {
  let low = mean
  let high = 1
  // 20 halvings: 1e-6, far below any difference that matters here.
  for (let i = 0; i < 20; i++) {
    const middle = (low + high) / 2
    if (klBernoulli(mean, middle) > divergence) high = middle
    else low = middle
  }
  return low
}

export const klUcb: BanditMaker = (arms) => {
  const n = new Float64Array(arms)
  const sum = new Float64Array(arms)
  let t = 0
  return {
    pick: () =>
      argmax(arms, (k) => (n[k] === 0 ? Infinity : klUpper(sum[k]! / n[k]!, Math.log(Math.max(t, 2)) / n[k]!))),
    reward(arm, paid) {
      t += 1
      n[arm]! += 1
      if (paid) sum[arm]! += 1
    },
  }
}

export type GlrInput = {
  /** Length that δ = 1/√T and the exploration √(K ln T/T) are set for. */
  readonly horizon: number
  readonly restart: "local" | "global"
  /** Only every so many plays of an arm is it tested, at every so many splits: both as in the authors' fast version. */
  readonly testEvery?: number
  readonly splitEvery?: number
}

/** History of an arm that is kept for the test: older plays are summed up. */
const MAX_HISTORY = 4_000

export const glrKlUcb =
  ({ horizon, restart, testEvery = 10, splitEvery = 5 }: GlrInput): BanditMaker =>
  (arms) => {
    const delta = 1 / Math.sqrt(horizon)
    const base = Math.sqrt((arms * Math.log(horizon)) / horizon)
    /** Running sums of rewards since the arm's restart. */
    const sums: number[][] = Array.from({ length: arms }, () => [0])
    let episode = 1
    let t = 0
    let since = 0
    const started = new Float64Array(arms)
    return {
      pick(): number {
        // Forced exploration: one arm after the other, in a share that grows with the episodes.
        const every = Math.floor(arms / Math.min(base * Math.sqrt(episode), 1))
        const forced = since % Math.max(every, 1)
        if (forced < arms && every > arms) return forced
        return argmax(arms, (k) => {
          const n = sums[k]!.length - 1
          return n === 0 ? Infinity : klUpper(sums[k]![n]! / n, Math.log(Math.max(t - started[k]!, 2)) / n)
        })
      },
      reward(arm, paid) {
        const own = sums[arm]!
        own.push(own[own.length - 1]! + (paid ? 1 : 0))
        if (own.length > MAX_HISTORY) own.splice(0, MAX_HISTORY / 2)
        t += 1
        since += 1
        if ((own.length - 1) % testEvery !== 0 || !hasChanged(own, delta, splitEvery)) return
        episode += 1
        since = 0
        for (let k = 0; k < arms; k++)
          if (k === arm || restart === "global") {
            sums[k] = [0]
            started[k] = t
          }
      },
    } satisfies Bandit
  }

/** sup over s of s·kl(μ₁..s, μ) + (n−s)·kl(μs..n, μ) ≥ ln(n^{3/2}/δ). */
function hasChanged(sums: readonly number[], delta: number, splitEvery: number): boolean {
  const n = sums.length - 1
  const from = sums[0]!
  const mean = (sums[n]! - from) / n
  const threshold = Math.log(n ** 1.5 / delta)
  for (let s = splitEvery; s < n; s += splitEvery) {
    const left = (sums[s]! - from) / s
    const right = (sums[n]! - sums[s]!) / (n - s)
    if (s * klBernoulli(left, mean) + (n - s) * klBernoulli(right, mean) >= threshold) return true
  }
  return false
}
