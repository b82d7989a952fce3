// The keys outside the database, as configuration states them:
//
//   2026-11:<base64 of 32 bytes>, 2026-05:<base64 of 32 bytes>, fingerprint:<base64 of 32 bytes>
//
// The first encryption key is the current one, with which everything is sealed from now on; the others still open what
// they sealed. To rotate: add the new key behind the current one and restart every process, so that all can open it; move
// it to the front and restart again; let `rewrap` run; when it reports nothing left, drop the old one.
// The key named `fingerprint` keys all hashes and is never rotated: with another key no stored fingerprint would match.

import { createSecretKey, timingSafeEqual, type KeyObject } from "node:crypto"
import { VaultFault } from "./vault-fault.ts"

export type KeyRing = {
  /** Name of the key that seals. */
  readonly current: string
  readonly keys: ReadonlyMap<string, KeyObject>
  readonly fingerprint: KeyObject
}

export const KEY_BYTES = 32
/** More than this many keys is a rotation that was never finished. */
export const MAX_KEYS = 32
export const KEY_NAME = /^[a-z0-9][a-z0-9_-]{0,31}$/
const FINGERPRINT = "fingerprint"

/** Entries `name:base64`, apart by commas or white space; a line that starts with `#` is a comment. */
export function parseKeyRing(text: string): KeyRing {
  const entries = text
    .replace(/^\s*#.*$/gm, "")
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
  if (entries.length > MAX_KEYS) throw invalid(`more than ${MAX_KEYS} keys`)
  const bytes = new Map<string, Buffer>()
  for (const entry of entries) {
    const { name, key } = parseEntry(entry, bytes.size + 1)
    if (bytes.has(name)) throw invalid(`two keys are named ${name}`)
    for (const [other, known] of bytes)
      if (timingSafeEqual(known, key)) throw invalid(`${other} and ${name} are the same key`)
    bytes.set(name, key)
  }
  const all = [...bytes].map(([name, key]) => [name, createSecretKey(key)] as const)
  for (const key of bytes.values()) key.fill(0)
  const keys = new Map(all.filter(([name]) => name !== FINGERPRINT))
  const [current] = keys.keys()
  if (current === undefined) throw invalid("no encryption key")
  const fingerprint = new Map(all).get(FINGERPRINT)
  if (fingerprint === undefined) throw invalid(`no key named ${FINGERPRINT}`)
  return { current, keys, fingerprint }
}

/** A fresh ring in the same words, for a first start: `bytes` is 64 random bytes. */
export function newKeyRingText(name: string, bytes: Uint8Array): string {
  if (bytes.length !== 2 * KEY_BYTES) throw new RangeError(`${2 * KEY_BYTES} random bytes wanted, got ${bytes.length}`)
  const key = (from: number): string => Buffer.from(bytes.subarray(from, from + KEY_BYTES)).toString("base64")
  return `${name}:${key(0)}\n${FINGERPRINT}:${key(KEY_BYTES)}\n`
}

// Messages tell places, never the text: a name that was forgotten would make the message a key.
function parseEntry(entry: string, place: number): { readonly name: string; readonly key: Buffer } {
  const colon = entry.indexOf(":")
  const name = entry.slice(0, Math.max(colon, 0))
  if (!KEY_NAME.test(name)) throw invalid(`entry ${place} does not start with a name and a colon`)
  const text = entry.slice(colon + 1)
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(text)) throw invalid(`${name} is not ${KEY_BYTES} bytes in base64`)
  return { name, key: Buffer.from(text, "base64") }
}

const invalid = (why: string): VaultFault => new VaultFault("key_ring_invalid", `The key ring cannot be used: ${why}.`)
