// A stored payment as evidence for a backtest: what its first attempt was decided by, with which chances, and what became of
// it; and the draft, asked about the same payment. First attempts only: what follows depends on how the first one ended.

import { given } from "../core/given.ts"
import type { AccountId } from "../core/id.ts"
import type { Attempt, Payment } from "../core/payment.ts"
import { decide, ROUTER_VERSION, type Candidate, type DecisionRecord, type RoutingContext } from "../routing/decide.ts"
import { liveAccountsOf } from "../routing/conditions/live.ts"
import { certainly, type DraftDecision, type StoredDecision } from "../routing/evidence/backtest.ts"
import type { DecisionEvidence, Propensities } from "../routing/evidence/decision-evidence.ts"
import type { Policy } from "../routing/policy.ts"
import type { Account } from "./engine.ts"
import { feeAt } from "./expected-fee.ts"

/** Beside the context: accounts, caps and readings, as the record kept them. */
type Kept = DecisionRecord["inputs"]
export type BacktestRecord = StoredDecision<RoutingContext, Kept>

/** Why a payment is no record: such are counted by reason. */
export type NoRecord = "no_attempt" | "no_inputs" | "other_router" | "another_account"

/** What stands in the place of a rule's name where none decided. */
export const NO_RULE = "(no rule)"

export function recordOf(
  payment: Payment,
  accountOf: (id: AccountId) => Account | undefined,
): BacktestRecord | { readonly none: NoRecord } {
  const attempt = payment.attempts.find(
    ({ ordinal }) => ordinal === Math.min(...payment.attempts.map((a) => a.ordinal)),
  )
  if (attempt === undefined) return { none: "no_attempt" }
  const record = attempt.decision as Partial<DecisionRecord> | undefined
  if (record?.inputs === undefined) return { none: "no_inputs" }
  if (record.router !== ROUTER_VERSION) return { none: "other_router" }
  // Where something else than the dice led there (the first choice could not be reached in time), its chance is not known.
  if (!((record.propensities?.[attempt.account] ?? 0) > 0)) return { none: "another_account" }
  // The record kept only what its own policy asked of the metadata; a draft may ask for more.
  const context = { ...record.inputs.context, metadata: payment.intent.metadata }
  return {
    context,
    candidates: record.inputs,
    rule: record.rule?.name ?? NO_RULE,
    segment: `${context.network ?? "–"} ${context.country ?? "–"}`,
    account: attempt.account,
    propensities: record.propensities ?? {},
    values: valuesOf(payment, attempt, context, accountOf(attempt.account)),
  }
}

/** Outcomes that are not known for certain are none: what a person has to find out is no evidence. */
function valuesOf(
  payment: Payment,
  attempt: Attempt,
  context: RoutingContext,
  account: Account | undefined,
): DecisionEvidence["values"] {
  const operation = payment.operations.find(({ attempt: of, kind }) => of === attempt.id && kind === "authorize")
  const state = operation?.state
  const approval =
    state === "succeeded" ? 1 : state === "failed" || state === "absent" || state === "not_sent" ? 0 : undefined
  const fee = feeAt(account, context, attempt.startedAt)
  const cost = approval === undefined || fee === undefined ? undefined : approval === 1 ? fee.paid : fee.declined
  // With a challenge it is the customer's time that is measured.
  const latency =
    operation?.settledAt === undefined || operation.sentAt === undefined || attempt.action !== undefined
      ? undefined
      : operation.settledAt - operation.sentAt
  return given({ approval, cost, latency })
}

/** Why a draft cannot be asked about a record. */
const NO_WORTH = "no_worth"
const NO_LIVE = "no_live_readings"

/**
 * By the very function that decides live payments, with what was read then. An account that only the draft names was not
 * looked at: it is taken as it is now, as well, and with nothing known of it. Where the draft asks for what was not read at
 * all (a rule that optimizes, of decisions that did not; a condition on an account's health), it cannot be asked.
 */
export function draftDecider(
  policy: Policy,
  now: readonly Candidate[],
): (context: RoutingContext, kept: Kept) => DraftDecision {
  const asked = liveAccountsOf(policy)
  return (context, { accounts, capped, readings }) => {
    if (asked.some((id) => context.live?.[id] === undefined)) return { kind: "impossible", why: NO_LIVE }
    const known = new Set(accounts.map(({ id }) => id))
    const all = [...accounts, ...now.filter(({ id }) => !known.has(id))]
    const { record } = decide(policy, all, context, capped, readings)
    const isWeighed = Object.values(readings.accounts).some(({ worth }) => worth !== undefined)
    if (record.scores !== undefined && record.chosen.length > 1 && !isWeighed)
      return { kind: "impossible", why: NO_WORTH }
    return { kind: "decided", rule: record.rule?.name ?? NO_RULE, propensities: chancesOf(record) }
  }
}

/** No account at all, or a rule that declines, is no attempt. */
const chancesOf = ({ chosen, propensities }: DecisionRecord): Propensities =>
  chosen.length === 0 ? certainly(undefined) : propensities
