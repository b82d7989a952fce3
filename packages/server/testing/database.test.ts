// The tests' own ground: databases that do not see each other, and a cluster that is gone after any kind of death.

import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import { Client } from "pg"
import { emptyDatabase, freshDatabase, type TestDatabase } from "./database.ts"

const WAIT_LIMIT_MS = 60_000

test("gives every caller a migrated database of its own, also when many ask at once", async () => {
  const databases = await Promise.all([freshDatabase(), freshDatabase(), freshDatabase(), freshDatabase()])
  assert.equal(new Set(databases.map(({ database }) => database)).size, databases.length)
  const tables =
    "select count(*)::int as count from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
  for (const database of databases) assert.ok(Number((await query(database, tables))[0]?.["count"]) > 0)
  const [first, second] = databases
  assert.ok(first && second)
  await query(first, "create table mine ()")
  await assert.rejects(query(second, "select from mine"), /does not exist/)
})

test("gives an empty database for tests of migrations", async () => {
  const tables = "select from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
  assert.deepEqual(await query(await emptyDatabase(), tables), [])
})

test("leaves nothing behind when the process that started a cluster is killed", async () => {
  const code = `
    import { startTestCluster } from "./cluster.ts"
    console.log((await startTestCluster()).host)`
  const args = ["--input-type=module", "--eval", code]
  const killed = spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ["ignore", "pipe", "inherit"] })
  const host = await new Promise<string>((resolve) => {
    killed.stdout.setEncoding("utf8").once("data", (line: string) => resolve(line.trim()))
  })
  assert.ok(existsSync(`${host}/.s.PGSQL.5432`))
  killed.kill("SIGKILL")
  for (let waitedMs = 0; existsSync(`${host}/.s.PGSQL.5432`); waitedMs += 20) {
    assert.ok(waitedMs < WAIT_LIMIT_MS, "the cluster outlived its process")
    await sleep(20)
  }
})

async function query(place: TestDatabase, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client(place)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}
