// Stripe's events: kept for a while to be listed, and sent as signed webhooks.
// Signature: HMAC-SHA256 over `<seconds>.<body>`, keyed with the whole secret, `whsec_` included.
// https://docs.stripe.com/webhooks#verify-manually
import { createHmac } from "node:crypto"
import type { PersonaPorts, PersonaWebhook } from "../persona.ts"
import { createShelf, type Shelf } from "./shelf.ts"

export type StripeEvent = {
  readonly id: string
  readonly object: "event"
  readonly api_version: string
  readonly created: number
  readonly data: { readonly object: unknown; readonly previous_attributes?: unknown }
  readonly livemode: false
  readonly pending_webhooks: number
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null }
  readonly type: string
}

/** The request that makes things happen at this moment; none when time or the cardholder does. */
export type Cause = { readonly requestId: string | null; readonly idempotencyKey: string | null }

export type Events = {
  /** Takes a snapshot of `object`: later changes of it do not reach the event. */
  readonly emit: (type: string, object: unknown, previous?: unknown) => void
  readonly causedBy: <T>(cause: Cause, run: () => T) => T
  readonly onWebhook: (deliver: (webhook: PersonaWebhook) => void) => void
  readonly shelf: Shelf<StripeEvent>
}

/** Webhooks always carry the account's default version, whatever version a request asked for. */
export const API_VERSION = "2026-10-28.endive"
/** Stripe's webhooks follow shortly; often after the answer, but nobody promises that. */
const WEBHOOK_DELAY_MS = 100
const MAX_EVENTS = 10_000
const NOBODY: Cause = { requestId: null, idempotencyKey: null }

export function createEvents(
  secret: string,
  ports: PersonaPorts,
  id: (prefix: string, length?: number) => string,
): Events {
  const shelf = createShelf<StripeEvent>(MAX_EVENTS)
  let cause = NOBODY
  let deliver: ((webhook: PersonaWebhook) => void) | undefined
  const sign = (body: string): Record<string, string> => ({
    "content-type": "application/json; charset=utf-8",
    "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    "stripe-signature": signature(secret, body, Math.floor(ports.now() / 1000)),
  })

  return {
    emit(type, object, previous) {
      const event: StripeEvent = {
        id: id("evt"),
        object: "event",
        api_version: API_VERSION,
        created: Math.floor(ports.now() / 1000),
        data: structuredClone({ object, ...(previous !== undefined && { previous_attributes: previous }) }),
        livemode: false,
        pending_webhooks: deliver ? 1 : 0,
        request: { id: cause.requestId, idempotency_key: cause.idempotencyKey },
        type,
      }
      shelf.put(event.id, event)
      ports.after(WEBHOOK_DELAY_MS, () => {
        const body = JSON.stringify(event, null, 2)
        deliver?.({ headers: sign(body), body, freshHeaders: () => sign(body) })
      })
    },
    causedBy(next, run) {
      cause = next
      try {
        return run()
      } finally {
        cause = NOBODY
      }
    },
    onWebhook(next) {
      deliver = next
    },
    shelf,
  }
}

function signature(secret: string, body: string, seconds: number): string {
  return `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.${body}`).digest("hex")}`
}
