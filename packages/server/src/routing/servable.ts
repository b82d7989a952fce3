// What an account can serve, as a condition: the part of `excludes` (decide.ts) that a policy's author could see coming.

import { type Condition } from "./conditions/condition.ts"
import type { Candidate } from "./decide.ts"

export function servable(account: Candidate): Condition {
  const { currencies, networks, tokenNetworks = networks } = account
  return {
    all: [
      ...(currencies === "all" ? [] : [oneOf("currency", currencies)]),
      {
        any: [
          ...(account.card ? [{ all: [method("card"), network(networks)] }] : []),
          ...(account.networkToken ? [{ all: [method("network_token"), network(tokenNetworks)] }] : []),
          { all: [method("provider_token"), network(networks)] },
        ],
      },
      ...(account.zeroAmount ? [] : [{ field: "amount", op: "gt", value: 0 } as const]),
      ...(account.externalThreeDs ? [] : [{ field: "three_ds.mode", op: "not_equals", value: "external" } as const]),
      ...(account.merchantInitiated ? [] : [{ field: "initiator.by", op: "equals", value: "customer" } as const]),
    ],
  }
}

const method = (value: string): Condition => ({ field: "method.type", op: "equals", value })

/** A payment whose network nobody knows is not turned away for it. */
const network = (networks: readonly string[]): Condition => ({
  any: [{ not: { field: "card.network", op: "exists" } }, oneOf("card.network", networks)],
})

const oneOf = (field: string, value: readonly string[]): Condition =>
  value.length === 0 ? { any: [] } : { field, op: "in", value }
