// A payment as rows and back. Documents hold the whole truth, exactly; the columns beside them are copies for searching
// and counting, made here and nowhere else, and bent where a column cannot hold what a provider or customer sent:
// nothing that somebody else wrote may ever make a commit fail.

import { createHash } from "node:crypto"
import type { Intent } from "../../core/intent.ts"
import { maxStoredMinor } from "../../core/money.ts"
import { amountsOf, standing, statusOf, type Attempt, type Operation, type Payment } from "../../core/payment.ts"
import { decodeDocument, encodeDocument } from "../document.ts"

/** Longest text in a searched column; more is cut. What the API lets through is shorter. */
export const COLUMN_LENGTH = 255

/** The columns of `payments` after merchant_id and id, in the order of `paymentColumns`. */
export const paymentColumns = [
  ["version", "integer"],
  ["mode", "text"],
  ["status", "text"],
  ["currency", "text"],
  ["requested", "bigint"],
  ["authorized", "bigint"],
  ["captured", "bigint"],
  ["refunded", "bigint"],
  ["disputed", "bigint"],
  ["reason", "text"],
  ["connector", "text"],
  ["account_id", "text"],
  ["created_ms", "bigint"],
  ["updated_ms", "bigint"],
  ["customer_id", "text"],
  ["merchant_reference", "text"],
  ["network", "text"],
  ["bin", "text"],
  ["last4", "text"],
  ["metadata", "jsonb"],
  ["intent", "jsonb"],
  ["rest", "jsonb"],
] as const
export type PaymentColumn = (typeof paymentColumns)[number][0]

/** A row of a recordset: plain columns, and documents, which are encoded on their own. */
export type Row = {
  readonly columns: object
  readonly documents?: Readonly<Record<string, unknown>>
}

export function paymentRow(payment: Payment): Row {
  const { id: _id, merchant: _merchant, mode, version, intent, attempts, operations: _operations, ...rest } = payment
  const { metadata, ...wanted } = intent
  const amounts = amountsOf(payment)
  const attempt = standing(payment) ?? attempts.at(-1)
  const method = intent.method
  const columns = {
    version,
    mode,
    status: statusOf(payment),
    currency: intent.amount.currency,
    requested: clamp(amounts.requested),
    authorized: clamp(amounts.authorized),
    captured: clamp(amounts.captured),
    refunded: clamp(amounts.refunded),
    disputed: clamp(amounts.disputed),
    reason: columnText(payment.failure?.reason ?? lastDecline(attempts)),
    connector: columnText(attempt?.connector),
    account_id: columnText(attempt?.account),
    created_ms: Math.round(payment.createdAt),
    updated_ms: Math.round(payment.updatedAt),
    customer_id: columnText(intent.customerId),
    merchant_reference: columnText(intent.merchantReference),
    network: columnText(method?.network),
    bin: method === undefined || method.type === "provider_token" ? null : columnText(method.bin),
    last4: columnText(method?.last4),
  } satisfies Partial<Record<PaymentColumn, unknown>>
  return { columns, documents: { metadata, intent: wanted, rest } }
}

/** What `load` reads: the documents as parsed JSON, attempts and operations in order. */
export type StoredPayment = {
  readonly id: Payment["id"]
  readonly merchant_id: Payment["merchant"]
  readonly version: number
  readonly mode: Payment["mode"]
  readonly metadata: unknown
  readonly intent: unknown
  readonly rest: unknown
  /** [document, decision] */
  readonly attempts: readonly (readonly [unknown, unknown])[] | null
  readonly operations: readonly unknown[] | null
}

/** Their select list, from `payments p`. */
export const storedPaymentColumns = `p.id, p.merchant_id, p.version, p.mode, p.metadata, p.intent, p.rest,
  (select json_agg(json_build_array(a.document, a.decision) order by a.position) from attempts a
    where a.merchant_id = p.merchant_id and a.payment_id = p.id) as attempts,
  (select json_agg(o.document order by o.position) from operations o
    where o.merchant_id = p.merchant_id and o.payment_id = p.id) as operations`

export function paymentFrom(row: StoredPayment): Payment {
  const wanted = decodeDocument(row.intent) as Omit<Intent, "metadata">
  const rest = decodeDocument(row.rest) as PaymentRest
  return {
    id: row.id,
    merchant: row.merchant_id,
    mode: row.mode,
    version: row.version,
    intent: { ...wanted, metadata: decodeDocument(row.metadata) as Intent["metadata"] },
    attempts: (row.attempts ?? []).map(([document, decision]) => ({
      ...(decodeDocument(document) as Omit<Attempt, "decision">),
      decision: decodeDocument(decision),
    })),
    operations: (row.operations ?? []).map((document) => decodeDocument(document) as Operation),
    ...rest,
  }
}

/** What has no place of its own: everything that a later version of the house adds lands here by itself. */
type PaymentRest = Omit<Payment, "id" | "merchant" | "mode" | "version" | "intent" | "attempts" | "operations">

export const attemptRows = (payment: Payment, attempts: readonly Attempt[]): readonly Row[] =>
  attempts.map((attempt) => {
    const { decision, ...document } = attempt
    const position = payment.attempts.findIndex((a) => a.id === attempt.id)
    const { id, account, connector, state } = attempt
    return {
      columns: { position, id, account_id: account, connector: columnText(connector), state },
      documents: { document, decision },
    }
  })

export const operationRows = (payment: Payment, operations: readonly Operation[]): readonly Row[] =>
  operations.map((operation) => {
    const position = payment.operations.findIndex((o) => o.id === operation.id)
    const { id, attempt, kind, state } = operation
    return { columns: { position, id, attempt_id: attempt, kind, state }, documents: { document: operation } }
  })

/** A row as JSON for `jsonb_to_recordset`. */
export function record({ columns, documents = {} }: Row): string {
  const encoded = Object.entries(documents).map(([name, value]) => `,"${name}":${encodeDocument(value)}`)
  return `${JSON.stringify(columns, plain).slice(0, -1)}${encoded.join("")}}`
}

/** Amounts as text, which a bigint column takes. */
const plain = (_name: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value)

/** Text for a column that people search: without what PostgreSQL refuses, and not longer than an index takes. */
export function columnText(text: string | undefined): string | null {
  if (text === undefined) return null
  const short = text.length > COLUMN_LENGTH ? text.slice(0, COLUMN_LENGTH) : text
  return short.toWellFormed().replaceAll("\0", "\ufffd")
}

/** Text for a unique key: itself where an index can hold it, else its hash. Different texts stay different. */
export function keyText(text: string): string {
  const plain =
    text.length <= COLUMN_LENGTH && !text.startsWith("sha256:") && text.isWellFormed() && !text.includes("\0")
  return plain ? text : `sha256:${createHash("sha256").update(JSON.stringify(text)).digest("hex")}`
}

function lastDecline(attempts: readonly Attempt[]): string | undefined {
  const outcome = attempts.findLast((a) => a.outcome?.kind === "declined" || a.outcome?.kind === "rejected")?.outcome
  return outcome?.kind === "declined" || outcome?.kind === "rejected" ? outcome.reason : undefined
}

/** To what a bigint column holds. */
export function clamp(minor: bigint): bigint {
  if (minor > maxStoredMinor) return maxStoredMinor
  return minor < -maxStoredMinor ? -maxStoredMinor : minor
}
