// Keyed hashes. A plain hash of a card number is the card number to anyone with a day to spare: there are few of them.
// With a key that is not in the database it tells equal numbers of one merchant, and nothing else. The key of each
// purpose and merchant is derived, so that merchants cannot be compared with each other.

import { createHmac, hkdfSync, type KeyObject } from "node:crypto"

/** HMAC-SHA-256 in base64url, 43 characters. */
export function keyedHash(root: KeyObject, purpose: string, merchant: string | undefined, text: string): string {
  const info = JSON.stringify(["orchestra", 1, purpose, merchant ?? null])
  const key = Buffer.from(hkdfSync("sha256", root, "", info, 32))
  return createHmac("sha256", key).update(text).digest("base64url")
}
