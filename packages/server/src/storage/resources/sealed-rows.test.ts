import assert from "node:assert/strict"
import { test } from "node:test"
import type { SealedStore } from "../../vault/rewrap.ts"
import type { Database } from "../database.ts"
import { sampleId } from "../ledger/sample.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { createAccount, findAccount } from "./accounts.ts"
import { putCard } from "./cards.ts"
import { createMerchant } from "./merchants.ts"
import { SCAN_ROWS, sealedTables, type SealedRow } from "./sealed-rows.ts"
import { createWebhookEndpoint, rotateWebhookSecret, webhookSecrets } from "./webhook-endpoints.ts"

const bytes = (n: number): Uint8Array => Uint8Array.of(n & 255, n >> 8)

async function storesOf(database: Database): Promise<Record<string, SealedStore>> {
  return Object.fromEntries(sealedTables(database).map((store) => [store.table, store]))
}

/** What the vault's rewrapping does, with a batch of any size. */
async function rewrapAll(store: SealedStore, batch: number): Promise<number> {
  let moved = 0
  let after: Pick<SealedRow, "merchant" | "id"> | undefined
  for (;;) {
    const rows = await store.sealedUnderOthers("new", after, batch)
    for (const row of rows) if (await store.replaceSealed(row, { keyId: "new", sealed: row.sealed })) moved += 1
    if (rows.length < batch) return moved
    after = rows.at(-1)
  }
}

test("rewrapping reaches every card once, in bounded steps, past all that need nothing", async () => {
  const database = (await freshDatabase()).open()
  const { cards } = await storesOf(database)
  assert.ok(cards)
  const merchants = [sampleId("mer", 1), sampleId("mer", 2)]
  for (const [m, merchant] of merchants.entries())
    for (let i = 0; i < 5; i++)
      await putCard(database, {
        id: sampleId("tok", 1),
        merchant,
        fingerprint: "f",
        keyId: i % 2 === 0 ? "old" : "new",
        sealed: bytes(m * 10 + i),
      })
  // Thousands that are done already stand between.
  await database.query({
    name: "",
    text: `insert into cards (merchant_id, id, fingerprint, key_id, sealed)
      select '${merchants[0]}', 'tok_z' || n, 'f', 'new', '' from generate_series(1, ${SCAN_ROWS + 100}) n`,
  })
  assert.equal(await rewrapAll(cards, 2), 6)
  assert.deepEqual(await cards.sealedUnderOthers("new", undefined, 10), [])
  await database.close()
})

test("a row that was changed or deleted meanwhile is not overwritten", async () => {
  const database = (await freshDatabase()).open()
  const { accounts } = await storesOf(database)
  assert.ok(accounts)
  const merchant = sampleId("mer", 1)
  await createMerchant(database, { id: merchant, name: "m", settings: {} })
  const account = sampleId("acc", 1)
  await createAccount(database, {
    id: account,
    merchant,
    mode: "test",
    connector: "c",
    name: "n",
    state: "enabled",
    settings: {},
    keyId: "old",
    sealed: bytes(1),
  })
  const [row] = await accounts.sealedUnderOthers("new", undefined, 10)
  assert.deepEqual(row, { merchant, id: account, keyId: "old", sealed: bytes(1) })
  assert.equal(await accounts.replaceSealed({ ...row, sealed: bytes(2) }, { keyId: "new", sealed: bytes(3) }), false)
  assert.equal(await accounts.replaceSealed(row, { keyId: "new", sealed: bytes(3) }), true)
  const stored = await findAccount(database, merchant, account)
  assert.deepEqual([stored?.keyId, stored?.sealed, stored?.version], ["new", bytes(3), 1])
  await database.close()
})

test("both secrets of an endpoint are reached, whatever the batch", async () => {
  const database = (await freshDatabase()).open()
  const { webhook_endpoints: secrets } = await storesOf(database)
  assert.ok(secrets)
  const merchant = sampleId("mer", 1)
  await createMerchant(database, { id: merchant, name: "m", settings: {} })
  for (let i = 0; i < 3; i++) {
    const id = sampleId("whe", 1)
    await createWebhookEndpoint(
      database,
      { id, merchant, mode: "test", url: "", description: "", eventTypes: [], apiVersion: "", state: "enabled" },
      { keyId: "old", sealed: bytes(i) },
    )
    await rotateWebhookSecret(database, merchant, id, { keyId: "old", sealed: bytes(100 + i) }, 9_000_000_000_000)
    if (i === 2) assert.equal((await webhookSecrets(database, merchant, id)).length, 2)
  }
  assert.equal(await rewrapAll(secrets, 1), 6)
  await database.close()
})
