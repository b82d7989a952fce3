// Envelope encryption of one value. Each value has a data key of its own, used once; the master key wraps the data key:
//
//   1 version │ 1 length │ master key's name │ 32 salt │ 32 + 16 wrapped data key │ 12 nonce │ ciphertext │ 16 tag
//
// One data key per value, not per merchant: opening stays a pure function of the row (no key table, no cache that could
// be stale, no key whose loss takes a merchant with it), deleting the row deletes its key, and a data key never meets
// the limit on random GCM nonces. It costs about 20 µs a value with master keys in memory; a cache of unwrapped keys
// would save a third of that and keep them around, so there is none.
//
// The wrapping key is derived per value from the master key and 32 random bytes, for the same limit: at a thousand cards
// a second one wrapping key with random 96-bit nonces would pass NIST's 2^32 messages in 50 days (SP 800-38D §8.3).
//
// Both layers authenticate where the value stands: merchant, table, row. Moved elsewhere it does not open.

import { createCipheriv, createDecipheriv, hkdfSync, type KeyObject } from "node:crypto"
import { KEY_BYTES, KEY_NAME, type KeyRing } from "./key-ring.ts"
import { VaultFault } from "./vault-fault.ts"

export type Place = { readonly merchant: string; readonly table: string; readonly row: string }
export type Sealed = {
  /** The master key that wraps the data key, for `rewrap` to find what is old. */
  readonly keyId: string
  readonly sealed: Uint8Array
}

/** Longest value that is sealed: credentials with certificates fit, documents do not. */
export const MAX_SEALED_BYTES = 65_536

const VERSION = 1
const SALT = 32
const NONCE = 12
const TAG = 16
const WRAPPED = KEY_BYTES + TAG

export function sealEnvelope(
  ring: KeyRing,
  place: Place,
  value: Uint8Array,
  random: (count: number) => Uint8Array,
): Sealed {
  if (value.length > MAX_SEALED_BYTES)
    throw new VaultFault("too_large", `${at(place)} holds more than ${MAX_SEALED_BYTES} bytes.`)
  const dataKey = Buffer.from(random(KEY_BYTES))
  const nonce = random(NONCE)
  const header = wrap(ring, place, dataKey, random)
  const payload = encrypt(dataKey, nonce, aad("value", place), value)
  dataKey.fill(0)
  return { keyId: ring.current, sealed: Buffer.concat([header, nonce, payload]) }
}

export function openEnvelope(ring: KeyRing, place: Place, sealed: Uint8Array): Buffer {
  const { dataKey, rest } = unwrap(ring, place, sealed)
  const value = decrypt(dataKey, rest.subarray(0, NONCE), aad("value", place), rest.subarray(NONCE), place)
  dataKey.fill(0)
  return value
}

/** The same value under the current master key, without touching the value: what rotation costs is one wrap. */
export function rewrapEnvelope(
  ring: KeyRing,
  place: Place,
  sealed: Uint8Array,
  random: (count: number) => Uint8Array,
): Sealed {
  const { dataKey, rest } = unwrap(ring, place, sealed)
  const header = wrap(ring, place, dataKey, random)
  dataKey.fill(0)
  return { keyId: ring.current, sealed: Buffer.concat([header, rest]) }
}

function wrap(ring: KeyRing, place: Place, dataKey: Buffer, random: (count: number) => Uint8Array): Buffer {
  const master = ring.keys.get(ring.current)
  if (master === undefined) throw missing(ring.current, place)
  const salt = random(SALT)
  const { key, nonce } = wrappingKey(master, salt)
  const name = Buffer.from(ring.current, "ascii")
  return Buffer.concat([
    Buffer.of(VERSION, name.length),
    name,
    salt,
    encrypt(key, nonce, aad(ring.current, place), dataKey),
  ])
}

function unwrap(
  ring: KeyRing,
  place: Place,
  sealed: Uint8Array,
): { readonly dataKey: Buffer; /** nonce, ciphertext, tag */ readonly rest: Buffer } {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
  const nameEnd = 2 + (bytes[1] ?? 0)
  const name = bytes.toString("latin1", 2, nameEnd)
  const saltEnd = nameEnd + SALT
  const end = saltEnd + WRAPPED
  if (bytes[0] !== VERSION || !KEY_NAME.test(name) || bytes.length < end + NONCE + TAG)
    throw new VaultFault("malformed", `${at(place)} does not hold a sealed value.`)
  const master = ring.keys.get(name)
  if (master === undefined) throw missing(name, place)
  const { key, nonce } = wrappingKey(master, bytes.subarray(nameEnd, saltEnd))
  const dataKey = decrypt(key, nonce, aad(name, place), bytes.subarray(saltEnd, end), place)
  return { dataKey, rest: bytes.subarray(end) }
}

// The salt makes key and nonce new for every value, so neither is ever used twice.
function wrappingKey(master: KeyObject, salt: Uint8Array): { readonly key: Buffer; readonly nonce: Buffer } {
  const derived = Buffer.from(hkdfSync("sha256", master, salt, "orchestra vault wrap 1", KEY_BYTES + NONCE))
  return { key: derived.subarray(0, KEY_BYTES), nonce: derived.subarray(KEY_BYTES) }
}

// JSON of strings is injective: no two places share their text, whatever stands in them.
const aad = (what: string, { merchant, table, row }: Place): Buffer =>
  Buffer.from(JSON.stringify(["orchestra", VERSION, what, merchant, table, row]))

function encrypt(key: Buffer, nonce: Uint8Array, context: Buffer, value: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG })
  cipher.setAAD(context)
  return Buffer.concat([cipher.update(value), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: Buffer, nonce: Uint8Array, context: Buffer, bytes: Buffer, place: Place): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG })
  decipher.setAAD(context)
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG))
  const start = decipher.update(bytes.subarray(0, bytes.length - TAG))
  try {
    return Buffer.concat([start, decipher.final()])
  } catch {
    start.fill(0)
    throw new VaultFault("not_authentic", `${at(place)} was changed, or was sealed for another place.`)
  }
}

const at = ({ merchant, table, row }: Place): string => `${table} ${row} of ${merchant}`
const missing = (name: string, place: Place): VaultFault =>
  new VaultFault("key_missing", `${at(place)} is sealed under the key ${name}, which is not in the key ring.`)
