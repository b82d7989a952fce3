// A stored payment as evidence for a backtest: what its first attempt was decided by, with which chances, and what became of
// it; and the draft, asked about the same payment. First attempts only: what follows depends on how the first one ended.

import { given } from "../core/given.ts"
import type { AccountId } from "../core/id.ts"
import type { Attempt, Payment } from "../core/payment.ts"
import { expectedFee, type FeeModel } from "../routing/cost.ts"
import { feePayment } from "./expected-fee.ts"
import { decide, ROUTER_VERSION, type Candidate, type DecisionRecord, type RoutingContext } from "../routing/decide.ts"
import { certainly, type DraftDecision, type StoredDecision } from "../routing/evidence/backtest.ts"
import type { DecisionEvidence, Propensities } from "../routing/evidence/decision-evidence.ts"
import type { Policy } from "../routing/policy.ts"

/** What the record kept beside the payment's own facts. */
export type Kept = Pick<DecisionRecord["inputs"], "accounts" | "capped" | "readings">
export type BacktestRecord = StoredDecision<RoutingContext, Kept>

/** Why a payment is no record: such are counted by reason. */
export type NoRecord = "no_attempt" | "no_inputs" | "other_router"

/** What stands in the place of a rule's name where none decided. */
const NO_RULE = "(no rule)"

export function recordOf(
  payment: Payment,
  feesOf: (account: AccountId) => FeeModel | undefined,
): BacktestRecord | { readonly none: NoRecord } {
  const attempt = payment.attempts.find(
    ({ ordinal }) => ordinal === Math.min(...payment.attempts.map((a) => a.ordinal)),
  )
  if (attempt === undefined) return { none: "no_attempt" }
  const record = attempt.decision as Partial<DecisionRecord> | undefined
  if (record?.inputs === undefined) return { none: "no_inputs" }
  if (record.router !== ROUTER_VERSION) return { none: "other_router" }
  const { context, ...kept } = record.inputs
  return {
    context,
    candidates: kept,
    rule: record.rule?.name ?? NO_RULE,
    segment: `${context.network ?? "–"} ${context.country ?? "–"}`,
    account: attempt.account,
    propensities: chancesOf(record as DecisionRecord),
    values: valuesOf(payment, attempt, context, feesOf(attempt.account)),
  }
}

/** Outcomes that are not known for certain are none: what a person has to find out is no evidence. */
function valuesOf(
  payment: Payment,
  attempt: Attempt,
  context: RoutingContext,
  fees: FeeModel | undefined,
): DecisionEvidence["values"] {
  const operation = payment.operations.find(({ attempt: of, kind }) => of === attempt.id && kind === "authorize")
  const state = operation?.state
  const approval =
    state === "succeeded" ? 1 : state === "failed" || state === "absent" || state === "not_sent" ? 0 : undefined
  const fee = expectedFee(fees, feePayment(context), { at: attempt.startedAt })
  const cost =
    approval === undefined || fee.kind === "unknown" ? undefined : approval === 1 ? fee.share : fee.declinedShare
  // With a challenge it is the customer's time that is measured.
  const latency =
    operation?.settledAt === undefined || operation.sentAt === undefined || attempt.action !== undefined
      ? undefined
      : operation.settledAt - operation.sentAt
  return given({ approval, cost, latency })
}

/**
 * By the very function that decides live payments. Accounts are those that the record kept; one that only the draft names
 * was not looked at then, and is taken as it is now.
 */
export function draftDecider(
  policy: Policy,
  now: readonly Candidate[],
): (context: RoutingContext, kept: Kept) => DraftDecision {
  return (context, { accounts, capped, readings }) => {
    const known = new Set(accounts.map(({ id }) => id))
    const all = [...accounts, ...now.filter(({ id }) => !known.has(id))]
    const { record } = decide(policy, all, context, capped, readings)
    // What no rule weighed then cannot be weighed now: the draft would choose by numbers that nobody had.
    if (record.scores?.some(({ account }) => readings.accounts[account]?.worth === undefined) === true)
      return { kind: "impossible", why: "not_scored" }
    return { kind: "decided", rule: record.rule?.name ?? NO_RULE, propensities: chancesOf(record) }
  }
}

/** As they were, or would have been, before the dice; no account at all is no attempt. */
const chancesOf = ({ chosen, propensities }: DecisionRecord): Propensities =>
  chosen.length === 0 ? certainly(undefined) : propensities
