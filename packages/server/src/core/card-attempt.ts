// What one attempt means for what the schemes let be tried with its card: the row that a card's budget is made of. Recorded
// where an attempt changes (evolve.ts), counted in routing/retry-budget.ts.

import type { Network } from "./card.ts"
import type { DeclineReason } from "./decline.ts"
import { given } from "./given.ts"
import type { AccountId, AttemptId, MerchantId } from "./id.ts"
import type { Money } from "./money.ts"
import type { Outcome } from "./outcome.ts"
import type { Attempt, Payment } from "./payment.ts"

/** Attempts that a budget holds. Far above every limit: who fills it is testing cards. */
export const MAX_BUDGET_ATTEMPTS = 256

/** How long an attempt is worth keeping: the longest that any rule looks back. */
export const BUDGET_MEMORY_DAYS = 365

/** Longer codes are no scheme's (they have two to four characters), and are not kept. */
export const MAX_SCHEME_CODE = 8

/** `unknown` counts as declined until it is settled. `none` takes back an unknown that turned out not to be a decline. */
export type AttemptResult = "unknown" | "none" | "declined"

/** Whose budget it is. The vault's keyed hash of the number is equal for equal numbers of one merchant, and of no other. */
export type BudgetKey = {
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  readonly network: Network
  readonly fingerprint: string
}

export type CardAttempt = {
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

/**
 * What an authorization's outcome makes of the attempt's row, or undefined where it stays as it is: approvals are not kept,
 * so that a good card fills no budget, unless they take back an unknown. A decline stands, whatever is told after it: it was
 * sent to the scheme.
 */
export function resultAfter(outcome: Outcome, before: AttemptResult | undefined): AttemptResult | undefined {
  if (before === "declined") return undefined
  switch (outcome.kind) {
    case "declined":
      return "declined"
    case "unknown":
      return before === undefined ? "unknown" : undefined
    case "rejected":
      if (outcome.executed === "unknown") return before === undefined ? "unknown" : undefined
      return before === "unknown" ? "none" : undefined
    case "pending":
    case "action":
      return undefined
    case "approved":
    case "not_sent":
    case "absent":
      return before === "unknown" ? "none" : undefined
    default:
      return outcome satisfies never
  }
}

/** The card whose budget a payment uses; undefined where there is no number that the schemes could count by. */
export function budgetKeyOf({ merchant, mode, intent: { method } }: Payment): BudgetKey | undefined {
  if (method === undefined || method.type === "provider_token") return undefined
  return { merchant, mode, network: method.network, fingerprint: method.fingerprint }
}

/** The attempt's row as it stands, if it has one. */
export function cardAttemptOf(payment: Payment, attempt: Attempt): CardAttempt | undefined {
  const { id, startedAt: at, account, counted: result, outcome } = attempt
  if (result === undefined) return undefined
  const merchantInitiated = attempt.shape?.merchantInitiated === true || payment.intent.initiator.by === "merchant"
  const declined = result === "declined" && outcome?.kind === "declined" ? outcome : undefined
  return given({
    id,
    at,
    account,
    amount: { minor: payment.intent.amount.minor, currency: payment.intent.amount.currency },
    initiator: merchantInitiated ? "merchant" : "customer",
    result,
    networkCode: schemeCode(declined?.raw.networkCode),
    adviceCode: schemeCode(declined?.raw.adviceCode),
    reason: declined?.reason,
  } as const)
}

const schemeCode = (code: string | undefined): string | undefined =>
  code === undefined || code.length > MAX_SCHEME_CODE ? undefined : code

/** The rows that a change of a payment writes: those of attempts of which it has changed what counts. */
export function cardAttemptsOf(before: Payment | undefined, after: Payment): readonly CardAttempt[] {
  const rows: CardAttempt[] = []
  for (const attempt of after.attempts) {
    const was = before?.attempts.find(({ id }) => id === attempt.id)
    if (attempt.counted === was?.counted) continue
    const row = cardAttemptOf(after, attempt)
    if (row !== undefined) rows.push(row)
  }
  return rows
}
