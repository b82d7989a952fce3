// What is kept, and how long: old months are dropped whole, old rows of other tables are deleted in small batches with
// rests between them, so that payments do not notice. Every step may be repeated and interrupted; several nodes may run
// it at once, to no purpose but no harm. A transaction here is short: a long one would hold back the outbox.

import { BUDGET_MEMORY_DAYS } from "../../core/card-attempt.ts"
import type { Clock, Log } from "../../ports.ts"
import { failureOf, type Database, type Session, type Statement } from "../database.ts"
import { createPartitions, dropPartitions, keyAt, type PartitionedTable } from "./partitions.ts"

/** Days. */
export type Retention = {
  readonly events: number
  readonly deliveries: number
  readonly transcripts: number
  /** Bodies, and the memory of which webhooks were seen: providers redeliver for days, not for months. */
  readonly inboundWebhooks: number
  readonly idempotency: number
  /** After a payment has ended, its card number is kept for as long as an operator may want to look into it. */
  readonly oneOffCards: number
  /** What nodes told each other of outcomes: a starting node reads the last week of it. */
  readonly routingSignals: number
  readonly routingChanges: number
}

export const defaultRetention: Retention = {
  events: 760, // 25 months, as long as facts: they are rebuilt from events
  deliveries: 90,
  transcripts: 90,
  inboundWebhooks: 90,
  idempotency: 30,
  oneOffCards: 1,
  routingSignals: 8,
  routingChanges: 400,
}

/** Rows deleted by one statement. */
export const RETENTION_BATCH = 1_000
/** Batches of one table in one run; what is left waits for the next. */
export const MAX_BATCHES = 500
/** Rest between batches (ms). */
export const RETENTION_PAUSE_MS = 50

const DAY_MS = 86_400_000
/** Who was drawn is asked for until the last payment of an experiment has its outcome. */
const UNITS_KEPT_MS = 2 * DAY_MS

export type RetentionReport = {
  readonly partitionsMade: readonly string[]
  readonly partitionsDropped: readonly string[]
  readonly rowsDeleted: Readonly<Record<string, number>>
}

export async function applyRetention(
  database: Database,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  retention: Retention = defaultRetention,
): Promise<RetentionReport> {
  const now = clock.now()
  const before = (days: number): number => now - days * DAY_MS
  const session = await database.session()
  try {
    const partitionsMade = await createPartitions(session, log)
    const dropped: string[] = []
    const deleted: Record<string, number> = {}
    for (const [table, days] of [
      ["events", retention.events],
      ["deliveries", retention.deliveries],
      ["transcripts", retention.transcripts],
      ["inbound_webhook_bodies", retention.inboundWebhooks],
    ] as const) {
      dropped.push(...(await dropOld(session, table, before(days), log)))
      deleted[`${table}_default`] = await inBatches(session, clock, strayRows(table), [keyAt(table, before(days))])
    }
    deleted["inbound_webhooks"] = await inBatches(session, clock, oldWebhooks, [
      keyAt("inbound_webhook_bodies", before(retention.inboundWebhooks)),
    ])
    deleted["idempotency_keys"] = await inBatches(session, clock, oldKeys, [before(retention.idempotency)])
    deleted["request_keys"] = await inBatches(session, clock, endedRequestKeys, [now])
    deleted["routing_signals"] = await inBatches(session, clock, oldRows("routing_signals"), [
      Math.floor(before(retention.routingSignals)),
    ])
    deleted["routing_changes"] = await inBatches(session, clock, oldRows("routing_changes"), [
      Math.floor(before(retention.routingChanges)),
    ])
    deleted["card_attempts"] = await inBatches(session, clock, oldCardAttempts, [before(BUDGET_MEMORY_DAYS)])
    deleted["trial_units"] = await inBatches(session, clock, unitsOfEndedTrials, [Math.floor(now - UNITS_KEPT_MS)])
    deleted["cards"] = await oneOffCards(session, clock, before(retention.oneOffCards))
    return { partitionsMade, partitionsDropped: dropped, rowsDeleted: deleted }
  } finally {
    await session.close()
  }
}

/** Payments come first: where the lock is not to be had at once, the month waits for the next run. */
async function dropOld(
  session: Session,
  table: PartitionedTable,
  cutoffMs: number,
  log: Log,
): Promise<readonly string[]> {
  try {
    return await dropPartitions(session, table, cutoffMs)
  } catch (error) {
    if (failureOf(error)?.kind !== "locked") throw error
    log.warn({ table }, "an old partition is in use; it is dropped at the next run")
    return []
  }
}

async function inBatches(
  session: Session,
  clock: Clock,
  statement: Statement,
  values: readonly unknown[],
): Promise<number> {
  let deleted = 0
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const [row] = await session.query<{ deleted: number }>(statement, [...values, RETENTION_BATCH])
    deleted += row?.deleted ?? 0
    if ((row?.deleted ?? 0) < RETENTION_BATCH) break
    await clock.sleep(RETENTION_PAUSE_MS)
  }
  return deleted
}

// Walks from the oldest card; those that are still needed are passed by, so each batch starts behind the last.
async function oneOffCards(session: Session, clock: Clock, cutoffMs: number): Promise<number> {
  let deleted = 0
  let after = ""
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const [row] = await session.query<{ deleted: number; last: string | null }>(cardsOfEndedPayments, [
      after,
      Math.floor(cutoffMs),
      RETENTION_BATCH,
    ])
    deleted += row?.deleted ?? 0
    if (row === undefined || row.last === null) break
    after = row.last
    await clock.sleep(RETENTION_PAUSE_MS)
  }
  return deleted
}

/** Rows that lie in the default partition because their month was made too late, or never. */
const strayRows = (table: PartitionedTable): Statement => {
  const key = table === "transcripts" ? "at_ms" : table === "deliveries" ? "event_id" : "id"
  return {
    name: `retention-${table}`,
    text: `with gone as (
        delete from ${table}_default where ctid = any (array(
          select ctid from ${table}_default where ${key} < $1 limit $2))
        returning 1)
      select count(*)::integer as deleted from gone`,
  }
}

const oldWebhooks: Statement = {
  name: "retention-inbound-webhooks",
  text: `with old as materialized (
      select merchant_id, id from inbound_webhooks where id < $1 order by id limit $2),
    gone as (
      delete from inbound_webhooks w using old where w.merchant_id = old.merchant_id and w.id = old.id returning 1)
    select count(*)::integer as deleted from gone`,
}

const oldKeys: Statement = {
  name: "retention-idempotency",
  text: `with old as materialized (
      select merchant_id, mode, method, path, key from idempotency_keys where created_ms < $1
      order by created_ms limit $2),
    gone as (
      delete from idempotency_keys k using old
      where k.merchant_id = old.merchant_id and k.mode = old.mode and k.method = old.method and k.path = old.path
        and k.key = old.key
      returning 1)
    select count(*)::integer as deleted from gone`,
}

// No rule of a scheme looks back further, so the time is no setting.
const oldCardAttempts: Statement = {
  name: "retention-card-attempts",
  text: `with old as materialized (
      select merchant_id, mode, network, fingerprint, at_ms, attempt_id from card_attempts where at_ms < $1::bigint
      order by at_ms limit $2),
    gone as (
      delete from card_attempts c using old
      where c.merchant_id = old.merchant_id and c.mode = old.mode and c.network = old.network
        and c.fingerprint = old.fingerprint and c.at_ms = old.at_ms and c.attempt_id = old.attempt_id
      returning 1)
    select count(*)::integer as deleted from gone`,
}

const unitsOfEndedTrials: Statement = {
  name: "retention-trial-units",
  text: `with old as materialized (
      select u.merchant_id, u.trial_id, u.unit_id from trials t
      join trial_units u on u.merchant_id = t.merchant_id and u.trial_id = t.id
      where t.ended_ms < $1::bigint limit $2),
    gone as (
      delete from trial_units u using old
      where u.merchant_id = old.merchant_id and u.trial_id = old.trial_id and u.unit_id = old.unit_id returning 1)
    select count(*)::integer as deleted from gone`,
}

const endedRequestKeys: Statement = {
  name: "retention-request-keys",
  text: `with old as materialized (
      select merchant_id, resource_id from request_keys where until_ms < $1::bigint order by until_ms limit $2),
    gone as (
      delete from request_keys k using old
      where k.merchant_id = old.merchant_id and k.resource_id = old.resource_id
      returning 1)
    select count(*)::integer as deleted from gone`,
}

const oldRows = (table: "routing_signals" | "routing_changes"): Statement => ({
  name: `retention-${table}`,
  text: `with old as materialized (
      select merchant_id, mode, id from ${table} where at_ms < $1::bigint order by at_ms limit $2),
    gone as (
      delete from ${table} t using old
      where t.merchant_id = old.merchant_id and t.mode = old.mode and t.id = old.id
      returning 1)
    select count(*)::integer as deleted from gone`,
})

// Captures, refunds and disputes go by the provider's reference; a number is needed for another attempt alone, and an
// ended payment makes none, nor does a verification that succeeded. A card whose payment never came (its commit failed) is as old as its own row says.
const cardsOfEndedPayments: Statement = {
  name: "retention-cards",
  text: `with old as materialized (
      select merchant_id, id, payment_id, created_ms from cards
      where payment_id is not null and id > $1 and created_ms < $2::bigint order by id limit $3),
    ended as materialized (
      select old.merchant_id, old.id from old
      left join payments p on p.merchant_id = old.merchant_id and p.id = old.payment_id
      where p.id is null
        or ((p.status in ('captured', 'canceled', 'failed', 'expired') or (p.status = 'authorized' and p.requested = 0))
          and p.updated_ms < $2::bigint
          and not exists (
            select from payment_wakes w where w.merchant_id = p.merchant_id and w.payment_id = p.id))),
    gone as (
      delete from cards c using ended e
      where c.merchant_id = e.merchant_id and c.id = e.id and c.payment_id is not null returning 1)
    select (select count(*) from gone)::integer as deleted, (select max(id) from old) as last`,
}
