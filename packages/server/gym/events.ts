// What goes wrong in a week: outages of providers, of issuers, and jumps of configuration (routing.md §3.5, §7.1, and the
// pilot's frequencies of §7.6, which exaggerate outages on purpose). In the adversarial world they strike whom and when it
// hurts most.

import type { Random } from "./random.ts"

export type Outage = {
  readonly kind: "hard" | "gray" | "silent" | "slow"
  readonly provider: number
  readonly fromMs: number
  readonly untilMs: number
  /** Down in turns of this length (flapping), or 0: all the time. */
  readonly flapMs: number
  /** −1: all. */
  readonly network: number
  readonly country: number
  readonly challengedOnly: boolean
}

export type IssuerOutage = {
  readonly country: number
  /** −1: the whole country. */
  readonly issuer: number
  readonly fromMs: number
  readonly untilMs: number
}

export type Jump = {
  readonly provider: number
  readonly country: number
  readonly atMs: number
  readonly logit: number
}

export type Events = {
  readonly outages: readonly Outage[]
  readonly issuerOutages: readonly IssuerOutage[]
  readonly jumps: readonly Jump[]
}

export type EventScene = {
  readonly random: Random
  readonly providers: number
  readonly networks: number
  readonly endMs: number
  /** Countries by share of traffic. */
  readonly pickCountry: () => number
  readonly largestIssuerOf: (country: number) => number
  readonly adversarial: boolean
  /** The provider that is best for most traffic: the adversary's target. */
  readonly target: number
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** Mean time between outages per provider, and median length in minutes; lengths are log-normal. */
const outageKinds = {
  hard: { everyMs: 4 * DAY_MS, minutes: 25 },
  gray: { everyMs: 3 * DAY_MS, minutes: 40 },
  silent: { everyMs: 3 * DAY_MS, minutes: 60 },
  slow: { everyMs: 4 * DAY_MS, minutes: 30 },
} as const
const LENGTH_SIGMA = 0.85
const LONGEST_MS = 8 * 3_600_000
const ISSUER_OUTAGE_EVERY_MS = 1.5 * DAY_MS
const ISSUER_OUTAGE_MINUTES = 40
/** A provider's configuration changes for a country, for better or worse. */
const JUMP_EVERY_MS = 3 * DAY_MS
const JUMP_SD = 0.25
const FLAP_MS = 5 * MINUTE_MS
/** The adversary strikes between 17 and 21 h. */
const PEAK_HOUR = 17

export function createEvents(scene: EventScene): Events {
  return {
    outages: outagesOf(scene),
    issuerOutages: issuerOutagesOf(scene),
    jumps: jumpsOf(scene),
  }
}

function outagesOf(scene: EventScene): Outage[] {
  const { random, adversarial } = scene
  const outages: Outage[] = []
  for (let provider = 0; provider < scene.providers; provider++)
    for (const kind of ["hard", "gray", "silent", "slow"] as const) {
      const { everyMs, minutes } = outageKinds[kind]
      for (let at = random.exponential(everyMs); at < scene.endMs; at += random.exponential(everyMs)) {
        const length = Math.min(random.logNormal(minutes * MINUTE_MS, LENGTH_SIGMA), LONGEST_MS)
        const from = adversarial ? atPeak(at, random) : at
        const node = random.next()
        outages.push({
          kind,
          provider: adversarial && random.next() < 0.5 ? scene.target : provider,
          fromMs: from,
          untilMs: from + length,
          flapMs: random.next() < (adversarial ? 0.5 : 0.1) ? FLAP_MS : 0,
          // Gray: one network, one of the provider's nodes (all of it), or challenges alone.
          network: kind === "gray" && node < 1 / 3 ? random.whole(scene.networks) : -1,
          country: kind === "silent" ? scene.pickCountry() : -1,
          challengedOnly: kind === "gray" && node > 2 / 3,
        })
      }
    }
  return outages
}

function issuerOutagesOf({ random, endMs, pickCountry, largestIssuerOf }: EventScene): IssuerOutage[] {
  const outages: IssuerOutage[] = []
  for (
    let at = random.exponential(ISSUER_OUTAGE_EVERY_MS);
    at < endMs;
    at += random.exponential(ISSUER_OUTAGE_EVERY_MS)
  ) {
    const country = pickCountry()
    outages.push({
      country,
      issuer: random.next() < 0.5 ? largestIssuerOf(country) : -1,
      fromMs: at,
      untilMs: at + Math.min(random.logNormal(ISSUER_OUTAGE_MINUTES * MINUTE_MS, LENGTH_SIGMA), LONGEST_MS),
    })
  }
  return outages
}

function jumpsOf({ random, providers, endMs, pickCountry, adversarial, target }: EventScene): Jump[] {
  const jumps: Jump[] = []
  const every = adversarial ? JUMP_EVERY_MS / 2 : JUMP_EVERY_MS
  for (let provider = 0; provider < providers; provider++)
    for (let at = random.exponential(every); at < endMs; at += random.exponential(every)) {
      const logit = JUMP_SD * random.normal()
      // The adversary takes from the best and gives to the others, at the peak.
      const worse = provider === target ? -1 : 1
      jumps.push({
        provider,
        country: pickCountry(),
        atMs: adversarial ? atPeak(at, random) : at,
        logit: adversarial ? worse * Math.abs(logit) * 1.5 : logit,
      })
    }
  return jumps.sort((a, b) => a.atMs - b.atMs)
}

function atPeak(atMs: number, random: Random): number {
  return Math.floor(atMs / DAY_MS) * DAY_MS + (PEAK_HOUR + 4 * random.next()) * 3_600_000
}

export function isDown(
  { fromMs, untilMs, flapMs }: Pick<Outage, "fromMs" | "untilMs" | "flapMs">,
  atMs: number,
): boolean {
  if (atMs < fromMs || atMs >= untilMs) return false
  return flapMs === 0 || Math.floor((atMs - fromMs) / flapMs) % 2 === 0
}
