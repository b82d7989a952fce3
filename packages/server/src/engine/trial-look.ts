// What a trial sees of a payment that fell into one of its arms: nothing yet, nothing at all, or what became of it. Pure. The arm is that of
// the payment's hash; who was not decided by that arm's version (it was not in force here yet, or the payment names its account itself)
// is left out, which the hash does not choose. What has no outcome in time counts as not approved.

import { given } from "../core/given.ts"
import type { AccountId, PolicyId, TrialId } from "../core/id.ts"
import type { Outcome } from "../core/outcome.ts"
import type { Attempt, Payment } from "../core/payment.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import type { Experiment, WatchedMetric } from "../routing/evidence.ts"
import { ALL_BPS } from "../routing/policy-share.ts"
import type { Account } from "./engine.ts"
import { feeAt } from "./expected-fee.ts"
import { previousOf } from "./observations.ts"

/** An outcome has this long from the first attempt on (ms): challenges, and providers that answer later. */
export const OUTCOME_WITHIN_MS = 15 * 60_000
/** After this all nodes know a version (ms): what was decided without an attempt does not say by which it was. */
export const KNOWN_EVERYWHERE_MS = 5_000

export type Trial = {
  readonly id: TrialId
  readonly kind: "publication" | "experiment"
  readonly policy: PolicyId
  readonly mode: Payment["mode"]
  readonly experiment: Experiment
  readonly startedAt: number
}

export type Look =
  | { readonly kind: "undecided" | "left_out" | "open" }
  | { readonly kind: "final"; readonly values: Readonly<Partial<Record<WatchedMetric, number>>> }

export function lookAt(
  payment: Payment,
  trial: Trial,
  arm: number,
  now: number,
  accountOf: (id: AccountId) => Account | undefined,
): Look {
  if (payment.mode !== trial.mode || payment.intent.pinnedAccount !== undefined) return { kind: "left_out" }
  const attempts = payment.attempts.toSorted((a, b) => a.ordinal - b.ordinal)
  const [first] = attempts
  if (first === undefined) return withoutAttempt(payment, trial)
  if (!isOf(first.decision, trial, arm)) return { kind: "left_out" }
  const isApproved = attempts.some(({ outcome }) => outcome !== undefined && approves(outcome))
  const isOver = isApproved || payment.closed !== undefined
  if (!isOver && now < first.startedAt + OUTCOME_WITHIN_MS) return { kind: "open" }
  return {
    kind: "final",
    values: given({
      approval: isApproved ? 1 : 0,
      technical_failures: attempts.some(({ outcome }) => outcome !== undefined && isTechnical(outcome)) ? 1 : 0,
      cost: costOf(attempts, first, accountOf),
      latency: isOver ? latencyOf(payment, attempts, first) : now - first.startedAt,
    }),
  }
}

/** A rule declined it, or no account could serve it. */
const UNROUTED: ReadonlySet<string> = new Set(["declined_by_policy", "no_eligible_account"])

function withoutAttempt(payment: Payment, { startedAt }: Trial): Look {
  const { closed, failure } = payment
  if (closed === undefined) return { kind: "undecided" }
  if (failure === undefined || !UNROUTED.has(failure.reason) || closed.at < startedAt + KNOWN_EVERYWHERE_MS)
    return { kind: "left_out" }
  return { kind: "final", values: { approval: 0, technical_failures: 0 } }
}

function isOf(decision: unknown, { id, kind, policy: policyId, experiment }: Trial, arm: number): boolean {
  const policy = (decision as Partial<DecisionRecord> | undefined)?.policy
  const { name, policyVersion, share } = experiment.arms[arm]!
  if (policy?.id !== policyId || policy.version !== policyVersion || policy.share === undefined) return false
  if (policy.share.of === "arm") return policy.share.experiment === id && policy.share.arm === name
  return kind === "publication" && policy.share.bps === Math.round(share * ALL_BPS)
}

const approves = (outcome: Outcome): boolean => outcome.kind === "approved" && outcome.effect !== "prepared"

function isTechnical(outcome: Outcome): boolean {
  switch (outcome.kind) {
    case "unknown":
    case "not_sent":
    case "absent":
      return true
    case "declined":
    case "rejected":
      return previousOf(outcome) === "technical"
    case "approved":
    case "pending":
    case "action":
      return false
    default:
      return outcome satisfies never
  }
}

/** By the fees of all its attempts, as a share of the amount; known only where all of them are. */
function costOf(
  attempts: readonly Attempt[],
  { decision }: Attempt,
  accountOf: (id: AccountId) => Account | undefined,
): number | undefined {
  const context = (decision as Partial<DecisionRecord> | undefined)?.inputs?.context
  if (context === undefined) return undefined
  let sum = 0
  for (const { account, startedAt, outcome } of attempts) {
    const fee = feeAt(accountOf(account), context, startedAt)
    if (fee === undefined) return undefined
    sum += outcome !== undefined && approves(outcome) ? fee.paid : (fee.declined ?? fee.paid)
  }
  return sum
}

/** From the first attempt to the last answer that its customer waited for; with a challenge it is the customer's own time. */
function latencyOf(payment: Payment, attempts: readonly Attempt[], first: Attempt): number | undefined {
  if (attempts.some(({ action }) => action !== undefined)) return undefined
  const waited = new Set(
    attempts.filter(({ startedAt }) => startedAt <= (payment.plan.answerBy ?? Infinity)).map(({ id }) => id),
  )
  const answers = payment.operations.flatMap(({ attempt, kind, settledAt }) =>
    kind === "authorize" && waited.has(attempt) && settledAt !== undefined ? [settledAt] : [],
  )
  return answers.length === 0 ? undefined : Math.max(...answers) - first.startedAt
}
