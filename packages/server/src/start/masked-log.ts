// The last line of defence: whatever is logged by whomever, no card number reaches the log. Logging is rare, so every line
// is looked through.

import { maskPans } from "../core/pan-mask.ts"
import type { Log } from "../ports.ts"

/** Deeper than any line. */
const MAX_DEPTH = 8

export const maskedLog = (log: Log): Log => ({
  info: (fields, message) => log.info(maskedFields(fields), maskPans(message)),
  warn: (fields, message) => log.warn(maskedFields(fields), maskPans(message)),
  error: (fields, message) => log.error(maskedFields(fields), maskPans(message)),
})

const maskedFields = (fields: object): object => masked(fields, 0) as object

function masked(value: unknown, depth: number): unknown {
  if (typeof value === "string") return maskPans(value)
  if (typeof value !== "object" || value === null) return value
  if (depth >= MAX_DEPTH) return "[deep]"
  if (Array.isArray(value)) return value.map((item) => masked(item, depth + 1))
  if (value instanceof Error) return maskPans(value.stack ?? String(value))
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, masked(field, depth + 1)]))
}
