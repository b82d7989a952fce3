// A BIN table as people keep it: CSV with a header, one row per prefix or range. What is wrong in any row is said with its
// line, and nothing is taken from a table that has such a row.

import {
  BIN_DIGITS,
  type BinProblem,
  type BinRow,
  binTable,
  type BinTableResult,
  MAX_BIN_PROBLEMS,
  MAX_BIN_ROWS,
  refused,
} from "./bin-table.ts"
import { type CardFacts, fundings, MAX_CARD_FACT_CHARS } from "./card-facts.ts"
import { parseCountry } from "./country.ts"
import { given } from "./given.ts"

/** Size of the text (bytes). */
export const MAX_BIN_TABLE_BYTES = 128 * 1024 * 1024

export const binColumns = ["bin", "country", "funding", "issuer", "product"] as const
type Column = (typeof binColumns)[number]

/** Columns may stand in any order, and all but `bin` may be missing. Empty lines are passed over. */
export function readBinTable(text: string): BinTableResult {
  const problems: BinProblem[] = []
  const rows: BinRow[] = []
  const lines = linesOf(text)
  const header = lines.next()
  const columns = columnsOf(header.done === true ? "" : header.value, problems)
  if (columns === undefined) return refused(problems)
  let line = 1
  for (const one of lines) {
    line += 1
    if (one.trim() === "") continue
    if (rows.length === MAX_BIN_ROWS) return refused([{ line, detail: `is more than the ${MAX_BIN_ROWS} rows taken` }])
    const row = rowOf(one, line, columns, problems)
    // One more than is said, so that it can be told that there are more.
    if (problems.length > MAX_BIN_PROBLEMS) return refused(problems)
    if (row !== undefined) rows.push(row)
  }
  return problems.length > 0 ? refused(problems) : binTable(rows)
}

/** One by one: all of them at once would take more memory than the rows. */
function* linesOf(text: string): Generator<string> {
  let from = text.startsWith("\uFEFF") ? 1 : 0
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
    yield text.slice(from, text[end - 1] === "\r" ? end - 1 : end)
    from = end + 1
  }
  yield text.slice(from)
}

function columnsOf(header: string, problems: BinProblem[]): readonly Column[] | undefined {
  const problem = (detail: string): void => void problems.push({ line: 1, detail })
  const names = cellsOf(header) ?? []
  const isColumn = (name: string): name is Column => (binColumns as readonly string[]).includes(name)
  for (const [at, name] of names.entries()) {
    if (!isColumn(name)) problem(`has a column ${quoted(name)}: the header names ${binColumns.join(", ")}`)
    else if (names.indexOf(name) < at) problem(`has the column ${name} twice`)
  }
  if (!names.includes("bin")) problem(`has no column bin: the header reads ${binColumns.join(",")}`)
  return problems.length === 0 ? names.filter(isColumn) : undefined
}

function rowOf(text: string, line: number, columns: readonly Column[], problems: BinProblem[]): BinRow | undefined {
  const before = problems.length
  const problem = (detail: string): undefined => void problems.push({ line, detail })
  const cells = cellsOf(text)
  if (cells === undefined) return problem("has a quote that is not closed, or text beside one")
  if (cells.length > columns.length) return problem(`has ${cells.length} values for ${columns.length} columns`)
  const cell = (column: Column): string | undefined => {
    const at = columns.indexOf(column)
    return at < 0 || cells[at] === "" ? undefined : cells[at]
  }
  const named = (column: "issuer" | "product"): string | undefined => {
    const name = cell(column)
    const detail = name === undefined ? undefined : wrongName(name)
    return detail === undefined
      ? name
      : problem(`has ${column === "issuer" ? "an issuer" : "a product"} that ${detail}`)
  }
  const bin = cell("bin")
  const [, from, to = from] = /^([0-9]{6,8})(?:-([0-9]{6,8}))?$/.exec(bin ?? "") ?? []
  if (from === undefined || to === undefined)
    problem(`has the bin ${quoted(bin ?? "")}: 6 to ${BIN_DIGITS} digits, or two of them as in 40000000-40000999`)
  else if (from.length !== to.length) problem(`has the range ${bin}, whose ends differ in length`)
  else if (from > to) problem(`has the range ${bin}, which ends before it begins`)
  const code = cell("country")
  const country = code === undefined ? undefined : parseCountry(code)
  if (code !== undefined && country === undefined)
    problem(`has the country ${quoted(code)}, which is none of ISO 3166-1 (two capital letters)`)
  const word = cell("funding")
  const funding = fundings.find((known) => known === word)
  if (word !== undefined && funding === undefined)
    problem(`has the funding ${quoted(word)}, which is none of ${fundings.join(", ")}`)
  const facts: CardFacts = given({ country, funding, issuer: named("issuer"), product: named("product") })
  return problems.length > before || from === undefined || to === undefined ? undefined : { line, from, to, facts }
}

// oxlint-disable-next-line no-control-regex
const controls = /[\u0000-\u001f\u007f]/

const wrongName = (name: string): string | undefined =>
  name.length > MAX_CARD_FACT_CHARS
    ? `is longer than ${MAX_CARD_FACT_CHARS} characters`
    : controls.test(name) || !name.isWellFormed()
      ? "has characters that are none"
      : undefined

/** Longest piece of a table that a problem repeats (characters). */
const MAX_QUOTED = 40
const quoted = (text: string): string =>
  JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text)

/** By RFC 4180, but within one line; spaces around values mean nothing. Undefined: no such line. */
function cellsOf(line: string): readonly string[] | undefined {
  if (!line.includes('"')) return line.split(",").map((cell) => cell.trim())
  const cells: string[] = []
  const next = /\s*(?:"((?:[^"]|"")*)"|([^",]*))\s*(,|$)/y
  for (;;) {
    const found = next.exec(line)
    if (found === null) return undefined
    const [, inQuotes, plain = "", end] = found
    cells.push(inQuotes === undefined ? plain.trim() : inQuotes.replaceAll('""', '"').trim())
    if (end === "") return cells
  }
}
