// What only a real server can do to us: connections that are cut in the middle of a commit, and transactions that end
// in another order than they began.

import assert from "node:assert/strict"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { failureOf, type Database, type Statement } from "../database.ts"
import { createPostgresLedger } from "./postgres.ts"
import { changing, inserting, sampleCard, sampleEvent, sampleKey, samplePayment, sampleTranscript } from "./sample.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { useOwnCluster } from "../../../testing/database.ts"

useOwnCluster()

const once = (text: string): Statement => ({ name: "", text })

async function killOthers(database: Database, condition = "true"): Promise<number> {
  const rows = await database.query(
    once(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and ${condition}`),
  )
  return rows.length
}

test("a backend that is killed in the middle of a commit leaves nothing of it", async () => {
  const { open } = await freshDatabase()
  const [database, admin] = [open({ connections: 1 }), open({ connections: 2 })]
  const ledger = createPostgresLedger(database)
  const payment = samplePayment(Date.now())
  await ledger.commit(inserting(payment))

  // The commit has taken its key and waits for the payment's row; then its backend dies.
  const blocker = await admin.session()
  await blocker.run(`begin; lock table transcripts in access exclusive mode`)
  const commit = changing(
    payment,
    { plan: { state: "over" } },
    {
      take: sampleKey(payment, "k"),
      card: sampleCard(payment, Date.now()),
      transcripts: [sampleTranscript(payment, Date.now())],
      wakeAt: Date.now() - 1,
    },
  )
  const outcome = ledger.commit(commit).then(
    () => assert.fail("the commit cannot have ended"),
    (error: unknown) => failureOf(error),
  )
  while ((await killOthers(admin, "wait_event_type = 'Lock'")) === 0) await sleep(5)
  const failure = await outcome
  assert.equal(failure?.kind, "connection_lost")
  assert.equal(failure.happened, "unknown")
  await blocker.run("rollback")
  await blocker.close()

  assert.deepEqual(await ledger.load(payment.merchant, payment.id), payment)
  assert.equal(await ledger.idempotency(sampleKey(payment, "k")), undefined)
  assert.deepEqual(await ledger.due(10, 10), [])
  const [counts] = await admin.query<{ events: bigint; cards: bigint; transcripts: bigint }>(
    once(`select (select count(*) from events) as events, (select count(*) from cards) as cards,
      (select count(*) from transcripts) as transcripts`),
  )
  assert.deepEqual(counts, { events: 1n, cards: 0n, transcripts: 0n })
  // The pool has replaced the connection, and the same commit goes through.
  assert.deepEqual(await ledger.commit(commit), { kind: "committed" })
  await Promise.all([database.close(), admin.close()])
})

test("commits whose connections are cut at random stand whole or not at all", async () => {
  const { open } = await freshDatabase()
  const [database, admin] = [open({ connections: 6 }), open({ connections: 1 })]
  const ledger = createPostgresLedger(database)
  const payments = Array.from({ length: 150 }, () => samplePayment(Date.now()))
  let writing = true
  const sabotage = (async () => {
    while (writing) {
      await killOthers(admin, "random() < 0.3")
      await sleep(3)
    }
  })()
  const told = new Map<string, boolean>()
  await Promise.all(
    [0, 1, 2, 3, 4, 5].map(async (lane) => {
      for (const payment of payments.filter((_, i) => i % 6 === lane)) {
        const commit = inserting(payment, {
          take: sampleKey(payment, payment.id),
          card: sampleCard(payment, Date.now()),
          events: [sampleEvent(payment, Date.now()), sampleEvent(payment, Date.now())],
        })
        try {
          told.set(payment.id, (await ledger.commit(commit)).kind === "committed")
        } catch (error) {
          assert.equal(failureOf(error)?.kind, "connection_lost", String(error))
        }
      }
    }),
  )
  writing = false
  await sabotage
  let lost = 0
  for (const payment of payments) {
    const [row] = await admin.query<Record<string, bigint>>(
      once(`select
        (select count(*) from payments where id = '${payment.id}') as payments,
        (select count(*) from attempts where payment_id = '${payment.id}') as attempts,
        (select count(*) from operations where payment_id = '${payment.id}') as operations,
        (select count(*) from idempotency_keys where payment_id = '${payment.id}') as keys,
        (select count(*) from cards where payment_id = '${payment.id}') as cards,
        (select count(*) from payment_wakes where payment_id = '${payment.id}') as wakes,
        (select count(*) / 2 from events where payment_id = '${payment.id}') as events`),
    )
    assert.equal(
      new Set(Object.values(row ?? {})).size,
      1,
      JSON.stringify(row, (_k, v) => String(v)),
    )
    if (told.get(payment.id) === true)
      assert.equal(row?.["payments"], 1n, "what was told to have happened has happened")
    if (!told.has(payment.id)) lost += 1
  }
  assert.ok(lost > 0, "no connection was cut: the test tested nothing")
  await Promise.all([database.close(), admin.close()])
})

test("an event of a transaction that began earlier and ends later is told, and nothing before it is skipped", async () => {
  const { open } = await freshDatabase()
  const [database, slow] = [open(), open()]
  const ledger = createPostgresLedger(database)
  const [early, late] = [samplePayment(Date.now()), samplePayment(Date.now())]
  // Two real transactions: the first takes its number, the second begins and ends, then the first ends.
  const first = await slow.session()
  await first.run("begin; select pg_current_xact_id()")
  await ledger.commit(inserting(late))
  const horizon = await ledger.horizon()
  assert.deepEqual(await ledger.events(undefined, horizon, 10), [], "the younger event waits for the older transaction")
  await first.run(`
    insert into events (merchant_id, id, payment_id, sequence, type, at_ms, data)
    values ('${early.merchant}', '${sampleEvent(early, Date.now()).id}', '${early.id}', 1, 'payment.created', 1, '{}');
    commit`)
  await first.close()
  const told = await ledger.events(undefined, await ledger.horizon(), 10)
  assert.deepEqual(
    told.map((event) => event.payment),
    [early.id, late.id],
  )
  await Promise.all([database.close(), slow.close()])
})

test("two processes on one database never both win a version, a claim or a key", async () => {
  const { open } = await freshDatabase()
  const nodes = [open(), open()].map((database) => ({ database, ledger: createPostgresLedger(database) }))
  for (let round = 0; round < 10; round++) {
    const payment = samplePayment(Date.now())
    const inserted = await Promise.all(
      nodes.map(({ ledger }) => ledger.commit(inserting(payment, { wakeAt: Date.now() - 1 }))),
    )
    assert.deepEqual(inserted.map((r) => r.kind).toSorted(), ["committed", "conflict"])
    const due = (await nodes[0]?.ledger.due(10, 10))?.find((d) => d.payment === payment.id)
    assert.ok(due)
    const claims = await Promise.all(nodes.map(({ ledger }) => ledger.claim(due, 60_000)))
    assert.equal(claims.filter(Boolean).length, 1)
    const changes = await Promise.all(
      nodes.map(({ ledger }) => ledger.commit(changing(payment, {}, { take: sampleKey(payment, `k${round}`) }))),
    )
    assert.deepEqual(changes.filter((r) => r.kind === "committed").length, 1)
  }
  await Promise.all(nodes.map(({ database }) => database.close()))
})
