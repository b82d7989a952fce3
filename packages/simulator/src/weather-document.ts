// Reads weather from JSON that a person wrote: every mistake is named with the path where it stands, all at once.
// Unknown names are mistakes too, so that a typo does not pass as clear weather.
import type { Weather } from "./weather.ts"

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] }

export const MAX_FAULTS = 100

export function readWeather(document: unknown): Read<Weather> {
  const problems: string[] = []
  weather(document, "weather", (path, problem) => problems.push(`${path} ${problem}`))
  return problems.length ? { ok: false, problems } : { ok: true, value: document as Weather }
}

type Report = (path: string, problem: string) => void
type Check = (value: unknown, path: string, report: Report) => void

const number =
  (from: number, to: number, what: string): Check =>
  (value, path, report) => {
    if (typeof value !== "number" || !(value >= from && value <= to))
      report(path, `must be ${what}, not ${JSON.stringify(value)}`)
  }
const share = number(0, 1, "a number from 0 to 1")
const ms = number(0, 30 * 86_400_000, "milliseconds, at most 30 days")
const amount = number(0, Number.MAX_SAFE_INTEGER, "a number of minor units")
const status = number(400, 599, "an HTTP status from 400 to 599")
const text =
  (pattern: RegExp, what: string): Check =>
  (value, path, report) => {
    if (typeof value !== "string" || !pattern.test(value)) report(path, `must be ${what}, not ${JSON.stringify(value)}`)
  }
const bool: Check = (value, path, report) => {
  if (typeof value !== "boolean") report(path, `must be true or false, not ${JSON.stringify(value)}`)
}
const oneOf =
  (...words: string[]): Check =>
  (value, path, report) => {
    if (!words.includes(value as string))
      report(path, `must be one of ${words.join(", ")}, not ${JSON.stringify(value)}`)
  }
const list =
  (each: Check): Check =>
  (value, path, report) => {
    if (!Array.isArray(value)) return report(path, `must be a list, not ${JSON.stringify(value)}`)
    if (value.length > MAX_FAULTS) return report(path, `has ${value.length} entries, at most ${MAX_FAULTS} are allowed`)
    for (const [index, entry] of value.entries()) each(entry, `${path}[${index}]`, report)
  }

const object =
  (required: Record<string, Check>, optional: Record<string, Check> = {}): Check =>
  (value, path, report) => {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return report(path, `must be an object, not ${JSON.stringify(value)}`)
    const known = { ...optional, ...required }
    for (const name of Object.keys(required)) if (!Object.hasOwn(value, name)) report(`${path}.${name}`, "is missing")
    for (const [name, entry] of Object.entries(value)) {
      const check = Object.hasOwn(known, name) ? known[name] : undefined
      if (check) check(entry, `${path}.${name}`, report)
      else report(`${path}.${name}`, `is not known; known are ${Object.keys(known).join(", ")}`)
    }
  }

/** An object whose other fields depend on its `type`. */
const variant =
  (common: Record<string, Check>, optional: Record<string, Check>, kinds: Record<string, Kind>): Check =>
  (value, path, report) => {
    const type = (value as { type?: unknown } | null)?.type
    if (typeof type !== "string" || !Object.hasOwn(kinds, type))
      return report(`${path}.type`, `must be one of ${Object.keys(kinds).join(", ")}, not ${JSON.stringify(type)}`)
    const kind = kinds[type] as Kind
    object({ type: () => {}, ...common, ...kind.required }, { ...optional, ...kind.optional })(value, path, report)
  }
type Kind = { readonly required?: Record<string, Check>; readonly optional?: Record<string, Check> }

const window = { from: ms, until: ms }
const digits = text(/^\d{1,12}$/, "1 to 12 leading digits of a card number")
const responseCode = text(/^[0-9A-Z]{2}$/, "a two-character ISO 8583 response code")
const adviceCode = text(/^\d{2}$/, "a two-digit merchant advice code")
const operation = oneOf("authorize", "capture", "void", "refund", "increment", "inquiry", "other")

const fault = variant(
  { probability: share },
  { ...window, match: object({}, { operation: list(operation), cardBin: digits }) },
  {
    error_before: { optional: { status } },
    error_after: { optional: { status } },
    hang_before: { optional: { holdMs: ms } },
    hang_after: { optional: { holdMs: ms } },
    reset_before: {},
    reset_after: {},
    late: { required: { delayMs: ms }, optional: { holdMs: ms } },
    truncated: { optional: { keep: share } },
    foreign: { optional: { handled: bool, status } },
    rate_limited: {},
    brown_out: { required: { slowdown: number(1, 1000, "a factor from 1 to 1000"), errorShare: share } },
    refused: {},
    reset_at_accept: {},
    reset_idle: { required: { idleMs: ms } },
  },
)

const webhookFault = variant({ probability: share }, window, {
  duplicated: { optional: { copies: number(1, 10, "a number of copies from 1 to 10") } },
  reordered: { required: { withinMs: ms } },
  late: { required: { delayMs: ms } },
  lost: { required: { retryMs: ms } },
  dropped: {},
})

const issuerMatch = object(
  {},
  {
    bin: digits,
    country: text(/^[A-Z]{2}$/, "an ISO 3166 alpha-2 country"),
    network: oneOf("visa", "mastercard", "amex", "discover", "diners", "jcb", "unionpay", "maestro"),
    funding: oneOf("credit", "debit", "prepaid"),
    currency: text(/^[A-Z]{3}$/, "an ISO 4217 currency"),
    initiator: oneOf("customer", "merchant"),
    amountFrom: amount,
    amountTo: amount,
  },
)

const decline = object({ responseCode, weight: number(0, 1e6, "a weight"), standing: bool }, { adviceCode })

const latency: Check = (value, path, report) => {
  object({ medianMs: number(1, 120_000, "1 to 120000 ms"), p99Ms: number(1, 120_000, "1 to 120000 ms") })(
    value,
    path,
    report,
  )
  const { medianMs, p99Ms } = value as { medianMs: number; p99Ms: number }
  if (p99Ms < medianMs) report(`${path}.p99Ms`, `must not be below medianMs (${medianMs})`)
}

const weather = object(
  {},
  {
    latency,
    issuer: object(
      {},
      {
        approvalRate: share,
        partialRate: share,
        standingShare: share,
        mistypedRate: share,
        rules: list(object({ approvalRate: share, match: issuerMatch }, window)),
        declines: list(decline),
      },
    ),
    faults: list(fault),
    webhooks: list(webhookFault),
  },
)
