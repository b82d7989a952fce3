// How long things take at the simulated Checkout.com.
import type { Purchase } from "./purchase.ts"

/** Webhooks follow the answer. */
export const EVENT_MS = 1_000
/** From accepting a capture, void or refund until it is processed. */
export const ACTION_MS = 2_000
/** "Initial 3DS transaction not completed within 15 minutes." */
export const CHALLENGE_MS = 15 * 60_000

const DAY_MS = 86_400_000
/** Estimated authorizations are held longer. */
const VALID_MS = { Final: 7 * DAY_MS, Estimated: 30 * DAY_MS, Incremental: 30 * DAY_MS }

export function validUntil(now: number, { authorizationType }: Purchase): number {
  return now + VALID_MS[authorizationType]
}
