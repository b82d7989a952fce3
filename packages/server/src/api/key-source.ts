// API keys in memory: found by the keyed hash of their secret, forgotten when the merchant's keys change anywhere.

import { randomBytes } from "node:crypto"
import type { MerchantId } from "../core/id.ts"
import type { Database } from "../storage/database.ts"
import { findApiKey } from "../storage/resources/api-keys.ts"
import type { Change } from "../storage/resources/changes.ts"
import type { Vault } from "../vault/vault.ts"
import type { Key, Scope } from "./context.ts"

export type KeySource = {
  /** The key with this secret, unless it is unknown or revoked. */
  find(secret: string): Promise<Key | undefined>
  /** Something of a merchant changed. */
  heard(change: Change): void
}

/** Keys in memory at most; unknown secrets among them, so that guessing does not reach the database every time. */
export const MAX_KNOWN_KEYS = 10_000

/** What the hash of a key is: the secret has 192 random bits, so a plain keyed hash cannot be searched. */
export const keyHash = (vault: Vault, secret: string): Uint8Array => Buffer.from(vault.hmac("api_key", secret), "hex")

/** A new secret: `ok_test_` or `ok_live_` and 32 characters. */
export const newKeySecret = (mode: "live" | "test", bytes: Uint8Array = randomBytes(24)): string =>
  `ok_${mode}_${Buffer.from(bytes).toString("base64url")}`
export const KEY_SECRET = /^ok_(?:test|live)_[A-Za-z0-9_-]{32}$/

export function keySource(database: Database, vault: Vault): KeySource {
  const known = new Map<string, Key | undefined>()
  return {
    find: async (secret) => {
      if (!KEY_SECRET.test(secret)) return undefined
      if (known.has(secret)) return known.get(secret)
      const row = await findApiKey(database, keyHash(vault, secret))
      const key: Key | undefined =
        row === undefined || row.revokedAt !== undefined
          ? undefined
          : { id: row.id, merchant: row.merchant, mode: row.mode, scopes: row.scopes as readonly Scope[] }
      if (known.size >= MAX_KNOWN_KEYS) known.clear()
      known.set(secret, key)
      return key
    },
    heard: ({ topic, merchant }: { readonly topic: string; readonly merchant: MerchantId }) => {
      if (topic !== "api_keys") return
      for (const [secret, key] of known) if (key === undefined || key.merchant === merchant) known.delete(secret)
    },
  }
}
