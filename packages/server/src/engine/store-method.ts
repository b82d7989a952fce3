// After a payment in which the customer agreed to have the card stored, the card becomes a stored payment method. It hangs
// off the outbox: a payment never waits for it, and a crash only delays it. The method's id is made from the payment's,
// so that an event that comes twice stores once.

import { cardFactsIn } from "../core/card-facts.ts"
import { given } from "../core/given.ts"
import type { AccountId, EventId, PaymentId, PaymentMethodId } from "../core/id.ts"
import { standing, type Attempt, type Payment } from "../core/payment.ts"
import type { Database } from "../storage/database.ts"
import type { OutboxEvent } from "../storage/ledger/ledger.ts"
import {
  findByFingerprint,
  keepProviderToken,
  updatePaymentMethod,
  type PaymentMethodRow,
  type ProviderToken,
} from "../storage/resources/payment-methods.ts"
import { paymentsThatStore, storeMethod, type NewMethod } from "../storage/resources/stored-cards.ts"
import type { Engine } from "./engine.ts"
import type { Sink } from "./relay.ts"

/** What says that the money is there, or that the card was found good. */
const successes: ReadonlySet<string> = new Set(["payment.authorized", "payment.partially_captured", "payment.captured"])

/** Rest of its relay (ms): a card that was just paid with need not be a method at once. */
export const STORE_METHOD_IDLE_MS = 500

export const METHOD_STORED = "payment_method.stored"

export const storeMethodSink = (engine: Pick<Engine, "ledger" | "clock">, database: Database): Sink => ({
  name: "stored payment methods",
  accept: async (events) => {
    const paid = events.flatMap(({ type, merchant, payment }) =>
      payment !== undefined && successes.has(type) ? [{ merchant, payment }] : [],
    )
    if (paid.length === 0) return
    for (const { merchant, payment: id } of await paymentsThatStore(database, paid)) {
      const payment = await engine.ledger.load(merchant, id)
      if (payment !== undefined) await storeFrom(database, payment, engine.clock.now())
    }
  },
})

async function storeFrom(database: Database, payment: Payment, now: number): Promise<void> {
  const method = methodFrom(payment)
  if (method === undefined) return
  const { merchant, customer, fingerprint } = method
  const known =
    fingerprint === undefined ? undefined : await findByFingerprint(database, merchant, customer, fingerprint)
  if (known !== undefined && known.id !== method.id) await learn(database, known, method)
  else await storeMethod(database, method, { kind: "kept" }, storedEvent(method, now, payment))
}

/** What a payment tells of a card; undefined where there is nothing to store. */
function methodFrom(payment: Payment): NewMethod | undefined {
  const { intent, merchant, mode } = payment
  const { method, customerId, initiator } = intent
  const attempt = standing(payment)
  if (attempt === undefined || method === undefined || method.paymentMethod !== undefined || customerId === undefined)
    return undefined
  const common = {
    id: idFrom(payment.id),
    merchant,
    mode,
    customer: customerId,
    network: method.network,
    last4: method.last4,
    networkTransactionId: attempt.evidence.networkTransactionId,
    source: attempt.account,
    consent: given({ payment: payment.id, given_at: payment.createdAt, purpose: initiator.purpose }),
  }
  if (method.type === "provider_token")
    return given({
      ...common,
      providerTokens: { [method.account]: given({ token: method.token, customer: method.customer }) },
      details: { type: method.type },
    })
  const { token, bin, expiryMonth, expiryYear, fingerprint, holderName, type } = method
  return given({
    ...common,
    card: token,
    fingerprint,
    bin,
    expiryMonth,
    expiryYear,
    providerTokens: tokensOf(attempt),
    details: given({ type, holder_name: holderName, ...cardFactsIn(method) }),
  })
}

const tokensOf = ({ account, evidence: { providerToken } }: Attempt): Readonly<Record<AccountId, ProviderToken>> =>
  providerToken === undefined ? {} : { [account]: providerToken }

const idFrom = (payment: PaymentId): PaymentMethodId => `pm_${payment.slice("pay_".length)}`

/** The customer has stored the same number before: it stays one method, which now knows more. */
async function learn(database: Database, known: PaymentMethodRow, news: NewMethod): Promise<void> {
  const { merchant, id, version, networkTransactionId } = known
  const agreement =
    networkTransactionId === undefined ? { networkTransactionId: news.networkTransactionId, source: news.source } : {}
  // A payment adds what was not known of the card; what stands there may be the merchant's own word.
  const details = { ...cardFactsIn(news.details), ...known.details }
  const edit = given({ ...agreement, expiryMonth: news.expiryMonth, expiryYear: news.expiryYear, details })
  const edited = await updatePaymentMethod(database, merchant, id, version, edit)
  if (edited.kind === "missing" || edited.row.erasedAt !== undefined) return
  if (edited.kind === "stale") return learn(database, edited.row, news)
  for (const [account, token] of Object.entries(news.providerTokens))
    await keepProviderToken(database, merchant, id, account as AccountId, token)
}

/** Tells the merchant what the method is called. */
export function storedEvent(method: NewMethod, at: number, payment?: Payment): OutboxEvent {
  const { id, merchant, mode, customer, network, last4 } = method
  return given({
    id: `evt_${id.slice("pm_".length)}` as EventId,
    merchant,
    payment: payment?.id,
    sequence: payment?.version ?? 0,
    type: METHOD_STORED,
    data: given({ payment_method: id, customer, mode, payment: payment?.id, network, last4 }),
    at,
  })
}
