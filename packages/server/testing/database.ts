// A database of its own for every test that asks: copied from a template that was migrated once per cluster, 50 ms each.
// They are not dropped, which would cost more than they do; the whole cluster is deleted at the end.

import { randomUUID } from "node:crypto"
import { after } from "node:test"
import { Client } from "pg"
import { openDatabase } from "../src/storage/database.ts"
import { migrate } from "../src/storage/ledger/migrate.ts"
import { CLUSTER_USER, CLUSTER_VARIABLE, startTestCluster, type TestCluster } from "./cluster.ts"

/** What both `pg` and our own `openDatabase` take. */
export type TestDatabase = { readonly host: string; readonly user: string; readonly database: string }

const TEMPLATE = "migrated"
const BEING_MADE = "being_migrated"
/** Any number, as long as all test processes agree on it: one of them makes the template. */
const TEMPLATE_LOCK = 7_264
const log = { info: () => {}, warn: () => {}, error: () => {} }

let own: Promise<TestCluster> | undefined
after(async () => (await own)?.stop())

/**
 * For tests of the log's horizon, called before anything else: transactions of other tests' databases on one cluster hold
 * it back, as they would in production. The file then has a cluster of its own.
 */
export function useOwnCluster(): void {
  delete process.env[CLUSTER_VARIABLE]
}

/** The newest schema, no rows. */
export function freshDatabase(): Promise<TestDatabase> {
  return withAdmin(async (admin, host) => {
    await admin.query(`select pg_advisory_lock(${TEMPLATE_LOCK})`)
    const { rowCount } = await admin.query("select from pg_database where datname = $1", [TEMPLATE])
    if (rowCount === 0) await makeTemplate(admin, host)
    await admin.query(`select pg_advisory_unlock(${TEMPLATE_LOCK})`)
    return create(admin, host, `template ${TEMPLATE} strategy wal_log`)
  })
}

/** Nothing in it, for tests of migrations. */
export function emptyDatabase(): Promise<TestDatabase> {
  return withAdmin((admin, host) => create(admin, host, ""))
}

/** Renamed when complete: a migration that failed leaves no half-made template for the next test. */
async function makeTemplate(admin: Client, host: string): Promise<void> {
  await admin.query(`drop database if exists ${BEING_MADE}`)
  await admin.query(`create database ${BEING_MADE}`)
  const database = openDatabase({ host, user: CLUSTER_USER, database: BEING_MADE, log })
  try {
    await migrate(database, log)
  } finally {
    await database.close()
  }
  await admin.query(`alter database ${BEING_MADE} rename to ${TEMPLATE}`)
}

async function create(admin: Client, host: string, options: string): Promise<TestDatabase> {
  const database = `test_${randomUUID().replaceAll("-", "")}`
  await admin.query(`create database ${database} ${options}`)
  return { host, user: CLUSTER_USER, database }
}

async function withAdmin<T>(work: (admin: Client, host: string) => Promise<T>): Promise<T> {
  const host = process.env[CLUSTER_VARIABLE] ?? (await (own ??= startTestCluster())).host
  const admin = new Client({ host, user: CLUSTER_USER, database: "postgres" })
  await admin.connect()
  try {
    return await work(admin, host)
  } finally {
    await admin.end()
  }
}
