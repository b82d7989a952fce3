// What a policy's conditions ask for beyond the facts that every payment brings, so that only this much is gathered, and
// stands in the record of the decision: whole metadata would make it long.

import type { AccountId } from "../../core/id.ts"
import type { Policy } from "../policy.ts"
import { comparisonsOf, type Condition } from "./condition.ts"
import { fieldOf } from "./fields.ts"

export type Reads = { readonly metadata: readonly string[]; readonly accounts: readonly AccountId[] }

const known = new WeakMap<object, Reads>()

export function readsOf(policy: Pick<Policy, "rules" | "never">): Reads {
  const before = known.get(policy)
  if (before !== undefined) return before
  const reads = readsIn([...policy.rules.map(({ when }) => when), ...(policy.never ?? []).map(({ when }) => when)])
  known.set(policy, reads)
  return reads
}

function readsIn(conditions: readonly Condition[]): Reads {
  const metadata = new Set<string>()
  const accounts = new Set<AccountId>()
  for (const condition of conditions)
    for (const { field } of comparisonsOf(condition)) {
      const found = fieldOf(field)
      if (found?.spec.parameter === "metadata key") metadata.add(found.parameter!)
      if (found?.spec.parameter === "account") accounts.add(found.parameter as AccountId)
    }
  return { metadata: [...metadata], accounts: [...accounts] }
}
