// The normal distribution, as intervals and tests need it.

import assert from "node:assert/strict"

/** z with P(Z ≤ z) = p. Source: Acklam's rational approximation (2003), relative error below 1.2e-9. */
export function normalQuantile(p: number): number {
  assert(p > 0 && p < 1, `a probability strictly between 0 and 1: ${p}`)
  if (p < 0.02425) return tail(Math.sqrt(-2 * Math.log(p)))
  if (p > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - p)))
  const q = p - 0.5
  const r = q * q
  return (polynomial(middleTop, r) * q) / polynomial(middleBottom, r)
}

/** P(Z > z). Source: Abramowitz and Stegun 1964, 26.2.17; absolute error below 7.5e-8. */
export function normalTail(z: number): number {
  if (z < 0) return 1 - normalTail(-z)
  const t = 1 / (1 + 0.2316419 * z)
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * t * polynomial(tailTerms, t)
}

const tail = (q: number): number => polynomial(tailTop, q) / polynomial(tailBottom, q)

/** Coefficients from the highest power down. */
const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0)

const middleTop = [
  -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
  2.506628277459239,
]
const middleBottom = [
  -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1,
]
const tailTop = [
  -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
  2.938163982698783,
]
const tailBottom = [7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1]
const tailTerms = [1.330274429, -1.821255978, 1.781477937, -0.356563782, 0.31938153]
