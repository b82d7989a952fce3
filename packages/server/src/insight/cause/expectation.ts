// How many failures a leaf should have had: its traffic now times its rate before. Leaves are small, so their own history
// says little; each rate is pulled towards what its dimensions say together, and they towards the whole (partial pooling;
// hierarchical beta-binomial, e.g. Gelman et al., Bayesian Data Analysis 2013, §5.3).

import type { Leaves } from "./leaves.ts"

export type Counts = {
  /** Now. */
  readonly n: Float64Array
  readonly f: Float64Array
  /** Before. */
  readonly n0: Float64Array
  readonly f0: Float64Array
}

/** Attempts of history that a prior counts for. */
export const PRIOR_STRENGTH = 100
/** Rates are kept off 0 and 1, where logits end. */
const MIN_RATE = 1e-4

export function expectedFailures(leaves: Leaves, { n, n0, f0 }: Counts): Float64Array {
  let [N, F] = [0, 0]
  for (let leaf = 0; leaf < leaves.size; leaf++) {
    N += n0[leaf]!
    F += f0[leaf]!
  }
  const whole = clamp((F + 0.5) / (N + 1))
  const offsets = leaves.dimensions.map(({ codes, values }) => {
    const attempts = new Float64Array(values.length)
    const failures = new Float64Array(values.length)
    for (let leaf = 0; leaf < leaves.size; leaf++) {
      attempts[codes[leaf]!]! += n0[leaf]!
      failures[codes[leaf]!]! += f0[leaf]!
    }
    return attempts.map(
      (total, code) =>
        logit(clamp((failures[code]! + PRIOR_STRENGTH * whole) / (total + PRIOR_STRENGTH))) - logit(whole),
    )
  })
  const expected = new Float64Array(leaves.size)
  for (let leaf = 0; leaf < leaves.size; leaf++) {
    let at = logit(whole)
    for (const [dimension, { codes }] of leaves.dimensions.entries()) at += offsets[dimension]![codes[leaf]!]!
    const prior = 1 / (1 + Math.exp(-at))
    const rate = clamp((f0[leaf]! + PRIOR_STRENGTH * prior) / (n0[leaf]! + PRIOR_STRENGTH))
    expected[leaf] = n[leaf]! * rate
  }
  return expected
}

const logit = (p: number): number => Math.log(p / (1 - p))
const clamp = (p: number): number => Math.min(Math.max(p, MIN_RATE), 1 - MIN_RATE)
