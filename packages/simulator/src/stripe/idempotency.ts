// Idempotency keys: the first answer to a key is kept for 24 hours, errors and 500s included, and given again to the
// same request. Other parameters under the key are an error; a key whose request is still running is a conflict.
// https://docs.stripe.com/api/idempotent_requests
import { createKeptAnswers, fingerprintOf } from "../kept-answers.ts"
import type { WireRequest, WireResponse } from "../persona.ts"
import { StripeError } from "./errors.ts"

export type Idempotency = {
  /** The kept answer of this request; throws when its key belongs to another one. */
  readonly replay: (request: WireRequest) => WireResponse | undefined
  readonly keep: (request: WireRequest, response: WireResponse) => void
  /** From here until the request is handled, its key is in use. False when it is in use already. */
  readonly begin: (request: WireRequest) => boolean
  /** The request was refused before it began: its key is free again. */
  readonly release: (request: WireRequest) => void
}

export const KEY_LIFETIME_MS = 24 * 3_600_000
const MAX_KEY_LENGTH = 255
/** Answers are a few kB each. */
const MAX_KEYS = 20_000

export function createIdempotency(now: () => number): Idempotency {
  const answers = createKeptAnswers(now, KEY_LIFETIME_MS, MAX_KEYS)
  const running = new Set<string>()

  return {
    replay(request) {
      const key = keyOf(request)
      if (key === undefined) return undefined
      if (key.length > MAX_KEY_LENGTH)
        throw idempotencyError(`Idempotency keys can be at most ${MAX_KEY_LENGTH} characters long.`)
      const kept = answers.find(key)
      if (kept && kept.fingerprint !== fingerprintOf(request))
        throw idempotencyError(
          `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
        )
      return kept?.response
    },
    keep(request, response) {
      const key = keyOf(request)
      if (key === undefined) return
      running.delete(key)
      answers.keep(key, fingerprintOf(request), response)
    },
    begin(request) {
      const key = keyOf(request)
      if (key === undefined || answers.find(key)) return true
      if (running.has(key)) return false
      running.add(key)
      return true
    },
    release(request) {
      running.delete(keyOf(request) ?? "")
    },
  }
}

export function keyInUse(key: string): StripeError {
  return new StripeError(
    409,
    {
      type: "idempotency_error",
      code: "idempotency_key_in_use",
      message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
    },
    false,
  )
}

/** Only POST needs keys: everything else is idempotent by nature, and Stripe ignores keys there. */
export function keyOf(request: WireRequest): string | undefined {
  return request.method === "POST" ? request.headers["idempotency-key"] || undefined : undefined
}

function idempotencyError(message: string): StripeError {
  return new StripeError(400, { type: "idempotency_error", message }, false)
}
