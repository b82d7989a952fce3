// Faults and validation errors as problem+json (RFC 9457), each with a pointer to the field it is about.

import type { FastifyError, FastifyReply, FastifyRequest } from "fastify"
import { Fault, faults, type FaultCode, type FieldError } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { maskPans } from "../core/pan-mask.ts"
import { failureOf } from "../storage/database.ts"

/** Field errors that one answer lists at most. */
export const MAX_FIELD_ERRORS = 20

export function sendFault(fault: Fault, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status } = faults[fault.code]
  if (fault.retryAfterMs !== undefined)
    void reply.header("retry-after", String(Math.max(1, Math.ceil(fault.retryAfterMs / 1_000))))
  if (status === 401) void reply.header("www-authenticate", "Bearer")
  return reply
    .code(status)
    .header("content-type", "application/problem+json")
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problemOf(fault, request.id))
}

export function problemOf(fault: Fault, requestId: string) {
  const { status, title } = faults[fault.code]
  return given({
    // Relative to this server, whose page /faults says more.
    type: `/faults#${fault.code}`,
    code: fault.code,
    title,
    status,
    detail: detailOf(fault),
    errors: fault.errors.length === 0 ? undefined : fault.errors.slice(0, MAX_FIELD_ERRORS),
    request_id: requestId,
  })
}

/** Fields that are named in `detail` itself; all are in `errors`. */
const NAMED_FIELDS = 3

/** What is wrong and what to do, for people who read nothing else. */
function detailOf({ code, detail, errors }: Fault): string {
  const { help }: { readonly help: string } = faults[code]
  const named = errors.slice(0, NAMED_FIELDS).map((error) => `${error.pointer} ${error.detail}`)
  const more = errors.length > named.length ? `; and ${errors.length - named.length} more` : ""
  const said = detail ?? (named.length === 0 ? undefined : ended(`${named.join("; ")}${more}`))
  if (said === undefined) return help
  // Help that only points to what is said here adds nothing to it.
  return help.includes("`detail`") || said.endsWith(help) ? said : `${said} ${help}`
}

const ended = (sentence: string): string => (/[.?!]$/.test(sentence) ? sentence : `${sentence}.`)

/** Whatever was thrown, as a fault; only bugs become `server.error`. */
export function faultOf(error: FastifyError | Error): Fault {
  if (error instanceof Fault) return error
  const { code, statusCode, validation, validationContext } = error as FastifyError
  if (validation !== undefined)
    return new Fault("request.invalid", {
      errors: validation.flatMap((v) => fieldError(v as Validation, validationContext ?? "body")),
    })
  const known = code === undefined ? undefined : fastifyCodes[code]
  if (known !== undefined) return new Fault(known)
  if (statusCode === 400) return new Fault("request.malformed")
  // The pool's waits are bounded: an overloaded or absent database is not a bug.
  if (isUnavailable(error)) return new Fault("server.unavailable", { retryAfterMs: 1_000 })
  return new Fault("server.error")
}

const fastifyCodes: Readonly<Record<string, FaultCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: "request.invalid_json",
  FST_ERR_CTP_EMPTY_JSON_BODY: "request.invalid_json",
  FST_ERR_CTP_BODY_TOO_LARGE: "request.too_large",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "request.unsupported_media_type",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "request.malformed",
}

/** What the database said, or did not live to say: in every case the same request may be sent again. */
const isUnavailable = (error: Error): boolean => {
  const failure = failureOf(error)
  return failure !== undefined && failure.kind !== "unique_violation" && failure.kind !== "other"
}

type Validation = {
  readonly keyword: string
  readonly instancePath: string
  readonly message?: string
  readonly params: Record<string, unknown>
}

const prefixes: Readonly<Record<string, string>> = {
  body: "#",
  querystring: "query",
  params: "path",
  headers: "header",
}

function fieldError(error: Validation, context: string): FieldError[] {
  // The branches of a conditional schema say it better.
  if (error.keyword === "if" || error.keyword === "anyOf" || error.keyword === "oneOf") return []
  const field = error.params["missingProperty"] ?? error.params["additionalProperty"]
  const pointer = `${prefixes[context] ?? "#"}${error.instancePath}${typeof field === "string" ? `/${field.replaceAll("~", "~0").replaceAll("/", "~1")}` : ""}`
  const nothing = pointer === "#" && error.keyword === "type"
  return [{ pointer: maskPans(pointer), detail: nothing ? NO_BODY : words(error, context, pointer) }]
}

const NO_BODY = "must be a JSON object, {} if there is nothing to say"

function words({ keyword, message, params }: Validation, context: string, pointer: string): string {
  switch (keyword) {
    case "required":
      return "is required"
    case "additionalProperties":
      return context === "querystring" ? "is not a known parameter" : "is not a known field"
    case "enum":
      return oneOf((params["allowedValues"] as unknown[]).map(String))
    case "const":
      return `must be ${String(params["allowedValue"])}`
    case "pattern":
      return patternWords(String(params["pattern"]))
    case "type":
      return params["type"] === "integer"
        ? `must be a whole number${AMOUNT.test(pointer) ? "; amounts are minor units, 1999 for 19.99" : ""}`
        : `must be ${[params["type"]].flat().map(withArticle).join(" or ")}`
    default:
      return message ?? "is not valid"
  }
}

const AMOUNT = /amount[a-z_]*$/

/** A pattern in words: what it says is for machines. */
function patternWords(pattern: string): string {
  const prefix = ID_PATTERN.exec(pattern)?.[1]
  if (prefix !== undefined) return `is not an id beginning with ${prefix}_`
  const digits = DIGITS.exec(pattern)
  if (digits !== null) return `must be ${digits[2] === undefined ? digits[1] : `${digits[1]} to ${digits[2]}`} digits`
  const decimal = DECIMAL.exec(pattern)
  if (decimal !== null)
    return `must be a number as text with a point, such as "1.5": at most ${decimal[1]} digits before it and ${decimal[2]} behind`
  return patterns[pattern] ?? "is not written as the reference describes it"
}

const DIGITS = /^\^\[0-9\]\{(\d+)(?:,(\d+))?\}\$$/
const DECIMAL = /^\^\\d\{1,(\d+)\}\(\\\.\\d\{1,(\d+)\}\)\?\$$/
const patterns: Readonly<Record<string, string>> = {
  "^[A-Z]{2}$": "must be two capital letters of ISO 3166-1",
  "^[1-9][0-9]{0,6}$": "must be a whole number from 1",
  "^[A-Za-z0-9]{1,64}$": "must be 1 to 64 letters and digits",
  "^https?://": "must begin with https:// or http://",
}

/** More than these are for the reference to list. */
const LISTED_VALUES = 40
const oneOf = (values: readonly string[]): string =>
  values.length <= LISTED_VALUES
    ? `must be one of ${values.join(", ")}`
    : `must be one of ${values.length} values written like ${values[0]}; the reference lists them`

/** That of `Id` in schema.ts. */
const ID_PATTERN = /^\^([a-z]+)_\[/

const withArticle = (type: unknown): string =>
  type === "null" ? "null" : `${/^[aeio]/.test(String(type)) ? "an" : "a"} ${String(type)}`
