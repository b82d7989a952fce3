// What a localiser compares: two additive columns per leaf, and how much better "this element is different" explains them
// than "nothing is" (log likelihood ratio, in nats).
//
// Ratios (failures of attempts): observed failures F against expected ones E, both by leaf. An element with shares F_e and
// E_e has LLR = F_e ln(F_e/E'_e) + (F−F_e) ln((F−F_e)/(E'−E'_e)), with E' = E·F/E_total: Kulldorff's scan statistic (1997),
// one-sided. F·KL is also Chernoff's bound: by chance alone P(LLR ≥ t) ≤ e^−t for one element; weights below 1 only make it
// smaller.
//
// Values (volumes, amounts) against a forecast: relative deviations, in units of their robust spread: LLR = (Σz)²/2n.

export type Measure = {
  readonly a: Float64Array
  readonly b: Float64Array
  /** Of an element that holds a and b of A and B in all. */
  readonly llr: (a: number, b: number, A: number, B: number) => number
  /** Nats by which an element differs from the rest of one that holds A and B: whether the two are to be told apart. */
  readonly apart: (a: number, b: number, A: number, B: number) => number
  /** Orders elements by how strongly they deviate, the affected ones first; `sign` is of what was found. */
  readonly strength: (a: number, b: number, sign: number) => number
}

/**
 * How unequally one cause hits its leaves: their rate ratios differ by a factor of about e^±HETEROGENEITY. Then a leaf with
 * many failures tells hardly more about the cause than one with few, and counts for no more than 1/HETEROGENEITY² of them:
 * the weights of a random-effects analysis (DerSimonian and Laird 1986) with the variance E + τ²E² of gamma-Poisson counts.
 * Without it the largest leaf is the "cause" of everything. Chosen on the development half of RS (docs/insight.md).
 */
const HETEROGENEITY = 0.7

/** More failures than expected. `dispersion` (≥ 1) divides the evidence: quiet history varies by so much more than chance. */
export function excessMeasure(observed: Float64Array, expected: Float64Array, dispersion = 1): Measure {
  const weight = (leaf: number): number => 1 / (1 + HETEROGENEITY ** 2 * expected[leaf]!)
  const divergence = (a: number, b: number, A: number, B: number): number => {
    if (b <= 0 || A <= 0 || B <= 0) return 0
    const share = Math.min(b / B, 1)
    const inside = a <= 0 ? 0 : a * Math.log(a / A / share)
    const outside = a >= A ? 0 : (A - a) * Math.log((1 - a / A) / (1 - share))
    return (inside + outside) / dispersion
  }
  return {
    a: observed.map((count, leaf) => count * weight(leaf)),
    b: expected.map((count, leaf) => count * weight(leaf)),
    llr: (a, b, A, B) => (a * B <= b * A ? 0 : divergence(a, b, A, B)),
    apart: divergence,
    strength: (a, b) => a / Math.max(b, 1e-9),
  }
}

/** A single deviation counts for no more than this many spreads: leaves that vanished are not all there is. */
const MAX_SPREADS = 50
/** Forecasts are never trusted to better than this. */
const MIN_SPREAD = 1e-3

/**
 * Values that deviate from their forecast, in either direction. The deviation is 2(f−v)/(f+v), as Squeeze (Li et al. 2019)
 * and RiskLoc (Kalander 2022) have it: between −2 and 2, and alike for members of one cause (the ripple effect).
 */
export function deviationMeasure(values: Float64Array, forecasts: Float64Array): Measure {
  const size = values.length
  const deviations = new Float64Array(size)
  const known: number[] = []
  const b = new Float64Array(size)
  for (let leaf = 0; leaf < size; leaf++) {
    const [v, f] = [values[leaf]!, forecasts[leaf]!]
    if (v + f <= 0) continue
    deviations[leaf] = (f - v) / Math.max(f, v)
    b[leaf] = 1
    known.push(Math.abs(deviations[leaf]!))
  }
  // Median absolute deviation about zero, for a normal distribution (Hampel 1974).
  const spread = Math.max(1.4826 * median(known), MIN_SPREAD)
  const a = deviations.map((dev) => Math.max(-MAX_SPREADS, Math.min(MAX_SPREADS, dev / spread)))
  return {
    a,
    b,
    llr: (sum, n) => (n <= 0 ? 0 : (sum * sum) / (2 * n)),
    apart: (sum, n, SUM, N) => {
      const rest = N - n
      return n <= 0 || rest <= 0 ? 0 : (((sum / n - (SUM - sum) / rest) ** 2 / 2) * n * rest) / N
    },
    strength: (sum, n, sign) => (n <= 0 ? -Infinity : (sign * sum) / n),
  }
}

function median(values: readonly number[]): number {
  if (values.length === 0) return 0
  const sorted = Float64Array.from(values).sort()
  return sorted[sorted.length >> 1]!
}
