// The calendar of a given moment, in UTC. The moment always comes in: nothing here looks at a clock.

export type CalendarDate = { readonly year: number; readonly month: number; readonly day: number }

/** `month` and `day` start at 1. */
export function dateOf(ms: number): CalendarDate {
  const date = new Date(ms)
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() }
}
