// The standard input of each operation, which samples vary, and the amounts that a provider can express. Arbitrary inputs
// stand in contract-arbitrary.ts. Test support.

import assert from "node:assert/strict"
import { currencies, type Currency, exponentOf, parseCurrency } from "../core/currency.ts"
import { maxPaymentMinor, type Money, money } from "../core/money.ts"
import type { OperationKind } from "../core/payment.ts"
import { secret } from "../core/secret.ts"
import { providerAmount } from "./amount.ts"
import type { AuthorizeInput, Connector, Input, InquiryInput, Manifest } from "./connector.ts"
import type { Sample, SampleOperation } from "./contract-sample.ts"

export type AnyInput = Input[OperationKind] | InquiryInput

export const standard = {
  key: "key_01k9zq3v5e7f8g9h0jkmnpqrst",
  attempt: "att_01k9zq3v5e7f8g9h0jkmnpqrst",
  operation: "op_01k9zq3v5e7f8g9h0jkmnpqrst",
  reference: "ref_standard",
  number: "4242424242424242",
  cvc: "917",
} as const

export function currenciesOf(manifest: Manifest): readonly Currency[] {
  const codes = manifest.currencies === "all" ? currencies : manifest.currencies
  return codes.map((code) => parseCurrency(code)).filter((code) => code !== undefined)
}

/** 1999 minor units of the euro, or of the first currency there is: the amount of every sample that says no other. */
export function standardAmount(manifest: Manifest): Money {
  const known = currenciesOf(manifest)
  return money(1999n, known.find((code) => code === "EUR") ?? known[0]!)
}

export function standardInput(connector: Connector, operation: SampleOperation): AnyInput {
  const amount = standardAmount(connector.manifest)
  const { key, attempt, reference } = standard
  const followUp = {
    key,
    attempt,
    operation: standard.operation,
    reference,
    amount,
    authorized: amount,
    captured: money(0n, amount.currency),
  }
  switch (operation) {
    case "prepare":
      return authorizeInput(connector, amount)
    case "authorize":
      return { ...authorizeInput(connector, amount), ...(connector.manifest.operations.prepare ? { reference } : {}) }
    case "complete":
      return { key, attempt, reference, amount, capture: "automatic", fields: {} }
    case "capture":
      return { ...followUp, final: true }
    case "refund":
      return { ...followUp, captured: amount }
    case "increment":
      return { ...followUp, authorized: money(amount.minor / 2n, amount.currency) }
    case "void":
    case "reverse":
      return followUp
    case "inquire":
      return {
        about: "authorize",
        key,
        attempt,
        operation: standard.operation,
        reference,
        amount,
        capture: "automatic",
      }
    default:
      return operation satisfies never
  }
}

/** The standard input with what the sample says instead; a field that it sets to null is absent. */
export function inputOf(
  connector: Connector,
  { operation, input = {} }: Pick<Sample, "operation" | "input">,
): AnyInput {
  const merged = { ...standardInput(connector, operation), ...input }
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null)) as AnyInput
}

function authorizeInput(connector: Connector, amount: Money): AuthorizeInput {
  const network = connector.manifest.methods.networks[0] ?? "visa"
  return {
    key: standard.key,
    attempt: standard.attempt,
    amount,
    capture: "automatic",
    method: connector.manifest.methods.card
      ? {
          type: "card",
          number: secret(standard.number),
          expiryMonth: 3,
          expiryYear: 2030,
          cvc: secret(standard.cvc),
          network,
        }
      : { type: "provider_token", token: "token_standard" },
    initiator: { by: "customer", stored: "none" },
    threeDs: { mode: "automatic" },
    allowPartial: false,
    store: false,
    returnUrl: "https://pay.example/v1/returns/att_01k9zq3v5e7f8g9h0jkmnpqrst",
  }
}

/** The nearest amount to `count` units that the provider can express: a multiple of the smallest power of ten that it can. */
export function expressible(manifest: Manifest, count: bigint, currency: Currency): Money {
  let step = 1n
  while (providerAmount(manifest, money(step, currency)) === undefined) {
    step *= 10n
    assert.ok(step <= 10n ** BigInt(exponentOf(currency) + 4), `${manifest.id} can express no amount of ${currency}`)
  }
  const multiple = count < step ? step : (count / step) * step
  return money(multiple > maxPaymentMinor ? (maxPaymentMinor / step) * step : multiple, currency)
}
