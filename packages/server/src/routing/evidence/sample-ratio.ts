// Whether units arrive in the arms as often as they should, looked at whenever one likes. Arms that do not are a sign that
// assignment or counting is broken, and then no comparison of them means anything.
//
// The evidence is the Bayes factor of a Dirichlet-multinomial mixture against the wanted shares, which is a martingale that
// begins at one while the shares hold; it passes 1/alpha, ever, with at most the chance alpha (Lindon and Malek, "Anytime-valid
// inference for multinomial count data", NeurIPS 2022, first as "Sequential testing of multinomial hypotheses", 2020).

import { logGamma } from "./log-gamma.ts"

export type SampleRatio = {
  /** ln of the evidence against the wanted shares. */
  readonly logEvidence: number
  readonly isBroken: boolean
}

/** Chance of an alarm, ever, while all is well: an alarm stops the experiment, so it should be rare. */
export const SAMPLE_RATIO_ALPHA = 0.001
/** The mixture's weight around the wanted shares, in units: tight for errors of a tenth of a share and less. */
const CONCENTRATION = 100

/** `counts` and `shares` arm by arm; shares sum up to one. */
export function sampleRatio(
  counts: readonly number[],
  shares: readonly number[],
  alpha = SAMPLE_RATIO_ALPHA,
): SampleRatio {
  if (counts.length !== shares.length) throw new RangeError("counts and shares are of different arms")
  const total = counts.reduce((sum, count) => sum + count, 0)
  let logEvidence = logGamma(CONCENTRATION) - logGamma(CONCENTRATION + total)
  for (let arm = 0; arm < counts.length; arm++) {
    const share = shares[arm]!
    if (!(share > 0)) throw new RangeError(`an arm's share is above 0: ${share}`)
    const prior = CONCENTRATION * share
    logEvidence += logGamma(prior + counts[arm]!) - logGamma(prior) - counts[arm]! * Math.log(share)
  }
  return { logEvidence, isBroken: logEvidence >= Math.log(1 / alpha) }
}
