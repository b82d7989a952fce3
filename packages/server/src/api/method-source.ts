// Stored payment methods as a payment takes them: the card by its token, or one provider's token.

import type { Network } from "../core/card.ts"
import type { AccountId } from "../core/id.ts"
import type { Method } from "../core/intent.ts"
import type { Database } from "../storage/database.ts"
import { findPaymentMethod, type PaymentMethodRow } from "../storage/resources/payment-methods.ts"
import type { MethodSource } from "./payment-input.ts"

export const methodSource = (database: Database): MethodSource => ({
  find: async (merchant, id) => {
    const row = await findPaymentMethod(database, merchant, id)
    const method = row === undefined || row.erasedAt !== undefined ? undefined : methodOf(row)
    if (row === undefined || method === undefined) return undefined
    return {
      method,
      customer: row.customer,
      ...(row.networkTransactionId === undefined ? {} : { networkTransactionId: row.networkTransactionId }),
      ...(row.source === undefined ? {} : { sourceAccount: row.source }),
    }
  },
})

function methodOf(row: PaymentMethodRow): Method | undefined {
  const { card, network, bin, last4, expiryMonth, expiryYear, fingerprint, details } = row
  if (
    card !== undefined &&
    network !== undefined &&
    bin !== undefined &&
    last4 !== undefined &&
    expiryMonth !== undefined &&
    expiryYear !== undefined
  ) {
    const holderName = textIn(details, "holder_name")
    const country = textIn(details, "country")
    const funding = textIn(details, "funding")
    return {
      type: details["type"] === "network_token" ? "network_token" : "card",
      token: card,
      paymentMethod: row.id,
      network: network as Network,
      bin,
      last4,
      expiryMonth,
      expiryYear,
      fingerprint: fingerprint ?? "",
      ...(holderName === undefined ? {} : { holderName }),
      ...(country === undefined ? {} : { country }),
      ...(funding === undefined ? {} : { funding }),
    }
  }
  const [account, token] = Object.entries(row.providerTokens)[0] ?? []
  if (account === undefined || token === undefined) return undefined
  return {
    type: "provider_token",
    account: account as AccountId,
    token: token.token,
    paymentMethod: row.id,
    ...(token.customer === undefined ? {} : { customer: token.customer }),
    ...(network === undefined ? {} : { network: network as Network }),
    ...(last4 === undefined ? {} : { last4 }),
  }
}

const textIn = (details: Readonly<Record<string, unknown>>, name: string): string | undefined => {
  const value = details[name]
  return typeof value === "string" ? value : undefined
}
