// Erasing a customer, in every table: the person's row, stored payment methods and their cards, what payments say about
// people, transcripts, and stored answers. It goes in steps that may be repeated, so after an interruption it is simply
// started again. What stays: amounts, outcomes, the merchant's own reference and metadata, the last four digits. Bodies
// of providers' webhooks cannot be told apart by customer and go with their retention.

import type { CardId, CustomerId, MerchantId, PaymentId } from "../../core/id.ts"
import type { Intent } from "../../core/intent.ts"
import { wakeAt, type Payment } from "../../core/payment.ts"
import type { Database, Statement } from "../database.ts"
import type { Ledger } from "../ledger/ledger.ts"
import { deleteCard } from "./cards.ts"
import { loadPayments } from "./payments.ts"

/** Payments that are read and rewritten at once. */
export const ERASURE_BATCH = 50
/** A payment that keeps changing under us is tried again this often. */
const MAX_CONFLICTS = 20

export type Erased = { readonly paymentMethods: number; readonly payments: number }

/** Undefined when there is no such customer. */
export async function eraseCustomer(
  database: Database,
  ledger: Ledger,
  merchant: MerchantId,
  customer: CustomerId,
): Promise<Erased | undefined> {
  // The person first: from now on nothing new is stored for it.
  if ((await database.query(eraseRow, [merchant, customer])).length === 0) return undefined
  const methods = await database.query<{ card_id: CardId | null }>(methodsOf, [merchant, customer])
  for (const { card_id: card } of methods) if (card !== null) await deleteCard(database, merchant, card)
  await database.query(eraseMethods, [merchant, customer])
  let payments = 0
  for (let after = ""; ;) {
    const ids = (await database.query<{ id: PaymentId }>(paymentsOf, [merchant, customer, after, ERASURE_BATCH])).map(
      ({ id }) => id,
    )
    for (const payment of await loadPayments(database, merchant, ids)) await erasePayment(ledger, payment)
    if (ids.length > 0) {
      await database.query(eraseTranscripts, [merchant, ids])
      await database.query(eraseAnswers, [merchant, ids])
    }
    payments += ids.length
    if (ids.length < ERASURE_BATCH) return { paymentMethods: methods.length, payments }
    after = ids.at(-1) ?? ""
  }
}

/** Goes through the ledger like every change of a payment, or a commit under way would write the person back. */
async function erasePayment(ledger: Ledger, first: Payment): Promise<void> {
  let payment: Payment | undefined = first
  for (let tries = 0; tries < MAX_CONFLICTS; tries++) {
    if (payment === undefined) return
    const intent = withoutPerson(payment.intent)
    if (intent === payment.intent) return
    const erased: Payment = { ...payment, intent, version: payment.version + 1 }
    const result = await ledger.commit({
      payment: erased,
      expected: payment.version,
      attempts: [],
      operations: [],
      wakeAt: wakeAt(erased),
      events: [],
    })
    if (result.kind === "committed") return
    payment = await ledger.load(payment.merchant, payment.id)
  }
  throw new Error(`payment ${first.id} kept changing while its customer was erased; erase the customer again`)
}

/** The intent itself where it says nothing about a person. */
export function withoutPerson(intent: Intent): Intent {
  const { customer, billing, shipping, method, ...rest } = intent
  const { holderName, ...card } = method?.type === "provider_token" || method === undefined ? {} : method
  const anything = [customer, billing, shipping, holderName].some((part) => part !== undefined)
  if (!anything) return intent
  if (method === undefined) return rest
  return { ...rest, method: method.type === "provider_token" ? method : (card as typeof method) }
}

const eraseRow: Statement = {
  name: "customer-erase",
  text: `update customers set reference = null, email = null, details = '{}', version = version + 1,
      updated_ms = now_ms(), erased_ms = coalesce(erased_ms, now_ms())
    where merchant_id = $1 and id = $2 returning 1`,
}

const methodsOf: Statement = {
  name: "customer-erase-cards",
  text: `select card_id from payment_methods where merchant_id = $1 and customer_id = $2`,
}

const eraseMethods: Statement = {
  name: "customer-erase-methods",
  text: `update payment_methods set card_id = null, fingerprint = null, bin = null, network_transaction_id = null,
      provider_tokens = '{}', consent = '{}', details = '{}', version = version + 1, updated_ms = now_ms(),
      erased_ms = coalesce(erased_ms, now_ms())
    where merchant_id = $1 and customer_id = $2`,
}

const paymentsOf: Statement = {
  name: "customer-erase-payments",
  text: `select id from payments where merchant_id = $1 and customer_id = $2 and id > $3 order by id limit $4`,
}

const eraseTranscripts: Statement = {
  name: "customer-erase-transcripts",
  text: "delete from transcripts where merchant_id = $1 and payment_id = any ($2::text[])",
}

// The key stays taken; a replay is answered with the payment's current state.
const eraseAnswers: Statement = {
  name: "customer-erase-answers",
  // Nobody works on them any more: a repetition gets the payment as it is.
  text: `update idempotency_keys set response_status = null, response_body = null,
      lease_until_ms = least(lease_until_ms, now_ms())
    where merchant_id = $1 and payment_id = any ($2::text[]) and response_body is not null`,
}
