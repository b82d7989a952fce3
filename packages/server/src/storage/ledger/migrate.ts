// Brings a database to this version's schema: numbered files, forward only, each in one transaction, one process at a
// time. What was applied is remembered with a checksum, so that a file edited afterwards is noticed, and a database that
// a newer version has migrated is refused instead of damaged.

import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import type { Log } from "../../ports.ts"
import type { Database, Session } from "../database.ts"
import { createPartitions } from "./partitions.ts"

/** The oldest PostgreSQL that the schema runs on. */
export const MIN_POSTGRES = 15
/** How long a process waits for another one's migration to end. */
export const MIGRATION_WAIT_MS = 120_000

export type Migration = {
  readonly number: number
  readonly name: string
  readonly text: string
  readonly checksum: string
}

export type MigrationFault =
  | "postgres_too_old"
  | "sessions_not_kept"
  | "database_too_new"
  | "migration_changed"
  | "migration_failed"
  | "migration_busy"

/** "ORCHESTR" in ASCII: any number will do, as long as all versions agree on it. */
const LOCK = "5715704854766376018"
const FILES = new URL("./migrations/", import.meta.url)
const filePattern = /^(\d{4})-([a-z0-9-]+)\.sql$/

export async function migrate(
  database: Database,
  log: Log,
  migrations: readonly Migration[] = readMigrations(),
): Promise<readonly Migration[]> {
  const session = await database.session()
  try {
    await refuseOldPostgres(session)
    await refuseLostSessions(database, session)
    await lock(session)
    await session.run(`create table if not exists schema_migrations (
      number integer primary key, name text not null, checksum text not null,
      applied_at timestamptz not null default now())`)
    const applied = await appliedMigrations(session)
    refuseForeignHistory(migrations, applied)
    const wanted = migrations.filter((migration) => !applied.has(migration.number))
    for (const migration of wanted) {
      await apply(session, migration)
      log.info({ migration: migration.name }, "database migrated")
    }
    await keepCounting(session, log)
    await createPartitions(session, log)
    return wanted
  } finally {
    // Ends the session's lock with it.
    await session.close()
  }
}

/** The files in order. A gap or a second file of one number is a mistake of whoever added it. */
export function readMigrations(folder: URL = FILES): readonly Migration[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".sql"))
    .toSorted()
    .map((file, index) => {
      const number = Number(filePattern.exec(file)?.[1])
      if (number !== index + 1) throw new Error(`${file}: migrations are numbered 0001, 0002, ... without gaps`)
      const text = readFileSync(new URL(file, folder), "utf8")
      return {
        number,
        name: file,
        text,
        checksum: createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex"),
      }
    })
}

async function refuseOldPostgres(session: Session): Promise<void> {
  const [row] = await session.query<{ number: number; name: string }>({
    // Not prepared: a pooler may have this name from somebody else.
    name: "",
    text: "select current_setting('server_version_num')::integer as number, current_setting('server_version') as name",
  })
  if (row !== undefined && Math.floor(row.number / 10_000) < MIN_POSTGRES)
    throw fault("postgres_too_old", `PostgreSQL ${MIN_POSTGRES} or later is needed; this is ${row.name}.`)
}

/**
 * A pooler in transaction mode gives every transaction another session of the server: what LISTEN hears is lost, prepared
 * statements are somebody else's, and our lock would stay behind in a session that nobody owns. It shows when one client's
 * transaction takes the session that another one's statement had a moment ago.
 */
async function refuseLostSessions(database: Database, session: Session): Promise<void> {
  const other = await database.session()
  try {
    const before = await sessionId(session)
    await other.run("begin")
    const taken = await sessionId(other)
    const after = await sessionId(session)
    if (taken === before || after !== before)
      throw fault(
        "sessions_not_kept",
        "DATABASE_URL leads through a pooler in transaction mode, which keeps no sessions: give it pool_mode = session, or go to PostgreSQL directly (docs/postgresql.md).",
      )
  } finally {
    await other.close()
  }
}

async function sessionId(session: Session): Promise<number | undefined> {
  const [row] = await session.query<{ pid: number }>({ name: "", text: "select pg_backend_pid() as pid" })
  return row?.pid
}

async function lock(session: Session): Promise<void> {
  await session.run(`set lock_timeout = ${MIGRATION_WAIT_MS}`)
  try {
    await session.run(`select pg_advisory_lock(${LOCK})`)
  } catch (error) {
    throw fault(
      "migration_busy",
      "Another Orchestra has been migrating this database for two minutes. Start again later.",
      error,
    )
  }
}

type Applied = { readonly number: number; readonly name: string; readonly checksum: string }

async function appliedMigrations(session: Session): Promise<ReadonlyMap<number, Applied>> {
  const rows = await session.query<Applied>({
    name: "applied-migrations",
    text: "select number, name, checksum from schema_migrations order by number",
  })
  return new Map(rows.map((row) => [row.number, row]))
}

function refuseForeignHistory(migrations: readonly Migration[], applied: ReadonlyMap<number, Applied>): void {
  const ours = new Map(migrations.map((migration) => [migration.number, migration]))
  for (const { number, name, checksum } of applied.values()) {
    const known = ours.get(number)
    if (known === undefined)
      throw fault(
        "database_too_new",
        `A newer Orchestra has migrated this database (${name}). Start that version, or restore a backup from before.`,
      )
    if (known.checksum !== checksum)
      throw fault(
        "migration_changed",
        `Migration ${known.name} was edited after it had been applied to this database as ${name}. Undo the edit and add a new migration.`,
      )
  }
}

async function apply(session: Session, { number, name, text, checksum }: Migration): Promise<void> {
  try {
    await session.run("begin")
    await session.run(text)
    await session.query(
      { name: "note-migration", text: "insert into schema_migrations (number, name, checksum) values ($1, $2, $3)" },
      [number, name, checksum],
    )
    await session.run("commit")
  } catch (error) {
    await session.run("rollback").catch(() => {}) // the session may be gone; then nothing was committed either
    const why = error instanceof Error ? error.message : String(error)
    throw fault("migration_failed", `Migration ${name} failed and was undone: ${why}`, error)
  }
}

// A dump restored into a new cluster brings events with higher transaction numbers than the new cluster counts. Unless
// the count goes on above them, the relays would take every new event for an old one and never tell it.
async function keepCounting(session: Session, log: Log): Promise<void> {
  const [row] = await session.query<{ highest: bigint; offset: bigint; next: bigint }>({
    name: "log-positions",
    text: `select greatest((select max(transaction) from events), (select max(transaction) from relays),
        (select max(transaction) from changes), 0) as highest,
      ledger_horizon() - pg_snapshot_xmin(pg_current_snapshot())::text::bigint as offset,
      pg_snapshot_xmax(pg_current_snapshot())::text::bigint as next`,
  })
  // Whatever was committed here has a number below the next one.
  if (row === undefined || row.highest < row.next + row.offset) return
  const offset = row.highest + 1n - row.next
  await session.run(`
    create or replace function ledger_transaction() returns bigint language sql volatile
      return pg_current_xact_id()::text::bigint + ${offset};
    create or replace function ledger_horizon() returns bigint language sql volatile
      return pg_snapshot_xmin(pg_current_snapshot())::text::bigint + ${offset}`)
  log.warn(
    { offset: String(offset) },
    "this database was restored into a new cluster; the event log counts on above it",
  )
}

const fault = (code: MigrationFault, sentence: string, cause?: unknown): Error =>
  Object.assign(new Error(sentence, cause === undefined ? {} : { cause }), { code })
