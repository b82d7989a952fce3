// "Why are approvals down?" as one pure function over a table of attempts before and now: the change split into mix and
// rate, the slices that explain the rate's part, whose fault each is, or that nothing is significant, or that everything
// fails alike and the cause lies outside these dimensions.

import type { DeclineFault } from "../../core/decline.ts"
import { expectedFailures, type Counts } from "./expectation.ts"
import { faultOf, type Verdict } from "./fault.ts"
import { leavesIn, namesOf, type Element, type Leaves } from "./leaves.ts"
import { locate, ratioOptions } from "./locate.ts"
import { excessMeasure } from "./measure.ts"
import { splitChange, type Split } from "./mix.ts"

export type Question = {
  readonly leaves: Leaves
  /** Attempts and failures per leaf, now (n, f) and before (n0, f0). */
  readonly counts: Counts
  /** How much more than chance quiet history varies (≥ 1). */
  readonly dispersion?: number
  /** Of a cause's excess, whose doing the codes say it is (code-shift.ts). */
  readonly codes?: (elements: readonly Element[]) => ReadonlyMap<DeclineFault | "engine", number>
}

export type Slice = {
  /** Each the fixed dimensions of one element: "bin=4111" or "bin=4571" of one cause. */
  readonly where: readonly Readonly<Record<string, string>>[]
  readonly attempts: number
  readonly failures: number
  readonly expected: number
  /** Approvals that were lost there. */
  readonly lost: number
  /** Of all failures beyond the expected ones. */
  readonly shareOfExcess: number
  /** Bound of the chance to find such a slice where there is nothing. */
  readonly chance: number
  readonly verdict: Verdict
}

export type Answer = {
  readonly split: Split | undefined
  /** Failures now, and those that today's traffic would have had at yesterday's rates. */
  readonly failures: number
  readonly expected: number
  /** Bound of the chance that today's failures are yesterday's rates. */
  readonly chance: number
  readonly conclusion: "slices" | "outside" | "mix" | "nothing_significant"
  readonly slices: readonly Slice[]
  /** Where everything fails alike. */
  readonly outside?: Verdict
}

/** Below this chance a change is taken for real. */
const SIGNIFICANT = 0.05
/** A slice that explains less of the excess than this leaves the rest to something outside. */
const MIN_SHARE = 0.3
/** A change of the rate (as a share) that mix alone must reach to be worth telling. */
const MIN_MIX = 0.001

export function explain({ leaves, counts, dispersion = 1, codes }: Question): Answer {
  const expectedByLeaf = expectedFailures(leaves, counts)
  const failures = sum(counts.f)
  const expected = sum(expectedByLeaf)
  const located = locate(leaves, excessMeasure(counts.f, expectedByLeaf, dispersion), ratioOptions)
  const attempts = { leaves, failures: counts.f, expected: expectedByLeaf }
  const chance = Math.exp(-excessNats(failures, expected) / dispersion)
  const split = splitOf(leaves, counts)
  const excess = failures - expected
  const slices = slicesOf()
  const explained = slices.reduce((total, slice) => total + slice.lost, 0)
  const uniform = chance < SIGNIFICANT && (slices.length === 0 || explained < MIN_SHARE * excess)
  const answer = { split, failures, expected, chance, slices }
  if (uniform) {
    const verdict = faultOf(attempts, [], codes?.([[]]))
    return { ...answer, conclusion: "outside", outside: verdict }
  }
  if (slices.length > 0) return { ...answer, conclusion: "slices" }
  const mixed = split !== undefined && split.mix.interval.high < 0 && split.mix.value < -MIN_MIX
  return { ...answer, conclusion: mixed ? "mix" : "nothing_significant" }

  function slicesOf(): readonly Slice[] {
    return located.causes.flatMap(({ elements }): Slice[] => {
      const fixed = elements.map(({ element }) => element)
      const inside = fixed.flatMap((element) => [...leavesIn(leaves, element)])
      const here = (column: Float64Array): number => inside.reduce((total, leaf) => total + column[leaf]!, 0)
      const [f, e] = [here(counts.f), here(expectedByLeaf)]
      if (f <= e) return []
      return [
        {
          where: fixed.map((element) => namesOf(leaves, element)),
          attempts: here(counts.n),
          failures: f,
          expected: e,
          lost: f - e,
          shareOfExcess: excess <= 0 ? 1 : Math.min((f - e) / excess, 1),
          chance: Math.min(1, Math.exp(-elements[0]!.score)),
          verdict: faultOf(attempts, fixed, codes?.(fixed)),
        },
      ]
    })
  }
}

/** By whatever dimensions there are, all at once: leaves that have no traffic on one side count as mix. */
function splitOf(leaves: Leaves, { n, f, n0, f0 }: Counts): Split | undefined {
  return splitChange(
    Array.from({ length: leaves.size }, (_, leaf) => ({
      name: String(leaf),
      n0: n0[leaf]!,
      k0: n0[leaf]! - f0[leaf]!,
      n1: n[leaf]!,
      k1: n[leaf]! - f[leaf]!,
    })),
  )
}

/** Poisson likelihood ratio of more failures than expected. */
const excessNats = (failures: number, expected: number): number =>
  failures <= expected || expected <= 0 ? 0 : failures * Math.log(failures / expected) - (failures - expected)

const sum = (column: Float64Array): number => column.reduce((total, value) => total + value, 0)
