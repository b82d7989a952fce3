// Volume commitments, caps, floors and ceilings of accounts, by dual descent: every account has a price λ that is added to
// its score; it rises while the account is behind what it owes and falls while it is ahead, so that the payments that move
// are those that lose least by it (Balseiro, Lu and Mirrokni, "The Best of Many Worlds", Operations Research 2023, and
// "Regularized Online Allocation", 2021, for what is owed rather than capped). A cap that is reached excludes.

import { clamp } from "./signals/pooling.ts"

export type Commitment = {
  /** At least and at most this share of the payments that could go there. */
  readonly minShare?: number
  readonly maxShare?: number
  /** At least and at most this volume per period. */
  readonly minVolume?: number
  readonly maxVolume?: number
  /** What volume counts: payments, or their amount. */
  readonly unit?: "payments" | "amount"
}

/** How fast a price moves, per payment, in score units: 0.5 × the error in share. 20 payments too few are worth 1 %. */
const STEP = 5e-4
/** No commitment is worth more than this times the payment's own worth: a price that is higher buys losses. */
export const MAX_PRICE = 0.25
/** A cap leaves room for payments that are under way. */
const CAP_MARGIN = 0.998
/** A commitment is finished a little early, because the end of a month is as uncertain as any forecast. */
const AHEAD = 1.01
/** Before this part of the period its volume is extrapolated from too little. */
const EARLIEST = 1e-3

export type Commitments = ReturnType<typeof createCommitments>

/** Periods begin at `startMs` and last `periodMs` (a calendar month is its caller's business: it calls `renew`). */
export function createCommitments(from: readonly (Commitment | undefined)[], startMs: number, periodMs: number) {
  let owed = from
  /** What being behind is worth (≥ 0), and what being ahead costs (≤ 0). */
  const behind = new Float64Array(owed.length)
  const ahead = new Float64Array(owed.length)
  /** Of this period, in payments and in amount. */
  const payments = new Float64Array(owed.length)
  const amounts = new Float64Array(owed.length)
  let total = 0
  let totalAmount = 0
  let began = startMs
  let lasts = periodMs

  function volumeOf(account: number): number {
    return owed[account]?.unit === "amount" ? amounts[account]! : payments[account]!
  }

  function isCapped(account: number): boolean {
    const max = owed[account]?.maxVolume
    return max !== undefined && volumeOf(account) >= max * CAP_MARGIN
  }

  /** Takes in a decision among `eligible` and moves the prices. */
  function observe(eligible: readonly number[], chosen: number, amount: number, nowMs: number): void {
    total += 1
    totalAmount += amount
    payments[chosen]! += 1
    amounts[chosen]! += amount
    for (const account of eligible) {
      const own = owed[account]
      if (own === undefined) continue
      // Verifications of 0 may come before anything that has an amount.
      const weight = own.unit !== "amount" ? 1 : totalAmount > 0 ? amount / (totalAmount / total) : 0
      const share = account === chosen ? weight : 0
      const { low, high } = wantedShare(own, account, nowMs)
      if (low !== undefined) behind[account] = clamp(behind[account]! + STEP * (low - share), 0, MAX_PRICE)
      if (high !== undefined) ahead[account] = clamp(ahead[account]! + STEP * (high - share), -MAX_PRICE, 0)
    }
  }

  /** Shares that the rest of the period needs, from what is left and how many payments are still to come. */
  function wantedShare(own: Commitment, account: number, nowMs: number): { low?: number; high?: number } {
    const passed = clamp((nowMs - began) / lasts, EARLIEST, 1)
    const seen = own.unit === "amount" ? totalAmount : total
    const toCome = Math.max((seen * (1 - passed)) / passed, 1)
    const low = Math.max(own.minShare ?? 0, ((own.minVolume ?? 0) * AHEAD - volumeOf(account)) / toCome)
    const high = Math.min(own.maxShare ?? 1, ((own.maxVolume ?? Infinity) - volumeOf(account)) / toCome)
    return {
      ...(own.minShare === undefined && own.minVolume === undefined ? {} : { low: clamp(low, 0, 1) }),
      ...(own.maxShare === undefined && own.maxVolume === undefined ? {} : { high: clamp(high, 0, 1) }),
    }
  }

  /** A new period; what prices have learned stays. */
  function renew(nowMs: number, untilMs = nowMs + periodMs): void {
    began = nowMs
    lasts = untilMs - nowMs
    total = 0
    totalAmount = 0
    payments.fill(0)
    amounts.fill(0)
  }

  /** Volumes of this period as they are known elsewhere. */
  function restore(volumes: readonly { readonly payments: number; readonly amount: number }[]): void {
    total = 0
    totalAmount = 0
    for (const [account, volume] of volumes.entries()) {
      payments[account] = volume.payments
      amounts[account] = volume.amount
      total += volume.payments
      totalAmount += volume.amount
    }
  }

  return {
    isCapped,
    observe,
    renew,
    restore,
    /** Other terms: volumes and prices stay, but where nothing is owed any more there is no price. */
    owe(terms: readonly (Commitment | undefined)[]): void {
      owed = terms
      for (const [account, own] of terms.entries())
        if (own === undefined) {
          behind[account] = 0
          ahead[account] = 0
        }
    },
    began: (): number => began,
    priceOf: (account: number): number => behind[account]! + ahead[account]!,
    volumeOf,
    /** What is left of its cap, in its unit; undefined without one. */
    leftOf(account: number): number | undefined {
      const max = owed[account]?.maxVolume
      return max === undefined ? undefined : Math.max(0, max - volumeOf(account))
    },
  }
}
