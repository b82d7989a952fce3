// Whole payments, many at once, with how long their providers' calls took: what facts are made of.

import type { MerchantId, PaymentId } from "../../core/id.ts"
import type { Payment } from "../../core/payment.ts"
import { timeOf } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { paymentFrom, storedPaymentColumns, type StoredPayment } from "../ledger/rows.ts"
import { CLOCK_MARGIN_MS } from "./events.ts"

export type PaymentKey = { readonly merchant: MerchantId; readonly payment: PaymentId }
export type WithCalls = {
  readonly payment: Payment
  /** Of each operation the first exchange, as long as retention keeps it. */
  readonly calls: readonly { readonly operation: string; readonly durationMs: number }[]
}

/** Those of the keys that there are, in no order. */
export async function loadPayments(database: Database, keys: readonly PaymentKey[]): Promise<readonly WithCalls[]> {
  if (keys.length === 0) return []
  const columns = [keys.map(({ merchant }) => merchant), keys.map(({ payment }) => payment)]
  return withCalls(database, await database.query<StoredPayment>(ofKeys, columns))
}

/** All payments of all merchants, page by page: those after the key, by merchant and id. */
export async function nextPayments(
  database: Database,
  after: PaymentKey | undefined,
  limit: number,
): Promise<readonly WithCalls[]> {
  const values = [after?.merchant ?? "", after?.payment ?? "", limit]
  return withCalls(database, await database.query<StoredPayment>(afterKey, values))
}

/** About how many payments there are, for whoever waits. */
export async function estimatePayments(database: Database): Promise<number> {
  const [row] = await database.query<{ count: bigint }>(estimate)
  return Math.max(Number(row?.count ?? 0n), 0)
}

async function withCalls(database: Database, rows: readonly StoredPayment[]): Promise<readonly WithCalls[]> {
  if (rows.length === 0) return []
  const since = Math.max(0, Math.min(...rows.map(({ id }) => timeOf(id))) - CLOCK_MARGIN_MS)
  const told = await database.query<{ payment_id: string; operation: string; duration: number }>(callsOf, [
    rows.map((row) => row.merchant_id),
    rows.map((row) => row.id),
    since,
  ])
  const calls = Map.groupBy(told, (call) => call.payment_id)
  return rows.map((row) => ({
    payment: paymentFrom(row),
    calls: (calls.get(row.id) ?? []).map(({ operation, duration }) => ({ operation, durationMs: Number(duration) })),
  }))
}

const ofKeys: Statement = {
  name: "payments-of-keys",
  text: `select ${storedPaymentColumns} from unnest($1::text[], $2::text[]) as wanted (merchant_id, id)
    join payments p on p.merchant_id = wanted.merchant_id and p.id = wanted.id`,
}

const afterKey: Statement = {
  name: "payments-after-key",
  text: `select ${storedPaymentColumns} from payments p where (p.merchant_id, p.id) > ($1, $2)
    order by p.merchant_id, p.id limit $3`,
}

const callsOf: Statement = {
  name: "calls-of-payments",
  text: `select distinct on (t.merchant_id, t.payment_id, t.document->>'operation')
      t.payment_id, t.document->>'operation' as operation, (t.document->>'durationMs')::float8 as duration
    from unnest($1::text[], $2::text[]) as wanted (merchant_id, id)
    join transcripts t on t.merchant_id = wanted.merchant_id and t.payment_id = wanted.id
    where t.at_ms >= $3
    order by t.merchant_id, t.payment_id, t.document->>'operation', t.version, t.ordinal`,
}

const estimate: Statement = {
  name: "payments-estimate",
  text: "select reltuples::bigint as count from pg_class where oid = 'payments'::regclass",
}
