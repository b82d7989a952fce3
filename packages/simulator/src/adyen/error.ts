// Errors as Adyen words them: {status, errorCode, message, errorType, pspReference}. Codes and messages come from the
// examples of the Checkout v72 specification and from recorded answers; where neither shows one, the general code 702
// is used.
import { json } from "../json-body.ts"
import type { WireResponse } from "../persona.ts"

export type AdyenError = {
  readonly status: number
  readonly errorCode: string
  readonly message: string
  readonly errorType: "validation" | "security" | "internal" | "configuration"
}

export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: AdyenError }

export const errors = {
  unauthorized: error(401, "000", "HTTP Status Response - Unauthorized", "security"),
  notFound: error(404, "000", "HTTP Status Response - Not Found", "validation"),
  tooManyRequests: error(429, "000", "HTTP Status Response - Too Many Requests", "security"),
  internal: error(500, "903", "Internal error", "internal"),
  unavailable: error(503, "703", "Required resource temporarily unavailable", "internal"),
  unreadable: error(400, "702", "Unexpected input: the body is not a JSON object", "validation"),
  merchantAccount: error(403, "901", "Invalid Merchant Account", "security"),
  keyTooLong: error(422, "702", "The Idempotency-Key exceeds 64 characters", "validation"),
  keyInUse: error(422, "704", "request already processed or in progress", "validation"),
  referenceMissing: error(422, "130", "Reference Missing", "validation"),
  returnUrlMissing: error(422, "14_030", "Return URL is missing.", "validation"),
  paymentMethodMissing: error(422, "14_004", "Missing payment method details", "validation"),
  paymentMethodUnsupported: error(500, "905", "Payment details are not supported", "configuration"),
  amount: error(422, "137", "Invalid amount specified", "validation"),
  currency: error(422, "138", "Unsupported currency specified", "validation"),
  cardNumber: error(422, "101", "Invalid card number", "validation"),
  cvcLength: error(422, "103", "CVC is not the right length", "validation"),
  expiry: error(422, "129", "Expiry Date Invalid", "validation"),
  contractNotFound: error(422, "800", "Contract not found", "validation"),
  payload: error(422, "14_018", "Invalid payload provided", "validation"),
  originalMissing: error(422, "167", "Original pspReference required for this operation", "validation"),
} as const

export function fieldMissing(field: string): AdyenError {
  return error(422, "702", `Required field '${field}' is null`, "validation")
}

export function fieldInvalid(field: string): AdyenError {
  return error(422, "702", `Field '${field}' is not valid.`, "validation")
}

export function fieldTooLong(field: string, max: number): AdyenError {
  return error(422, "702", `Field '${field}' exceeds ${max} characters`, "validation")
}

export function failed<T>(because: AdyenError): Checked<T> {
  return { ok: false, error: because }
}

export function errorResponse(because: AdyenError, headers: Readonly<Record<string, string>> = {}): WireResponse {
  return json(because.status, because, headers)
}

function error(status: number, errorCode: string, message: string, errorType: AdyenError["errorType"]): AdyenError {
  return { status, errorCode, message, errorType }
}
