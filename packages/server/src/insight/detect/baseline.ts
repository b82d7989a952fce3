// What is usual: an hour-of-week profile that many slices share, and for each slice its own level against it and how much
// its rate moves beyond chance. A slice's part is two dozen numbers, so that thousands cost nothing; slices with days of their own
// (a country, a method) have a profile of their own.
//
// An incident must not become usual while it lasts: an hour is learned only once the next one is over too and neither saw an
// alarm, and extreme hours count for less than they were. Everything fades with a half-life of two weeks.

export const HOURS_PER_WEEK = 168
const HALF_LIFE_HOURS = 14 * 24
const FADE = 0.5 ** (1 / HALF_LIFE_HOURS)
/** Profiles fade by the visit: once a week, a half-life of four visits. */
const PROFILE_FADE = 0.5 ** (1 / 4)
/**
 * Attempts that the coarser rate counts for: the whole's in an hour of the day, that one's in an hour of the week. Hours differ
 * by about a point: 0.1·0.9 / 0.01².
 */
const PROFILE_PRIOR = 1_000
/** Failures by which a slice is pulled to its profile. */
const LEVEL_PRIOR = 20
/** Rates are kept off 0 and 1. */
const MIN_RATE = 0.001
const MAX_RATE = 0.9
/** Before anything is known, and at least and at most ever: standard deviation of a rate from minute to minute. */
const FIRST_RHO = 0.01
const MIN_RHO = 0.003
const MAX_RHO = 0.05
/** Pairs of attempts that the first guess of ρ counts for. */
const RHO_PRIOR = 1e5
/** The usual rate is known with an error; its upper bound at so many standard deviations is what evidence is held against. */
const CAUTION = 0.5
/** Wandering by less than this (a tenth of a point) is the profile's own error: neighbours are not the hour itself. */
const SMOOTHING = 0.001
/** An hour with more failures than so many times the usual ones is learned as if it had had that many. */
const MAX_SURPRISE = 1.5

export type Profile = {
  /** By hour of the week, faded. */
  readonly attempts: Float64Array
  readonly failures: Float64Array
  /** Of the whole week, faded. */
  totalAttempts: number
  totalFailures: number
  /** What they say of each hour: its rate of failures, and the variance of that estimate. */
  readonly rates: Float64Array
  readonly variances: Float64Array
}

export function createProfile(rate: number): Profile {
  const hours = (): Float64Array => new Float64Array(HOURS_PER_WEEK)
  return {
    attempts: hours(),
    failures: hours(),
    totalAttempts: PROFILE_PRIOR,
    totalFailures: PROFILE_PRIOR * rate,
    rates: hours().fill(rate),
    variances: hours().fill((rate * (1 - rate)) / PROFILE_PRIOR),
  }
}

export function learnHour(profile: Profile, hour: number, attempts: number, failures: number): void {
  profile.attempts[hour] = profile.attempts[hour]! * PROFILE_FADE + attempts
  profile.failures[hour] = profile.failures[hour]! * PROFILE_FADE + failures
  profile.totalAttempts = profile.totalAttempts * FADE + attempts
  profile.totalFailures = profile.totalFailures * FADE + failures
  for (let at = 0; at < HOURS_PER_WEEK; at++) estimate(profile, at)
}

/**
 * An hour's rate: its own, with its neighbours' at half weight because rates change slowly, pulled to that of the hour of the
 * day, which is pulled to the whole.
 */
function estimate({ attempts, failures, totalAttempts, totalFailures, rates, variances }: Profile, hour: number): void {
  const around = (column: Float64Array): number =>
    column[hour]! + (column[(hour + 1) % HOURS_PER_WEEK]! + column[(hour + HOURS_PER_WEEK - 1) % HOURS_PER_WEEK]!) / 2
  let [n, k] = [PROFILE_PRIOR, (PROFILE_PRIOR * totalFailures) / totalAttempts]
  for (let same = hour % 24; same < HOURS_PER_WEEK; same += 24) {
    n += attempts[same]!
    k += failures[same]!
  }
  const own = around(attempts) + PROFILE_PRIOR
  const rate = (around(failures) + (PROFILE_PRIOR * k) / n) / own
  rates[hour] = rate
  variances[hour] = (rate * (1 - rate)) / own
}

/** Columns of a slice's state, which lies in one array of the fleet: what is known, the hour before, and the running hour. */
const COUNTS = 7
const [FAILURES, EXPECTED, SQUARES, PAIRS, ATTEMPTS, HOUR_SQUARES, HOUR_PAIRS] = [0, 1, 2, 3, 4, 5, 6] as const
const HELD = COUNTS
const RUNNING = 2 * COUNTS
export const USUAL_SIZE = 3 * COUNTS

export type Usual = {
  readonly rate: number
  /** Its upper bound: what evidence is held against. */
  readonly cautious: number
  /** Standard deviations of the rate: from minute to minute, and of whole hours beyond that. */
  readonly rho: number
  readonly wander: number
}

/** What is usual for a slice in an hour of the week. */
export function usualOf(state: Float64Array, at: number, profile: Profile, hour: number): Usual {
  const failures = state[at + FAILURES]! + LEVEL_PRIOR
  const expected = state[at + EXPECTED]! + LEVEL_PRIOR
  const rate = clamp((profile.rates[hour]! * failures) / expected)
  const pairs = state[at + PAIRS]! + RHO_PRIOR
  const variance = (state[at + SQUARES]! + RHO_PRIOR * FIRST_RHO ** 2) / pairs
  const rho = Math.min(Math.max(Math.sqrt(Math.max(variance, 0)), MIN_RHO), MAX_RHO)
  const wander = Math.sqrt(
    Math.max(state[at + HOUR_SQUARES]! / Math.max(state[at + HOUR_PAIRS]!, 1) - SMOOTHING ** 2, 0),
  )
  const error = Math.sqrt(rate ** 2 / failures + profile.variances[hour]!)
  return { rate, cautious: clamp(rate + CAUTION * error), rho, wander: Math.min(wander, MAX_RHO) }
}

/** Takes in a minute of the running hour. */
export function notice(state: Float64Array, at: number, k: number, n: number, profiled: number, rate: number): void {
  const running = at + RUNNING
  state[running + FAILURES]! += k
  state[running + EXPECTED]! += n * profiled
  // Method of moments: what the residual varies by beyond a binomial is n(n−1)ρ².
  state[running + SQUARES]! += (k - n * rate) ** 2 - n * rate * (1 - rate)
  state[running + PAIRS]! += n * (n - 1)
  state[running + ATTEMPTS]! += n
}

/**
 * The hour is over: the one before it is learned. `variance` is that of the profile's rate in that hour. Returns what a
 * profile may learn of it.
 */
export function closeHour(
  state: Float64Array,
  at: number,
  variance: number,
  isYoung: boolean,
): { readonly attempts: number; readonly failures: number } {
  const held = at + HELD
  const attempts = state[held + ATTEMPTS]!
  const known = (state[at + FAILURES]! + LEVEL_PRIOR) / (state[at + EXPECTED]! + LEVEL_PRIOR)
  const usual = state[held + EXPECTED]! * known
  // A week in which the profile is still being learned says nothing of how rates wander.
  if (attempts > 0 && !isYoung) {
    // What whole hours vary by beyond chance, minutes, and the error of the profile.
    const chance = usual * (1 - usual / attempts) + Math.max(state[held + SQUARES]!, 0) + attempts ** 2 * variance
    state[held + HOUR_SQUARES] = (state[held + FAILURES]! - usual) ** 2 - chance
    state[held + HOUR_PAIRS] = attempts ** 2
  }
  const failures = Math.min(state[held + FAILURES]!, usual * MAX_SURPRISE + 3 * Math.sqrt(usual))
  state[at + FAILURES] = state[at + FAILURES]! * FADE + failures
  for (const column of [EXPECTED, SQUARES, PAIRS, HOUR_SQUARES, HOUR_PAIRS])
    state[at + column] = state[at + column]! * FADE + state[held + column]!
  state.copyWithin(held, at + RUNNING, at + USUAL_SIZE)
  state.fill(0, at + RUNNING, at + USUAL_SIZE)
  return { attempts, failures }
}

/** Forgets the running hour and the one before it: something is wrong since some time. */
export function forgetRecent(state: Float64Array, at: number): void {
  state.fill(0, at + HELD, at + USUAL_SIZE)
}

const clamp = (rate: number): number => Math.min(Math.max(rate, MIN_RATE), MAX_RATE)
