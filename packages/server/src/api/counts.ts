// What this process has counted since it started, for its metrics. Bounded by what is counted: accounts that exist, and
// a few words.

import type { AccountId } from "../core/id.ts"
import type { Account } from "../engine/engine.ts"

export type WebhookVerdict = "accepted" | "duplicate" | "forged" | "stale"

export type Counts = {
  webhook(account: Account, verdict: WebhookVerdict): void
  webhooks(account: Account, verdict: WebhookVerdict): number
  /** Every count with its labels. */
  all(): readonly {
    readonly name: "inbound_webhooks"
    readonly labels: { readonly account: AccountId; readonly connector: string; readonly verdict: WebhookVerdict }
    readonly value: number
  }[]
}

export function createCounts(): Counts {
  const webhooks = new Map<string, { readonly account: Account; readonly verdict: WebhookVerdict; value: number }>()
  const keyOf = (account: Account, verdict: WebhookVerdict): string => `${account.id} ${verdict}`
  return {
    webhook: (account, verdict) => {
      const known = webhooks.get(keyOf(account, verdict))
      if (known === undefined) webhooks.set(keyOf(account, verdict), { account, verdict, value: 1 })
      else known.value += 1
    },
    webhooks: (account, verdict) => webhooks.get(keyOf(account, verdict))?.value ?? 0,
    all: () =>
      [...webhooks.values()].map(({ account, verdict, value }) => ({
        name: "inbound_webhooks",
        labels: { account: account.id, connector: account.connector.manifest.id, verdict },
        value,
      })),
  }
}
