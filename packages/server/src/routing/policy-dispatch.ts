// A policy as routing asks it: which rule a payment meets first, and where it must never go. Compiled once for each value of a
// policy; the engine keeps one value as long as a version is in force.

import type { AccountId } from "../core/id.ts"
import { compileFirst, compileTrue, type Dispatch, type Predicate } from "./conditions/compile.ts"
import type { Policy } from "./policy.ts"
import type { RoutingContext } from "./routing-context.ts"

export type CompiledPolicy = {
  readonly first: Dispatch
  readonly never: ReadonlyMap<AccountId, Predicate>
}

const known = new WeakMap<object, CompiledPolicy>()

export function compilePolicy(policy: Pick<Policy, "rules" | "never">): CompiledPolicy {
  const before = known.get(policy)
  if (before !== undefined) return before
  const never = Map.groupBy(policy.never ?? [], ({ account }) => account)
  const compiled: CompiledPolicy = {
    first: compileFirst(policy.rules.map(({ when }) => when)),
    never: new Map(
      [...never].map(([account, routes]) => [account, compileTrue({ any: routes.map((one) => one.when) })]),
    ),
  }
  known.set(policy, compiled)
  return compiled
}

/** The index of the first rule that matches, or −1. */
export const ruleFor = (policy: Policy, context: RoutingContext): number => compilePolicy(policy).first(context)

export const isNever = (policy: Policy, account: AccountId, context: RoutingContext): boolean =>
  compilePolicy(policy).never.get(account)?.(context) ?? false
