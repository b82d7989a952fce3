// Sums of powers of weights and values, from which a self-normalised mean, its influence function and the variance and
// skewness of both follow, without keeping a record. Values are counted from the first one, so that differences of large sums stay exact
// enough.

const WEIGHT_POWERS = 5
const VALUE_POWERS = 4

export type WeightedMoments = ReturnType<typeof createWeightedMoments>

/** Standard error, and Σψ³/(Σψ²)^1.5 of the influences ψ: how lopsided the estimate's own distribution is. */
export type Spread = { readonly error: number; readonly skew: number }

export type SelfNormalised = {
  readonly n: number
  /** Σwr/Σw, and the plain mean of r. */
  readonly value: number
  readonly plain: number
  readonly valueSpread: Spread
  /** Of `value − plain`, which share most of their noise. */
  readonly differenceSpread: Spread
}

/** Of a polynomial in r, lowest power first. */
type Polynomial = readonly number[]

export function createWeightedMoments() {
  /** [p][q]: Σ w^p r^q. */
  const sums = new Float64Array(WEIGHT_POWERS * VALUE_POWERS)
  let origin: number | undefined

  function add(weight: number, value: number): void {
    origin ??= value
    const r = value - origin
    let w = 1
    for (let p = 0; p < WEIGHT_POWERS; p++) {
      let term = w
      for (let q = 0; q < VALUE_POWERS; q++) {
        sums[p * VALUE_POWERS + q]! += term
        term *= r
      }
      w *= weight
    }
  }

  /** Σ w^p f(r). */
  const of = (p: number, f: Polynomial): number =>
    f.reduce((sum, coefficient, q) => sum + coefficient * sums[p * VALUE_POWERS + q]!, 0)

  /** Undefined where no record has weight. */
  function read(): SelfNormalised | undefined {
    const n = of(0, [1])
    const total = of(1, [1])
    if (!(total > 0)) return undefined
    const value = of(1, [0, 1]) / total
    const plain = of(0, [0, 1]) / n
    // The influence of a record on the weighted mean is w·u, on the plain one v.
    const u: Polynomial = [-value / total, 1 / total]
    const v: Polynomial = [-plain / n, 1 / n]
    const uu = times(u, u)
    // A record pulls the mean towards itself by h = w/Σw, and so its influence is divided by 1 − h (the HC3 correction of
    // MacKinnon and White 1985), to the second order: 1/(1 − h)² ≈ 1 + 2h + 3h².
    const own = Math.max(0, of(2, uu) + (2 / total) * of(3, uu) + (3 / total ** 2) * of(4, uu))
    const both = Math.max(0, own - 2 * of(1, times(u, v)) + of(0, times(v, v)))
    const ownCubes = of(3, times(uu, u))
    const cubes = ownCubes - 3 * of(2, times(uu, v)) + 3 * of(1, times(u, times(v, v))) - of(0, times(v, times(v, v)))
    return {
      n,
      value: value + (origin ?? 0),
      plain: plain + (origin ?? 0),
      valueSpread: spread(own, ownCubes),
      differenceSpread: spread(both, cubes),
    }
  }

  return { add, read }
}

const spread = (squares: number, cubes: number): Spread => ({
  error: Math.sqrt(squares),
  skew: squares > 0 ? cubes / squares ** 1.5 : 0,
})

function times(a: Polynomial, b: Polynomial): Polynomial {
  const product = Array.from({ length: a.length + b.length - 1 }, () => 0)
  a.forEach((x, i) => b.forEach((y, j) => (product[i + j]! += x * y)))
  return product
}
