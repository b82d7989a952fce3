// What each account did lately, in all: for people who look, and for conditions that ask. No decision is learned from it.

/** An outcome counts half after this time. */
const HALF_LIFE_MS = 15 * 60_000
/** With fewer outcomes than this nothing is said. */
const FEWEST = 20

export type RecentRates = { readonly successRate?: number; readonly technicalFailureRate?: number }

export function createRecentRates(size: number) {
  const paid = new Float64Array(size)
  const judged = new Float64Array(size)
  const technical = new Float64Array(size)
  const all = new Float64Array(size)
  const atMs = new Float64Array(size)

  function fade(account: number, nowMs: number): void {
    const factor = 2 ** (-Math.max(0, nowMs - atMs[account]!) / HALF_LIFE_MS)
    for (const counts of [paid, judged, technical, all]) counts[account]! *= factor
    atMs[account] = Math.max(nowMs, atMs[account]!)
  }

  return {
    /** `isPaid` undefined: nobody judged the payment. */
    observe(account: number, isTechnical: boolean, isPaid: boolean | undefined, nowMs: number): void {
      fade(account, nowMs)
      all[account]! += 1
      if (isTechnical) technical[account]! += 1
      if (isPaid === undefined) return
      judged[account]! += 1
      if (isPaid) paid[account]! += 1
    },
    of(account: number, nowMs: number): RecentRates {
      fade(account, nowMs)
      return {
        ...(judged[account]! < FEWEST ? {} : { successRate: paid[account]! / judged[account]! }),
        ...(all[account]! < FEWEST ? {} : { technicalFailureRate: technical[account]! / all[account]! }),
      }
    },
  }
}
