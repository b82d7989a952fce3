// What the schemes' limits have left for one card: the merchant's declined attempts with it, through all providers together.
// The ledger holds them as rows (Ledger.cardAttempts) and is asked only where another attempt is considered. Bounded: of the
// newest attempts only; a card that fills the bound within a window is not tried until it empties.

import { type AttemptResult, type CardAttempt, MAX_BUDGET_ATTEMPTS } from "../core/card-attempt.ts"
import type { Network } from "../core/card.ts"
import { given } from "../core/given.ts"
import { rfc3339 } from "../core/instant.ts"
import { hoursToMs } from "../core/scheme-rule.ts"
import { judgeRetry, type PastDecline, type RetryQuestion, type RetryVerdict } from "../core/scheme-rules.ts"
import { schemeLimits } from "../core/scheme-rules-table.ts"

export const BUDGET_FULL_RULE = "house/budget-full"

/** The longest window of any limit, in ms. */
export const longestWindowMs: number = Math.max(...schemeLimits.map((rule) => hoursToMs(rule.windowHours)))

export type CardBudget = {
  readonly network: Network
  /** The oldest first; each attempt once. */
  readonly attempts: readonly CardAttempt[]
}

/** Of rows in any order. */
export const budgetOf = (network: Network, attempts: readonly CardAttempt[]): CardBudget => ({
  network,
  attempts: united(attempts),
})

/** Records an attempt, or what has become known of one. Recording the same again changes nothing. */
export function evolve(budget: CardBudget, attempt: CardAttempt): CardBudget {
  return { ...budget, attempts: united([...budget.attempts, attempt]) }
}

/** What the next attempt is, of which the schemes are asked. */
export type NextAttempt = Omit<RetryQuestion, "network" | "history" | "at">

/** The schemes' verdict with how far each limit is used up (`limits`) and what the attempt would cost (`predictedFee`). */
export function check(budget: CardBudget, next: NextAttempt, now: number): RetryVerdict {
  const verdict = judgeRetry({ ...next, network: budget.network, history: history(budget), at: now })
  const freeAt = fullUntil(budget, now)
  if (freeAt === undefined || verdict.allowed === "no") return verdict
  const from = Math.max(freeAt, verdict.from ?? 0)
  const why = `more than ${MAX_BUDGET_ATTEMPTS} attempts with this card: no more are counted, and none is made, until ${rfc3339(freeAt)}`
  const finding = { allowed: "later", from, why, rule: BUDGET_FULL_RULE, sources: [], certainty: "assumed" } as const
  return { ...verdict, ...finding, findings: [finding, ...verdict.findings] }
}

/** When a full budget is one that counts everything again. Below its bound nothing was ever dropped. */
function fullUntil({ attempts }: CardBudget, now: number): number | undefined {
  const [oldest] = attempts
  if (oldest === undefined || attempts.length < MAX_BUDGET_ATTEMPTS) return undefined
  const from = oldest.at + longestWindowMs
  return from > now ? from : undefined
}

function history({ attempts }: CardBudget): readonly PastDecline[] {
  return attempts.flatMap((attempt): PastDecline[] => {
    if (attempt.result === "none") return []
    const { at, amount, initiator, networkCode, adviceCode, reason } = attempt
    return [given({ at, amount, initiator, networkCode, adviceCode, reason })]
  })
}

/** The newest, each once: in any order, any number of times. */
function united(attempts: readonly CardAttempt[]): readonly CardAttempt[] {
  const byKey = new Map<string, CardAttempt>()
  for (const attempt of attempts) {
    // Time is part of the key, so that which attempts are the newest never depends on what became of them.
    const key = `${attempt.at} ${attempt.id}`
    const known = byKey.get(key)
    byKey.set(key, known === undefined || sureness[attempt.result] > sureness[known.result] ? attempt : known)
  }
  return [...byKey.values()].toSorted(olderFirst).slice(-MAX_BUDGET_ATTEMPTS)
}

const olderFirst = (a: CardAttempt, b: CardAttempt): number => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** What was settled beats unknown; of two that contradict each other the one that counts. */
const sureness: Readonly<Record<AttemptResult, number>> = { unknown: 0, none: 1, declined: 2 }
