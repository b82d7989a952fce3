// How far a sum of centred values may stray at any time, however often somebody looks: a boundary u(v) of which the sum
// exceeds it, ever, with at most the chance `alpha`.
//
// For values Y_i ≥ −scale with E[Y_i | past] = δ_i, and V the sum of their squares, exp(λ·Σ(Y_i − δ_i) − ψ(λ)·V) with
// ψ(λ) = (−ln(1 − scale·λ) − scale·λ)/scale² is a non-negative supermartingale that begins at one, for each 0 ≤ λ < 1/scale (Howard,
// Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 2021,
// theorem 4; the inequality is Fan, Grama and Liu's, 2015). A mixture of them over λ is one as well, and passes 1/alpha with
// at most the chance alpha (Ville 1939). The λ are a geometric grid (their "discrete mixture", §3.4), so that the boundary is nearly as
// tight as the best single λ over a range of four thousand in V. Nothing is asymptotic here, and nothing has to be
// independent or stationary: δ_i may drift.

export type Boundary = {
  /** Of the sum, at the variance so far. */
  readonly at: (variance: number) => number
  /** Whether the sum is beyond it: the same question, quicker. */
  readonly isPassed: (sum: number, variance: number) => boolean
}

const GRID = 10
const STEP = 2
const BISECTIONS = 50

/** `from`: the variance at which the boundary begins to be tight. Any value is valid. */
export function createBoundary(input: {
  readonly scale: number
  readonly alpha: number
  readonly from: number
}): Boundary {
  const { scale, alpha, from } = input
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha is a chance: ${alpha}`)
  const largest = Math.min(1 / (2 * scale), Math.sqrt((2 * Math.log(1 / alpha)) / from))
  const lambdas = Array.from({ length: GRID }, (_, k) => largest / STEP ** k)
  const psis = lambdas.map((lambda) => (-Math.log1p(-scale * lambda) - scale * lambda) / scale ** 2)
  const wanted = Math.log(GRID / alpha)
  const evidence = (sum: number, variance: number): number => {
    let top = -Infinity
    for (let k = 0; k < GRID; k++) top = Math.max(top, lambdas[k]! * sum - psis[k]! * variance)
    let total = 0
    for (let k = 0; k < GRID; k++) total += Math.exp(lambdas[k]! * sum - psis[k]! * variance - top)
    return top + Math.log(total)
  }
  return {
    isPassed: (sum, variance) => evidence(sum, variance) >= wanted,
    at(variance) {
      // A single member of the mixture passes the whole's bound at `high`, and so does the mixture.
      let high = Infinity
      for (let k = 0; k < GRID; k++) high = Math.min(high, (wanted + psis[k]! * variance) / lambdas[k]!)
      let low = 0
      for (let step = 0; step < BISECTIONS; step++) {
        const middle = (low + high) / 2
        if (evidence(middle, variance) >= wanted) high = middle
        else low = middle
      }
      return high
    },
  }
}
