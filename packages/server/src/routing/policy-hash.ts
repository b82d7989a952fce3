// The name of what a policy's version says, by which a decision's record can tell that it is replayed with the very rules
// that it was made by. Versions never change; a database that was edited by hand does.

import { createHash } from "node:crypto"
import type { Policy } from "./policy.ts"

/** It is asked for with every payment, and the engine keeps one value of a policy as long as it is in force. */
const known = new WeakMap<Policy, string>()

export function policyHash(policy: Policy): string {
  const before = known.get(policy)
  if (before !== undefined) return before
  const { rules, never, commitments } = policy
  const hash = createHash("sha256").update(JSON.stringify({ rules, never, commitments }, canonical)).digest("base64url")
  known.set(policy, hash)
  return hash
}

/** Fields in order, amounts as text. */
function canonical(_name: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
