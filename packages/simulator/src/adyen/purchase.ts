// Reads and checks the body of POST /payments: what is to be authorised, with which card, and how.
import { type Bin, binOf, passesLuhn } from "../bins.ts"
import { amountAt, type JsonObject, objectAt, textAt, valueAt } from "../json-body.ts"
import { type AdyenAmount, toIso } from "./amount.ts"
import { type Checked, errors, failed, fieldInvalid, fieldMissing, fieldTooLong } from "./error.ts"

export type Card = {
  readonly pan: string
  readonly bin: Bin
  readonly expiryMonth: number
  readonly expiryYear: number
  readonly holderName: string
}

export type Purchase = {
  readonly merchantReference: string
  readonly amount: AdyenAmount
  readonly iso: bigint
  readonly returnUrl: string
  /** paymentMethod.type as it was sent. */
  readonly methodType: string
  readonly card: Card
  readonly cvc: string | undefined
  /** A network token needs a cryptogram when the customer is present. */
  readonly networkToken: boolean
  readonly cryptogram: string | undefined
  readonly initiator: "customer" | "merchant"
  readonly shopperInteraction: string
  readonly recurringProcessingModel: string | undefined
  readonly capture: Capture
  readonly preAuthorised: boolean
  readonly allowPartial: boolean
  /** 3DS that the merchant did elsewhere. */
  readonly threeDs: "authenticated" | "attempted" | undefined
  readonly challenge: "always" | "never" | "dynamic"
  readonly requestedCode: string | undefined
  readonly storeFor: string | undefined
  readonly addressLine: string | undefined
  readonly postcode: string | undefined
}

/** Automatic capture is Adyen's default. */
export type Capture =
  | { readonly type: "immediate" }
  | { readonly type: "delayed"; readonly hours: number }
  | { readonly type: "manual" }

const MAX_REFERENCE = 80
const MAX_RETURN_URL = 1024
/** 28 days. */
const MAX_CAPTURE_DELAY_HOURS = 672
const MODELS = ["CardOnFile", "Subscription", "UnscheduledCardOnFile"]
const INTERACTIONS = ["Ecommerce", "ContAuth", "Moto", "POS"]

export function readPurchase(
  body: JsonObject,
  storedCard: (shopperReference: string, id: string) => Card | undefined,
): Checked<Purchase> {
  const amount = readAmount(body)
  if (!amount.ok) return amount
  const merchantReference = textAt(body, "reference")
  if (merchantReference === undefined) return failed(errors.referenceMissing)
  if (merchantReference.length > MAX_REFERENCE) return failed(fieldTooLong("reference", MAX_REFERENCE))
  const method = objectAt(body, "paymentMethod")
  const methodType = textAt(method, "type")
  if (methodType === undefined) return failed(errors.paymentMethodMissing)
  const returnUrl = textAt(body, "returnUrl")
  if (returnUrl === undefined) return failed(errors.returnUrlMissing)
  if (returnUrl.length > MAX_RETURN_URL) return failed(fieldTooLong("returnUrl", MAX_RETURN_URL))
  if (methodType !== "scheme" && methodType !== "networkToken") return failed(errors.paymentMethodUnsupported)

  const shopperReference = textAt(body, "shopperReference")
  const model = textAt(body, "recurringProcessingModel")
  const interaction = textAt(body, "shopperInteraction") ?? "Ecommerce"
  if (model !== undefined && !MODELS.includes(model)) return failed(fieldInvalid("recurringProcessingModel"))
  if (!INTERACTIONS.includes(interaction)) return failed(fieldInvalid("shopperInteraction"))
  const stores = valueAt(body, "storePaymentMethod") === true
  const storedId = textAt(method, "storedPaymentMethodId")
  if (stores || storedId !== undefined) {
    if (shopperReference === undefined) return failed(fieldMissing("shopperReference"))
    if (model === undefined) return failed(fieldMissing("recurringProcessingModel"))
  }
  const card = storedId === undefined ? readCard(method) : stored(storedCard(shopperReference ?? "", storedId))
  if (!card.ok) return card
  const cvc = textAt(method, "cvc") ?? encrypted(method, "encryptedSecurityCode")
  const cvcLength = card.value.bin.network === "amex" ? 4 : 3
  if (cvc !== undefined && (!/^\d+$/.test(cvc) || cvc.length !== cvcLength)) return failed(errors.cvcLength)
  const capture = readCapture(body)
  if (!capture.ok) return capture

  return {
    ok: true,
    value: {
      merchantReference,
      ...amount.value,
      returnUrl,
      methodType,
      card: card.value,
      cvc,
      networkToken: methodType === "networkToken",
      cryptogram: textAt(body, "mpiData", "tokenAuthenticationVerificationValue"),
      initiator: interaction === "ContAuth" && model !== "CardOnFile" ? "merchant" : "customer",
      shopperInteraction: interaction,
      recurringProcessingModel: model,
      capture: capture.value,
      preAuthorised: textAt(body, "additionalData", "authorisationType") === "PreAuth",
      allowPartial: textAt(body, "additionalData", "allowPartialAuth") === "true",
      threeDs: readThreeDs(body),
      challenge: readChallengeWish(body),
      requestedCode: textAt(body, "additionalData", "RequestedTestAcquirerResponseCode"),
      storeFor: stores ? shopperReference : undefined,
      addressLine: textAt(body, "billingAddress", "street"),
      postcode: textAt(body, "billingAddress", "postalCode"),
    },
  }
}

export function readAmount(body: JsonObject): Checked<{ readonly amount: AdyenAmount; readonly iso: bigint }> {
  if (!objectAt(body, "amount")) return failed(fieldMissing("amount"))
  const currency = textAt(body, "amount", "currency")
  if (currency === undefined || !/^[A-Z]{3}$/.test(currency)) return failed(errors.currency)
  const value = amountAt(body, "amount", "value")
  if (value === undefined) return failed(errors.amount)
  const iso = toIso({ currency, value })
  return iso === undefined ? failed(errors.amount) : { ok: true, value: { amount: { currency, value }, iso } }
}

function readCard(method: JsonObject | undefined): Checked<Card> {
  const pan = textAt(method, "number") ?? encrypted(method, "encryptedCardNumber")
  if (pan === undefined) return failed(errors.paymentMethodMissing)
  const bin = binOf(pan)
  if (!bin || !passesLuhn(pan)) return failed(errors.cardNumber)
  const month = textAt(method, "expiryMonth") ?? encrypted(method, "encryptedExpiryMonth")
  const year = textAt(method, "expiryYear") ?? encrypted(method, "encryptedExpiryYear")
  if (month === undefined || year === undefined) return failed(errors.expiry)
  if (!/^(0?[1-9]|1[0-2])$/.test(month) || !/^20\d\d$/.test(year)) return failed(errors.expiry)
  const holderName = textAt(method, "holderName") ?? ""
  return { ok: true, value: { pan, bin, expiryMonth: Number(month), expiryYear: Number(year), holderName } }
}

function stored(card: Card | undefined): Checked<Card> {
  return card ? { ok: true, value: card } : failed(errors.contractNotFound)
}

/** The test environment takes `test_` values where the browser's encryption would stand. */
function encrypted(method: JsonObject | undefined, field: string): string | undefined {
  const value = textAt(method, field)
  return value?.startsWith("test_") ? value.slice("test_".length) : undefined
}

function readCapture(body: JsonObject): Checked<Capture> {
  if (textAt(body, "additionalData", "manualCapture") === "true") return { ok: true, value: { type: "manual" } }
  const hours = valueAt(body, "captureDelayHours")
  if (hours === undefined || hours === null || hours === 0) return { ok: true, value: { type: "immediate" } }
  const valid = typeof hours === "number" && Number.isInteger(hours) && hours > 0 && hours <= MAX_CAPTURE_DELAY_HOURS
  return valid ? { ok: true, value: { type: "delayed", hours } } : failed(fieldInvalid("captureDelayHours"))
}

function readThreeDs(body: JsonObject): Purchase["threeDs"] {
  if (textAt(body, "mpiData", "cavv") === undefined) return undefined
  const answer = textAt(body, "mpiData", "authenticationResponse") ?? textAt(body, "mpiData", "directoryResponse")
  return answer === "Y" ? "authenticated" : answer === "A" ? "attempted" : undefined
}

function readChallengeWish(body: JsonObject): Purchase["challenge"] {
  const wish = textAt(body, "authenticationData", "attemptAuthentication")
  return wish === "always" || wish === "never" ? wish : "dynamic"
}
