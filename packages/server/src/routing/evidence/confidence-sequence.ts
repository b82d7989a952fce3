// Intervals that hold at all times at once, so that anybody may look whenever they like and stop when they like: for the
// difference of two arms' means, and for one mean. States are plain values, and grow by `observed`; constant memory.
//
// The difference: payment i goes to the treated arm with the known chance e. Its value y_i in [0, 1] is centred by what was
// known before (m, the running mean of both arms), and z_i = (y_i − m)/e in the treated arm, −(y_i − m)/(1 − e) in the other one. The centre
// drops out on average, so E[z_i | past] is the difference that payment i makes, whatever approval does meanwhile: a drift
// that strikes both arms alike is no evidence (the augmented inverse-propensity form of Robins, Rotnitzky and Zhao 1994, with the
// boundary of boundary.ts as in Howard et al. 2021, §4.2). What is covered is the mean of these differences over the
// payments so far.
//
// What must hold: arms are drawn independently per unit with chance e (sample-ratio.ts watches it), and a unit counts once:
// several payments of a customer who stays in an arm are no independent draws, so only the first is evidence (experiment.ts).
// Values are bounded. What is not (latency, cost) is cut at a named bound, and the interval is about the mean of what was cut.

import { createBoundary, type Boundary } from "./boundary.ts"

/** Values between these count as they are; what is beyond is cut. */
export type Range = { readonly low: number; readonly high: number }

export type Interval = { readonly low: number; readonly high: number }

export type DifferenceState = {
  /** Units seen, and the sums of z and z², of values in [0, 1]. */
  readonly n: number
  readonly sum: number
  readonly squares: number
  /** The sum of all values, for the centre of the next one. */
  readonly total: number
  /** By arm: units and the sum of values, as they are in life but cut. */
  readonly control: Side
  readonly treated: Side
  /** How many values were cut. */
  readonly cut: number
}
type Side = { readonly n: number; readonly sum: number }

export const noDifference: DifferenceState = {
  n: 0,
  sum: 0,
  squares: 0,
  total: 0,
  control: { n: 0, sum: 0 },
  treated: { n: 0, sum: 0 },
  cut: 0,
}

export type DifferenceSequence = {
  readonly observed: (state: DifferenceState, isTreated: boolean, value: number) => DifferenceState
  /** Of treated − control. Undefined before the first unit. */
  readonly interval: (state: DifferenceState) => Interval | undefined
  readonly estimate: (state: DifferenceState) => number | undefined
  /** Whether the difference is certainly below, or above, this: one-sided, each with the whole `alpha`. */
  readonly isBelow: (state: DifferenceState, bound: number) => boolean
  readonly isAbove: (state: DifferenceState, bound: number) => boolean
}

/** Units, split evenly, from which on the boundary is tight; a variance that values of payments usually have. */
const TIGHT_FROM = 200
const USUAL_VARIANCE = 0.1

/** `share`: the chance e of the treated arm among these two. */
export function differenceSequence(input: {
  readonly share: number
  readonly alpha: number
  readonly range: Range
}): DifferenceSequence {
  const { share, alpha, range } = input
  if (!(share > 0 && share < 1)) throw new RangeError(`an arm's share is between 0 and 1: ${share}`)
  const width = range.high - range.low
  const scale = Math.max(1 / share, 1 / (1 - share))
  const from = (TIGHT_FROM * USUAL_VARIANCE) / (share * (1 - share))
  const oneSided = createBoundary({ scale, alpha, from })
  const twoSided = createBoundary({ scale, alpha: alpha / 2, from })

  return {
    observed(state, isTreated, value) {
      const kept = Math.min(Math.max(value, range.low), range.high)
      const y = (kept - range.low) / width
      const centred = y - (state.total + 0.5) / (state.n + 1)
      const z = isTreated ? centred / share : -centred / (1 - share)
      const side = isTreated ? state.treated : state.control
      const grown = { n: side.n + 1, sum: side.sum + kept }
      return {
        n: state.n + 1,
        sum: state.sum + z,
        squares: state.squares + z * z,
        total: state.total + y,
        control: isTreated ? state.control : grown,
        treated: isTreated ? grown : state.treated,
        cut: state.cut + (kept === value ? 0 : 1),
      }
    },
    estimate: ({ n, sum }) => (n === 0 ? undefined : (sum / n) * width),
    interval: (state) => intervalOf(state, twoSided, width),
    isBelow: ({ n, sum, squares }, bound) => n > 0 && oneSided.isPassed(n * (bound / width) - sum, squares),
    isAbove: ({ n, sum, squares }, bound) => n > 0 && oneSided.isPassed(sum - n * (bound / width), squares),
  }
}

function intervalOf(
  { n, sum, squares }: { readonly n: number; readonly sum: number; readonly squares: number },
  boundary: Boundary,
  width: number,
): Interval | undefined {
  if (n === 0) return undefined
  const reach = boundary.at(squares)
  // No difference of values in [0, 1] is larger than 1.
  return {
    low: Math.max((sum - reach) / n, -1) * width,
    high: Math.min((sum + reach) / n, 1) * width,
  }
}

export type MeanState = {
  readonly n: number
  readonly total: number
  /** Of the distances from the mean of those before. */
  readonly squares: number
  readonly cut: number
}
export const noMean: MeanState = { n: 0, total: 0, squares: 0, cut: 0 }

export type MeanSequence = {
  readonly observed: (state: MeanState, value: number) => MeanState
  readonly interval: (state: MeanState) => Interval | undefined
}

/** Of the mean of values (their conditional means, where they drift), cut at the range's ends. */
export function meanSequence({ alpha, range }: { readonly alpha: number; readonly range: Range }): MeanSequence {
  const width = range.high - range.low
  const boundary = createBoundary({ scale: 1, alpha: alpha / 2, from: TIGHT_FROM * USUAL_VARIANCE })
  return {
    observed({ n, total, squares, cut }, value) {
      const kept = Math.min(Math.max(value, range.low), range.high)
      const y = (kept - range.low) / width
      const centred = y - (total + 0.5) / (n + 1)
      return {
        n: n + 1,
        total: total + y,
        squares: squares + centred * centred,
        cut: cut + (kept === value ? 0 : 1),
      }
    },
    interval({ n, total, squares }) {
      if (n === 0) return undefined
      const reach = boundary.at(squares)
      return {
        low: range.low + width * Math.max((total - reach) / n, 0),
        high: range.low + width * Math.min((total + reach) / n, 1),
      }
    },
  }
}
