// Errors as Checkout.com words them: {request_id, error_type, error_codes[]} on 422 and 429, and nothing but the
// status on 401, 403 and 404. Codes are those of https://www.checkout.com/docs/previous/resources/codes/error-codes.
import { json } from "../json-body.ts"
import type { WireResponse } from "../persona.ts"

export type CheckoutError = {
  readonly status: number
  readonly type?: "request_invalid" | "processing_error" | "too_many_requests"
  readonly codes?: readonly string[]
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: CheckoutError }

export const UNAUTHORIZED: CheckoutError = { status: 401 }
export const NOT_ALLOWED: CheckoutError = { status: 403 }
export const NOT_FOUND: CheckoutError = { status: 404 }
export const TOO_MANY_REQUESTS: CheckoutError = {
  status: 429,
  type: "too_many_requests",
  codes: ["api_calls_quota_exceeded"],
}

/** 422 for what is wrong with the request itself; all codes at once. */
export function invalid<T = never>(...codes: readonly string[]): Checked<T> {
  return failed({ status: 422, type: "request_invalid", codes })
}

/** 422 for what only processing finds out. */
export function unprocessable<T = never>(...codes: readonly string[]): Checked<T> {
  return failed({ status: 422, type: "processing_error", codes })
}

export function failed<T = never>(error: CheckoutError): Checked<T> {
  return { ok: false, error }
}

export function errorResponse({ status, type, codes }: CheckoutError, requestId: string): WireResponse {
  const headers = { "cko-request-id": requestId }
  if (!type) return { status, headers, body: "" }
  return json(status, { request_id: requestId, error_type: type, error_codes: codes }, headers)
}
