// Fills the ledger up to a number of stored payments by copying the rows of a real one, every table that a payment
// writes to: fresh ids in the order of birth, as they would have come, and documents of their true size.

import type { MerchantId, PaymentId } from "../../packages/server/src/core/id.ts"
import type { Session, Statement } from "../../packages/server/src/storage/database.ts"

/** Payments of one statement. */
const BATCH = 20_000
/** Between two of the copied payments (ms): a million in a day. */
const GAP_MS = 80

/** What is new in a copy, per table; all other columns stay. `f` is the row of fresh ids, `t` the copied row. */
const tables: Readonly<Record<string, { readonly of: string; readonly fresh: Readonly<Record<string, string>> }>> = {
  payments: {
    of: "t.id",
    fresh: {
      id: "f.pay",
      created_ms: "f.ms",
      updated_ms: "f.ms",
      merchant_reference: "case when t.merchant_reference is null then null else f.word end",
    },
  },
  attempts: { of: "t.payment_id", fresh: { payment_id: "f.pay", id: "f.att || t.position" } },
  operations: {
    of: "t.payment_id",
    fresh: { payment_id: "f.pay", id: "f.op || t.position", attempt_id: "f.att || '0'" },
  },
  provider_references: { of: "t.payment_id", fresh: { payment_id: "f.pay", reference: "f.word" } },
  idempotency_keys: { of: "t.payment_id", fresh: { payment_id: "f.pay", key: "f.word", created_ms: "f.ms" } },
  events: {
    of: "t.payment_id",
    fresh: {
      payment_id: "f.pay",
      id: "f.evt || chr(97 + row_number() over (partition by f.pay)::integer)",
      at_ms: "f.ms",
    },
  },
  transcripts: { of: "t.payment_id", fresh: { payment_id: "f.pay", at_ms: "f.ms" } },
  cards: { of: "t.payment_id", fresh: { payment_id: "f.pay", id: "f.tok", created_ms: "f.ms" } },
}

// The first ten digits of an id are its time in base 32; the rest is random, with the bits that say UUIDv7. All ids of one
// payment share both.
const timeFunction = `create function pg_temp.bench_time(ms bigint) returns text language sql immutable
  return (select string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', ((ms >> (45 - 5 * i)) & 31)::integer + 1, 1), '' order by i)
    from generate_series(0, 9) i)`

const freshTable = `create temp table fresh as
  select n, ms, 'pay_' || long as pay, 'att_' || short as att, 'op_' || short as op, 'evt_' || short as evt,
    'tok_' || long as tok, 'order-' || right(random, 14) as word
  from (select n, ms, random, time || 'e' || substr(random, 1, 2) || '8' || substr(random, 3, 12) as long,
      time || 'e' || substr(random, 1, 2) || '8' || substr(random, 3, 11) as short
    from (select n, ms, pg_temp.bench_time(ms) as time, md5($5 || n::text) as random
      from (select n, $1::bigint - n * $2::bigint as ms from generate_series($3::bigint, $4::bigint, -1) n) a) b) c`

/** Copies `payment` until there are `wanted` payments, and tells how many rows of each table one payment has. */
export async function prefill(
  session: Session,
  merchant: MerchantId,
  payment: PaymentId,
  wanted: number,
): Promise<void> {
  const stored = Number((await one(session, "select count(*)::integer as n from payments"))["n"])
  const now = Number((await one(session, "select created_ms as n from payments where id = $1", [payment]))["n"])
  // Copies of what the foreign keys have seen; and what a crash would lose is made again.
  await session.run("set synchronous_commit = off; set work_mem = '64MB'; set session_replication_role = replica")
  await session.run(timeFunction)
  const columns = await session.query<{ table_name: string; column_name: string }>(
    unnamed(
      `select table_name, column_name from information_schema.columns
       where table_schema = 'public' and table_name = any ($1) order by ordinal_position`,
    ),
    [Object.keys(tables)],
  )
  // The oldest first: ids come in the order of birth.
  for (let left = wanted - stored; left > 0; left -= BATCH) {
    await session.run("drop table if exists fresh")
    await session.query(unnamed(freshTable), [now, GAP_MS, left, Math.max(1, left - BATCH + 1), `${wanted} `])
    for (const [table, { of, fresh }] of Object.entries(tables)) {
      const names = columns.filter((column) => column.table_name === table).map((column) => column.column_name)
      await session.query(
        unnamed(
          `insert into ${table} (${names.join(", ")}) select ${names.map((name) => fresh[name] ?? `t.${name}`).join(", ")}
           from fresh f cross join ${table} t where t.merchant_id = $1 and ${of} = $2 order by f.ms`,
        ),
        [merchant, payment],
      )
    }
  }
  // The outbox was read to its end, as it would have been, by every reader; the server made their rows for the capture.
  await session.run("update relays set transaction = ledger_horizon(), event_id = '', lease_until_ms = 0")
  await session.run("vacuum (analyze)")
  await session.run("checkpoint")
}

/**
 * Reads every index into the file system's cache. In a database that has been at work they are there; here the copying of
 * tens of gigabytes has just driven them out.
 */
export async function warmIndexes(session: Session): Promise<void> {
  await session.run("create extension if not exists pg_prewarm")
  await session.run(
    `select sum(pg_prewarm(c.oid, 'read')) from pg_class c join pg_namespace s on s.oid = c.relnamespace
     where s.nspname = 'public' and c.relkind = 'i'`,
  )
}

export async function storedPayments(session: Session): Promise<number> {
  return Number((await one(session, "select count(*)::integer as n from payments"))["n"])
}

/** Bytes of one stored payment: heap, indexes and what is kept out of line. */
export async function bytesPerPayment(session: Session): Promise<number> {
  const { n, bytes } = await one(
    session,
    `select (select count(*) from payments)::float8 as n,
       (select sum(pg_total_relation_size(c.oid)) from pg_class c join pg_namespace s on s.oid = c.relnamespace
        where s.nspname = 'public' and c.relkind = 'r')::float8 as bytes`,
  )
  return Number(bytes) / Number(n)
}

async function one(session: Session, text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>> {
  const [row] = await session.query<Record<string, unknown>>(unnamed(text), values)
  return row ?? {}
}

const unnamed = (text: string): Statement => ({ name: "", text })
