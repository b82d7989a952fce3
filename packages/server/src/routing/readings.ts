// What routing read for one payment, as values: the whole of it comes into a decision, is stored with it, and gives the same
// choice again. Numbers are rounded before they are used, so that what is stored is exactly what was used, and small.

import type { BudgetReading } from "./exploration.ts"
import type { HealthState } from "./signals/health-change.ts"
import type { Previous } from "./signals/observation.ts"

/** What one account looks like for one payment. */
export type AccountReading = {
  readonly state: HealthState
  /** The share of traffic that may come here while it returns (1: all of it, 0: none). */
  readonly share: number
  readonly probeDue: boolean
  /** What is known of its worth; only `optimize` asks. */
  readonly worth?: Worth
}

export type Worth = {
  /** Logit of P(paid | sent), health aside; its standard deviation; its effective count of outcomes. */
  readonly logit: number
  readonly sd: number
  readonly n: number
  /** Standard deviation of the difference of its logit to that of the account with the best score; 0 for that one. */
  readonly gap: number
  /** Multiplies P(paid) where trouble is likely. */
  readonly factor: number
  readonly latencyMs: number
  /** The price of commitments, floors and caps: what a payment here is worth or costs beyond itself. */
  readonly price: number
  /** The fee as a share of the amount if the payment is paid; absent where no fee is known. */
  readonly cost?: number
  /** The same if it is not; absent: no other. */
  readonly declinedCost?: number
}

export type Readings = {
  /** Numbers in [0, 1) that hang on the payment and the merchant's seed alone: every node throws the same. */
  readonly dice: { readonly split: number; readonly pick: number; readonly admission: number }
  readonly attempt: number
  readonly previous?: Previous
  /** Far above the usual amount: nobody experiments with it. */
  readonly highValue: boolean
  /** The customer already passed a challenge for this payment. */
  readonly challenged: boolean
  /** Whether a failure may go on to another account, so that a probe costs nobody a payment. */
  readonly reroutable: boolean
  readonly exploration?: BudgetReading
  /** By account; whoever is missing is well, and nothing is known of it. */
  readonly accounts: Readonly<Record<string, AccountReading>>
}

export const WELL: AccountReading = { state: "healthy", share: 1, probeDue: false }

/** Of a payment that nothing is known about, with dice that change nothing. */
export const NOTHING_READ: Readings = {
  dice: { split: 0, pick: 0, admission: 0 },
  attempt: 1,
  highValue: false,
  challenged: false,
  reroutable: true,
  accounts: {},
}

/** Digits behind the point that a reading keeps. */
export const PROBABILITY_DIGITS = 6
const PARTS: Readonly<Record<keyof Worth, number>> = {
  logit: 4,
  sd: 4,
  n: 1,
  gap: 4,
  factor: 4,
  latencyMs: 0,
  price: 6,
  cost: 6,
  declinedCost: 6,
}

export function round(value: number, digits: number): number {
  const scale = 10 ** digits
  // Never −0, which no document keeps.
  return Math.round(value * scale) / scale || 0
}

export function roundedWorth(worth: Worth): Worth {
  return Object.fromEntries(
    (Object.entries(worth) as [keyof Worth, number][]).map(([part, value]) => [part, round(value, PARTS[part])]),
  ) as Worth
}

/** What hangs on the payment alone, and the budget; worths are rounded where they are read (signals.ts). */
export function rounded(readings: Readings): Readings {
  const { dice, exploration } = readings
  return {
    ...readings,
    dice: { split: die(dice.split), pick: die(dice.pick), admission: die(dice.admission) },
    ...(exploration === undefined
      ? {}
      : {
          exploration: {
            share: exploration.share,
            tokens: round(exploration.tokens, 3),
            usual: round(exploration.usual, 9),
            seen: exploration.seen,
          },
        }),
  }
}

/** Down, so that it stays below 1. */
const die = (value: number): number => Math.floor(value * 10 ** PROBABILITY_DIGITS) / 10 ** PROBABILITY_DIGITS
