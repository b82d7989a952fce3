// A version of a policy that decides on live payments without acting: how far it diverges from the one in force, and what
// both expected of the difference by the scores that they recorded. What would have become of the payments that it would have sent elsewhere nobody
// saw: for that there is off-policy.ts.

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

export function createShadowReport() {
  const rerouting = createRerouting()
  const byLive = createExpected()
  const byShadow = createExpected()
  let payments = 0
  let same = 0

  function add(live: ShadowedDecision, shadow: ShadowedDecision, segment: string): void {
    payments += 1
    rerouting.add(live, shadow, segment)
    if (live.account === shadow.account) {
      same += 1
      return
    }
    byLive.add(live.scores, live.account, shadow.account)
    byShadow.add(shadow.scores, live.account, shadow.account)
  }

  return {
    add,
    report: (): ShadowReport => ({
      agreement: payments === 0 ? 1 : same / payments,
      rerouting: rerouting.report(),
      byLiveScores: byLive.report(payments),
      byShadowScores: byShadow.report(payments),
    }),
  }
}

function createExpected() {
  let scored = 0
  let unscored = 0
  let sum = 0
  return {
    add(scores: ShadowedDecision["scores"], live: string, shadow: string): void {
      const [before, after] = [scores?.[live], scores?.[shadow]]
      if (before === undefined || after === undefined) unscored += 1
      else {
        scored += 1
        sum += after - before
      }
    },
    report: (payments: number): ExpectedDifference => ({
      payments: scored,
      ...(scored === 0 ? {} : { perPayment: sum / payments }),
      unscored,
    }),
  }
}
