// How much of a change of a rate is another mix of traffic, and how much other rates within it. Symmetric, so that neither
// the order of the two periods nor that of the groups matters, and exact: mix + rate is the change.
//
// Source: Kitagawa 1955 (the two-factor Shapley value): rate_i = ½(w0+w1)·Δr_i, mix_i = Δw_i·(½(r0+r1) − ½(R0+R1)); the
// second is centred on the mean, which changes no sum because the weights' changes add up to zero. Variances by the delta
// method, of binomial rates and multinomial weights.

import { normalQuantile } from "../statistics/normal.ts"
import { CONFIDENCE, type Interval } from "../statistics/interval.ts"

/** Successes k of n, before (0) and now (1). */
export type Group = {
  readonly name: string
  readonly n0: number
  readonly k0: number
  readonly n1: number
  readonly k1: number
}

export type Effect = { readonly value: number; readonly interval: Interval }

export type Split = {
  readonly before: number
  readonly after: number
  readonly change: number
  readonly mix: Effect
  readonly rate: Effect
  readonly groups: readonly { readonly name: string; readonly mix: number; readonly rate: Effect }[]
}

/** Undefined where one of the periods has no traffic. */
export function splitChange(groups: readonly Group[], confidence = CONFIDENCE): Split | undefined {
  const [N0, K0, N1, K1] = (["n0", "k0", "n1", "k1"] as const).map((name) =>
    groups.reduce((sum, group) => sum + group[name], 0),
  ) as [number, number, number, number]
  if (N0 <= 0 || N1 <= 0) return undefined
  const [before, after] = [K0 / N0, K1 / N1]
  const middle = (before + after) / 2
  const z = normalQuantile(0.5 + confidence / 2)
  const effect = (value: number, variance: number): Effect => {
    const spread = z * Math.sqrt(Math.max(variance, 0))
    return { value, interval: { low: value - spread, high: value + spread } }
  }
  let [mix, rate, rateVariance] = [0, 0, 0]
  // Σ w·c² and Σ w·c of both periods, for the variance of the weights.
  const [squares, means] = [new Float64Array(2), new Float64Array(2)]
  const parts = groups.map(({ name, n0, k0, n1, k1 }) => {
    const [w0, w1] = [n0 / N0, n1 / N1]
    // Without traffic on one side a group has no change of rate: all it does is mix.
    const r0 = n0 > 0 ? k0 / n0 : n1 > 0 ? k1 / n1 : 0
    const r1 = n1 > 0 ? k1 / n1 : r0
    const weight = (w0 + w1) / 2
    const centred = (r0 + r1) / 2 - middle
    const variance = n0 > 0 && n1 > 0 ? weight ** 2 * (binomialVariance(k0, n0) + binomialVariance(k1, n1)) : 0
    const own = { name, mix: (w1 - w0) * centred, rate: effect(weight * (r1 - r0), variance) }
    mix += own.mix
    rate += own.rate.value
    rateVariance += variance
    for (const [at, w] of [w0, w1].entries()) {
      squares[at]! += w * centred ** 2
      means[at]! += w * centred
    }
    return own
  })
  const [variance0, variance1] = squares.map((square, at) => square - means[at]! ** 2)
  const mixVariance = variance0! / N0 + variance1! / N1
  return {
    before,
    after,
    change: after - before,
    mix: effect(mix, mixVariance),
    rate: effect(rate, rateVariance),
    groups: parts.toSorted(
      (x, y) => Math.abs(y.rate.value) + Math.abs(y.mix) - Math.abs(x.rate.value) - Math.abs(x.mix),
    ),
  }
}

/** Of a rate, with a success and a failure added (Agresti and Coull 1998): 0 of 3 is not certain. */
function binomialVariance(k: number, n: number): number {
  const p = (k + 1) / (n + 2)
  return (p * (1 - p)) / n
}
