// The store of signals on PostgreSQL. One statement is one transaction.

import type { AccountId, MerchantId, RoutingChangeId, SignalBatchId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import { keyBelow, pageOf, rowsWanted } from "./page.ts"
import {
  HEALTH_SETTLES_MS,
  MAX_HEALTH_ROWS,
  type HealthState,
  type Mode,
  type RoutingChange,
  type SignalStore,
  type StoredBatch,
} from "./signal-store.ts"

/** How nodes hear that there are new batches; the poll makes it certain. */
export const SIGNALS_CHANNEL = "orchestra_signals"

export function createPostgresSignals({ query }: Pick<Database, "query">): SignalStore {
  return {
    async write(batches) {
      if (batches.length === 0) return
      const rows = batches.map(({ merchant, mode, id, node, at, observations, document, volumes }) => ({
        merchant_id: merchant,
        mode,
        id,
        node,
        at_ms: Math.round(at),
        observations,
        document: encodeDocument(document),
        volumes: volumes.map(({ account, month, payments, amount }) => ({ account, month, payments, amount })),
      }))
      await query(insertBatches, [JSON.stringify(rows), SIGNALS_CHANNEL])
    },

    async end() {
      const [row] = await query<{ horizon: bigint }>(horizonNow)
      return { transaction: String((row?.horizon ?? 0n) - 1n), id: AFTER_ALL }
    },

    async after(place, limit) {
      return (await query<BatchRow>(batchesAfter, [place.transaction, place.id, limit])).map(batchFrom)
    },

    async owners(since, limit) {
      const rows = await query<{ merchant_id: MerchantId; mode: Mode }>(ownersSince, [Math.floor(since), limit])
      return rows.map((row) => ({ merchant: row.merchant_id, mode: row.mode }))
    },

    async recent({ merchant, mode }, since, before, limit) {
      const values = [merchant, mode, before ?? AFTER_ALL, Math.floor(since), limit]
      return (await query<BatchRow>(recentBatches, values)).map(batchFrom)
    },

    async volumes({ merchant, mode }, month) {
      const rows = await query<{ account_id: AccountId; payments: bigint; amount: number }>(volumesOf, [
        merchant,
        mode,
        month,
      ])
      return rows.map((row) => ({
        account: row.account_id,
        month,
        payments: Number(row.payments),
        amount: row.amount,
      }))
    },

    async noteHealth({ merchant, mode, id, account, scope, from, to, at, document, event }) {
      const values = [
        merchant,
        mode,
        account,
        scope,
        to,
        Math.round(at),
        encodeDocument(document),
        from,
        HEALTH_SETTLES_MS,
        id,
        event?.id ?? null,
        event?.type ?? null,
        event === undefined ? null : encodeDocument(event.data),
      ]
      const [row] = await query<{ noted: number }>(insertHealth, values)
      return (row?.noted ?? 0) > 0
    },

    async health(owner) {
      const rows = await query<HealthRow>(healthOf, [owner.merchant, owner.mode, MAX_HEALTH_ROWS])
      return rows.map(healthFrom)
    },

    async changes({ merchant, mode }, request) {
      const rows = await query<ChangeRow>(changesOf, [merchant, mode, keyBelow(request), rowsWanted(request)])
      return pageOf(rows.map(changeFrom), request, (change) => change.id)
    },
  }
}

/** Greater than every id. */
const AFTER_ALL = "~"

type BatchRow = {
  merchant_id: MerchantId
  mode: Mode
  id: SignalBatchId
  node: string
  at_ms: bigint
  transaction: bigint
  observations: number
  document: unknown
}

const batchFrom = (row: BatchRow): StoredBatch => ({
  merchant: row.merchant_id,
  mode: row.mode,
  id: row.id,
  node: row.node,
  at: Number(row.at_ms),
  transaction: String(row.transaction),
  observations: row.observations,
  document: decodeDocument(row.document),
})

type HealthRow = { account_id: AccountId; scope: string; state: string; at_ms: bigint; document: unknown }

const healthFrom = (row: HealthRow): HealthState => ({
  account: row.account_id,
  scope: row.scope,
  state: row.state,
  at: Number(row.at_ms),
  document: decodeDocument(row.document),
})

type ChangeRow = {
  id: RoutingChangeId
  account_id: AccountId
  scope: string
  from_state: string
  to_state: string
  at_ms: bigint
  document: unknown
}

const changeFrom = (row: ChangeRow): RoutingChange => ({
  id: row.id,
  account: row.account_id,
  scope: row.scope,
  from: row.from_state,
  to: row.to_state,
  at: Number(row.at_ms),
  document: decodeDocument(row.document),
})

const batchColumns = "merchant_id, mode, id, node, at_ms, transaction, observations, document"

const insertBatches: Statement = {
  name: "signals-insert",
  text: `with given as materialized (
      select * from jsonb_to_recordset($1::jsonb) as g (merchant_id text, mode text, id text, node text, at_ms bigint,
        observations integer, document text, volumes jsonb)),
    written as (
      insert into routing_signals (merchant_id, mode, id, node, at_ms, observations, document)
      select merchant_id, mode, id, node, at_ms, observations, document::jsonb from given
      on conflict (merchant_id, mode, id) do nothing
      returning merchant_id, mode, id),
    added as (
      insert into routing_volumes (merchant_id, mode, account_id, month, payments, amount)
      select w.merchant_id, w.mode, v.account, v.month, sum(v.payments)::bigint, sum(v.amount)
      from written w
      join given g on g.merchant_id = w.merchant_id and g.mode = w.mode and g.id = w.id
      cross join lateral jsonb_to_recordset(g.volumes)
        as v (account text, month text, payments bigint, amount double precision)
      group by 1, 2, 3, 4
      order by 1, 2, 3, 4
      on conflict (merchant_id, mode, account_id, month) do update
        set payments = routing_volumes.payments + excluded.payments, amount = routing_volumes.amount + excluded.amount)
    select pg_notify($2, '') where exists (select from written)`,
}

const horizonNow: Statement = { name: "signals-horizon", text: "select ledger_horizon() as horizon" }

const batchesAfter: Statement = {
  name: "signals-after",
  text: `select ${batchColumns} from routing_signals
    where (transaction, id) > ($1::bigint, $2) and transaction < (select ledger_horizon())
    order by transaction, id limit $3`,
}

// Walks from one owner to the next along the key: a merchant costs one look, however many batches it has.
const ownersSince: Statement = {
  name: "signals-owners",
  text: `with recursive owner as (
      (select merchant_id, mode from routing_signals order by merchant_id, mode limit 1)
      union all
      select n.merchant_id, n.mode from owner o cross join lateral (
        select merchant_id, mode from routing_signals where (merchant_id, mode) > (o.merchant_id, o.mode)
        order by merchant_id, mode limit 1) n)
    select merchant_id, mode from owner o where (
      select at_ms from routing_signals s where s.merchant_id = o.merchant_id and s.mode = o.mode
      order by id desc limit 1) >= $1::bigint
    limit $2`,
}

const recentBatches: Statement = {
  name: "signals-recent",
  text: `select ${batchColumns} from routing_signals
    where merchant_id = $1 and mode = $2 and id < $3 and at_ms >= $4::bigint order by id desc limit $5`,
}

const volumesOf: Statement = {
  name: "signals-volumes",
  text: `select account_id, payments, amount from routing_volumes
    where merchant_id = $1 and mode = $2 and month = $3 order by account_id`,
}

const insertHealth: Statement = {
  name: "health-note",
  text: `with moved as (
      insert into routing_health as h (merchant_id, mode, account_id, scope, state, at_ms, document)
      select $1, $2, $3, $4, $5, $6::bigint, $7::jsonb
      where $8 = 'healthy' or exists (
        select from routing_health where merchant_id = $1 and mode = $2 and account_id = $3 and scope = $4)
      on conflict (merchant_id, mode, account_id, scope) do update
        set state = excluded.state, at_ms = excluded.at_ms, document = excluded.document
        where h.state <> excluded.state and (h.state = $8 or h.at_ms < excluded.at_ms - $9::bigint)
      returning 1),
    kept as (
      insert into routing_changes
        (merchant_id, mode, id, account_id, scope, from_state, to_state, at_ms, document)
      select $1, $2, $10, $3, $4, $8, $5, $6::bigint, $7::jsonb from moved),
    told as (
      insert into events (merchant_id, id, sequence, type, at_ms, data)
      select $1, $11::text, 0, $12::text, $6::bigint, $13::jsonb from moved where $11::text is not null)
    select count(*)::integer as noted from moved`,
}

const healthOf: Statement = {
  name: "health-of-merchant",
  text: `select account_id, scope, state, at_ms, document from routing_health
    where merchant_id = $1 and mode = $2 order by account_id, scope limit $3`,
}

const changesOf: Statement = {
  name: "routing-changes",
  text: `select id, account_id, scope, from_state, to_state, at_ms, document from routing_changes
    where merchant_id = $1 and mode = $2 and id < $3 order by id desc limit $4`,
}
