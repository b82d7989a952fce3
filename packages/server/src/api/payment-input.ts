// From a merchant's request to an intent, its secrets and its sealed card: everything that can be wrong with the input
// is found here, before anything is stored or sent, and named by the field it is in.

import { checkExpiry, isCvc, parsePan, type Network, type PanProblem } from "../core/card.ts"
import { parseCurrency } from "../core/currency.ts"
import { Fault, invalid, type FieldError } from "../core/fault.ts"
import type { AccountId, CustomerId, MerchantId, PaymentId, PaymentMethodId } from "../core/id.ts"
import type { Initiator, Intent, Method, Party as StoredParty, ThreeDsIntent } from "../core/intent.ts"
import { money } from "../core/money.ts"
import { secret, type Secret } from "../core/secret.ts"
import { parseCountry } from "../core/country.ts"
import type { Secrets } from "../engine/engine.ts"
import type { SealedCard } from "../storage/ledger/ledger.ts"
import type { Vault } from "../vault/vault.ts"
import type { PaymentConfirm, PaymentCreate } from "./payment-schema.ts"

/** The merchant's answer deadline when none is named (ms). */
export const ANSWER_WITHIN_MS = 25_000

/** A stored payment method as a payment needs it. */
export type StoredMethod = {
  readonly method: Method
  readonly customer: CustomerId
  readonly networkTransactionId?: string
  readonly sourceAccount?: AccountId
}
export type MethodSource = { find(merchant: MerchantId, id: PaymentMethodId): Promise<StoredMethod | undefined> }

export type Reader = { readonly vault: Vault; readonly methods: MethodSource; now(): number }
export type Caller = { readonly merchant: MerchantId; readonly mode: "live" | "test" }

export type ReadMethod = {
  readonly method: Method
  readonly secrets: Secrets
  readonly card?: SealedCard
  readonly sourceAccount?: AccountId
  readonly networkTransactionId?: string
}
export type ReadPayment = {
  readonly intent: Intent
  readonly secrets: Secrets
  readonly card?: SealedCard
  readonly sourceAccount?: AccountId
}

export async function readCreate(
  reader: Reader,
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
  checkParty("#/billing", body.billing)
  checkParty("#/shipping", body.shipping)
  const read =
    body.payment_method === undefined ? undefined : await readMethod(reader, caller, payment, body.payment_method)
  const initiator = readInitiator(body, store, read?.networkTransactionId)
  const { threeDs, cryptogram } = readThreeDs(body)
  if (initiator.by === "merchant" && threeDs.mode === "required")
    throw invalid("#/three_ds/mode", "cannot be required: on a merchant-initiated payment no customer is there")
  const customerId = body.customer as CustomerId | undefined
  const details = body.customer_details
  const intent: Intent = {
    amount: money(BigInt(body.amount), currency),
    capture: body.capture_method ?? "automatic",
    store,
    initiator,
    threeDs,
    allowPartial: body.allow_partial ?? false,
    answerWithinMs: body.answer_within_ms ?? ANSWER_WITHIN_MS,
    metadata: body.metadata ?? {},
    ...(read === undefined ? {} : { method: read.method }),
    ...(body.on_unknown === undefined ? {} : { onUnknown: body.on_unknown }),
    ...(body.account === undefined ? {} : { pinnedAccount: body.account as AccountId }),
    ...(body.return_url === undefined ? {} : { returnUrl: body.return_url }),
    ...(customerId === undefined ? {} : { customerId }),
    ...(details === undefined
      ? {}
      : {
          customer: {
            ...plain({ email: details.email, name: details.name, ip: details.ip, userAgent: details.user_agent }),
          },
        }),
    ...(body.billing === undefined ? {} : { billing: party(body.billing) }),
    ...(body.shipping === undefined ? {} : { shipping: party(body.shipping) }),
    ...(body.merchant_reference === undefined ? {} : { merchantReference: body.merchant_reference }),
    ...(body.statement_descriptor === undefined ? {} : { descriptor: body.statement_descriptor }),
    ...(body.description === undefined ? {} : { description: body.description }),
  }
  return {
    intent,
    secrets: { ...read?.secrets, ...(cryptogram === undefined ? {} : { threeDsCryptogram: cryptogram }) },
    ...(read?.card === undefined ? {} : { card: read.card }),
    ...(read?.sourceAccount === undefined ? {} : { sourceAccount: read.sourceAccount }),
  }
}

/** What a confirmation adds to the stored intent. CVC is taken anew. */
export async function readConfirm(
  reader: Reader,
  caller: Caller,
  payment: PaymentId,
  intent: Intent,
  body: PaymentConfirm,
): Promise<ReadPayment> {
  const read =
    body.payment_method === undefined ? undefined : await readMethod(reader, caller, payment, body.payment_method)
  if (read === undefined && intent.method === undefined)
    throw new Fault("payment.no_method", {
      errors: [{ pointer: "#/payment_method", detail: "is required: the payment was created without" }],
    })
  const networkTransactionId = intent.initiator.networkTransactionId ?? read?.networkTransactionId
  return {
    intent: {
      ...intent,
      ...(read === undefined ? {} : { method: read.method }),
      ...(body.return_url === undefined ? {} : { returnUrl: body.return_url }),
      ...(body.answer_within_ms === undefined ? {} : { answerWithinMs: body.answer_within_ms }),
      initiator: { ...intent.initiator, ...(networkTransactionId === undefined ? {} : { networkTransactionId }) },
    },
    secrets: read?.secrets ?? {},
    ...(read?.card === undefined ? {} : { card: read.card }),
    ...(read?.sourceAccount === undefined ? {} : { sourceAccount: read.sourceAccount }),
  }
}

type MethodBody = NonNullable<PaymentCreate["payment_method"]>

export async function readMethod(
  reader: Reader,
  caller: Caller,
  payment: PaymentId | undefined,
  body: MethodBody,
  at = "#/payment_method",
): Promise<ReadMethod> {
  for (const kind of ["card", "stored", "network_token", "provider_token"] as const) {
    if (body.type === kind && body[kind] === undefined)
      throw invalid(`${at}/${kind}`, `is required when type is ${kind}`)
    if (body.type !== kind && body[kind] !== undefined)
      throw invalid(`${at}/${kind}`, `must be absent when type is ${body.type}`)
  }
  switch (body.type) {
    case "card":
      return readCard(reader, caller, payment, "card", body.card!, `${at}/card`)
    case "network_token":
      return readCard(reader, caller, payment, "network_token", body.network_token!, `${at}/network_token`)
    case "stored":
      return readStored(reader, caller, body.stored!, `${at}/stored`)
    case "provider_token": {
      const { account, token, customer } = body.provider_token!
      return {
        method: {
          type: "provider_token",
          account: account as AccountId,
          token,
          ...(customer === undefined ? {} : { customer }),
        },
        secrets: {},
      }
    }
    default:
      return body.type satisfies never
  }
}

type NumberBody = {
  readonly number: string
  readonly expiry_month: number
  readonly expiry_year: number
  readonly cvc?: string
  readonly cryptogram?: string
  readonly eci?: string
  readonly holder_name?: string
}

const panProblems: Readonly<Record<PanProblem["problem"], string>> = {
  not_digits: "must be digits",
  unknown_network: "belongs to no card network we know",
  length: "has a wrong length for its network",
  check_digit: "is mistyped: its check digit does not fit",
}

function readCard(
  { vault, now }: Reader,
  { merchant }: Caller,
  payment: PaymentId | undefined,
  type: "card" | "network_token",
  body: NumberBody,
  at: string,
): ReadMethod {
  const errors: FieldError[] = []
  const pan = parsePan(body.number)
  if (pan.kind === "invalid") errors.push({ pointer: `${at}/number`, detail: panProblems[pan.problem] })
  const expiry = checkExpiry({ month: body.expiry_month, year: body.expiry_year }, now())
  if (expiry === "expired") errors.push({ pointer: `${at}/expiry_year`, detail: "the card has expired" })
  if (expiry === "invalid") errors.push({ pointer: `${at}/expiry_year`, detail: "is not a date that cards have" })
  if (body.cvc !== undefined && !(pan.kind === "pan" ? isCvc(pan.network, body.cvc) : /^\d{3,4}$/.test(body.cvc)))
    errors.push({ pointer: `${at}/cvc`, detail: "must have the 3 or 4 digits that this network prints" })
  if (pan.kind === "invalid" || errors.length > 0) throw new Fault("request.invalid", { errors })
  const sealed = vault.sealCard(merchant, { number: pan.number })
  const secretOf = (text: string | undefined): Secret<string> | undefined =>
    text === undefined ? undefined : secret(text)
  const cvc = secretOf(body.cvc)
  const cryptogram = secretOf(body.cryptogram)
  return {
    method: {
      type,
      token: sealed.id,
      network: pan.network,
      bin: pan.bin,
      last4: pan.last4,
      expiryMonth: body.expiry_month,
      expiryYear: body.expiry_year,
      fingerprint: sealed.fingerprint,
      ...(body.holder_name === undefined ? {} : { holderName: body.holder_name }),
      ...(cvc === undefined ? {} : { hasCvc: true }),
      ...(cryptogram === undefined ? {} : { hasCryptogram: true }),
      ...(body.eci === undefined ? {} : { eci: body.eci }),
    },
    secrets: {
      number: pan.number,
      ...(cvc === undefined ? {} : { cvc }),
      ...(cryptogram === undefined ? {} : { cryptogram }),
    },
    card: { ...sealed, ...(payment === undefined ? {} : { payment }) },
  }
}

async function readStored(
  { methods, now }: Reader,
  { merchant }: Caller,
  body: { readonly id: string; readonly cvc?: string },
  at: string,
): Promise<ReadMethod> {
  const stored = await methods.find(merchant, body.id as PaymentMethodId)
  if (stored === undefined) throw invalid(`${at}/id`, "no payment method has this id")
  const { method } = stored
  if (
    method.type !== "provider_token" &&
    checkExpiry({ month: method.expiryMonth, year: method.expiryYear }, now()) === "expired"
  )
    throw invalid(`${at}/id`, "the stored card has expired")
  const network: Network | undefined = method.network
  if (body.cvc !== undefined && network !== undefined && !isCvc(network, body.cvc))
    throw invalid(`${at}/cvc`, "must have the 3 or 4 digits that this network prints")
  return {
    method: body.cvc === undefined || method.type === "provider_token" ? method : { ...method, hasCvc: true },
    secrets: body.cvc === undefined ? {} : { cvc: secret(body.cvc) },
    ...(stored.sourceAccount === undefined ? {} : { sourceAccount: stored.sourceAccount }),
    ...(stored.networkTransactionId === undefined ? {} : { networkTransactionId: stored.networkTransactionId }),
  }
}

function readInitiator(body: PaymentCreate, store: boolean, storedTransaction: string | undefined): Initiator {
  const asked = body.initiator
  const networkTransactionId = asked?.network_transaction_id ?? storedTransaction
  const transaction = networkTransactionId === undefined ? {} : { networkTransactionId }
  if (asked?.by === "merchant") {
    if (asked.purpose === undefined)
      throw invalid(
        "#/initiator/purpose",
        "is required when the merchant initiates: recurring, installment or unscheduled",
      )
    if (asked.stored !== undefined) throw invalid("#/initiator/stored", "must be absent when the merchant initiates")
    if (body.payment_method?.card?.cvc !== undefined)
      throw invalid(
        "#/payment_method/card/cvc",
        "must be absent when the merchant initiates: no customer is there to type it",
      )
    return { by: "merchant", purpose: asked.purpose, ...transaction }
  }
  const used = body.payment_method?.type === "stored"
  return {
    by: "customer",
    stored: asked?.stored ?? (store ? "first" : used ? "used" : "none"),
    ...(asked?.purpose === undefined ? {} : { purpose: asked.purpose }),
    ...transaction,
  }
}

function readThreeDs(body: PaymentCreate): { readonly threeDs: ThreeDsIntent; readonly cryptogram?: Secret<string> } {
  const asked = body.three_ds
  if (asked === undefined) return { threeDs: { mode: body.initiator?.by === "merchant" ? "none" : "automatic" } }
  if (asked.mode !== "external") {
    if (asked.external !== undefined) throw invalid("#/three_ds/external", `must be absent when mode is ${asked.mode}`)
    return { threeDs: { mode: asked.mode } }
  }
  const external = asked.external
  if (external === undefined) throw invalid("#/three_ds/external", "is required when mode is external")
  return {
    threeDs: {
      mode: "external",
      version: external.version,
      eci: external.eci,
      dsTransactionId: external.ds_transaction_id,
      ...(external.status === undefined ? {} : { status: external.status }),
    },
    cryptogram: secret(external.cryptogram),
  }
}

type PartyBody = NonNullable<PaymentCreate["billing"]>

function checkParty(at: string, body: PartyBody | undefined): void {
  const country = body?.address?.country
  if (country !== undefined && parseCountry(country) === undefined)
    throw invalid(`${at}/address/country`, "is not a country of ISO 3166-1")
}

export function party(body: PartyBody): StoredParty {
  const { address } = body
  return plain({
    name: body.name,
    email: body.email,
    phone: body.phone,
    address:
      address === undefined
        ? undefined
        : plain({
            line1: address.line1,
            line2: address.line2,
            city: address.city,
            state: address.state,
            postalCode: address.postal_code,
            country: address.country,
          }),
  })
}

type Plain<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> }
/** Without the fields that are absent. */
const plain = <T extends object>(value: T): Plain<T> =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Plain<T>
