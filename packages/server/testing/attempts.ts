// Attempts for insight's tests: providers, issuers with their BINs, networks and countries, with traffic that is spread over
// providers as routing spreads it, and a fault that a test chooses. Two periods: before, and now.

import type { Counts } from "../src/insight/cause/expectation.ts"
import { leavesOf, type Leaves } from "../src/insight/cause/leaves.ts"
import { createRandom } from "../gym/random.ts"

export type Place = {
  readonly provider: string
  readonly network: string
  readonly issuer: string
  readonly bin: string
  readonly card_country: string
  readonly method: string
}

export type Town = {
  readonly seed: number
  /** Attempts in the period now; before it there were `history` times as many. */
  readonly attempts: number
  readonly history?: number
  /** What multiplies the odds to fail now. */
  readonly odds?: (place: Place) => number
  /** Share of an issuer's traffic by provider now and before, before it is normed. */
  readonly shares?: (place: Place, now: boolean) => number
}

const providers = ["adyen", "checkout", "stripe"]
const countries = ["BR", "DE", "FR", "GB", "US"]
const BINS_PER_COUNTRY = 6

export function attemptsOf({ seed, attempts, history = 8, odds = () => 1, shares = () => 1 }: Town): {
  readonly leaves: Leaves
  readonly counts: Counts
} {
  const random = createRandom(seed)
  const places: Place[] = []
  const weights: { readonly now: number; readonly before: number; readonly rate: number }[] = []
  for (const [c, card_country] of countries.entries()) {
    for (let b = 0; b < BINS_PER_COUNTRY; b++) {
      const network = b % 3 === 0 ? "mastercard" : "visa"
      const [issuer, bin] = [`bank_${card_country}_${b >> 1}`, `4${c}${b}000`]
      const size = random.logNormal(1, 0.7)
      const rate = 0.08 + 0.1 * random.next()
      for (const method of ["card", "network_token"]) {
        const at = providers.map((provider): Place => ({ provider, network, issuer, bin, card_country, method }))
        const share = (now: boolean): readonly number[] => {
          const raw = at.map((place) => shares(place, now))
          const total = raw.reduce((sum, value) => sum + value, 0)
          return raw.map((value) => value / total)
        }
        const [now, before] = [share(true), share(false)]
        for (const [p, place] of at.entries()) {
          places.push(place)
          weights.push({ now: size * now[p]!, before: size * before[p]!, rate })
        }
      }
    }
  }
  const total = (of: "now" | "before"): number => weights.reduce((sum, weight) => sum + weight[of], 0)
  const [totalNow, totalBefore] = [total("now"), total("before")]
  const counts = { n: [] as number[], f: [] as number[], n0: [] as number[], f0: [] as number[] }
  for (const [leaf, place] of places.entries()) {
    const { now, before, rate } = weights[leaf]!
    const [n, n0] = [poisson((attempts * now) / totalNow), poisson((attempts * history * before) / totalBefore)]
    const bad = (rate / (1 - rate)) * odds(place)
    counts.n.push(n)
    counts.f.push(binomial(n, bad / (1 + bad)))
    counts.n0.push(n0)
    counts.f0.push(binomial(n0, rate))
  }
  const names = ["provider", "network", "issuer", "bin", "card_country", "method"] as const
  return {
    leaves: leavesOf(
      names,
      places.map((place) => names.map((name) => place[name])),
    ),
    counts: {
      n: Float64Array.from(counts.n),
      f: Float64Array.from(counts.f),
      n0: Float64Array.from(counts.n0),
      f0: Float64Array.from(counts.f0),
    },
  }

  function poisson(mean: number): number {
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()))
  }
  function binomial(n: number, p: number): number {
    let k = 0
    for (let i = 0; i < n; i++) if (random.next() < p) k++
    return k
  }
}
