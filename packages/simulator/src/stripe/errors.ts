// Stripe's errors in Stripe's shape. Thrown anywhere below a route, answered by the persona.
// Shape: https://docs.stripe.com/api/errors

export type ErrorBody = {
  type: "api_error" | "card_error" | "idempotency_error" | "invalid_request_error"
  message: string
  code?: string
  decline_code?: string
  param?: string
  charge?: string
  advice_code?: string
  network_advice_code?: string
  network_decline_code?: string
  payment_intent?: unknown
  payment_method?: unknown
  setup_intent?: unknown
}

export class StripeError extends Error {
  readonly status: number
  readonly body: ErrorBody
  /** False when the request was refused before the endpoint began to execute: such answers are not kept under its key. */
  readonly executed: boolean

  constructor(status: number, body: ErrorBody, executed = true) {
    super(body.message)
    this.status = status
    this.body = body
    this.executed = executed
  }
}

/** A request that is wrong in itself: refused before anything happens. */
export function invalid(message: string, more: { param?: string; code?: string } = {}): StripeError {
  return new StripeError(400, { type: "invalid_request_error", message, ...more }, false)
}

/** A request that is right in itself, but not in this state. */
export function conflicting(message: string, more: Partial<ErrorBody> = {}): StripeError {
  return new StripeError(400, { type: "invalid_request_error", message, ...more })
}

export function missing(object: string, id: string, param: string, status = 404): StripeError {
  return new StripeError(
    status,
    { type: "invalid_request_error", code: "resource_missing", message: `No such ${object}: '${id}'`, param },
    false,
  )
}

export function errorDocument(body: ErrorBody, requestId: string, account: string): unknown {
  const docUrl = body.code && { doc_url: `https://docs.stripe.com/error-codes/${body.code.replaceAll("_", "-")}` }
  const log = `https://dashboard.stripe.com/${account}/test/workbench/logs?object=${requestId}`
  return { error: { ...body, ...docUrl, request_log_url: log } }
}
