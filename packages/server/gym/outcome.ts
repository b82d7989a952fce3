// How an attempt ends. The cardholder's state is shared by all providers: mostly a card that is declined at one is declined
// everywhere; a small part of declines is one acquirer's luck, and another provider may be paid (routing.md §4: about a
// quarter of declines are soft, and 20–38 % of those are recovered elsewhere).

import type { Ending, Previous } from "../src/routing/signals/observation.ts"
import { chanceOf } from "./random.ts"
import type { World } from "./world.ts"

export type Attempted = {
  readonly ending: Ending
  /** What a retry would be told about this attempt; undefined where it was paid. */
  readonly previous: Previous | undefined
  readonly latencyMs: number
  /** When the outcome is known, after the payment's own time. */
  readonly knownAfterMs: number
}

/** Payments whose verdict is drawn per provider, not shared: 7 % of declines, of which 88 % are paid elsewhere. */
const OWN_VERDICT = 0.07
/** Shared declines that read as soft all the same: together with the above 25 % of declines are soft. */
const SHARED_SOFT = 0.2
/** Error codes that name the wrong class (routing.md §7.1: 5–20 %). */
const MISLABELLED = 0.1
const LABELLED_ISSUER = 0.8
/** Outages (and single failures) that answer with silence instead of errors. */
const TIMEOUTS = 0.3
const LATENCY_MEDIAN_MS = 800
const SLOW_TIMES = 6
const TIMEOUT_MS = 20_000
const CHALLENGE_FROM_MS = 30_000
const CHALLENGE_UNTIL_MS = 300_000
/** Answers that come by a late webhook only. */
const LATE = 0.01
const LATE_MS = 10 * 60_000

const dice = {
  technical: 0,
  own: 1,
  shared: 2,
  verdict: 3,
  soft: 4,
  label: 5,
  issuer: 6,
  latency: 7,
  challenge: 8,
  late: 9,
} as const
/** Purposes of a second attempt at other dice for what is the attempt's own luck. */
const ALL_PROVIDERS = 99

export function attempt(world: World, payment: number, provider: number): Attempted {
  const { seed } = world.input
  const at = payment * world.providers + provider
  const own = (purpose: number): number => chanceOf(seed, payment, provider, purpose)
  const shared = (purpose: number): number => chanceOf(seed, payment, ALL_PROVIDERS, purpose)
  const timing = timingOf(world, payment, provider, own, shared)
  if (own(dice.technical) < world.technical[at]!) {
    if (own(dice.label) < MISLABELLED) return { ending: "not_paid", previous: "soft_decline", ...timing }
    const silent = isSilence(world.outageAt[at]!, own(dice.verdict))
    return {
      ending: "technical",
      previous: "technical",
      latencyMs: silent ? TIMEOUT_MS : timing.latencyMs,
      knownAfterMs: silent ? TIMEOUT_MS : timing.latencyMs,
    }
  }
  if (shared(dice.issuer) < world.issuerDown[payment]!)
    return own(dice.label) < LABELLED_ISSUER
      ? { ending: "issuer_technical", previous: "technical", ...timing }
      : { ending: "not_paid", previous: "soft_decline", ...timing }
  const isOwn = shared(dice.own) < OWN_VERDICT
  const verdict = isOwn ? own(dice.verdict) : shared(dice.shared)
  if (verdict < world.paid[at]!) return { ending: "paid", previous: undefined, ...timing }
  const outage = world.events.outages[world.outageAt[at]!]
  const isSoft = isOwn || outage?.kind === "silent" || shared(dice.soft) < SHARED_SOFT
  const told = own(dice.label) < MISLABELLED ? !isSoft : isSoft
  return { ending: "not_paid", previous: told ? "soft_decline" : "decline", ...timing }
}

/** An outage is of one kind: errors at once, or silence until the time limit. Single failures are of either. */
function isSilence(outage: number, die: number): boolean {
  return outage < 0 ? die < TIMEOUTS : (outage * 7 + 3) % 10 < TIMEOUTS * 10
}

function timingOf(
  world: World,
  payment: number,
  provider: number,
  own: (purpose: number) => number,
  shared: (purpose: number) => number,
): Pick<Attempted, "latencyMs" | "knownAfterMs"> {
  // Close to log-normal with sigma 0.4, from one uniform number (logistic).
  const u = Math.min(Math.max(own(dice.latency), 1e-6), 1 - 1e-6)
  let latencyMs = LATENCY_MEDIAN_MS * Math.exp(0.4 * 0.55 * Math.log(u / (1 - u)))
  const now = world.atMs[payment]!
  for (const outage of world.events.outages)
    if (outage.kind === "slow" && outage.provider === provider && now >= outage.fromMs && now < outage.untilMs)
      latencyMs = Math.min(latencyMs * SLOW_TIMES, TIMEOUT_MS - 1)
  let knownAfterMs = latencyMs
  if (world.challenged[payment] === 1)
    knownAfterMs += CHALLENGE_FROM_MS + shared(dice.challenge) * (CHALLENGE_UNTIL_MS - CHALLENGE_FROM_MS)
  if (own(dice.late) < LATE) knownAfterMs += LATE_MS
  return { latencyMs, knownAfterMs }
}
