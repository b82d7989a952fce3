import assert from "node:assert/strict"
import { test } from "node:test"
import { parseCurrency } from "../core/currency.ts"
import { money } from "../core/money.ts"
import type { RoutingContext } from "../routing/routing-context.ts"
import { feePayment, feeProductOf } from "./expected-fee.ts"

test("a card for a business is told by the words of its product; what says neither, or both, is not known", () => {
  for (const [name, product] of [
    ["business", "commercial"],
    ["VISA_BUSINESS_SIGNATURE", "commercial"],
    ["World Corporate, Purchasing", "commercial"],
    ["consumer credit", "consumer"],
    ["visa_signature", undefined],
    ["consumer and business", undefined],
    ["businesslike", undefined],
    ["", undefined],
  ] as const)
    assert.equal(feeProductOf(name), product, name)
})

test("fees are told what is known of a card, and nothing that no contract knows", () => {
  const context: RoutingContext = {
    mode: "test",
    amount: money(1_000n, parseCurrency("EUR")!),
    method: "card",
    network: "visa",
    country: "DE",
    cardCountry: "DE",
    funding: "debit",
    issuer: "Meridian",
    product: "visa business",
    initiator: "customer",
    threeDs: "automatic",
  }
  const { funding, product, country } = feePayment(context)
  assert.deepEqual([funding, product, country], ["debit", "commercial", "DE"])
  const strange = feePayment({ ...context, funding: "charge", product: "gold" })
  assert.deepEqual([strange.funding, strange.product], [undefined, undefined])
})
