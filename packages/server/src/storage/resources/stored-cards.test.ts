import assert from "node:assert/strict"
import { after, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { Client } from "pg"
import { freshDatabase } from "../../../testing/database.ts"
import { makeId, type CardId, type CustomerId, type IdPrefix, type PaymentMethodId } from "../../core/id.ts"
import { openDatabase } from "../database.ts"
import type { SealedCard } from "../ledger/ledger.ts"
import { createPostgresLedger } from "../ledger/postgres.ts"
import { findCard, putCard } from "./cards.ts"
import { createCustomer } from "./customers.ts"
import { eraseCustomer } from "./erasure.ts"
import { listEvents } from "./events.ts"
import { createMerchant } from "./merchants.ts"
import { findPaymentMethod } from "./payment-methods.ts"
import { eraseMethod, storeMethod, type NewMethod } from "./stored-cards.ts"

const log = { info: () => {}, warn: () => {}, error: () => {} }
const place = await freshDatabase()
const database = openDatabase({ ...place, log })
after(() => database.close())
const ledger = createPostgresLedger(database)

let now = Date.UTC(2026, 10, 22)
let count = 0
const id = <P extends IdPrefix>(prefix: P) => makeId(prefix, (now += 1), new Uint8Array(16).fill((count += 1) % 256))
const merchant = id("mer")
await createMerchant(database, { id: merchant, name: "Shop", settings: {} })

const newCustomer = async (): Promise<CustomerId> => {
  const customer = id("cus")
  await createCustomer(database, { id: customer, merchant, mode: "test", details: {} })
  return customer
}
const newCard = (): SealedCard => ({
  id: id("tok"),
  merchant,
  fingerprint: "fingerprint",
  keyId: "key",
  sealed: new Uint8Array([1, 2, 3]),
})
const method = (customer: CustomerId, card: CardId): NewMethod => ({
  id: id("pm"),
  merchant,
  mode: "test",
  customer,
  card,
  fingerprint: "fingerprint",
  network: "visa",
  bin: "42424242",
  last4: "4242",
  expiryMonth: 12,
  expiryYear: 2030,
  providerTokens: {},
  consent: {},
  details: { type: "card" },
})
const event = () => ({
  id: id("evt"),
  merchant,
  sequence: 0,
  type: "payment_method.stored",
  data: { mode: "test" },
  at: now,
})
const events = async (): Promise<number> => (await listEvents(database, { merchant }, { limit: 100 })).rows.length

test("a method is stored with its new card and its event", async () => {
  const [customer, card] = [await newCustomer(), newCard()]
  const stored = method(customer, card.id)
  const before = await events()
  assert.equal(await storeMethod(database, stored, { kind: "new", card }, event()), true)
  assert.equal((await findPaymentMethod(database, merchant, stored.id))?.card, card.id)
  assert.deepEqual(await findCard(database, merchant, card.id), card)
  assert.equal(await events(), before + 1)
})

test("a payment's card is kept: it no longer ends with the payment", async () => {
  const [customer, payment] = [await newCustomer(), id("pay")]
  const card = { ...newCard(), payment }
  await putCard(database, card)
  const stored = method(customer, card.id)
  assert.equal(await storeMethod(database, stored, { kind: "kept" }, event()), true)
  assert.equal((await findCard(database, merchant, card.id))?.payment, undefined)
})

test("a method that is stored twice is stored once, with one event", async () => {
  const [customer, card] = [await newCustomer(), newCard()]
  const stored = method(customer, card.id)
  assert.equal(await storeMethod(database, stored, { kind: "new", card }, event()), true)
  const before = await events()
  assert.equal(await storeMethod(database, stored, { kind: "kept" }, event()), false)
  assert.equal(await events(), before)
})

for (const [what, make] of [
  [
    "of an erased customer",
    async () => {
      const customer = await newCustomer()
      await eraseCustomer(database, ledger, merchant, customer)
      const card = newCard()
      return { stored: method(customer, card.id), card: { kind: "new", card } as const }
    },
  ],
  [
    "of a customer of the other mode",
    async () => {
      const card = newCard()
      return {
        stored: { ...method(await newCustomer(), card.id), mode: "live" as const },
        card: { kind: "new", card } as const,
      }
    },
  ],
  [
    "whose card is gone",
    async () => ({ stored: method(await newCustomer(), id("tok")), card: { kind: "kept" } as const }),
  ],
] as const)
  test(`a method ${what} is not stored, and leaves neither card nor event`, async () => {
    const { stored, card } = await make()
    const before = await events()
    assert.equal(await storeMethod(database, stored, card, event()), false)
    assert.equal(await findPaymentMethod(database, merchant, stored.id), undefined)
    assert.equal(await findCard(database, merchant, stored.card as CardId), undefined)
    assert.equal(await events(), before)
  })

test("a card that is stored while its customer is being erased waits for the erasure, and is not stored", async () => {
  const [customer, card] = [await newCustomer(), newCard()]
  const eraser = new Client(place)
  await eraser.connect()
  await eraser.query("begin")
  await eraser.query("update customers set erased_ms = now_ms() where id = $1", [customer])
  const storing = storeMethod(database, method(customer, card.id), { kind: "new", card }, event())
  const waiting =
    "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%insert into payment_methods%'"
  const ended = await Promise.race([storing.then(() => true), untilFound(waiting)])
  await eraser.query("commit")
  await eraser.end()
  assert.equal(ended, false, "it did not wait")
  assert.equal(await storing, false)
  assert.equal(await findCard(database, merchant, card.id), undefined)
})

async function untilFound(query: string): Promise<false> {
  const watcher = new Client(place)
  await watcher.connect()
  for (let tries = 0; tries < 6_000 && (await watcher.query(query)).rowCount === 0; tries++) await sleep(10)
  await watcher.end()
  return false
}

test("an erased method takes its card with it and keeps its row; a second time there is nothing to erase", async () => {
  const [customer, card] = [await newCustomer(), newCard()]
  const stored = method(customer, card.id)
  await storeMethod(database, stored, { kind: "new", card }, event())
  assert.equal(await eraseMethod(database, merchant, stored.id), true)
  assert.equal(await findCard(database, merchant, card.id), undefined)
  const row = await findPaymentMethod(database, merchant, stored.id)
  assert.deepEqual([row?.card, row?.fingerprint, row?.bin, row?.last4], [undefined, undefined, undefined, "4242"])
  assert.equal(await eraseMethod(database, merchant, stored.id), false)
  assert.equal(await eraseMethod(database, merchant, id("pm") as PaymentMethodId), false)
})
