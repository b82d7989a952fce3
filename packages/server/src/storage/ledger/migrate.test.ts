import assert from "node:assert/strict"
import { test } from "node:test"
import { createPostgresLedger } from "./postgres.ts"
import { migrate, readMigrations, type Migration } from "./migrate.ts"
import { changing, inserting, samplePayment } from "./sample.ts"
import { emptyDatabase, freshDatabase } from "../../../testing/pools.ts"
import type { Database, Statement } from "../database.ts"
import { useOwnCluster } from "../../../testing/database.ts"

useOwnCluster()

const silent = { info: () => {}, warn: () => {}, error: () => {} }
const once = (text: string): Statement => ({ name: "", text })
const migration = (number: number, text: string, checksum = `sum of ${text}`): Migration => ({
  number,
  name: `000${number}-test.sql`,
  text,
  checksum,
})

async function withEmpty(body: (database: Database) => Promise<void>): Promise<void> {
  const database = (await emptyDatabase()).open()
  try {
    await body(database)
  } finally {
    await database.close()
  }
}

test("an empty database becomes the newest schema, and a second run changes nothing", () =>
  withEmpty(async (database) => {
    const all = readMigrations()
    assert.deepEqual(await migrate(database, silent), all)
    assert.deepEqual(await migrate(database, silent), [])
  }))

test("many nodes that start at once migrate once", async () => {
  const { open } = await emptyDatabase()
  const nodes = [open(), open(), open(), open()]
  const applied = await Promise.all(nodes.map((node) => migrate(node, silent)))
  assert.equal(applied.flat().length, readMigrations().length)
  await Promise.all(nodes.map((node) => node.close()))
})

test("a migration that fails leaves nothing behind, and says which one and why", () =>
  withEmpty(async (database) => {
    const good = migration(1, "create table events (transaction bigint); create table kept (x integer)")
    const bad = migration(2, "create table half (x integer); select 1 / 0")
    await assert.rejects(migrate(database, silent, [good, bad]), {
      code: "migration_failed",
      message: "Migration 0002-test.sql failed and was undone: division by zero",
    })
    const tables = await database.query<{ name: string }>(
      once("select relname as name from pg_class where relname in ('kept', 'half')"),
    )
    assert.deepEqual(tables, [{ name: "kept" }])
  }))

test("a file that was edited after it was applied is refused", () =>
  withEmpty(async (database) => {
    await migrate(database, silent)
    const [first, ...rest] = readMigrations()
    assert.ok(first)
    await assert.rejects(migrate(database, silent, [{ ...first, checksum: "other" }, ...rest]), {
      code: "migration_changed",
      message: /^Migration 0001-ledger\.sql was edited after it had been applied/,
    })
  }))

test("a database of a newer version is refused and left alone", () =>
  withEmpty(async (database) => {
    const all = readMigrations()
    await migrate(database, silent, [...all, migration(all.length + 1, "create table future (x integer)")])
    await assert.rejects(migrate(database, silent), {
      code: "database_too_new",
      message: /A newer Orchestra has migrated/,
    })
  }))

test("the files' numbers have no gaps", () => {
  assert.deepEqual(
    readMigrations().map(({ number }) => number),
    readMigrations().map((_, i) => i + 1),
  )
})

test("in every table each unique and foreign key contains the merchant, and the primary key begins with it", async () => {
  const database = (await freshDatabase()).open()
  const keys = await database.query<{ table: string; kind: string; columns: string[] }>(
    once(`select c.conrelid::regclass::text as table, c.contype as kind,
        (select array_agg(a.attname::text order by k.n) from unnest(c.conkey) with ordinality k (attnum, n)
          join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum) as columns
      from pg_constraint c join pg_class t on t.oid = c.conrelid
      where c.contype in ('p', 'u', 'f') and t.relnamespace = 'public'::regnamespace`),
  )
  const indexes = await database.query<{ table: string; definition: string }>(
    once(`select tablename as table, indexdef as definition from pg_indexes
      where schemaname = 'public' and indexdef like 'CREATE UNIQUE%'`),
  )
  await database.close()
  const wide = new Set(["schema_migrations", "relays"])
  assert.ok(keys.length > 30)
  for (const { table, kind, columns } of keys) {
    if (wide.has(table)) continue
    assert.ok(columns.includes("merchant_id"), `${table}: ${columns.join()}`)
    if (kind === "p") assert.equal(columns[0], "merchant_id", table)
  }
  for (const { table, definition } of indexes)
    assert.ok(wide.has(table) || definition.includes("merchant_id"), definition)
})

test("after a restore from a dump into a new cluster the event log counts on above the old events", async () => {
  const database = (await freshDatabase()).open()
  const ledger = createPostgresLedger(database)
  const payment = samplePayment(Date.now())
  await ledger.commit(inserting(payment))
  // What a restored dump looks like: transactions that this cluster has not come to yet, and a relay among them.
  await database.query(once("update events set transaction = transaction + 1000000000"))
  const [old] = await ledger.events(undefined, "9000000000000000", 10)
  assert.ok(old)
  await ledger.takeLease("webhooks", "node", 1_000)
  await ledger.moveCursor("webhooks", "node", old.position)

  await migrate(database, silent)
  await migrate(database, silent)
  await ledger.commit(changing(payment, {}))
  const told = await ledger.events(await ledger.cursor("webhooks"), await ledger.horizon(), 10)
  assert.deepEqual(
    told.map((e) => e.sequence),
    [2],
  )
  await database.close()
})

test("a start beside nodes that commit does not move the log's count", async () => {
  const { open } = await freshDatabase()
  const [database, other] = [open(), open()]
  const ledger = createPostgresLedger(other)
  const holder = await database.session()
  // An old transaction is still open while younger ones have committed already.
  await holder.run("begin; select pg_current_xact_id()")
  await ledger.commit(inserting(samplePayment(Date.now())))
  const [before] = await database.query<{ count: bigint }>(once("select ledger_horizon() as count"))
  await migrate(other, silent)
  const [after] = await database.query<{ count: bigint }>(once("select ledger_horizon() as count"))
  assert.deepEqual(after, before)
  await holder.close()
  await Promise.all([database.close(), other.close()])
})
