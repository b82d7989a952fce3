// A provider's memory of idempotency keys: what was asked under a key and what was answered. What is kept, for how
// long, and what happens when the same key comes with another request, differs by provider and is the caller's to say.
import { createHash } from "node:crypto"
import type { WireRequest, WireResponse } from "./persona.ts"

export type KeptAnswer = { readonly fingerprint: string; readonly response: WireResponse }

export type KeptAnswers = {
  find(key: string): KeptAnswer | undefined
  keep(key: string, fingerprint: string, response: WireResponse): void
  forget(key: string): void
}

/** Beyond it the oldest keys are forgotten early, so that days of sample traffic fit in memory. */
export const MAX_KEPT_ANSWERS = 50_000

export function createKeptAnswers(now: () => number, windowMs: number, maxKeys = MAX_KEPT_ANSWERS): KeptAnswers {
  const answers = new Map<string, KeptAnswer & { readonly firstSeenAt: number }>()
  return {
    find(key) {
      const kept = answers.get(key)
      if (kept && now() - kept.firstSeenAt >= windowMs) {
        answers.delete(key)
        return undefined
      }
      return kept
    },
    keep(key, fingerprint, response) {
      // The window counts from the first submission, also when a later answer replaces the first.
      const firstSeenAt = answers.get(key)?.firstSeenAt ?? now()
      answers.set(key, { fingerprint, response, firstSeenAt })
      if (answers.size > maxKeys) {
        const [oldest] = answers.keys()
        if (oldest !== undefined) answers.delete(oldest)
      }
    },
    forget(key) {
      answers.delete(key)
    },
  }
}

/** Two requests are the same when method, path and body are. */
export function fingerprintOf({ method, path, body }: WireRequest): string {
  return createHash("sha256").update(`${method}\n${path}\n${body}`).digest("base64")
}
