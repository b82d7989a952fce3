// What another policy would have been worth, estimated from decisions that this one made with known chances: self-normalised
// inverse propensity (SNIPS; Swaminathan and Joachims, "The Self-Normalized Estimator for Counterfactual Learning", NIPS 2015).
// A payment that the target would have sent to the account it went to counts with the weight target/logged chance. Intervals are the delta
// method's with a leverage correction, Student's t at the effective sample size, and Hall's correction for skewness (P. Hall, "On
// the removal of skewness by transformation", JRSS B 1992); their coverage is measured in the tests and in the gym. One stream, constant memory.
//
// The router logs nearly greedy decisions, so almost all of the doubt is in the payments that move: those are few in the logs and heavy in
// weight. `movedSample` is how many equally heavy ones they are worth, and where that is too little, or where the logs never
// took an account that the target wants, the answer is "cannot tell", with the reason, and with bounds that hold whatever
// the accounts would have done.

import { metrics, NO_ATTEMPT, type DecisionEvidence, type Metric, type Propensities } from "./decision-evidence.ts"
import { normalQuantile, studentQuantile } from "./quantile.ts"
import { createWeightedMoments, type SelfNormalised, type Spread } from "./weighted-moments.ts"

export type Interval = { readonly low: number; readonly high: number }

export type Overlap = {
  readonly records: number
  /** Share of payments that the target would have sent elsewhere, from the chances of both: exact. */
  readonly moved: number
  /** Share of the target's decisions for accounts that the logs could not have taken, or hardly ever: exact. */
  readonly neverLogged: number
  /** Share of payments that the target declines early, and the logs did not: exact, and their values are known. */
  readonly declinedEarly: number
  /** (Σw)²/Σw²: how many equally heavy records all are worth, and those that speak for what moves. */
  readonly effectiveSample: number
  readonly movedSample: number
  readonly largestWeight: number
  /** The mean weight over what it is in expectation: 1 where the logged chances are those that were acted by. */
  readonly meanWeight: number
  /** Weights above `clipAt` counted as that: a bias, towards what the logs did. Absent where nothing may be clipped. */
  readonly clipped?: { readonly at: number; readonly records: number; readonly weight: number }
}

export const whyNot = {
  no_records: "no decision has an outcome",
  never_logged: "the policy wants accounts that the logs never, or hardly ever, took for such payments",
  little_overlap: "too few of the decisions that would move were taken by chance in the logs",
  one_record: "a single record carries too much of the weight of what moves",
  wrong_propensities: "the chances in the logs are not those by which payments were sent",
} as const
export type WhyNot = keyof typeof whyNot

export type MetricEstimate =
  | {
      readonly kind: "estimate"
      readonly records: number
      /** As it was, as it would have been, and the difference, which is known better than either. */
      readonly logged: number
      readonly target: number
      readonly targetInterval: Interval
      readonly difference: number
      readonly differenceInterval: Interval
    }
  | { readonly kind: "cannot_tell"; readonly why: WhyNot; readonly records: number; readonly logged?: number }

export type OffPolicyReport = {
  readonly confidence: number
  readonly overlap: Overlap
  readonly estimates: Readonly<Record<Metric, MetricEstimate>>
  /** The difference in approval cannot lie outside, whatever the accounts would have done. */
  readonly approvalBounds: Interval
}

/**
 * A decision that the target takes more than so many times as often as the logs did counts as never logged. Of such decisions few or
 * none are in the logs, and those that are missing are no random ones: the router explores least where it expects least, so
 * that an estimate without them is too high.
 */
const MOST_WEIGHT = 500
/** Below this many equally heavy records of what moves nothing is told. Measured: see docs/evidence.md. */
export const LEAST_MOVED_SAMPLE = 60
/** Above this share of decisions that the logs never took nothing is told; below it intervals of approval are as much wider. */
export const MOST_NEVER_LOGGED = 0.01
/** The most that one record may have of the weight of all that speak for what moves. */
const MOST_OF_ONE = 0.05
/** Standard errors of the mean weight beyond which the logged chances are not believed. */
const MEAN_WEIGHT_ERRORS = 5
/** Where so few payments move, how they fare is of no consequence, and nothing is asked of the overlap. */
const NEXT_TO_NOTHING = 1e-4

export type OffPolicy = ReturnType<typeof createOffPolicy>

export function createOffPolicy(options: { readonly confidence?: number; readonly clipAt?: number } = {}) {
  const { confidence = 0.95, clipAt } = options
  const moments = { approval: createWeightedMoments(), cost: createWeightedMoments(), latency: createWeightedMoments() }
  let records = 0
  let moved = 0
  let neverLogged = 0
  let declinedEarly = 0
  let weight = 0
  let weightSquares = 0
  let excess = 0
  let excessSquares = 0
  let surplus = 0
  let surplusSquares = 0
  let largest = 0
  const clipped = { records: 0, weight: 0 }

  function add({ propensities: logged, account, values }: DecisionEvidence, target: Propensities): void {
    const taken = logged[account] ?? 0
    if (!(taken > 0)) throw new RangeError(`a decision for ${account} was logged with no chance of it`)
    let covered = 0
    for (const [name, chance] of Object.entries(target)) {
      const before = logged[name] ?? 0
      if (chance > before) moved += chance - before
      if (before > 0 && chance <= MOST_WEIGHT * before) covered += chance
      else if (name === NO_ATTEMPT) declinedEarly += chance
      else neverLogged += chance
    }
    const wanted = (target[account] ?? 0) / taken
    const full = wanted > MOST_WEIGHT ? 0 : wanted
    const w = clipAt === undefined ? full : Math.min(full, clipAt)
    if (w < full) {
      clipped.records += 1
      clipped.weight += full - w
    }
    records += 1
    weight += w
    weightSquares += w * w
    largest = Math.max(largest, w)
    const beyond = Math.max(0, w - 1)
    excess += beyond
    excessSquares += beyond * beyond
    surplus += full - covered
    surplusSquares += (full - covered) ** 2
    for (const metric of metrics) {
      const value = values[metric]
      if (value !== undefined) moments[metric].add(w, value)
    }
  }

  function report(): OffPolicyReport {
    const per = (sum: number): number => (records === 0 ? 0 : sum / records)
    const overlap: Overlap = {
      records,
      moved: per(moved),
      neverLogged: per(neverLogged),
      declinedEarly: per(declinedEarly),
      effectiveSample: weightSquares === 0 ? 0 : weight ** 2 / weightSquares,
      movedSample: excessSquares === 0 ? 0 : excess ** 2 / excessSquares,
      largestWeight: largest,
      meanWeight: records === 0 ? 0 : 1 + surplus / records,
      ...(clipAt === undefined ? {} : { clipped: { at: clipAt, ...clipped } }),
    }
    const why = reasonNot(overlap)
    const estimates = Object.fromEntries(
      metrics.map((metric) => [metric, estimateOf(metric, moments[metric].read(), overlap, why)]),
    ) as Record<Metric, MetricEstimate>
    return { confidence, overlap, estimates, approvalBounds: { low: -overlap.moved, high: overlap.moved } }
  }

  function reasonNot({
    moved: share,
    declinedEarly: early,
    neverLogged: never,
    movedSample,
  }: Overlap): WhyNot | undefined {
    if (records === 0) return "no_records"
    if (Math.abs(surplus) > MEAN_WEIGHT_ERRORS * Math.sqrt(surplusSquares)) return "wrong_propensities"
    if (share - early < NEXT_TO_NOTHING) return undefined
    if (never > MOST_NEVER_LOGGED) return "never_logged"
    if (movedSample < LEAST_MOVED_SAMPLE) return "little_overlap"
    return largest - 1 > MOST_OF_ONE * excess ? "one_record" : undefined
  }

  function estimateOf(
    metric: Metric,
    read: SelfNormalised | undefined,
    { moved: share, movedSample, neverLogged: never, declinedEarly: early }: Overlap,
    why: WhyNot | undefined,
  ): MetricEstimate {
    if (read === undefined || why !== undefined)
      return {
        kind: "cannot_tell",
        why: why ?? "no_records",
        records: read?.n ?? 0,
        ...(read === undefined ? {} : { logged: read.plain }),
      }
    const tail = (1 + confidence) / 2
    const reach = movedSample > 0 ? studentQuantile(tail, movedSample - 1) : normalQuantile(tail)
    // What is declined early is not paid and costs nothing; how long it would have taken nobody asks.
    const attempted = metric === "latency" ? 1 : 1 - early
    // What was never logged may have been approved always or never. Cost and latency speak for the rest alone.
    const open = metric === "approval" ? never : 0
    const target = attempted * read.value
    // Hall's correction may lengthen a side, and never shortens one: with few and heavy records it would shorten too much.
    const around = (middle: number, { error, skew }: Spread): Interval => ({
      low: middle - Math.max(reach, unskewed(reach, skew)) * attempted * error - open * read.value,
      high: middle + Math.max(reach, -unskewed(-reach, skew)) * attempted * error + open * (1 - read.value),
    })
    return {
      kind: "estimate",
      records: read.n,
      logged: read.plain,
      target,
      targetInterval: around(target, read.valueSpread),
      difference: target - read.plain,
      // What does not move cannot differ.
      differenceInterval: within(
        around(target - read.plain, read.differenceSpread),
        metric === "approval" ? share : Infinity,
      ),
    }
  }

  return { add, report }
}

const within = ({ low, high }: Interval, most: number): Interval => ({
  low: Math.max(low, -most),
  high: Math.min(high, most),
})

/**
 * The inverse of Hall's transformation, which makes a lopsided pivot symmetric: an average of few declines among many
 * approvals errs further to one side. `skew`: γ/√n.
 */
function unskewed(x: number, skew: number): number {
  return Math.abs(skew) < LEAST_SKEW ? x : (3 / skew) * (Math.cbrt(1 + skew * (x - skew / 6)) - 1)
}
const LEAST_SKEW = 1e-6
