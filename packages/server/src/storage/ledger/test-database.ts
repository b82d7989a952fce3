// For tests: one real PostgreSQL per test process, and a database of its own per call. All of it is deleted at the end.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after } from "node:test"
import { systemPorts } from "../../ports.ts"
import { openDatabase, type Database, type DatabaseOptions } from "../database.ts"
import { startEmbedded, type Embedded } from "../embedded.ts"
import { migrate } from "./migrate.ts"

const log = { info: () => {}, warn: () => {}, error: () => {} }
const TEMPLATE = "migrated"
type Cluster = { readonly embedded: Embedded; readonly dir: string }
let cluster: Promise<Cluster> | undefined
let template: Promise<void> | undefined
let count = 0

after(async () => {
  if (cluster === undefined) return
  const { embedded, dir } = await cluster
  await embedded.stop()
  rmSync(dir, { recursive: true, force: true })
})

export type TestDatabase = {
  /** A pool on it; every process of a real installation has its own. */
  readonly open: (options?: Partial<DatabaseOptions>) => Database
}

/** A database with the newest schema. */
export async function freshDatabase(): Promise<TestDatabase> {
  await (template ??= migrateTemplate())
  return create(`test_${(count += 1)}`, `template ${TEMPLATE} strategy wal_log`)
}

/** A database with nothing in it. */
export const emptyDatabase = (): Promise<TestDatabase> => create(`test_${(count += 1)}`)

async function migrateTemplate(): Promise<void> {
  const database = (await create(TEMPLATE)).open()
  await migrate(database, log)
  await database.close()
}

async function create(name: string, options = ""): Promise<TestDatabase> {
  const { host, user } = (await (cluster ??= start())).embedded
  const admin = openDatabase({ host, user, database: "postgres", log })
  await admin.query({ name: "", text: `create database ${name} ${options}` })
  await admin.close()
  return { open: (given = {}) => openDatabase({ host, user, database: name, log, connections: 4, ...given }) }
}

async function start(): Promise<Cluster> {
  const dir = mkdtempSync(join(tmpdir(), "orchestra-test-"))
  const settings = { fsync: "off", shared_buffers: "16MB" }
  return { dir, embedded: await startEmbedded({ dir, ports: systemPorts(() => 0, log), settings }) }
}
