// Whether the schemes let a declined payment be tried again, as their rules stood at a moment: yes, no, or later and from
// when, with the rule, its source, and what the scheme would bill. Pure: the card's past declines come in as values, and the
// same question asked as of an earlier day gets that day's answer. An attempt whose outcome is unknown is never followed by
// another, whatever a rule says.

import type { CardRegion, Crossing } from "./card-region.ts"
import type { Network } from "./card.ts"
import { type DeclineChange, type DeclineReason, declineReasons } from "./decline.ts"
import { given } from "./given.ts"
import { rfc3339 } from "./instant.ts"
import { parseCurrency } from "./currency.ts"
import { add, compare, money, type Money } from "./money.ts"
import {
  type Certainty,
  daysToMs,
  type FeeRule,
  hoursToMs,
  isInForce,
  type LimitRule,
  type Scheme,
  schemeOf,
  type SchemeRule,
  type StopRule,
} from "./scheme-rule.ts"
import type { SchemeSource } from "./scheme-rules-source.ts"
import { schemeAdvice, schemeFees, schemeLimits, schemeStops, visaCategoryAt } from "./scheme-rules-table.ts"
import { FREE_STOP_ORDERS, stopOrderCodes } from "./scheme-rules-visa.ts"

/** A declined attempt with the card, through whichever provider, as far as it is remembered. */
export type PastDecline = {
  /** When it was sent, in ms since the epoch. */
  readonly at: number
  readonly amount: Money
  readonly initiator: "customer" | "merchant"
  readonly networkCode?: string
  readonly adviceCode?: string
  readonly reason?: DeclineReason
}

/** How the payment's last attempt ended. `not_executed`: it provably came to nothing and no scheme saw it. */
export type LastAttempt =
  | ({ readonly kind: "declined" } & Pick<PastDecline, "at" | "networkCode" | "adviceCode" | "reason">)
  | { readonly kind: "not_executed" | "unknown" | "none" }

export type RetryQuestion = {
  readonly network: Network
  /** The merchant's. */
  readonly region: CardRegion
  /** Counts as `inter`, the dearest, if absent. */
  readonly crossing?: Crossing
  readonly initiator: "customer" | "merchant"
  readonly amount: Money
  readonly last: LastAttempt
  /** The card's declines in any order, the last attempt among them. Attempts of unknown outcome belong there too. */
  readonly history: readonly PastDecline[]
  readonly at: number
}

/** One rule's word. `onlyWith`: the attempt must be changed by one of these. */
export type RuleFinding = {
  readonly allowed: "yes" | "no" | "later"
  /** With `later`: the first moment at which the rule allows it. */
  readonly from?: number
  readonly why: string
  readonly rule: string
  readonly sources: readonly SchemeSource[]
  readonly certainty: Certainty
  /** What the scheme would bill for an attempt made now all the same, as far as known. */
  readonly predictedFee?: Money
  readonly onlyWith?: readonly DeclineChange[]
}

/** How far a limit is used up. */
export type LimitUse = {
  readonly rule: string
  readonly says: string
  readonly used: number
  readonly limit: number
  /** When the oldest counted decline leaves the window; absent if none is counted. */
  readonly nextFreeAt?: number
}

export type RetryVerdict = Pick<RuleFinding, "allowed" | "from" | "why" | "predictedFee" | "onlyWith"> & {
  /** The rule that decides; absent where none stands against it. */
  readonly rule?: string
  readonly sources: readonly SchemeSource[]
  readonly certainty?: Certainty
  /** Every rule that has something to say, the strictest first. */
  readonly findings: readonly RuleFinding[]
  readonly limits: readonly LimitUse[]
}

export const UNKNOWN_OUTCOME_RULE = "house/unknown-outcome"

export function judgeRetry(question: RetryQuestion): RetryVerdict {
  const scheme = schemeOf(question.network)
  const limits = limitsFor(scheme, question)
  const uses = limits.map((rule) => useOf(rule, question))
  const findings = [
    ...(question.last.kind === "unknown" ? [unknownFinding] : []),
    ...stopFindings(scheme, question),
    ...limits.flatMap((rule) => limitFinding(rule, scheme, question)),
    ...adviceFindings(scheme, question),
  ].toSorted(stricterFirst)
  const [first] = findings
  if (first === undefined)
    return { allowed: "yes", why: "no rule stands against it", sources: [], findings, limits: uses }
  const { allowed, from, why, rule, sources, certainty } = first
  return given({
    allowed,
    from,
    why,
    rule,
    sources,
    certainty,
    predictedFee: dearest(findings),
    onlyWith: findings.find((finding) => finding.onlyWith !== undefined)?.onlyWith,
    findings,
    limits: uses,
  })
}

const unknownFinding: RuleFinding = {
  allowed: "no",
  why: "the outcome of the last attempt is unknown: it may hold money",
  rule: UNKNOWN_OUTCOME_RULE,
  sources: [],
  certainty: "agreed",
}

const holds = (row: SchemeRule, scheme: Scheme, { region, at }: RetryQuestion): boolean =>
  row.schemes.includes(scheme) && (row.regions === undefined || row.regions.includes(region)) && isInForce(row, at)

function stopFindings(scheme: Scheme, question: RetryQuestion): readonly RuleFinding[] {
  return schemeStops.flatMap((rule): RuleFinding[] => {
    if (!holds(rule, scheme, question)) return []
    const cause = causeOf(rule, scheme, question)
    if (cause === undefined) return []
    const code = cause.adviceCode !== undefined && "adviceCodes" in rule.after ? cause.adviceCode : cause.networkCode
    const told = code === undefined ? "" : ` (the answer was ${code})`
    const predictedFee = "hardReason" in rule.after ? undefined : stopFee(scheme, question, cause)
    return [given({ allowed: "no", why: `${rule.says}${told}`, ...bySource(rule), predictedFee })]
  })
}

type Cause = Pick<PastDecline, "at" | "networkCode" | "adviceCode" | "reason">

/** The decline that sets a stop, if there is one: the payment's own last, or one of the card's. */
function causeOf(
  rule: StopRule,
  scheme: Scheme,
  { last, history, amount, initiator, at }: RetryQuestion,
): Cause | undefined {
  if (rule.initiator !== undefined && rule.initiator !== initiator) return undefined
  if (rule.scope === "payment") return last.kind === "declined" && stops(rule, scheme, last) ? last : undefined
  const remembered = daysToMs(rule.days ?? Number.POSITIVE_INFINITY)
  return history.find(
    (past) =>
      at - past.at < remembered &&
      (rule.scope === "card" || isSameAmount(past.amount, amount)) &&
      stops(rule, scheme, past),
  )
}

function stops({ after, codes }: StopRule, scheme: Scheme, { networkCode, adviceCode, reason, at }: Cause): boolean {
  if ("hardReason" in after) {
    const decline = reason === undefined ? undefined : declineReasons[reason]
    return decline?.retryHere === "no" && decline.retryElsewhere === "no"
  }
  if ("adviceCodes" in after) return adviceCode !== undefined && after.adviceCodes.includes(adviceCode)
  if (networkCode === undefined || scheme !== "visa") return false
  return visaCategoryAt(networkCode, at) === after.category && (codes === undefined || codes.includes(networkCode))
}

const limitsFor = (scheme: Scheme, question: RetryQuestion): readonly LimitRule[] =>
  schemeLimits.filter((rule) => holds(rule, scheme, question))

/** The declines that a limit counts, the oldest first. One leaves the window at its edge, not after it. */
function counted(rule: LimitRule, { history, amount, initiator, at }: RetryQuestion): readonly number[] {
  const window = hoursToMs(rule.windowHours)
  return history
    .filter(
      (past) =>
        at - past.at < window &&
        (!rule.per.includes("amount") || isSameAmount(past.amount, amount)) &&
        (!rule.per.includes("initiator") || past.initiator === initiator),
    )
    .map((past) => past.at)
    .toSorted((a, b) => a - b)
}

function useOf(rule: LimitRule, question: RetryQuestion): LimitUse {
  const [oldest, ...others] = counted(rule, question)
  return given({
    rule: rule.id,
    says: rule.says,
    used: oldest === undefined ? 0 : others.length + 1,
    limit: rule.declines,
    nextFreeAt: oldest === undefined ? undefined : oldest + hoursToMs(rule.windowHours),
  })
}

function limitFinding(rule: LimitRule, scheme: Scheme, question: RetryQuestion): readonly RuleFinding[] {
  const times = counted(rule, question)
  // Below the limit again once all but `declines - 1` of them have left.
  const leaving = times[times.length - rule.declines]
  if (leaving === undefined) return []
  const from = leaving + hoursToMs(rule.windowHours)
  const why = `${rule.says} They are used up until ${rfc3339(from)}.`
  return [given({ allowed: "later", from, why, ...bySource(rule), predictedFee: feeFor("excess", scheme, question) })]
}

function adviceFindings(scheme: Scheme, question: RetryQuestion): readonly RuleFinding[] {
  const { last, history, amount, at } = question
  const own: readonly Cause[] = last.kind === "declined" ? [last] : []
  // What was advised for this card and amount binds later attempts too, until its time is over.
  const causes = [...own, ...history.filter((past) => isSameAmount(past.amount, amount))]
  const advised = new Set(causes.map(({ adviceCode }) => adviceCode))
  return schemeAdvice.flatMap((rule): RuleFinding[] => {
    if (!advised.has(rule.adviceCode) || !holds(rule, scheme, question)) return []
    if (rule.asks === "changed" && own.some((cause) => cause.adviceCode === rule.adviceCode))
      return [{ allowed: "yes", why: rule.says, ...bySource(rule), onlyWith: rule.changes ?? [] }]
    if (rule.asks !== "later") return []
    const times = causes.filter((cause) => cause.adviceCode === rule.adviceCode).map((cause) => cause.at)
    const from = Math.max(...times) + hoursToMs(rule.afterHours ?? 0)
    if (from <= at) return []
    return [{ allowed: "later", from, why: `Advice ${rule.adviceCode}: ${rule.says}`, ...bySource(rule) }]
  })
}

function feeFor(charge: FeeRule["charge"], scheme: Scheme, question: RetryQuestion): Money | undefined {
  const crossing = question.crossing ?? "inter"
  const row = schemeFees.find(
    (fee) => fee.charge === charge && holds(fee, scheme, question) && (fee.crossing?.includes(crossing) ?? true),
  )
  const currency = row === undefined ? undefined : parseCurrency(row.currency)
  return row === undefined || currency === undefined ? undefined : money(row.minor, currency)
}

/** With Visa's own for a cardholder's stop order, from the fourth of them on. */
function stopFee(scheme: Scheme, question: RetryQuestion, { networkCode }: Cause): Money | undefined {
  const fee = feeFor("stop", scheme, question)
  const orders = question.history.filter(
    (past) => past.networkCode !== undefined && isStopOrder(past.networkCode),
  ).length
  if (networkCode === undefined || !isStopOrder(networkCode) || orders < FREE_STOP_ORDERS) return fee
  const order = feeFor("stop_order", scheme, question)
  return fee === undefined || order === undefined ? (order ?? fee) : add(fee, order)
}

const isStopOrder = (code: string): boolean => stopOrderCodes.includes(code)
const isSameAmount = (a: Money, b: Money): boolean => a.currency === b.currency && a.minor === b.minor
const bySource = ({ id, sources, certainty }: SchemeRule): Pick<RuleFinding, "rule" | "sources" | "certainty"> => ({
  rule: id,
  sources,
  certainty,
})

const severity = { no: 0, later: 1, yes: 2 } as const

function stricterFirst(a: RuleFinding, b: RuleFinding): number {
  return severity[a.allowed] - severity[b.allowed] || (b.from ?? 0) - (a.from ?? 0)
}

/** A scheme bills an attempt once: the dearest of what its rules name, which are in one currency. */
function dearest(findings: readonly RuleFinding[]): Money | undefined {
  return findings
    .flatMap(({ predictedFee }) => (predictedFee === undefined ? [] : [predictedFee]))
    .reduce<Money | undefined>(
      (most, fee) => (most === undefined || (fee.currency === most.currency && compare(fee, most) > 0) ? fee : most),
      undefined,
    )
}
