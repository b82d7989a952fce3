// What others watch approvals with, on the same streams. Each is a statistic per minute that alarms above a threshold; the
// threshold is calibrated to one false alarm in thirty days on quiet streams of the same kind, and each knows the true usual
// rate: more than any of them has in practice.

import type { Minute } from "./stream.ts"

export type Rival = { readonly name: string; readonly create: () => (minute: Minute) => number }

/** The rate over a window against the usual one, judged from 50 attempts on (rolling windows as Yuno and Gr4vy have them). */
const window =
  (minutes: number): (() => (minute: Minute) => number) =>
  () => {
    const sums = rolling(minutes)
    return (minute) => {
      const { n, k, expected } = sums(minute)
      return n < 50 ? -Infinity : (k - expected) / n
    }
  }

export const rivals: readonly Rival[] = [
  { name: "window_15m", create: window(15) },
  { name: "window_60m", create: window(60) },
  {
    // The pair of a long and a short window of site reliability engineering (Google SRE Workbook 2018, §5), on the ratio.
    name: "burn_1h_5m",
    create: () => {
      const [long, short] = [rolling(60), rolling(5)]
      return (minute) => {
        const [a, b] = [long(minute), short(minute)]
        return a.n < 50 ? -Infinity : Math.min(a.k / a.expected, b.k / Math.max(b.expected, 1e-9))
      }
    },
  },
  {
    // Exponentially weighted z (Roberts 1959), λ = 0.1.
    name: "ewma_z",
    create: () => {
      let [excess, variance] = [0, 0]
      return ({ n, k, usual }) => {
        excess = 0.9 * excess + 0.1 * (k - n * usual)
        variance = 0.81 * variance + 0.01 * n * usual * (1 - usual)
        return variance === 0 ? 0 : excess / Math.sqrt(variance)
      }
    },
  },
  {
    // Page's cumulative sum (1954) for three times the odds of failing.
    name: "cusum_x3",
    create: () => {
      let sum = 0
      return ({ n, k, usual }) => {
        const bad = (3 * usual) / (1 - usual + 3 * usual)
        sum = Math.max(0, sum + k * Math.log(bad / usual) + (n - k) * Math.log((1 - bad) / (1 - usual)))
        return sum
      }
    },
  },
]

function rolling(minutes: number) {
  const kept = Array.from({ length: minutes }, () => ({ n: 0, k: 0, expected: 0 }))
  const total = { n: 0, k: 0, expected: 0 }
  let at = 0
  return ({ n, k, usual }: Minute): Readonly<typeof total> => {
    const old = kept[at]!
    total.n += n - old.n
    total.k += k - old.k
    total.expected += n * usual - old.expected
    kept[at] = { n, k, expected: n * usual }
    at = (at + 1) % minutes
    return total
  }
}
