import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import type { MerchantId, PaymentId } from "../../core/id.ts"
import type { Payment } from "../../core/payment.ts"
import type { Currency } from "../../core/money.ts"
import type { Database } from "../database.ts"
import { createPostgresLedger } from "../ledger/postgres.ts"
import {
  AWKWARD,
  changing,
  inserting,
  sampleAttempt,
  sampleEvent,
  sampleId,
  sampleOperation,
  samplePayment,
  sampleTranscript,
} from "../ledger/sample.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { findEvent, listEvents } from "./events.ts"
import { loadPayments, SCAN_ROWS, searchPayments, type PaymentFilter } from "./payments.ts"
import { listTranscripts } from "./transcripts.ts"

let database: Database
before(async () => {
  database = (await freshDatabase()).open()
})
after(() => database.close())

async function store(payment: Payment): Promise<Payment> {
  await createPostgresLedger(database).commit(inserting(payment))
  return payment
}

const ids = async (filter: PaymentFilter, limit = 100): Promise<readonly PaymentId[]> =>
  (await searchPayments(database, filter, { limit })).rows.map((payment) => payment.id)

test("payments are listed whole, newest first, page after page, also while new ones come", async () => {
  const merchant = sampleId("mer", Date.now())
  const stored: Payment[] = []
  for (let i = 0; i < 7; i++) stored.push(await store(samplePayment(Date.now() + i, { merchant })))
  await store(samplePayment(Date.now(), { merchant, mode: "live" }))
  await store(samplePayment(Date.now()))
  const filter = { merchant, mode: "test" as const }
  const first = await searchPayments(database, filter, { limit: 3 })
  await store(samplePayment(Date.now() + 1_000, { merchant }))
  const second = await searchPayments(database, filter, { limit: 3, cursor: first.next ?? "" })
  const third = await searchPayments(database, filter, { limit: 3, cursor: second.next ?? "" })
  assert.equal(third.next, undefined)
  assert.deepEqual([...first.rows, ...second.rows, ...third.rows], stored.toReversed())
})

test("each filter finds what it says and nothing else, alone and together", async () => {
  const merchant = sampleId("mer", Date.now())
  const now = Date.now()
  const plain = await store(samplePayment(now, { merchant }))
  const sample = samplePayment(now + 1_000, { merchant, requested: 99_000n })
  const account = sampleId("acc", now)
  const attempts = [
    sampleAttempt(account, now, {
      connector: "adyen",
      state: "declined",
      outcome: { kind: "declined", reason: "insufficient_funds", raw: { code: "51" }, evidence: {} },
    }),
    sampleAttempt(sampleId("acc", now), now, { ordinal: 2, connector: "checkout", state: "held", authorized: 99_000n }),
  ]
  const special = await store({
    ...sample,
    attempts,
    operations: attempts.map((attempt) => sampleOperation(attempt, { state: "failed" })),
    intent: {
      ...sample.intent,
      amount: { minor: 99_000n, currency: "USD" as Currency },
      method: {
        ...sample.intent.method,
        type: "card",
        bin: "555555",
        last4: "0007",
        network: "mastercard",
      } as Payment["intent"]["method"] & object,
      customerId: sampleId("cus", now),
      merchantReference: AWKWARD,
      metadata: { $order: "17", shop: AWKWARD },
    },
  })
  const filter = { merchant, mode: "test" as const }
  assert.deepEqual(await ids(filter), [special.id, plain.id])
  const only: Omit<PaymentFilter, "merchant" | "mode">[] = [
    { statuses: ["authorized", "expired"] },
    { currency: "USD" },
    { minAmount: 1_251n },
    { minAmount: 99_000n, maxAmount: 99_000n },
    { createdFrom: now + 500 },
    { createdFrom: now + 1_000, createdUntil: now + 1_001 },
    { customer: special.intent.customerId ?? sampleId("cus", 0) },
    { merchantReference: AWKWARD },
    { last4: "0007" },
    { bin: "5555" },
    { network: "mastercard" },
    { connector: "adyen" },
    { account, connector: "adyen" },
    { reason: "insufficient_funds" },
    { metadata: { $order: "17" } },
    { metadata: { shop: AWKWARD, $order: "17" } },
  ]
  for (const condition of only)
    assert.deepEqual(
      await ids({ ...filter, ...condition }),
      [special.id],
      JSON.stringify(condition, (_k, v: unknown) => String(v)),
    )
  assert.deepEqual(await ids(only.reduce<PaymentFilter>((all, one) => ({ ...all, ...one }), filter)), [special.id])
  for (const none of [
    { statuses: ["captured"] as const },
    { createdUntil: now - 60_000 },
    { account, connector: "checkout" },
    { metadata: { $order: "18" } },
    { metadata: { order: "17" } },
    { maxAmount: 1n },
    { bin: "%" },
  ])
    assert.deepEqual(await ids({ ...filter, ...none }), [])
  assert.deepEqual(await ids({ ...filter, maxAmount: 1_250n }), [plain.id])
})

test("a rare match behind many payments is found by going on, and no page looks at more than its share", async () => {
  const merchant = sampleId("mer", Date.now())
  const rare = await store(samplePayment(Date.now() - 1_000_000, { merchant, requested: 77n }))
  await insertMany(merchant, SCAN_ROWS + 10)
  const filter = { merchant, mode: "test" as const, maxAmount: 77n }
  const first = await searchPayments(database, filter, { limit: 10 })
  assert.deepEqual(first.rows, [])
  assert.ok(first.next)
  const second = await searchPayments(database, filter, { limit: 10, cursor: first.next })
  assert.deepEqual(
    second.rows.map((p) => p.id),
    [rare.id],
  )
  assert.equal(second.next, undefined)
})

test("payments are loaded in the order that was asked for, without those that do not exist", async () => {
  const merchant = sampleId("mer", Date.now())
  const [a, b] = [
    await store(samplePayment(Date.now(), { merchant })),
    await store(samplePayment(Date.now(), { merchant })),
  ]
  assert.deepEqual(await loadPayments(database, merchant, [b.id, sampleId("pay", 0), a.id]), [b, a])
  assert.deepEqual(await loadPayments(database, sampleId("mer", 0), [a.id]), [])
})

test("a payment's timeline and a merchant's stream come newest first, by type if asked", async () => {
  const ledger = createPostgresLedger(database)
  const payment = samplePayment(Date.now())
  const { merchant } = payment
  const other = samplePayment(Date.now() + 5, { merchant })
  const created = sampleEvent(payment, Date.now() + 1)
  const changed = sampleEvent(payment, Date.now() + 2, { type: "payment.changed" })
  const foreign = sampleEvent(other, Date.now() + 6)
  await ledger.commit(inserting(payment, { events: [created] }))
  await ledger.commit(changing(payment, {}, { events: [changed] }))
  await ledger.commit(inserting(other, { events: [foreign] }))
  assert.deepEqual((await listEvents(database, { merchant }, { limit: 10 })).rows, [foreign, changed, created])
  assert.deepEqual((await listEvents(database, { merchant, payment: payment.id }, { limit: 10 })).rows, [
    changed,
    created,
  ])
  assert.deepEqual((await listEvents(database, { merchant, types: ["payment.changed"] }, { limit: 10 })).rows, [
    changed,
  ])
  const first = await listEvents(database, { merchant, payment: payment.id }, { limit: 1 })
  const second = await listEvents(database, { merchant, payment: payment.id }, { limit: 1, cursor: first.next ?? "" })
  assert.deepEqual([...first.rows, ...second.rows], [changed, created])
  assert.equal(second.next, undefined)
  assert.deepEqual(await findEvent(database, merchant, created.id), created)
  assert.equal(await findEvent(database, sampleId("mer", 0), created.id), undefined)
})

test("transcripts of a payment come in the order in which they were stored", async () => {
  const ledger = createPostgresLedger(database)
  const payment = samplePayment(Date.now())
  const [one, two, three] = [3, 1, 2].map((ms) => ({ ...sampleTranscript(payment, Date.now()), durationMs: ms }))
  assert.ok(one && two && three)
  await ledger.commit(inserting(payment, { transcripts: [one, two] }))
  await ledger.commit(changing(payment, {}, { transcripts: [three] }))
  assert.deepEqual(await listTranscripts(database, payment.merchant, payment.id), [one, two, three])
})

/** Narrow copies of a sample, made by the database itself: only their number matters. */
async function insertMany(merchant: MerchantId, count: number): Promise<void> {
  const sample = await store(samplePayment(Date.now() - 500_000, { merchant }))
  await database.query({
    name: "",
    text: `insert into payments
      select merchant_id, 'pay_' || lpad(upper(to_hex(n)), 26, '0') collate "C", version, mode, status, currency, requested, authorized, captured,
        refunded, disputed, reason, connector, account_id, created_ms, updated_ms, customer_id, merchant_reference,
        network, bin, last4, metadata, intent, rest
      from payments, generate_series(1, ${count}) n where merchant_id = '${merchant}' and id = '${sample.id}'`,
  })
  await database.query({
    name: "",
    text: `update payments set id = 'pay_7' || lower(substr(id, 6)) where merchant_id = '${merchant}' and id like 'pay_0000%'`,
  })
}
