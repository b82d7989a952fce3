// A stored decision, made again from what its record holds, whatever has become of the accounts since. Of the policy the
// record holds id, version and hash: versions are kept for ever, and the caller brings that one.

import { decide, ROUTER_VERSION, type Decision, type DecisionRecord } from "./decide.ts"
import { policyHash } from "./policy-hash.ts"
import type { Policy } from "./policy.ts"

export type Replayed =
  | { readonly kind: "replayed"; readonly decision: Decision }
  | {
      readonly kind: "impossible"
      /** Made by another version of the router; by other rules than those that were brought; or before inputs were kept. */
      readonly why: "other_router" | "other_policy" | "no_inputs"
    }

/** Its `chosen` and `excluded` are those of the record, which may have been added to when later attempts were made. */
export function replay(record: DecisionRecord, policy: Policy | undefined): Replayed {
  const { router, inputs } = record as Partial<DecisionRecord>
  if (router !== ROUTER_VERSION) return { kind: "impossible", why: "other_router" }
  if (inputs === undefined) return { kind: "impossible", why: "no_inputs" }
  const hash = policy === undefined ? undefined : policyHash(policy)
  if (hash !== record.policy?.hash) return { kind: "impossible", why: "other_policy" }
  const { accounts, context, capped, readings } = inputs
  return { kind: "replayed", decision: decide(withShare(policy, record), accounts, context, capped, readings) }
}

/** Which part of the payments the version had when it decided is the record's to know. */
function withShare(policy: Policy | undefined, { policy: recorded }: DecisionRecord): Policy | undefined {
  if (policy === undefined || policy.share === recorded?.share) return policy
  const { share: _now, ...version } = policy
  return recorded?.share === undefined ? version : { ...version, share: recorded.share }
}
