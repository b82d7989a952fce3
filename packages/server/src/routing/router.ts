// The one entry of learning routing that needs neither server nor database: `createRouter({accounts, policy, seed})`, then
// `decide(context, now)` for every attempt and `observe(attempt, now)` for every attempt that ended. The gym and backtests
// use it; the engine joins the same two halves (signals/signals.ts, which learns, and select.ts, which decides) through
// decide.ts, where conditions, eligibility and the record are. Time is milliseconds that are passed in, chance is a hash of
// seed and payment.
//
//   const router = createRouter({ accounts: [{ id: "acc_a" }, { id: "acc_b" }], policy, seed: 1, startMs })
//   const decision = router.decide(context, nowMs)        // decision.order[0] is where to go, the rest where to go next
//   router.observe({ ...context, account, ending: "paid", latencyMs: 840 }, laterMs)
//
// Conditions of rules, and whether an account can serve a payment at all, are others' business (policy, decide.ts): a rule
// is a predicate here, and `context.eligible` names who can serve.

import { largestBenefit, type ChoiceInput } from "./choose.ts"
import type { Commitment } from "./commitment.ts"
import { EXPLORATION_SHARE } from "./exploration.ts"
import { isOrdinary, select, type Reason } from "./select.ts"
import type { Strategy } from "./strategy.ts"
import type { ObservedAttempt, Situation } from "./signals/observation.ts"
import { createSignals, type Ask } from "./signals/signals.ts"

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
  readonly reason: Reason | "no_rule"
  /** What `optimize` read: replaying `choose(input)` gives this choice again. */
  readonly input?: ChoiceInput
}

export type { ObservedAttempt } from "./signals/observation.ts"

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

export function createRouter(input: RouterInput) {
  const { accounts, policy, seed } = input
  const known = new Map(accounts.map((account) => [account.id, account]))
  const signals = createSignals(input)
  signals.owe(
    Object.fromEntries(accounts.flatMap(({ id, commitment }) => (commitment === undefined ? [] : [[id, commitment]]))),
  )

  function decide(context: RouteContext, nowMs: number): RouteDecision {
    const rule = policy.findIndex((r) => r.matches(context))
    const strategy = policy[rule]?.strategy
    if (strategy === undefined) return { rule: -1, strategy: undefined, order: [], propensities: {}, reason: "no_rule" }
    const eligible = eligibleOf(context, strategy)
    const ask = askOf(context, strategy, eligible, rule)
    const readings = signals.read(ask, nowMs)
    const nature = { initiator: context.initiator, pinned: context.pinned === true }
    const { order, propensities, reason, scored, exploration = 0 } = select(strategy, eligible, readings, nature)
    const chosen = order[0]
    const calm = isOrdinary(readings, nature)
    const benefit = scored === undefined ? 0 : largestBenefit(scored)
    signals.decided(ask, { chosen: chosen ?? "", reason, calm, benefit }, nowMs)
    if (context.attempt === 1 && chosen !== undefined) signals.count(eligible, chosen, context.amount, nowMs)
    return {
      rule,
      strategy: strategy.kind,
      order,
      propensities,
      reason,
      ...(scored === undefined
        ? {}
        : {
            input: {
              accounts: scored,
              exploration,
              mayProbe: calm && readings.reroutable && eligible.length > 1,
              dice: readings.dice,
            },
          }),
    }
  }

  function eligibleOf(context: RouteContext, strategy: Strategy): readonly string[] {
    const named = strategy.kind === "split" ? strategy.shares.map((s) => s.account) : strategy.accounts
    return [...new Set(named)].filter(
      (id) =>
        known.has(id) &&
        context.tried?.includes(id) !== true &&
        (context.eligible === undefined || context.eligible.includes(id)) &&
        !signals.isCapped(id),
    )
  }

  function askOf(context: RouteContext, strategy: Strategy, eligible: readonly string[], rule: number): Ask {
    return {
      situation: context,
      payment: context.payment,
      seed,
      amount: context.amount,
      currency: "",
      accounts: eligible,
      challenged: context.challenged === true,
      reroutable: context.reroutable !== false,
      costOf: (id) => {
        const paid = known.get(id)?.cost?.(context)
        return paid === undefined ? undefined : { paid }
      },
      ...(strategy.kind === "optimize"
        ? {
            optimize: {
              objective: strategy.objective,
              budget: String(rule),
              exploration: strategy.exploration ?? EXPLORATION_SHARE,
            },
          }
        : {}),
    }
  }

  return {
    decide,
    observe: (attempt: ObservedAttempt, nowMs: number): void => signals.observe(attempt, nowMs),
    takeChanges: signals.takeChanges,
    wantsRead: signals.wantsRead,
    observeRead: signals.observeRead,
    isNodeSick: signals.isNodeSick,
    renewCommitments: signals.renewCommitments,
    spread: signals.spread,
  }
}
