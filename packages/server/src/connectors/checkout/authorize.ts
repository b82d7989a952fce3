// POST /payments: one request for every way to pay by card, customer present or not, with 3-D Secure done by
// Checkout.com, elsewhere or not at all.

import type { Address as OurAddress } from "../../core/intent.ts"
import type { Outcome } from "../../core/outcome.ts"
import { exactAmount } from "../amount.ts"
import type { AccountConfig, AuthorizeInput, Codec, HttpRequest, HttpResponse } from "../connector.ts"
import { eciOf, messageVersion } from "../external-three-ds.ts"
import { isIpv4 } from "../internet-address.ts"
import { parseJson } from "../json.ts"
import { isSuccess, paymentOutcome, refusal, unknown } from "./answer.ts"
import { manifest } from "./manifest.ts"
import { post } from "./request.ts"
import {
  type Address,
  type Customer,
  fit,
  type PaymentRequest,
  readFacts,
  type Source,
  type ThreeDsRequest,
} from "./wire.ts"

export const authorize: Codec<AuthorizeInput> = {
  encode(input: AuthorizeInput, account: AccountConfig): HttpRequest {
    return post("/payments", input.key, paymentRequest(input, account.settings), account)
  },

  decode(response: HttpResponse, input: AuthorizeInput): Outcome {
    // A 404 here is not about a payment: the address is wrong, and it is not documented.
    if (response.status === 404) return unknown("http 404")
    if (!isSuccess(response)) return refusal(response, "invalid_credentials")
    const facts = readFacts(parseJson(response.body))
    if (facts.id === undefined) return unknown(`http ${response.status}`)
    return paymentOutcome(facts, input, input.store || facts.storeAgreed)
  },
}

function paymentRequest(input: AuthorizeInput, settings: AccountConfig["settings"]): PaymentRequest {
  const { initiator, amount } = input
  const byMerchant = initiator.by === "merchant"
  const manual = input.capture === "manual"
  const estimated = manual && settings["authorization_type"] === "Estimated"
  return {
    source: sourceOf(input),
    amount: Number(exactAmount(manifest, amount)),
    currency: amount.currency,
    // A zero amount verifies the card; there is nothing to capture.
    capture: !manual && amount.minor > 0n,
    reference: input.attempt,
    payment_type: paymentType(initiator),
    merchant_initiated: byMerchant,
    previous_payment_id: initiator.networkTransactionId,
    authorization_type: estimated ? "Estimated" : undefined,
    partial_authorization: input.allowPartial ? { enabled: true } : undefined,
    description: fit(input.description, 100),
    billing_descriptor: descriptorOf(input.descriptor, settings["descriptor_city"]),
    customer: customerOf(input),
    // The field takes no other.
    payment_ip: isIpv4(input.customer?.ip ?? "") ? input.customer?.ip : undefined,
    shipping: shippingOf(input),
    "3ds": threeDsOf(input),
    processing: input.method.network === "cartes_bancaires" ? { preferred_scheme: "cartes_bancaires" } : undefined,
    processing_channel_id: settings["processing_channel_id"],
    // Where nobody is present nobody can be sent away and come back.
    success_url: byMerchant ? undefined : input.returnUrl,
    failure_url: byMerchant ? undefined : input.returnUrl,
    metadata: {
      orchestra_attempt: input.attempt,
      ...(manual ? {} : { orchestra_capture: "automatic" }),
      ...(input.store ? { orchestra_store: "yes" } : {}),
      merchant_reference: fit(input.merchantReference, 100),
    },
  }
}

/** The first payment of an agreement is already of its type; later ones with the customer present are not. */
function paymentType(initiator: AuthorizeInput["initiator"]): PaymentRequest["payment_type"] {
  const purpose =
    initiator.by === "merchant" ? initiator.purpose : initiator.stored === "first" ? initiator.purpose : undefined
  switch (purpose) {
    case undefined:
      return "Regular"
    case "recurring":
      return "Recurring"
    case "installment":
      return "Installment"
    case "unscheduled":
      return "Unscheduled"
    default:
      return purpose satisfies never
  }
}

function sourceOf(input: AuthorizeInput): Source {
  const { method, initiator } = input
  const billing = addressOf(input.billing?.address)
  const billing_address = billing === undefined ? {} : { billing_address: billing }
  // Sent always, because Checkout.com stores a card unless it is told not to.
  const store_for_future_use = input.store || (initiator.by === "customer" && initiator.stored === "first")
  const stored = initiator.by === "merchant" || initiator.stored === "used"
  switch (method.type) {
    case "card":
      return {
        type: "card",
        number: method.number.reveal(),
        expiry_month: method.expiryMonth,
        expiry_year: method.expiryYear,
        cvv: method.cvc?.reveal(),
        name: fit(method.holderName, 100),
        stored,
        store_for_future_use,
        ...billing_address,
      }
    case "network_token":
      return {
        type: "network_token",
        token: method.number.reveal(),
        expiry_month: method.expiryMonth,
        expiry_year: method.expiryYear,
        token_type: tokenTypes[method.network],
        cryptogram: method.cryptogram?.reveal(),
        eci: method.eci,
        name: fit(method.holderName, 100),
        stored,
        store_for_future_use,
        ...billing_address,
      }
    case "provider_token":
      return { ...providerSource(method.token, method.cvc?.reveal(), store_for_future_use), ...billing_address }
    default:
      return method satisfies never
  }
}

// Other networks' tokens go without a type, which Checkout.com refuses before anything happens.
const tokenTypes: Readonly<Partial<Record<string, "vts" | "mdes">>> = {
  visa: "vts",
  mastercard: "mdes",
  maestro: "mdes",
}

/** `tok_` is a token for one use out of the browser, `cus_` a customer's default card, everything else a stored card. */
function providerSource(token: string, cvv: string | undefined, store_for_future_use: boolean): Source {
  if (token.startsWith("tok_")) return { type: "token", token, store_for_future_use }
  if (token.startsWith("cus_")) return { type: "customer", id: token }
  return { type: "id", id: token, cvv }
}

/**
 * `automatic` pays without 3-D Secure and lets Checkout.com go on with it where the issuer asks for it (20154);
 * `none` forbids that. The first payment of an agreement needs a challenge, so that later ones are covered by it.
 */
function threeDsOf({ threeDs, initiator }: AuthorizeInput): ThreeDsRequest | undefined {
  const challenge_indicator =
    initiator.by === "customer" && initiator.stored === "first" ? "challenge_requested_mandate" : "no_preference"
  switch (threeDs.mode) {
    case "external":
      return {
        enabled: true,
        eci: eciOf(threeDs.eci),
        cryptogram: threeDs.cryptogram.reveal(),
        xid: threeDs.dsTransactionId,
        version: messageVersion(threeDs.version),
        status: threeDs.status,
      }
    case "automatic":
      return initiator.by === "merchant" ? undefined : { enabled: false, allow_upgrade: true, challenge_indicator }
    case "required":
      return initiator.by === "merchant" ? undefined : { enabled: true, attempt_n3d: false, challenge_indicator }
    case "none":
      return initiator.by === "merchant" ? undefined : { enabled: false, allow_upgrade: false }
    default:
      return threeDs satisfies never
  }
}

function customerOf({ customer, method }: AuthorizeInput): Customer | undefined {
  const id = method.type === "provider_token" && method.customer?.startsWith("cus_") ? method.customer : undefined
  const email = customer?.email
  const name = fit(customer?.name, 255)
  return id === undefined && email === undefined && name === undefined ? undefined : { id, email, name }
}

function shippingOf({ shipping }: AuthorizeInput): PaymentRequest["shipping"] {
  const address = addressOf(shipping?.address)
  return address === undefined ? undefined : { address }
}

function addressOf(address: OurAddress | undefined): Address | undefined {
  const found: Address = {
    address_line1: fit(address?.line1, 200),
    address_line2: fit(address?.line2, 200),
    city: fit(address?.city, 50),
    state: fit(address?.state, 50),
    zip: fit(address?.postalCode, 50),
    country: fit(address?.country, 2),
  }
  return Object.values(found).every((part) => part === undefined) ? undefined : found
}

/** Statements hold plain characters only: accents are taken off, the rest is left out. */
function descriptorOf(descriptor: string | undefined, city: string | undefined): PaymentRequest["billing_descriptor"] {
  const plain = descriptor?.normalize("NFKD").replaceAll(/[^ -~]/g, "")
  const name = fit(plain, 25)
  return name === undefined || city === undefined ? undefined : { name, city }
}
