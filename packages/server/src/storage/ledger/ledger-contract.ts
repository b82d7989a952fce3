// What every ledger must do, as one suite: it runs on the in-memory store in simulated time and on a real PostgreSQL.
// A property of only one of them is tested beside it.

import { test } from "node:test"
import { budgets } from "./contract-budget.ts"
import { commits } from "./contract-commit.ts"
import { idempotency } from "./contract-idempotency.ts"
import { inboundWebhooks } from "./contract-inbound.ts"
import { outbox } from "./contract-outbox.ts"
import { finding, recovery } from "./contract-recovery.ts"
import type { Ledger } from "./ledger.ts"

export type LedgerUnderTest = {
  readonly ledger: Ledger
  /** Database time, as the store sees it. */
  readonly now: () => number
  readonly wait: (ms: number) => Promise<void>
  readonly close: () => Promise<void>
}

export type It = (behaviour: string, body: (store: LedgerUnderTest) => Promise<void>) => void

export function ledgerContract(name: string, create: () => Promise<LedgerUnderTest>): void {
  const it: It = (behaviour, body) =>
    void test(`${name}: ${behaviour}`, async () => {
      const store = await create()
      try {
        await body(store)
      } finally {
        await store.close()
      }
    })
  commits(it)
  budgets(it)
  idempotency(it)
  finding(it)
  recovery(it)
  outbox(it)
  inboundWebhooks(it)
}
