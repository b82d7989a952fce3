// The hour and the weekday of an instant in a time zone of the IANA database, as Node brings it. A function of its
// arguments: the present comes in with the payment.

const QUARTER_MS = 15 * 60_000
/** Zones that are remembered; more are asked for anew each time. */
const MAX_ZONES = 64

/** `day` as CEL counts: 0 is Sunday. */
export type WallTime = { readonly hour: number; readonly day: number }

type Zone = { readonly format: Intl.DateTimeFormat; quarter: number; time: WallTime }

const zones = new Map<string, Zone>()
const days: readonly string[] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

/** Every offset that is in use changes the hour on a quarter of an hour, so that one answer serves until the next. */
export function wallTime(zone: string, ms: number): WallTime {
  const quarter = Math.floor(ms / QUARTER_MS)
  const known = zones.get(zone)
  if (known?.quarter === quarter) return known.time
  const format = known?.format ?? formatOf(zone)
  const time = read(format, quarter * QUARTER_MS)
  if (known !== undefined) Object.assign(known, { quarter, time })
  else if (zones.size < MAX_ZONES) zones.set(zone, { format, quarter, time })
  return time
}

/** A name such as `Europe/Berlin` or `UTC`; an offset such as `+02:00` is none, because it ignores summer time. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+){0,2}$/.test(name)) return false
  try {
    formatOf(name)
    return true
  } catch {
    return false
  }
}

const formatOf = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-US", { timeZone, hourCycle: "h23", hour: "2-digit", weekday: "short" })

function read(format: Intl.DateTimeFormat, ms: number): WallTime {
  const parts = format.formatToParts(ms)
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? ""
  return { hour: Number(part("hour")), day: days.indexOf(part("weekday")) }
}
