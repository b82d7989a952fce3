// Which decline codes came more often than before, within a cause: what kind of failure it is, and codes that nobody has
// seen before, which are often the whole answer ("since 14:02 code 1A").

import type { DeclineFault } from "../../core/decline.ts"

export type CodeCount = {
  readonly code: string
  readonly fault: DeclineFault | "engine"
  /** Failures with this code before and now. */
  readonly before: number
  readonly now: number
}

export type Shift = CodeCount & {
  /** Failures beyond those that the code's share of attempts before leads to expect. */
  readonly excess: number
  /** Nats by which the code's rate has changed (Poisson likelihood ratio, one-sided). */
  readonly evidence: number
  readonly isNew: boolean
}

/** Evidence from which a shift is no chance, before it is compared over all codes. */
const MIN_EVIDENCE = 3

/** The codes that came more often, strongest first. `attempts` before and now, of the same slice. */
export function codeShifts(
  codes: readonly CodeCount[],
  attempts: { readonly before: number; readonly now: number },
): readonly Shift[] {
  if (attempts.before <= 0 || attempts.now <= 0) return []
  return codes
    .map((code): Shift => {
      // Half a failure in history that nobody saw: a new code has no rate of zero.
      const expected = ((code.before + 0.5) / attempts.before) * attempts.now
      const excess = code.now - expected
      const evidence = excess <= 0 ? 0 : code.now * Math.log(code.now / expected) - excess
      return { ...code, excess, evidence, isNew: code.before === 0 && code.now > 0 }
    })
    .filter(({ evidence }) => evidence > MIN_EVIDENCE + Math.log(codes.length))
    .toSorted((x, y) => y.excess - x.excess)
}

/** Whose doing the excess is, by the codes alone: the share of each fault. */
export function faultShares(shifts: readonly Shift[]): ReadonlyMap<Shift["fault"], number> {
  const total = shifts.reduce((sum, { excess }) => sum + excess, 0)
  const shares = new Map<Shift["fault"], number>()
  for (const { fault, excess } of shifts) shares.set(fault, (shares.get(fault) ?? 0) + excess / total)
  return shares
}
