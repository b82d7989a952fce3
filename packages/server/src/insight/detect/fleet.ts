// All slices of a merchant, watched minute by minute: failures among attempts (or any share: technical failures, pending
// attempts, answers slower than usual, fallbacks). One array of numbers, some forty per slice, so that 5,000 slices are a
// megabyte and a minute of them a few milliseconds. Pure: minutes come in, alarms go out.
//
//   watching → alarmed     the evidence crosses the slice's share of the merchant's false-alarm budget (budget.ts)
//   alarmed → watching     the evidence for "as usual again" is as clear, and ten minutes have passed
//
// While alarmed nothing is learned for a day, and the evidence for recovery is gathered against the size of worse that fits
// best.

import assert from "node:assert/strict"
import {
  closeHour,
  createProfile,
  forgetRecent,
  HOURS_PER_WEEK,
  learnHour,
  notice,
  USUAL_SIZE,
  usualOf,
  type Profile,
} from "./baseline.ts"
import { DEFAULT_BUDGET, layerOf, LAYERS, thresholdOf } from "./budget.ts"
import { accumulate, COMPONENTS, dispersionOf, failureNats, WEIGHTS, WORSE } from "./evidence.ts"

export const MAX_SLICES = 5_000
export const MAX_PROFILES = 64
/** Evidence at which it is as usual again, and minutes that an alarm lasts at least. */
const RECOVERED = 1_000
const MIN_ALARM_MINUTES = 10
/** A slice that has not been seen for so many hours does not know what is usual, and raises no alarm. History may be fed in. */
const YOUNG_HOURS = 168
/** What lasts longer is learned: it is usual by now, whatever became of the incident. */
const MAX_ALARM_MINUTES = 1_440
/** The sizes of worse whose cumulative sums date the onset: that of a small change says little about a large one. */
const ONSETS = [1, 3] as const

export type Slice = {
  readonly name: string
  /** How many dimensions it fixes. */
  readonly fixed: number
  /** Slices with the same profile share their hours of the week. */
  readonly profile?: number
}

export type Alarm = {
  readonly kind: "alarm" | "recovery"
  readonly slice: number
  readonly minute: number
  /** Minute in which it began, as far as it can be told; of a recovery, the minute of its alarm. */
  readonly onset: number
  readonly evidence: number
  readonly threshold: number
  /** Usual rate of failures, and the one since the onset. */
  readonly usual: number
  readonly observed: number
}

export type FleetOptions = {
  /** False incidents a week, over all slices. */
  readonly perWeek?: number
  /** A first guess of the rate of failures. */
  readonly rate?: number
}

// A slice's numbers: evidence per size of worse, what is usual, and these.
const USUAL = COMPONENTS
const SINCE = USUAL + USUAL_SIZE
const COLUMN = {
  alarmed: SINCE,
  component: SINCE + 1,
  recovery: SINCE + 2,
  since: SINCE + 3,
  hour: SINCE + 4,
  age: SINCE + 5,
  onsets: SINCE + 6,
  size: SINCE + 6 + ONSETS.length * 4,
} as const
// Of each cumulative sum: itself, when it last rose from zero, and attempts and failures since.
const [SUM, ONSET, ATTEMPTS, FAILURES] = [0, 1, 2, 3] as const

export type Fleet = ReturnType<typeof createFleet>

export function createFleet(slices: readonly Slice[], { perWeek = DEFAULT_BUDGET, rate = 0.1 }: FleetOptions = {}) {
  assert(slices.length <= MAX_SLICES, `${slices.length} slices, at most ${MAX_SLICES}: watch the largest`)
  const byLayer = Array.from({ length: LAYERS }, (_, at) => slices.filter(({ fixed }) => layerOf(fixed) === at).length)
  const thresholds = Float64Array.from(slices, ({ fixed }) => thresholdOf(layerOf(fixed), byLayer, perWeek))
  const profileOf = Int32Array.from(slices, ({ profile = 0 }) => profile)
  assert(
    profileOf.every((at) => at >= 0 && at < MAX_PROFILES),
    `at most ${MAX_PROFILES} profiles`,
  )
  const profiles: Profile[] = []
  for (let at = 0; at <= profileOf.reduce((x, y) => Math.max(x, y), 0); at++) profiles.push(createProfile(rate))
  const coarsest = profiles.map((_, at) =>
    slices.reduce((least, { fixed, profile = 0 }) => (profile === at ? Math.min(least, fixed) : least), Infinity),
  )
  const state = new Float64Array(slices.length * COLUMN.size)
  for (const slice of slices.keys()) state[slice * COLUMN.size + COLUMN.hour] = -1

  return { observe, isAlarmed, usual, bytes: state.byteLength }

  /** k failures among n attempts of a slice in a minute (since the epoch). Minutes of a slice come in order. */
  function observe(slice: number, minute: number, n: number, k: number): Alarm | undefined {
    assert(k >= 0 && k <= n, `${k} of ${n}`)
    const at = slice * COLUMN.size
    const hour = Math.floor(minute / 60)
    if (state[at + COLUMN.hour] !== hour) turnHour(slice, hour)
    if (n === 0) return undefined
    const profile = profiles[profileOf[slice]!]!
    const known = usualOf(state, at + USUAL, profile, hourOfWeek(hour))
    notice(state, at + USUAL, k, n, profile.rates[hourOfWeek(hour)]!, known.rate)
    if (state[at + COLUMN.age]! < YOUNG_HOURS) return undefined
    const phi = dispersionOf(n, known.rate, known.rho, known.wander)
    for (const [place, j] of ONSETS.entries())
      dateOnset(at + COLUMN.onsets + 4 * place, minute, n, k, failureNats(WORSE[j], k, n, known.cautious, phi))
    return state[at + COLUMN.alarmed] === 1
      ? recover(slice, minute, n, k, known.rate, phi)
      : alarm(slice, minute, n, k, known.cautious, phi)
  }

  function alarm(slice: number, minute: number, n: number, k: number, usual: number, phi: number): Alarm | undefined {
    const at = slice * COLUMN.size
    let [sum, best] = [0, 0]
    for (let j = 0; j < COMPONENTS; j++) {
      const evidence = accumulate(state[at + j]!, failureNats(WORSE[j]!, k, n, usual, phi))
      state[at + j] = evidence
      sum += WEIGHTS[j]! * evidence
      if (evidence > state[at + best]!) best = j
    }
    if (sum < thresholds[slice]!) return undefined
    state[at + COLUMN.alarmed] = 1
    state[at + COLUMN.component] = best
    state[at + COLUMN.recovery] = 0
    state[at + COLUMN.since] = minute
    forgetRecent(state, at + USUAL)
    return told("alarm", slice, minute, sum, usual)
  }

  function recover(slice: number, minute: number, n: number, k: number, usual: number, phi: number): Alarm | undefined {
    const at = slice * COLUMN.size
    const worse = WORSE[state[at + COLUMN.component]!]!
    const evidence = accumulate(state[at + COLUMN.recovery]!, -failureNats(worse, k, n, usual, phi))
    state[at + COLUMN.recovery] = evidence
    if (evidence < RECOVERED || minute - state[at + COLUMN.since]! < MIN_ALARM_MINUTES) return undefined
    const over = told("recovery", slice, minute, evidence, usual)
    state[at + COLUMN.alarmed] = 0
    state.fill(0, at, at + COMPONENTS)
    state.fill(0, at + COLUMN.onsets, at + COLUMN.size)
    return over
  }

  /** Page's cumulative sum: it began when the sum last rose from zero. */
  function dateOnset(at: number, minute: number, n: number, k: number, nats: number): void {
    if (state[at + SUM] === 0) {
      if (nats <= 0) return
      state[at + ONSET] = minute
      state[at + ATTEMPTS] = 0
      state[at + FAILURES] = 0
    }
    state[at + SUM] = Math.max(state[at + SUM]! + nats, 0)
    state[at + ATTEMPTS]! += n
    state[at + FAILURES]! += k
  }

  /** Where the likelier of the cumulative sums lies. */
  function dated(slice: number): number {
    const first = slice * COLUMN.size + COLUMN.onsets
    let best = first
    for (const place of ONSETS.keys())
      if (state[first + 4 * place + SUM]! > state[best + SUM]!) best = first + 4 * place
    return best
  }

  function told(kind: Alarm["kind"], slice: number, minute: number, evidence: number, usual: number): Alarm {
    const at = dated(slice)
    return {
      kind,
      slice,
      minute,
      onset: kind === "alarm" ? Math.min(state[at + ONSET]!, minute) : state[slice * COLUMN.size + COLUMN.since]!,
      evidence,
      threshold: kind === "alarm" ? thresholds[slice]! : RECOVERED,
      usual,
      observed: state[at + FAILURES]! / Math.max(state[at + ATTEMPTS]!, 1),
    }
  }

  function turnHour(slice: number, hour: number): void {
    const at = slice * COLUMN.size
    const before = state[at + COLUMN.hour]!
    if (before >= 0) {
      if (isAlarmed(slice) && hour * 60 - state[at + COLUMN.since]! < MAX_ALARM_MINUTES) forgetRecent(state, at + USUAL)
      const profile = profileOf[slice]!
      const week = hourOfWeek(before + HOURS_PER_WEEK - 1)
      const { attempts, failures } = closeHour(
        state,
        at + USUAL,
        profiles[profile]!.variances[week]!,
        state[at + COLUMN.age]! < YOUNG_HOURS,
      )
      // Coarse slices teach the profile; finer ones are parts of them. What is learned is the hour before the last.
      if (slices[slice]!.fixed === coarsest[profile] && attempts > 0)
        learnHour(profiles[profile]!, week, attempts, failures)
      state[at + COLUMN.age]! += 1
    }
    state[at + COLUMN.hour] = hour
  }

  function isAlarmed(slice: number): boolean {
    return state[slice * COLUMN.size + COLUMN.alarmed] === 1
  }

  /** What is usual for a slice in a minute. */
  function usual(slice: number, minute: number): ReturnType<typeof usualOf> {
    const profile = profiles[profileOf[slice]!]!
    return usualOf(state, slice * COLUMN.size + USUAL, profile, hourOfWeek(Math.floor(minute / 60)))
  }
}

/** The epoch was a Thursday; any fixed week does. */
const hourOfWeek = (hour: number): number => hour % HOURS_PER_WEEK
