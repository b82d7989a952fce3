// Seconds since the epoch as RFC 3339, without a clock: connectors turn the times in answers into text, and the Date that
// could do it could also tell the time of day.

/** The last second of the year 9999. */
const maxSeconds = 253_402_300_799n

/** "2026-10-29T12:00:00Z", or undefined for what is no time of the common era's next millennia. */
export function isoSeconds(seconds: bigint): string | undefined {
  if (seconds < 0n || seconds > maxSeconds) return undefined
  const days = Number(seconds / 86_400n)
  const rest = Number(seconds % 86_400n)
  // Civil date of a day count, in years that begin in March: https://howardhinnant.github.io/date_algorithms.html
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const two = (value: number): string => String(value).padStart(2, "0")
  const time = [Math.floor(rest / 3_600), Math.floor(rest / 60) % 60, rest % 60].map(two).join(":")
  return `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T${time}Z`
}
