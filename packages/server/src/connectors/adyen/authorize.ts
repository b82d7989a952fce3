// POST /payments: one request for every way to pay by card, by number, network token or stored card, with the customer
// there or not, and with 3-D Secure as a redirect, done elsewhere or not at all.

import type { Address as OurAddress, Initiator, Party } from "../../core/intent.ts"
import { exactAmount } from "../amount.ts"
import { type AccountConfig, type AuthorizeInput, type Codec, type HttpRequest, lookup } from "../connector.ts"
import { eciOf, messageVersion } from "../external-three-ds.ts"
import { isIpv4, isIpv6 } from "../internet-address.ts"
import { paymentOutcome } from "./answer.ts"
import { manifest } from "./manifest.ts"
import { merchantAccount, post } from "./request.ts"
import type { Address, PaymentMethod, PaymentRequest } from "./wire.ts"

export const authorize: Codec<AuthorizeInput> = {
  encode(input: AuthorizeInput, account: AccountConfig): HttpRequest {
    return post("/payments", paymentRequest(input, account), account, input.key)
  },
  decode: paymentOutcome,
}

// Lengths of Checkout v72.
const maxOrderReference = 1000
const maxShopperReference = 256
const maxStatement = 22

function paymentRequest(input: AuthorizeInput, account: AccountConfig): PaymentRequest {
  const { amount, initiator, customer, billing } = input
  const here = initiator.by === "customer"
  return {
    merchantAccount: merchantAccount(account),
    amount: { value: Number(exactAmount(manifest, amount)), currency: amount.currency },
    reference: input.attempt,
    merchantOrderReference: input.merchantReference?.slice(0, maxOrderReference),
    metadata: { orchestra_attempt: input.attempt },
    paymentMethod: paymentMethodOf(input),
    returnUrl: input.returnUrl,
    channel: here ? "Web" : undefined,
    origin: here ? new URL(input.returnUrl).origin : undefined,
    redirectFromIssuerMethod: here ? "GET" : undefined,
    ...agreementOf(input),
    shopperEmail: customer?.email ?? billing?.email,
    shopperName: nameOf(customer?.name ?? billing?.name),
    shopperIP: addressOfBrowser(customer?.ip),
    telephoneNumber: phoneOf(billing?.phone),
    shopperStatement: statementOf(input.descriptor),
    billingAddress: addressOf(billing?.address),
    deliveryAddress: addressOf(input.shipping?.address),
    captureDelayHours: input.capture === "automatic" && amount.minor > 0n ? 0 : undefined,
    additionalData: additionalDataOf(input),
    authenticationData: authenticationOf(input),
    mpiData: mpiDataOf(input),
  }
}

function paymentMethodOf({ method }: AuthorizeInput): PaymentMethod {
  if (method.type === "provider_token")
    return { type: "scheme", storedPaymentMethodId: method.token, cvc: method.cvc?.reveal() }
  return {
    type: method.type === "card" ? "scheme" : "networkToken",
    number: method.number.reveal(),
    expiryMonth: String(method.expiryMonth).padStart(2, "0"),
    expiryYear: String(method.expiryYear),
    cvc: method.type === "card" ? method.cvc?.reveal() : undefined,
    holderName: method.holderName === "" ? undefined : method.holderName,
    // A card of two networks goes by the other one unless we say which.
    brand: method.network === "cartes_bancaires" ? "cartebancaire" : undefined,
  }
}

/** Who starts the payment, under which agreement, and for whom a card is stored. Source: docs.adyen.com/online-payments/tokenization (2026-07). */
function agreementOf(
  input: AuthorizeInput,
): Pick<PaymentRequest, "shopperInteraction" | "recurringProcessingModel" | "storePaymentMethod" | "shopperReference"> {
  const { initiator, method, store, customer, attempt } = input
  const used = method.type === "provider_token" || initiator.by === "merchant" || initiator.stored === "used"
  const first = !used && (store || (initiator.by === "customer" && initiator.stored === "first"))
  const shopper = (method.type === "provider_token" ? method.customer : undefined) ?? customer?.id
  return {
    shopperInteraction: used ? "ContAuth" : "Ecommerce",
    recurringProcessingModel: used || first ? modelOf(initiator) : undefined,
    storePaymentMethod: store ? true : undefined,
    // A card is always stored for somebody: without a customer, for this attempt, whose id the token then carries.
    shopperReference: shopper !== undefined ? shopperReference(shopper) : store ? attempt : undefined,
  }
}

/** Adyen wants at least three characters. */
const shopperReference = (id: string): string =>
  ([...id].length < minShopperReference ? `id:${id}` : id).slice(0, maxShopperReference)
/** Characters, not halves of them. */
const minShopperReference = 3

function modelOf(initiator: Initiator): NonNullable<PaymentRequest["recurringProcessingModel"]> {
  // With the customer there, a stored card is used as card on file, whatever it was stored for.
  if (initiator.by === "customer" && initiator.stored !== "first") return "CardOnFile"
  const { purpose } = initiator
  switch (purpose) {
    case undefined:
      return "CardOnFile"
    case "unscheduled":
      return "UnscheduledCardOnFile"
    case "recurring":
    case "installment":
      return "Subscription"
    default:
      return purpose satisfies never
  }
}

function additionalDataOf({
  amount,
  capture,
  allowPartial,
  initiator,
}: AuthorizeInput): PaymentRequest["additionalData"] {
  const manual = capture === "manual" && amount.minor > 0n
  const data = {
    manualCapture: manual ? "true" : undefined,
    // Only a pre-authorization can be raised later.
    authorisationType: manual ? "PreAuth" : undefined,
    allowPartialAuth: allowPartial ? "true" : undefined,
    networkTxReference: initiator.networkTransactionId,
  }
  return Object.values(data).some((value) => value !== undefined) ? data : undefined
}

function authenticationOf({ initiator, threeDs }: AuthorizeInput): PaymentRequest["authenticationData"] {
  if (initiator.by === "merchant" || threeDs.mode === "external") return undefined
  switch (threeDs.mode) {
    case "none":
      return { attemptAuthentication: "never" }
    case "required":
      return { attemptAuthentication: "always", threeDSRequestData: { nativeThreeDS: "disabled" } }
    case "automatic":
      // The rules of the merchant's account decide (Dynamic 3D Secure).
      return { threeDSRequestData: { nativeThreeDS: "disabled" } }
    default:
      return threeDs satisfies never
  }
}

// What an ECI says of the authentication, where nobody told its status: fully (Y) or attempted (A). EMV 3-D Secure, per scheme.
const statusByEci: Readonly<Record<string, string>> = { "05": "Y", "02": "Y", "06": "A", "01": "A" }

function mpiDataOf({ method, threeDs }: AuthorizeInput): PaymentRequest["mpiData"] {
  const token =
    method.type === "network_token"
      ? { tokenAuthenticationVerificationValue: method.cryptogram?.reveal(), eci: method.eci }
      : {}
  const external =
    threeDs.mode === "external"
      ? {
          cavv: threeDs.cryptogram.reveal(),
          eci: eciOf(threeDs.eci),
          dsTransID: threeDs.dsTransactionId,
          threeDSVersion: messageVersion(threeDs.version),
          directoryResponse: threeDs.status ?? lookup(statusByEci, eciOf(threeDs.eci)),
        }
      : {}
  const data = { ...token, ...external }
  return Object.values(data).some((value) => value !== undefined) ? data : undefined
}

const addressOfBrowser = (ip: string | undefined): string | undefined =>
  ip !== undefined && (isIpv4(ip) || isIpv6(ip)) ? ip : undefined

/** Adyen wants both names: one word alone is not sent. */
function nameOf(name: string | undefined): PaymentRequest["shopperName"] {
  const [, firstName, lastName] = /^\s*(\S+)\s+(.*\S)\s*$/s.exec(name ?? "") ?? []
  return firstName === undefined || lastName === undefined
    ? undefined
    : { firstName: firstName.slice(0, 80), lastName: lastName.slice(0, 80) }
}

/** Plus, country code, number; numbers of another form make the request fail. */
function phoneOf(phone: Party["phone"]): string | undefined {
  const digits = phone?.replaceAll(/[\s().-]/g, "")
  return digits !== undefined && /^\+[1-9]\d{4,17}$/.test(digits) ? digits : undefined
}

/** What the customer reads on the statement; Adyen takes these characters only, and banks cut at 22. */
function statementOf(descriptor: string | undefined): string | undefined {
  const text = descriptor
    ?.normalize("NFD")
    .replaceAll(/[^a-zA-Z0-9 .,'_\-?+*/]/g, "")
    .trim()
    .slice(0, maxStatement)
  return text === undefined || text === "" ? undefined : text
}

const notTold = "N/A"
const statesNeeded: ReadonlySet<string> = new Set(["US", "CA"])

/**
 * Adyen takes an address whole or not at all, with the house number apart: postal code and country have to be there
 * (and the state in the United States and Canada), what else is missing is said to be.
 */
function addressOf(address: OurAddress | undefined): Address | undefined {
  const { line1 = "", line2 = "", city = "", state = "", country = "" } = address ?? {}
  const postalCode = postalCodeOf(address?.postalCode ?? "", country)
  const stateOrProvince = /^[A-Za-z]{2,3}$/.test(state) ? state.toUpperCase() : undefined
  if (postalCode === undefined || country === "") return undefined
  if (statesNeeded.has(country) && stateOrProvince === undefined) return undefined
  const { street, house } = houseNumberOf(line1.trim())
  const second = line2.trim()
  return {
    street: (house !== undefined && second !== "" ? `${street}, ${second}` : street) || notTold,
    houseNumberOrName: (house ?? second) || notTold,
    city: city.trim() || notTold,
    postalCode,
    country,
    stateOrProvince,
  }
}

/** At most ten characters; in the United States five digits, so the extension is left out. */
function postalCodeOf(code: string, country: string): string | undefined {
  const trimmed = code.trim()
  if (country === "US") return /^\d{5}(?=$|-)/.exec(trimmed)?.[0]
  return trimmed.length >= 1 && trimmed.length <= 10 ? trimmed : undefined
}

/** "456 My Street" and "Hauptstraße 12a", taken apart as AVS wants it. */
function houseNumberOf(line: string): { readonly street: string; readonly house?: string } {
  const [, before, rest] = /^(\d{1,6}[a-zA-Z]?),?\s+(.+)$/s.exec(line) ?? []
  if (before !== undefined && rest !== undefined) return { street: rest, house: before }
  const [, start, after] = /^(.+?),?\s+(\d{1,6}\s?[a-zA-Z]?)$/s.exec(line) ?? []
  return start !== undefined && after !== undefined ? { street: start, house: after } : { street: line }
}
