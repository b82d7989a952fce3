// The id that a card network gives a transaction, by which later payments of the merchant refer to the customer's first
// one. Its form is the network's own. Only what is certainly wrong is refused: a wrong id makes an issuer decline, and
// a right one that is refused here would make the payment impossible.

import type { Network } from "./card.ts"

/**
 * Visa: the Transaction Identifier, field 62.2 of ISO 8583, fifteen digits.
 *
 * Mastercard: the Trace ID, field 48 subelement 63: the network's code (three characters, the first a letter, e.g. MCC),
 * the bank net reference number (six to nine characters) and the settlement date (MMDD). Some providers leave the date
 * out, so that nine to fifteen characters are usual. The Transaction Link Identifier, which replaces it step by step,
 * has twenty-two and is another field at every provider: it is refused here.
 *
 * American Express: the Transaction Identifier, fifteen digits.
 *
 * Discover and Diners Club: the Network Reference ID, at most fifteen characters.
 *
 * Other networks publish no form, or none: what an answer called the id is taken as it is.
 *
 * Sources: Adyen "networkTxReference" and Checkout.com "previous_payment_id" (OpenAPI, 2026-07, 2022-07) for what providers
 * take; the lengths are those of the networks' fields as acquirers publish them (2026).
 */
const forms: Readonly<Partial<Record<Network, RegExp>>> = {
  visa: /^\d{15}$/,
  mastercard: /^[A-Za-z][A-Za-z0-9]{8,14}$/,
  maestro: /^[A-Za-z][A-Za-z0-9]{8,14}$/,
  amex: /^\d{15}$/,
  discover: /^[A-Za-z0-9]{4,15}$/,
  diners: /^[A-Za-z0-9]{4,15}$/,
}

/** The longest id of any network that a provider takes. */
export const maxNetworkTransactionId = 64

/** False for what this network certainly never gave out. A card of two networks is judged by neither: it may be of both. */
export function isNetworkTransactionId(network: Network | undefined, id: string): boolean {
  if (!/^[A-Za-z0-9]+$/.test(id) || id.length > maxNetworkTransactionId) return false
  const form = network === undefined ? undefined : forms[network]
  return form === undefined || form.test(id)
}
