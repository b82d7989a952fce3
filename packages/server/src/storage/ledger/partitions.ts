// Partitions by month, where retention drops whole months instead of deleting rows. Three tables are ranges of ids:
// an id begins with its millisecond, so that the key stays unique without the time in it. The coming months are made
// ahead; a row that no month takes lies in the default partition and moves when its month is made.

import { makeId, type IdPrefix } from "../../core/id.ts"
import type { Log } from "../../ports.ts"
import { failureOf, type Session } from "../database.ts"

export type PartitionedTable = "events" | "deliveries" | "inbound_webhook_bodies" | "transcripts"

/** The kind of id whose ranges are the partitions, or "ms" where the key is a time. */
const tables: Readonly<Record<PartitionedTable, IdPrefix | "ms">> = {
  events: "evt",
  deliveries: "evt",
  inbound_webhook_bodies: "whi",
  transcripts: "ms",
}

/** Partitions are made this far ahead, so that a job which fails for weeks is no trouble. */
export const MONTHS_AHEAD = 2
/** The lock on a parent table is given up after this, and tried again at the next run: payments come first. */
export const PARTITION_LOCK_MS = 1_000

/**
 * Makes the partitions of this month and the coming ones; answers their names. Safe to run anywhere, any time, by any
 * number of nodes. Where somebody reads the default partition for long, the month waits for the next run.
 */
export async function createPartitions(session: Session, log: Log): Promise<readonly string[]> {
  const months = await session.query<Month>(comingMonths, [MONTHS_AHEAD])
  const made: string[] = []
  for (const [table, key] of Object.entries(tables) as [PartitionedTable, IdPrefix | "ms"][]) {
    const existing = new Set((await partitionsOf(session, table)).map(({ name }) => name))
    for (const month of months) {
      const name = `${table}_${month.name}`
      if (existing.has(name)) continue
      if (await createPartition(session, table, key, name, month)) made.push(name)
      else
        log.warn({ partition: name }, "a partition was not made: others make it, or use its table; trying again later")
    }
  }
  return made
}

/** Drops the partitions that end before `cutoffMs`. Returns their names. */
export async function dropPartitions(
  session: Session,
  table: PartitionedTable,
  cutoffMs: number,
): Promise<readonly string[]> {
  const old = (await partitionsOf(session, table)).filter(({ end_ms: end }) => end !== null && Number(end) <= cutoffMs)
  await session.run(`set lock_timeout = ${PARTITION_LOCK_MS}`)
  for (const { name } of old) await session.run(`drop table if exists ${name}`)
  return old.map(({ name }) => name)
}

/** The smallest key value at a time, as SQL. Rows in partitions and in the default partition are told apart by it. */
export const keyAt = (table: PartitionedTable, ms: number): string | number => {
  const key = tables[table]
  return key === "ms" ? ms : makeId(key, ms, new Uint8Array(16))
}

type Month = { readonly name: string; readonly start_ms: bigint; readonly end_ms: bigint }

async function createPartition(
  session: Session,
  table: PartitionedTable,
  key: IdPrefix | "ms",
  name: string,
  month: Month,
): Promise<boolean> {
  const column = table === "deliveries" ? "event_id" : key === "ms" ? "at_ms" : "id"
  const from = literal(keyAt(table, Number(month.start_ms)))
  const to = literal(keyAt(table, Number(month.end_ms)))
  // Attaching a table that is filled already locks the parent less than creating a partition in place.
  const text = `
    begin;
    set local lock_timeout = ${PARTITION_LOCK_MS};
    create table ${name} (like ${table} including all);
    with moved as (delete from ${table}_default where ${column} >= ${from} and ${column} < ${to} returning *)
      insert into ${name} select * from moved;
    alter table ${table} attach partition ${name} for values from (${from}) to (${to});
    commit`
  try {
    await session.run(text)
    return true
  } catch (error) {
    await session.run("rollback")
    const isTaken = (error as { code?: string }).code === DUPLICATE_TABLE
    if (!isTaken && failureOf(error)?.kind !== "locked") throw error
    return false
  }
}

const DUPLICATE_TABLE = "42P07"

const literal = (value: string | number): string => (typeof value === "number" ? String(value) : `'${value}'`)

/** The months' ends stand in their names. The default partition has none. */
function partitionsOf(
  session: Session,
  table: PartitionedTable,
): Promise<readonly { name: string; end_ms: bigint | null }[]> {
  return session.query(monthsOfTable, [table])
}

const comingMonths = {
  name: "coming-months",
  text: `select to_char(month, 'YYYY_MM') as name,
      (extract(epoch from month) * 1000)::bigint as start_ms,
      (extract(epoch from month + interval '1 month') * 1000)::bigint as end_ms
    from generate_series(0, $1::integer) as ahead,
      lateral (select date_trunc('month', now() at time zone 'UTC') + make_interval(months => ahead) as month) m
    order by 1`,
}

const monthsOfTable = {
  name: "months-of-table",
  text: `select c.relname as name,
      (extract(epoch from to_date(substring(c.relname from '\\d{4}_\\d{2}$'), 'YYYY_MM') + interval '1 month') * 1000)::bigint
        as end_ms
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = $1::regclass order by 1`,
}
