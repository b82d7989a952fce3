// Whether another attempt is worth its cost: retry if and only if what it is expected to bring is more than what it costs,
//   P(approve | retry) × margin × amount  >  fee + scheme penalty + cost of the time it takes.
// Probabilities and margins come as whole parts per million and basis points, so that the comparison is exact.

import { add, money, type Money } from "../core/money.ts"

/** Source of the rule: routing.md §4. All amounts are in one currency; another one throws a TypeError. */
export type RetryStakes = {
  readonly amount: Money
  /** Of a million such attempts, how many are approved. */
  readonly approvalPpm: number
  /** What the merchant keeps of a paid amount, in basis points of it. */
  readonly marginBps: number
  /** What the provider charges for the attempt. */
  readonly fee: Money
  /** What the scheme is expected to bill for it. */
  readonly schemePenalty?: Money
  /** What the customer's waiting is expected to cost. */
  readonly latencyCost?: Money
}

export type RetryWorth = {
  readonly worthIt: boolean
  /** Rounded down to minor units, for people; the decision is made before rounding. */
  readonly expectedGain: Money
  readonly cost: Money
  /** The smallest approval rate at which it would be worth it; above a million where none is. */
  readonly breakEvenPpm: number
  readonly why: string
}

export const MILLION = 1_000_000
export const BASIS_POINTS = 10_000

export function retryWorth(stakes: RetryStakes): RetryWorth {
  const { amount, fee, schemePenalty, latencyCost } = stakes
  const nothing = money(0n, amount.currency)
  const cost = [fee, schemePenalty ?? nothing, latencyCost ?? nothing].reduce(add, nothing)
  const margin = amount.minor * whole(stakes.marginBps, BASIS_POINTS, "marginBps")
  const scale = BigInt(MILLION) * BigInt(BASIS_POINTS)
  const gain = margin * whole(stakes.approvalPpm, MILLION, "approvalPpm")
  const worthIt = gain > cost.minor * scale
  // The first whole part per million at which the gain is more than the cost.
  const breakEvenPpm = margin === 0n ? MILLION + 1 : capped((cost.minor * scale) / margin + 1n)
  const chance = `${stakes.approvalPpm} in a million`
  return {
    worthIt,
    expectedGain: money(gain / scale, amount.currency),
    cost,
    breakEvenPpm,
    why: worthIt
      ? `at ${chance} it is expected to bring more than it costs`
      : `at ${chance} it is not expected to bring more than it costs; that begins at ${breakEvenPpm}`,
  }
}

function whole(value: number, most: number, name: string): bigint {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new RangeError(`${name} is no whole number from 0 to ${most}: ${value}`)
  return BigInt(value)
}

function capped(ppm: bigint): number {
  return ppm < 0n ? 0 : ppm > BigInt(MILLION) ? MILLION + 1 : Number(ppm)
}
