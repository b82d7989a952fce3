// How the customer pays, from the request's words: card numbers are checked, sealed at once, and travel on as tokens;
// CVC and cryptograms only as secrets of this process.

import { BIN_DIGITS, type BinTable } from "../core/bin-table.ts"
import { checkExpiry, isCvc, parsePan, type PanProblem } from "../core/card.ts"
import { Fault, invalid, type FieldError } from "../core/fault.ts"
import { given } from "../core/given.ts"
import type { AccountId, CustomerId, MerchantId, PaymentId, PaymentMethodId } from "../core/id.ts"
import type { Method } from "../core/intent.ts"
import { secret, type Secret } from "../core/secret.ts"
import type { Secrets } from "../engine/engine.ts"
import type { SealedCard } from "../storage/ledger/ledger.ts"
import type { Vault } from "../vault/vault.ts"
import { readCardFacts, type SaidFacts, withCardFacts } from "./card-facts.ts"
import type { PaymentCreate } from "./payment-schema.ts"

/** A stored payment method as a payment needs it. */
export type StoredMethod = {
  readonly method: Method
  readonly customer: CustomerId
  readonly networkTransactionId?: string
  readonly sourceAccount?: AccountId
}
export type MethodSource = {
  /** Not those of the other mode. */
  find(caller: Caller, id: PaymentMethodId): Promise<StoredMethod | undefined>
}

export type MethodReader = {
  readonly vault: Vault
  readonly methods: MethodSource
  readonly bins: BinTable
  now(): number
}
export type Caller = { readonly merchant: MerchantId; readonly mode: "live" | "test" }

export type ReadMethod = {
  readonly method: Method
  readonly secrets: Secrets
  readonly card?: SealedCard
  readonly customer?: CustomerId
  readonly sourceAccount?: AccountId
  readonly networkTransactionId?: string
}

type MethodBody = NonNullable<PaymentCreate["payment_method"]>

export async function readMethod(
  reader: MethodReader,
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
        method: given({ type: "provider_token", account: account as AccountId, token, customer }),
        secrets: {},
      }
    }
    default:
      return body.type satisfies never
  }
}

type NumberBody = SaidFacts & {
  readonly number: string
  readonly expiry_month: number
  readonly expiry_year: number
  readonly cvc?: string
  readonly cryptogram?: string
  readonly eci?: string
  readonly holder_name?: string
  readonly requestor_account?: string
}

const panProblems: Readonly<Record<PanProblem["problem"], string>> = {
  not_digits: "must be digits",
  unknown_network: "belongs to no card network we know",
  length: "has a wrong length for its network",
  check_digit: "is mistyped: its check digit does not fit",
}

function readCard(
  { vault, bins, now }: MethodReader,
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
  const digits = pan.kind === "pan" ? pan.number.reveal().slice(0, BIN_DIGITS) : ""
  const facts = readCardFacts(bins, digits, body, at, errors)
  if (pan.kind === "invalid" || errors.length > 0) throw new Fault("request.invalid", { errors })
  const sealed = vault.sealCard(merchant, { number: pan.number })
  return {
    method: given({
      type,
      token: sealed.id,
      network: pan.network,
      bin: pan.bin,
      last4: pan.last4,
      expiryMonth: body.expiry_month,
      expiryYear: body.expiry_year,
      fingerprint: sealed.fingerprint,
      holderName: body.holder_name,
      ...facts,
      hasCvc: body.cvc === undefined ? undefined : true,
      hasCryptogram: body.cryptogram === undefined ? undefined : true,
      eci: body.eci,
      requestorAccount: body.requestor_account as AccountId | undefined,
    }),
    secrets: given({ number: pan.number, cvc: hidden(body.cvc), cryptogram: hidden(body.cryptogram) }),
    card: given({ ...sealed, payment }),
  }
}

const hidden = (text: string | undefined): Secret<string> | undefined => (text === undefined ? undefined : secret(text))

async function readStored(
  { methods, bins, now }: MethodReader,
  caller: Caller,
  body: SaidFacts & { readonly id: string; readonly cvc?: string },
  at: string,
): Promise<ReadMethod> {
  const stored = await methods.find(caller, body.id as PaymentMethodId)
  if (stored === undefined) throw invalid(`${at}/id`, "no payment method has this id")
  const method = withCardFacts(bins, stored.method, body, at)
  if (
    method.type !== "provider_token" &&
    checkExpiry({ month: method.expiryMonth, year: method.expiryYear }, now()) === "expired"
  )
    throw invalid(`${at}/id`, "the stored card has expired")
  const { network } = method
  if (body.cvc !== undefined && network !== undefined && !isCvc(network, body.cvc))
    throw invalid(`${at}/cvc`, "must have the 3 or 4 digits that this network prints")
  const { customer, sourceAccount, networkTransactionId } = stored
  return given({
    method: body.cvc === undefined || method.type === "network_token" ? method : { ...method, hasCvc: true },
    secrets: given({ cvc: hidden(body.cvc) }),
    customer,
    sourceAccount,
    networkTransactionId,
  })
}
