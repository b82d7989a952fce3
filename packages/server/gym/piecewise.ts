// The piecewise-stationary Bernoulli problems PB1 and PB2 (three arms, 20,000 plays, a change every 4,000), on which
// published bandits have known regrets: the anchors that our baselines are what they are called (routing.md §2).

import { discountedThompson, discountedUcb, slidingUcb, type BanditMaker } from "./baselines/bandit.ts"
import { juspayScore } from "./baselines/juspay.ts"
import { glrKlUcb, klUcb } from "./baselines/kl.ts"
import { createRandom } from "./random.ts"

export const PLAYS = 20_000
const EPISODE = 4_000

export const problems = {
  PB1: [
    [0.9, 0.5, 0.3],
    [0.9, 0.2, 0.3],
    [0.1, 0.2, 0.3],
    [0.1, 0.7, 0.3],
    [0.1, 0.7, 0.5],
  ],
  PB2: [
    [0.9, 0.5, 0.4],
    [0.7, 0.4, 0.5],
    [0.5, 0.3, 0.6],
    [0.3, 0.2, 0.7],
    [0.1, 0.1, 0.8],
  ],
} as const
export type Problem = keyof typeof problems

/** Pseudo-regret, mean and standard deviation over 100 runs, as measured for routing.md §2. */
export type Anchor = {
  readonly maker: BanditMaker
  readonly PB1: readonly [number, number]
  readonly PB2: readonly [number, number]
}
export const anchors: Readonly<Record<string, Anchor>> = {
  "kl-UCB": { maker: klUcb, PB1: [1005, 227], PB2: [549, 184] },
  "GLR-klUCB local": { maker: glrKlUcb({ horizon: PLAYS, restart: "local" }), PB1: [455, 95], PB2: [449, 30] },
  "GLR-klUCB global": { maker: glrKlUcb({ horizon: PLAYS, restart: "global" }), PB1: [467, 110], PB2: [443, 14] },
  "D-TS 0.998": { maker: discountedThompson(0.998), PB1: [372, 22], PB2: [287, 21] },
  "D-TS 0.99": { maker: discountedThompson(0.99), PB1: [673, 25], PB2: [696, 28] },
  "D-TS 0.75": { maker: discountedThompson(0.75), PB1: [3688, 41], PB2: [3629, 37] },
  "SW-UCB 200": { maker: slidingUcb(200), PB1: [1765, 34], PB2: [1797, 34] },
  "D-UCB 0.6": { maker: discountedUcb(0.6), PB1: [5127, 10], PB2: [4843, 9] },
  "Juspay-like": { maker: juspayScore, PB1: [708, 189], PB2: [357, 61] },
}

/** The sum of what the best arm's mean was above the played one's. */
export function regret(maker: BanditMaker, problem: Problem, seed: number): number {
  const random = createRandom(seed)
  const bandit = maker(3, random)
  let total = 0
  for (let t = 0; t < PLAYS; t++) {
    const means = problems[problem][Math.floor(t / EPISODE)]!
    const arm = bandit.pick()
    total += Math.max(...means) - means[arm]!
    bandit.reward(arm, random.next() < means[arm]!)
  }
  return total
}

export function summary(values: readonly number[]): { readonly mean: number; readonly sd: number } {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length
  const sd = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(1, values.length - 1))
  return { mean, sd }
}
