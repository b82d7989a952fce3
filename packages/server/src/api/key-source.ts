// API keys in memory, found by the keyed hash of their secret; the secret itself is kept nowhere. A revoked key ends
// everywhere within a second, also on a node that hears of no changes: what is remembered is asked again after half of one.

import { given } from "../core/given.ts"
import type { ApiKeyId, MerchantId } from "../core/id.ts"
import { secret, type Secret } from "../core/secret.ts"
import { runLoop, type Loop } from "../engine/loop.ts"
import type { Clock, Ports } from "../ports.ts"
import type { Database } from "../storage/database.ts"
import { findApiKey, noteApiKeyUses } from "../storage/resources/api-keys.ts"
import type { Change } from "../storage/resources/changes.ts"
import type { Vault } from "../vault/vault.ts"
import type { Key, Scope } from "./context.ts"

export type KeySource = {
  /** The key with this secret, unless it is unknown or revoked. */
  find(secret: string): Promise<Key | undefined>
  /** Something of a merchant changed: a hint that makes a revocation quicker. */
  heard(change: Change): void
  /** Stores when keys were used last. */
  noteUses(): Promise<void>
}

/** A key that was found, or not found, counts as that for so long (ms). */
export const KEY_FRESH_MS = 500
/** Keys in memory at most; unknown secrets among them, so that guessing does not reach the database every time. */
export const MAX_KNOWN_KEYS = 10_000
/** How exactly a key's last use is known (ms). */
export const NOTE_USES_MS = 60_000

const KEY_SECRET = /^ok_(?:test|live)_[A-Za-z0-9_-]{32}$/

const RANDOM_BYTES = 24
/** A new secret: `ok_test_` or `ok_live_` and 32 characters, 192 random bits. */
export const newKeySecret = (mode: "live" | "test", random: (count: number) => Uint8Array): Secret<string> =>
  secret(`ok_${mode}_${Buffer.from(random(RANDOM_BYTES)).toString("base64url")}`)

/** What is stored of a secret. It has so many random bits that a keyed hash cannot be searched. */
export const keyHash = (vault: Vault, text: string): Uint8Array => Buffer.from(vault.hmac("api_key", text), "base64url")

type Known = { readonly since: number; readonly key: Promise<Key | undefined>; readonly merchant?: MerchantId }

export function keySource(database: Database, vault: Vault, clock: Clock): KeySource {
  const known = new Map<string, Known>()
  const used = new Map<ApiKeyId, { readonly merchant: MerchantId; readonly at: number }>()

  async function look(name: string, hash: Uint8Array, since: number): Promise<Key | undefined> {
    const row = await findApiKey(database, hash)
    const key: Key | undefined =
      row === undefined || row.revokedAt !== undefined
        ? undefined
        : { id: row.id, merchant: row.merchant, mode: row.mode, scopes: row.scopes as readonly Scope[] }
    // Whoever was forgotten meanwhile stays forgotten.
    const entry = known.get(name)
    if (entry?.since === since) known.set(name, given({ ...entry, merchant: key?.merchant }))
    return key
  }

  return {
    find: async (text) => {
      if (!KEY_SECRET.test(text)) return undefined
      const hash = keyHash(vault, text)
      const name = Buffer.from(hash).toString("base64url")
      const now = clock.now()
      let entry = known.get(name)
      if (entry === undefined || now - entry.since >= KEY_FRESH_MS) {
        // Behind all others: the first of the map is the one that was asked for longest ago.
        known.delete(name)
        const oldest = known.size < MAX_KNOWN_KEYS ? undefined : known.keys().next().value
        if (oldest !== undefined) known.delete(oldest)
        entry = { since: now, key: look(name, hash, now) }
        known.set(name, entry)
        entry.key.catch(() => known.delete(name))
      }
      const key = await entry.key
      if (key !== undefined) used.set(key.id, { merchant: key.merchant, at: now })
      return key
    },
    heard: ({ topic, merchant }) => {
      if (topic !== "api_keys") return
      for (const [name, entry] of known)
        if (entry.merchant === undefined || entry.merchant === merchant) known.delete(name)
    },
    noteUses: async () => {
      const uses = [...used].map(([id, use]) => ({ id, ...use }))
      used.clear()
      if (uses.length > 0) await noteApiKeyUses(database, uses)
    },
  }
}

/** Uses are noted until stopped. One that is lost with the process is no loss. */
export const runKeyUses = (ports: Ports, keys: KeySource): Loop =>
  runLoop(ports, "api key uses", { idleMs: NOTE_USES_MS, backoffMs: NOTE_USES_MS }, async () => {
    await keys.noteUses()
    return false
  })
