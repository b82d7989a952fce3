import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { makeId, type MerchantId } from "../core/id.ts"
import { systemPorts } from "../ports.ts"
import type { Database } from "../storage/database.ts"
import { freshDatabase } from "../../testing/pools.ts"
import { createApiKey, revokeApiKey } from "../storage/resources/api-keys.ts"
import { createMerchant } from "../storage/resources/merchants.ts"
import { createApiKeyCache } from "./api-key-cache.ts"

const { chance } = systemPorts(() => 0, { info: () => {}, warn: () => {}, error: () => {} })
let database: Database
let counted: Database
let merchant: MerchantId
let queries = 0
/** Runs while a query is under way: after it was answered, before its answer arrives. */
let meanwhile = async (): Promise<void> => {}

before(async () => {
  database = (await freshDatabase()).open()
  counted = {
    ...database,
    query: async (statement, values) => {
      queries += 1
      const rows = await database.query(statement, values)
      await meanwhile()
      return rows as never
    },
  }
  merchant = makeId("mer", 1, chance.bytes(16))
  await createMerchant(database, { id: merchant, name: "A shop", settings: {} })
})
after(() => database.close())

async function keyOf() {
  const hash = chance.bytes(32).slice()
  const id = makeId("key", 1, chance.bytes(16))
  const key = await createApiKey(database, {
    id,
    merchant,
    hash,
    hint: "abcd",
    name: "Server",
    mode: "test",
    scopes: ["payments"],
    apiVersion: "2026-11-01",
  })
  return { key, hash }
}

test("a key is read once and known from then on, also when many ask at the same time", async () => {
  const { key, hash } = await keyOf()
  const cache = createApiKeyCache(counted)
  queries = 0
  const found = await Promise.all(Array.from({ length: 5 }, () => cache.find(hash)))
  assert.deepEqual(
    found,
    Array.from({ length: 5 }, () => key),
  )
  assert.deepEqual(await cache.find(hash), key)
  assert.equal(queries, 1)
})

test("a key that does not exist is asked for every time, so that it works once it is made", async () => {
  const cache = createApiKeyCache(counted)
  const hash = chance.bytes(32).slice()
  queries = 0
  assert.equal(await cache.find(hash), undefined)
  assert.equal(await cache.find(hash), undefined)
  assert.equal(queries, 2)
})

test("a revoked key is refused once the change is heard, and other merchants' changes are no matter", async () => {
  const { key, hash } = await keyOf()
  const cache = createApiKeyCache(counted)
  await cache.find(hash)
  await revokeApiKey(database, merchant, key.id)
  queries = 0
  cache.heard({ topic: "api_keys", merchant: makeId("mer", 1, chance.bytes(16)) })
  cache.heard({ topic: "accounts", merchant })
  assert.deepEqual(await cache.find(hash), key)
  assert.equal(queries, 0)
  cache.heard({ topic: "api_keys", merchant })
  assert.equal(await cache.find(hash), undefined)
})

test("a key that is revoked while it is being read does not stay in memory", async () => {
  const { key, hash } = await keyOf()
  const cache = createApiKeyCache(counted)
  meanwhile = async () => {
    meanwhile = async () => {}
    await revokeApiKey(database, merchant, key.id)
    cache.heard({ topic: "api_keys", merchant })
  }
  await cache.find(hash)
  assert.equal(await cache.find(hash), undefined)
})
