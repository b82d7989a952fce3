// A week of payments and everything that is true about them: who pays with which card when, and with what chance each
// provider would be paid. Drawn once per seed and shared by all policies, with the dice of every outcome (common random
// numbers), so that two policies differ by their choices alone. A policy sees none of it but `Seen`.
//
// Numbers are routing.md §7.1's: 500 issuers by power law, 3 networks × 8 countries = 24 segments, effects of a provider
// overall, per network, country, segment and issuer with standard deviations of 0.08–0.12 logits, drift over a day,
// jumps, seasons, challenges with late outcomes. They were set once so that the oracle's headroom over the best single
// provider is the 1.7–2.1 points of §7.5, before any policy ran.

import { createEvents, isDown, type Events, type IssuerOutage, type Outage } from "./events.ts"
import { chanceOf, createRandom, pickBySum, type Random } from "./random.ts"

export type WorldName = "calibrated" | "adversarial"
export type WorldInput = {
  readonly name: WorldName
  readonly volume: number
  readonly seed: number
  readonly days?: number
}

export const PROVIDERS = 4
export const NETWORKS = ["visa", "mastercard", "amex"] as const
export const COUNTRIES = ["DE", "FR", "GB", "ES", "IT", "NL", "PL", "SE"] as const
export const SEGMENTS = NETWORKS.length * COUNTRIES.length
const ISSUERS = 500
const DAY_MS = 86_400_000
export const WEEK_MS = 7 * DAY_MS

/** Standard deviations in logits. */
const sd = {
  issuer: 0.45,
  issuerDrift: 0.15,
  overall: 0.1,
  network: 0.08,
  country: 0.1,
  segment: 0.1,
  own: 0.1,
  drift: 0.08,
}
const BASE_LOGIT = 2.1
const networkLogit = [0, 0.05, -0.15] as const
const networkShares = [0.52, 0.36, 0.12] as const
/** Power laws: country c has weight 1/(c+1)^0.8, issuer i 1/(i+1)^1.05. */
const COUNTRY_POWER = 0.8
const ISSUER_POWER = 1.05
const SEASON_LOGIT = 0.08
/** Steps of the drift (Ornstein–Uhlenbeck with a time constant of a day). */
const DRIFT_STEP_MS = 3_600_000
const FLASH_PEAKS = 3
const USUAL_TECHNICAL = [0.003, 0.009] as const
const TECHNICAL = { hard: 0.92, gray: 0.4 } as const
const SILENT_DROP = 0.25
const ISSUER_OUTAGE_FAILS = 0.6
const CHALLENGED = 0.2
const ABANDONED = 0.06
const MERCHANT_INITIATED = 0.1

export type World = {
  readonly input: WorldInput
  readonly count: number
  readonly endMs: number
  readonly providers: number
  readonly atMs: Float64Array
  readonly issuer: Uint16Array
  readonly network: Uint8Array
  readonly country: Uint8Array
  readonly amount: Float32Array
  readonly challenged: Uint8Array
  readonly merchantInitiated: Uint8Array
  /** Chances by payment × provider: of a technical failure, and of being paid if there is none. */
  readonly technical: Float32Array
  readonly paid: Float32Array
  /** Of the payment: the issuer's outage as a chance to fail whatever the provider. */
  readonly issuerDown: Float32Array
  /** The index of the outage that the payment would meet at the provider, or −1; and of the issuer's, or −1. */
  readonly outageAt: Int16Array
  readonly issuerOutageAt: Int16Array
  readonly events: Events
}

/** Chance to be paid at the first attempt: what policies are compared by. */
export function chance(world: World, payment: number, provider: number): number {
  const at = payment * world.providers + provider
  return (1 - world.technical[at]!) * (1 - world.issuerDown[payment]!) * world.paid[at]!
}

export function createWorld(input: WorldInput): World {
  const random = createRandom(input.seed * 7_919 + (input.name === "adversarial" ? 1 : 0))
  const endMs = (input.days ?? 7) * DAY_MS
  const count = Math.round((input.volume * endMs) / WEEK_MS)
  const people = drawIssuers(random)
  const effects = drawEffects(random, endMs)
  const target = bestOverall(effects, people)
  const events = createEvents({
    random,
    providers: PROVIDERS,
    networks: NETWORKS.length,
    endMs,
    pickCountry: () => pickBySum(people.countrySums, random.next()),
    largestIssuerOf: (country) => people.country.indexOf(country),
    adversarial: input.name === "adversarial",
    target,
  })
  const atMs = drawTimes(random, count, endMs)
  const world: World = {
    input,
    count,
    endMs,
    providers: PROVIDERS,
    atMs,
    issuer: new Uint16Array(count),
    network: new Uint8Array(count),
    country: new Uint8Array(count),
    amount: new Float32Array(count),
    challenged: new Uint8Array(count),
    merchantInitiated: new Uint8Array(count),
    technical: new Float32Array(count * PROVIDERS),
    paid: new Float32Array(count * PROVIDERS),
    issuerDown: new Float32Array(count),
    outageAt: new Int16Array(count * PROVIDERS).fill(-1),
    issuerOutageAt: new Int16Array(count).fill(-1),
    events,
  }
  fill(world, random, people, effects)
  return world
}

type People = ReturnType<typeof drawIssuers>

function drawIssuers(random: Random) {
  const sums = new Float64Array(ISSUERS)
  const country = new Uint8Array(ISSUERS)
  const networkSums: Float64Array[] = []
  const logit = new Float64Array(ISSUERS)
  const countrySums = summed(COUNTRIES.map((_, c) => 1 / (c + 1) ** COUNTRY_POWER))
  let total = 0
  for (let i = 0; i < ISSUERS; i++) {
    total += 1 / (i + 1) ** ISSUER_POWER
    sums[i] = total
    country[i] = pickBySum(countrySums, random.next())
    // Each issuer prefers a network.
    const preferred = pickBySum(summed(networkShares), random.next())
    networkSums.push(summed(networkShares.map((share, n) => share * 0.4 + (n === preferred ? 0.6 : 0))))
    logit[i] = sd.issuer * random.normal()
  }
  return { sums, country, networkSums, logit, countrySums }
}

function drawEffects(random: Random, endMs: number) {
  const draw = (length: number, spread: number): Float64Array =>
    Float64Array.from({ length }, () => spread * random.normal())
  const steps = Math.ceil(endMs / DRIFT_STEP_MS) + 1
  return {
    overall: draw(PROVIDERS, sd.overall),
    network: draw(PROVIDERS * NETWORKS.length, sd.network),
    country: draw(PROVIDERS * COUNTRIES.length, sd.country),
    segment: draw(PROVIDERS * SEGMENTS, sd.segment),
    issuer: draw(PROVIDERS * ISSUERS, sd.own),
    /** By step, then provider × segment. */
    drift: drawDrift(random, steps, PROVIDERS * SEGMENTS, sd.drift),
    issuerDrift: drawDrift(random, steps, ISSUERS, sd.issuerDrift),
  }
}
type Effects = ReturnType<typeof drawEffects>

function drawDrift(random: Random, steps: number, width: number, spread: number): Float32Array {
  const drift = new Float32Array(steps * width)
  const keep = Math.exp(-DRIFT_STEP_MS / DAY_MS)
  const push = spread * Math.sqrt(1 - keep * keep)
  for (let i = 0; i < width; i++) drift[i] = spread * random.normal()
  for (let at = width; at < drift.length; at++) drift[at] = keep * drift[at - width]! + push * random.normal()
  return drift
}

function bestOverall({ overall, country }: Effects, { countrySums }: People): number {
  let best = 0
  const worth = Array.from({ length: PROVIDERS }, (_, k) => {
    let sum = overall[k]! * countrySums[COUNTRIES.length - 1]!
    for (let c = 0; c < COUNTRIES.length; c++)
      sum += country[k * COUNTRIES.length + c]! * (countrySums[c]! - (countrySums[c - 1] ?? 0))
    return sum
  })
  for (let k = 1; k < PROVIDERS; k++) if (worth[k]! > worth[best]!) best = k
  return best
}

/** Times by an intensity that follows day and week, with a few flash peaks of five times as many. */
function drawTimes(random: Random, count: number, endMs: number): Float64Array {
  const cell = 60_000
  const flashes = Array.from({ length: FLASH_PEAKS }, () => random.next() * endMs)
  const sums = summed(
    Array.from({ length: Math.ceil(endMs / cell) }, (_, i) => {
      const at = i * cell
      const hour = (at / 3_600_000) % 24
      const weekend = Math.floor(at / DAY_MS) % 7 >= 5 ? 0.85 : 1
      const flash = flashes.some((f) => at >= f && at < f + 15 * 60_000) ? 5 : 1
      return flash * weekend * (1 - 0.65 * Math.cos(((hour - 4) / 24) * 2 * Math.PI))
    }),
  )
  const times = new Float64Array(count)
  for (let i = 0; i < count; i++) times[i] = (pickBySum(sums, random.next()) + random.next()) * cell
  return times.sort()
}

function fill(world: World, random: Random, people: People, effects: Effects): void {
  const { events, count } = world
  const usual = Array.from(
    { length: PROVIDERS },
    () => USUAL_TECHNICAL[0] + random.next() * (USUAL_TECHNICAL[1] - USUAL_TECHNICAL[0]),
  )
  const jumped = new Float64Array(PROVIDERS * COUNTRIES.length)
  let nextJump = 0
  for (let i = 0; i < count; i++) {
    const at = world.atMs[i]!
    for (; nextJump < events.jumps.length && events.jumps[nextJump]!.atMs <= at; nextJump++) {
      const { provider, country, logit } = events.jumps[nextJump]!
      jumped[provider * COUNTRIES.length + country]! += logit
    }
    const issuer = pickBySum(people.sums, random.next())
    const country = people.country[issuer]!
    const network = pickBySum(people.networkSums[issuer]!, random.next())
    const segment = network * COUNTRIES.length + country
    world.issuer[i] = issuer
    world.country[i] = country
    world.network[i] = network
    world.amount[i] = random.logNormal(45, 0.9)
    world.merchantInitiated[i] = random.next() < MERCHANT_INITIATED ? 1 : 0
    world.challenged[i] =
      world.merchantInitiated[i] === 0 && random.next() < CHALLENGED / (1 - MERCHANT_INITIATED) ? 1 : 0
    const step = Math.floor(at / DRIFT_STEP_MS)
    const season = SEASON_LOGIT * Math.cos(((at / 3_600_000 - 13) / 24) * 2 * Math.PI)
    const base =
      BASE_LOGIT +
      people.logit[issuer]! +
      networkLogit[network]! +
      season +
      effects.issuerDrift[step * ISSUERS + issuer]!
    const abandoned = world.challenged[i] === 1 ? ABANDONED : 0
    for (let k = 0; k < PROVIDERS; k++) {
      const effect =
        effects.overall[k]! +
        effects.network[k * NETWORKS.length + network]! +
        effects.country[k * COUNTRIES.length + country]! +
        effects.segment[k * SEGMENTS + segment]! +
        effects.issuer[k * ISSUERS + issuer]! +
        effects.drift[(step * PROVIDERS + k) * SEGMENTS + segment]! +
        jumped[k * COUNTRIES.length + country]!
      world.paid[i * PROVIDERS + k] = (1 - abandoned) / (1 + Math.exp(-base - effect))
      world.technical[i * PROVIDERS + k] = usual[k]!
    }
  }
  events.outages.forEach((outage, index) => strike(world, outage, index))
  events.issuerOutages.forEach((outage, index) => strikeIssuer(world, outage, index))
}

function strike(world: World, outage: Outage, index: number): void {
  if (outage.kind === "slow") return
  for (let i = firstAt(world.atMs, outage.fromMs); i < world.count && world.atMs[i]! < outage.untilMs; i++) {
    if (outage.network >= 0 && world.network[i] !== outage.network) continue
    if (outage.country >= 0 && world.country[i] !== outage.country) continue
    if ((outage.challengedOnly && world.challenged[i] === 0) || !isDown(outage, world.atMs[i]!)) continue
    const at = i * world.providers + outage.provider
    if (outage.kind === "silent") world.paid[at] = Math.max(0, world.paid[at]! - SILENT_DROP)
    else world.technical[at] = TECHNICAL[outage.kind]
    world.outageAt[at] = index
  }
}

function strikeIssuer(world: World, outage: IssuerOutage, index: number): void {
  for (let i = firstAt(world.atMs, outage.fromMs); i < world.count && world.atMs[i]! < outage.untilMs; i++)
    if (outage.issuer < 0 ? world.country[i] === outage.country : world.issuer[i] === outage.issuer) {
      world.issuerDown[i] = ISSUER_OUTAGE_FAILS
      world.issuerOutageAt[i] = index
    }
}

/** The first payment at or after a time. */
export function firstAt(atMs: Float64Array, wantedMs: number): number {
  let low = 0
  let high = atMs.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (atMs[middle]! < wantedMs) low = middle + 1
    else high = middle
  }
  return low
}

function summed(weights: readonly number[]): Float64Array {
  const sums = new Float64Array(weights.length)
  let total = 0
  weights.forEach((weight, i) => (sums[i] = total += weight))
  return sums
}

export { chanceOf }
