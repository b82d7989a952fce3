// A policy is a versioned document: ordered rules, the first that matches wins, the last usually matches everything.
// A rule names accounts in the order in which they are tried.

import type { Network } from "../core/card.ts"
import type { OnUnknown } from "../core/intent.ts"
import type { AccountId, PolicyId } from "../core/id.ts"
import type { RetryPlan } from "./retry-plan.ts"

export type Condition = {
  /** ISO 4217. */
  readonly currency?: readonly string[]
  /** ISO 3166-1 alpha-2 of the card's issuer, else of the billing address. */
  readonly country?: readonly string[]
  readonly network?: readonly Network[]
  /** Minor units, both ends included. Meant together with one currency. */
  readonly amount?: { readonly min?: bigint; readonly max?: bigint }
}

export type Rule = {
  readonly name: string
  readonly when: Condition
  readonly accounts: readonly AccountId[]
  /** Where the payment itself does not say; the account's word counts where the rule says nothing either. */
  readonly onUnknown?: OnUnknown
  /** After an attempt that failed; absent: plainRetryPlan. */
  readonly retry?: RetryPlan
}

export type Policy = { readonly id: PolicyId; readonly version: number; readonly rules: readonly Rule[] }

export const MAX_RULES = 100
export const MAX_ACCOUNTS_PER_RULE = 16
