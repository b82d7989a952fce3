// What a charge and a payment method tell beside the verdict: checks, 3-D Secure, the network's ids, and who blocked it.

import type { Checks } from "../../core/check.ts"
import type { DeclineReason } from "../../core/decline.ts"
import type { Evidence } from "../../core/outcome.ts"
import { lookup } from "../connector.ts"
import { at, isObject, maxTextLength, textAt } from "../json.ts"
import { blockReasons, checkResults, liabilityShifts } from "./tables.ts"
import { type Intent, stripped } from "./wire.ts"

export function evidenceOf(intent: Intent | undefined, errorMethod?: unknown): Evidence {
  const charge = intent?.charge
  const onCharge = at(charge, "payment_method_details", "card")
  const method = intent?.paymentMethod ?? errorMethod
  const card = isObject(onCharge) ? onCharge : at(method, "card")
  return stripped<Evidence>({
    reference: intent?.id,
    authorizationCode: textAt(charge, "authorization_code") ?? textAt(card, "authorization_code"),
    networkTransactionId: textAt(card, "network_transaction_id"),
    checks: checksOf(at(card, "checks")),
    providerToken: providerToken(intent, method),
    threeDs: threeDsOf(at(card, "three_d_secure")),
    card: cardOf(card),
  })
}

function checksOf(checks: unknown): Checks | undefined {
  if (!isObject(checks)) return undefined
  const line = textAt(checks, "address_line1_check")
  const postcode = textAt(checks, "address_postal_code_check")
  const code = textAt(checks, "cvc_check")
  const result = (word: string | undefined): Checks["line"] =>
    (word === undefined ? undefined : lookup(checkResults, word)) ?? "unchecked"
  const avs = [line, postcode]
    .filter((word) => word !== undefined)
    .join("/")
    .slice(0, maxTextLength)
  return stripped<Checks>({
    line: result(line),
    postcode: result(postcode),
    name: "unchecked",
    code: result(code),
    // Stripe passes no letters on; its own words for line and postcode stand in their place.
    rawAvs: avs === "" ? undefined : avs,
    rawCode: code,
  })
}

function threeDsOf(result: unknown): Evidence["threeDs"] {
  if (!isObject(result)) return undefined
  const status = textAt(result, "result")
  const found = stripped<NonNullable<Evidence["threeDs"]>>({
    status,
    eci: textAt(result, "electronic_commerce_indicator"),
    version: textAt(result, "version"),
    liabilityShifted: status === undefined ? undefined : lookup(liabilityShifts, status),
  })
  return Object.keys(found).length === 0 ? undefined : found
}

function cardOf(card: unknown): Evidence["card"] {
  const found = stripped<NonNullable<Evidence["card"]>>({
    country: textAt(card, "country"),
    issuer: textAt(card, "issuer"),
    funding: textAt(card, "funding"),
  })
  return Object.keys(found).length === 0 ? undefined : found
}

// A payment method can be charged again only once it hangs on a customer: otherwise its id is worth nothing.
function providerToken(intent: Intent | undefined, method: unknown): Evidence["providerToken"] {
  const token = textAt(intent?.charge, "payment_method") ?? textAt(method, "id")
  if (token === undefined || intent?.customer === undefined || !intent.stores) return undefined
  return { token, customer: intent.customer }
}

/** Whether Stripe itself stopped the charge: then no issuer saw it, whatever the decline code says. */
export function reasonOfBlock(charge: unknown): DeclineReason | undefined {
  if (textAt(charge, "outcome", "type") !== "blocked") return undefined
  const reason = textAt(charge, "outcome", "reason")
  return reason === undefined ? "provider_risk_blocked" : (lookup(blockReasons, reason) ?? "unmapped")
}
