// When things are due: how long a request may be started, listened to, looked at again, and from when on "the provider
// knows nothing of it" is proof. All in database time, ms since the epoch.

import { authorizedUntil } from "../core/validity.ts"
import type { Outcome } from "../core/outcome.ts"
import { authorizes, type Attempt, type Operation, type Payment } from "../core/payment.ts"
import type { Times } from "../core/settlement.ts"
import type { InquiryStrength } from "../connectors/connector.ts"
import { CONNECT_MS, OWNER_MARGIN_MS, type Account } from "./engine.ts"

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** Waits between looks at an operation without a verdict; after the last one a person has to look. */
export const RECOVERY_DELAYS_MS: readonly number[] = [
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  20 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
  40 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  8 * HOUR,
  8 * HOUR,
  24 * HOUR,
]
/** Random spread of a wait, so that an outage is not followed by a storm. */
export const RECOVERY_JITTER = 0.2

/** How far two nodes' ideas of database time may be apart (ms). */
export const CLOCK_MARGIN_MS = 2_000

/** No copy of the first request starts after this: it is handed over at once, or not at all. */
export const sendUntil = (now: number): number => now + CONNECT_MS
/** The owner is listening until then at the latest. */
export const deadline = (account: Account, sendUntilMs: number): number =>
  sendUntilMs + account.limits.listenMs + OWNER_MARGIN_MS

/**
 * From when on "not found" proves that an operation never took effect: the last copy that could have been started, plus
 * the provider's longest in-flight time, plus the time its inquiry lags behind.
 */
export function provenFrom(
  payment: Payment,
  operation: Operation,
  account: Account,
  strength: InquiryStrength = "strong",
): number {
  const last = Math.max(...copiesOf(payment, operation).map((o) => o.sendUntil ?? o.createdAt))
  const lag = strength === "strong" || strength === "none" ? 0 : strength.eventualMs
  return last + account.limits.inFlightMs + lag + CLOCK_MARGIN_MS
}

/**
 * Whether who is asked now is who was sent it. Another account of the provider knows nothing of it either, and then "not
 * found" is no proof, whenever it is said (docs/decisions/0006-whose-account.md).
 */
export const isSameAccount = (payment: Payment, operation: Operation, { generation }: Account): boolean =>
  [...copiesOf(payment, operation), operation].every((o) => (o.generation ?? 0) === (generation ?? 0))

const copiesOf = (payment: Payment, operation: Operation): readonly Operation[] =>
  authorizes(operation) || operation.kind === "reverse"
    ? payment.operations.filter((o) => o.attempt === operation.attempt && authorizes(o))
    : [operation]

/** The next look: by schedule, but not later than the moment from which an answer would be proof. */
export function nextCheck(
  operation: Operation,
  now: number,
  proof: number | undefined,
  random: number,
): number | undefined {
  const delay = RECOVERY_DELAYS_MS[operation.checks]
  if (delay === undefined) return proof !== undefined && proof > now ? proof : undefined
  const at = now + Math.round(delay * (1 + RECOVERY_JITTER * random))
  return proof !== undefined && proof > now ? Math.min(at, proof + 1) : at
}

/** What to note when an outcome leaves something open. */
export function timesFor(
  payment: Payment,
  operation: Operation,
  account: Account,
  outcome: Outcome,
  now: number,
): Times {
  const method = payment.intent.method
  return {
    now,
    // Accepted: the webhook tells; we ask or act when it should have been there. Unknown: at once.
    checkAt:
      outcome.kind === "pending"
        ? now +
          Math.min(
            account.limits.settleWithinMs,
            hasInquiry(account, operation) ? 30 * SECOND : account.limits.settleWithinMs,
          )
        : now,
    actionUntil: now + account.limits.actionMs,
    authorizedUntil: authorizedUntil(now, {
      network: method?.network ?? "visa",
      initiator: payment.intent.initiator.by,
      ...(account.connector.manifest.authorizationMs === undefined
        ? {}
        : { providerLimitMs: account.connector.manifest.authorizationMs }),
    }),
  }
}

/** How the operation can be asked about with the keys we have; `none` if it cannot. */
export function inquiryStrength(account: Account, operation: Operation, attempt: Attempt | undefined): InquiryStrength {
  const support =
    account.connector.manifest.operations[operation.kind]?.inquiry ??
    account.connector.manifest.operations.authorize?.inquiry
  if (account.connector.inquire === undefined || support === undefined) return "none"
  if (attempt?.reference !== undefined && support.byReference !== "none") return support.byReference
  return support.byAttempt
}
const hasInquiry = (account: Account, operation: Operation): boolean =>
  account.connector.inquire !== undefined &&
  account.connector.manifest.operations[operation.kind]?.inquiry.byReference !== "none"

/** The provider still gives its first answer again for this key: also to a copy that travels as long as one can. */
export function replayable(account: Account, operation: Operation, now: number): boolean {
  const replay = account.connector.manifest.operations[operation.kind]?.replay
  if (replay === undefined || replay.stores !== "all" || operation.sentAt === undefined) return false
  return (
    now + account.limits.inFlightMs + CLOCK_MARGIN_MS <
    operation.sentAt + replay.windowMs * account.limits.replayWindowFactor
  )
}
