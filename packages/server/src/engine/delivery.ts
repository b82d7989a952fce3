// One event on its way to one endpoint: what is stored of it, when it is tried again, and when the endpoint is given up.
//
//   pending ──try── 2xx ────────────────────────────► delivered
//      ▲       │
//      │       ├── anything else ── tries left ─────► pending, later
//      │       ├── anything else ── the last one ───► failed;  nothing else got through meanwhile: endpoint disabled
//      │       └── 410 Gone ────────────────────────► failed;  endpoint disabled
//   a person replays it (from any state)
//
// While an endpoint is disabled, its deliveries wait.

import type { EventId, MerchantId, WebhookEndpointId } from "../core/id.ts"
import type { OutboxEvent } from "../storage/ledger/ledger.ts"
import type { Posted } from "./webhook-post.ts"

export type DeliveryState = "pending" | "delivered" | "failed"

/** The pair of event and endpoint is its name, so that a relay that repeats itself adds nothing. */
export type DeliveryKey = {
  readonly merchant: MerchantId
  readonly event: EventId
  readonly endpoint: WebhookEndpointId
}

/** A delivery whose time has come, with everything that posting it takes. */
export type DueDelivery = {
  readonly key: DeliveryKey
  /** Tries made since it was created or replayed. */
  readonly tries: number
  /** Its time; also what a claim compares. */
  readonly nextAt: number
  readonly createdAt: number
  readonly event: Pick<OutboxEvent, "id" | "type" | "at" | "sequence" | "data">
  readonly endpoint: {
    readonly url: string
    readonly mode: "live" | "test"
    /** Sealed, the current one first; all whose time is not over. */
    readonly secrets: readonly Uint8Array[]
  }
}

/** One try, as the merchant sees it in the delivery's log. */
export type DeliveryTry = {
  readonly at: number
  readonly durationMs: number
  readonly status?: number
  /** Why there was no answer. */
  readonly error?: string
  /** The answer's first bytes. */
  readonly answer?: string
}

export type DeliveryResult = {
  readonly state: DeliveryState
  /** Only while pending. */
  readonly nextAt?: number
  readonly tried: DeliveryTry
}

export type DisableReason = "gone" | "failing"

/** What deliveries need of storage. Each is one statement and one transaction. */
export type DeliveryStore = {
  /**
   * Adds a pending delivery, due now, for each event and each enabled endpoint of its merchant and mode that subscribes to
   * its type. Those that exist stay as they are.
   */
  fanOut(events: readonly OutboxEvent[]): Promise<void>
  /** Due deliveries of enabled endpoints, at most `perEndpoint` of one, none of `except`. Takes no locks. */
  due(
    limit: number,
    perEndpoint: number,
    except: readonly Pick<DeliveryKey, "merchant" | "endpoint">[],
  ): Promise<readonly DueDelivery[]>
  /** Makes one due delivery ours for `leaseMs`; false when another node was first. */
  claim(due: DueDelivery, leaseMs: number): Promise<boolean>
  /** Notes a try and what follows from it. */
  record(key: DeliveryKey, result: DeliveryResult): Promise<void>
  /** Whether any delivery to the endpoint got through at or after this time. */
  deliveredSince(merchant: MerchantId, endpoint: WebhookEndpointId, ms: number): Promise<boolean>
  /** Disables the endpoint and stores the event that says so; false when it was not enabled. */
  disable(merchant: MerchantId, endpoint: WebhookEndpointId, event: OutboxEvent): Promise<boolean>
  /** Makes one delivery pending and due again, with all its tries; false when there is no such delivery. */
  replay(key: DeliveryKey): Promise<boolean>
  /**
   * The same for the next events after `after`, in the order of their ids, from `since` (ms) on: all that the endpoint
   * subscribes to, delivered before or not. Answers how many and the last event seen; undefined at the end.
   */
  replayPage(
    merchant: MerchantId,
    endpoint: WebhookEndpointId,
    since: number,
    after: EventId | undefined,
    limit: number,
  ): Promise<{ readonly replayed: number; readonly last: EventId | undefined }>
}

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Waits after the first try, the second, …: ten tries over three days. Standard Webhooks' recommended schedule. */
export const DELIVERY_DELAYS_MS: readonly number[] = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  5 * HOUR,
  10 * HOUR,
  14 * HOUR,
  20 * HOUR,
  24 * HOUR,
]
/** Waits are longer by up to this part, so that what failed together does not come back together. */
export const DELIVERY_JITTER = 0.2
/** Longest wait that a receiver may ask for with Retry-After (ms). */
export const MAX_RETRY_AFTER_MS = 6 * HOUR
/** Tries kept in a delivery's log. */
export const MAX_LOGGED_TRIES = 20

/** What became of a try. `unsent`: what we have to send cannot be sent, and that is not the endpoint's doing. */
export type Tried =
  | Posted
  | { readonly kind: "unsent"; readonly why: "secret_unreadable" | "message_too_large"; readonly durationMs: number }

export type Verdict = Pick<DeliveryResult, "state" | "nextAt"> & { readonly gone: boolean }

/** What follows from the try that was just made; `tries` counts it. */
export function judge(posted: Tried, tries: number, now: number, random: number): Verdict {
  if (posted.kind === "answered" && posted.status >= 200 && posted.status < 300)
    return { state: "delivered", gone: false }
  if (posted.kind === "answered" && posted.status === 410) return { state: "failed", gone: true }
  // It will not be smaller next time.
  if (posted.kind === "unsent" && posted.why === "message_too_large") return { state: "failed", gone: false }
  const delay = DELIVERY_DELAYS_MS[tries - 1]
  if (delay === undefined) return { state: "failed", gone: false }
  const asked = posted.kind === "answered" ? Math.min(posted.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS) : 0
  return {
    state: "pending",
    nextAt: Math.ceil(now + Math.max(asked, delay) * (1 + DELIVERY_JITTER * random)),
    gone: false,
  }
}

export function tryOf(posted: Tried, at: number): DeliveryTry {
  const { durationMs } = posted
  switch (posted.kind) {
    case "answered":
      return { at, durationMs, status: posted.status, answer: posted.answer }
    case "failed":
      return { at, durationMs, error: posted.code }
    case "refused":
      return { at, durationMs, error: `refused: ${posted.why}` }
    case "unsent":
      return { at, durationMs, error: posted.why }
    default:
      return posted satisfies never
  }
}
