// Seeded chance for worlds and baselines. The router under test has its own dice (routing/signals/dice.ts).

export type Random = ReturnType<typeof createRandom>

/** sfc32 (Doty-Humphrey's small fast counter generator, public domain): quick, and good enough for PractRand. */
export function createRandom(seed: number) {
  let a = 0x9e3779b9 ^ seed
  let b = 0x243f6a88
  let c = 0xb7e15162 ^ Math.imul(seed, 0x85ebca6b)
  let counter = 1
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 16; i++) next()
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
  return {
    next,
    normal,
    logNormal: (median: number, sigma: number): number => median * Math.exp(sigma * normal()),
    exponential: (mean: number): number => -mean * Math.log(1 - next()),
    whole: (below: number): number => Math.floor(next() * below),
    /** Beta(a, b) by two gammas (Marsaglia and Tsang 2000). */
    beta: (alpha: number, beta: number): number => {
      const x = gamma(alpha)
      return x / (x + gamma(beta))
    },
  }

  function gamma(shape: number): number {
    if (shape < 1) return gamma(shape + 1) * Math.max(next(), 1e-300) ** (1 / shape)
    const d = shape - 1 / 3
    const c9 = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = normal()
      const v = (1 + c9 * x) ** 3
      if (v > 0 && Math.log(1 - next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
    }
  }
}

/** An index by weights that were summed up (ascending, last = total). */
export function pickBySum(sums: Float64Array, die: number): number {
  const target = die * sums[sums.length - 1]!
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (sums[middle]! > target) high = middle
    else low = middle + 1
  }
  return low
}

/** A number in [0, 1) for a payment, an account and a purpose: the same for every policy (common random numbers). */
export function chanceOf(seed: number, payment: number, account: number, purpose: number): number {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(payment + 1, 0xc2b2ae35)
  h = Math.imul(h ^ (h >>> 15) ^ Math.imul(account + 1, 0x27d4eb2f), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12) ^ Math.imul(purpose + 1, 0x165667b1), 0x297a2d39)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32
}
