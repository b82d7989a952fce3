import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import type { AccountId, MerchantId } from "../../core/id.ts"
import type { Database } from "../database.ts"
import { sampleId } from "../ledger/sample.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import {
  createAccount,
  findAccount,
  findAccountById,
  listAccounts,
  updateAccount,
  type AccountRow,
} from "./accounts.ts"
import { createApiKey, findApiKey, listApiKeys, noteApiKeyUses, revokeApiKey } from "./api-keys.ts"
import { createMerchant, findMerchant, listMerchants, updateMerchant } from "./merchants.ts"

let database: Database
before(async () => {
  database = (await freshDatabase()).open()
})
after(() => database.close())

async function newMerchant(): Promise<MerchantId> {
  const id = sampleId("mer", Date.now())
  await createMerchant(database, { id, name: "Zoë's", settings: { limits: { perDay: 10n } } })
  return id
}

const account = (merchant: MerchantId, change: Partial<AccountRow> = {}): Parameters<typeof createAccount>[1] => ({
  id: sampleId("acc", Date.now()),
  merchant,
  mode: "test",
  connector: "stripe",
  name: "Stripe EU",
  state: "enabled",
  settings: { statementDescriptor: "SHOP" },
  keyId: "key-1",
  sealed: Uint8Array.of(1, 0, 255),
  ...change,
})

test("a merchant is found as it was created, and edited only on the version that was seen", async () => {
  const id = await newMerchant()
  const merchant = await findMerchant(database, id)
  assert.deepEqual(merchant?.settings, { limits: { perDay: 10n } })
  assert.equal(merchant.version, 1)
  const first = await updateMerchant(database, id, 1, { name: "Zoë" })
  assert.ok(first.kind === "edited" && first.row.version === 2 && first.row.name === "Zoë")
  assert.deepEqual(first.row.settings, merchant.settings)
  assert.deepEqual(await updateMerchant(database, id, 1, { name: "late" }), { kind: "stale", row: first.row })
  assert.deepEqual(await updateMerchant(database, sampleId("mer", 0), 1, {}), { kind: "missing" })
  assert.ok((await listMerchants(database)).some((m) => m.id === id))
})

test("an account keeps its secrets sealed, byte by byte", async () => {
  const merchant = await newMerchant()
  const created = await createAccount(database, account(merchant))
  assert.deepEqual(await findAccount(database, merchant, created.id), created)
  assert.deepEqual(created.sealed, Uint8Array.of(1, 0, 255))
  assert.deepEqual(created.settings, { statementDescriptor: "SHOP" })
})

test("a webhook finds its account without knowing the merchant; a merchant does not see another's", async () => {
  const [mine, theirs] = [await newMerchant(), await newMerchant()]
  const { id } = await createAccount(database, account(mine))
  assert.equal((await findAccountById(database, id))?.merchant, mine)
  assert.equal(await findAccount(database, theirs, id), undefined)
  assert.equal(await findAccountById(database, sampleId("acc", 0)), undefined)
})

test("accounts are listed in the order of their creation", async () => {
  const merchant = await newMerchant()
  const ids: AccountId[] = []
  for (let i = 0; i < 3; i++) ids.push((await createAccount(database, account(merchant))).id)
  assert.deepEqual(
    (await listAccounts(database, merchant)).map((a) => a.id),
    ids.toSorted(),
  )
  const everybody = new Set((await listAccounts(database)).map((a) => a.id))
  assert.ok(ids.every((id) => everybody.has(id)))
})

test("of two people who edit one account at once, one is told that it has changed", async () => {
  const merchant = await newMerchant()
  const created = await createAccount(database, account(merchant))
  const edits = await Promise.all([
    updateAccount(database, merchant, created.id, 1, { state: "draining" }),
    updateAccount(database, merchant, created.id, 1, { secrets: { keyId: "key-2", sealed: Uint8Array.of(9) } }),
  ])
  assert.deepEqual(edits.map((e) => e.kind).toSorted(), ["edited", "stale"])
  const stored = await findAccount(database, merchant, created.id)
  assert.equal(stored?.version, 2)
  const winner = edits.find((e) => e.kind === "edited")
  assert.deepEqual(stored, winner?.kind === "edited" ? winner.row : undefined)
})

test("an API key is found by its hash, revoked once, and never forgotten", async () => {
  const merchant = await newMerchant()
  const hash = Uint8Array.of(...Array.from({ length: 32 }, (_, i) => i), merchant.charCodeAt(28))
  const key = {
    id: sampleId("key", Date.now()),
    merchant,
    name: "shop",
    hint: "x9Qz",
    mode: "test" as const,
    scopes: ["payments:write", "payments:read"],
    apiVersion: "2026-11-01",
  }
  const created = await createApiKey(database, { ...key, hash })
  assert.deepEqual(await findApiKey(database, hash), created)
  assert.equal(await findApiKey(database, Uint8Array.of(0)), undefined)
  const revoked = await revokeApiKey(database, merchant, key.id)
  assert.ok(revoked?.revokedAt)
  assert.deepEqual(await revokeApiKey(database, merchant, key.id), revoked)
  assert.deepEqual(await findApiKey(database, hash), revoked)
  assert.equal(await revokeApiKey(database, sampleId("mer", 0), key.id), undefined)
  assert.deepEqual(await listApiKeys(database, merchant), [revoked])
})

test("uses of many keys are noted at once, and an old note does not set a key back", async () => {
  const merchant = await newMerchant()
  const ids = [1, 2].map(() => sampleId("key", Date.now()))
  for (const [i, id] of ids.entries())
    await createApiKey(database, {
      id,
      merchant,
      name: "",
      hint: "",
      mode: "live",
      scopes: [],
      apiVersion: "",
      hash: Uint8Array.of(7, i),
    })
  await noteApiKeyUses(
    database,
    ids.map((id, i) => ({ merchant, id, at: 1_000 + i })),
  )
  await noteApiKeyUses(
    database,
    ids.map((id) => ({ merchant, id, at: 1_000 })),
  )
  const keys = await listApiKeys(database, merchant)
  assert.deepEqual(
    keys.map((key) => key.lastUsedAt ?? 0).toSorted((a, b) => a - b),
    [1_000, 1_001],
  )
})
