// Ids name their kind and sort by birth: a prefix, "_", and a UUIDv7 (RFC 9562) in 26 lower-case Crockford base32
// digits. The alphabet is in ASCII order, so ids of one kind sort bytewise by the millisecond they were made in (the
// ledger's columns are collated "C"). Clock and randomness come in as values; within one millisecond order is chance.

/** The prefix of every kind of id. */
export const idPrefixes = {
  merchant: "mer",
  apiKey: "key",
  account: "acc",
  policy: "pol",
  customer: "cus",
  paymentMethod: "pm",
  card: "tok",
  payment: "pay",
  attempt: "att",
  operation: "op",
  decision: "dec",
  capture: "cap",
  refund: "ref",
  dispute: "dsp",
  event: "evt",
  webhookEndpoint: "whe",
  webhookDelivery: "whd",
  inboundWebhook: "whi",
  incident: "inc",
  request: "req",
  signalBatch: "sig",
  routingChange: "rch",
  backtest: "bkt",
  trial: "trl",
  shadow: "shd",
  experiment: "exp",
} as const

export type IdPrefix = (typeof idPrefixes)[keyof typeof idPrefixes]

export type Id<P extends string = IdPrefix> = `${P}_${string}`

export type MerchantId = Id<"mer">
export type ApiKeyId = Id<"key">
export type AccountId = Id<"acc">
export type PolicyId = Id<"pol">
export type CustomerId = Id<"cus">
export type PaymentMethodId = Id<"pm">
export type CardId = Id<"tok">
export type PaymentId = Id<"pay">
export type AttemptId = Id<"att">
export type OperationId = Id<"op">
export type DecisionId = Id<"dec">
export type CaptureId = Id<"cap">
export type RefundId = Id<"ref">
export type DisputeId = Id<"dsp">
export type EventId = Id<"evt">
export type WebhookEndpointId = Id<"whe">
export type WebhookDeliveryId = Id<"whd">
export type InboundWebhookId = Id<"whi">
export type IncidentId = Id<"inc">
export type RequestId = Id<"req">
export type SignalBatchId = Id<"sig">
export type RoutingChangeId = Id<"rch">
export type BacktestId = Id<"bkt">
export type ExperimentId = Id<"exp">
/** An experiment is a trial, and so is a version that is published to a share. */
export type TrialId = Id<"trl"> | ExperimentId
export type ShadowId = Id<"shd">

/** UUIDv7 has 48 bits of milliseconds: until the year 10889. */
export const maxIdMs = 2 ** 48 - 1

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
// 26 digits hold 130 bits, two more than a UUID has, so the first digit ends at 7.
const bodyPattern = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/

/**
 * A new id. `nowMs` is milliseconds since the epoch, `random` 16 random bytes (the first six are replaced by the time,
 * six further bits by version and variant). Throws a RangeError for a time or a length that does not fit.
 */
export function makeId<P extends IdPrefix>(prefix: P, nowMs: number, random: Uint8Array): Id<P> {
  if (!Number.isInteger(nowMs) || nowMs < 0 || nowMs > maxIdMs) throw new RangeError(`not a time in ms: ${nowMs}`)
  if (random.length !== 16) throw new RangeError(`16 random bytes wanted, got ${random.length}`)
  // 50 bits of time fill ten digits, and 80 of the rest sixteen: five bytes are eight digits.
  const high = Math.floor(nowMs / 2 ** 25)
  const low = nowMs % 2 ** 25
  const version = 0x70 | (random[6]! & 0x0f)
  const variant = 0x80 | (random[8]! & 0x3f)
  return `${prefix}_${fiveDigits(high)}${fiveDigits(low)}${eightDigits(version, random[7]!, variant, random[9]!, random[10]!)}${eightDigits(random[11]!, random[12]!, random[13]!, random[14]!, random[15]!)}`
}

const digit = (value: number): string => alphabet[value & 31]!

const fiveDigits = (bits: number): string =>
  digit(bits >> 20) + digit(bits >> 15) + digit(bits >> 10) + digit(bits >> 5) + digit(bits)

const eightDigits = (a: number, b: number, c: number, d: number, e: number): string =>
  digit(a >> 3) +
  digit((a << 2) | (b >> 6)) +
  digit(b >> 1) +
  digit((b << 4) | (c >> 4)) +
  digit((c << 1) | (d >> 7)) +
  digit(d >> 2) +
  digit((d << 3) | (e >> 5)) +
  digit(e)

const versionMask = (0xfn << 76n) | (0x3n << 62n)
const versionBits = (0x7n << 76n) | (0x2n << 62n)

/** Whether the text is an id of this kind: prefix, shape, and a UUIDv7 inside. */
export function isId<P extends IdPrefix>(prefix: P, text: string): text is Id<P> {
  return text.startsWith(`${prefix}_`) && uuidBits(text.slice(prefix.length + 1)) !== undefined
}

/** When the id was made, in milliseconds since the epoch. Throws a TypeError for what is not an id. */
export function timeOf(id: Id): number {
  return Number(bitsOf(id) >> 80n)
}

/** The same 128 bits as a UUID in its usual hyphenated form, for providers whose idempotency keys must be UUIDs. */
export function uuidOf(id: Id): string {
  const hex = bitsOf(id).toString(16).padStart(32, "0")
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-")
}

function bitsOf(id: Id): bigint {
  const bits = uuidBits(id.slice(id.indexOf("_") + 1))
  if (bits === undefined) throw new TypeError(`not an id: ${id}`)
  return bits
}

function uuidBits(body: string): bigint | undefined {
  if (!bodyPattern.test(body)) return undefined
  let bits = 0n
  for (const digit of body) bits = (bits << 5n) | BigInt(alphabet.indexOf(digit))
  return (bits & versionMask) === versionBits ? bits : undefined
}
