// Stored payment methods as a payment takes them: the card by its token, or one provider's token.

import type { Network } from "../core/card.ts"
import { given } from "../core/given.ts"
import type { AccountId } from "../core/id.ts"
import type { Method } from "../core/intent.ts"
import type { Database } from "../storage/database.ts"
import { findPaymentMethod, type PaymentMethodRow } from "../storage/resources/payment-methods.ts"
import type { MethodSource } from "./method-input.ts"

export const methodSource = (database: Database): MethodSource => ({
  find: async ({ merchant, mode }, id) => {
    const row = await findPaymentMethod(database, merchant, id)
    const method = row === undefined || row.erasedAt !== undefined || row.mode !== mode ? undefined : methodOf(row)
    if (row === undefined || method === undefined) return undefined
    const { customer, networkTransactionId, source } = row
    return given({ method, customer, networkTransactionId, sourceAccount: source })
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
    return given({
      type: details["type"] === "network_token" ? "network_token" : "card",
      token: card,
      paymentMethod: row.id,
      network: network as Network,
      bin,
      last4,
      expiryMonth,
      expiryYear,
      fingerprint: fingerprint ?? "",
      holderName: textIn(details, "holder_name"),
      country: textIn(details, "country"),
      funding: textIn(details, "funding"),
      issuer: textIn(details, "issuer"),
      product: textIn(details, "product"),
    })
  }
  const [account, token] = Object.entries(row.providerTokens)[0] ?? []
  if (account === undefined || token === undefined) return undefined
  return given({
    type: "provider_token",
    account: account as AccountId,
    token: token.token,
    customer: token.customer,
    paymentMethod: row.id,
    network: network as Network | undefined,
    last4,
  })
}

const textIn = (details: Readonly<Record<string, unknown>>, name: string): string | undefined => {
  const value = details[name]
  return typeof value === "string" ? value : undefined
}
