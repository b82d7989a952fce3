// The budget of exploration: a bounded share of traffic that is spent on accounts which are not the best estimate, where
// it can still pay. Tokens come with every payment and leave with every exploration, so the bound holds at all times, and
// what settled segments do not need is spent in those that are open.

/** Of all payments, by default (routing.md §7.5; rivals use 5–30 %). */
export const EXPLORATION_SHARE = 0.015
/** Of the payments of one open segment at most, so that no segment carries it all. */
const SHARE_OF_SEGMENT = 0.1
/** Unspent exploration that is kept, in payments' worth: a day without open segments buys no burst. */
const KEPT_PAYMENTS = 20_000
/** The chance reaches SHARE_OF_SEGMENT with this many tokens. */
const FULL_AT = 50

export type Exploration = ReturnType<typeof createExploration>

export function createExploration(share = EXPLORATION_SHARE) {
  let tokens = 0
  return {
    /** The chance to explore with this payment; a payment that may not explore brings its token all the same. */
    chanceFor(allowed: boolean): number {
      tokens = Math.min(tokens + share, KEPT_PAYMENTS * share)
      return allowed && tokens >= 1 ? Math.min(SHARE_OF_SEGMENT, share + (SHARE_OF_SEGMENT * tokens) / FULL_AT) : 0
    },
    spent(): void {
      tokens -= 1
    },
  }
}
