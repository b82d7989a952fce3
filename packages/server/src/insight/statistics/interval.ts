// How sure a number is. Every value of a metric comes with its count and one of these intervals.

import { normalQuantile } from "./normal.ts"

export type Interval = { readonly low: number; readonly high: number }

export const CONFIDENCE = 0.95

/**
 * A proportion, k of n. Source: Wilson 1927 (score interval); unlike k/n ± z·sqrt(…) it is right near 0 and 1 and for
 * small n (Brown, Cai, DasGupta 2001).
 */
export function wilson(k: number, n: number, confidence = CONFIDENCE): Interval | undefined {
  if (n <= 0) return undefined
  const z = normalQuantile(0.5 + confidence / 2)
  const p = k / n
  const middle = p + (z * z) / (2 * n)
  const spread = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))
  const scale = 1 + (z * z) / n
  return { low: Math.max(0, (middle - spread) / scale), high: Math.min(1, (middle + spread) / scale) }
}

/**
 * The expectation behind a count of rare events. Source: Garwood 1936, whose χ² quantiles are approximated by Wilson and
 * Hilferty 1931 (relative error below 1 % from a count of 1 on).
 */
export function poisson(count: number, confidence = CONFIDENCE): Interval {
  const z = normalQuantile(0.5 + confidence / 2)
  const quantile = (shape: number, at: number): number =>
    shape === 0 ? 0 : shape * Math.max(1 - 1 / (9 * shape) + at / (3 * Math.sqrt(shape)), 0) ** 3
  return { low: quantile(count, -z), high: quantile(count + 1, z) }
}

/** Sums over independent rows, enough for the mean of x and for Σx/Σy. */
export type Moments = {
  readonly n: number
  readonly x: number
  readonly xx: number
  readonly y: number
  readonly yy: number
  readonly xy: number
}

/**
 * Σx/Σy by the delta method: Var ≈ n/(n−1) · Σ(x − ry)² / (Σy)². Source: Cochran, Sampling Techniques 1977, §2.11 (ratio
 * estimator). With y = 1 for every row it is the mean of x.
 */
export function ratio({ n, x, xx, y, yy, xy }: Moments, confidence = CONFIDENCE): Interval | undefined {
  if (n < 2 || y === 0) return undefined
  const r = x / y
  const squares = Math.max(xx - 2 * r * xy + r * r * yy, 0)
  const spread = (normalQuantile(0.5 + confidence / 2) * Math.sqrt((squares * n) / (n - 1))) / Math.abs(y)
  return { low: r - spread, high: r + spread }
}
