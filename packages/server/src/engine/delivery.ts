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

import type { DeliveryState, DeliveryTry } from "../storage/resources/deliveries.ts"
import type { Posted } from "./webhook-post.ts"

/** Why an endpoint was disabled, where nobody did it by hand. */
export type DisableReason = "gone" | "failing"

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

/** What became of a try. `unsent`: what we have to send cannot be sent, and that is not the endpoint's doing. */
export type Tried =
  | Posted
  | { readonly kind: "unsent"; readonly why: "secret_unreadable" | "message_too_large"; readonly durationMs: number }

export type Verdict = {
  readonly state: DeliveryState
  /** Only while pending (ms, database time). */
  readonly nextAt?: number
  readonly gone: boolean
}

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
