// API keys by their hash, in memory, since every request asks. A key that is revoked anywhere is refused here as soon as
// the change is heard; nothing is kept of keys that do not exist.

import type { MerchantId } from "../core/id.ts"
import type { Database } from "../storage/database.ts"
import { findApiKey, type ApiKey } from "../storage/resources/api-keys.ts"
import type { Change } from "../storage/resources/changes.ts"

export type ApiKeyCache = {
  /** The key, unless it is revoked. */
  find(hash: Uint8Array): Promise<ApiKey | undefined>
  /** Takes the directory's changes. */
  heard(change: Change): void
}

/** Keys kept; the one used longest ago goes first. */
export const MAX_CACHED_KEYS = 20_000

export function createApiKeyCache(database: Database): ApiKeyCache {
  const known = new Map<string, ApiKey>()
  const asked = new Map<string, Promise<ApiKey | undefined>>()
  /** Counts changes: what was read before the last one may be older than it. */
  let changes = 0

  const ask = async (name: string, hash: Uint8Array): Promise<ApiKey | undefined> => {
    const before = changes
    try {
      const key = await findApiKey(database, hash)
      if (key === undefined || key.revokedAt !== undefined) return undefined
      if (changes === before) keep(name, key)
      return key
    } finally {
      asked.delete(name)
    }
  }
  const keep = (name: string, key: ApiKey): void => {
    known.delete(name)
    known.set(name, key)
    if (known.size > MAX_CACHED_KEYS) known.delete(known.keys().next().value ?? "")
  }
  const forget = (merchant: MerchantId): void => {
    for (const [name, key] of known) if (key.merchant === merchant) known.delete(name)
  }
  return {
    find: async (hash) => {
      const name = Buffer.from(hash).toString("base64")
      const key = known.get(name)
      if (key !== undefined) {
        keep(name, key)
        return key
      }
      // Many requests of one key at once ask once.
      const answer = asked.get(name) ?? ask(name, hash)
      if (!asked.has(name)) asked.set(name, answer)
      return answer
    },
    heard: ({ topic, merchant }) => {
      if (topic !== "api_keys") return
      changes += 1
      asked.clear()
      forget(merchant)
    },
  }
}
