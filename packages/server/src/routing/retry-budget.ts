// What the schemes' limits have left for one card: the merchant's declined attempts with it, through all providers together.
// A value per card (fingerprint and network), not one for all cards: so it is stored, sent and merged as small as it is.
// Two nodes may each record attempts: a budget is a set of attempts that only grows, so copies merge in any order into one.
// It is bounded: of the newest attempts only; a card that fills the bound within a window is not tried until it empties.

import type { Network } from "../core/card.ts"
import type { DeclineReason } from "../core/decline.ts"
import { given } from "../core/given.ts"
import type { AccountId, AttemptId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import type { Money } from "../core/money.ts"
import type { Outcome } from "../core/outcome.ts"
import { daysToMs, hoursToMs } from "../core/scheme-rule.ts"
import { judgeRetry, type PastDecline, type RetryQuestion, type RetryVerdict } from "../core/scheme-rules.ts"
import { schemeLimits } from "../core/scheme-rules-table.ts"

/** Attempts that a budget holds. Far above every limit: who fills it is testing cards. */
export const MAX_BUDGET_ATTEMPTS = 256

/** How long an attempt is worth keeping: the longest that any rule looks back. */
export const BUDGET_MEMORY_DAYS = 365

/** Longer codes are no scheme's (they have two to four characters), and are not kept. */
export const MAX_SCHEME_CODE = 8

export const BUDGET_FULL_RULE = "house/budget-full"

/** The longest window of any limit, in ms. */
export const longestWindowMs: number = Math.max(...schemeLimits.map((rule) => hoursToMs(rule.windowHours)))

/** `unknown` counts as declined until it is settled. `none` takes back an unknown that turned out not to be a decline. */
export type AttemptResult = "unknown" | "none" | "declined"

export type BudgetAttempt = {
  readonly id: AttemptId
  /** When it was sent; the same for ever, whatever becomes of it. */
  readonly at: number
  readonly account: AccountId
  readonly amount: Money
  readonly initiator: "customer" | "merchant"
  readonly result: AttemptResult
  readonly networkCode?: string
  readonly adviceCode?: string
  readonly reason?: DeclineReason
}

export type CardBudget = {
  readonly network: Network
  /** The vault's keyed hash of the number, equal for equal numbers of one merchant. */
  readonly fingerprint: string
  /** The oldest first; each attempt once. */
  readonly attempts: readonly BudgetAttempt[]
}

export function emptyBudget(network: Network, fingerprint: string): CardBudget {
  return { network, fingerprint, attempts: [] }
}

/** Records an attempt, or what has become known of one. Recording the same again changes nothing. */
export function evolve(budget: CardBudget, attempt: BudgetAttempt): CardBudget {
  return { ...budget, attempts: united(budget.attempts, [withSchemeCodes(attempt)]) }
}

/** Of two copies of one card's budget. Throws a TypeError for two cards. */
export function merge(a: CardBudget, b: CardBudget): CardBudget {
  if (a.network !== b.network || a.fingerprint !== b.fingerprint) throw new TypeError("budgets of two cards")
  return { ...a, attempts: united(a.attempts, b.attempts) }
}

/** Without what no rule looks at any more. Only saves room: answers stay the same. */
export function aged(budget: CardBudget, now: number): CardBudget {
  return { ...budget, attempts: budget.attempts.filter(({ at }) => now - at < daysToMs(BUDGET_MEMORY_DAYS)) }
}

/**
 * What an outcome means for the budget, or undefined where nothing is to be recorded. `recordedUnknown`: the attempt stands
 * there as unknown, which an approval then takes back; other approvals are not kept, so that a good card fills no budget.
 */
export function budgetResult(
  outcome: Outcome,
  recordedUnknown: boolean,
): Pick<BudgetAttempt, "result" | "networkCode" | "adviceCode" | "reason"> | undefined {
  const none = recordedUnknown ? ({ result: "none" } as const) : undefined
  switch (outcome.kind) {
    case "declined": {
      const { networkCode, adviceCode } = outcome.raw
      return given({ result: "declined", reason: outcome.reason, networkCode, adviceCode })
    }
    case "unknown":
      return { result: "unknown" }
    case "rejected":
      return outcome.executed === "unknown" ? { result: "unknown" } : none
    case "pending":
    case "action":
      return undefined
    case "approved":
    case "not_sent":
    case "absent":
      return none
    default:
      return outcome satisfies never
  }
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

/** The newest of both, each once: a union that may be taken in any order, any number of times. */
function united(a: readonly BudgetAttempt[], b: readonly BudgetAttempt[]): readonly BudgetAttempt[] {
  const byKey = new Map<string, BudgetAttempt>()
  for (const attempt of [...a, ...b]) {
    // Time is part of the key, so that which attempts are the newest never depends on what became of them.
    const key = `${attempt.at} ${attempt.id}`
    const known = byKey.get(key)
    byKey.set(key, known === undefined ? attempt : surer(known, attempt))
  }
  return [...byKey.values()].toSorted(olderFirst).slice(-MAX_BUDGET_ATTEMPTS)
}

const olderFirst = (a: BudgetAttempt, b: BudgetAttempt): number =>
  a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

const sureness: Readonly<Record<AttemptResult, number>> = { unknown: 0, none: 1, declined: 2 }

/** What was settled beats unknown; of two that contradict each other the one that counts; then by their text, for good. */
function surer(a: BudgetAttempt, b: BudgetAttempt): BudgetAttempt {
  const difference = sureness[a.result] - sureness[b.result]
  if (difference !== 0) return difference > 0 ? a : b
  return textOf(a) >= textOf(b) ? a : b
}

function textOf({ networkCode, adviceCode, reason, account, amount, initiator }: BudgetAttempt): string {
  return [networkCode, adviceCode, reason, account, initiator, amount.currency, amount.minor].map(String).join(" ")
}

function withSchemeCodes(attempt: BudgetAttempt): BudgetAttempt {
  const { networkCode, adviceCode, ...rest } = attempt
  return {
    ...rest,
    ...(networkCode !== undefined && networkCode.length <= MAX_SCHEME_CODE ? { networkCode } : {}),
    ...(adviceCode !== undefined && adviceCode.length <= MAX_SCHEME_CODE ? { adviceCode } : {}),
  }
}
