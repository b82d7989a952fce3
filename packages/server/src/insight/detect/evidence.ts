// What one minute says for "worse than usual" against "as usual", for several sizes of worse at once, and how evidence adds
// up over minutes.
//
// Shiryaev–Roberts: R ← (1 + R)·Λ, with Λ the minute's likelihood ratio. While nothing has changed, R − t is a martingale, so
// the mean time to R ≥ A is at least A minutes, whatever the stream (Pollak 1985; e-detectors: Shin, Ramdas, Rinaldo 2022).
// A weighted mean of several R keeps that, so one threshold serves small drops and outages alike, within about 15 % of the best
// single window for each (docs/insight.md).
//
// Rates move by more than chance. Λ is therefore taken to the power 1/φ, with φ the minute's variance over a binomial's:
// 1 + (n−1)ρ²/(q(1−q)), ρ the standard deviation of the rate itself (quasi-likelihood, McCullagh and Nelder 1989, §9;
// Laney's p' chart corrects alike).

/** Odds of a failure, against usual. From a few points to an outage. */
export const WORSE = [1.2, 1.5, 2, 3, 5, 8] as const
/** How much each counts in the mean: the small ones wait longest, so they get most; it sums to one. */
export const WEIGHTS = [0.4, 0.3, 0.15, 0.08, 0.05, 0.02] as const
/** Traffic, against usual. */
export const LESS = [0.8, 0.6, 0.4, 0.2, 0.1, 0.02] as const
export const COMPONENTS = WORSE.length

/** Evidence beyond this says nothing more, and numbers stay finite. */
const MAX_EVIDENCE = 1e12

/**
 * φ of a minute with n attempts: the rate moves by ρ from minute to minute, and by `wander` within hours. What wanders stays
 * for a while, so that its minutes add up: two hours' worth, its integrated memory where it lasts about an hour.
 */
export const dispersionOf = (n: number, usual: number, rho: number, wander: number): number =>
  1 + (Math.max(n - 1, 0) * rho * rho + 120 * n * wander * wander) / (usual * (1 - usual))

/** ln Λ of k failures in n for one size of worse, deflated by φ. */
export function failureNats(worse: number, k: number, n: number, usual: number, phi: number): number {
  const bad = (worse * usual) / (1 - usual + worse * usual)
  return (k * Math.log(bad / usual) + (n - k) * Math.log((1 - bad) / (1 - usual))) / phi
}

/** ln Λ of n attempts where `usual` are usual: Poisson, its rate moving by the share `rho`. */
export function volumeNats(less: number, n: number, usual: number, rho: number): number {
  const phi = 1 + usual * rho * rho
  return (n * Math.log(less) - usual * (less - 1)) / phi
}

export const accumulate = (evidence: number, nats: number): number =>
  Math.min((1 + evidence) * Math.exp(Math.min(nats, 28)), MAX_EVIDENCE)
