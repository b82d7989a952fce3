import { setTimeout as sleep } from "node:timers/promises"
import { ledgerContract } from "./ledger-contract.ts"
import { createPostgresLedger } from "./postgres.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { useOwnCluster } from "../../../testing/database.ts"

useOwnCluster()

ledgerContract("PostgreSQL", async () => {
  const database = (await freshDatabase()).open()
  return {
    ledger: createPostgresLedger(database),
    now: () => Date.now(),
    wait: (ms) => sleep(ms),
    close: () => database.close(),
  }
})
