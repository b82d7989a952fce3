// Idempotency keys: the first answer to a key is kept for 24 hours, errors and 500s included, and given again to the
// same request. Other parameters under the key are an error; a key whose request is still running is a conflict.
// https://docs.stripe.com/api/idempotent_requests
import type { WireRequest, WireResponse } from "../persona.ts"
import { StripeError } from "./errors.ts"
import { createShelf, type Shelf } from "./shelf.ts"

export type Idempotency = {
  /** The kept answer of this request; throws when its key belongs to another one. */
  readonly replay: (request: WireRequest) => WireResponse | undefined
  readonly keep: (request: WireRequest, response: WireResponse) => void
  /** From the moment a request arrives until it is handled, its key is in use. */
  readonly begin: (request: WireRequest) => void
  readonly isRunning: (request: WireRequest) => boolean
  /** The request was refused before it began: its key is free again. */
  readonly release: (request: WireRequest) => void
}

export const KEY_LIFETIME_MS = 24 * 3_600_000
const MAX_KEY_LENGTH = 255
const MAX_KEYS = 100_000

type Kept = { readonly fingerprint: string; readonly at: number; readonly response: WireResponse | undefined }

export function createIdempotency(now: () => number): Idempotency {
  const kept: Shelf<Kept> = createShelf(MAX_KEYS)
  const live = (key: string): Kept | undefined => {
    const found = kept.get(key)
    return found && now() - found.at < KEY_LIFETIME_MS ? found : undefined
  }

  return {
    replay(request) {
      const key = keyOf(request)
      if (key === undefined) return undefined
      if (key.length > MAX_KEY_LENGTH)
        throw idempotencyError(400, `Idempotency keys can be at most ${MAX_KEY_LENGTH} characters long.`)
      const found = live(key)
      if (!found?.response) return undefined
      if (found.fingerprint !== fingerprintOf(request))
        throw idempotencyError(
          400,
          `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`,
        )
      return found.response
    },
    keep(request, response) {
      const key = keyOf(request)
      if (key === undefined) return
      kept.delete(key) // so that the shelf's order is the order of use
      kept.put(key, { fingerprint: fingerprintOf(request), at: now(), response })
    },
    begin(request) {
      const key = keyOf(request)
      if (key === undefined || live(key)) return
      kept.put(key, { fingerprint: fingerprintOf(request), at: now(), response: undefined })
    },
    isRunning(request) {
      const key = keyOf(request)
      const found = key === undefined ? undefined : live(key)
      return found !== undefined && found.response === undefined
    },
    release(request) {
      const key = keyOf(request)
      if (key !== undefined && kept.get(key)?.response === undefined) kept.delete(key)
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

function fingerprintOf(request: WireRequest): string {
  return `${request.path}\n${request.body}`
}

function idempotencyError(status: number, message: string): StripeError {
  return new StripeError(status, { type: "idempotency_error", message }, false)
}
