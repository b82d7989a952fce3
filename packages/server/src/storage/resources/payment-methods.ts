// Stored ways to pay: a card in the vault, or tokens that providers issued for it, with the customer's consent and the
// agreement that later merchant-initiated payments refer to.

import type { AccountId, CardId, CustomerId, MerchantId, PaymentMethodId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import { edited, type Edited } from "./edit.ts"
import { keyBelow, pageOf, rowsWanted, type Page, type PageRequest } from "./page.ts"

export type ProviderToken = { readonly token: string; readonly customer?: string }

export type PaymentMethodRow = {
  readonly id: PaymentMethodId
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  readonly customer: CustomerId
  /** Where the vault keeps the number, if it does. */
  readonly card?: CardId
  /** Equal for equal numbers of one merchant. */
  readonly fingerprint?: string
  readonly network?: string
  readonly bin?: string
  readonly last4?: string
  readonly expiryMonth?: number
  readonly expiryYear?: number
  /** Of the payment in which the customer agreed; without it only `source` can take merchant-initiated payments. */
  readonly networkTransactionId?: string
  /** The account of that payment. */
  readonly source?: AccountId
  readonly providerTokens: Readonly<Record<AccountId, ProviderToken>>
  /** What the customer agreed to, when and how, in the API's words. */
  readonly consent: unknown
  /** Holder, country, funding, method type: what is shown and sent, but not searched. */
  readonly details: Readonly<Record<string, unknown>>
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly erasedAt?: number
}

/** Detached ones too: their row says so by `erasedAt`. */
export async function findPaymentMethod(
  database: Database,
  merchant: MerchantId,
  id: PaymentMethodId,
): Promise<PaymentMethodRow | undefined> {
  const [row] = await database.query<Row>(byId, [merchant, id])
  return row === undefined ? undefined : methodFrom(row)
}

/** A customer's, newest first, without detached ones. */
export async function listPaymentMethods(
  database: Database,
  merchant: MerchantId,
  customer: CustomerId,
  request: PageRequest,
): Promise<Page<PaymentMethodRow>> {
  const rows = await database.query<Row>(ofCustomer, [merchant, customer, keyBelow(request), rowsWanted(request)])
  return pageOf(rows.map(methodFrom), request, (row) => row.id)
}

/** The customer's method with the same card number, so that storing a card twice gives one method. */
export async function findByFingerprint(
  database: Database,
  merchant: MerchantId,
  customer: CustomerId,
  fingerprint: string,
): Promise<PaymentMethodRow | undefined> {
  const [row] = await database.query<Row>(byFingerprint, [merchant, customer, fingerprint])
  return row === undefined ? undefined : methodFrom(row)
}

export type PaymentMethodEdit = Partial<
  Pick<PaymentMethodRow, "card" | "expiryMonth" | "expiryYear" | "networkTransactionId" | "source" | "details">
>

export async function updatePaymentMethod(
  database: Database,
  merchant: MerchantId,
  id: PaymentMethodId,
  version: number,
  edit: PaymentMethodEdit,
): Promise<Edited<PaymentMethodRow>> {
  const [row] = await database.query<Row>(update, [
    merchant,
    id,
    version,
    edit.card ?? null,
    edit.expiryMonth ?? null,
    edit.expiryYear ?? null,
    edit.networkTransactionId ?? null,
    edit.source ?? null,
    edit.details === undefined ? null : encodeDocument(edit.details),
  ])
  return edited(row === undefined ? undefined : methodFrom(row), () => findPaymentMethod(database, merchant, id))
}

/** What a payment taught: adds or replaces one account's token. Needs no version, as each account has its own. */
export async function keepProviderToken(
  database: Database,
  merchant: MerchantId,
  id: PaymentMethodId,
  account: AccountId,
  token: ProviderToken,
): Promise<boolean> {
  const rows = await database.query(keepToken, [merchant, id, encodeDocument({ [account]: token })])
  return rows.length === 1
}

type Row = {
  merchant_id: MerchantId
  id: PaymentMethodId
  customer_id: CustomerId
  mode: PaymentMethodRow["mode"]
  card_id: CardId | null
  fingerprint: string | null
  network: string | null
  bin: string | null
  last4: string | null
  expiry_month: number | null
  expiry_year: number | null
  network_transaction_id: string | null
  source_account_id: AccountId | null
  provider_tokens: unknown
  consent: unknown
  details: unknown
  version: number
  created_ms: bigint
  updated_ms: bigint
  erased_ms: bigint | null
}

const methodFrom = (row: Row): PaymentMethodRow => ({
  id: row.id,
  merchant: row.merchant_id,
  mode: row.mode,
  customer: row.customer_id,
  ...(row.card_id === null ? {} : { card: row.card_id }),
  ...(row.fingerprint === null ? {} : { fingerprint: row.fingerprint }),
  ...(row.network === null ? {} : { network: row.network }),
  ...(row.bin === null ? {} : { bin: row.bin }),
  ...(row.last4 === null ? {} : { last4: row.last4 }),
  ...(row.expiry_month === null ? {} : { expiryMonth: row.expiry_month }),
  ...(row.expiry_year === null ? {} : { expiryYear: row.expiry_year }),
  ...(row.network_transaction_id === null ? {} : { networkTransactionId: row.network_transaction_id }),
  ...(row.source_account_id === null ? {} : { source: row.source_account_id }),
  providerTokens: decodeDocument(row.provider_tokens) as PaymentMethodRow["providerTokens"],
  consent: decodeDocument(row.consent),
  details: decodeDocument(row.details) as PaymentMethodRow["details"],
  version: row.version,
  createdAt: Number(row.created_ms),
  updatedAt: Number(row.updated_ms),
  ...(row.erased_ms === null ? {} : { erasedAt: Number(row.erased_ms) }),
})

const columns = `merchant_id, id, customer_id, mode, card_id, fingerprint, network, bin, last4, expiry_month, expiry_year,
  network_transaction_id, source_account_id, provider_tokens, consent, details, version, created_ms, updated_ms, erased_ms`

const byId: Statement = {
  name: "payment-method-by-id",
  text: `select ${columns} from payment_methods where merchant_id = $1 and id = $2`,
}

const ofCustomer: Statement = {
  name: "payment-methods",
  text: `select ${columns} from payment_methods
    where merchant_id = $1 and customer_id = $2 and id < $3 and erased_ms is null order by id desc limit $4`,
}

const byFingerprint: Statement = {
  name: "payment-method-by-fingerprint",
  text: `select ${columns} from payment_methods
    where merchant_id = $1 and fingerprint = $3 and customer_id = $2 and erased_ms is null order by id desc limit 1`,
}

const update: Statement = {
  name: "payment-method-update",
  text: `update payment_methods set card_id = coalesce($4, card_id), expiry_month = coalesce($5, expiry_month),
      expiry_year = coalesce($6, expiry_year), network_transaction_id = coalesce($7, network_transaction_id),
      source_account_id = coalesce($8, source_account_id), details = coalesce($9, details),
      version = version + 1, updated_ms = now_ms()
    where merchant_id = $1 and id = $2 and version = $3 and erased_ms is null returning ${columns}`,
}

const keepToken: Statement = {
  name: "payment-method-token",
  text: `update payment_methods set provider_tokens = provider_tokens || $3::jsonb, version = version + 1,
      updated_ms = now_ms()
    where merchant_id = $1 and id = $2 and erased_ms is null returning 1`,
}
