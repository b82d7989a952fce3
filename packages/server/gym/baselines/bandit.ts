// Textbook bandits, as plain as they are published, for payments (one per segment) and for the piecewise anchors.
// Formulas as in SMPyBandits and E. Kaufmann's code (MIT); tunings as in routing.md §1.3.

import type { Random } from "../random.ts"

export type Bandit = {
  pick(): number
  reward(arm: number, paid: boolean): void
}
export type BanditMaker = (arms: number, random: Random) => Bandit

/** SW-UCB (Garivier and Moulines 2008): means over the last `window` plays, bonus √(2 ln min(t, W)/n). */
export const slidingUcb =
  (window: number): BanditMaker =>
  (arms) => {
    const played = new Uint8Array(window)
    const gained = new Uint8Array(window)
    const n = new Float64Array(arms)
    const sum = new Float64Array(arms)
    let t = 0
    return {
      pick: () => argmax(arms, (k) => (n[k] === 0 ? Infinity : sum[k]! / n[k]! + bonus(Math.min(t, window), n[k]!))),
      reward(arm, paid) {
        const at = t % window
        if (t >= window) {
          n[played[at]!]! -= 1
          sum[played[at]!]! -= gained[at]!
        }
        played[at] = arm
        gained[at] = paid ? 1 : 0
        n[arm]! += 1
        sum[arm]! += gained[at]!
        t += 1
      },
    }
  }

/** D-UCB (Kocsis and Szepesvári 2006): counts and sums discounted by γ at every play. */
export const discountedUcb =
  (gamma: number): BanditMaker =>
  (arms) => {
    const n = new Float64Array(arms)
    const sum = new Float64Array(arms)
    return {
      pick() {
        let total = 0
        for (const count of n) total += count
        return argmax(arms, (k) => (n[k]! < 1e-12 ? Infinity : sum[k]! / n[k]! + bonus(Math.max(total, 1), n[k]!)))
      },
      reward(arm, paid) {
        for (let k = 0; k < arms; k++) {
          n[k]! *= gamma
          sum[k]! *= gamma
        }
        n[arm]! += 1
        if (paid) sum[arm]! += 1
      },
    }
  }

/** D-TS (Raj and Kalyani 2017): Beta(1 + S, 1 + F) with S and F discounted by γ at every play. */
export const discountedThompson =
  (gamma: number): BanditMaker =>
  (arms, random) => {
    const paidOf = new Float64Array(arms)
    const unpaidOf = new Float64Array(arms)
    return {
      pick: () => argmax(arms, (k) => random.beta(1 + paidOf[k]!, 1 + unpaidOf[k]!)),
      reward(arm, paid) {
        for (let k = 0; k < arms; k++) {
          paidOf[k]! *= gamma
          unpaidOf[k]! *= gamma
        }
        if (paid) paidOf[arm]! += 1
        else unpaidOf[arm]! += 1
      },
    }
  }

/** The first arm with the largest value. */
export function argmax(arms: number, value: (arm: number) => number): number {
  let best = 0
  let top = -Infinity
  for (let k = 0; k < arms; k++) {
    const here = value(k)
    if (here > top) {
      top = here
      best = k
    }
  }
  return best
}

function bonus(t: number, n: number): number {
  return Math.sqrt((2 * Math.log(t)) / n)
}
