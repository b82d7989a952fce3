import assert from "node:assert/strict"
import { test } from "node:test"
import { useOwnCluster } from "../../../testing/database.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { makeId, type AccountId, type MerchantId } from "../../core/id.ts"
import { listEvents } from "./events.ts"
import { createPostgresSignals } from "./signal-store-postgres.ts"
import { signalStoreContract } from "./signal-store-contract.ts"

useOwnCluster()

signalStoreContract("PostgreSQL", async () => {
  const database = (await freshDatabase()).open()
  return { store: createPostgresSignals(database), close: () => database.close() }
})

test("a change of health that is told to the merchant is an event of the outbox, once", async () => {
  const database = (await freshDatabase()).open()
  try {
    const store = createPostgresSignals(database)
    const merchant = "mer_0" as MerchantId
    const told = (end: number) =>
      store.noteHealth({
        merchant,
        mode: "test",
        id: makeId("rch", 1_800_000_000_000 + end, new Uint8Array(16).fill(end)),
        account: "acc_a" as AccountId,
        scope: "all",
        from: "healthy",
        to: "ejected",
        at: 1_800_000_000_000 + end,
        document: {},
        event: {
          id: makeId("evt", 1_800_000_000_000 + end, new Uint8Array(16).fill(end)),
          type: "account.ejected",
          data: { mode: "test", account: "acc_a" },
        },
      })
    assert.deepEqual([await told(1), await told(2)], [true, false])
    const { rows } = await listEvents(database, { merchant, mode: "test" }, { limit: 10 })
    assert.deepEqual(
      rows.map(({ type, data }) => [type, data]),
      [["account.ejected", { mode: "test", account: "acc_a" }]],
    )
  } finally {
    await database.close()
  }
})
