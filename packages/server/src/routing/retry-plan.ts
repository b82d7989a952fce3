// A retry plan: what a rule of the policy wants to happen after an attempt that failed, as data. Steps are tried in order;
// each says for which ends of an attempt it is, where, when and how often the next attempt goes, and how it is shaped. A
// plan only ever asks: what is safe, what the issuer advises and what the schemes allow is decided in retry-following.ts.

import type { AttemptShape } from "../core/attempt-shape.ts"
import { type DeclineCategory, declineCategories, type DeclineReason } from "../core/decline.ts"

export const MAX_RETRY_STEPS = 16
/** Of one payment. Beyond it lies no gain that anybody has published, and every attempt wears the issuer's patience. */
export const MAX_RETRIES = 20
export const MAX_STEP_NAME = 64
export const MAX_DELAYS = MAX_RETRIES
/** The longest wait between two attempts: no advice of a scheme asks for more (Mastercard's 30: ten days), thrice over. */
export const MAX_DELAY_SECONDS = 30 * 24 * 3600
/** Card networks show 22 characters of a descriptor, of which some are the provider's. */
export const MAX_DESCRIPTOR = 22
export const MAX_RATE_WINDOW_SECONDS = 24 * 3600
export const MAX_RATE_ATTEMPTS = 100_000

/** Technical failures per attempts at one provider within a window; below `minimumAttempts` there is no rate. */
export type ErrorRate = {
  readonly atLeastBps: number
  readonly windowSeconds: number
  readonly minimumAttempts: number
}

export type RetryStep = {
  readonly name: string
  /** Any of these. `notExecuted`: the attempt provably came to nothing. */
  readonly on: {
    readonly categories?: readonly DeclineCategory[]
    readonly reasons?: readonly DeclineReason[]
    readonly notExecuted?: true
  }
  /** Payments of both if absent. */
  readonly initiator?: "customer" | "merchant"
  /** How often the step may be taken for one payment. */
  readonly times: number
  /** `same`: the same account. An account that was tried before is tried again at once by such a step only; after an hour by every step. */
  readonly provider: "same" | "other" | "any"
  /** Of the first, second, … time; the last one repeats. Empty: at once. */
  readonly delaySeconds: readonly number[]
  readonly shape: AttemptShape
  /** Only while the provider of the failed attempt fails at least so often. */
  readonly onlyAbove?: ErrorRate
  /** Passes over providers that fail at least so often. */
  readonly avoidAbove?: ErrorRate
}

export type RetryPlan = {
  readonly maxRetries: number
  readonly steps: readonly RetryStep[]
}

const everywhere = { times: MAX_RETRIES, provider: "any", delaySeconds: [], shape: {} } as const

/** The step that no author wrote. */
export const DEFAULT_STEP = "(default)"
/** What follows an attempt that is being reversed; no plan is asked, since the payment or the policy asked for it. */
export const REROUTE = "reverse_then_reroute"
/** Names of steps that plans cannot give to theirs: what is recorded under them stays clear. */
export const reservedSteps: readonly string[] = [DEFAULT_STEP, REROUTE]

/** What happens where a rule names no plan: the next account, at once. */
export const plainRetryPlan: RetryPlan = {
  maxRetries: MAX_RETRIES,
  steps: [
    {
      ...everywhere,
      name: DEFAULT_STEP,
      on: { categories: Object.keys(declineCategories) as DeclineCategory[], notExecuted: true },
    },
  ],
}

/**
 * The plan that a rule's payments follow. Who writes what follows a decline has not meant that payments fail with their
 * provider's connection: where no step is for attempts that came to nothing, the next account is tried at once, as without
 * a plan. `maxRetries: 0` wants nothing tried, and a step of one's own wants what it says.
 */
export function planOf(written: RetryPlan | undefined): RetryPlan {
  if (written === undefined) return plainRetryPlan
  const named = written.steps.filter(({ on }) => on.notExecuted === true)
  const open = (["customer", "merchant"] as const).filter((initiator) =>
    named.every((step) => step.initiator !== undefined && step.initiator !== initiator),
  )
  const [initiator] = open
  if (initiator === undefined) return written
  const failover: RetryStep = {
    ...everywhere,
    name: DEFAULT_STEP,
    on: { notExecuted: true },
    ...(open.length === 1 ? { initiator } : {}),
  }
  return { ...written, steps: [...written.steps, failover] }
}
