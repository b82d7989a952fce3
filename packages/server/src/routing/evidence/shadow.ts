// A version of a policy that decides on live payments without acting: how far it diverges from the one in force, and what
// both expected of the difference by the scores that they recorded. What would have become of the payments that it would have sent elsewhere nobody
// saw: for that there is off-policy.ts. Nodes count apart, and tallies are added to each other: however many payments, one value.

import type { Propensities } from "./decision-evidence.ts"
import { createRerouting, type Rerouting } from "./rerouting.ts"

export type ShadowedDecision = {
  readonly rule: string
  readonly propensities: Propensities
  /** The account it came to. */
  readonly account: string
  /** By account, where the rule scored; in the unit of its objective. */
  readonly scores?: Readonly<Record<string, number>>
}

/** A payment on which they differed. */
export type Divergence = {
  readonly payment: string
  readonly at: number
  readonly live: Pick<ShadowedDecision, "rule" | "account">
  readonly shadow: Pick<ShadowedDecision, "rule" | "account">
}
/** The latest are kept. */
export const MAX_DIVERGENCES = 50

export type ShadowTally = {
  /** Payments that came to the same account. */
  readonly same: number
  /** Payments that were not looked at, because too many waited. */
  readonly missed: number
  readonly rerouting: Rerouting
  readonly byLive: ExpectedSums
  readonly byShadow: ExpectedSums
  readonly divergences: readonly Divergence[]
}
type ExpectedSums = { readonly scored: number; readonly unscored: number; readonly sum: number }

const NO_SUMS: ExpectedSums = { scored: 0, unscored: 0, sum: 0 }
export const nothingShadowed: ShadowTally = {
  same: 0,
  missed: 0,
  rerouting: createRerouting().report(),
  byLive: NO_SUMS,
  byShadow: NO_SUMS,
  divergences: [],
}

/** By the scores that one side recorded: shadow's account − live's account, over the payments on which they differ. */
export type ExpectedDifference = {
  readonly payments: number
  /** Mean over all payments of the report, those that did not move counting as 0. Absent where no score is known. */
  readonly perPayment?: number
  /** Payments that differ and of which this side scored one account or none. */
  readonly unscored: number
}

export type ShadowReport = {
  /** Of payments that came to the same account. */
  readonly agreement: number
  readonly rerouting: Rerouting
  readonly byLiveScores: ExpectedDifference
  readonly byShadowScores: ExpectedDifference
}

export function shadowReport({ same, rerouting, byLive, byShadow }: ShadowTally): ShadowReport {
  const { payments } = rerouting
  return {
    agreement: payments === 0 ? 1 : same / payments,
    rerouting,
    byLiveScores: expected(byLive, payments),
    byShadowScores: expected(byShadow, payments),
  }
}

const expected = ({ scored, unscored, sum }: ExpectedSums, payments: number): ExpectedDifference => ({
  payments: scored,
  ...(scored === 0 ? {} : { perPayment: sum / payments }),
  unscored,
})

export function createShadowTally() {
  const rerouting = createRerouting()
  let same = 0
  let missed = 0
  let byLive = NO_SUMS
  let byShadow = NO_SUMS
  let divergences: readonly Divergence[] = []

  return {
    add(
      live: ShadowedDecision,
      shadow: ShadowedDecision,
      segment: string,
      of: Pick<Divergence, "payment" | "at">,
    ): void {
      rerouting.add(live, shadow, segment)
      if (live.account === shadow.account) {
        same += 1
        return
      }
      byLive = added(byLive, live.scores, live.account, shadow.account)
      byShadow = added(byShadow, shadow.scores, live.account, shadow.account)
      const divergence = {
        ...of,
        live: { rule: live.rule, account: live.account },
        shadow: { rule: shadow.rule, account: shadow.account },
      }
      divergences = [...divergences, divergence].slice(-MAX_DIVERGENCES)
    },
    miss: (): void => void (missed += 1),
    tally: (): ShadowTally => ({ same, missed, rerouting: rerouting.report(), byLive, byShadow, divergences }),
  }
}

/** What was counted here and there, together. */
export function mergedShadow(one: ShadowTally, other: ShadowTally): ShadowTally {
  const rerouting = createRerouting()
  rerouting.merge(one.rerouting)
  rerouting.merge(other.rerouting)
  return {
    same: one.same + other.same,
    missed: one.missed + other.missed,
    rerouting: rerouting.report(),
    byLive: together(one.byLive, other.byLive),
    byShadow: together(one.byShadow, other.byShadow),
    divergences: [...one.divergences, ...other.divergences].toSorted((a, b) => a.at - b.at).slice(-MAX_DIVERGENCES),
  }
}

const together = (one: ExpectedSums, other: ExpectedSums): ExpectedSums => ({
  scored: one.scored + other.scored,
  unscored: one.unscored + other.unscored,
  sum: one.sum + other.sum,
})

function added(sums: ExpectedSums, scores: ShadowedDecision["scores"], live: string, shadow: string): ExpectedSums {
  const [before, after] = [scores?.[live], scores?.[shadow]]
  return before === undefined || after === undefined
    ? { ...sums, unscored: sums.unscored + 1 }
    : { ...sums, scored: sums.scored + 1, sum: sums.sum + after - before }
}
