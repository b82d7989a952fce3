// What routing has learned, for every merchant and mode, in this process's memory: what payments ask before they are decided,
// and what hears how their attempts ended. Nothing here waits for anything, and nothing here can fail a payment. How it gets to
// other nodes, and back after a restart, is signal-sharing.ts.

import { given } from "../core/given.ts"
import { parseRfc3339, rfc3339 } from "../core/instant.ts"
import type { AccountId, MerchantId } from "../core/id.ts"
import type { Payment } from "../core/payment.ts"
import type { Clock, Log } from "../ports.ts"
import { threeDsOf, type Decision, type DecisionRecord, type Examined } from "../routing/decide.ts"
import type { Commitment } from "../routing/commitment.ts"
import type { LiveReading } from "../routing/conditions/live.ts"
import { EXPLORATION_SHARE } from "../routing/exploration.ts"
import type { Policy } from "../routing/policy.ts"
import { NOTHING_READ, rounded, type Readings } from "../routing/readings.ts"
import { plainRetryPlan, type RetryPlan } from "../routing/retry-plan.ts"
import { diceOf } from "../routing/signals/dice.ts"
import type { SignalChange } from "../routing/signals/health-change.ts"
import { MAX_ACCOUNTS } from "../routing/signals/observation.ts"
import { createSignals, type Ask, type Signals } from "../routing/signals/signals.ts"
import type { Mode, Owner, Volume } from "../storage/resources/signal-store.ts"
import { createDeclinedCards, type DeclinedCards } from "./declined-cards.ts"
import type { Account, Directory } from "./engine.ts"
import { feeAt } from "./expected-fee.ts"
import { observationsOf, situationOf, wholeAmount, type Observation } from "./observations.ts"
import type { Choice } from "./signal-document.ts"

export type Shelf = Owner & {
  signals: Signals
  /** The merchant's accounts as they were when they were looked at last. */
  accounts: readonly Account[]
  policy: Policy | undefined
  /** The period of commitments, e.g. "2026-12". */
  month: string
  /** Observed while the signals are made anew from what is stored; undefined: they are not. */
  meanwhile: Observation[] | undefined
  readonly cards: DeclinedCards
}

/** What this node itself has seen, to be shared. */
export type Seen = {
  readonly observations: readonly Observation[]
  readonly choices: readonly Choice[]
  readonly volumes: readonly Volume[]
}

export type RoutingSignalsParts = {
  readonly clock: Clock
  readonly log: Log
  readonly directory: Directory
}

/** What was read for a payment, so that whoever acts on it can say so. */
export type Read = {
  readonly readings: Readings
  /** Absent where reading failed: then nothing was known, and nothing is spent. */
  readonly ask?: Ask
}

/** Merchants and modes that are kept in memory; beyond it the one that was asked for longest ago is dropped, and read again. */
export const MAX_SHELVES = 2_000
/** Observations that wait while signals are made anew; the oldest are dropped. */
const MAX_MEANWHILE = 20_000

export type RoutingSignals = ReturnType<typeof createRoutingSignals>

export function createRoutingSignals(parts: RoutingSignalsParts) {
  const { clock, directory, log } = parts
  const shelves = new Map<string, Shelf>()
  let seen: (owner: Owner, what: Seen) => boolean = () => true
  let wanted: (owner: Owner) => void = () => {}
  let changed: (
    owner: Owner,
    changes: readonly { readonly account: AccountId; readonly change: SignalChange }[],
  ) => void = () => {}

  /** An error in here is a bug, and costs what was learned, not the payment. */
  function guarded<T>(ask: () => T, otherwise: T): T {
    try {
      return ask()
    } catch (error) {
      log.error({ error: String(error) }, "routing could not use what it has learned")
      return otherwise
    }
  }

  /** Made when somebody first asks; what is stored of it follows in the background. */
  function shelfOf({ merchant, mode }: Owner): Shelf {
    const key = `${merchant} ${mode}`
    const known = shelves.get(key)
    const accounts = directory.accounts(merchant)
    const shelf = known ?? shelve(key, { merchant, mode }, accounts)
    if (known !== undefined) {
      // To the end: who was asked for longest ago stands first.
      shelves.delete(key)
      shelves.set(key, known)
    }
    if (shelf.accounts !== accounts) {
      shelf.accounts = accounts
      const isNew = accountsOf(accounts, mode).some(({ id }) => !shelf.signals.knows(id))
      if (isNew) wanted(shelf)
    }
    keepTerms(shelf)
    return shelf
  }

  function shelve(key: string, owner: Owner, accounts: readonly Account[]): Shelf {
    const oldest = shelves.keys().next().value
    if (shelves.size >= MAX_SHELVES && oldest !== undefined) shelves.delete(oldest)
    const shelf: Shelf = {
      ...owner,
      signals: newSignals(owner.mode, accounts, clock.now()),
      accounts,
      policy: undefined,
      month: "",
      meanwhile: undefined,
      cards: createDeclinedCards(),
    }
    shelves.set(key, shelf)
    wanted(owner)
    return shelf
  }

  /** Commitments follow the policy in force, and end with the month. */
  function keepTerms(shelf: Shelf): void {
    const policy = directory.activePolicy(shelf.merchant, shelf.mode)
    if (policy !== shelf.policy) {
      shelf.policy = policy
      shelf.signals.owe(termsOf(policy))
    }
    const month = monthOf(clock.now())
    if (month === shelf.month) return
    shelf.month = month
    const { from, until } = spanOf(month)
    shelf.signals.renewCommitments(from, until)
  }

  function read(payment: Payment, examined: Examined): Read {
    const shelf = shelfOf(payment)
    const ask = askFor(shelf, payment, examined)
    return { ask, readings: rounded(shelf.signals.read(ask, clock.now())) }
  }

  function askFor(shelf: Shelf, payment: Payment, { strategy, eligible, rule, context }: Examined): Ask {
    const { intent } = payment
    return {
      situation: situationOf(
        payment,
        payment.attempts.length + 1,
        rule?.rule.requireThreeDs === true && threeDsOf(context) === "required",
      ),
      payment: payment.id,
      seed: seedOf(shelf.merchant),
      ...wholeAmount(intent.amount),
      accounts: eligible,
      challenged: intent.threeDs.mode === "external" || payment.attempts.some((a) => a.action !== undefined),
      // A cryptogram is spent by the first account that it is sent to.
      reroutable:
        goesOn(rule?.rule.retry ?? plainRetryPlan) &&
        !(intent.method?.type === "network_token" && intent.method.hasCryptogram === true),
      rounded: true,
      costOf: (id) => feeAt(directory.account(id as AccountId), context, clock.now()),
      ...(strategy.kind === "optimize"
        ? {
            optimize: {
              objective: strategy.objective,
              budget: rule?.rule.name ?? "",
              exploration: strategy.exploration ?? EXPLORATION_SHARE,
            },
          }
        : {}),
    }
  }

  /** A payment goes where the decision says: what it tries out is spent. */
  function decided(payment: Payment, { ask }: Read, { record, candidates, calm, benefit }: Decision): void {
    if (ask === undefined) return
    const [chosen = ""] = candidates
    shelfOf(payment).signals.decided(ask, { chosen, reason: record.reason, calm, benefit }, clock.now())
  }

  /** A commit has changed a payment, and its fate is known: what it tells is learned here, and shared. */
  function committed(before: Payment | undefined, after: Payment): void {
    const now = clock.now()
    const owner: Owner = { merchant: after.merchant, mode: after.mode }
    const observations = observationsOf(before, after, now).map((one) =>
      isSameCardAgain(owner, after, one) ? { ...one, blameless: true as const } : one,
    )
    const choice = choiceOf(before, after, now)
    if (observations.length === 0 && choice === undefined) return
    const volumes =
      choice === undefined ? [] : [{ account: choice.chosen, month: monthOf(now), payments: 1, amount: choice.amount }]
    const isBelieved = seen(owner, {
      observations,
      choices: choice !== undefined && isCommitted(shelfOf(owner), choice) ? [choice] : [],
      volumes,
    })
    take(owner, isBelieved ? observations : [], choice === undefined ? [] : [choice])
  }

  function isSameCardAgain(
    owner: Owner,
    { intent: { method } }: Payment,
    { ending, attempt, at }: Observation,
  ): boolean {
    if (ending !== "not_paid" || attempt > 1 || method === undefined || method.type === "provider_token") return false
    return shelfOf(owner).cards.declinedAgain(method.fingerprint, at)
  }

  const isCommitted = ({ policy }: Shelf, { eligible }: Choice): boolean =>
    policy?.commitments?.some(({ account }) => eligible.includes(account)) === true

  /** Takes in what was seen here or elsewhere. */
  function take(owner: Owner, observations: readonly Observation[], choices: readonly Choice[]): void {
    const shelf = shelfOf(owner)
    const now = clock.now()
    for (const observation of observations) shelf.signals.observe(observation, now)
    for (const { chosen, eligible, amount } of choices) shelf.signals.count(eligible, chosen, amount, now)
    if (shelf.meanwhile !== undefined) shelf.meanwhile = [...shelf.meanwhile, ...observations].slice(-MAX_MEANWHILE)
    tellChanges(shelf)
  }

  function tellChanges(shelf: Shelf): void {
    const changes = shelf.signals.takeChanges().flatMap((change) => {
      if (change.kind === "node") return []
      return [{ account: shelf.signals.idOf(change.account) as AccountId, change }]
    })
    if (changes.length > 0) changed(shelf, changes)
  }

  return {
    shelfOf,
    /** Gives new signals the terms of the policy in force, so that prices can be learned; answers when the period began. */
    fit(signals: Signals, { merchant, mode }: Owner): number {
      const { from, until } = spanOf(monthOf(clock.now()))
      signals.owe(termsOf(directory.activePolicy(merchant, mode)))
      signals.renewCommitments(from, until)
      return from
    },
    read: (payment: Payment, examined: Examined): Read =>
      guarded(() => read(payment, examined), { readings: NOTHING_READ }),
    decided: (payment: Payment, was: Read, decision: Decision): void =>
      guarded(() => decided(payment, was, decision), undefined),
    committed,
    take,
    tellChanges,
    shelves: (): readonly Shelf[] => [...shelves.values()],
    /** Accounts that have had all the volume of the month that the policy allows. */
    capped: (merchant: MerchantId, mode: Mode): readonly AccountId[] => {
      const { commitments } = directory.activePolicy(merchant, mode) ?? {}
      if (commitments === undefined || commitments.length === 0) return []
      return guarded(() => {
        const { signals } = shelfOf({ merchant, mode })
        return commitments.flatMap(({ account }) => (signals.isCapped(account) ? [account] : []))
      }, [])
    },
    live: (merchant: MerchantId, mode: Mode, accounts: readonly AccountId[]): Readonly<Record<string, LiveReading>> => {
      if (accounts.length === 0) return {}
      return guarded(() => {
        const { signals } = shelfOf({ merchant, mode })
        return Object.fromEntries(accounts.map((id) => [id, liveOf(signals, id, clock.now())]))
      }, {})
    },
    /** Who shares what is seen here (and says whether it is to be believed), makes signals anew from what is stored, and tells changes of health. */
    connect: (station: {
      readonly seen: typeof seen
      readonly wanted: typeof wanted
      readonly changed: typeof changed
    }): void => {
      ;({ seen, wanted, changed } = station)
    },
  }
}

/** Whether what came to nothing at one account is tried at another at once. */
const goesOn = ({ maxRetries, steps }: RetryPlan): boolean =>
  maxRetries > 0 &&
  steps.some(
    ({ on, provider, initiator, delaySeconds }) =>
      on.notExecuted === true && provider !== "same" && initiator !== "merchant" && (delaySeconds[0] ?? 0) === 0,
  )

const termsOf = (policy: Policy | undefined): Readonly<Record<string, Commitment>> =>
  Object.fromEntries((policy?.commitments ?? []).map((terms) => [terms.account, terms]))

function liveOf(signals: Signals, id: AccountId, now: number): LiveReading {
  const known = signals.overall(id, now)
  const capLeft = signals.capLeft(id)
  if (known === undefined) return { state: "healthy" }
  const { state, successRate, technicalFailureRate, latencyMs } = known
  const share = (value: number | undefined): number | undefined =>
    value === undefined ? undefined : Math.round(value * 1e4) / 1e4
  return given({
    state,
    successRate: share(successRate),
    technicalFailureRate: share(technicalFailureRate),
    latencyMs: Math.round(latencyMs),
    capLeft,
  })
}

export const newSignals = (mode: Mode, accounts: readonly Account[], startMs: number): Signals =>
  createSignals({
    accounts: accountsOf(accounts, mode),
    startMs,
    // Small merchants and many nodes: nothing is spent in advance, so that the share holds at all times, everywhere.
    paymentsPerWeek: 0,
    takesOthers: true,
  })

/** Those of this mode; where there are more than have room, those that take payments come first. */
function accountsOf(
  accounts: readonly Account[],
  mode: Mode,
): readonly { readonly id: AccountId; readonly readable: boolean }[] {
  const own = accounts.filter(({ config }) => config.mode === mode)
  const sorted = [...own.filter(({ state }) => state === "enabled"), ...own.filter(({ state }) => state !== "enabled")]
  return sorted
    .slice(0, MAX_ACCOUNTS - 1)
    .map(({ id, connector }) => ({ id, readable: connector.verifyCredentials !== undefined }))
}

function choiceOf(before: Payment | undefined, after: Payment, at: number): Choice | undefined {
  const [first] = after.attempts
  if (first === undefined || (before !== undefined && before.attempts.length > 0)) return undefined
  const { chosen } = first.decision as Partial<DecisionRecord>
  return {
    chosen: first.account,
    eligible: chosen ?? [first.account],
    amount: wholeAmount(after.intent.amount).amount,
    at,
  }
}

/** The same on every node, for ever. */
const seedOf = (merchant: MerchantId): number => Math.floor(diceOf(merchant) * 2 ** 31)

/** UTC. */
export const monthOf = (now: number): string => rfc3339(now).slice(0, 7)

function spanOf(month: string): { readonly from: number; readonly until: number } {
  const [year = 0, number = 1] = month.split("-").map(Number)
  const next = number === 12 ? `${year + 1}-01` : `${year}-${String(number + 1).padStart(2, "0")}`
  const at = (text: string): number => parseRfc3339(`${text}-01T00:00:00Z`) ?? 0
  return { from: at(month), until: at(next) }
}
