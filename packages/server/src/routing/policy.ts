// A policy is a versioned document: ordered rules, the first that matches wins, the last usually matches everything.
// A rule says which accounts are tried, or that none is.

import type { OnUnknown } from "../core/intent.ts"
import type { AccountId, ExperimentId, PolicyId } from "../core/id.ts"
import type { Commitment } from "./commitment.ts"
import type { Condition } from "./conditions/condition.ts"
import type { RetryPlan } from "./retry-plan.ts"
import type { Strategy } from "./strategy.ts"

export type Rule = {
  readonly name: string
  readonly when: Condition
  readonly strategy: RuleStrategy
  /** 3-D Secure is asked for where the payment leaves it open. */
  readonly requireThreeDs?: true
  /** `planOf` says what follows without it, and where it names nothing. */
  readonly retry?: RetryPlan
  /** Where the payment itself does not say; the account's word counts where the rule says nothing either. */
  readonly onUnknown?: OnUnknown
}

/** `decline`: no attempt is made. */
export type RuleStrategy = Strategy | { readonly kind: "decline"; readonly reason: string }

/** What an author writes, and storage keeps. */
export type PolicyDocument = {
  readonly rules: readonly Rule[]
  /** Accounts that are never tried for such payments, whatever the rule says. */
  readonly never?: readonly NeverRoute[]
  /** Per calendar month (UTC), across all rules. */
  readonly commitments?: readonly AccountCommitment[]
}
export type NeverRoute = { readonly account: AccountId; readonly when: Condition }
export type AccountCommitment = Commitment & { readonly account: AccountId }

export type Policy = PolicyDocument & {
  readonly id: PolicyId
  readonly version: number
  /** Where two versions are in force at once: this one's part of all payments. */
  readonly share?: PolicyShare
}
/**
 * `candidate`: the version that is being published to a share; `active`: the one beside it; `arm`: of an experiment. Of 10,000
 * payments.
 */
export type PolicyShare =
  | { readonly of: "active" | "candidate"; readonly bps: number }
  | { readonly of: "arm"; readonly bps: number; readonly experiment: ExperimentId; readonly arm: string }

export const MAX_RULES = 1_000
export const MAX_ACCOUNTS_PER_RULE = 64
export const MAX_NEVER_ROUTES = 200
export const MAX_COMMITMENTS = 64
export const MAX_RULE_NAME = 100
export const MAX_DECLINE_REASON = 200

/** The accounts that a rule names, in its order. */
export function accountsOf(strategy: RuleStrategy): readonly AccountId[] {
  switch (strategy.kind) {
    case "ordered":
    case "optimize":
      return strategy.accounts as readonly AccountId[]
    case "split":
      return strategy.shares.map(({ account }) => account as AccountId)
    case "decline":
      return []
    default:
      return strategy satisfies never
  }
}
