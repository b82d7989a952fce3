// From what the signals read to one comparable score per account, with all its parts beside it.

import type { Scored } from "./choose.ts"
import type { Objective } from "./strategy.ts"
import { sigmoid, type ApprovalReading } from "./signals/approval.ts"
import type { HealthReading } from "./signals/health.ts"

/** Two-sided 90 % intervals: what is shown, and what decides whether exploration can still pay. */
const Z = 1.645

export type ScoreInput = {
  readonly accounts: readonly string[]
  /** Indices of the accounts that may serve the payment. */
  readonly eligible: readonly number[]
  readonly approval: ApprovalReading
  readonly health: readonly HealthReading[]
  /** As shares of the amount. */
  readonly costs: readonly number[]
  readonly latenciesMs: readonly number[]
  readonly prices: readonly number[]
  readonly objective: Objective
}

/** One entry per eligible account, in the order of `eligible`. */
export function scoreAll(input: ScoreInput): Scored[] {
  const { eligible, approval, objective } = input
  const scored = eligible.map((account, i) => scoreOne(input, account, i))
  let best = -1
  for (let i = 0; i < scored.length; i++) if (best < 0 || scored[i]!.score > scored[best]!.score) best = i
  const margin = objective.kind === "approval" ? 1 : objective.margin
  return scored.map((one, i) => {
    if (i === best) return one
    const sd = gapSd(approval, eligible[i]!, eligible[best]!)
    const slope = one.paid * (1 - one.paid) * one.healthFactor * margin
    return { ...one, benefit: one.score + Z * sd * slope - scored[best]!.score }
  })
}

function scoreOne(input: ScoreInput, account: number, i: number): Scored {
  const { approval, objective } = input
  const health = input.health[i]!
  const logit = approval.logit[account]!
  const size = approval.logit.length
  const spread = Math.sqrt(
    approval.local[account]! + (1 - approval.own[account]!) ** 2 * approval.shared[account * size + account]!,
  )
  const paid = sigmoid(logit)
  const cost = objective.kind === "approval" ? 0 : input.costs[i]!
  const latencyMs = input.latenciesMs[i]!
  const latencyPrice = objective.kind === "approval" ? 0 : (latencyMs / 1_000) * objective.perSecond
  const margin = objective.kind === "approval" ? 1 : objective.margin
  const commitmentPrice = input.prices[i]!
  return {
    account: input.accounts[account]!,
    paid,
    paidLow: sigmoid(logit - Z * spread),
    paidHigh: sigmoid(logit + Z * spread),
    n: approval.n[account]!,
    cost,
    latencyMs,
    latencyPrice,
    commitmentPrice,
    state: health.state,
    healthFactor: health.factor,
    healthShare: health.share,
    probeDue: health.probeDue,
    score: paid * health.factor * margin - cost - latencyPrice + commitmentPrice,
    benefit: 0,
  }
}

/** Of the difference of two accounts' logits on this leaf: what both share of their uncertainty cancels. */
function gapSd({ local, own, shared }: ApprovalReading, a: number, b: number): number {
  const size = local.length
  const ra = 1 - own[a]!
  const rb = 1 - own[b]!
  const common = ra * ra * shared[a * size + a]! + rb * rb * shared[b * size + b]! - 2 * ra * rb * shared[a * size + b]!
  return Math.sqrt(Math.max(0, local[a]! + local[b]! + common))
}
