// Lists and searches of payments. What people have in their hands (customer, reference, last four digits) has an index;
// everything else is looked for along the newest payments, a bounded number of rows per page: a page may then hold few
// or no rows and still have a next one. So writing a payment stays cheap, whatever can be searched, and so does a page.

import { makeId, type AccountId, type CustomerId, type MerchantId, type PaymentId } from "../../core/id.ts"
import type { Payment, PaymentStatus } from "../../core/payment.ts"
import type { Database, Statement } from "../database.ts"
import { encodeDocument } from "../document.ts"
import { columnText, paymentFrom, storedPaymentColumns, type StoredPayment } from "../ledger/rows.ts"
import { encodeCursor, keyBelow, pageOf, rowsWanted, type Page, type PageRequest } from "./page.ts"

export type PaymentFilter = {
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  readonly statuses?: readonly PaymentStatus[]
  readonly currency?: string
  /** Minor units, both inclusive. */
  readonly minAmount?: bigint
  readonly maxAmount?: bigint
  /** ms; from inclusive, until exclusive. */
  readonly createdFrom?: number
  readonly createdUntil?: number
  readonly customer?: CustomerId
  readonly merchantReference?: string
  readonly last4?: string
  /** Its first digits. */
  readonly bin?: string
  readonly network?: string
  /** Of any attempt, not only the last. */
  readonly connector?: string
  readonly account?: AccountId
  /** Why it failed, or its last decline. */
  readonly reason?: string
  /** Whether a person has to look at it. */
  readonly needsPerson?: boolean
  /** Pairs that all must be there. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** Rows that one page looks at, at most. */
export const SCAN_ROWS = 20_000

/** Newest first, in full. */
export async function searchPayments(
  database: Database,
  filter: PaymentFilter,
  request: PageRequest,
): Promise<Page<Payment>> {
  const { scanned, matched, values } = conditions(filter, request)
  const limit = rowsWanted(request)
  const scan = `select * from payments p where ${scanned.join(" and ")} order by id desc limit ${SCAN_ROWS}`
  const found = await database.query<{ id: PaymentId }>(
    unprepared(
      `select id from (${scan}) p where ${["true", ...matched].join(" and ")} order by id desc limit ${limit}`,
    ),
    values,
  )
  const page = pageOf(
    found.map(({ id }) => id),
    request,
    (id) => id,
  )
  const rows = await loadPayments(database, filter.merchant, page.rows)
  if (page.next !== undefined || matched.length === 0) return { ...page, rows }
  // Too few matches: where did the scan end?
  const [end] = await database.query<{ id: PaymentId }>(
    unprepared(
      `select id from payments p where ${scanned.join(" and ")} order by id desc offset ${SCAN_ROWS - 1} limit 1`,
    ),
    values.slice(0, countPlaceholders(scanned)),
  )
  return end === undefined ? { rows } : { rows, next: encodeCursor(end.id) }
}

/** In the order of the ids; those that do not exist are left out. */
export async function loadPayments(
  database: Database,
  merchant: MerchantId,
  ids: readonly PaymentId[],
): Promise<readonly Payment[]> {
  if (ids.length === 0) return []
  const rows = await database.query<StoredPayment>(byIds, [merchant, ids])
  const payments = new Map(rows.map((row) => [row.id, paymentFrom(row)]))
  return ids.flatMap((id) => payments.get(id) ?? [])
}

type Conditions = {
  /** What an index answers, and bounds. Their values come first. */
  readonly scanned: readonly string[]
  readonly matched: readonly string[]
  readonly values: readonly unknown[]
}

function conditions(filter: PaymentFilter, request: PageRequest): Conditions {
  const values: unknown[] = []
  const $ = (value: unknown): string => `$${values.push(value)}`
  const scanned = [`merchant_id = ${$(filter.merchant)}`, `mode = ${$(filter.mode)}`, `id < ${$(keyBelow(request))}`]
  if (filter.createdFrom !== undefined) scanned.push(`id >= ${$(idAt(filter.createdFrom))}`)
  if (filter.createdUntil !== undefined) scanned.push(`id < ${$(idAt(filter.createdUntil))}`)
  if (filter.customer !== undefined) scanned.push(`customer_id = ${$(columnText(filter.customer))}`)
  if (filter.merchantReference !== undefined)
    scanned.push(`merchant_reference = ${$(columnText(filter.merchantReference))}`)
  if (filter.last4 !== undefined) scanned.push(`last4 = ${$(columnText(filter.last4))}`)
  if (filter.needsPerson !== undefined)
    scanned.push(
      `${filter.needsPerson ? "" : "not "}exists (select from payments_needing_person n where n.merchant_id = p.merchant_id and n.payment_id = p.id)`,
    )

  const matched: string[] = []
  if (filter.statuses !== undefined) matched.push(`status = any (${$(filter.statuses)}::text[])`)
  if (filter.currency !== undefined) matched.push(`currency = ${$(filter.currency)}`)
  if (filter.minAmount !== undefined) matched.push(`requested >= ${$(filter.minAmount)}`)
  if (filter.maxAmount !== undefined) matched.push(`requested <= ${$(filter.maxAmount)}`)
  if (filter.bin !== undefined) matched.push(`starts_with(bin, ${$(columnText(filter.bin))})`)
  if (filter.network !== undefined) matched.push(`network = ${$(filter.network)}`)
  if (filter.reason !== undefined) matched.push(`reason = ${$(filter.reason)}`)
  if (filter.metadata !== undefined) matched.push(`metadata @> ${$(encodeDocument(filter.metadata))}::jsonb`)
  const attempt: string[] = []
  if (filter.connector !== undefined) attempt.push(`a.connector = ${$(filter.connector)}`)
  if (filter.account !== undefined) attempt.push(`a.account_id = ${$(filter.account)}`)
  if (attempt.length > 0)
    matched.push(
      `exists (select from attempts a where a.merchant_id = p.merchant_id and a.payment_id = p.id and ${attempt.join(" and ")})`,
    )
  return { scanned, matched, values }
}

const countPlaceholders = (conditions: readonly string[]): number => conditions.join(" ").split("$").length - 1

/** The smallest id of a payment that was created at this time. */
const idAt = (ms: number): string => makeId("pay", Math.max(0, Math.ceil(ms)), new Uint8Array(16))

/** Searches differ too much to keep a plan for each. */
const unprepared = (text: string): Statement => ({ name: "", text })

const byIds: Statement = {
  name: "payments-by-ids",
  text: `select ${storedPaymentColumns} from payments p where merchant_id = $1 and id = any ($2::text[])`,
}
