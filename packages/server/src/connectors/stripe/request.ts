// Our inputs as Stripe's requests. A payment is an intent that is created unconfirmed (its id is stored before money can
// move) and then confirmed; a zero amount is a SetupIntent on the same two steps. Which of the two an id is, it says itself.

import type { Party } from "../../core/intent.ts"
import { exactAmount } from "../amount.ts"
import {
  type AccountConfig,
  type AuthorizeInput,
  type FollowUpInput,
  type HttpRequest,
  type Input,
  type InquiryInput,
  takesNetworkTransactionId,
} from "../connector.ts"
import { eciOf, messageVersion } from "../external-three-ds.ts"
import { manifest } from "./manifest.ts"
import { attemptKey, captureMark, form, operationKey, segment } from "./wire.ts"

type Fields = readonly (readonly [string, string | undefined])[]

/** Stripe's limits on texts: https://docs.stripe.com/api/metadata and /api/payment_intents/create, read 2026-10. */
const maxMetadataLength = 500
const maxDescriptionLength = 1_000
const maxTextLength = 5_000
const maxSuffixLength = 22
/** Refunds of one payment that an inquiry looks at. */
const maxRefunds = 100

export function prepare(input: AuthorizeInput, account: AccountConfig): HttpRequest {
  const common: Fields = [
    // API versions before 2026-09-30 called it payment_method_types.
    ["allowed_payment_method_types[]", "card"],
    [`metadata[${attemptKey}]`, input.attempt],
    ["metadata[merchant_reference]", cut(input.merchantReference, maxMetadataLength)],
    ["metadata[merchant_customer]", cut(input.customer?.id, maxMetadataLength)],
    ["description", cut(input.description, maxDescriptionLength)],
    ["customer", input.method.type === "provider_token" ? input.method.customer : undefined],
  ]
  if (input.amount.minor === 0n)
    return post("/v1/setup_intents", input.key, account, [...common, ["usage", "off_session"]])
  return post("/v1/payment_intents", input.key, account, [
    ...amountFields("amount", input),
    ["currency", input.amount.currency.toLowerCase()],
    // Not the default, automatic_async, whose answers come before the capture is booked.
    ["capture_method", input.capture],
    ...common,
    ["statement_descriptor_suffix", suffix(input.descriptor)],
    ...shipping(input.shipping),
  ])
}

export function authorize(input: AuthorizeInput, account: AccountConfig): HttpRequest {
  if (input.reference === undefined) throw new TypeError("a payment is prepared before it is authorized")
  const { method, initiator, threeDs } = input
  const setup = isSetup(input.reference)
  const customerIsHere = initiator.by === "customer"
  const stores = customerIsHere && (input.store || initiator.stored === "first")
  return post(`/v1/${path(input.reference)}/confirm`, input.key, account, [
    ["expand[]", setup ? "payment_method" : "latest_charge"],
    ...methodFields(input),
    ["return_url", customerIsHere ? input.returnUrl : undefined],
    ...(setup
      ? []
      : ([
          ["off_session", customerIsHere ? undefined : "true"],
          // Stripe cannot be told not to authenticate, only to fail where it would.
          ["error_on_requires_action", customerIsHere && threeDs.mode === "none" ? "true" : undefined],
          ["setup_future_usage", stores ? "off_session" : undefined],
        ] as const)),
    ...cardOptions(input, stores, setup, account),
    ["payment_method_options[card][network]", preferredNetwork(method)],
  ])
}

const cardOption = (name: string): string => `payment_method_options[card][${name}]`

function cardOptions(input: AuthorizeInput, stores: boolean, setup: boolean, account: AccountConfig): Fields {
  const { threeDs, initiator } = input
  const purpose = initiator.purpose
  const manual = !setup && input.capture === "manual"
  const partial = !setup && input.allowPartial && account.settings["partial_authorizations"] === "enabled"
  const isNumber = input.method.type !== "provider_token"
  const networkTransactionId =
    // An exemption of merchant-initiated payments: one with the customer there must not claim it.
    initiator.by === "merchant" && takesNetworkTransactionId(manifest, account.settings) && isNumber && !setup
      ? initiator.networkTransactionId
      : undefined
  return [
    [cardOption("request_three_d_secure"), requestedThreeDs[threeDs.mode]],
    ...(threeDs.mode === "external"
      ? ([
          [cardOption("three_d_secure][version"), messageVersion(threeDs.version)],
          [cardOption("three_d_secure][electronic_commerce_indicator"), eciOf(threeDs.eci)],
          [cardOption("three_d_secure][cryptogram"), threeDs.cryptogram.reveal()],
          [cardOption("three_d_secure][transaction_id"), threeDs.dsTransactionId],
          [cardOption("three_d_secure][ares_trans_status"), threeDs.status],
        ] as const)
      : []),
    [cardOption("setup_credential_usage"), stores || setup ? purpose : undefined],
    [cardOption("stored_credential_usage"), initiator.by === "merchant" && !setup ? purpose : undefined],
    [cardOption("mit_exemption][network_transaction_id"), networkTransactionId],
    [cardOption("request_incremental_authorization"), manual ? "if_available" : undefined],
    [cardOption("request_multicapture"), manual ? "if_available" : undefined],
    [cardOption("request_partial_authorization"), partial ? "if_available" : undefined],
  ]
}

const requestedThreeDs = { automatic: "automatic", required: "any", none: undefined, external: undefined } as const

function methodFields({ method, billing }: AuthorizeInput): Fields {
  switch (method.type) {
    case "provider_token":
      return [["payment_method", method.token]]
    case "card":
      return [
        ["payment_method_data[type]", "card"],
        ["payment_method_data[card][number]", method.number.reveal()],
        ["payment_method_data[card][exp_month]", String(method.expiryMonth)],
        ["payment_method_data[card][exp_year]", String(method.expiryYear)],
        ["payment_method_data[card][cvc]", method.cvc?.reveal()],
        ...party("payment_method_data[billing_details]", { ...billing, ...holder(method.holderName) }),
      ]
    case "network_token":
      throw new TypeError("network tokens are not open to every Stripe account: see NOTES.md")
    default:
      return method satisfies never
  }
}

const holder = (name: string | undefined): { readonly name?: string } => (name === undefined ? {} : { name })

// Co-badged cards go over the other network unless the merchant (or the customer's choice) names this one.
const preferredNetwork = (method: AuthorizeInput["method"]): string | undefined =>
  method.type !== "provider_token" && method.network === "cartes_bancaires" ? "cartes_bancaires" : undefined

function party(prefix: string, { name, email, phone, address }: Party): Fields {
  return [
    [`${prefix}[name]`, cut(name, maxTextLength)],
    [`${prefix}[email]`, cut(email, maxTextLength)],
    [`${prefix}[phone]`, cut(phone, maxTextLength)],
    [`${prefix}[address][line1]`, cut(address?.line1, maxTextLength)],
    [`${prefix}[address][line2]`, cut(address?.line2, maxTextLength)],
    [`${prefix}[address][city]`, cut(address?.city, maxTextLength)],
    [`${prefix}[address][state]`, cut(address?.state, maxTextLength)],
    [`${prefix}[address][postal_code]`, cut(address?.postalCode, maxTextLength)],
    [`${prefix}[address][country]`, cut(address?.country, maxTextLength)],
  ]
}

// Stripe refuses a shipping hash without a name and a first line; it has no place for a mail address there.
function shipping(to: Party | undefined): Fields {
  const fields = new Map(party("shipping", to ?? {}))
  fields.delete("shipping[email]")
  const isWhole = fields.get("shipping[name]") !== undefined && fields.get("shipping[address][line1]") !== undefined
  return isWhole ? [...fields] : []
}

export function capture(input: Input["capture"], account: AccountConfig): HttpRequest {
  return post(`/v1/payment_intents/${segment(input.reference)}/capture`, input.key, account, [
    ...amountFields("amount_to_capture", input),
    // Only allowed where several captures are; without it the rest is released.
    ["final_capture", input.final ? undefined : "false"],
    ...operationFields(input, captureMark(exactAmount(manifest, input.amount), input.final)),
    ["expand[]", "latest_charge"],
  ])
}

export function increment(input: FollowUpInput, account: AccountConfig): HttpRequest {
  return post(`/v1/payment_intents/${segment(input.reference)}/increment_authorization`, input.key, account, [
    ...amountFields("amount", input),
    ...operationFields(input, "increment"),
    ["expand[]", "latest_charge"],
  ])
}

export function cancel(
  input: { readonly key: string; readonly reference: string },
  account: AccountConfig,
): HttpRequest {
  return post(`/v1/${path(input.reference)}/cancel`, input.key, account, [])
}

/** The merchant's words are free text; Stripe takes three of its own. */
const refundReasons = ["duplicate", "fraudulent", "requested_by_customer"]

export function refund(input: Input["refund"], account: AccountConfig): HttpRequest {
  const { reason } = input
  const known = reason !== undefined && refundReasons.includes(reason)
  return post("/v1/refunds", input.key, account, [
    ["payment_intent", input.reference],
    ...amountFields("amount", input),
    ...(known ? ([["reason", reason]] as const) : []),
    [`metadata[${attemptKey}]`, input.attempt],
    [`metadata[${operationKey}]`, input.operation],
    ["metadata[reason]", known ? undefined : cut(reason, maxMetadataLength)],
  ])
}

/** Void or refund, whichever undoes it. A refund without an amount gives back all that is left. */
export function reverse(input: Input["reverse"], account: AccountConfig): HttpRequest {
  const { reference } = input
  if (reference === undefined) throw new TypeError("a reversal needs the id that prepare learned")
  if (input.captured.minor === 0n) return cancel({ key: input.key, reference }, account)
  return post("/v1/refunds", input.key, account, [
    ["payment_intent", reference],
    [`metadata[${attemptKey}]`, input.attempt],
    [`metadata[${operationKey}]`, input.operation],
  ])
}

export function inquire(input: InquiryInput, account: AccountConfig): HttpRequest {
  const { reference, operationReference } = input
  if (input.about === "refund" && operationReference !== undefined)
    return get(`/v1/refunds/${segment(operationReference)}`, account, [])
  if (reference === undefined)
    // Attempt ids are ours and hold no quotes; a search sees an intent within a minute, mostly.
    return get("/v1/payment_intents/search", account, [["query", `metadata['${attemptKey}']:'${input.attempt}'`]])
  if (input.about === "refund")
    return get("/v1/refunds", account, [
      ["payment_intent", reference],
      ["limit", String(maxRefunds)],
    ])
  return get(`/v1/${path(reference)}`, account, [["expand[]", isSetup(reference) ? "payment_method" : "latest_charge"]])
}

export const isSetup = (reference: string): boolean => reference.startsWith("seti_")

const path = (reference: string): string =>
  `${isSetup(reference) ? "setup_intents" : "payment_intents"}/${segment(reference)}`

const amountFields = (name: string, { amount }: Pick<FollowUpInput, "amount">): Fields => [
  [name, exactAmount(manifest, amount).toString()],
]

// The last operation's id for webhooks, and one key for each, so that an inquiry about this operation finds it after others.
const operationFields = ({ operation }: FollowUpInput, mark: string): Fields => [
  [`metadata[${operationKey}]`, operation],
  [`metadata[${operation}]`, mark],
]

function post(path: string, key: string, account: AccountConfig, fields: Fields): HttpRequest {
  return {
    method: "POST",
    path,
    headers: {
      ...headers(account),
      "idempotency-key": key,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: form(fields),
  }
}

export function get(path: string, account: AccountConfig, fields: Fields): HttpRequest {
  const query = form(fields)
  return { method: "GET", path: query === "" ? path : `${path}?${query}`, headers: headers(account) }
}

function headers({ credentials, settings }: AccountConfig): Readonly<Record<string, string>> {
  const key = credentials["secret_key"]
  if (key === undefined) throw new TypeError("a Stripe account has a secret key")
  const account = settings["connected_account"]
  return {
    authorization: `Bearer ${key.reveal()}`,
    "stripe-version": manifest.api.version,
    accept: "application/json",
    ...(account === undefined || account === "" ? {} : { "stripe-account": account }),
  }
}

/** Whole characters only, and nothing where nothing is left. */
function cut(text: string | undefined, length: number): string | undefined {
  const short = text?.slice(0, length).toWellFormed().trim()
  return short === undefined || short === "" ? undefined : short
}

/** At most 22 Latin characters, none of < > \ ' " *, and one letter at least: https://docs.stripe.com/get-started/account/statement-descriptors. */
function suffix(descriptor: string | undefined): string | undefined {
  const clean = descriptor
    ?.replaceAll(/[^\x20-\x7e]|[<>\\'"*]/g, "")
    .trim()
    .slice(0, maxSuffixLength)
    .trim()
  return clean !== undefined && /[a-z]/i.test(clean) ? clean : undefined
}
