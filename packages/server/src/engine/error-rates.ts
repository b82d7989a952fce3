// How often each provider failed lately, as this process saw it: what a retry plan's steps ask (`only_above`,
// `avoid_above`). Fed by every commit that settles an attempt (change.ts); bounded, and lost with the process.

import { declineReasons } from "../core/decline.ts"
import type { Attempt, Payment } from "../core/payment.ts"
import type { Outcome } from "../core/outcome.ts"
import type { Clock } from "../ports.ts"
import { MAX_RATE_WINDOW_SECONDS } from "../routing/retry-plan.ts"
import type { ErrorRates } from "../routing/retry-target.ts"
import { isNeverMade } from "./observations.ts"

/** Attempts are counted by so many seconds; windows are rounded up to them. */
export const BUCKET_SECONDS = 10
/** Providers that are told apart. */
export const MAX_PROVIDERS = 256
const BUCKETS = MAX_RATE_WINDOW_SECONDS / BUCKET_SECONDS

export type ErrorRateCounter = {
  /** Counts the attempts that this change has settled. */
  note(before: Payment | undefined, after: Payment): void
  /** Tests say nothing about live payments, and the other way round. */
  observed(mode: Payment["mode"], windowsSeconds: readonly number[]): ErrorRates
}

type Bucket = { readonly number: number; attempts: number; technicalFailures: number }

export function createErrorRates({ now }: Pick<Clock, "now">): ErrorRateCounter {
  /** By mode and provider, the oldest bucket first; those without attempts are not there. */
  const counted = { live: new Map<string, Bucket[]>(), test: new Map<string, Bucket[]>() }
  const bucketNow = (): number => Math.floor(now() / 1000 / BUCKET_SECONDS)

  function count(mode: Payment["mode"], provider: string, isFailure: boolean): void {
    const known = counted[mode].get(provider)
    if (known === undefined && counted[mode].size >= MAX_PROVIDERS) return
    const buckets = known ?? []
    if (known === undefined) counted[mode].set(provider, buckets)
    const number = bucketNow()
    let last = buckets.at(-1)
    if (last === undefined || last.number < number) {
      last = { number, attempts: 0, technicalFailures: 0 }
      buckets.push(last)
      const young = buckets.findIndex((bucket) => bucket.number > number - BUCKETS)
      buckets.splice(0, young)
    }
    last.attempts += 1
    if (isFailure) last.technicalFailures += 1
  }

  return {
    note(before, after) {
      for (const attempt of after.attempts) {
        const was = before?.attempts.find(({ id }) => id === attempt.id)
        // Once for each attempt, by the first that is said of it.
        if (attempt === was || !isTold(attempt) || (was !== undefined && isTold(was))) continue
        const failure = isTechnicalFailure(attempt.outcome)
        if (failure !== undefined) count(after.mode, attempt.connector, failure)
      }
    },
    observed: (mode, windowsSeconds) =>
      Object.fromEntries(
        windowsSeconds.length === 0
          ? []
          : [...counted[mode]].map(([provider, buckets]) => [
              provider,
              windowsSeconds.map((windowSeconds) => sum(buckets, bucketNow(), windowSeconds)),
            ]),
      ),
  }
}

/** What was prepared says nothing yet; what could not even be prepared does. */
const isTold = (attempt: Attempt): attempt is Attempt & { readonly outcome: Outcome } =>
  attempt.outcome !== undefined && (attempt.outcome.kind !== "approved" || attempt.outcome.effect !== "prepared")

function sum(buckets: readonly Bucket[], number: number, windowSeconds: number) {
  const from = number - Math.ceil(windowSeconds / BUCKET_SECONDS)
  let attempts = 0
  let technicalFailures = 0
  for (let i = buckets.length - 1; i >= 0 && buckets[i]!.number > from; i--) {
    attempts += buckets[i]!.attempts
    technicalFailures += buckets[i]!.technicalFailures
  }
  return { windowSeconds, attempts, technicalFailures }
}

/** Undefined where the outcome says nothing of the provider's health yet. */
export function isTechnicalFailure(outcome: Outcome): boolean | undefined {
  if (isNeverMade(outcome)) return undefined
  switch (outcome.kind) {
    case "approved":
    case "action":
      return false
    case "declined":
      return declineReasons[outcome.reason].countsAgainstHealth
    case "rejected":
      return outcome.executed === "unknown" || declineReasons[outcome.reason].countsAgainstHealth
    case "unknown":
    case "not_sent":
    case "absent":
      return true
    case "pending":
      return undefined
    default:
      return outcome satisfies never
  }
}
