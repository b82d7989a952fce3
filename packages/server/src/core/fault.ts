// Every request that we cannot serve ends in exactly one of these codes. The table makes the problem+json answers
// (RFC 9457), docs/faults.md and later the SDK's classes. A declined payment is not a fault: it is an outcome.

export const faults = {
  "request.invalid": {
    status: 400,
    title: "The request is not valid.",
    help: "Correct the fields that `errors` points at and send it again.",
  },
  "request.invalid_json": {
    status: 400,
    title: "The body is not JSON.",
    help: "Send one JSON object in UTF-8 with content type application/json.",
  },
  "request.malformed": {
    status: 400,
    title: "This is not HTTP as we read it.",
    help: "Check what your client sends: method, headers, Content-Length and Host.",
  },
  "request.timeout": {
    status: 408,
    title: "The request did not arrive whole.",
    help: "Send it within 30 seconds; the same Idempotency-Key may be used again.",
  },
  "request.too_large": { status: 413, title: "The body is too large.", help: "Bodies may have 256 KiB." },
  "request.address_too_long": {
    status: 414,
    title: "The address is too long.",
    help: "Addresses may have 8,000 characters: search for less at once.",
  },
  "request.headers_too_large": {
    status: 431,
    title: "The headers are too large.",
    help: "Headers and address together may have 16 KiB.",
  },
  "request.unsupported_media_type": {
    status: 415,
    title: "The content type is not supported.",
    help: "Send it as Content-Type: application/json.",
  },
  "request.no_such_path": {
    status: 404,
    title: "There is no such path.",
    help: "The reference at /docs lists all paths.",
  },
  "request.method_not_allowed": {
    status: 405,
    title: "The path does not take this method.",
    help: "Use one that `detail` and the header Allow name.",
  },
  "request.too_many": { status: 429, title: "Too many requests.", help: "Wait as long as Retry-After says." },
  "request.no_precondition": {
    status: 428,
    title: "If-Match is missing.",
    help: "Send the ETag that you read as If-Match, so that nobody's change is overwritten.",
  },
  "request.precondition_failed": {
    status: 412,
    title: "It was changed meanwhile.",
    help: "Read it again and decide anew.",
  },
  "auth.missing": { status: 401, title: "An API key is missing.", help: "Send `Authorization: Bearer <key>`." },
  "auth.invalid": { status: 401, title: "The API key is not valid.", help: "It is unknown or was revoked." },
  "auth.scope": {
    status: 403,
    title: "The API key may not do this.",
    help: "Use a key with the scope that `detail` names.",
  },
  "resource.not_found": {
    status: 404,
    title: "There is no such thing.",
    help: "The id is unknown, or belongs to somebody else or to the other mode.",
  },
  "resource.conflict": { status: 409, title: "It cannot be changed like this now.", help: "See `detail`." },
  "idempotency.key_missing": {
    status: 400,
    title: "Idempotency-Key is missing.",
    help: "Where money moves, send a key that is unique to this one wish, and the same again when you repeat it.",
  },
  "idempotency.key_invalid": {
    status: 400,
    title: "Idempotency-Key is not valid.",
    help: "1 to 255 visible ASCII characters.",
  },
  "idempotency.in_flight": {
    status: 409,
    title: "A request with this key is being worked on.",
    help: "Wait as long as Retry-After says and send it again.",
  },
  "idempotency.key_reused": {
    status: 422,
    title: "This key belongs to another request.",
    help: "The same key was sent with another body. Use a new key for a new wish.",
  },
  "payment.not_confirmable": {
    status: 409,
    title: "The payment cannot be confirmed.",
    help: "Only a payment that requires confirmation can.",
  },
  "payment.not_capturable": {
    status: 409,
    title: "There is nothing to capture.",
    help: "See `detail` and the payment's amounts.",
  },
  "payment.not_refundable": {
    status: 409,
    title: "There is nothing to refund.",
    help: "See `detail` and the payment's amounts.",
  },
  "payment.not_cancelable": {
    status: 409,
    title: "The payment cannot be canceled.",
    help: "What is captured can be refunded.",
  },
  "payment.not_incrementable": {
    status: 409,
    title: "The authorization cannot be incremented.",
    help: "Only while it is authorized and nothing is captured.",
  },
  "payment.no_action": { status: 409, title: "The payment waits for no customer.", help: "Read its status." },
  "payment.no_method": {
    status: 400,
    title: "The payment has no payment method.",
    help: "Send `payment_method` with the confirmation.",
  },
  "payment.authentication_missing": {
    status: 422,
    title: "What authenticates the payment must be sent again.",
    help: "CVC, cryptograms and 3DS results are never stored: confirm with those that the payment was created with, or with others. `errors` names them.",
  },
  "operation.closed": {
    status: 409,
    title: "The operation is closed.",
    help: "Its outcome is known: read the payment.",
  },
  "operation.in_progress": {
    status: 409,
    title: "The operation is being worked on.",
    help: "It may still come to its end by itself. `detail` says until when.",
  },
  "operation.verdict_impossible": {
    status: 422,
    title: "The operation cannot end like this.",
    help: "See `detail` for what can be said of it.",
  },
  "amount.exceeds_authorized": {
    status: 422,
    title: "More than is authorized.",
    help: "See `detail` for what can still be captured.",
  },
  "amount.exceeds_captured": {
    status: 422,
    title: "More than is captured.",
    help: "See `detail` for what can still be refunded.",
  },
  "amount.not_positive": {
    status: 422,
    title: "The amount must be above 0.",
    help: "Amounts are whole numbers of minor units.",
  },
  "amount.not_expressible": {
    status: 422,
    title: "The provider cannot express this amount.",
    help: "Some providers count a currency in larger steps. See `detail`, or send another amount.",
  },
  "amount.not_higher": {
    status: 422,
    title: "The new total must be higher.",
    help: "An increment names the new total, not the difference.",
  },
  "provider.unsupported": {
    status: 422,
    title: "The provider cannot do this.",
    help: "The connector catalogue lists what each provider can do.",
  },
  "operations.too_many": {
    status: 409,
    title: "Too many operations on one payment.",
    help: "A payment has at most 200.",
  },
  "account.disabled": {
    status: 409,
    title: "The account is disabled.",
    help: "Enable it, or drain it: a draining account takes no new payments, but follows up on those it has.",
  },
  "account.credentials_refused": {
    status: 422,
    title: "The provider refused the credentials.",
    help: "Check them at the provider; `detail` has its answer.",
  },
  "account.identity_fixed": {
    status: 409,
    title: "The account would become another one at the provider.",
    help: "Payments point to it, and only the account that they were made with knows them. Make a new account for the other one, and drain this one. `errors` names what may not change.",
  },
  "account.unreachable": {
    status: 502,
    title: "The provider could not be reached to check the credentials.",
    help: "Try again, or save with `verify: false`.",
  },
  "webhook.forged": {
    status: 401,
    title: "The webhook's signature is not valid.",
    help: "Check the signing secret of the account.",
  },
  "webhook.stale": {
    status: 401,
    title: "The webhook is too old.",
    help: "Check the clock of the sender; stored webhooks are replayed by us.",
  },
  "insight.unavailable": {
    status: 503,
    title: "There are no numbers now.",
    help: "The insight process is starting, busy, or not running beside this server; payments go on. Ask again in a moment.",
  },
  "server.unavailable": {
    status: 503,
    title: "Not now.",
    help: "Nothing was lost: repeat the request with the same Idempotency-Key.",
  },
  "server.error": {
    status: 500,
    title: "A bug of ours.",
    help: "Repeat with the same Idempotency-Key; give us `request_id` if it stays.",
  },
} as const satisfies Record<string, { readonly status: number; readonly title: string; readonly help: string }>

export type FaultCode = keyof typeof faults

/** `pointer` is a JSON pointer into the body (`#/card/number`), or `query/limit`, `header/idempotency-key`. */
export type FieldError = { readonly pointer: string; readonly detail: string }

export class Fault extends Error {
  readonly code: FaultCode
  readonly detail: string | undefined
  readonly errors: readonly FieldError[]
  readonly retryAfterMs: number | undefined

  constructor(
    code: FaultCode,
    more: { readonly detail?: string; readonly errors?: readonly FieldError[]; readonly retryAfterMs?: number } = {},
  ) {
    super(more.detail ?? faults[code].title)
    this.name = "Fault"
    this.code = code
    this.detail = more.detail
    this.errors = more.errors ?? []
    this.retryAfterMs = more.retryAfterMs
  }
}

/** One field is wrong. */
export const invalid = (pointer: string, detail: string): Fault =>
  new Fault("request.invalid", { errors: [{ pointer, detail }] })
export const notFound = (what: string): Fault => new Fault("resource.not_found", { detail: `No ${what} has this id.` })
