// Events on their way to webhook endpoints: engine/delivery.ts says what may become of one. The queue is read per
// endpoint, a few of each, so that one that answers slowly or not at all never stands before the others, whatever waits
// for it. Nothing is locked while a post is under way: a claim moves the time, and only one can move it.

import type { EventId, MerchantId, WebhookEndpointId } from "../../core/id.ts"
import { makeId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import type { OutboxEvent } from "../ledger/ledger.ts"
import { record } from "../ledger/rows.ts"
import { noteChange } from "./changes.ts"
import { keyBelow, pageOf, rowsWanted, type Page, type PageRequest } from "./page.ts"

export type DeliveryState = "pending" | "delivered" | "failed"
export type DeliveryKey = {
  readonly merchant: MerchantId
  readonly event: EventId
  readonly endpoint: WebhookEndpointId
}

export type DeliveryTry = {
  readonly at: number
  readonly durationMs: number
  readonly status?: number
  readonly error?: string
  readonly answer?: string
}

export type DueDelivery = {
  readonly key: DeliveryKey
  /** Since it was created or replayed. */
  readonly tries: number
  readonly nextAt: number
  readonly createdAt: number
  readonly event: Pick<OutboxEvent, "id" | "type" | "at" | "sequence" | "data">
  readonly endpoint: {
    readonly url: string
    readonly mode: "live" | "test"
    readonly secrets: readonly Uint8Array[]
  }
}

export type DeliveryRow = {
  readonly key: DeliveryKey
  readonly state: DeliveryState
  readonly tries: number
  readonly nextAt?: number
  readonly createdAt: number
  readonly deliveredAt?: number
  readonly event: Pick<OutboxEvent, "type" | "at" | "payment">
  /** The latest tries, oldest first. */
  readonly log: readonly DeliveryTry[]
}

/** Tries kept in a delivery's log. */
export const MAX_LOGGED_TRIES = 20

/** What decides who hears of an event; its data only where it belongs to no payment. */
type Announced = Pick<OutboxEvent, "id" | "merchant" | "payment" | "type"> & { readonly data?: unknown }

export type DeliveryRows = ReturnType<typeof deliveryRows>

/** The deliverer's store. */
export function deliveryRows(database: Database) {
  return {
    /** Adds a pending delivery, due now, for each event and each endpoint that wants it. Existing ones stay as they are. */
    async fanOut(events: readonly Announced[]): Promise<void> {
      const rows = events.map((event) => {
        const { id, merchant, payment, type } = event
        // The payment knows its mode; only without one it is looked up in the data.
        const mode = payment === undefined ? modeIn(event.data) : undefined
        return record({ columns: { merchant_id: merchant, id, payment_id: payment, type, mode } })
      })
      await database.query(fanOut, [`[${rows.join()}]`])
    },

    /** Due deliveries of enabled endpoints, at most `perEndpoint` of one, none of `except`. Takes no locks. */
    async due(
      limit: number,
      perEndpoint: number,
      except: readonly Pick<DeliveryKey, "merchant" | "endpoint">[],
    ): Promise<readonly DueDelivery[]> {
      const rows = await database.query<DueRow>(due, [limit, perEndpoint, except.map(({ endpoint }) => endpoint)])
      return rows.map(dueFrom)
    },

    /** Makes one due delivery ours for `leaseMs`; false when another node was first. */
    async claim({ key, nextAt }: DueDelivery, leaseMs: number): Promise<boolean> {
      const values = [key.merchant, key.event, key.endpoint, nextAt, Math.ceil(leaseMs)]
      return (await database.query(claim, values)).length === 1
    },

    /** Notes a try and what follows from it. */
    async record(
      key: DeliveryKey,
      result: { readonly state: DeliveryState; readonly nextAt?: number; readonly tried: DeliveryTry },
    ): Promise<void> {
      const nextMs = result.nextAt === undefined ? null : Math.ceil(result.nextAt)
      const values = [key.merchant, key.event, key.endpoint, result.state, nextMs, encodeDocument([result.tried])]
      await database.query(recordTry, values)
    },

    /** Whether any delivery to the endpoint got through at or after this time. */
    async deliveredSince(merchant: MerchantId, endpoint: WebhookEndpointId, ms: number): Promise<boolean> {
      return (await database.query(deliveredSince, [merchant, endpoint, Math.ceil(ms)])).length === 1
    },

    /** Disables the endpoint and stores the event that says so; false when it was not enabled. */
    async disable(merchant: MerchantId, endpoint: WebhookEndpointId, event: OutboxEvent): Promise<boolean> {
      const { id, payment, sequence, type, at, data } = event
      const values = [merchant, endpoint, id, payment ?? null, sequence, type, Math.round(at), encodeDocument(data)]
      return (await database.query(disable, values)).length === 1
    },

    /** Makes one delivery pending and due again, with all its tries; false when there is no such delivery. */
    async replay({ merchant, event, endpoint }: DeliveryKey): Promise<boolean> {
      return (await database.query(replay, [merchant, event, endpoint])).length === 1
    },

    /** The same for the next `limit` events after `after`, from `since` (ms) on, that the endpoint subscribes to. */
    async replayPage(
      merchant: MerchantId,
      endpoint: WebhookEndpointId,
      since: number,
      after: EventId | undefined,
      limit: number,
    ): Promise<{ readonly replayed: number; readonly last: EventId | undefined }> {
      const start = makeId("evt", Math.max(0, Math.floor(since)), new Uint8Array(16))
      const from = after !== undefined && after > start ? after : start
      const [row] = await database.query<{ replayed: number; last: EventId | null }>(replayPage, [
        merchant,
        endpoint,
        from,
        limit,
      ])
      return { replayed: row?.replayed ?? 0, last: row?.last ?? undefined }
    },
  }
}

/** An endpoint's deliveries, newest events first. */
export async function listDeliveries(
  database: Database,
  { merchant, endpoint, state }: Pick<DeliveryKey, "merchant" | "endpoint"> & { readonly state?: DeliveryState },
  request: PageRequest,
): Promise<Page<DeliveryRow>> {
  const values = [merchant, endpoint, keyBelow(request), rowsWanted(request), state ?? null]
  const rows = await database.query<ListedRow>(listed, values)
  return pageOf(rows.map(deliveryFrom), request, (row) => row.key.event)
}

type DueRow = {
  merchant_id: MerchantId
  event_id: EventId
  endpoint_id: WebhookEndpointId
  tries: number
  next_ms: bigint
  created_ms: bigint
  type: string
  at_ms: bigint
  sequence: number
  data: unknown
  url: string
  mode: "live" | "test"
  secrets: string[] | null
}

const dueFrom = (row: DueRow): DueDelivery => ({
  key: { merchant: row.merchant_id, event: row.event_id, endpoint: row.endpoint_id },
  tries: row.tries,
  nextAt: Number(row.next_ms),
  createdAt: Number(row.created_ms),
  event: {
    id: row.event_id,
    type: row.type,
    at: Number(row.at_ms),
    sequence: row.sequence,
    data: decodeDocument(row.data),
  },
  endpoint: {
    url: row.url,
    mode: row.mode,
    secrets: (row.secrets ?? []).map((hex) => new Uint8Array(Buffer.from(hex, "hex"))),
  },
})

type ListedRow = {
  merchant_id: MerchantId
  event_id: EventId
  endpoint_id: WebhookEndpointId
  state: DeliveryState
  tries: number
  next_ms: bigint | null
  created_ms: bigint
  delivered_ms: bigint | null
  log: unknown
  type: string
  at_ms: bigint
  payment_id: OutboxEvent["payment"] | null
}

const deliveryFrom = (row: ListedRow): DeliveryRow => ({
  key: { merchant: row.merchant_id, event: row.event_id, endpoint: row.endpoint_id },
  state: row.state,
  tries: row.tries,
  ...(row.next_ms === null ? {} : { nextAt: Number(row.next_ms) }),
  createdAt: Number(row.created_ms),
  ...(row.delivered_ms === null ? {} : { deliveredAt: Number(row.delivered_ms) }),
  event: {
    type: row.type,
    at: Number(row.at_ms),
    ...(typeof row.payment_id === "string" ? { payment: row.payment_id } : {}),
  },
  log: decodeDocument(row.log) as readonly DeliveryTry[],
})

/** Events of no payment may say themselves which mode they belong to. */
function modeIn(data: unknown): string | undefined {
  const mode = typeof data === "object" && data !== null && "mode" in data ? data.mode : undefined
  return mode === "live" || mode === "test" ? mode : undefined
}

/** A test goes to the one endpoint that it tests. */
const TEST = "webhook_endpoint.test"

/** Stores a test event with its delivery to this endpoint alone. */
export async function storeTestEvent(
  database: Database,
  endpoint: WebhookEndpointId,
  { id, merchant, sequence, at, data }: Omit<OutboxEvent, "payment" | "type">,
): Promise<void> {
  await database.query(insertTest, [merchant, endpoint, id, sequence, Math.round(at), encodeDocument(data)])
}

/** Whether an endpoint `w` wants an event of this type: exact, `payment.*`, or `*`. */
const wants = (type: string): string =>
  `(w.event_types && array[${type}, split_part(${type}, '.', 1) || '.*', '*'] and ${type} <> '${TEST}')`

const insertTest: Statement = {
  name: "webhook-endpoint-test",
  text: `with event as (
      insert into events (merchant_id, id, payment_id, sequence, type, at_ms, data)
      values ($1, $3, null, $4, '${TEST}', $5, $6) returning merchant_id, id)
    insert into deliveries (merchant_id, event_id, endpoint_id, state, next_ms)
    select merchant_id, id, $2, 'pending', now_ms() from event`,
}

// An event goes to endpoints of its payment's mode, or of the mode it names; what belongs to no mode, to both.
const fanOut: Statement = {
  name: "deliveries-fan-out",
  text: `insert into deliveries (merchant_id, event_id, endpoint_id, state, next_ms)
    select e.merchant_id, e.id, w.id, 'pending', now_ms()
    from jsonb_to_recordset($1::jsonb) as e (merchant_id text, id text, payment_id text, type text,
      mode text)
    join webhook_endpoints w on w.merchant_id = e.merchant_id and w.state = 'enabled' and ${wants("e.type")}
    left join payments p on p.merchant_id = e.merchant_id and p.id = e.payment_id
    where w.mode = coalesce(p.mode, e.mode, w.mode)
    on conflict (merchant_id, event_id, endpoint_id) do nothing`,
}

const due: Statement = {
  name: "deliveries-due",
  text: `select d.merchant_id, d.event_id, d.endpoint_id, d.tries, d.next_ms, d.created_ms,
      e.type, e.at_ms, e.sequence, e.data, w.url, w.mode,
      (select array_agg(encode(s.sealed, 'hex') order by s.generation desc) from webhook_secrets s
        where s.merchant_id = w.merchant_id and s.endpoint_id = w.id
          and (s.until_ms is null or s.until_ms > now_ms())) as secrets
    from webhook_endpoints w
    cross join lateral (
      select merchant_id, event_id, endpoint_id, tries, next_ms, created_ms from deliveries
      where merchant_id = w.merchant_id and endpoint_id = w.id and next_ms <= now_ms()
      order by next_ms, event_id limit least($1::integer, $2::integer)
    ) d
    join events e on e.merchant_id = d.merchant_id and e.id = d.event_id
    where w.state = 'enabled' and w.id <> all ($3::text[])
    order by d.next_ms, d.event_id limit $1::integer`,
}

const claim: Statement = {
  name: "delivery-claim",
  text: `update deliveries set next_ms = now_ms() + $5::bigint
    where merchant_id = $1 and event_id = $2 and endpoint_id = $3 and next_ms = $4 returning 1`,
}

const recordTry: Statement = {
  name: "delivery-record",
  text: `update deliveries set state = $4, next_ms = $5, tries = tries + 1,
      delivered_ms = case when $4 = 'delivered' then now_ms() else delivered_ms end,
      log = case when jsonb_array_length(log) >= ${MAX_LOGGED_TRIES} then log - 0 else log end || $6::jsonb
    where merchant_id = $1 and event_id = $2 and endpoint_id = $3`,
}

const deliveredSince: Statement = {
  name: "deliveries-since",
  text: `select 1 from deliveries where merchant_id = $1 and endpoint_id = $2 and delivered_ms >= $3
    order by delivered_ms desc limit 1`,
}

const disable: Statement = {
  name: "webhook-endpoint-disable",
  text: `with written as (
      update webhook_endpoints set state = 'disabled', disabled_reason = $8::jsonb ->> 'reason', version = version + 1, updated_ms = now_ms()
      where merchant_id = $1 and id = $2 and state = 'enabled' returning merchant_id),
    event as (
      insert into events (merchant_id, id, payment_id, sequence, type, at_ms, data)
      select $1, $3, $4::text, $5::integer, $6, $7::bigint, $8::jsonb from written),
    ${noteChange("webhook_endpoints")}
    select 1 from written`,
}

const replay: Statement = {
  name: "delivery-replay",
  text: `update deliveries set state = 'pending', next_ms = now_ms(), tries = 0
    where merchant_id = $1 and event_id = $2 and endpoint_id = $3 returning 1`,
}

const replayPage: Statement = {
  name: "deliveries-replay",
  text: `with page as materialized (
      select e.merchant_id, e.id, e.payment_id, e.type, e.data ->> 'mode' as mode from events e
      where e.merchant_id = $1 and e.id > $3 order by e.id limit $4),
    replayed as (
      insert into deliveries (merchant_id, event_id, endpoint_id, state, next_ms)
      select p.merchant_id, p.id, w.id, 'pending', now_ms() from page p
      join webhook_endpoints w on w.merchant_id = p.merchant_id and w.id = $2 and ${wants("p.type")}
      left join payments q on q.merchant_id = p.merchant_id and q.id = p.payment_id
      where w.mode = coalesce(q.mode, p.mode, w.mode)
      on conflict (merchant_id, event_id, endpoint_id)
      do update set state = 'pending', next_ms = excluded.next_ms, tries = 0
      returning 1)
    select (select count(*) from replayed)::integer as replayed, (select max(id) from page) as last`,
}

const listed: Statement = {
  name: "deliveries",
  text: `select d.merchant_id, d.event_id, d.endpoint_id, d.state, d.tries, d.next_ms, d.created_ms, d.delivered_ms, d.log,
      e.type, e.at_ms, e.payment_id
    from deliveries d join events e on e.merchant_id = d.merchant_id and e.id = d.event_id
    where d.merchant_id = $1 and d.endpoint_id = $2 and d.event_id < $3 and ($5::text is null or d.state = $5)
    order by d.event_id desc limit $4`,
}
