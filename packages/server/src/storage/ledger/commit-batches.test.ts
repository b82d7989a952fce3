// Commits that share a statement: each of them is written or not as if it had been alone.

import assert from "node:assert/strict"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { failureOf, MAX_WAITING, type Database } from "../database.ts"
import { MAX_BATCH } from "./commit-statement.ts"
import { createCommitBatches, MAX_UNDER_WAY } from "./commit-batches.ts"
import { commitRows } from "./commit-values.ts"
import type { Commit, Committed, Ledger } from "./ledger.ts"
import { createPostgresLedger } from "./postgres.ts"
import { changing, inserting, sampleId, sampleKey, samplePayment, sampleTranscript } from "./sample.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { useOwnCluster } from "../../../testing/database.ts"

useOwnCluster()

const now = Date.now()
const merchant = sampleId("mer", now)
const payments = (count: number) => Array.from({ length: count }, () => samplePayment(now, { merchant }))
const kinds = (results: readonly Committed[]): readonly string[] => results.map(({ kind }) => kind)
/** What two rivals came to, whoever won. */
const pair = (...results: readonly (Committed | undefined)[]): string =>
  results
    .map((result) => result?.kind)
    .toSorted((a, b) => (a! < b! ? -1 : 1))
    .join(" ")

/** A ledger, and how many commit statements it sent. */
async function counted(): Promise<{ ledger: Ledger; sent: () => number; database: Database }> {
  const database = (await freshDatabase()).open()
  let sent = 0
  const ledger = createPostgresLedger({
    ...database,
    query: (statement, values) => {
      if (statement.name.startsWith("commit-")) sent += 1
      return database.query(statement, values)
    },
  })
  return { ledger, sent: () => sent, database }
}

const all = (ledger: Ledger, commits: readonly Commit[]): Promise<readonly Committed[]> =>
  Promise.all(commits.map((commit) => ledger.commit(commit)))

test("commits that come together share statements, and each payment is what it was committed as", async () => {
  const { ledger, sent, database } = await counted()
  const born = payments(40)
  const first = await all(
    ledger,
    born.map((payment, i) => inserting(payment, { take: sampleKey(payment, `k${i}`) })),
  )
  assert.deepEqual(new Set(kinds(first)), new Set(["committed"]))
  const full = MAX_UNDER_WAY + Math.ceil((born.length - MAX_UNDER_WAY) / MAX_BATCH)
  assert.equal(sent(), full)

  // Half of them have a wake to clear, an answer to keep and transcripts; every third was changed by somebody else.
  const stale = born.filter((_, i) => i % 3 === 0)
  for (const payment of stale) await ledger.commit(changing(payment, { updatedAt: now + 1 }))
  const commits = born.map((payment, i) =>
    changing(
      payment,
      { updatedAt: now + 2 + i },
      {
        ...(i % 2 === 0 ? {} : { wakeAt: now + 90_000 }),
        answer: { ...sampleKey(payment, `k${i}`), response: { status: 200, body: `{"n":${i}}` } },
        transcripts: [sampleTranscript(payment, now)],
      },
    ),
  )
  const before = sent()
  const second = await all(ledger, commits)
  assert.ok(sent() - before < born.length / 2, `${sent() - before} statements for ${born.length} commits`)
  for (const [i, payment] of born.entries()) {
    const isStale = stale.includes(payment)
    assert.equal(second[i]?.kind, isStale ? "conflict" : "committed")
    const stored = await ledger.load(merchant, payment.id)
    assert.equal(stored?.version, 2)
    assert.equal(stored.updatedAt, isStale ? now + 1 : now + 2 + i)
    const key = await ledger.idempotency(sampleKey(payment, `k${i}`))
    assert.deepEqual(key?.response, isStale ? undefined : { status: 200, body: `{"n":${i}}` })
  }
  const rows = await database.query<{ payment_id: string }>({
    name: "",
    text: "select payment_id from payment_wakes union all select payment_id from transcripts",
  })
  const written = born.filter((p) => !stale.includes(p))
  const woken = written.filter((p) => born.indexOf(p) % 2 === 1)
  assert.deepEqual(rows.map((r) => r.payment_id).toSorted(), [...written, ...woken].map((p) => p.id).toSorted())
})

test("one that cannot be written fails alone", async () => {
  const { ledger } = await counted()
  const born = payments(24)
  await ledger.commit(inserting(born[9]!))
  // Its number is taken: a unique violation, for which PostgreSQL undoes the whole statement.
  assert.deepEqual(
    kinds(
      await all(
        ledger,
        born.map((payment) => inserting(payment)),
      ),
    ),
    born.map((_, i) => (i === 9 ? "conflict" : "committed")),
  )
  // An event that exists: an error for its caller, and for nobody else.
  const event = inserting(born[0]!).events[0]!
  const commits = born.map((payment, i) =>
    changing(payment, { updatedAt: now + i }, i === 13 ? { events: [event, event] } : {}),
  )
  const settled = await Promise.allSettled(commits.map((commit) => ledger.commit(commit)))
  for (const [i, result] of settled.entries()) {
    if (i !== 13) assert.deepEqual(result, { status: "fulfilled", value: { kind: "committed" } })
    else assert.ok(result.status === "rejected" && failureOf(result.reason)?.kind === "unique_violation")
  }
})

test("of two that want one key, and of two that change one payment, one is written", async () => {
  const { ledger } = await counted()
  const born = payments(32)
  const keyed = await all(
    ledger,
    born.map((payment, i) => inserting(payment, { take: sampleKey(payment, `k${i >> 1}`) })),
  )
  for (let i = 0; i < born.length; i += 2) {
    assert.equal(pair(keyed[i], keyed[i + 1]), "committed taken")
    const [won, lost] = keyed[i]?.kind === "committed" ? [born[i]!, keyed[i + 1]!] : [born[i + 1]!, keyed[i]!]
    assert.ok(lost.kind === "taken" && lost.row.payment === won.id)
  }
  const stored = born.filter((_, i) => keyed[i]?.kind === "committed")
  const changed = await all(
    ledger,
    [...stored, ...stored].map((payment, i) => changing(payment, { updatedAt: now + i })),
  )
  for (const i of stored.keys()) assert.equal(pair(changed[i], changed[i + stored.length]), "committed conflict")
})

test("two processes that change the same payments wait for each other, not for ever", async () => {
  const { open } = await freshDatabase()
  const [one, other] = [createPostgresLedger(open()), createPostgresLedger(open())]
  const born = payments(64)
  await all(
    one,
    born.map((payment) => inserting(payment)),
  )
  const results = await Promise.all([
    all(
      one,
      born.map((payment) => changing(payment, { updatedAt: now + 1 })),
    ),
    all(
      other,
      born.toReversed().map((payment) => changing(payment, { updatedAt: now + 2 })),
    ),
  ])
  for (const [i, result] of results[0].entries())
    assert.equal(pair(result, results[1].at(-1 - i)), "committed conflict")
})

test("two processes that want the same keys never wait for each other in a circle", async () => {
  const { open } = await freshDatabase()
  const database = open()
  const ledgers = [createPostgresLedger(database), createPostgresLedger(open())]
  const keys = Array.from({ length: 64 }, (_, i) => `k${i}`)
  const results = await Promise.all(
    ledgers.map((ledger, i) =>
      all(
        ledger,
        // Ids are made in order, keys are wanted in opposite ones.
        (i === 0 ? keys : keys.toReversed()).map((key) => {
          const payment = samplePayment(now, { merchant })
          return inserting(payment, { take: sampleKey(payment, key) })
        }),
      ),
    ),
  )
  for (const [i, result] of results[0]!.entries()) assert.equal(pair(result, results[1]!.at(-1 - i)), "committed taken")
  const [row] = await database.query<{ deadlocks: bigint }>({
    name: "",
    text: "select pg_stat_force_next_flush(), deadlocks from pg_stat_database where datname = current_database()",
  })
  assert.equal(row?.deadlocks, 0n)
})

test("a payment whose row somebody else has locked keeps no other waiting for its lock", async () => {
  const { ledger, database } = await counted()
  const born = payments(16)
  await all(
    ledger,
    born.map((payment) => inserting(payment)),
  )
  const [locked, ...others] = born as [(typeof born)[0], ...typeof born]
  const session = await database.session()
  await session.run(`begin; update payments set updated_ms = updated_ms where id = '${locked.id}'`)
  const waiting = ledger.commit(changing(locked, { updatedAt: now + 1 }))
  // The others come while it waits, some of them in its statement: they are there before it is told anything.
  const order: string[] = []
  const done = all(
    ledger,
    others.map((payment) => changing(payment, { updatedAt: now + 1 })),
  ).then((results) => order.push(...new Set(kinds(results))))
  await waiting.catch((error: unknown) => order.push(failureOf(error)?.kind ?? "no failure"))
  await done
  await session.run("rollback")
  await session.close()
  assert.deepEqual(order, ["committed", "locked"])
})

test("where the database gives no connection, all who wait hear it at once, and nothing of theirs is written", async () => {
  let asked = 0
  const send = createCommitBatches({
    query: async () => {
      asked += 1
      await sleep(10)
      throw new Error("timeout exceeded when trying to connect")
    },
  })
  const commits = payments(200).map((payment) => commitRows(inserting(payment), true))
  const settled = await Promise.allSettled(commits.map(send))
  for (const result of settled) assert.ok(result.status === "rejected" && failureOf(result.reason)?.kind === "too_busy")
  assert.equal(asked, MAX_UNDER_WAY)
})

test("more than may wait are told that the database is too busy, and nothing of theirs is written", async () => {
  const { ledger } = await counted()
  const [payment] = payments(1)
  const extra = 3
  const commits = Array.from({ length: MAX_UNDER_WAY + MAX_WAITING + extra }, () =>
    changing(payment!, {}, { events: [], wakeAt: undefined }),
  )
  const settled = await Promise.allSettled(commits.map((commit) => ledger.commit(commit)))
  const refused = settled.filter((result) => result.status === "rejected")
  assert.equal(refused.length, extra)
  for (const { reason } of refused) assert.deepEqual(failureOf(reason), { kind: "too_busy", happened: "no" })
})
