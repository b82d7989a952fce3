// The budget of exploration: a bounded share of traffic that is spent on accounts which are not the best estimate, where
// it can still pay. Tokens come with every payment and leave with every exploration, so the bound holds at all times, and
// what settled segments do not need is spent in those that are open.

/** Of all payments, by default (routing.md §7.5; rivals use 5–30 %). */
export const EXPLORATION_SHARE = 0.015
/** Of the payments of one open segment at most, so that no segment carries it all. */
const SHARE_OF_SEGMENT = 0.1
/** Unspent exploration that is kept, in payments' worth: a day without open segments buys no burst. */
const KEPT_PAYMENTS = 20_000
/**
 * Cold start: half of the exploration of a week is advanced, because what is learned early serves longest, and half of what
 * comes in repays it. So the bound holds over the first week and over every longer stretch.
 */
const ADVANCE = 0.5
/** Payments a week, where the merchant's volume is not told: better too few than too many. */
export const PAYMENTS_PER_WEEK = 60_000
/** The chance is scaled by tokens over this many, so that the budget is neither hoarded nor gone at once. */
const FULL_AT = 50
/** Payments over which the usual benefit is known. */
const MEAN_OF = 2_000

/** The budget as a value: what it holds once this payment has brought its token. */
export type BudgetReading = {
  readonly share: number
  readonly tokens: number
  /** Mean square of what exploring could have gained, over so many payments. */
  readonly usual: number
  readonly seen: number
}

/**
 * The chance to explore with a payment, in proportion to the square of what could be gained by it: both what an outcome
 * tells and what knowing is worth grow with p(1−p).
 */
export function explorationChance(budget: BudgetReading, allowed: boolean, benefit: number): number {
  const { share, tokens } = budget
  if (!allowed || benefit <= 0 || tokens < 1) return 0
  const { usual } = withBenefit(budget, benefit)
  return Math.min(SHARE_OF_SEGMENT, (share + (SHARE_OF_SEGMENT * tokens) / FULL_AT) * (benefit ** 2 / usual))
}

function withBenefit({ usual, seen }: BudgetReading, benefit: number): Pick<BudgetReading, "usual" | "seen"> {
  return { usual: usual + (benefit ** 2 - usual) / Math.min(seen + 1, MEAN_OF), seen: seen + 1 }
}

export type Exploration = ReturnType<typeof createExploration>

export function createExploration(share = EXPLORATION_SHARE, perWeek = PAYMENTS_PER_WEEK) {
  const advance = share * perWeek * ADVANCE
  const most = Math.max(advance, KEPT_PAYMENTS * share)
  let tokens = advance
  let owed = tokens
  let usual = 0
  let seen = 0
  const repaid = (): number => Math.min(owed, share / 2)
  const read = (): BudgetReading => ({ share, tokens: Math.min(tokens + share - repaid(), most), usual, seen })
  return {
    share,
    read,
    /** A payment passed by. One that may not explore brings its token too. */
    passed(allowed: boolean, benefit: number): void {
      const budget = read()
      owed -= repaid()
      tokens = budget.tokens
      if (allowed && benefit > 0) ({ usual, seen } = withBenefit(budget, benefit))
    },
    spent(): void {
      tokens -= 1
    },
  }
}
