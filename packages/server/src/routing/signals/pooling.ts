// Partial pooling of account effects over a tree of segments: everything → network → network × country → issuer. Each
// account has an effect on the logit of approval at every node; a node's effects are normal around its parent's, with a
// variance per level that the data themselves set (empirical Bayes), so that a segment with little traffic collapses to
// the coarser one above by itself, and one with much traffic speaks for itself.
//
// Only differences between accounts on the same issuer are learned: every leaf has its own level, which is eliminated
// from what it tells its parent (the two-way model, Searle/Casella/McCulloch, Variance Components, ch. 7). So neither a
// mix of better cards nor the policy's own preference can pass for a better account. That is what propensity weights are
// for; by elimination it costs no variance where propensities are small, and by the likelihood principle it holds for
// every policy that chooses from what was observed.
//
// The tree is Gaussian, so messages up and posteriors down are exact (belief propagation); a leaf's counts enter by
// linearising the logit at the leaf's own rate.

import { apply, invert, multiply } from "./matrix.ts"

/** Root, network, network × country, issuer. */
export const LEVELS = 4
const LEAF = LEVELS - 1
/** Between-node standard deviation of an account's effect in logits, before data: a gap of 1.5 points at 88 %. */
const PRIOR_SD = 0.15
/** Empirical Bayes may not leave these: zero would never be left again, and 0.6 is seven points at 88 %. */
const SD_MIN = 0.02
const SD_MAX = 0.6
/** Only what has at least this much of its own data speaks about variances. */
const TELLING = 0.1
/** The prior's weight, in nodes that are perfectly known. */
const PRIOR_NODES = 3
/** A leaf's own level around its linearisation point: weak, so that it is eliminated rather than believed. */
const LEVEL_SD = 0.25
/** Payments' worth of belief in the parent's rate when a node's rate is set: 1 / (sd² · p(1−p)) at sd 0.5 logits. */
const RATE_STRENGTH = 40
const RATE_MIN = 0.02
const RATE_MAX = 0.98
/** A merchant's rate before the first outcome. */
const RATE_PRIOR = 0.85
/** Outcomes of a segment between two solutions of its equations; estimates move in hours. */
const SOLVE_EVERY = 16
/** Outcomes between two rebuilds from the leaves, which decay all counts, set the variances and end rounding drift. */
const REBUILD_EVERY = 4096

export type Pooling = ReturnType<typeof createPooling>

/** What the tree says about one leaf. Arrays are the tree's own and change with the next reading. */
export type PooledReading = {
  /** Logit of approval per account. */
  readonly logit: Float64Array
  /** How much of an account's own effect here is its own data (0: all from above, 1: none). */
  readonly own: Float64Array
  /** Effective (decayed) count of outcomes per account in this leaf. */
  readonly n: Float64Array
  /** Variance of the leaf's own part per account. */
  readonly local: Float64Array
  /** Covariance of the parent's effects, `size` rows. */
  readonly shared: Float64Array
}

type Inner = {
  readonly level: number
  readonly parent: number
  total: number
  paid: number
  sinceSolved: number
  readonly information: Float64Array
  readonly score: Float64Array
  readonly sentInformation: Float64Array
  readonly sentScore: Float64Array
  readonly mean: Float64Array
  readonly covariance: Float64Array
}

type Leaf = {
  readonly parent: number
  decayedAtMs: number
  readonly n: Float64Array
  readonly paid: Float64Array
  /** What it told its parent last: weights and estimates per account. */
  readonly weight: Float64Array
  readonly effect: Float64Array
  rateLogit: number
}

export function createPooling(size: number, halfLifeMs: number) {
  const variance = new Float64Array(LEVELS).fill(PRIOR_SD ** 2)
  const inners: Inner[] = []
  const leaves: Leaf[] = []
  let sinceRebuilt = 0
  const square = size * size
  const a = new Float64Array(square)
  const inverse = new Float64Array(square)
  const product = new Float64Array(square)
  const work = new Float64Array(square)
  const vector = new Float64Array(size)
  const reading: PooledReading = {
    logit: new Float64Array(size),
    own: new Float64Array(size),
    n: new Float64Array(size),
    local: new Float64Array(size),
    shared: new Float64Array(square),
  }
  const root = addInner(-1, 0)

  function addInner(parent: number, level: number): number {
    const zeros = (length: number): Float64Array => new Float64Array(length)
    inners.push({
      level,
      parent,
      total: 0,
      paid: 0,
      sinceSolved: 0,
      information: zeros(square),
      score: zeros(size),
      sentInformation: zeros(square),
      sentScore: zeros(size),
      mean: zeros(size),
      covariance: zeros(square),
    })
    solveDown(inners.length - 1)
    return inners.length - 1
  }

  function addLeaf(parent: number, nowMs: number): number {
    const zeros = (): Float64Array => new Float64Array(size)
    const leaf = { parent, decayedAtMs: nowMs, n: zeros(), paid: zeros(), weight: zeros(), effect: zeros() }
    leaves.push({ ...leaf, rateLogit: logit(rateOf(parent)) })
    return leaves.length - 1
  }

  /** Takes in one mature outcome. */
  function observe(index: number, account: number, paid: boolean, nowMs: number): void {
    const leaf = leaves[index]!
    decay(leaf, nowMs)
    leaf.n[account]! += 1
    if (paid) leaf.paid[account]! += 1
    for (let at = leaf.parent; at >= 0; at = inners[at]!.parent) {
      inners[at]!.total += 1
      if (paid) inners[at]!.paid += 1
    }
    retell(leaf)
    const parent = inners[leaf.parent]!
    parent.sinceSolved += 1
    sinceRebuilt += 1
    if (sinceRebuilt >= REBUILD_EVERY) rebuild(nowMs)
    else if (parent.sinceSolved >= SOLVE_EVERY || parent.sinceSolved * 4 >= parent.total) solvePath(leaf.parent)
  }

  /** An outcome that was taken in was the opposite; what has faded of it meanwhile is left as it is. */
  function correct(index: number, account: number, paid: boolean, nowMs: number): void {
    const leaf = leaves[index]!
    decay(leaf, nowMs)
    const before = leaf.paid[account]!
    leaf.paid[account] = clamp(before + (paid ? 1 : -1), 0, leaf.n[account]!)
    const changed = leaf.paid[account]! - before
    for (let at = leaf.parent; at >= 0; at = inners[at]!.parent) inners[at]!.paid += changed
    retell(leaf)
  }

  /** What is known of a leaf; with `index` undefined of its parent alone (a segment that was never seen). */
  function read(index: number | undefined, parent: number): PooledReading {
    const { mean, covariance } = inners[parent]!
    reading.shared.set(covariance)
    if (index === undefined) {
      const level = logit(rateOf(parent))
      for (let j = 0; j < size; j++) {
        reading.logit[j] = level + mean[j]!
        reading.own[j] = 0
        reading.n[j] = 0
        reading.local[j] = variance[LEAF]!
      }
      return reading
    }
    const { n, weight, effect, rateLogit } = leaves[index]!
    const spread = variance[LEAF]!
    const level = levelOf(leaves[index]!)
    for (let j = 0; j < size; j++) {
      const own = weight[j]! * spread
      reading.logit[j] = rateLogit + level + mean[j]! + own * (effect[j]! - level - mean[j]!)
      reading.own[j] = own
      reading.n[j] = n[j]!
      reading.local[j] = spread * (1 - own)
    }
    return reading
  }

  function rateOf(index: number): number {
    let rate = RATE_PRIOR
    const path: Inner[] = []
    for (let at = index; at >= 0; at = inners[at]!.parent) path.push(inners[at]!)
    for (let i = path.length - 1; i >= 0; i--)
      rate = (path[i]!.paid + RATE_STRENGTH * rate) / (path[i]!.total + RATE_STRENGTH)
    return rate
  }

  function decay(leaf: Leaf, nowMs: number): void {
    const factor = 2 ** (-Math.max(0, nowMs - leaf.decayedAtMs) / halfLifeMs)
    leaf.decayedAtMs = Math.max(nowMs, leaf.decayedAtMs)
    for (let j = 0; j < size; j++) {
      leaf.n[j]! *= factor
      leaf.paid[j]! *= factor
    }
  }

  /** Replaces what a leaf told its parent by what it knows now. */
  function retell(leaf: Leaf): void {
    tell(leaf, -1)
    weigh(leaf)
    tell(leaf, 1)
  }

  function weigh(leaf: Leaf): void {
    let total = 0
    let paid = 0
    for (let j = 0; j < size; j++) {
      total += leaf.n[j]!
      paid += leaf.paid[j]!
    }
    const rate = clamp((paid + RATE_STRENGTH * rateOf(leaf.parent)) / (total + RATE_STRENGTH), RATE_MIN, RATE_MAX)
    leaf.rateLogit = logit(rate)
    for (let j = 0; j < size; j++) {
      const precision = leaf.n[j]! * rate * (1 - rate)
      leaf.weight[j] = precision / (1 + precision * variance[LEAF]!)
      leaf.effect[j] = precision === 0 ? 0 : (leaf.paid[j]! - leaf.n[j]! * rate) / precision
    }
  }

  /** Adds (sign 1) or takes back (−1) the leaf's message: diag(w) − wwᵀ/Σw, its own level eliminated. */
  function tell(leaf: Leaf, sign: number): void {
    const { information, score } = inners[leaf.parent]!
    const { weight, effect } = leaf
    let mass = 1 / LEVEL_SD ** 2
    let pull = 0
    for (let j = 0; j < size; j++) {
      mass += weight[j]!
      pull += weight[j]! * effect[j]!
    }
    for (let j = 0; j < size; j++) {
      const share = (sign * weight[j]!) / mass
      score[j]! += sign * weight[j]! * effect[j]! - share * pull
      information[j * size + j]! += sign * weight[j]!
      for (let k = 0; k < size; k++) information[j * size + k]! -= share * weight[k]!
    }
  }

  function solvePath(index: number): void {
    for (let at = index; inners[at]!.parent >= 0; at = inners[at]!.parent) tellUp(inners[at]!)
    const path: number[] = []
    for (let at = index; at >= 0; at = inners[at]!.parent) path.push(at)
    for (let i = path.length - 1; i >= 0; i--) solveDown(path[i]!)
    inners[index]!.sinceSolved = 0
  }

  /** The message to the parent: (Λ⁻¹ + τ²)⁻¹ = (I + τ²Λ)⁻¹ Λ, which needs no inverse of Λ. */
  function tellUp(node: Inner): void {
    const parent = inners[node.parent]!
    for (let i = 0; i < square; i++) {
      parent.information[i]! -= node.sentInformation[i]!
      a[i] = variance[node.level]! * node.information[i]!
    }
    for (let j = 0; j < size; j++) {
      parent.score[j]! -= node.sentScore[j]!
      a[j * size + j]! += 1
    }
    invert(a, size, inverse, work)
    multiply(inverse, node.information, size, node.sentInformation)
    apply(inverse, node.score, size, node.sentScore)
    for (let i = 0; i < square; i++) parent.information[i]! += node.sentInformation[i]!
    for (let j = 0; j < size; j++) parent.score[j]! += node.sentScore[j]!
  }

  /** The posterior of a node given its parent's: A = Λ + I/τ², mean A⁻¹(h + m/τ²), covariance A⁻¹ + A⁻¹VA⁻¹/τ⁴. */
  function solveDown(index: number): void {
    const node = inners[index]!
    const precision = 1 / variance[node.level]!
    const parent = inners[node.parent]
    a.set(node.information)
    for (let j = 0; j < size; j++) {
      a[j * size + j]! += precision
      vector[j] = node.score[j]! + (parent === undefined ? 0 : parent.mean[j]! * precision)
    }
    invert(a, size, inverse, work)
    apply(inverse, vector, size, node.mean)
    node.covariance.set(inverse)
    if (parent === undefined) return
    multiply(inverse, parent.covariance, size, product)
    multiply(product, inverse, size, a)
    for (let i = 0; i < square; i++) node.covariance[i]! += a[i]! * precision * precision
  }

  function rebuild(nowMs: number): void {
    sinceRebuilt = 0
    setVariances()
    for (const node of inners) {
      for (const array of [node.information, node.score, node.sentInformation, node.sentScore]) array.fill(0)
      node.total = 0
      node.paid = 0
      node.sinceSolved = 0
    }
    for (const leaf of leaves) {
      decay(leaf, nowMs)
      for (let at = leaf.parent; at >= 0; at = inners[at]!.parent)
        for (let j = 0; j < size; j++) {
          inners[at]!.total += leaf.n[j]!
          inners[at]!.paid += leaf.paid[j]!
        }
    }
    for (const leaf of leaves) {
      weigh(leaf)
      tell(leaf, 1)
    }
    // Children were made after their parents: backwards is upwards.
    for (let i = inners.length - 1; i > 0; i--) tellUp(inners[i]!)
    for (let i = 0; i < inners.length; i++) solveDown(i)
  }

  /**
   * Empirical Bayes: one step of EM (Dempster, Laird and Rubin 1977) on the variance of each level, the mean over what is
   * known of E[(child − parent)²] = (difference of posterior means)² + its posterior variance. The prior counts as
   * PRIOR_NODES. Steps follow one another with every rebuild, so that it climbs while data come.
   */
  function setVariances(): void {
    const sum = new Float64Array(LEVELS).fill(PRIOR_NODES * PRIOR_SD ** 2)
    const count = new Float64Array(LEVELS).fill(PRIOR_NODES)
    for (let i = 0; i < inners.length; i++) addInnerMoments(inners[i]!, sum, count)
    const spread = variance[LEAF]!
    for (let i = 0; i < leaves.length; i++) {
      const { parent } = leaves[i]!
      const { logit: known, own } = read(i, parent)
      const { mean, covariance } = inners[parent]!
      const level = levelOf(leaves[i]!)
      for (let j = 0; j < size; j++) {
        if (own[j]! < TELLING) continue
        const difference = known[j]! - leaves[i]!.rateLogit - level - mean[j]!
        const remaining = spread * (1 - own[j]!) + own[j]! ** 2 * covariance[j * size + j]!
        sum[LEAF]! += difference * difference + remaining
        count[LEAF]! += 1
      }
    }
    for (let level = 0; level < LEVELS; level++)
      variance[level] = clamp(sum[level]! / count[level]!, SD_MIN ** 2, SD_MAX ** 2)
  }

  /** Var(child − parent) = A⁻¹ + B V Bᵀ with B = I − A⁻¹/τ². */
  function addInnerMoments(node: Inner, sum: Float64Array, count: Float64Array): void {
    const spread = variance[node.level]!
    const parent = inners[node.parent]
    a.set(node.information)
    for (let j = 0; j < size; j++) a[j * size + j]! += 1 / spread
    invert(a, size, inverse, work)
    for (let j = 0; j < size; j++) {
      const own = 1 - inverse[j * size + j]! / spread
      if (own < TELLING) continue
      const difference = node.mean[j]! - (parent?.mean[j] ?? 0)
      let known = inverse[j * size + j]!
      if (parent !== undefined)
        for (let k = 0; k < size; k++)
          for (let l = 0; l < size; l++) {
            const left = (j === k ? 1 : 0) - inverse[j * size + k]! / spread
            const right = (j === l ? 1 : 0) - inverse[j * size + l]! / spread
            known += left * right * parent.covariance[k * size + l]!
          }
      sum[node.level]! += difference * difference + known
      count[node.level]! += 1
    }
  }

  function levelOf({ weight, effect, parent }: Leaf): number {
    const { mean } = inners[parent]!
    let pull = 0
    let mass = 1 / LEVEL_SD ** 2
    for (let j = 0; j < size; j++) {
      pull += weight[j]! * (effect[j]! - mean[j]!)
      mass += weight[j]!
    }
    return pull / mass
  }

  return {
    root,
    addInner,
    addLeaf,
    observe,
    correct,
    read,
    /** Standard deviation between the nodes of each level, in logits. */
    spread: (): readonly number[] => Array.from(variance, Math.sqrt),
  }
}

export function logit(rate: number): number {
  return Math.log(rate / (1 - rate))
}

export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value
}
