// The one entry of learning routing: `createRouter({accounts, policy, seed})`, then `decide(context, now)` for every
// attempt and `observe(attempt, now)` for every attempt that ended. It needs no server and no database; the engine, the
// gym and backtests use this same code. Time is milliseconds that are passed in, chance is a hash of seed and payment.
//
//   const router = createRouter({ accounts: [{ id: "acc_a" }, { id: "acc_b" }], policy, seed: 1, startMs })
//   const decision = router.decide(context, nowMs)        // decision.order[0] is where to go, the rest where to go next
//   router.observe({ ...context, account, ending: "paid", latencyMs: 840 }, laterMs)
//
// Conditions of rules, and whether an account can serve a payment at all, are others' business (policy, decide.ts): a rule
// is a predicate here, and `context.eligible` names who can serve.

import { choose, largestBenefit, type Choice, type ChoiceInput } from "./choose.ts"
import { createCommitments, type Commitment } from "./commitment.ts"
import { createExploration, EXPLORATION_SHARE } from "./exploration.ts"
import { scoreAll } from "./score.ts"
import type { Objective, Strategy } from "./strategy.ts"
import { createApproval, sigmoid } from "./signals/approval.ts"
import { diceOf } from "./signals/dice.ts"
import type { SignalChange } from "./signals/health-change.ts"
import { createHealth } from "./signals/health.ts"
import { createLatency } from "./signals/latency.ts"
import { MAX_ACCOUNTS, type Ending, type Situation } from "./signals/observation.ts"

export type RouterAccount = {
  readonly id: string
  readonly commitment?: Commitment
  /** Whether something harmless can be asked there, so that the first probe is no payment. */
  readonly readable?: boolean
  /** The fee of a payment as a share of its amount. */
  readonly cost?: (context: RouteContext) => number
}

export type RouteContext = Situation & {
  readonly payment: string
  /** In whole currency units; only ratios of amounts matter. */
  readonly amount: number
  readonly initiator: "customer" | "merchant"
  /** Who can serve it; absent: all. */
  readonly eligible?: readonly string[]
  /** Where it was already tried. */
  readonly tried?: readonly string[]
  readonly pinned?: boolean
  /** The customer already passed a challenge for this payment. */
  readonly challenged?: boolean
  /** Whether a failure here may go on to another account, so that a probe costs nobody a payment. */
  readonly reroutable?: boolean
}

/** First match wins. */
export type RouteRule = { readonly matches: (context: RouteContext) => boolean; readonly strategy: Strategy }

export type RouteDecision = {
  /** Index of the rule, or −1: then nothing is chosen. */
  readonly rule: number
  readonly strategy: Strategy["kind"] | undefined
  /** Accounts in the order in which they are tried. */
  readonly order: readonly string[]
  /** Chance that the payment went to each account of `order`, before the dice. */
  readonly propensities: Readonly<Record<string, number>>
  readonly reason: Choice["reason"] | "ordered" | "split" | "no_rule"
  /** What `optimize` read: replaying `choose(input)` gives this choice again. */
  readonly input?: ChoiceInput
}

export type ObservedAttempt = Situation & {
  readonly account: string
  readonly ending: Ending
  readonly latencyMs?: number
}

export type RouterInput = {
  readonly accounts: readonly RouterAccount[]
  readonly policy: readonly RouteRule[]
  readonly seed: number
  readonly startMs?: number
  readonly periodMs?: number
  /** About how many payments a week are expected: half a week's exploration is spent early. */
  readonly paymentsPerWeek?: number
}

export type Router = ReturnType<typeof createRouter>

/** An amount is high where it is this many times the usual (geometric mean) one: nobody experiments with it. */
const HIGH_VALUE = 10
const SMALLEST = 0.01
const MEAN_OF = 1_000
const MONTH_MS = 30 * 24 * 3_600_000
/** Changes that nobody has taken yet; the oldest are dropped. */
const MAX_CHANGES = 1_000
/** Above this chance of a silent outage, approvals are not learned from. */
const SILENT_NEWS = 0.5
/** Health is judged only against estimates that are not extreme. */
const EXPECTED_MIN = 0.05
const EXPECTED_MAX = 0.98

export function createRouter(input: RouterInput) {
  const { accounts, policy, seed, startMs = 0, periodMs = MONTH_MS } = input
  if (accounts.length > MAX_ACCOUNTS) throw new RangeError(`at most ${MAX_ACCOUNTS} accounts, got ${accounts.length}`)
  const ids = accounts.map((a) => a.id)
  const indexOf = new Map(ids.map((id, i) => [id, i]))
  const changes: SignalChange[] = []
  const tell = (change: SignalChange): void => {
    if (changes.length >= MAX_CHANGES) changes.shift()
    changes.push(change)
  }
  const size = ids.length
  const approval = createApproval(size)
  const readable = accounts.map((a) => a.readable === true)
  const health = createHealth({ size, readable, startMs, tell })
  const latency = createLatency(size, tell)
  const commitments = createCommitments(
    accounts.map((a) => a.commitment),
    startMs,
    periodMs,
  )
  const budgets = policy.map(({ strategy }) =>
    createExploration(
      strategy.kind === "optimize" ? (strategy.exploration ?? EXPLORATION_SHARE) : 0,
      input.paymentsPerWeek,
    ),
  )
  let meanLogAmount = 0
  let seen = 0

  function decide(context: RouteContext, nowMs: number): RouteDecision {
    const rule = policy.findIndex((r) => r.matches(context))
    const strategy = policy[rule]?.strategy
    if (strategy === undefined) return { rule: -1, strategy: undefined, order: [], propensities: {}, reason: "no_rule" }
    const eligible = eligibleOf(context, strategy)
    const decision =
      strategy.kind === "optimize"
        ? optimize(context, strategy.objective, eligible, rule, nowMs)
        : fixed(context, strategy, eligible, nowMs)
    const chosen = decision.order[0]
    if (context.attempt === 1 && chosen !== undefined)
      commitments.observe(eligible, indexOf.get(chosen)!, context.amount, nowMs)
    return { rule, strategy: strategy.kind, ...decision }
  }

  function eligibleOf(context: RouteContext, strategy: Strategy): readonly number[] {
    const named = strategy.kind === "split" ? strategy.shares.map((s) => s.account) : strategy.accounts
    const result: number[] = []
    for (const id of named) {
      const index = indexOf.get(id)
      if (index === undefined || context.tried?.includes(id) === true) continue
      if (context.eligible !== undefined && !context.eligible.includes(id)) continue
      if (!commitments.isCapped(index) && !result.includes(index)) result.push(index)
    }
    return result
  }

  type Part = Pick<RouteDecision, "order" | "propensities" | "reason" | "input">

  /** In the rule's own order, or first by the payment's hash. Who is ejected goes last, and so never is nobody left. */
  function fixed(
    context: RouteContext,
    strategy: Exclude<Strategy, { kind: "optimize" }>,
    eligible: readonly number[],
    nowMs: number,
  ): Part {
    const isOpen = (i: number): boolean => health.read(context, i, nowMs).share > 0
    const open = eligible.filter(isOpen)
    const order = [...open, ...eligible.filter((i) => !open.includes(i))].map((i) => ids[i]!)
    if (strategy.kind === "ordered")
      return { order, propensities: order.length === 0 ? {} : { [order[0]!]: 1 }, reason: "ordered" }
    const among = (open.length > 0 ? open : eligible).map((i) => ids[i]!)
    const shares = strategy.shares.filter((s) => among.includes(s.account))
    const total = shares.reduce((sum, s) => sum + s.share, 0)
    let left = diceOf(context.payment, seed) * total
    const first = shares.find((s) => (left -= s.share) < 0)?.account ?? order[0]
    return {
      order: first === undefined ? [] : [first, ...order.filter((id) => id !== first)],
      propensities: Object.fromEntries(shares.map((s) => [s.account, total === 0 ? 0 : s.share / total])),
      reason: "split",
    }
  }

  function optimize(
    context: RouteContext,
    objective: Objective,
    eligible: readonly number[],
    rule: number,
    nowMs: number,
  ): Part {
    const first = context.attempt === 1
    const isCalm = isOrdinary(context)
    if (first) countAmount(context.amount)
    const budget = budgets[rule]!
    const scored = scoreAll({
      accounts: ids,
      eligible,
      approval: approval.read(context),
      health: eligible.map((i) => health.read(context, i, nowMs)),
      costs: eligible.map((i) => accounts[i]!.cost?.(context) ?? 0),
      latenciesMs: eligible.map((i) => latency.expectedMs(i)),
      prices: eligible.map((i) => commitments.priceOf(i)),
      objective,
    })
    const asked: ChoiceInput = {
      accounts: scored,
      exploration: first ? budget.chanceFor(isCalm, largestBenefit(scored)) : 0,
      mayProbe: isCalm && context.reroutable !== false && eligible.length > 1,
      dice: { pick: diceOf(context.payment, seed + context.attempt), admission: diceOf(context.payment, ~seed) },
    }
    const { order, reason, propensities } = choose(asked)
    if (reason === "explore") budget.spent()
    if (reason === "probe") health.probed(context, eligible[order[0]!]!, nowMs)
    return {
      order: order.map((i) => asked.accounts[i]!.account),
      propensities: Object.fromEntries(propensities.map((p, i) => [asked.accounts[i]!.account, p])),
      reason,
      input: asked,
    }
  }

  /** Nobody experiments with retries, merchant's own, pinned, large or challenged payments. */
  function isOrdinary({ attempt, initiator, pinned, challenged, amount }: RouteContext): boolean {
    return (
      attempt === 1 &&
      initiator === "customer" &&
      pinned !== true &&
      challenged !== true &&
      (seen === 0 || Math.log(Math.max(amount, SMALLEST)) < meanLogAmount + Math.log(HIGH_VALUE))
    )
  }

  function countAmount(amount: number): void {
    seen += 1
    meanLogAmount += (Math.log(Math.max(amount, SMALLEST)) - meanLogAmount) / Math.min(seen, MEAN_OF)
  }

  /** Takes in an attempt that ended. Outcomes that are still pending are not reported yet. */
  function observe(attempt: ObservedAttempt, nowMs: number): void {
    const account = indexOf.get(attempt.account)
    if (account === undefined) return
    const expected = sigmoid(approval.read(attempt).logit[account]!)
    const bounded = Math.min(Math.max(expected, EXPECTED_MIN), EXPECTED_MAX)
    const before = health.read(attempt, account, nowMs)
    health.observe(attempt, account, attempt.ending, bounded, nowMs)
    if (attempt.latencyMs !== undefined) latency.observe(account, attempt.latencyMs, nowMs)
    // What comes out of an outage says nothing about the account's approvals in ordinary times.
    const isOrdinaryTime = before.state !== "ejected" && before.state !== "probing" && before.silent < SILENT_NEWS
    if (isOrdinaryTime && (attempt.ending === "paid" || attempt.ending === "not_paid"))
      approval.observe(attempt, account, attempt.ending === "paid", nowMs)
  }

  return {
    decide,
    observe,
    /** Changes of health since they were last taken, oldest first. */
    takeChanges: (): readonly SignalChange[] => changes.splice(0),
    /** Accounts that should be asked something harmless now, before a payment probes them. */
    wantsRead: (nowMs: number): readonly string[] => health.wantsRead(nowMs).map((i) => ids[i]!),
    observeRead(id: string, ok: boolean, nowMs: number): void {
      const account = indexOf.get(id)
      if (account !== undefined) health.observeRead(account, ok, nowMs)
    },
    isNodeSick: health.isNodeSick,
    /** A new period of commitments and caps. */
    renewCommitments: commitments.renew,
    spread: approval.spread,
  }
}
