// From policy and payment to an ordered list of accounts, with the reason for every account that is not on it. Pure and
// quick: it runs inside every payment, and the same inputs give the same decision for ever (ROUTER_VERSION). The record holds
// whatever was read, so that it can be made again after accounts and policies have changed (replay.ts).
//
// Two steps, because what is to be read hangs on the rule: `examine` finds the rule and who may serve the payment, then
// somebody who has learned reads (signals/signals.ts), and `conclude` chooses by the rule's strategy (select.ts).

import type { Network } from "../core/card.ts"
import type { AccountId, PolicyId } from "../core/id.ts"
import { exponentOf } from "../core/currency.ts"
import { rescale, type Money } from "../core/money.ts"
import { isNetworkTransactionId } from "../core/network-transaction-id.ts"
import type { OnUnknown } from "../core/intent.ts"
import { isNever, ruleFor } from "./policy-dispatch.ts"
import { policyHash } from "./policy-hash.ts"
import { accountsOf, type Policy, type PolicyShare, type Rule, type RuleStrategy } from "./policy.ts"
import { largestBenefit, type Scored } from "./choose.ts"
import { NOTHING_READ, PROBABILITY_DIGITS, round, type Readings } from "./readings.ts"
import type { RetryPlan } from "./retry-plan.ts"
import type { RoutingContext } from "./routing-context.ts"
import { isOrdinary, select, type Nature, type Reason, type Selection } from "./select.ts"

export type { RoutingContext } from "./routing-context.ts"

/** Counts changes by which the same inputs may give another decision. */
export const ROUTER_VERSION = 4
/** Accounts that are looked at where no policy names any: those first that take payments, in the order of their creation. */
export const MAX_UNRULED_ACCOUNTS = 64

/** What an account can serve, from its connector's manifest and its own state. */
export type Candidate = {
  readonly id: AccountId
  readonly connector: string
  readonly state: "enabled" | "draining" | "disabled"
  readonly mode: "live" | "test"
  readonly card: boolean
  readonly networkToken: boolean
  readonly networks: readonly Network[]
  /** Where network tokens of fewer networks are taken than cards. */
  readonly tokenNetworks?: readonly Network[]
  readonly currencies: "all" | readonly string[]
  readonly exponents: Readonly<Record<string, number>>
  /** The provider's smallest step, in its own minor units, where that is not one. */
  readonly steps: Readonly<Record<string, number>>
  readonly zeroAmount: boolean
  readonly externalThreeDs: boolean
  readonly merchantInitiated: boolean
  /** Whether the account may send the network's transaction id of a first payment that was made elsewhere; it may if absent. */
  readonly networkTransactionId?: boolean
  readonly partialApproval: boolean
}

export const exclusions = {
  unknown_account: "no account has this id, which the policy or the payment names",
  disabled: "the account is disabled",
  draining: "the account is draining: it takes no new payments",
  other_mode: "the account is of the other mode (live or test)",
  method: "the connector does not take this kind of payment method",
  network: "the connector does not take this card network",
  currency: "the connector does not take this currency",
  inexact_amount: "the provider cannot express the amount exactly",
  zero_amount: "the connector cannot verify a card with amount 0",
  external_three_ds: "the connector does not take 3DS results from elsewhere",
  merchant_initiated: "the connector does not take merchant-initiated payments",
  mit_source: "without a network transaction id, a merchant-initiated payment goes only where the first one was made",
  network_transaction_id:
    "the account may not send the network's transaction id, and without it the payment would be an ordinary one",
  invalid_network_transaction_id: "the network transaction id is none of this card network",
  foreign_token: "another provider issued the token",
  requestor_token: "the network token was requested for another account",
  never_route: "the policy never sends such a payment to this account",
  cap_reached: "the account has had all the volume of this month that the policy allows it",
  not_pinned: "the payment is pinned to another account",
  no_time: "less time is left before the answer is due than the provider needs for one",
  cryptogram_spent: "the network token's cryptogram was sent to another account, and may be used once",
  too_many_attempts: "the payment has had as many attempts as it may have",
} as const
export type Exclusion = keyof typeof exclusions

/** What one account was worth, as it was weighed; its parts that were read stand in `inputs.readings`. */
export type ScoreLine = {
  readonly account: AccountId
  /** P(paid | sent) with its 90 % interval, health aside. */
  readonly paid: number
  readonly low: number
  readonly high: number
  /** What a second of waiting costs, times the seconds that are expected. */
  readonly latencyPrice: number
  readonly score: number
  readonly benefit: number
}

export type DecisionRecord = {
  readonly router: number
  /** Absent where the merchant has no policy: all accounts in the order of their creation. */
  readonly policy?: {
    readonly id: PolicyId
    readonly version: number
    readonly hash: string
    /** Where two versions are in force: which of them this payment met, and with what part of all payments. */
    readonly share?: PolicyShare
  }
  readonly rule?: { readonly index: number; readonly name: string }
  /** The rule declines such payments: no account was looked at. */
  readonly declined?: { readonly reason: string }
  /**
   * The rule requires 3-D Secure. `required`: it is asked for at every account. `left`: the payment had its own word
   * (`none`, `required`, or a result from elsewhere), or no customer is there who could be asked.
   */
  readonly threeDs?: "required" | "left"
  readonly reason: Reason
  readonly chosen: readonly AccountId[]
  /** The chance that the payment went to each account first, after all gates and before the dice. */
  readonly propensities: Readonly<Record<string, number>>
  /** Of a rule that optimizes, and the chance that this payment had to explore. */
  readonly scores?: readonly ScoreLine[]
  readonly exploration?: number
  readonly excluded: readonly { readonly account: AccountId; readonly reason: Exclusion }[]
  /**
   * All that was read beside the policy, whose versions never change. Of accounts only those that were looked at, and what
   * they say of this payment's currency and network: at most MAX_ACCOUNTS_PER_RULE or MAX_UNRULED_ACCOUNTS of them.
   */
  readonly inputs: {
    readonly context: RoutingContext
    readonly accounts: readonly Candidate[]
    /** Those of them whose cap was reached. */
    readonly capped?: readonly AccountId[]
    readonly readings: Readings
  }
}

/** A record as a document has at most so many bytes for each account that was looked at, and so many beside (decide.test.ts). */
export const RECORD_BYTES = { perAccount: 900, beside: 1_700 } as const

export type Decision = {
  readonly candidates: readonly AccountId[]
  readonly record: DecisionRecord
  /** The rule's word on outcomes that stay unknown. */
  readonly onUnknown?: OnUnknown
  /** The rule's plan of what follows a failed attempt. */
  readonly retry?: RetryPlan
  /** Whether something may be tried out with this payment, and the most that exploring could have gained. */
  readonly calm: boolean
  readonly benefit: number
}

/** The rule that a payment falls under, and who may serve it: what has to be read hangs on it. */
export type Examined = {
  readonly policy: Policy | undefined
  readonly context: RoutingContext
  /** Absent where no rule matched, or none was asked. */
  readonly rule?: { readonly index: number; readonly rule: Rule }
  readonly strategy: RuleStrategy
  readonly eligible: readonly AccountId[]
  readonly excluded: readonly { readonly account: AccountId; readonly reason: Exclusion }[]
  readonly accounts: readonly Candidate[]
  readonly capped: readonly AccountId[]
}

export function decide(
  policy: Policy | undefined,
  accounts: readonly Candidate[],
  context: RoutingContext,
  capped: readonly AccountId[] = [],
  readings: Readings = NOTHING_READ,
): Decision {
  return conclude(examine(policy, accounts, context, capped), readings)
}

export function examine(
  policy: Policy | undefined,
  accounts: readonly Candidate[],
  context: RoutingContext,
  capped: readonly AccountId[] = [],
): Examined {
  // A pinned payment asks no rule: it names its account itself. What is never to be stays so for it, too.
  const index = policy === undefined || context.pinned !== undefined ? -1 : ruleFor(policy, context)
  const rule = policy?.rules[index]
  const strategy = strategyFor(policy, rule, accounts, context)
  const read: Candidate[] = []
  const eligible: AccountId[] = []
  const excluded: { account: AccountId; reason: Exclusion }[] = []
  for (const id of new Set(accountsOf(strategy))) {
    const account = accounts.find((a) => a.id === id)
    if (account !== undefined) read.push(asRead(account, context))
    const reason =
      excludes(account, context) ??
      (policy !== undefined && isNever(policy, id, context) ? ("never_route" as const) : undefined) ??
      (capped.includes(id) ? ("cap_reached" as const) : undefined)
    if (reason === undefined) eligible.push(id)
    else excluded.push({ account: id, reason })
  }
  return {
    policy,
    context,
    ...(rule === undefined ? {} : { rule: { index, rule } }),
    strategy,
    eligible,
    excluded,
    accounts: read,
    capped: capped.filter((id) => read.some((a) => a.id === id)),
  }
}

function strategyFor(
  policy: Policy | undefined,
  rule: Rule | undefined,
  accounts: readonly Candidate[],
  context: RoutingContext,
): RuleStrategy {
  if (context.pinned !== undefined) return { kind: "ordered", accounts: [context.pinned] }
  if (policy === undefined) return { kind: "ordered", accounts: unruled(accounts, context) }
  return rule?.strategy ?? { kind: "ordered", accounts: [] }
}

export function conclude(examined: Examined, readings: Readings): Decision {
  const { policy, context, rule, strategy, eligible, excluded, accounts, capped } = examined
  const nature = natureOf(context)
  const selection = strategy.kind === "decline" ? DECLINED : select(strategy, eligible, readings, nature)
  const chosen = selection.order as readonly AccountId[]
  return {
    candidates: chosen,
    record: {
      router: ROUTER_VERSION,
      ...(policy === undefined ? {} : { policy: policyRecord(policy) }),
      ...(rule === undefined ? {} : { rule: { index: rule.index, name: rule.rule.name } }),
      ...(strategy.kind === "decline" ? { declined: { reason: strategy.reason } } : {}),
      ...(rule?.rule.requireThreeDs === true ? { threeDs: threeDsOf(context) } : {}),
      reason: selection.reason,
      chosen,
      propensities: chances(selection.propensities),
      ...scoresOf(selection),
      excluded,
      inputs: { context, accounts, ...(capped.length === 0 ? {} : { capped }), readings },
    },
    ...wordsOf(rule?.rule),
    calm: isOrdinary(readings, nature),
    benefit: selection.scored === undefined ? 0 : largestBenefit(selection.scored),
  }
}

/** Nobody is tried. */
const DECLINED: Selection = { order: [], reason: "declined", propensities: {} }

const natureOf = ({ initiator, pinned }: RoutingContext): Nature => ({ initiator, pinned: pinned !== undefined })

const chances = (of: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(of).map(([account, chance]) => [account, round(chance, PROBABILITY_DIGITS)]))

function scoresOf({ scored, exploration = 0 }: Selection): Pick<DecisionRecord, "scores" | "exploration"> {
  if (scored === undefined) return {}
  return { scores: scored.map(scoreLine), exploration: round(exploration, PROBABILITY_DIGITS) }
}

const scoreLine = ({ account, paid, paidLow, paidHigh, latencyPrice, score, benefit }: Scored): ScoreLine => ({
  account: account as AccountId,
  paid: round(paid, PROBABILITY_DIGITS),
  low: round(paidLow, PROBABILITY_DIGITS),
  high: round(paidHigh, PROBABILITY_DIGITS),
  latencyPrice: round(latencyPrice, PROBABILITY_DIGITS),
  score: round(score, PROBABILITY_DIGITS),
  benefit: round(benefit, PROBABILITY_DIGITS),
})

const policyRecord = (policy: Policy): NonNullable<DecisionRecord["policy"]> => ({
  id: policy.id,
  version: policy.version,
  hash: policyHash(policy),
  ...(policy.share === undefined ? {} : { share: policy.share }),
})

/** A payment's own word stands above the rule's, and without the customer nobody can be asked. */
export const threeDsOf = ({ threeDs, initiator }: RoutingContext): "required" | "left" =>
  threeDs === "automatic" && initiator === "customer" ? "required" : "left"

const wordsOf = (rule: Rule | undefined): Pick<Decision, "onUnknown" | "retry"> => ({
  ...(rule?.onUnknown === undefined ? {} : { onUnknown: rule.onUnknown }),
  ...(rule?.retry === undefined ? {} : { retry: rule.retry }),
})

function unruled(accounts: readonly Candidate[], { mode }: RoutingContext): readonly AccountId[] {
  const ids = (some: readonly Candidate[]): readonly AccountId[] => some.map(({ id }) => id)
  if (accounts.length <= MAX_UNRULED_ACCOUNTS) return ids(accounts)
  const usable = (a: Candidate): boolean => a.state === "enabled" && a.mode === mode
  return ids([...accounts.filter(usable), ...accounts.filter((a) => !usable(a))].slice(0, MAX_UNRULED_ACCOUNTS))
}

/** Without what it says of other currencies and networks, which nothing below looks at. */
function asRead(account: Candidate, { amount: { currency }, network }: RoutingContext): Candidate {
  const { currencies, networks, tokenNetworks, exponents, steps } = account
  const own = (list: readonly Network[]): readonly Network[] => list.filter((one) => one === network)
  const of = (table: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
    table[currency] === undefined ? {} : { [currency]: table[currency] }
  return {
    ...account,
    currencies: currencies === "all" ? currencies : currencies.filter((one) => one === currency),
    networks: own(networks),
    exponents: of(exponents),
    steps: of(steps),
    ...(tokenNetworks === undefined ? {} : { tokenNetworks: own(tokenNetworks) }),
  }
}

function excludes(account: Candidate | undefined, context: RoutingContext): Exclusion | undefined {
  if (account === undefined) return "unknown_account"
  if (account.state !== "enabled") return account.state
  if (account.mode !== context.mode) return "other_mode"
  if (context.pinned !== undefined && context.pinned !== account.id) return "not_pinned"
  if (context.method === "provider_token") {
    if (context.tokenAccount !== account.id) return "foreign_token"
  } else if (context.method === "card" ? !account.card : !account.networkToken) return "method"
  else if (context.tokenAccount !== undefined && context.tokenAccount !== account.id) return "requestor_token"
  const networks = context.method === "network_token" ? (account.tokenNetworks ?? account.networks) : account.networks
  if (context.network !== undefined && !networks.includes(context.network)) return "network"
  if (account.currencies !== "all" && !account.currencies.includes(context.amount.currency)) return "currency"
  if (!isExact(account, context.amount)) return "inexact_amount"
  if (context.amount.minor === 0n && !account.zeroAmount) return "zero_amount"
  if (context.threeDs === "external" && !account.externalThreeDs) return "external_three_ds"
  return context.initiator === "merchant" ? excludesUnlinked(account, context) : undefined
}

/**
 * A payment of the merchant alone has to be linked to the customer's first one: by the provider's own token, by the
 * network's transaction id, or because that provider itself made the first one.
 */
function excludesUnlinked(account: Candidate, context: RoutingContext): Exclusion | undefined {
  const { network, networkTransactionId: id } = context
  const sendsId = account.networkTransactionId !== false
  if (!account.merchantInitiated) return "merchant_initiated"
  if (id !== undefined && sendsId && !isNetworkTransactionId(network, id)) return "invalid_network_transaction_id"
  // Only its own tokens come this far, and a provider knows the first payment of a token of its own.
  if (context.method === "provider_token" || context.sourceAccount === account.id) return undefined
  if (id === undefined) return "mit_source"
  return sendsId ? undefined : "network_transaction_id"
}

function isExact(account: Candidate, amount: Money): boolean {
  const exponent = account.exponents[amount.currency] ?? exponentOf(amount.currency)
  const count = rescale(amount, exponent)
  return count !== undefined && count % BigInt(account.steps[amount.currency] ?? 1) === 0n
}
