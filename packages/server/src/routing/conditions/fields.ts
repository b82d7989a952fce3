// Everything that conditions can compare, as one table: how it is written, what its values are, which operators it takes, and
// where a payment has it. Parser, checks, editors and the documentation read this table and nothing else.
//
// Names are those of the API's payment. A fact that not every payment has is written as a part of something (`card.network`),
// because CEL's `has()` asks for parts only.

import { networks } from "../../core/card.ts"
import { fundings } from "../../core/card-facts.ts"
import { countries } from "../../core/country.ts"
import { currencies } from "../../core/currency.ts"
import { maxPaymentMinor } from "../../core/money.ts"
import type { RoutingContext } from "../routing-context.ts"
import { MAX_VALUE_CHARS, type Operator, type Scalar } from "./condition.ts"
import { type LiveReading, liveStates } from "./live-reading.ts"
import { isTimeZone, wallTime } from "./zone-clock.ts"

export type FieldType = "string" | "enum" | "integer" | "amount" | "number"
export type Parameter = "metadata key" | "account" | "time zone"

export type FieldSpec = {
  /** As it is written, with what the author names in angle brackets. */
  readonly name: string
  readonly type: FieldType
  /** Of an enum: all values there are. */
  readonly words?: readonly string[]
  /** Of numbers: both ends included. */
  readonly min?: number
  readonly max?: number
  /** Of texts that have a form. */
  readonly form?: { readonly pattern: RegExp; readonly says: string }
  /** Not every payment has it: a comparison is unknown then, and `has()` may ask. */
  readonly optional: boolean
  readonly parameter?: Parameter
  readonly operators: readonly Operator[]
  readonly doc: string
  readonly read: Read
}
export type Value = Scalar | undefined
export type Getter = (context: RoutingContext) => Value
/** For a field with a parameter, the getter of that one. */
type Read = (parameter: string) => Getter

const equality = ["equals", "not_equals", "in"] as const
const order = ["lt", "le", "gt", "ge"] as const

type Rest = Omit<FieldSpec, "name" | "type" | "optional" | "operators" | "read" | "doc">
const field = (
  name: string,
  type: FieldType,
  optional: boolean,
  operators: readonly Operator[],
  doc: string,
  read: Read,
  rest: Rest = {},
): FieldSpec => ({
  name,
  type,
  optional,
  operators: optional ? [...operators, "exists"] : operators,
  doc,
  read,
  ...rest,
})
const enumOf = (
  name: string,
  words: readonly string[],
  optional: boolean,
  doc: string,
  get: Getter,
  rest: Rest = {},
): FieldSpec => field(name, "enum", optional, equality, doc, () => get, { ...rest, words })

const digits = (from: number, to: number) => ({
  pattern: new RegExp(`^[0-9]{${from},${to}}$`),
  says: from === to ? `has ${from} digits` : `has ${from} to ${to} digits`,
})
const binStart = (length: number): Read => {
  const get: Getter = ({ bin }) => (bin === undefined || bin.length < length ? undefined : bin.slice(0, length))
  return () => get
}

/** Accounts' readings, by the account that is named. */
const live = (
  part: string,
  type: "number" | "enum",
  doc: string,
  of: (reading: LiveReading) => Value,
  rest: Rest = {},
): FieldSpec =>
  field(
    `accounts.<account>.${part}`,
    type,
    true,
    type === "enum" ? equality : order,
    doc,
    (account) => (context) => {
      const reading = context.live?.[account]
      return reading === undefined ? undefined : of(reading)
    },
    { parameter: "account", ...(type === "enum" ? {} : { min: 0, max: 1 }), ...rest },
  )

export const fields: readonly FieldSpec[] = [
  field(
    "amount",
    "amount",
    false,
    [...equality, ...order],
    "What is to be paid, in minor units: compare `currency` beside it.",
    () => (context) => minorOf(context),
    { min: 0, max: Number(maxPaymentMinor) },
  ),
  enumOf("currency", currencies, false, "ISO 4217.", ({ amount }) => amount.currency),
  enumOf(
    "method.type",
    ["card", "network_token", "provider_token"],
    false,
    "What is paid with.",
    ({ method }) => method,
  ),
  enumOf("card.network", Object.keys(networks), true, "The card's network.", ({ network }) => network),
  enumOf("card.funding", fundings, true, "Whose money it is, where it is known.", ({ funding }) =>
    fundings.find((known) => known === funding),
  ),
  enumOf("card.country", countries, true, "Of the card's issuer, where it is known.", ({ cardCountry }) => cardCountry),
  field(
    "card.issuer",
    "string",
    true,
    [...equality, "prefix"],
    "The card's issuer, where it is known: as you or the BIN table call it.",
    () =>
      ({ issuer }) =>
        issuer,
  ),
  field(
    "card.product",
    "string",
    true,
    [...equality, "prefix"],
    "What kind of card it is, where it is known: as you or the BIN table call it.",
    () =>
      ({ product }) =>
        product,
  ),
  field(
    "card.bin",
    "string",
    true,
    ["prefix", "lt", "ge"],
    'The first digits of the number, eight where they may be kept, else six: by prefix, or as a range (`card.bin >= "400000" && card.bin < "410000"`).',
    () =>
      ({ bin }) =>
        bin,
    { form: digits(6, 8) },
  ),
  field("card.bin6", "string", true, [...equality, ...order], "The first six digits of the number.", binStart(6), {
    form: digits(6, 6),
  }),
  field(
    "card.bin8",
    "string",
    true,
    [...equality, ...order],
    "The first eight digits of the number, where they may be kept.",
    binStart(8),
    { form: digits(8, 8) },
  ),
  enumOf(
    "initiator.by",
    ["customer", "merchant"],
    false,
    "Who starts the payment: the customer (CIT) or the merchant (MIT).",
    ({ initiator }) => initiator,
  ),
  enumOf(
    "initiator.stored",
    ["none", "first", "used"],
    true,
    "Whether the card is new (`none`), is stored with this payment (`first`) or was stored before (`used`, and always of a MIT).",
    ({ stored }) => stored,
  ),
  enumOf(
    "initiator.purpose",
    ["recurring", "installment", "unscheduled"],
    true,
    "What the stored card is used for: the kind of MIT.",
    ({ purpose }) => purpose,
  ),
  enumOf(
    "three_ds.mode",
    ["automatic", "required", "none", "external"],
    false,
    "What the payment asks of 3-D Secure.",
    ({ threeDs }) => threeDs,
  ),
  enumOf("billing.country", countries, true, "Of the billing address.", ({ billingCountry }) => billingCountry),
  enumOf("shipping.country", countries, true, "Of the shipping address.", ({ shippingCountry }) => shippingCountry),
  enumOf(
    "payer.country",
    countries,
    true,
    "Where the customer probably is: the country of the card's issuer where it is known, else of the billing address.",
    ({ country }) => country,
  ),
  field(
    "metadata.<key>",
    "string",
    true,
    [...equality, "prefix"],
    'What you said of the payment. Keys that are no plain words stand in brackets: `metadata["cart type"]`.',
    (key) => (context) =>
      context.metadata !== undefined && Object.hasOwn(context.metadata, key) ? context.metadata[key] : undefined,
    { parameter: "metadata key" },
  ),
  // CEL has no `has()` of a call, so these take none; a payment that is decided has its time.
  field(
    'now.getHours("<time zone>")',
    "integer",
    false,
    [...equality, ...order],
    "The hour (0 to 23) in a time zone of the IANA database.",
    (zone) =>
      ({ now }) =>
        now === undefined ? undefined : wallTime(zone, now).hour,
    { parameter: "time zone", min: 0, max: 23 },
  ),
  field(
    'now.getDayOfWeek("<time zone>")',
    "integer",
    false,
    [...equality, ...order],
    "The day (0 is Sunday, 6 Saturday) in a time zone of the IANA database.",
    (zone) =>
      ({ now }) =>
        now === undefined ? undefined : wallTime(zone, now).day,
    { parameter: "time zone", min: 0, max: 6 },
  ),
  live(
    "success_rate",
    "number",
    "Of the attempts that somebody decided on lately (an outcome counts half after 15 minutes), the share that was paid; absent below 20.",
    (r) => r.successRate,
  ),
  live(
    "technical_failure_rate",
    "number",
    "Of all attempts lately (an outcome counts half after 15 minutes), the share that failed for technical reasons; absent below 20.",
    (r) => r.technicalFailureRate,
  ),
  live("latency_ms", "number", "How long the account's provider takes to answer.", (r) => r.latencyMs, {
    max: 3_600_000,
  }),
  live("state", "enum", "The account's health in all that it does, not in a part of its traffic.", (r) => r.state, {
    words: liveStates,
  }),
  live("cap_left", "number", "What is left of the account's volume cap this month.", (r) => r.capLeft, {
    max: Number.MAX_SAFE_INTEGER,
  }),
]

/** A number is enough to compare exactly: bounds are safe integers, and rounding above them keeps the order. */
const minorOf = ({ amount }: RoutingContext): number => Number(amount.minor)

export type Field = { readonly spec: FieldSpec; readonly parameter?: string }

/** What is meant by a field as conditions write it, or undefined; one field has one way to be written. */
export function fieldOf(written: string): Field | undefined {
  const plain = plainFields.get(written)
  if (plain !== undefined) return { spec: plain }
  const call = /^now\.(getHours|getDayOfWeek)\("([^"]*)"\)$/.exec(written)
  if (call !== null) return isTimeZone(call[2]!) ? named(`now.${call[1]}("<time zone>")`, call[2]!) : undefined
  const account = /^accounts\.(acc_[0-9a-z]{1,40})\.([a-z_]+)$/.exec(written)
  if (account !== null) return named(`accounts.<account>.${account[2]}`, account[1]!)
  const key = metadataKeyOf(written)
  return key === undefined ? undefined : named("metadata.<key>", key)
}

export const MAX_METADATA_KEY_CHARS = 40

export const metadataField = (key: string): string =>
  isPlainKey(key) ? `metadata.${key}` : `metadata[${JSON.stringify(key)}]`

/** Words that CEL keeps for itself. */
export const reservedWords: ReadonlySet<string> = new Set(
  "false in null true as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
)

const isPlainKey = (key: string): boolean => /^[A-Za-z_][A-Za-z0-9_]*$/.test(key) && !reservedWords.has(key)

const parameterized = new Map(
  fields.filter(({ parameter }) => parameter !== undefined).map((spec) => [spec.name, spec] as const),
)
const plainFields = new Map(
  fields.filter(({ parameter }) => parameter === undefined).map((spec) => [spec.name, spec] as const),
)

function named(name: string, parameter: string): Field | undefined {
  const spec = parameterized.get(name)
  return spec === undefined ? undefined : { spec, parameter }
}

function metadataKeyOf(written: string): string | undefined {
  if (written.startsWith("metadata.")) {
    const key = written.slice("metadata.".length)
    return isPlainKey(key) && key.length <= MAX_METADATA_KEY_CHARS ? key : undefined
  }
  if (!written.startsWith('metadata["') || !written.endsWith('"]')) return undefined
  try {
    const key: unknown = JSON.parse(written.slice("metadata[".length, -1))
    return typeof key === "string" && isMetadataKey(key) && metadataField(key) === written ? key : undefined
  } catch {
    return undefined
  }
}

export const isMetadataKey = (key: string): boolean =>
  key.length > 0 && key.length <= MAX_METADATA_KEY_CHARS && key.isWellFormed() && !key.includes("\0")

/** Why a value cannot be one of this field, if it cannot. */
export function wrongValue({ spec }: Field, value: unknown): string | undefined {
  switch (spec.type) {
    case "enum":
      return typeof value !== "string"
        ? "is no text in quotes"
        : spec.words!.includes(value)
          ? undefined
          : `is none of ${wordList(spec.words!)}`
    case "string":
      return wrongText(spec, value)
    case "integer":
    case "amount":
      if (typeof value !== "number" || !Number.isInteger(value)) return "is no whole number"
      return wrongRange(spec, value)
    case "number":
      return typeof value !== "number" || !Number.isFinite(value) ? "is no number" : wrongRange(spec, value)
    default:
      return spec.type satisfies never
  }
}

const wrongRange = ({ min = 0, max = Number.MAX_SAFE_INTEGER }: FieldSpec, value: number): string | undefined =>
  value < min || value > max || Object.is(value, -0) ? `is not between ${min} and ${max}` : undefined

function wrongText({ form }: FieldSpec, value: unknown): string | undefined {
  if (typeof value !== "string") return "is no text in quotes"
  if (value.length > MAX_VALUE_CHARS) return `is longer than ${MAX_VALUE_CHARS} characters`
  if (!value.isWellFormed() || value.includes("\0")) return "has characters that are none"
  return form === undefined || form.pattern.test(value) ? undefined : `is none: it ${form.says}`
}

/** Lists that nobody would read are named by their first members. */
const wordList = (words: readonly string[]): string =>
  words.length <= 20 ? words.join(", ") : `the ${words.length} that there are (${words.slice(0, 5).join(", ")}, …)`

export const getterOf = ({ spec, parameter }: Field): Getter => spec.read(parameter ?? "")
