// Search: `metadata['order']:'17' AND status:'succeeded'`. Stripe's index follows behind its objects, so what was just
// created or changed is not found yet. https://docs.stripe.com/search
import { invalid } from "./errors.ts"

export type Searchable = {
  /** When the object last changed, in milliseconds; it is found only some time after. */
  readonly changedAt: number
  readonly metadata: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string | number | null>>
}

/** "Under a minute" in Stripe's words, usually; a fixed delay makes the gap testable. */
export const SEARCH_LAG_MS = 20_000
const MAX_CLAUSES = 10

type Clause = (object: Searchable) => boolean

export function readQuery(query: string): (object: Searchable) => boolean {
  const either = /\sOR\s/i.test(query)
  if (either && /\sAND\s/i.test(query))
    throw invalid("You cannot mix AND and OR in a search query.", { param: "query" })
  const parts = query.split(either ? /\s+OR\s+/i : /\s+AND\s+|\s+(?=-?\w+(?:\[[^\]]*\])?[:<>~])/i).filter(Boolean)
  if (parts.length === 0 || parts.length > MAX_CLAUSES)
    throw invalid(`A search query has 1 to ${MAX_CLAUSES} clauses.`, { param: "query" })
  const clauses = parts.map(readClause)
  return (object) => (either ? clauses.some((fits) => fits(object)) : clauses.every((fits) => fits(object)))
}

function readClause(text: string): Clause {
  const match = /^(-?)(\w+)(?:\[["']([^"']*)["']\])?(:|~|<=|>=|<|>)(?:"([^"]*)"|'([^']*)'|(\S+))$/.exec(text.trim())
  if (!match) throw invalid(`We were unable to parse your search query near: ${text}`, { param: "query" })
  const [, minus, field = "", key, operator = ":", double, single, bare] = match
  const wanted = double ?? single ?? bare ?? ""
  const read = (object: Searchable): string | number | null | undefined =>
    field === "metadata" && key !== undefined ? object.metadata[key] : object.fields[field]
  const fits: Clause = (object) => compare(read(object), operator, wanted)
  return minus ? (object) => !fits(object) : fits
}

function compare(value: string | number | null | undefined, operator: string, wanted: string): boolean {
  if (value === undefined) return false
  if (wanted === "null" || value === null) return operator === ":" && wanted === "null" && value === null
  switch (operator) {
    case ":":
      return String(value) === wanted
    case "~":
      return String(value).includes(wanted)
    case "<":
      return Number(value) < Number(wanted)
    case "<=":
      return Number(value) <= Number(wanted)
    case ">":
      return Number(value) > Number(wanted)
    default:
      return Number(value) >= Number(wanted)
  }
}
