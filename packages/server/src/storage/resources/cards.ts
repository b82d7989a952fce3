// The vault's rows: encrypted card numbers and network tokens. They are stored with the payment that brings them (the
// ledger's commit), or by themselves for a payment method; retention deletes those of one-off payments.

import type { CardId, MerchantId, PaymentId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import type { SealedCard } from "../ledger/ledger.ts"

export async function putCard(database: Database, card: SealedCard): Promise<void> {
  const { id, merchant, fingerprint, keyId, sealed, payment } = card
  await database.query(insert, [merchant, id, fingerprint, keyId, Buffer.from(sealed), payment ?? null])
}

export async function findCard(database: Database, merchant: MerchantId, id: CardId): Promise<SealedCard | undefined> {
  const [row] = await database.query<Row>(byId, [merchant, id])
  return row === undefined ? undefined : cardFrom(row)
}

/** Takes the card from its one payment, so that it stays: a payment method has it now. False when it is gone already. */
export async function keepCard(database: Database, merchant: MerchantId, id: CardId): Promise<boolean> {
  return (await database.query(keep, [merchant, id])).length === 1
}

export async function deleteCard(database: Database, merchant: MerchantId, id: CardId): Promise<boolean> {
  return (await database.query(remove, [merchant, id])).length === 1
}

type Row = {
  merchant_id: MerchantId
  id: CardId
  fingerprint: string
  key_id: string
  sealed: Buffer
  payment_id: PaymentId | null
}

const cardFrom = (row: Row): SealedCard => ({
  id: row.id,
  merchant: row.merchant_id,
  fingerprint: row.fingerprint,
  keyId: row.key_id,
  sealed: new Uint8Array(row.sealed),
  ...(row.payment_id === null ? {} : { payment: row.payment_id }),
})

const insert: Statement = {
  name: "card-insert",
  text: `insert into cards (merchant_id, id, fingerprint, key_id, sealed, payment_id) values ($1, $2, $3, $4, $5, $6)`,
}

const byId: Statement = {
  name: "card-by-id",
  text: `select merchant_id, id, fingerprint, key_id, sealed, payment_id from cards where merchant_id = $1 and id = $2`,
}

const keep: Statement = {
  name: "card-keep",
  text: "update cards set payment_id = null where merchant_id = $1 and id = $2 returning 1",
}

const remove: Statement = {
  name: "card-delete",
  text: "delete from cards where merchant_id = $1 and id = $2 returning 1",
}
