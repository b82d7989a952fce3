// Everything that the verdict is found on, read once when all is at rest: the providers' books, the database, what clients
// saw, and what the merchant's endpoint was told.

import type { TrueCharge } from "@orchestra/simulator"
import type { MerchantId } from "../../packages/server/src/core/id.ts"
import type { Payment } from "../../packages/server/src/core/payment.ts"
import type { Database, Statement } from "../../packages/server/src/storage/database.ts"
import { decodeDocument } from "../../packages/server/src/storage/document.ts"
import { paymentFrom, storedPaymentColumns, type StoredPayment } from "../../packages/server/src/storage/ledger/rows.ts"
import type { Journal } from "./journal.ts"
import type { Received } from "./receiver.ts"

export type StoredEvent = {
  readonly id: string
  readonly payment: string | undefined
  readonly sequence: number
  readonly type: string
  /** As summarized in the event (core/announcement.ts). */
  readonly status: string | undefined
  readonly amounts: Readonly<Record<string, string>>
}

export type StoredKey = { readonly path: string; readonly key: string; readonly payment: string }

export type Facts = {
  readonly payments: readonly Payment[]
  /** In the order of the log. */
  readonly events: readonly StoredEvent[]
  readonly keys: readonly StoredKey[]
  readonly charges: readonly TrueCharge[]
  readonly journal: Journal
  readonly received: ReadonlyMap<string, Received>
  /** What the receiver had to refuse, and servers that ended by themselves. */
  readonly incidents: readonly string[]
}

const PAGE = 500

export async function readPayments(database: Database, merchant: MerchantId): Promise<readonly Payment[]> {
  const payments: Payment[] = []
  for (let last = ""; ;) {
    const rows = await database.query<StoredPayment>(page, [merchant, last, PAGE])
    payments.push(...rows.map(paymentFrom))
    if (rows.length < PAGE) return payments
    last = payments.at(-1)?.id ?? ""
  }
}

export async function readEvents(database: Database, merchant: MerchantId): Promise<readonly StoredEvent[]> {
  const rows = await database.query<EventRow>(events, [merchant])
  return rows.map(({ id, payment_id, sequence, type, data }) => {
    const { status, amounts } = decodeDocument(data) as { status?: string; amounts?: StoredEvent["amounts"] }
    return { id, payment: payment_id ?? undefined, sequence, type, status, amounts: amounts ?? {} }
  })
}

export const readKeys = (database: Database, merchant: MerchantId): Promise<readonly StoredKey[]> =>
  database.query<StoredKey>(keys, [merchant])

/** Exchanges with providers about these payments, for who looks into a disagreement. */
export async function readTranscripts(
  database: Database,
  merchant: MerchantId,
  payments: readonly string[],
): Promise<readonly unknown[]> {
  const rows = await database.query<{ payment_id: string; version: number; document: unknown }>(transcripts, [
    merchant,
    payments,
  ])
  return rows.map(({ payment_id, version, document }) => ({ payment: payment_id, version, ...(document as object) }))
}

type EventRow = {
  readonly id: string
  readonly payment_id: string | null
  readonly sequence: number
  readonly type: string
  readonly data: unknown
}

const page: Statement = {
  name: "",
  text: `select ${storedPaymentColumns} from payments p where merchant_id = $1 and id > $2 order by id limit $3`,
}
const events: Statement = {
  name: "",
  text: "select id, payment_id, sequence, type, data from events where merchant_id = $1 order by transaction, id",
}
const keys: Statement = {
  name: "",
  text: "select path, key, payment_id as payment from idempotency_keys where merchant_id = $1",
}
const transcripts: Statement = {
  name: "",
  text: `select payment_id, version, document from transcripts where merchant_id = $1 and payment_id = any ($2::text[])
    order by payment_id, at_ms`,
}
