// Times as requests write them.

import { invalid } from "../core/fault.ts"
import { parseRfc3339 } from "../core/instant.ts"

/** Milliseconds since the epoch. `pointer` says where the text stands. */
export function readTime(pointer: string, text: string): number
export function readTime(pointer: string, text: string | undefined): number | undefined
export function readTime(pointer: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = parseRfc3339(text)
  if (ms === undefined) throw invalid(pointer, "is not a time as RFC 3339 writes it, such as 2026-11-22T19:08:00Z")
  return ms
}
