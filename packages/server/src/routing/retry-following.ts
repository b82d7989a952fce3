// What may follow an attempt: the plan's wish against all that limits it. In this order: an attempt that may hold money is
// followed by nothing; then the issuer's advice and the meaning of the decline; then what can be sent to whom; then the
// schemes' rules with the card's budget; then the time that is left; then whether it is worth it. Each no has its reason in
// words. Pure: whoever calls brings clock, budget, rates and stakes as values.
//
// Every attempt that follows is a request of its own, with a key of its own: an answer that was repeated for an old key would
// belong to the attempt before. Copies of one request are the engine's affair, within the attempt.

import type { AttemptShape } from "../core/attempt-shape.ts"
import { type DeclineChange, type DeclineReason, type DeclineRetry, declineReasons } from "../core/decline.ts"
import { given } from "../core/given.ts"
import type { AccountId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import { readAdviceCode } from "../core/network-code.ts"
import type { Outcome } from "../core/outcome.ts"
import type { LastAttempt, RetryVerdict } from "../core/scheme-rules.ts"
import { type CardBudget, check, type NextAttempt } from "./retry-budget.ts"
import { REROUTE, type RetryPlan, type RetryStep } from "./retry-plan.ts"
import {
  type ErrorRates,
  isAbove,
  refusesShape,
  refusesTarget,
  type RetriedPayment,
  type RetryTarget,
} from "./retry-target.ts"
import { type RetryStakes, type RetryWorth, retryWorth } from "./retry-value.ts"

/**
 * A decline that says `later` is not followed sooner: an hour is the shortest wait that any scheme's advice names
 * (Mastercard's 24).
 */
export const SHORTEST_LATER_MS = 60 * 60 * 1000

export type RetrySituation = {
  readonly plan: RetryPlan
  readonly payment: RetriedPayment
  readonly last: {
    readonly account: AccountId
    readonly provider: string
    readonly at: number
    readonly outcome: Outcome
    /** Its outcome is unknown, and its reversal is stored together with what follows: then it goes elsewhere. */
    readonly reversed?: true
  }
  /** How often each step of the plan was taken for this payment, by its name. */
  readonly taken: Readonly<Record<string, number>>
  /** Accounts that are eligible for the payment, best first; the last attempt's own may be among them. */
  readonly targets: readonly RetryTarget[]
  /** The card's, with the last attempt recorded; absent where no card scheme is involved. */
  readonly budget?: CardBudget
  readonly errorRates: ErrorRates
  /** By account; where one has none, nothing is weighed. */
  readonly stakes: Readonly<Record<AccountId, RetryStakes>>
  readonly now: number
  /** The end of the payment's time: an attempt starts only with time for a full answer before it. */
  readonly until: number
  /** The end of its time for a step that has a delay, where the payment may wait beyond `until`. */
  readonly waitUntil?: number
}

export type PassedOver = {
  readonly step: string
  readonly account?: AccountId
  readonly why: string
  /** The schemes', where they were asked. */
  readonly verdict?: RetryVerdict
}

export type Following =
  | {
      readonly kind: "retry"
      readonly step: string
      readonly account: AccountId
      readonly at: number
      readonly shape: AttemptShape
      readonly verdict?: RetryVerdict
      readonly worth?: RetryWorth
      /** What was preferred and may not be. */
      readonly passedOver: readonly PassedOver[]
    }
  | { readonly kind: "stop"; readonly why: string; readonly passedOver: readonly PassedOver[] }

export function whatMayFollow(situation: RetrySituation): Following {
  const held = forbids(situation)
  if (held !== undefined) return { kind: "stop", why: held, passedOver: [] }
  const passedOver: PassedOver[] = []
  for (const step of situation.last.reversed === true ? [reroute] : situation.plan.steps) {
    if (!isFor(step, situation)) continue
    const hindrance = hinders(step, situation)
    if (hindrance !== undefined) {
      passedOver.push({ step: step.name, why: hindrance })
      continue
    }
    const targets = situation.targets.filter((target) => isWhere(step, target, situation))
    if (targets.length === 0) passedOver.push({ step: step.name, why: places[step.provider] })
    for (const target of targets) {
      const tried = tryTarget(step, target, situation)
      if ("kind" in tried) return { ...tried, passedOver }
      passedOver.push({ step: step.name, account: target.account, ...tried })
    }
  }
  const reasons = [...new Set(passedOver.map(({ why }) => why))]
  const why = reasons.length === 0 ? "no step of the plan is for this end of an attempt" : reasons.join("; ")
  return { kind: "stop", why, passedOver }
}

const reroute: RetryStep = {
  name: REROUTE,
  on: {},
  times: Number.POSITIVE_INFINITY,
  provider: "any",
  delaySeconds: [],
  shape: {},
}

const places: Readonly<Record<RetryStep["provider"], string>> = {
  same: "the step stays with the same account, which is not eligible",
  other: "the step goes to another provider, and none is eligible",
  any: "no account is eligible",
}

function isWhere(step: RetryStep, target: RetryTarget, situation: RetrySituation): boolean {
  const { last } = situation
  const again = target.tried === true && delayMs(step, situation) < SHORTEST_LATER_MS
  switch (step.provider) {
    case "same":
      return target.account === last.account
    case "other":
      return target.provider !== last.provider && !again
    case "any":
      return !again
    default:
      return step.provider satisfies never
  }
}

/** What no plan can overrule. */
function forbids({ last: { outcome, reversed }, payment, plan, taken }: RetrySituation): string | undefined {
  if (outcome.kind !== "declined") {
    const held = mayHold(outcome)
    return reversed === true && outcome.kind === "unknown" ? undefined : (held ?? exhausts(plan, taken))
  }
  const { adviceCode } = outcome.raw
  if (adviceCode !== undefined && readAdviceCode(adviceCode)?.retry === "never")
    return `the issuer advises never to try again (${adviceCode})`
  if (payment.challenged) return "the customer was challenged for this attempt, and is not silently asked again"
  return exhausts(plan, taken)
}

/** Only what certainly holds nothing leads on. */
function mayHold(outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case "not_sent":
    case "absent":
    case "declined":
      return undefined
    case "rejected":
      // `executed` is from the provider's documentation, never inferred from a status class.
      return outcome.executed === "no" ? undefined : "the outcome is unknown"
    case "unknown":
      return "the outcome is unknown"
    case "approved":
    case "pending":
    case "action":
      return outcome.kind
    default:
      return outcome satisfies never
  }
}

/** Whether an outcome leaves any question of what may follow. */
export const leadsOn = (outcome: Outcome): boolean => mayHold(outcome) === undefined

function exhausts({ maxRetries }: RetryPlan, taken: RetrySituation["taken"]): string | undefined {
  const retries = Object.values(taken).reduce((sum, times) => sum + times, 0)
  return retries >= maxRetries ? `the plan allows ${maxRetries} retries` : undefined
}

function isFor({ on, initiator }: RetryStep, { last: { outcome, reversed }, payment }: RetrySituation): boolean {
  if (reversed === true) return true
  if (initiator !== undefined && initiator !== payment.initiator) return false
  if (outcome.kind !== "declined") return on.notExecuted === true
  return (
    (on.categories?.includes(declineReasons[outcome.reason].category) ?? false) ||
    (on.reasons?.includes(outcome.reason) ?? false)
  )
}

function hinders(step: RetryStep, { taken, payment, last, errorRates }: RetrySituation): string | undefined {
  if ((taken[step.name] ?? 0) >= step.times) return `the step was taken ${step.times} times, as often as it may be`
  if (step.onlyAbove !== undefined && !isAbove(step.onlyAbove, errorRates[last.provider]))
    return `${last.provider} does not fail as often as the step asks`
  return refusesShape(step.shape, payment)
}

type Retry = Omit<Extract<Following, { kind: "retry" }>, "passedOver">
type Refused = Pick<PassedOver, "why" | "verdict">

/** The attempt, or why it is not made. */
function tryTarget(step: RetryStep, target: RetryTarget, situation: RetrySituation): Retry | Refused {
  const { last, now, errorRates, stakes, payment } = situation
  const refusal = refusesTarget(step, target, last, payment, errorRates)
  if (refusal !== undefined) return { why: refusal }
  const planned = now + delayMs(step, situation)
  // Requests that look alike are refused as duplicates by some providers for a while. One that never left is known to none.
  const here = target.account === last.account && last.outcome.kind !== "not_sent"
  const earliest = Math.max(planned, here ? last.at + (target.duplicateWindowMs ?? 0) : 0)
  const meant = meaningForbids(target, step, earliest, situation)
  if (meant !== undefined) return { why: meant }
  const asked = askSchemes(step, earliest, situation)
  if ("why" in asked) return asked
  const { at, verdict } = asked
  if (at > lastStart(planned > now, target, situation)) {
    const late = `it could start at ${rfc3339(at)} only, and that is too late for the payment`
    return given({ why: verdict?.allowed === "later" ? `${costs(verdict)} So ${late}` : late, verdict })
  }
  const stake = stakes[target.account]
  const worth = stake === undefined ? undefined : retryWorth(stake)
  if (worth?.worthIt === false) return given({ why: worth.why, verdict })
  return given({
    kind: "retry",
    step: step.name,
    account: target.account,
    at,
    shape: step.shape,
    verdict,
    worth,
  })
}

const lastStart = (isDelayed: boolean, target: RetryTarget, { until, waitUntil }: RetrySituation): number =>
  isDelayed && waitUntil !== undefined ? Math.max(waitUntil, until - target.answerMs) : until - target.answerMs

function delayMs({ name, delaySeconds }: RetryStep, { taken }: RetrySituation): number {
  const index = Math.min(taken[name] ?? 0, delaySeconds.length - 1)
  return (delaySeconds[index] ?? 0) * 1000
}

/** What the decline or the rejection itself says against this attempt. */
function meaningForbids(
  target: RetryTarget,
  { shape }: RetryStep,
  at: number,
  { last, payment }: RetrySituation,
): string | undefined {
  const { outcome } = last
  const here = target.account === last.account
  // What one provider would not process says nothing about another one.
  if (outcome.kind !== "declined" && (outcome.kind !== "rejected" || !here)) return undefined
  const { reason } = outcome
  const retry: DeclineRetry = declineReasons[reason][here ? "retryHere" : "retryElsewhere"]
  const place = here ? "here" : "elsewhere"
  switch (retry) {
    case "yes":
      return undefined
    case "no":
      return `${reason} is not retried ${place}`
    case "later":
      return at - last.at >= SHORTEST_LATER_MS
        ? undefined
        : `${reason} is retried ${place} later, and not within an hour`
    case "with_changes":
      return helps(declineReasons[reason].changes, shape, payment)
        ? undefined
        : `${reason} is retried ${place} only with a change, and the step makes none that helps`
    default:
      return retry satisfies never
  }
}

/** The changes that a shape makes to the attempt before. */
function changesOf(shape: AttemptShape, { method }: RetriedPayment): readonly DeclineChange[] {
  const changes: DeclineChange[] = []
  if (shape.credential === "card" && method !== "card") changes.push("card_number")
  if (shape.credential === "network_token" && method !== "network_token")
    changes.push("network_token", "fresh_cryptogram")
  if (shape.threeDs === "required") changes.push("three_ds")
  if (shape.threeDs === "none") changes.push("without_three_ds")
  if (shape.updatedAccount === true) changes.push("account_update")
  return changes
}

const helps = (wanted: readonly DeclineChange[], shape: AttemptShape, payment: RetriedPayment): boolean =>
  changesOf(shape, payment).some((change) => wanted.includes(change))

/** From when on the schemes allow the attempt, with what they say of it at the earliest moment; or why they do not. */
function askSchemes(
  { shape }: RetryStep,
  earliest: number,
  { budget, payment, last }: RetrySituation,
): { readonly at: number; readonly verdict?: RetryVerdict } | Refused {
  if (budget === undefined) return { at: earliest }
  const { region, crossing, amount } = payment
  const initiator = shape.merchantInitiated === true ? "merchant" : payment.initiator
  const next: NextAttempt = given({ region, crossing, amount, initiator, last: lastAttempt(last) })
  const first = check(budget, next, earliest)
  // Rules that begin in between may add their own wait; one more question answers for all that is known today.
  const at = first.allowed === "later" ? (first.from ?? earliest) : earliest
  const verdict = first.allowed === "later" ? check(budget, next, at) : first
  if (verdict.allowed !== "yes") return { why: costs(verdict), verdict }
  if (verdict.onlyWith !== undefined && !helps(verdict.onlyWith, shape, payment))
    return { why: `${verdict.why} The step changes nothing of that.`, verdict }
  return { at, verdict: first }
}

function costs({ why, predictedFee }: RetryVerdict): string {
  return predictedFee === undefined
    ? why
    : `${why} It would cost ${predictedFee.minor} minor units of ${predictedFee.currency}.`
}

/** An attempt that ended, as the schemes' rules ask. */
export function lastAttempt({ at, outcome }: Pick<RetrySituation["last"], "at" | "outcome">): LastAttempt {
  if (outcome.kind !== "declined") return { kind: "not_executed" }
  const reason: DeclineReason = outcome.reason
  return given({
    kind: "declined",
    at,
    reason,
    networkCode: outcome.raw.networkCode,
    adviceCode: outcome.raw.adviceCode,
  })
}
