// Policies of the simulated merchant: none, or one rule for everything, of every strategy, sometimes with caps that are
// reached after a few payments.

import type { AccountId, PolicyId } from "../src/core/id.ts"
import type { Policy } from "../src/routing/policy.ts"
import type { Strategy } from "../src/routing/strategy.ts"
import type { World } from "./world.ts"

export function drawPolicy(world: World, ids: readonly AccountId[]): Policy | undefined {
  const kind = world.pick(["none", "none", "ordered", "split", "optimize", "optimize"] as const)
  if (kind === "none") return undefined
  world.note(`policy: ${kind}`)
  const accounts = shuffled(world, ids)
  const capped = world.chance(0.2) ? world.pick(accounts) : undefined
  return {
    id: "pol_0" as PolicyId,
    version: 1,
    rules: [{ name: "everything", when: { all: [] }, strategy: strategyOf(world, kind, accounts) }],
    ...(capped === undefined ? {} : { commitments: [{ account: capped, maxVolume: world.int(1, 4) }] }),
  }
}

function strategyOf(world: World, kind: Strategy["kind"], accounts: readonly AccountId[]): Strategy {
  if (kind === "ordered") return { kind, accounts }
  if (kind === "split") return { kind, shares: accounts.map((account) => ({ account, share: world.int(1, 60) })) }
  return {
    kind,
    accounts,
    // Far more than anybody would allow: these worlds are small.
    exploration: world.pick([0, 0.5, 1]),
    objective: world.chance(0.5) ? { kind: "approval" } : { kind: "expected_value", margin: 0.2, perSecond: 0.000_1 },
  }
}

function shuffled<T>(world: World, items: readonly T[]): readonly T[] {
  const left = [...items]
  return items.map(() => left.splice(world.int(0, left.length - 1), 1)[0]!)
}
