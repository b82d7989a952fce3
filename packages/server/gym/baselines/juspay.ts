// A restatement of the published defaults of juspay/decision-engine (routing.md §1.2, read from its source; AGPL, nothing
// copied): success-rate score over the last 125 outcomes per dimension and gateway, all ones at first; 5 % hedging among
// the others; a multiplicative elimination score per gateway. Its reset factors and message filter are off by default.

import type { Bandit, BanditMaker } from "./bandit.ts"

const BUCKET = 125
const HEDGING = 0.05
/** +5.26 % of the score for a success, −5 % for a failure. */
const REWARD = 1.0526
const PENALTY = 0.95
const ELIMINATED_BELOW = 0.05
/** The score is forgotten after this long. */
const SCORE_TTL_MS = 9_000_000

export const juspayScore: BanditMaker = (arms, random) => {
  const queues = Array.from({ length: arms }, () => new Uint8Array(BUCKET).fill(1))
  const sums = new Float64Array(arms).fill(BUCKET)
  const at = new Uint8Array(arms)
  return {
    pick() {
      if (random.next() < HEDGING) return random.whole(arms)
      let best: number[] = []
      for (let k = 0; k < arms; k++)
        if (best.length === 0 || sums[k]! > sums[best[0]!]!) best = [k]
        else if (sums[k] === sums[best[0]!]) best.push(k)
      return best[random.whole(best.length)]!
    },
    reward(arm, paid) {
      const queue = queues[arm]!
      sums[arm]! += (paid ? 1 : 0) - queue[at[arm]!]!
      queue[at[arm]!] = paid ? 1 : 0
      at[arm] = (at[arm]! + 1) % BUCKET
    },
  } satisfies Bandit
}

/** The downtime score of each gateway, over all segments. */
export function createElimination(arms: number) {
  const score = new Float64Array(arms).fill(1)
  const startedMs = new Float64Array(arms)
  return {
    observe(arm: number, paid: boolean, nowMs: number): void {
      if (nowMs - startedMs[arm]! > SCORE_TTL_MS) {
        score[arm] = 1
        startedMs[arm] = nowMs
      }
      score[arm] = Math.min(1, score[arm]! * (paid ? REWARD : PENALTY))
    },
    isOut: (arm: number, nowMs: number): boolean =>
      score[arm]! < ELIMINATED_BELOW && nowMs - startedMs[arm]! <= SCORE_TTL_MS,
  }
}
