import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import type { CustomerId, MerchantId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { createPostgresLedger } from "../ledger/postgres.ts"
import {
  AWKWARD,
  changing,
  inserting,
  sampleCard,
  sampleEvent,
  sampleId,
  sampleKey,
  samplePayment,
  sampleTranscript,
} from "../ledger/sample.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { findCard, keepCard, putCard } from "./cards.ts"
import { createCustomer, findCustomer, listCustomers, updateCustomer, type CustomerRow } from "./customers.ts"
import { eraseCustomer } from "./erasure.ts"
import { createMerchant } from "./merchants.ts"
import {
  findByFingerprint,
  findPaymentMethod,
  keepProviderToken,
  listPaymentMethods,
  updatePaymentMethod,
  type PaymentMethodRow,
} from "./payment-methods.ts"
import { eraseMethod, storeMethod } from "./stored-cards.ts"
import { listTranscripts } from "./transcripts.ts"

let database: Database
let merchant: MerchantId
before(async () => {
  database = (await freshDatabase()).open()
  merchant = sampleId("mer", Date.now())
  await createMerchant(database, { id: merchant, name: "m", settings: {} })
})
after(() => database.close())

const details = { name: AWKWARD, address: { city: "Ålborg" }, metadata: { $a: "1" } }
async function newCustomer(change: Partial<CustomerRow> = {}): Promise<CustomerRow> {
  const id = sampleId("cus", Date.now())
  const created = await createCustomer(database, { id, merchant, mode: "test", details, ...change })
  assert.ok(created)
  return created
}

async function newMethod(customer: CustomerId, change: Partial<PaymentMethodRow> = {}): Promise<PaymentMethodRow> {
  const card = { ...sampleCard(samplePayment(Date.now(), { merchant }), Date.now()), payment: undefined }
  const { payment: _payment, ...stored } = card
  const id = sampleId("pm", Date.now())
  const method = {
    id,
    merchant,
    mode: "test",
    customer,
    card: stored.id,
    fingerprint: "f1",
    network: "visa",
    bin: "424242",
    last4: "4242",
    expiryMonth: 12,
    expiryYear: 2031,
    providerTokens: {},
    consent: { at: 1, text: AWKWARD },
    details: { holderName: AWKWARD },
    ...change,
  } as const
  const event = sampleEvent(samplePayment(Date.now(), { merchant }), Date.now(), { type: "payment_method.stored" })
  const brings = change.card === undefined ? ({ kind: "new", card: stored } as const) : ({ kind: "kept" } as const)
  assert.equal(await storeMethod(database, method, brings, event), true)
  const row = await findPaymentMethod(database, merchant, id)
  assert.ok(row)
  return row
}

test("a customer is found as it was created", async () => {
  const created = await newCustomer({ email: "Zoe@Example.com", reference: "c-1" })
  assert.deepEqual(await findCustomer(database, merchant, created.id), created)
  assert.deepEqual(created.details, details)
  assert.equal(await findCustomer(database, sampleId("mer", 0), created.id), undefined)
})

test("a reference belongs to one customer of a mode", async () => {
  const one = await newCustomer({ reference: "taken" })
  assert.equal(
    await createCustomer(database, { id: sampleId("cus", 0), merchant, mode: "test", reference: "taken", details }),
    undefined,
  )
  const live = await newCustomer({ reference: "taken", mode: "live" })
  assert.equal(live.reference, "taken")
  const other = await newCustomer()
  assert.deepEqual(await updateCustomer(database, merchant, other.id, 1, { reference: "taken" }), { kind: "taken" })
  const freed = await updateCustomer(database, merchant, one.id, 1, { reference: null })
  assert.ok(freed.kind === "edited" && freed.row.reference === undefined)
  assert.equal((await updateCustomer(database, merchant, other.id, 1, { reference: "taken" })).kind, "edited")
})

test("customers are listed by pages, newest first, and by email without regard to case", async () => {
  const own = sampleId("mer", Date.now())
  await createMerchant(database, { id: own, name: "m", settings: {} })
  const made: CustomerId[] = []
  for (let i = 0; i < 5; i++) made.push((await newCustomer({ merchant: own, email: `User${i % 2}@X.org` })).id)
  const filter = { merchant: own, mode: "test" as const }
  const first = await listCustomers(database, filter, { limit: 3 })
  assert.ok(first.next)
  const second = await listCustomers(database, filter, { limit: 3, cursor: first.next })
  assert.equal(second.next, undefined)
  assert.deepEqual(
    [...first.rows, ...second.rows].map((c) => c.id),
    made.toSorted().toReversed(),
  )
  const found = await listCustomers(database, { ...filter, email: "user1@x.org" }, { limit: 10 })
  assert.equal(found.rows.length, 2)
  assert.deepEqual((await listCustomers(database, filter, { limit: 10, cursor: "bm9uc2Vuc2U" })).rows.length, 5)
})

test("a payment method is found whole, listed with its customer, and known by its number", async () => {
  const customer = await newCustomer()
  const created = await newMethod(customer.id, { networkTransactionId: "nt", source: sampleId("acc", 0) })
  assert.deepEqual(await findPaymentMethod(database, merchant, created.id), created)
  assert.deepEqual((await listPaymentMethods(database, merchant, customer.id, { limit: 10 })).rows, [created])
  assert.deepEqual(await findByFingerprint(database, merchant, customer.id, "f1"), created)
  assert.equal(await findByFingerprint(database, merchant, customer.id, "f2"), undefined)
  assert.equal(await findByFingerprint(database, merchant, sampleId("cus", 0), "f1"), undefined)
})

test("tokens of several accounts gather, also when they are learned at once", async () => {
  const method = await newMethod((await newCustomer()).id)
  const accounts = Array.from({ length: 5 }, () => sampleId("acc", Date.now()))
  await Promise.all(
    accounts.map((account) => keepProviderToken(database, merchant, method.id, account, { token: account })),
  )
  const stored = await findPaymentMethod(database, merchant, method.id)
  assert.deepEqual(Object.keys(stored?.providerTokens ?? {}).toSorted(), accounts.toSorted())
  assert.equal(
    await keepProviderToken(database, merchant, sampleId("pm", 0), sampleId("acc", 0), { token: "t" }),
    false,
  )
})

test("an edit of a payment method needs the version that was seen", async () => {
  const method = await newMethod((await newCustomer()).id)
  const edit = await updatePaymentMethod(database, merchant, method.id, 1, { expiryYear: 2035 })
  assert.ok(edit.kind === "edited" && edit.row.expiryYear === 2035 && edit.row.expiryMonth === 12)
  assert.deepEqual(await updatePaymentMethod(database, merchant, method.id, 1, {}), { kind: "stale", row: edit.row })
})

test("an erased method takes its card with it, once, and keeps nothing that could be charged", async () => {
  const method = await newMethod((await newCustomer()).id)
  assert.ok(method.card !== undefined && (await findCard(database, merchant, method.card)) !== undefined)
  assert.equal(await eraseMethod(database, merchant, method.id), true)
  assert.equal(await eraseMethod(database, merchant, method.id), false)
  assert.equal(await findCard(database, merchant, method.card), undefined)
  const stored = await findPaymentMethod(database, merchant, method.id)
  assert.ok(stored?.erasedAt)
  assert.deepEqual([stored.card, stored.fingerprint, stored.providerTokens], [undefined, undefined, {}])
  assert.deepEqual((await listPaymentMethods(database, merchant, method.customer, { limit: 10 })).rows, [])
})

test("a one-off card becomes a stored one by losing its payment", async () => {
  const card = sampleCard(samplePayment(Date.now(), { merchant }), Date.now())
  await putCard(database, card)
  assert.deepEqual(await findCard(database, merchant, card.id), card)
  assert.equal(await keepCard(database, merchant, card.id), true)
  assert.equal((await findCard(database, merchant, card.id))?.payment, undefined)
  assert.equal(await keepCard(database, merchant, sampleId("tok", 0)), false)
})

test("erasing a customer leaves no trace of the person in any table, and every amount", async () => {
  const ledger = createPostgresLedger(database)
  const person = "Erika Mustermann"
  const customer = await newCustomer({ email: `${person}@x.org`, details: { name: person } })
  const card = { ...sampleCard(samplePayment(Date.now(), { merchant }), Date.now()), payment: undefined }
  const { payment: _payment, ...stored } = card
  await putCard(database, stored)
  const method = await newMethod(customer.id, { card: card.id, details: { holderName: person } })
  const sample = samplePayment(Date.now(), { merchant })
  const payment = {
    ...sample,
    intent: {
      ...sample.intent,
      ...(sample.intent.method?.type === "card" ? { method: { ...sample.intent.method, holderName: person } } : {}),
      customerId: customer.id,
      customer: { name: person },
      billing: { name: person, address: { line1: person } },
      shipping: { name: person },
    },
  }
  const key = sampleKey(payment, "erase")
  await ledger.commit(
    inserting(payment, {
      take: { ...key, response: { status: 201, body: `{"name":"${person}"}` } },
      transcripts: [{ ...sampleTranscript(payment, Date.now()), request: { method: "POST", path: "/", body: person } }],
    }),
  )

  assert.deepEqual(await eraseCustomer(database, ledger, merchant, customer.id), { paymentMethods: 1, payments: 1 })
  assert.deepEqual(await mentions(person), [])
  const after = await ledger.load(merchant, payment.id)
  const { customer: _c, billing: _b, shipping: _s, method: _m, ...intent } = payment.intent
  assert.deepEqual({ ...after?.intent, method: undefined }, { ...intent, method: undefined })
  assert.equal(after?.intent.method?.type === "card" && after.intent.method.last4, "4242")
  assert.deepEqual([after?.requested, after?.attempts.length, after?.version], [1_250n, 1, 2])
  assert.equal(await findCard(database, merchant, card.id), undefined)
  assert.ok((await findPaymentMethod(database, merchant, method.id))?.erasedAt)
  assert.deepEqual(await listTranscripts(database, merchant, payment.id), [])
  const kept = await ledger.idempotency(key)
  assert.deepEqual({ ...kept, leaseUntil: 0 }, { ...key, leaseUntil: 0 }, "the key stays taken")
  assert.ok(kept !== undefined && kept.leaseUntil <= Date.now(), "and nobody works on it")

  // A commit that was decided on the old value does not bring the person back.
  assert.deepEqual(await ledger.commit(changing(payment, {})), { kind: "conflict" })
  assert.deepEqual(await eraseCustomer(database, ledger, merchant, customer.id), { paymentMethods: 1, payments: 1 })
  assert.equal((await ledger.load(merchant, payment.id))?.version, 2)
  assert.equal(await eraseCustomer(database, ledger, merchant, sampleId("cus", 0)), undefined)
})

/** Tables in which the text stands anywhere. */
async function mentions(text: string): Promise<readonly string[]> {
  const once = (sql: string): Statement => ({ name: "", text: sql })
  const tables = await database.query<{ name: string }>(
    once(`select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`),
  )
  const found: string[] = []
  for (const { name } of tables) {
    const rows = await database.query(once(`select 1 from ${name} t where t::text like '%${text}%' limit 1`))
    if (rows.length > 0) found.push(name)
  }
  return found
}
