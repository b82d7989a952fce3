// A card that becomes a stored payment method, or ceases to be one: method, card and the event that tells of it in one
// statement each, so that no crash leaves a card without an owner or an owner without its card.

import type { MerchantId, PaymentId, PaymentMethodId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { encodeDocument } from "../document.ts"
import type { OutboxEvent, SealedCard } from "../ledger/ledger.ts"
import type { PaymentMethodRow } from "./payment-methods.ts"

export type NewMethod = Omit<PaymentMethodRow, "version" | "createdAt" | "updatedAt" | "erasedAt">

/**
 * Stores the method and what belongs to it. `card`: a new one, or the one that a payment brought, which the payment then
 * no longer takes with it. False where the method exists already, or its customer or card does not any more.
 */
export async function storeMethod(
  database: Database,
  method: NewMethod,
  card: { readonly kind: "new"; readonly card: SealedCard } | { readonly kind: "kept" },
  event: OutboxEvent,
): Promise<boolean> {
  const sealed = card.kind === "new" ? card.card : undefined
  const rows = await database.query(store, [
    method.merchant,
    method.id,
    method.customer,
    method.mode,
    method.card ?? null,
    method.fingerprint ?? null,
    method.network ?? null,
    method.bin ?? null,
    method.last4 ?? null,
    method.expiryMonth ?? null,
    method.expiryYear ?? null,
    method.networkTransactionId ?? null,
    method.source ?? null,
    encodeDocument(method.providerTokens),
    encodeDocument(method.consent),
    encodeDocument(method.details),
    sealed?.keyId ?? null,
    sealed === undefined ? null : Buffer.from(sealed.sealed),
    event.id,
    event.payment ?? null,
    event.sequence,
    event.type,
    Math.round(event.at),
    encodeDocument(event.data),
  ])
  return rows.length === 1
}

/** Ends a method and deletes its card. The row stays for the payments that name it. False when there is no such method. */
export async function eraseMethod(database: Database, merchant: MerchantId, id: PaymentMethodId): Promise<boolean> {
  return (await database.query(erase, [merchant, id])).length === 1
}

/** Those of these payments whose customer agreed to have the card stored. */
export async function paymentsThatStore(
  database: Database,
  payments: readonly { readonly merchant: MerchantId; readonly payment: PaymentId }[],
): Promise<readonly { readonly merchant: MerchantId; readonly payment: PaymentId }[]> {
  const rows = await database.query<{ merchant_id: MerchantId; id: PaymentId }>(storing, [
    payments.map(({ merchant }) => merchant),
    payments.map(({ payment }) => payment),
  ])
  return rows.map((row) => ({ merchant: row.merchant_id, payment: row.id }))
}

// The customer's row is locked against erasing, which reads the methods after it has marked the row.
const store: Statement = {
  name: "stored-card-insert",
  text: `with customer as materialized (
      select merchant_id, id from customers
      where merchant_id = $1 and id = $3 and mode = $4 and erased_ms is null for share),
    method as (
      insert into payment_methods (merchant_id, id, customer_id, mode, card_id, fingerprint, network, bin, last4,
        expiry_month, expiry_year, network_transaction_id, source_account_id, provider_tokens, consent, details)
      select merchant_id, $2, id, $4, $5, $6, $7, $8, $9, $10::smallint, $11::smallint, $12, $13, $14::jsonb, $15::jsonb,
        $16::jsonb from customer
      where $5::text is null or $18::bytea is not null
        or exists (select from cards c where c.merchant_id = customer.merchant_id and c.id = $5)
      on conflict (merchant_id, id) do nothing returning merchant_id),
    added as (
      insert into cards (merchant_id, id, fingerprint, key_id, sealed, payment_id)
      select merchant_id, $5, $6, $17, $18::bytea, null from method where $18::bytea is not null),
    kept as (
      update cards c set payment_id = null from method m
      where c.merchant_id = m.merchant_id and c.id = $5 and $18::bytea is null),
    event as (
      insert into events (merchant_id, id, payment_id, sequence, type, at_ms, data)
      select merchant_id, $19, $20::text, $21::integer, $22, $23::bigint, $24::jsonb from method)
    select 1 from method`,
}

const erase: Statement = {
  name: "stored-card-erase",
  text: `with old as materialized (
      select merchant_id, id, card_id from payment_methods
      where merchant_id = $1 and id = $2 and erased_ms is null for update),
    gone as (
      delete from cards c using old where c.merchant_id = old.merchant_id and c.id = old.card_id)
    update payment_methods m set card_id = null, fingerprint = null, bin = null, network_transaction_id = null,
      provider_tokens = '{}', details = '{}', version = m.version + 1, updated_ms = now_ms(), erased_ms = now_ms()
    from old where m.merchant_id = old.merchant_id and m.id = old.id returning 1`,
}

const storing: Statement = {
  name: "payments-that-store",
  text: `select p.merchant_id, p.id from unnest($1::text[], $2::text[]) as e (merchant_id, id)
    join payments p on p.merchant_id = e.merchant_id and p.id = e.id
    where p.customer_id is not null and p.intent ->> 'store' = 'true'`,
}
