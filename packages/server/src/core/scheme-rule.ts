// How a rule of a card scheme stands in our tables: what it says, where and from when until when it holds, who says so,
// and how sure we are. None of the schemes' manuals is public as a whole: what we know are restatements by acquirers and
// processors, some of which contradict each other. Where they do, the row takes the stricter reading and names the other.

import type { CardRegion, Crossing } from "./card-region.ts"
import type { Network } from "./card.ts"
import type { DeclineChange } from "./decline.ts"
import { parseRfc3339 } from "./instant.ts"
import type { SchemeSource } from "./scheme-rules-source.ts"

/** Who makes the rules for a network's cards. `other`: schemes of which no rule for retries is known to us. */
export type Scheme = "visa" | "mastercard" | "amex" | "discover" | "jcb" | "elo" | "other"

export const schemes: Readonly<Record<Scheme, string>> = {
  visa: "Visa",
  mastercard: "Mastercard",
  amex: "American Express",
  discover: "Discover",
  jcb: "JCB",
  elo: "Elo",
  other: "other schemes",
}

const schemesByNetwork: Readonly<Partial<Record<Network, Scheme>>> = {
  visa: "visa",
  mastercard: "mastercard",
  maestro: "mastercard",
  amex: "amex",
  discover: "discover",
  diners: "discover",
  jcb: "jcb",
  elo: "elo",
}

export function schemeOf(network: Network): Scheme {
  return schemesByNetwork[network] ?? "other"
}

/** How sure we are of a row. */
export const certainties = {
  agreed: "several sources say the same",
  single: "one source says it",
  disputed: "sources contradict each other: the stricter reading",
  assumed: "no source says it: our own caution",
} as const
export type Certainty = keyof typeof certainties

type Row = {
  /** Stable: decisions and budgets name rules by it. */
  readonly id: string
  readonly schemes: readonly Scheme[]
  /** Of the merchant; everywhere if absent. */
  readonly regions?: readonly CardRegion[]
  /** A day in UTC, `2025-05-25`: the first on which it holds. */
  readonly from: string
  /** The first day on which it holds no longer. */
  readonly until?: string
  readonly says: string
  readonly sources: readonly SchemeSource[]
  readonly certainty: Certainty
  /** What other sources say, and why the row reads as it does. */
  readonly conflict?: string
}

/** Visa sorts its response codes into categories; what follows hangs on the category. 4 is every code that no row names. */
export type CategoryRule = Row & {
  readonly kind: "category"
  readonly category: 1 | 2 | 3
  readonly codes: readonly string[]
}

/** After such a decline there is no other attempt. */
export type StopRule = Row & {
  readonly kind: "stop"
  readonly after: { readonly category: 1 } | { readonly adviceCodes: readonly string[] } | { readonly hardReason: true }
  /** Only with these response codes, where the rule does not hold for all that `after` names. */
  readonly codes?: readonly string[]
  /** `payment`: what was declined itself; `amount`: also later payments of that amount with the card; `card`: any of them. */
  readonly scope: "payment" | "amount" | "card"
  /** For how long later payments are held back. Not for `payment`, which never ends. */
  readonly days?: number
  /** Holds back later payments of this initiator only. */
  readonly initiator?: "customer" | "merchant"
}

/** At most so many declined attempts in any window of that length, the first one counted. */
export type LimitRule = Row & {
  readonly kind: "limit"
  readonly declines: number
  readonly windowHours: number
  /** Counted apart by these; the card itself always. */
  readonly per: readonly ("amount" | "initiator")[]
}

/** What an advice code asks for. `later`: not before `afterHours`; `changed`: only with one of `changes`; `free`: nothing. */
export type AdviceRule = Row & {
  readonly kind: "advice"
  readonly adviceCode: string
  readonly asks: "later" | "changed" | "free"
  readonly afterHours?: number
  readonly changes?: readonly DeclineChange[]
}

/** What an attempt costs that a rule forbids. `charge` says which: after a stop, beyond a limit, or for a customer's stop order. */
export type FeeRule = Row & {
  readonly kind: "fee"
  readonly charge: "stop" | "excess" | "stop_order"
  readonly crossing?: readonly Crossing[]
  readonly currency: string
  readonly minor: bigint
}

export type SchemeRule = CategoryRule | StopRule | LimitRule | AdviceRule | FeeRule

const dayMs = 24 * 60 * 60 * 1000

/** The moment at which a day of the tables begins. */
export function dayStart(day: string): number {
  const ms = parseRfc3339(`${day}T00:00:00Z`)
  if (ms === undefined) throw new TypeError(`not a day: ${day}`)
  return ms
}

export const daysToMs = (days: number): number => days * dayMs
export const hoursToMs = (hours: number): number => (hours * dayMs) / 24

const spans = new Map<string, number>()

/** Days are few and asked for in every payment. */
function startOf(day: string): number {
  let ms = spans.get(day)
  if (ms === undefined) spans.set(day, (ms = dayStart(day)))
  return ms
}

/** Whether a row of any dated table holds at a moment. */
export function isInForce(row: { readonly from: string; readonly until?: string }, at: number): boolean {
  return startOf(row.from) <= at && (row.until === undefined || at < startOf(row.until))
}
