// Reads and checks the body of POST /payments and POST /tokens: what is to be authorized, with which card, and how.
import { type Bin, binOf, passesLuhn } from "../bins.ts"
import { amountAt, type JsonObject, objectAt, textAt, valueAt } from "../json-body.ts"
import { toIso } from "./amount.ts"
import { type Checked, invalid, unprocessable } from "./error.ts"

export type Card = {
  readonly pan: string
  readonly bin: Bin
  readonly expiryMonth: number
  readonly expiryYear: number
  readonly name: string
}

export type Purchase = {
  readonly reference: string | undefined
  /** As Checkout.com counts; zero verifies the card. */
  readonly value: bigint
  readonly iso: bigint
  readonly currency: string
  readonly card: Card
  /** The stored instrument that was named as source. */
  readonly sourceId: string | undefined
  readonly cvv: string | undefined
  readonly networkToken: boolean
  readonly cryptogram: string | undefined
  readonly paymentType: string
  readonly initiator: "customer" | "merchant"
  readonly capture: Capture
  readonly authorizationType: "Final" | "Estimated" | "Incremental"
  readonly allowPartial: boolean
  readonly threeDs: ThreeDsWish
  readonly successUrl: string | undefined
  readonly failureUrl: string | undefined
  readonly addressLine: string | undefined
  readonly postcode: string | undefined
  readonly metadata: JsonObject | undefined
}

/** Capturing at once is Checkout.com's default. */
export type Capture = { readonly type: "automatic"; readonly at: number | undefined } | { readonly type: "manual" }

export type ThreeDsWish =
  | { readonly type: "none" }
  | { readonly type: "challenge"; readonly attemptWithout: boolean }
  | { readonly type: "external"; readonly eci: string; readonly status: "authenticated" | "attempted" | undefined }

/** What the persona knows and the request only names. */
export type Known = {
  readonly now: number
  readonly processingChannelId: string
  source(id: string): Card | undefined
  token(token: string): Card | "expired" | undefined
  payment(id: string): boolean
}

const MAX_REFERENCE = 50
const MAX_URL = 1024
const PAYMENT_TYPES = ["Regular", "Recurring", "MOTO", "Installment", "Unscheduled"]
const AUTHORIZATION_TYPES = ["Final", "Estimated", "Incremental"] as const

export function readPurchase(body: JsonObject, known: Known): Checked<Purchase> {
  const currency = textAt(body, "currency")
  if (currency === undefined) return invalid("currency_required")
  if (!/^[A-Z]{3}$/.test(currency)) return invalid("currency_invalid")
  const value = valueAt(body, "amount") === undefined ? 0n : amountAt(body, "amount")
  const iso = value === undefined ? undefined : toIso(value, currency)
  if (value === undefined || iso === undefined) return invalid("amount_invalid")
  const reference = textAt(body, "reference")
  if (reference !== undefined && reference.length > MAX_REFERENCE) return invalid("reference_invalid")
  const channel = textAt(body, "processing_channel_id")
  if (channel !== undefined && channel !== known.processingChannelId) return invalid("processing_channel_id_invalid")
  const paymentType = textAt(body, "payment_type") ?? "Regular"
  if (!PAYMENT_TYPES.includes(paymentType)) return invalid("payment_type_invalid")
  const wantedType = textAt(body, "authorization_type") ?? "Final"
  const authorizationType = AUTHORIZATION_TYPES.find((type) => type === wantedType)
  if (!authorizationType) return invalid("authorization_type_invalid")
  const previous = textAt(body, "previous_payment_id")
  // A scheme transaction id may stand here too, of a payment that was made elsewhere.
  if (previous?.startsWith("pay_") && !known.payment(previous)) return invalid("previous_payment_id_invalid")
  const capture = readCapture(body)
  if (!capture.ok) return capture
  const threeDs = readThreeDs(body)
  const urls = [textAt(body, "success_url"), textAt(body, "failure_url")] as const
  if (threeDs.type === "challenge" && urls[0] === undefined) return invalid("success_url_required")
  if (threeDs.type === "challenge" && urls[1] === undefined) return invalid("failure_url_required")
  if (urls.some((url) => url !== undefined && (url.length > MAX_URL || !URL.canParse(url))))
    return invalid("redirect_url_invalid")
  const source = readSource(body, known)
  if (!source.ok) return source
  return {
    ok: true,
    value: {
      reference,
      value,
      iso,
      currency,
      ...source.value,
      paymentType,
      initiator: valueAt(body, "merchant_initiated") === true ? "merchant" : "customer",
      capture: capture.value,
      authorizationType,
      allowPartial: valueAt(body, "partial_authorization", "enabled") === true,
      threeDs,
      successUrl: urls[0],
      failureUrl: urls[1],
      addressLine: textAt(body, "source", "billing_address", "address_line1"),
      postcode: textAt(body, "source", "billing_address", "zip"),
      metadata: objectAt(body, "metadata"),
    },
  }
}

type Source = Pick<Purchase, "card" | "sourceId" | "cvv" | "networkToken" | "cryptogram">

function readSource(body: JsonObject, known: Known): Checked<Source> {
  const source = objectAt(body, "source")
  if (!source) return invalid("payment_source_required")
  const cvv = textAt(source, "cvv")
  const plain = { sourceId: undefined, cvv, networkToken: false, cryptogram: undefined }
  switch (textAt(source, "type")) {
    case "card": {
      const card = readCard(source, "number", known.now)
      if (!card.ok) return card
      return fitsCvv(card.value, cvv) ? { ok: true, value: { ...plain, card: card.value } } : invalid("cvv_invalid")
    }
    case "network_token": {
      const card = readCard(source, "token", known.now)
      if (!card.ok) return card
      const tokenType = textAt(source, "token_type")
      if (tokenType !== "vts" && tokenType !== "mdes") return invalid("token_type_invalid")
      const cryptogram = textAt(source, "cryptogram")
      return { ok: true, value: { ...plain, card: card.value, networkToken: true, cryptogram } }
    }
    case "id": {
      const sourceId = textAt(source, "id") ?? ""
      const card = known.source(sourceId)
      return card ? { ok: true, value: { ...plain, card, sourceId } } : invalid("source_id_invalid")
    }
    case "token": {
      const card = known.token(textAt(source, "token") ?? "")
      if (card === "expired") return unprocessable("token_expired")
      return card ? { ok: true, value: { ...plain, card } } : invalid("token_invalid")
    }
    case undefined:
      return invalid("source_type_required")
    default:
      return invalid("payment_source_invalid")
  }
}

export function readCard(source: JsonObject, field: "number" | "token", now: number): Checked<Card> {
  const prefix = field === "number" ? "card_number" : "token"
  const pan = textAt(source, field)
  if (pan === undefined) return invalid(`${prefix}_required`)
  const bin = binOf(pan)
  if (!bin || !passesLuhn(pan)) return invalid(`${prefix}_invalid`)
  const month = valueAt(source, "expiry_month")
  const year = valueAt(source, "expiry_year")
  if (month === undefined) return invalid("card_expiry_month_required")
  if (year === undefined) return invalid("card_expiry_year_required")
  if (!isWithin(month, 1, 12)) return invalid("card_expiry_month_invalid")
  if (!isWithin(year, 2000, 2099)) return invalid("card_expiry_year_invalid")
  if (now >= Date.UTC(year, month, 1)) return invalid("card_expired")
  return { ok: true, value: { pan, bin, expiryMonth: month, expiryYear: year, name: textAt(source, "name") ?? "" } }
}

function isWithin(value: unknown, from: number, to: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= from && value <= to
}

function fitsCvv({ bin }: Card, cvv: string | undefined): boolean {
  return cvv === undefined || new RegExp(`^\\d{${bin.network === "amex" ? 4 : 3}}$`).test(cvv)
}

function readCapture(body: JsonObject): Checked<Capture> {
  const on = textAt(body, "capture_on")
  if (on !== undefined) {
    const at = Date.parse(on)
    return Number.isNaN(at) ? invalid("capture_on_invalid") : { ok: true, value: { type: "automatic", at } }
  }
  const manual = valueAt(body, "capture") === false
  return { ok: true, value: manual ? { type: "manual" } : { type: "automatic", at: undefined } }
}

function readThreeDs(body: JsonObject): ThreeDsWish {
  if (valueAt(body, "3ds", "enabled") !== true) return { type: "none" }
  const eci = textAt(body, "3ds", "eci")
  if (eci === undefined || textAt(body, "3ds", "cryptogram") === undefined)
    return { type: "challenge", attemptWithout: valueAt(body, "3ds", "attempt_n3d") === true }
  const last = eci.slice(-1)
  const status = last === "5" || last === "2" ? "authenticated" : last === "6" || last === "1" ? "attempted" : undefined
  return { type: "external", eci, status }
}
