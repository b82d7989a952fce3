// All that is learned for one merchant and mode, as one value: approval, health, latency, volumes of commitments, the usual
// amount and the budgets of exploration. It knows no policy: policies come and go, and what was learned stays. Accounts have
// slots; another set of accounts is another value, made by observing again.
//
// Reading changes nothing but what time alone changes. Whoever then acts on a reading says so with `decided`.

import { createCommitments, type Commitment } from "../commitment.ts"
import { createExploration, type Exploration } from "../exploration.ts"
import { LOGIT_DIGITS, round, roundedWorth, type AccountReading, type Readings, type Worth } from "../readings.ts"
import { bestScore, scoreOne } from "../score.ts"
import type { Objective } from "../strategy.ts"
import { createApproval, sigmoid, type ApprovalReading } from "./approval.ts"
import { diceOf } from "./dice.ts"
import type { SignalChange } from "./health-change.ts"
import { createHealth } from "./health.ts"
import { WELL, type HealthReading } from "./health-watch.ts"
import { createLatency } from "./latency.ts"
import { MAX_ACCOUNTS, type Ending, type ObservedAttempt, type Situation } from "./observation.ts"
import { createRecentRates } from "./recent-rates.ts"
import { createUsualAmount } from "./usual-amount.ts"

export type SignalsInput = {
  readonly accounts: readonly { readonly id: string; readonly readable?: boolean }[]
  readonly startMs?: number
  /** About how many payments a week are expected: half a week's exploration is spent early. 0: nothing is spent in advance. */
  readonly paymentsPerWeek?: number
  readonly periodMs?: number
  /** Accounts that are not among `accounts` read as one of which nothing is known yet, instead of not at all. */
  readonly takesOthers?: boolean
}

/** As shares of the amount: if the payment is paid, and if it is not where that differs. */
export type Fee = { readonly paid: number; readonly declined?: number }

/** What is asked for one payment. */
export type Ask = {
  readonly situation: Situation
  /** Its id: the dice hang on it. */
  readonly payment: string
  readonly seed: number
  /** In whole currency units. */
  readonly amount: number
  readonly currency: string
  readonly accounts: readonly string[]
  readonly challenged: boolean
  readonly reroutable: boolean
  /** Of a rule that optimizes; without it only health is read. */
  readonly optimize?: { readonly objective: Objective; readonly budget: string; readonly exploration: number }
  readonly costOf?: (account: string) => Fee | undefined
  /** As it can be stored; absent: as it is, to the last bit. */
  readonly rounded?: true
}

/** What became of a reading: a choice that somebody acts on. */
export type Decided = {
  readonly chosen: string
  readonly reason: string
  readonly calm: boolean
  /** The most that exploring could have gained. */
  readonly benefit: number
}

/** Changes that nobody has taken yet; the oldest are dropped. */
const MAX_CHANGES = 1_000
/** Budgets that are kept, one per rule. */
const MAX_BUDGETS = 200
/** Above this chance of a silent outage, approvals are not learned from. */
const SILENT_NEWS = 0.5
/** Health is judged only against estimates that are not extreme. */
const EXPECTED_MIN = 0.05
const EXPECTED_MAX = 0.98
const MONTH_MS = 30 * 24 * 3_600_000
/** The slot of accounts that have none. */
const OTHERS = ""

export type Signals = ReturnType<typeof createSignals>

export function createSignals(input: SignalsInput) {
  const { accounts, startMs = 0, periodMs = MONTH_MS, takesOthers = false } = input
  if (accounts.length > MAX_ACCOUNTS) throw new RangeError(`at most ${MAX_ACCOUNTS} accounts, got ${accounts.length}`)
  const slots = takesOthers ? [...accounts, { id: OTHERS }] : accounts
  const ids = slots.map(({ id }) => id)
  const indexOf = new Map(ids.map((id, i) => [id, i]))
  const changes: SignalChange[] = []
  const tell = (change: SignalChange): void => {
    if (changes.length >= MAX_CHANGES) changes.shift()
    changes.push(change)
  }
  const size = ids.length
  const approval = createApproval(size)
  const readable = slots.map((a) => "readable" in a && a.readable === true)
  const health = createHealth({ size, readable, startMs, tell })
  const latency = createLatency(size, tell)
  const nothingOwed = ids.map((): undefined => undefined)
  const commitments = createCommitments(nothingOwed, startMs, periodMs)
  const usual = createUsualAmount()
  const rates = createRecentRates(size)
  const budgets = new Map<string, Exploration>()

  const slotOf = (id: string): number | undefined => indexOf.get(id) ?? (takesOthers ? size - 1 : undefined)

  function budgetOf(name: string, share: number): Exploration {
    let budget = budgets.get(name)
    if (budget?.share === share) return budget
    if (budgets.size >= MAX_BUDGETS) budgets.clear()
    budgets.set(name, (budget = createExploration(share, input.paymentsPerWeek)))
    return budget
  }

  function read(ask: Ask, nowMs: number): Readings {
    const { situation, payment, seed, optimize } = ask
    const health = ask.accounts.map((id) => healthOf(situation, id, nowMs))
    const worth = optimize === undefined ? undefined : worthOf(ask, optimize.objective, health)
    const readings = ask.accounts.map((id, i): [string, AccountReading] => {
      const { state, share, probeDue } = health[i]!
      return [id, { state, share, probeDue, ...(worth === undefined ? {} : { worth: worth[i]! }) }]
    })
    return {
      dice: {
        split: diceOf(payment, seed),
        pick: diceOf(payment, seed + situation.attempt),
        admission: diceOf(payment, ~seed),
      },
      attempt: situation.attempt,
      ...(situation.previous === undefined ? {} : { previous: situation.previous }),
      highValue: usual.isHigh(ask.amount, ask.currency),
      challenged: ask.challenged,
      reroutable: ask.reroutable,
      ...(optimize === undefined || situation.attempt > 1
        ? {}
        : { exploration: budgetOf(optimize.budget, optimize.exploration).read() }),
      accounts: Object.fromEntries(readings),
    }
  }

  function healthOf(situation: Situation, id: string, nowMs: number): HealthReading {
    const slot = slotOf(id)
    return slot === undefined ? WELL : health.read(situation, slot, nowMs)
  }

  /** The gap of each to the account with the best score is what tells whether trying it can still pay. */
  function worthOf(ask: Ask, objective: Objective, healths: readonly HealthReading[]): readonly Worth[] {
    const { situation, accounts: asked, costOf, rounded = false } = ask
    const found = approval.read(situation)
    const known = asked.map((id) => slotOf(id)!)
    const all = known.map((slot, i): Worth => {
      const cost = costOf?.(asked[i]!)
      const spread = found.local[slot]! + (1 - found.own[slot]!) ** 2 * found.shared[slot * size + slot]!
      const worth: Worth = {
        logit: found.logit[slot]!,
        sd: Math.sqrt(spread),
        n: found.n[slot]!,
        gap: 0,
        factor: healths[i]!.factor,
        latencyMs: latency.expectedMs(slot),
        price: commitments.priceOf(slot),
        ...(cost === undefined ? {} : { cost: cost.paid }),
        ...(cost?.declined === undefined ? {} : { declinedCost: cost.declined }),
      }
      return rounded ? roundedWorth(worth) : worth
    })
    const best = bestScore(
      all.map((worth, i) => scoreOne(asked[i]!, { state: "healthy", share: 1, probeDue: false, worth }, objective)),
    )
    return all.map((worth, i) => {
      if (i === best) return worth
      const gap = gapOf(found, size, known[i]!, known[best]!)
      return { ...worth, gap: rounded ? round(gap, LOGIT_DIGITS) : gap }
    })
  }

  /** Somebody acts on a reading: tokens are spent, a probe is under way. */
  function decided(ask: Ask, { chosen, reason, calm, benefit }: Decided, nowMs: number): void {
    const { situation, optimize } = ask
    if (situation.attempt === 1) {
      usual.count(ask.amount, ask.currency)
      if (optimize !== undefined) budgetOf(optimize.budget, optimize.exploration).passed(calm, benefit)
    }
    if (reason === "explore" && optimize !== undefined) budgetOf(optimize.budget, optimize.exploration).spent()
    const slot = indexOf.get(chosen)
    if (reason === "probe" && slot !== undefined) health.probed(situation, slot, nowMs)
  }

  /** Counts a payment's first choice among those that could have had it. */
  function count(eligible: readonly string[], chosen: string, amount: number, nowMs: number): void {
    const slot = indexOf.get(chosen)
    if (slot === undefined) return
    commitments.observe(
      eligible.flatMap((id) => indexOf.get(id) ?? []),
      slot,
      amount,
      nowMs,
    )
  }

  /** Takes in an attempt that ended. Outcomes that are still pending are not reported yet. */
  function observe(attempt: ObservedAttempt, nowMs: number): void {
    const account = indexOf.get(attempt.account)
    if (account === undefined) return
    const { news, ending } = attempt
    if (news === undefined || news === "health") rates.observe(account, ending === "technical", judgedAs(ending), nowMs)
    if (news === "correction") return approval.correct(attempt, account, ending === "paid", nowMs)
    const expected = sigmoid(approval.read(attempt).logit[account]!)
    const bounded = Math.min(Math.max(expected, EXPECTED_MIN), EXPECTED_MAX)
    const before = health.read(attempt, account, nowMs)
    if (news !== "approval") health.observe(attempt, account, ending, bounded, nowMs, attempt.blameless)
    if (attempt.latencyMs !== undefined) latency.observe(account, attempt.latencyMs, nowMs)
    // What comes out of an outage says nothing about the account's approvals in ordinary times.
    const isOrdinaryTime = before.state !== "ejected" && before.state !== "probing" && before.silent < SILENT_NEWS
    if (news !== "health" && isOrdinaryTime && (ending === "paid" || ending === "not_paid"))
      approval.observe(attempt, account, ending === "paid", nowMs)
  }

  return {
    read,
    decided,
    count,
    observe,
    /** An attempt of the past: the amounts that it shows are known with it. */
    recall(attempt: ObservedAttempt & { readonly amount: number; readonly currency: string }, atMs: number): void {
      observe(attempt, atMs)
      if (attempt.attempt === 1 && attempt.news === undefined) usual.count(attempt.amount, attempt.currency)
    },
    /** What was not observed but spent: the budgets of exploration, from the signals whose place these take. */
    inherit: (from: { readonly budgets: () => ReadonlyMap<string, Exploration> }): void => {
      for (const [name, budget] of from.budgets()) budgets.set(name, budget)
    },
    budgets: (): ReadonlyMap<string, Exploration> => budgets,
    /** Whether the account has a slot: what is observed of others is lost. */
    knows: (id: string): boolean => indexOf.has(id),
    isCapped: (id: string): boolean => {
      const slot = indexOf.get(id)
      return slot !== undefined && commitments.isCapped(slot)
    },
    capLeft: (id: string): number | undefined => {
      const slot = indexOf.get(id)
      return slot === undefined ? undefined : commitments.leftOf(slot)
    },
    /** The terms of a policy; volumes and prices outlive them. */
    owe: (terms: Readonly<Record<string, Commitment>>): void => commitments.owe(ids.map((id) => terms[id])),
    /** A new period of commitments and caps. */
    renewCommitments: commitments.renew,
    restoreVolumes: (volumes: Readonly<Record<string, { readonly payments: number; readonly amount: number }>>): void =>
      commitments.restore(ids.map((id) => volumes[id] ?? { payments: 0, amount: 0 })),
    /** Changes of health since they were last taken, oldest first. */
    takeChanges: (): readonly SignalChange[] => changes.splice(0),
    idOf: (slot: number): string => ids[slot]!,
    /** Accounts that should be asked something harmless now, before a payment probes them. */
    wantsRead: (nowMs: number): readonly string[] => health.wantsRead(nowMs).map((i) => ids[i]!),
    observeRead(id: string, ok: boolean, nowMs: number): void {
      const slot = indexOf.get(id)
      if (slot !== undefined) health.observeRead(slot, ok, nowMs)
    },
    /** One account in all that it does: for conditions, and for people. */
    overall: (id: string, nowMs: number) => {
      const slot = indexOf.get(id)
      return slot === undefined
        ? undefined
        : { ...health.overall(slot, nowMs), ...rates.of(slot, nowMs), latencyMs: latency.expectedMs(slot) }
    },
    isNodeSick: health.isNodeSick,
    spread: approval.spread,
  }
}

const judgedAs = (ending: Ending): boolean | undefined =>
  ending === "paid" ? true : ending === "not_paid" ? false : undefined

/** Of the difference of two accounts' logits on this leaf: what both share of their uncertainty cancels. */
function gapOf({ local, own, shared }: ApprovalReading, size: number, a: number, b: number): number {
  const ra = 1 - own[a]!
  const rb = 1 - own[b]!
  const common = ra * ra * shared[a * size + a]! + rb * rb * shared[b * size + b]! - 2 * ra * rb * shared[a * size + b]!
  return Math.sqrt(Math.max(0, local[a]! + local[b]! + common))
}
