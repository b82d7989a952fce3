// The event log as people and machines read it: a merchant's stream, and one payment's timeline.

import { makeId, timeOf, type EventId, type MerchantId, type PaymentId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument } from "../document.ts"
import type { OutboxEvent } from "../ledger/ledger.ts"
import { keyBelow, pageOf, rowsWanted, type Page, type PageRequest } from "./page.ts"

export type EventFilter = {
  readonly merchant: MerchantId
  readonly payment?: PaymentId
  readonly types?: readonly string[]
  /** Those that say they are of this mode, as all events of payments do. */
  readonly mode?: "live" | "test"
}

/** Clocks of nodes may differ by this much (ms): an event's id can be a little older than its payment's. */
export const CLOCK_MARGIN_MS = 60_000

/** Newest first. */
export async function listEvents(
  database: Database,
  { merchant, payment, types, mode }: EventFilter,
  request: PageRequest,
): Promise<Page<OutboxEvent>> {
  const below = keyBelow(request)
  const limit = rowsWanted(request)
  const rows =
    payment === undefined
      ? await database.query<Row>(ofMerchant, [merchant, below, limit, types ?? null, mode ?? null])
      : await database.query<Row>(ofPayment, [merchant, below, limit, types ?? null, payment, oldestEventOf(payment)])
  return pageOf(rows.map(eventFrom), request, (event) => event.id)
}

export async function findEvent(
  database: Database,
  merchant: MerchantId,
  id: EventId,
): Promise<OutboxEvent | undefined> {
  const [row] = await database.query<Row>(byId, [merchant, id])
  return row === undefined ? undefined : eventFrom(row)
}

/** No event of a payment is older than the payment: the months before are not even looked at. */
const oldestEventOf = (payment: PaymentId): string =>
  makeId("evt", Math.max(0, timeOf(payment) - CLOCK_MARGIN_MS), new Uint8Array(16))

type Row = {
  merchant_id: MerchantId
  id: EventId
  payment_id: PaymentId | null
  sequence: number
  type: string
  at_ms: bigint
  data: unknown
}

const eventFrom = (row: Row): OutboxEvent => ({
  id: row.id,
  merchant: row.merchant_id,
  ...(row.payment_id === null ? {} : { payment: row.payment_id }),
  sequence: row.sequence,
  type: row.type,
  data: decodeDocument(row.data),
  at: Number(row.at_ms),
})

const columns = "merchant_id, id, payment_id, sequence, type, at_ms, data"

const byId: Statement = {
  name: "event-by-id",
  text: `select ${columns} from events where merchant_id = $1 and id = $2`,
}

const ofMerchant: Statement = {
  name: "events-of-merchant",
  text: `select ${columns} from events
    where merchant_id = $1 and id < $2 and ($4::text[] is null or type = any ($4::text[]))
      and ($5::text is null or data ->> 'mode' = $5)
    order by id desc limit $3`,
}

const ofPayment: Statement = {
  name: "events-of-payment",
  text: `select ${columns} from events
    where merchant_id = $1 and payment_id = $5 and id < $2 and id >= $6
      and ($4::text[] is null or type = any ($4::text[]))
    order by id desc limit $3`,
}
