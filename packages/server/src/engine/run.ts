// One process working on one payment's plan: what it knows, and which accounts are open to it.

import type { AccountId, MerchantId, PaymentId } from "../core/id.ts"
import type { OnUnknown } from "../core/intent.ts"
import type { Attempt, Operation, Payment, Skipped } from "../core/payment.ts"
import type { DecisionRecord, Exclusion } from "../routing/decide.ts"
import type { RetryPlan } from "../routing/retry-plan.ts"
import type { Request } from "./change.ts"
import { MAX_ATTEMPTS, type Account, type Engine, type Secrets } from "./engine.ts"

export type Run = {
  readonly engine: Engine
  readonly merchant: MerchantId
  readonly id: PaymentId
  readonly secrets: Secrets
  readonly request: Request | undefined
  readonly answerBy: number
  readonly decision: DecisionRecord
  /** The policy's word, where it has one. */
  readonly onUnknown: OnUnknown | undefined
  /** What the policy wants after an attempt that failed. */
  readonly retry: RetryPlan
  /** Accounts not tried yet, in order. */
  rest: readonly Account[]
  payment: Payment
  /** The commit that carries the answer is under way. */
  finishing: boolean
  /** The answer was given before the plan was over. */
  late: boolean
  /** The commit that carried the answer was of unknown fate for a while. */
  uncertain: boolean
  cryptogramSpent: boolean
  /** It goes on with a plan that waited, as this owner; undefined once a commit has said so. */
  resumes: string | undefined
}

export type Current = { readonly account: Account; readonly attempt: Attempt; readonly operation: Operation }

/** Why no attempt is made at an account, whenever it were, if there is a reason. */
function excluded(run: Run, id: AccountId): Exclusion | undefined {
  if (run.cryptogramSpent) return "cryptogram_spent"
  if (run.payment.attempts.length >= MAX_ATTEMPTS) return "too_many_attempts"
  const state = run.engine.directory.account(id)?.state ?? "unknown_account"
  return state === "enabled" ? undefined : state
}

/** Why no attempt is made at an account now, if there is a reason. */
function hindrance(run: Run, account: Account): Exclusion | undefined {
  const reason = excluded(run, account.id)
  if (reason !== undefined) return reason
  return run.engine.clock.now() + account.limits.answerMs > run.answerBy ? "no_time" : undefined
}

/** There is another account with time for a full answer and all it needs. */
export const hasCandidate = (run: Run): boolean => run.rest.some((account) => hindrance(run, account) === undefined)

/** Accounts that another attempt may go to: those that were not tried first, then those that were, in the policy's order. */
export function open(run: Run): readonly { readonly account: Account; readonly tried: boolean }[] {
  const rest = run.rest.map((account) => ({ account, tried: false }))
  const tried = run.decision.chosen.flatMap((id) => {
    const account = run.rest.some((a) => a.id === id) ? undefined : run.engine.directory.account(id)
    return account === undefined ? [] : [{ account, tried: true }]
  })
  return [...rest, ...tried].filter(({ account }) => excluded(run, account.id) === undefined)
}

/** Of those that were not tried, what stands against them now. */
export const skippedOf = (run: Run, accounts: readonly Account[] = run.rest): readonly ExcludedAccount[] =>
  accounts.flatMap((account) => {
    const reason = hindrance(run, account)
    return reason === undefined ? [] : [{ account: account.id, reason }]
  })
type ExcludedAccount = Skipped & DecisionRecord["excluded"][number]

/** The plan's decision as it stands for a later attempt, with the accounts that were passed over on the way to it. */
export function decisionFor(run: Run, next: AccountId): DecisionRecord {
  const before = run.rest.findIndex(({ id }) => id === next)
  return {
    ...run.decision,
    excluded: [...run.decision.excluded, ...skippedOf(run, run.rest.slice(0, Math.max(0, before)))],
  }
}
