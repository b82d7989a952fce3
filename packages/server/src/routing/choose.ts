// The choice itself: a pure function from what was read (scores and their parts, health, budget, dice) to an order of
// accounts, with the propensity of every one. The record of a decision is this input and output, so that replaying the
// input gives the same choice for ever, and off-policy estimates know with what chance each account could have been taken.

import type { HealthState } from "./signals/health-change.ts"

/** One account as it was read for one payment. All parts of the score, so that people can follow it. */
export type Scored = {
  readonly account: string
  /** P(paid | sent), health aside, with the standard deviation of its logit and its count of outcomes. */
  readonly paid: number
  readonly paidLow: number
  readonly paidHigh: number
  readonly n: number
  readonly cost: number
  readonly latencyMs: number
  readonly latencyPrice: number
  /** The price of commitments, floors and caps: what a payment here is worth or costs beyond itself. */
  readonly commitmentPrice: number
  readonly state: HealthState
  readonly healthFactor: number
  /** The share of traffic that may come here while it returns (1: all of it, 0: none). */
  readonly healthShare: number
  readonly probeDue: boolean
  /** paid × healthFactor × margin − cost − latencyPrice + commitmentPrice, in the objective's unit. */
  readonly score: number
  /** How far above the best score this one may be: upper end of the interval of the gap (negative: it excludes benefit). */
  readonly benefit: number
}

export type ChoiceInput = {
  readonly accounts: readonly Scored[]
  /** Chance to try an account that is not the best, where its gap's interval does not exclude benefit. */
  readonly exploration: number
  /** Whether a probe may ride on this payment. */
  readonly mayProbe: boolean
  /** Numbers in [0, 1): which account, and whether one that returns is admitted. */
  readonly dice: { readonly pick: number; readonly admission: number }
}

export type ChoiceReason = "best" | "explore" | "probe" | "none_healthy"

export type Choice = {
  /** All accounts in the order in which they are tried; the first is the choice. */
  readonly order: readonly number[]
  readonly reason: ChoiceReason
  /** Chance that this input's payment goes to each account first, after all gates, before the dice. */
  readonly propensities: readonly number[]
}

/** Scores closer than this are equal, and share their traffic evenly: an account's place in a list is no merit. */
const TIE = 1e-9

export function choose(input: ChoiceInput): Choice {
  const { accounts, dice } = input
  if (accounts.length === 0) return { order: [], reason: "best", propensities: [] }
  const admitted = accounts.map((a) => a.healthShare > dice.admission)
  const probe = input.mayProbe ? accounts.findIndex((a) => a.probeDue) : -1
  if (probe >= 0)
    return {
      order: orderFrom(probe, accounts, admitted),
      reason: "probe",
      propensities: accounts.map((_, i) => (i === probe ? 1 : 0)),
    }
  const chances = chancesOf(input, admitted)
  const first = pick(chances, dice.pick)
  const isNoneHealthy = !admitted.some(Boolean)
  const best = bestOf(accounts, isNoneHealthy ? undefined : admitted)
  const isBest = accounts[first]!.score > accounts[best]!.score - TIE
  return {
    order: orderFrom(first, accounts, admitted),
    reason: isNoneHealthy ? "none_healthy" : isBest ? "best" : "explore",
    propensities: propensitiesOf(input, chances),
  }
}

/** Over the admission die too: returning accounts are admitted by it, so their chance is a mixture. */
function propensitiesOf(input: ChoiceInput, chances: readonly number[]): readonly number[] {
  const { accounts } = input
  // The usual case: nobody is returning, and the die admits all or none.
  if (accounts.every((a) => a.healthShare === 0 || a.healthShare === 1)) return chances
  const steps = [...new Set([0, ...accounts.map((a) => a.healthShare).filter((s) => s > 0 && s < 1), 1])].sort(
    (a, b) => a - b,
  )
  const mixed = accounts.map(() => 0)
  for (let i = 0; i + 1 < steps.length; i++) {
    const part = chancesOf(input, admittedAt(accounts, steps[i]!))
    for (let j = 0; j < mixed.length; j++) mixed[j]! += (steps[i + 1]! - steps[i]!) * part[j]!
  }
  return mixed
}

function admittedAt(accounts: readonly Scored[], die: number): readonly boolean[] {
  return accounts.map((a) => a.healthShare > die)
}

/** The chance of each account, once it is clear which are admitted. With none admitted the best of all is taken. */
function chancesOf({ accounts, exploration }: ChoiceInput, admitted: readonly boolean[]): number[] {
  const chances = accounts.map(() => 0)
  const open = admitted.some(Boolean) ? admitted : accounts.map(() => true)
  const best = bestOf(accounts, open)
  if (best < 0) return chances
  const top = accounts[best]!.score
  let ties = 0
  let weight = 0
  for (let i = 0; i < accounts.length; i++) {
    if (!open[i]) continue
    if (accounts[i]!.score > top - TIE) ties += 1
    else weight += explorable(accounts[i]!)
  }
  const explored = weight > 0 ? exploration : 0
  for (let i = 0; i < accounts.length; i++) {
    if (!open[i]) continue
    if (accounts[i]!.score > top - TIE) chances[i] = (1 - explored) / ties
    else if (weight > 0) chances[i] = explored * (explorable(accounts[i]!) / weight)
  }
  return chances
}

/** Exploration goes where it can still pay, in proportion to how much; never where health is in doubt. */
function explorable(account: Scored): number {
  return account.state === "healthy" ? Math.max(0, account.benefit) : 0
}

/** The most that any account could be better than the best estimate. */
export function largestBenefit(accounts: readonly Scored[]): number {
  let most = 0
  for (const account of accounts) most = Math.max(most, explorable(account))
  return most
}

function bestOf(accounts: readonly Scored[], open: readonly boolean[] | undefined): number {
  let best = -1
  for (let i = 0; i < accounts.length; i++)
    if ((open === undefined || open[i]) && (best < 0 || accounts[i]!.score > accounts[best]!.score)) best = i
  return best
}

function pick(chances: readonly number[], die: number): number {
  let left = die
  let last = 0
  for (let i = 0; i < chances.length; i++) {
    if (chances[i]! <= 0) continue
    last = i
    left -= chances[i]!
    if (left < 0) return i
  }
  return last
}

function orderFrom(first: number, accounts: readonly Scored[], admitted: readonly boolean[]): readonly number[] {
  const order = [first]
  // Insertion sort: few accounts, and no allocations in a payment's path.
  for (let i = 0; i < accounts.length; i++) {
    if (i === first) continue
    let at = order.length
    while (at > 1 && isBefore(i, order[at - 1]!, accounts, admitted)) at -= 1
    order.splice(at, 0, i)
  }
  return order
}

function isBefore(a: number, b: number, accounts: readonly Scored[], admitted: readonly boolean[]): boolean {
  return admitted[a] === admitted[b] ? accounts[a]!.score > accounts[b]!.score : admitted[a]!
}
