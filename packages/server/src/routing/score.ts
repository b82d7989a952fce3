// From what was read of every account to one comparable score each, with all its parts beside it.

import type { Scored } from "./choose.ts"
import { feeShare } from "./cost.ts"
import { WELL, type AccountReading, type Readings, type Worth } from "./readings.ts"
import type { Objective } from "./strategy.ts"
import { sigmoid } from "./signals/approval.ts"

/** Two-sided 90 % intervals: what is shown, and what decides whether exploration can still pay. */
const Z = 1.645
/** Nothing is known: an ordinary approval rate, and no idea how far it is from the truth. */
export const UNKNOWN_WORTH: Worth = { logit: 1.73, sd: 0.5, n: 0, gap: 0.5, factor: 1, latencyMs: 1_000, price: 0 }

/** One entry per account, in their order. */
export function scoreAll(accounts: readonly string[], readings: Readings, objective: Objective): Scored[] {
  const read = accounts.map((account) => readings.accounts[account] ?? WELL)
  const scored = accounts.map((account, i) => scoreOne(account, read[i]!, objective))
  const best = bestScore(scored)
  const margin = marginOf(objective)
  return scored.map((one, i) => {
    if (i === best) return one
    const slope = one.paid * (1 - one.paid) * one.healthFactor * margin
    const { gap } = read[i]!.worth ?? UNKNOWN_WORTH
    return { ...one, benefit: one.score + Z * gap * slope - scored[best]!.score }
  })
}

export function bestScore(scored: readonly Scored[]): number {
  let best = -1
  for (let i = 0; i < scored.length; i++) if (best < 0 || scored[i]!.score > scored[best]!.score) best = i
  return best
}

export function scoreOne(
  account: string,
  { state, share, probeDue, worth }: AccountReading,
  objective: Objective,
): Scored {
  const { logit, sd, n, factor, latencyMs, price, cost: fee = 0, declinedCost: lost = fee } = worth ?? UNKNOWN_WORTH
  const paid = sigmoid(logit)
  const isApproval = objective.kind === "approval"
  const cost = isApproval ? 0 : lost === fee ? fee : feeShare({ share: fee, declinedShare: lost }, paid)
  const latencyPrice = isApproval ? 0 : (latencyMs / 1_000) * objective.perSecond
  return {
    account,
    paid,
    paidLow: sigmoid(logit - Z * sd),
    paidHigh: sigmoid(logit + Z * sd),
    n,
    cost,
    latencyMs,
    latencyPrice,
    commitmentPrice: price,
    state,
    healthFactor: factor,
    healthShare: share,
    probeDue,
    score: paid * factor * marginOf(objective) - cost - latencyPrice + price,
    benefit: 0,
  }
}

const marginOf = (objective: Objective): number => (objective.kind === "approval" ? 1 : objective.margin)
