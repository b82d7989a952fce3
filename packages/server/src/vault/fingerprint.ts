// Keyed hashes. A plain hash of a card number is the card number to anyone with a day to spare: there are few of them.
// With a key that is not in the database it tells equal numbers of one merchant, and nothing else. The key of each
// purpose and merchant is derived, so that merchants cannot be compared with each other.

import { createHmac, createSecretKey, hkdfSync, type KeyObject } from "node:crypto"

/** HMAC-SHA-256 in base64url, 43 characters. */
export function keyedHash(root: KeyObject, purpose: string, merchant: string | undefined, text: string): string {
  return createHmac("sha256", derivedKey(root, purpose, merchant))
    .update(text)
    .digest("base64url")
}

/** Derived keys in memory, a handful per merchant: deriving costs four times what the hash does. */
export const MAX_DERIVED_KEYS = 20_000
const derived = new WeakMap<KeyObject, Map<string, KeyObject>>()

function derivedKey(root: KeyObject, purpose: string, merchant: string | undefined): KeyObject {
  let keys = derived.get(root)
  if (keys === undefined) derived.set(root, (keys = new Map()))
  const info = JSON.stringify(["orchestra", 1, purpose, merchant ?? null])
  const known = keys.get(info)
  if (known !== undefined) return known
  const key = createSecretKey(Buffer.from(hkdfSync("sha256", root, "", info, 32)))
  if (keys.size >= MAX_DERIVED_KEYS) keys.clear()
  keys.set(info, key)
  return key
}
