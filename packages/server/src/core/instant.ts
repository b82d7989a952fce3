// Dates as the outside writes them. Inside, an instant is a number: milliseconds since the epoch. The only file of the
// pure rooms that may use Date, of its arguments only.

/** RFC 3339 in UTC with milliseconds: `2026-11-22T19:08:00.000Z`. */
export const rfc3339 = (ms: number): string => new Date(ms).toISOString()

const pattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i

/** Milliseconds since the epoch of an RFC 3339 text with its offset; undefined for anything else. */
export function parseRfc3339(text: string): number | undefined {
  if (!pattern.test(text)) return undefined
  // The 30th of February would quietly become the 2nd of March.
  const day = Number(text.slice(8, 10))
  if (day === 0 || day > daysOf(Number(text.slice(0, 4)), Number(text.slice(5, 7)))) return undefined
  const ms = Date.parse(text.toUpperCase())
  return Number.isNaN(ms) ? undefined : ms
}

const daysOf = (year: number, month: number): number =>
  month === 2
    ? year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
      ? 29
      : 28
    : [4, 6, 9, 11].includes(month)
      ? 30
      : 31
