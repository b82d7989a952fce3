// Webhooks from providers as people look at them: what came, what became of it, and working on one again. Receiving and
// processing are the ledger's.

import type { AccountId, InboundWebhookId, MerchantId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument } from "../document.ts"
import type { InboundResult, InboundWebhook } from "../ledger/ledger.ts"
import { keyBelow, pageOf, rowsWanted, type Page, type PageRequest } from "./page.ts"

/** `waiting`: not worked on yet, or to be matched again later. */
export type InboundState = InboundResult | "waiting"

export type InboundRow = Pick<InboundWebhook, "id" | "merchant" | "account" | "receivedAt" | "tries"> & {
  readonly state: InboundState
  /** When it is worked on next. */
  readonly nextAt?: number
  /** As it came; gone when retention took it. */
  readonly body?: string
}

export type InboundFilter = {
  readonly merchant: MerchantId
  /** Of these accounts. */
  readonly accounts: readonly AccountId[]
  readonly state?: InboundState
}

/** Newest first. Walks along all merchants' webhooks by age, which an installation for a few merchants can afford. */
export async function listInbound(
  database: Database,
  { merchant, accounts, state }: InboundFilter,
  request: PageRequest,
): Promise<Page<InboundRow>> {
  const values = [merchant, keyBelow(request), rowsWanted(request), accounts, state ?? null]
  const rows = await database.query<Row>(listed, values)
  return pageOf(rows.map(inboundFrom), request, (row) => row.id)
}

export async function findInbound(
  database: Database,
  merchant: MerchantId,
  id: InboundWebhookId,
): Promise<InboundRow | undefined> {
  const [row] = await database.query<Row>(byId, [merchant, id])
  return row === undefined ? undefined : inboundFrom(row)
}

/** Makes it due now, with all its tries. False where it or its body is gone. */
export async function replayInbound(database: Database, merchant: MerchantId, id: InboundWebhookId): Promise<boolean> {
  return (await database.query(replay, [merchant, id])).length === 1
}

type Row = {
  merchant_id: MerchantId
  account_id: AccountId
  id: InboundWebhookId
  received_ms: bigint
  tries: number
  next_ms: bigint | null
  result: InboundResult | null
  content: unknown
}

function inboundFrom(row: Row): InboundRow {
  const content = decodeDocument(row.content) as { readonly body: string } | null
  return {
    id: row.id,
    merchant: row.merchant_id,
    account: row.account_id,
    receivedAt: Number(row.received_ms),
    tries: row.tries,
    state: row.next_ms === null && row.result !== null ? row.result : "waiting",
    ...(row.next_ms === null ? {} : { nextAt: Number(row.next_ms) }),
    ...(content === null ? {} : { body: content.body }),
  }
}

const columns = `w.merchant_id, w.account_id, w.id, w.received_ms, w.tries, w.next_ms, w.result,
  (select b.content from inbound_webhook_bodies b where b.merchant_id = w.merchant_id and b.id = w.id) as content`

const listed: Statement = {
  name: "inbound-webhooks",
  text: `select ${columns} from inbound_webhooks w
    where w.merchant_id = $1 and w.id < $2 and w.account_id = any ($4::text[])
      and ($5::text is null or case when w.next_ms is null then w.result else 'waiting' end = $5)
    order by w.id desc limit $3`,
}

const byId: Statement = {
  name: "inbound-webhook",
  text: `select ${columns} from inbound_webhooks w where w.merchant_id = $1 and w.id = $2`,
}

const replay: Statement = {
  name: "inbound-replay",
  text: `update inbound_webhooks w set next_ms = now_ms(), tries = 0 where w.merchant_id = $1 and w.id = $2
      and exists (select from inbound_webhook_bodies b where b.merchant_id = w.merchant_id and b.id = w.id)
    returning 1`,
}
