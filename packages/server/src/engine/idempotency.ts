// What a request gets whose idempotency key was used before. A key never runs twice and never blocks for ever: after the
// lease of a crashed first request, the payment's current state is the answer.

import type { Payment } from "../core/payment.ts"
import type { IdempotencyRow, StoredResponse } from "../storage/ledger/ledger.ts"
import type { Request } from "./change.ts"
import type { Engine } from "./engine.ts"

export type Repeated =
  /** The same key with another body. */
  | { readonly kind: "mismatch" }
  /** The first request is still being worked on. */
  | { readonly kind: "in_flight"; readonly retryAfterMs: number }
  /** What the first request was answered. */
  | { readonly kind: "replayed"; readonly response: StoredResponse; readonly row: IdempotencyRow }
  /** The first request died without an answer. */
  | { readonly kind: "current"; readonly payment: Payment }

/** How long one request may work before its key counts as abandoned, beyond its own answer deadline (ms). */
export const LEASE_MARGIN_MS = 15_000

export async function repeat(engine: Engine, row: IdempotencyRow, request: Request): Promise<Repeated> {
  if (row.fingerprint !== request.row.fingerprint) return { kind: "mismatch" }
  if (row.response !== undefined) return { kind: "replayed", response: row.response, row }
  const left = row.leaseUntil - engine.clock.now()
  if (left > 0) return { kind: "in_flight", retryAfterMs: left }
  const payment = await engine.ledger.load(row.merchant, row.payment)
  // The row and its payment were stored by one commit.
  return payment === undefined ? { kind: "in_flight", retryAfterMs: LEASE_MARGIN_MS } : { kind: "current", payment }
}
