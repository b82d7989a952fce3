import assert from "node:assert/strict"
import { test } from "node:test"
import type { CardAttempt } from "../../core/card-attempt.ts"
import { makeId } from "../../core/id.ts"
import type { Payment } from "../../core/payment.ts"
import { systemPorts } from "../../ports.ts"
import type { Database } from "../database.ts"
import { findCard } from "../resources/cards.ts"
import { listTranscripts } from "../resources/transcripts.ts"
import type { SealedCard } from "./ledger.ts"
import { MONTHS_AHEAD } from "./partitions.ts"
import { createPostgresLedger } from "./postgres.ts"
import { applyRetention, defaultRetention } from "./retention.ts"
import {
  inserting,
  sampleCard,
  sampleEvent,
  sampleId,
  sampleInbound,
  sampleKey,
  samplePayment,
  sampleTranscript,
} from "./sample.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { useOwnCluster } from "../../../testing/database.ts"

useOwnCluster()

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const ports = systemPorts(() => 0, silent)
const DAY_MS = 86_400_000

const declinedRow = ({ attempts, createdAt, intent }: Payment): CardAttempt => ({
  id: attempts[0]!.id,
  at: createdAt,
  account: attempts[0]!.account,
  amount: intent.amount,
  initiator: "customer",
  result: "declined",
})

const once = <Row extends object>(database: Database, text: string) => database.query<Row>({ name: "", text })
const partitions = async (database: Database, table: string): Promise<string[]> =>
  (
    await once<{ name: string }>(
      database,
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = '${table}'::regclass order by 1`,
    )
  ).map(({ name }) => name)

test("a migrated database has this month's and the coming months' partitions", async () => {
  const database = (await freshDatabase()).open()
  for (const table of ["events", "transcripts", "deliveries", "inbound_webhook_bodies"]) {
    const months = await partitions(database, table)
    assert.equal(months.length, MONTHS_AHEAD + 2)
    assert.ok(months.includes(`${table}_default`))
  }
  // What happens now lies in a month, not in the default.
  const payment = samplePayment(Date.now())
  await createPostgresLedger(database).commit(
    inserting(payment, { transcripts: [sampleTranscript(payment, Date.now())] }),
  )
  const [stray] = await once<{ n: bigint }>(
    database,
    "select (select count(*) from events_default) + (select count(*) from transcripts_default) as n",
  )
  assert.equal(stray?.n, 0n)
  await database.close()
})

test("rows that had no month yet move into it when it is made", async () => {
  const database = (await freshDatabase()).open()
  const [month] = (await partitions(database, "events")).filter((name) => !name.endsWith("default"))
  await once(database, `drop table ${month}`)
  const ledger = createPostgresLedger(database)
  const payment = samplePayment(Date.now())
  await ledger.commit(inserting(payment))
  const strays = () => once<{ n: bigint }>(database, "select count(*) as n from events_default")
  assert.deepEqual(await strays(), [{ n: 1n }])
  const report = await applyRetention(database, ports)
  assert.deepEqual(report.partitionsMade, [month])
  assert.deepEqual(await strays(), [{ n: 0n }])
  assert.equal((await ledger.events(undefined, await ledger.horizon(), 10)).length, 1)
  await database.close()
})

test("a default partition that somebody reads for long holds up neither payments nor the rest of retention", async () => {
  const database = (await freshDatabase()).open()
  const [month] = (await partitions(database, "events")).filter((name) => !name.endsWith("default"))
  await once(database, `drop table ${month}`)
  const reader = await database.session()
  await reader.run("begin; lock table events_default in access share mode")
  assert.deepEqual((await applyRetention(database, ports)).partitionsMade, [])
  assert.deepEqual(await createPostgresLedger(database).commit(inserting(samplePayment(Date.now()))), {
    kind: "committed",
  })
  await reader.run("commit")
  assert.deepEqual((await applyRetention(database, ports)).partitionsMade, [month])
  await reader.close()
  await database.close()
})

test("months that are older than their time are dropped, younger ones stay", async () => {
  const database = (await freshDatabase()).open()
  const long = Date.UTC(2024, 1, 1)
  await once(database, "create table events_2024_02 (like events including all)")
  const bound = (ms: number) => `'${makeId("evt", ms, new Uint8Array(16))}'`
  await once(
    database,
    `alter table events attach partition events_2024_02 for values from (${bound(long)}) to (${bound(Date.UTC(2024, 2, 1))})`,
  )
  const at = (now: number) => ({ ...ports, clock: { ...ports.clock, now: () => now } })
  const end = Date.UTC(2024, 2, 1) + defaultRetention.events * DAY_MS
  assert.deepEqual((await applyRetention(database, at(end - 1))).partitionsDropped, [])
  assert.deepEqual((await applyRetention(database, at(end))).partitionsDropped, ["events_2024_02"])
  await database.close()
})

test("each kind of row goes when its time is over, and not before", async () => {
  const database = (await freshDatabase()).open()
  const ledger = createPostgresLedger(database)
  const now = Date.now()
  const ages = [1, 29, 31, 89, 91, 364, 366, 759, 761]
  const payments: Payment[] = []
  for (const age of ages) {
    const at = now - age * DAY_MS
    const payment = samplePayment(at)
    payments.push(payment)
    await ledger.commit(
      inserting(payment, {
        take: sampleKey(payment, "k"),
        events: [sampleEvent(payment, at)],
        transcripts: [sampleTranscript(payment, at)],
        cardAttempts: { key: { ...payment, network: "visa", fingerprint: "f1" }, rows: [declinedRow(payment)] },
      }),
    )
    await once(database, `update idempotency_keys set created_ms = ${at} where payment_id = '${payment.id}'`)
    await ledger.storeInbound(sampleInbound(payment.merchant, sampleId("acc", at), "d", at))
  }
  await applyRetention(database, ports)
  const left = async (query: string) =>
    Number((await once<{ n: bigint }>(database, `select count(*) as n from ${query}`))[0]?.n)
  assert.equal(await left("payments"), ages.length)
  assert.equal(await left("events"), ages.filter((age) => age < 760).length)
  assert.equal(await left("transcripts"), ages.filter((age) => age < 90).length)
  assert.equal(await left("idempotency_keys"), ages.filter((age) => age < 30).length)
  assert.equal(await left("card_attempts"), ages.filter((age) => age < 365).length)
  assert.equal(await left("inbound_webhooks"), ages.filter((age) => age < 90).length)
  assert.equal(await left("inbound_webhook_bodies"), ages.filter((age) => age < 90).length)
  const [young] = payments
  assert.ok(young)
  assert.equal((await listTranscripts(database, young.merchant, young.id)).length, 1)
  await database.close()
})

test("a one-off card goes a day after its payment has ended, and stays while anything may need it", async () => {
  const database = (await freshDatabase()).open()
  const ledger = createPostgresLedger(database)
  const old = Date.now() - 3 * DAY_MS
  const closed = { closed: { as: "failed", at: old } } as const
  const sample = samplePayment(old, { requested: 0n, plan: { state: "over" } })
  const verified = {
    ...sample,
    attempts: sample.attempts.map((attempt) => ({
      ...attempt,
      state: "verified" as const,
      authorized: 0n,
      captured: 0n,
      refunded: 0n,
    })),
    operations: [],
  }
  const cases = [
    { name: "ended", payment: samplePayment(old, closed), wakeAt: undefined, kept: false },
    { name: "verified", payment: verified, wakeAt: undefined, kept: false },
    {
      name: "ended today",
      payment: samplePayment(old, { ...closed, updatedAt: Date.now() }),
      wakeAt: undefined,
      kept: true,
    },
    { name: "open", payment: samplePayment(old), wakeAt: Date.now(), kept: true },
    {
      name: "ended, but somebody still has to look",
      payment: samplePayment(old, closed),
      wakeAt: Date.now() + DAY_MS,
      kept: true,
    },
    { name: "a payment method's", payment: samplePayment(old, closed), wakeAt: undefined, kept: true, stored: true },
  ]
  const cards: Omit<SealedCard, "payment">[] = []
  for (const { payment, wakeAt, stored } of cases) {
    const { payment: owner, ...card } = sampleCard(payment, old)
    await ledger.commit(
      inserting(payment, { wakeAt, card: stored === true ? card : { ...card, payment: owner ?? payment.id } }),
    )
    cards.push(card)
  }
  await once(database, `update cards set created_ms = ${old}`)
  const report = await applyRetention(database, ports)
  for (const [i, { name, kept }] of cases.entries()) {
    const card = cards[i]
    assert.ok(card)
    assert.equal((await findCard(database, card.merchant, card.id)) !== undefined, kept, name)
  }
  assert.equal(report.rowsDeleted["cards"], 2)
  await database.close()
})
