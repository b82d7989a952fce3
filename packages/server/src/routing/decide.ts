// From policy and payment to an ordered list of accounts, with the reason for every account that is not on it. Pure and
// quick: it runs inside every payment, and the same inputs give the same decision for ever (ROUTER_VERSION). The record holds
// whatever was read, so that it can be made again after accounts and policies have changed (replay.ts).

import type { Network } from "../core/card.ts"
import type { AccountId, PolicyId } from "../core/id.ts"
import { exponentOf } from "../core/currency.ts"
import { rescale, type Money } from "../core/money.ts"
import { isNetworkTransactionId } from "../core/network-transaction-id.ts"
import type { OnUnknown } from "../core/intent.ts"
import { policyHash } from "./policy-hash.ts"
import type { Condition, Policy } from "./policy.ts"
import type { RetryPlan } from "./retry-plan.ts"

/** Counts changes by which the same inputs may give another decision. */
export const ROUTER_VERSION = 2
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

/** What routing may know of a payment. */
export type RoutingContext = {
  readonly mode: "live" | "test"
  readonly amount: Money
  readonly method: "card" | "network_token" | "provider_token"
  readonly network?: Network
  readonly country?: string
  readonly initiator: "customer" | "merchant"
  /** The id itself, so that its form can be judged by the card's network. */
  readonly networkTransactionId?: string
  /** Where the first payment with the stored card was made: all a MIT without a network transaction id may use. */
  readonly sourceAccount?: AccountId
  /** The only account that can read this provider token, or that may use this network token. */
  readonly tokenAccount?: AccountId
  readonly threeDs: "automatic" | "required" | "none" | "external"
  readonly pinned?: AccountId
}

export const exclusions = {
  unknown_account: "the policy names an account that does not exist",
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
  not_pinned: "the payment is pinned to another account",
  no_time: "less time is left before the answer is due than the provider needs for one",
  cryptogram_spent: "the network token's cryptogram was sent to another account, and may be used once",
  too_many_attempts: "the payment has had as many attempts as it may have",
} as const
export type Exclusion = keyof typeof exclusions

export type DecisionRecord = {
  readonly router: number
  /** Absent where the merchant has no policy: all accounts in the order of their creation. */
  readonly policy?: { readonly id: PolicyId; readonly version: number; readonly hash: string }
  readonly rule?: { readonly index: number; readonly name: string }
  readonly chosen: readonly AccountId[]
  readonly excluded: readonly { readonly account: AccountId; readonly reason: Exclusion }[]
  /**
   * All that was read beside the policy, whose versions never change. Of accounts only those that were looked at, and what
   * they say of this payment's currency and network: at most MAX_ACCOUNTS_PER_RULE or MAX_UNRULED_ACCOUNTS of them.
   */
  readonly inputs: { readonly context: RoutingContext; readonly accounts: readonly Candidate[] }
}
export type Decision = {
  readonly candidates: readonly AccountId[]
  readonly record: DecisionRecord
  /** The rule's word on outcomes that stay unknown. */
  readonly onUnknown?: OnUnknown
  /** The rule's word on attempts that fail. */
  readonly retry?: RetryPlan
}

export function decide(policy: Policy | undefined, accounts: readonly Candidate[], context: RoutingContext): Decision {
  const index = policy === undefined ? -1 : policy.rules.findIndex((rule) => matches(rule.when, context))
  const rule = policy?.rules[index]
  // A pinned payment asks no rule: it names its account itself.
  const order =
    context.pinned === undefined
      ? policy === undefined
        ? unruled(accounts, context)
        : (rule?.accounts ?? [])
      : [context.pinned]
  const read: Candidate[] = []
  const chosen: AccountId[] = []
  const excluded: { account: AccountId; reason: Exclusion }[] = []
  for (const id of new Set(order)) {
    const account = accounts.find((a) => a.id === id)
    if (account !== undefined) read.push(asRead(account, context))
    const reason = excludes(account, context)
    if (reason === undefined) chosen.push(id)
    else excluded.push({ account: id, reason })
  }
  return {
    candidates: chosen,
    record: {
      router: ROUTER_VERSION,
      ...(policy === undefined ? {} : { policy: { id: policy.id, version: policy.version, hash: policyHash(policy) } }),
      ...(rule === undefined || context.pinned !== undefined ? {} : { rule: { index, name: rule.name } }),
      chosen,
      excluded,
      inputs: { context, accounts: read },
    },
    ...(rule?.onUnknown === undefined || context.pinned !== undefined ? {} : { onUnknown: rule.onUnknown }),
    ...(rule?.retry === undefined || context.pinned !== undefined ? {} : { retry: rule.retry }),
  }
}

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

export function matches(when: Condition, { amount, country, network }: RoutingContext): boolean {
  if (when.currency !== undefined && !when.currency.includes(amount.currency)) return false
  if (when.country !== undefined && (country === undefined || !when.country.includes(country))) return false
  if (when.network !== undefined && (network === undefined || !when.network.includes(network))) return false
  if (when.amount?.min !== undefined && amount.minor < when.amount.min) return false
  return when.amount?.max === undefined || amount.minor <= when.amount.max
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
