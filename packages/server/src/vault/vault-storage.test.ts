// The vault against the database it hides things from.

import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { makeId, type AccountId, type MerchantId } from "../core/id.ts"
import { secret } from "../core/secret.ts"
import { systemPorts } from "../ports.ts"
import type { Database } from "../storage/database.ts"
import { createPostgresLedger } from "../storage/ledger/postgres.ts"
import { inserting, samplePayment } from "../storage/ledger/sample.ts"
import { freshDatabase } from "../../testing/pools.ts"
import { createAccount, findAccount } from "../storage/resources/accounts.ts"
import { deleteCard, findCard, putCard } from "../storage/resources/cards.ts"
import { createMerchant } from "../storage/resources/merchants.ts"
import { findRequestKey, takeRequestKey } from "../storage/resources/request-keys.ts"
import { sealedTables } from "../storage/resources/sealed-rows.ts"
import { createWebhookEndpoint, rotateWebhookSecret, webhookSecrets } from "../storage/resources/webhook-endpoints.ts"
import { createCardReader } from "./card-reader.ts"
import { proveKeys } from "./key-proof.ts"
import { parseKeyRing } from "./key-ring.ts"
import { rewrapAll, type RewrapProgress } from "./rewrap.ts"
import { createVault, type Vault } from "./vault.ts"

const ports = systemPorts(() => 0, { info: () => {}, warn: () => {}, error: () => {} })
const key = (fill: number): string => Buffer.alloc(32, fill).toString("base64")
const vaultOf = (...keys: readonly string[]): Vault =>
  createVault(parseKeyRing([...keys, `fingerprint:${key(250)}`].join(",")), ports)
const old = vaultOf(`k1:${key(1)}`)
const during = vaultOf(`k2:${key(2)}`, `k1:${key(1)}`)
const alone = vaultOf(`k2:${key(2)}`)

const PAN = "4111111111111111"
const CREDENTIAL = "sk_live_keep_this_to_yourself"
const fresh = (): Uint8Array => ports.chance.bytes(16)
const bytes = (text: string) => secret(Buffer.from(text))

let database: Database
let merchant: MerchantId
before(async () => {
  database = (await freshDatabase()).open()
  merchant = makeId("mer", 1, fresh())
  await createMerchant(database, { id: merchant, name: "A shop", settings: {} })
})
after(() => database.close())

const readerOf = (vault: Vault) => createCardReader(vault, { card: (owner, token) => findCard(database, owner, token) })

test("a card is stored with its payment, read by its token, and gone once it is deleted", async () => {
  const payment = samplePayment(Date.now(), { merchant })
  const card = old.sealCard(merchant, { number: secret(PAN) })
  const stored = { ...card, payment: payment.id }
  await createPostgresLedger(database).commit(inserting(payment, { card: stored }))
  const reader = readerOf(old)
  assert.equal((await reader.read(merchant, { token: card.id }))?.reveal(), PAN)
  const stranger = makeId("mer", 2, fresh())
  assert.equal(await reader.read(stranger, { token: card.id }), undefined)
  await deleteCard(database, merchant, card.id)
  assert.equal(await reader.read(merchant, { token: card.id }), undefined)
})

test("a card row that was copied to another merchant in the database does not open there", async () => {
  const card = old.sealCard(merchant, { number: secret(PAN) })
  const thief = makeId("mer", 3, fresh())
  await createMerchant(database, { id: thief, name: "Another shop", settings: {} })
  await putCard(database, { ...card, merchant: thief })
  await assert.rejects(readerOf(old).read(thief, { token: card.id }), /was changed, or was sealed for another place/)
})

test("after a rotation every kind of row is moved, opens with the new key alone, and nothing else has changed", async () => {
  const cards = Array.from({ length: 450 }, () => old.sealCard(merchant, { number: secret(PAN) }))
  for (const card of cards) await putCard(database, card)
  const account: AccountId = makeId("acc", 1, fresh())
  const made = await createAccount(database, {
    id: account,
    merchant,
    mode: "test",
    connector: "checkout",
    name: "",
    state: "enabled",
    settings: {},
    ...old.seal("accounts", merchant, account, bytes(CREDENTIAL)),
  })
  const endpoint = makeId("whe", 1, fresh())
  const about = { url: "https://a.example", description: "", eventTypes: ["*"], apiVersion: "2026-11-01" }
  const whe = { id: endpoint, merchant, mode: "test", state: "enabled", ...about } as const
  await createWebhookEndpoint(database, whe, old.seal("webhook_endpoints", merchant, endpoint, bytes("one")))
  const next = old.seal("webhook_endpoints", merchant, endpoint, bytes("two"))
  await rotateWebhookSecret(database, merchant, endpoint, next, Date.now() + 3_600_000)

  const customer = makeId("cus", 1, fresh())
  await takeRequestKey(
    database,
    { merchant, mode: "test", method: "POST", path: "/v1/customers", key: "k" },
    {
      fingerprint: "f",
      resource: customer,
      leaseMs: 0,
      keptMs: 3_600_000,
      value: old.seal("request_keys", merchant, customer, bytes("answer")),
    },
  )

  const reports: RewrapProgress[] = []
  const quick = { ...ports, clock: { ...ports.clock, sleep: async () => {} } }
  await rewrapAll(during, sealedTables(database), quick, (progress) => reports.push(progress))
  const moved = (table: string): number =>
    reports.filter((one) => one.table === table && one.done).reduce((sum, one) => sum + one.rewrapped, 0)
  assert.ok(moved("cards") >= cards.length)
  assert.deepEqual([moved("accounts"), moved("webhook_endpoints"), moved("request_keys")], [1, 2, 1])
  assert.deepEqual(
    (await rewrapAll(during, sealedTables(database), quick)).map((one) => [one.rewrapped, one.passed]),
    [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 0],
    ],
  )

  const reader = readerOf(alone)
  for (const card of cards) assert.equal((await reader.read(merchant, { token: card.id }))?.reveal(), PAN)
  const row = await findAccount(database, merchant, account)
  assert.equal(
    Buffer.from(alone.open("accounts", merchant, account, row?.sealed ?? new Uint8Array()).reveal()).toString(),
    CREDENTIAL,
  )
  assert.deepEqual([row?.version, row?.keyId], [made.version, "k2"])
  const secrets = await webhookSecrets(database, merchant, endpoint)
  assert.deepEqual(
    secrets.map(({ sealed }) =>
      Buffer.from(alone.open("webhook_endpoints", merchant, endpoint, sealed).reveal()).toString(),
    ),
    ["two", "one"],
  )
  const kept = await findRequestKey(database, { merchant, resource: customer })
  const answer = alone.open("request_keys", merchant, customer, kept?.sealed ?? new Uint8Array())
  assert.equal(Buffer.from(answer.reveal()).toString(), "answer")
})

test("no table of the database contains the card number or the credential, in text, hex or base64", async () => {
  const tables = await database.query<{ name: string }>({
    name: "all-tables",
    text: "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'public'",
  })
  assert.ok(tables.length > 15)
  let rows = 0
  for (const { name } of tables) {
    const found = await database.query<{ text: string }>({
      name: `dump ${name}`,
      text: `select t::text as text from ${name} t`,
    })
    rows += found.length
    const all = found.map(({ text }) => text).join("\n")
    for (const hidden of [PAN, CREDENTIAL])
      for (const encoding of ["utf8", "hex", "base64"] as const) {
        const text = Buffer.from(hidden).toString(encoding).replace(/=+$/, "").slice(0, -2)
        assert.ok(!all.includes(text), `${name} contains it in ${encoding}`)
      }
  }
  assert.ok(rows > 450)
})

test("a process whose keys open nothing is told so, and one whose keys open something is not", async () => {
  const own = (await freshDatabase()).open()
  const stores = sealedTables(own)
  await proveKeys(alone, stores)
  const shop = makeId("mer", 3, fresh())
  await createMerchant(own, { id: shop, name: "A shop", settings: {} })
  const add = async (vault: Vault): Promise<void> => {
    const id: AccountId = makeId("acc", 1, fresh())
    const sealed = vault.seal("accounts", shop, id, bytes(CREDENTIAL))
    const account = { id, merchant: shop, mode: "test", connector: "stripe", name: "S", state: "enabled" } as const
    await createAccount(own, { ...account, settings: {}, ...sealed })
  }
  await add(old)
  await proveKeys(old, stores)
  await proveKeys(during, stores)
  // Another key, and another one of the same name.
  for (const stranger of [alone, vaultOf(`k1:${key(9)}`)])
    await assert.rejects(proveKeys(stranger, stores), { code: "foreign_keys" })
  await add(alone)
  await proveKeys(alone, stores)
  await own.close()
})
