// How an account does just now, as conditions may ask for it.

export const liveStates = ["healthy", "suspect", "ejected", "probing", "returning"] as const

export type LiveReading = {
  /** Share of attempts that were paid, of those that came to an end. */
  readonly successRate?: number
  /** Share of attempts that failed for technical reasons. */
  readonly technicalFailureRate?: number
  readonly latencyMs?: number
  readonly state: (typeof liveStates)[number]
  /** What is left of the account's volume cap this month, in the unit of its commitment. */
  readonly capLeft?: number
}
