// From a merchant's request to an intent, its secrets and its sealed card: everything that can be wrong with the input
// is found here, before anything is stored or sent, and named by the field it is in.

import { isCvc } from "../core/card.ts"
import { parseCountry } from "../core/country.ts"
import { parseCurrency } from "../core/currency.ts"
import { Fault, invalid } from "../core/fault.ts"
import { given } from "../core/given.ts"
import type { AccountId, CustomerId, PaymentId } from "../core/id.ts"
import type { Initiator, Intent, Method, Party as StoredParty, ThreeDsIntent } from "../core/intent.ts"
import { money } from "../core/money.ts"
import { isNetworkTransactionId } from "../core/network-transaction-id.ts"
import { secret, type Secret } from "../core/secret.ts"
import type { Secrets } from "../engine/engine.ts"
import type { SealedCard } from "../storage/ledger/ledger.ts"
import { readMethod, type Caller, type MethodReader, type ReadMethod } from "./method-input.ts"
import type { PaymentConfirm, PaymentCreate } from "./payment-schema.ts"

/** The merchant's answer deadline when none is named (ms). */
export const ANSWER_WITHIN_MS = 25_000

export type ReadPayment = {
  readonly intent: Intent
  readonly secrets: Secrets
  readonly card?: SealedCard
  readonly sourceAccount?: AccountId
}

/** An id that the card's network certainly never gave out would only be declined. */
function checkTransactionId(pointer: string, id: string | undefined, method: Method | undefined): void {
  if (id !== undefined && method !== undefined && !isNetworkTransactionId(method.network, id))
    throw invalid(pointer, `${method.network ?? "this network"} gives out no network transaction id like ${id}`)
}

export async function readCreate(
  reader: MethodReader,
  caller: Caller,
  payment: PaymentId,
  body: PaymentCreate,
): Promise<ReadPayment> {
  const currency = parseCurrency(body.currency)
  if (currency === undefined) throw invalid("#/currency", "is not a currency of ISO 4217")
  const store = body.store_payment_method ?? false
  if (store && body.customer === undefined)
    throw invalid("#/store_payment_method", "needs `customer`: a stored card belongs to one")
  if ((body.confirm ?? true) && body.payment_method === undefined)
    throw invalid("#/payment_method", "is required to confirm the payment")
  checkAddress("#/billing/address", body.billing?.address)
  checkAddress("#/shipping/address", body.shipping?.address)
  const read = body.payment_method && (await readMethod(reader, caller, payment, body.payment_method))
  if (read?.customer !== undefined && body.customer !== undefined && read.customer !== body.customer)
    throw invalid("#/payment_method/stored/id", "belongs to another customer")
  const initiator = readInitiator(body, store, read?.networkTransactionId)
  checkTransactionId("#/initiator/network_transaction_id", body.initiator?.network_transaction_id, read?.method)
  const { threeDs, cryptogram } = readThreeDs(body.three_ds, initiator.by)
  checkThreeDs(initiator, threeDs)
  const details = body.customer_details
  const intent: Intent = given({
    amount: money(BigInt(body.amount), currency),
    capture: body.capture_method ?? "automatic",
    method: read?.method,
    store,
    initiator,
    threeDs,
    allowPartial: body.allow_partial ?? false,
    onUnknown: body.on_unknown,
    pinnedAccount: body.account as AccountId | undefined,
    returnUrl: body.return_url,
    answerWithinMs: body.answer_within_ms ?? ANSWER_WITHIN_MS,
    customerId: (body.customer as CustomerId | undefined) ?? read?.customer,
    customer:
      details && given({ email: details.email, name: details.name, ip: details.ip, userAgent: details.user_agent }),
    billing: body.billing && party(body.billing),
    shipping: body.shipping && party(body.shipping),
    merchantReference: body.merchant_reference,
    descriptor: body.statement_descriptor,
    description: body.description,
    metadata: body.metadata ?? {},
  })
  return given({
    intent,
    secrets: given({ ...read?.secrets, threeDsCryptogram: cryptogram }),
    card: read?.card,
    sourceAccount: read?.sourceAccount,
  })
}

/** What a confirmation adds to the stored intent. What authenticates the payment is taken anew: it is never stored. */
export async function readConfirm(
  reader: MethodReader,
  caller: Caller,
  payment: PaymentId,
  intent: Intent,
  body: PaymentConfirm,
): Promise<ReadPayment> {
  const { method, secrets, card, customer, sourceAccount, networkTransactionId } = await confirmedMethod(
    reader,
    caller,
    payment,
    intent,
    body.payment_method,
  )
  if (intent.initiator.by === "merchant" && secrets.cvc !== undefined)
    throw invalid("#/payment_method", "takes no CVC when the merchant initiates: no customer is there to type it")
  if (customer !== undefined && intent.customerId !== undefined && customer !== intent.customerId)
    throw invalid("#/payment_method/stored/id", "belongs to another customer")
  checkTransactionId("#/payment_method", intent.initiator.networkTransactionId, method)
  if (intent.threeDs.mode === "external" && body.three_ds === undefined)
    throw unauthenticated("#/three_ds/external/cryptogram", "is required: the payment was created with a 3DS result")
  const { threeDs, cryptogram } =
    body.three_ds === undefined ? { threeDs: intent.threeDs } : readThreeDs(body.three_ds, intent.initiator.by)
  checkThreeDs(intent.initiator, threeDs)
  return given({
    intent: given({
      ...intent,
      method,
      threeDs,
      customerId: intent.customerId ?? customer,
      returnUrl: body.return_url ?? intent.returnUrl,
      answerWithinMs: body.answer_within_ms ?? intent.answerWithinMs,
      initiator: given({
        ...intent.initiator,
        networkTransactionId: intent.initiator.networkTransactionId ?? networkTransactionId,
      }),
    }),
    secrets: given({ ...secrets, threeDsCryptogram: cryptogram }),
    card,
    sourceAccount,
  })
}

type ConfirmMethodBody = NonNullable<PaymentConfirm["payment_method"]>

/** The method that the confirmation brings, or the stored one with what the confirmation says to authenticate it. */
async function confirmedMethod(
  reader: MethodReader,
  caller: Caller,
  payment: PaymentId,
  intent: Intent,
  body: ConfirmMethodBody | undefined,
): Promise<ReadMethod> {
  const { type, cvc, cryptogram, ...fields } = body ?? {}
  if (type !== undefined) {
    for (const [name, value] of Object.entries({ cvc, cryptogram }))
      if (value !== undefined) throw invalid(`#/payment_method/${name}`, `belongs into ${type}`)
    return readMethod(reader, caller, payment, { type, ...fields })
  }
  for (const name of Object.keys(fields))
    throw invalid("#/payment_method/type", `is required: ${name} is another method than the payment was created with`)
  const { method } = intent
  if (method === undefined)
    throw new Fault("payment.no_method", {
      errors: [{ pointer: "#/payment_method", detail: "is required: the payment was created without" }],
    })
  return given({
    method: method.type === "network_token" ? method : withCvc(method, cvc),
    secrets: authentication(method, cvc, cryptogram),
    sourceAccount: await sourceOf(reader, caller, intent),
  })
}

const withCvc = <M extends Exclude<Method, { type: "network_token" }>>(method: M, cvc: string | undefined): M =>
  cvc === undefined ? method : { ...method, hasCvc: true }

/** What the payment had at its creation must come again: nothing that made it safer is lost without anybody's word. */
function authentication(method: Method, cvc: string | undefined, cryptogram: string | undefined): Secrets {
  if (method.type === "network_token") {
    if (cvc !== undefined) throw invalid("#/payment_method/cvc", "must be absent: a network token has none")
    if (method.hasCryptogram === true && cryptogram === undefined)
      throw unauthenticated("#/payment_method/cryptogram", "is required: the payment was created with one")
    return cryptogram === undefined ? {} : { cryptogram: secret(cryptogram) }
  }
  if (cryptogram !== undefined)
    throw invalid("#/payment_method/cryptogram", "must be absent: only network tokens have one")
  if (method.hasCvc === true && cvc === undefined)
    throw unauthenticated("#/payment_method/cvc", "is required: the payment was created with one")
  if (cvc !== undefined && method.network !== undefined && !isCvc(method.network, cvc))
    throw invalid("#/payment_method/cvc", "must have the 3 or 4 digits that this network prints")
  return cvc === undefined ? {} : { cvc: secret(cvc) }
}

const unauthenticated = (pointer: string, detail: string): Fault =>
  new Fault("payment.authentication_missing", { errors: [{ pointer, detail }] })

/** Where the stored card that the payment was created with was first used. */
async function sourceOf({ methods }: MethodReader, caller: Caller, { method }: Intent): Promise<AccountId | undefined> {
  if (method?.paymentMethod === undefined) return undefined
  return (await methods.find(caller, method.paymentMethod))?.sourceAccount
}

function readInitiator(body: PaymentCreate, store: boolean, storedTransaction: string | undefined): Initiator {
  const asked = body.initiator
  const networkTransactionId = asked?.network_transaction_id ?? storedTransaction
  if (asked?.by === "merchant") {
    if (asked.purpose === undefined)
      throw invalid(
        "#/initiator/purpose",
        "is required when the merchant initiates: recurring, installment or unscheduled",
      )
    if (asked.stored !== undefined) throw invalid("#/initiator/stored", "must be absent when the merchant initiates")
    for (const type of ["card", "stored"] as const)
      if (body.payment_method?.[type]?.cvc !== undefined)
        throw invalid(
          `#/payment_method/${type}/cvc`,
          "must be absent when the merchant initiates: no customer is there to type it",
        )
    return given({ by: "merchant", purpose: asked.purpose, networkTransactionId })
  }
  const used = body.payment_method?.type === "stored"
  return given({
    by: "customer",
    stored: asked?.stored ?? (store ? "first" : used ? "used" : "none"),
    purpose: asked?.purpose,
    networkTransactionId,
  })
}

function checkThreeDs(initiator: Initiator, threeDs: ThreeDsIntent): void {
  if (initiator.by === "merchant" && threeDs.mode === "required")
    throw invalid("#/three_ds/mode", "cannot be required: on a merchant-initiated payment no customer is there")
}

function readThreeDs(
  asked: PaymentCreate["three_ds"],
  by: Initiator["by"],
): { readonly threeDs: ThreeDsIntent; readonly cryptogram?: Secret<string> } {
  if (asked === undefined) return { threeDs: { mode: by === "merchant" ? "none" : "automatic" } }
  if (asked.mode !== "external") {
    if (asked.external !== undefined) throw invalid("#/three_ds/external", `must be absent when mode is ${asked.mode}`)
    return { threeDs: { mode: asked.mode } }
  }
  const external = asked.external
  if (external === undefined) throw invalid("#/three_ds/external", "is required when mode is external")
  return {
    threeDs: given({
      mode: "external",
      version: external.version,
      eci: external.eci,
      dsTransactionId: external.ds_transaction_id,
      status: external.status,
    }),
    cryptogram: secret(external.cryptogram),
  }
}

type PartyBody = NonNullable<PaymentCreate["billing"]>

export function checkAddress(at: string, address: PartyBody["address"]): void {
  const country = address?.country
  if (country !== undefined && parseCountry(country) === undefined)
    throw invalid(`${at}/country`, "is not a country of ISO 3166-1")
}

export function party({ name, email, phone, address }: PartyBody): StoredParty {
  return given({
    name,
    email,
    phone,
    address:
      address &&
      given({
        line1: address.line1,
        line2: address.line2,
        city: address.city,
        state: address.state,
        postalCode: address.postal_code,
        country: address.country,
      }),
  })
}
