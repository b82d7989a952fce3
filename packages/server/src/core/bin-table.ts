// What the first digits of a card tell, from rows of prefixes and ranges. Rows may lie in each other: the narrowest one that
// holds a number speaks for it, with all its columns. All of them together are cut into stretches of numbers that tell the
// same, in typed arrays that are searched by halves: a million rows are some megabytes, and a look-up is twenty comparisons.

import type { CardFacts } from "./card-facts.ts"

/** Digits that a table tells numbers apart by: the longest BIN there is. */
export const BIN_DIGITS = 8
/** Rows of a table. All account ranges of all networks are about half of it. */
export const MAX_BIN_ROWS = 1_000_000
/** What is said of a table that is wrong: whoever repairs so many rows repairs the table's source. */
export const MAX_BIN_PROBLEMS = 20

/** All numbers that begin with `from` up to those that begin with `to`: 6 to 8 digits each, equally many. */
export type BinRow = { readonly line: number; readonly from: string; readonly to: string; readonly facts: CardFacts }
export type BinProblem = { readonly line: number; readonly detail: string }

export type BinTable = {
  readonly rows: number
  /** Of digits that a number begins with. Undefined: nothing is known, or not the same of all such numbers. */
  factsOf(digits: string): CardFacts | undefined
}
export type BinTableResult =
  | { readonly kind: "table"; readonly table: BinTable }
  /** At most MAX_BIN_PROBLEMS, in the order of lines; `more`: there are others. */
  | { readonly kind: "refused"; readonly problems: readonly BinProblem[]; readonly more: boolean }

export function binTable(rows: readonly BinRow[]): BinTableResult {
  const facts: CardFacts[] = []
  const spans = spansOf(rows, facts)
  const { stretches, problems } = cut(spans)
  if (problems.length > 0) return refused(problems)
  const starts = new Uint32Array(stretches.length)
  const told = new Int32Array(stretches.length)
  for (const [index, stretch] of stretches.entries()) {
    starts[index] = stretch.start
    told[index] = stretch.told
  }
  return {
    kind: "table",
    table: {
      rows: rows.length,
      factsOf: (digits) => {
        const index = lastAtMost(starts, lowest(digits))
        if (index < 0 || (starts[index + 1] ?? Infinity) <= highest(digits)) return undefined
        return facts[told[index]!]
      },
    },
  }
}

export function refused(problems: readonly BinProblem[]): BinTableResult {
  const inOrder = problems.toSorted((a, b) => a.line - b.line)
  return { kind: "refused", problems: inOrder.slice(0, MAX_BIN_PROBLEMS), more: inOrder.length > MAX_BIN_PROBLEMS }
}

export const noBins: BinTable = { rows: 0, factsOf: () => undefined }

const lowest = (digits: string): number => Number(digits.slice(0, BIN_DIGITS).padEnd(BIN_DIGITS, "0"))
const highest = (digits: string): number => Number(digits.slice(0, BIN_DIGITS).padEnd(BIN_DIGITS, "9"))

type Span = { readonly from: number; readonly to: number; readonly told: number; readonly line: number }
/** Up to the next one's start; `told` is NOTHING where no row holds its numbers. */
type Stretch = { readonly start: number; readonly told: number }
const NOTHING = -1

/** Equal facts are kept once: a table has many rows and few banks. */
function spansOf(rows: readonly BinRow[], facts: CardFacts[]): readonly Span[] {
  const known = new Map<string, number>()
  return rows.map(({ from, to, line, facts: one }) => {
    const { country, funding, issuer, product } = one
    const key = JSON.stringify([country, funding, issuer, product])
    let told = known.get(key)
    if (told === undefined) known.set(key, (told = facts.push(one) - 1))
    return { from: lowest(from), to: highest(to), told, line }
  })
}

/** From left to right, outer rows before those within them: the stack holds the rows that are open, the innermost last. */
function cut(spans: readonly Span[]): {
  readonly stretches: readonly Stretch[]
  readonly problems: readonly BinProblem[]
} {
  const problems: BinProblem[] = []
  const stretches: Stretch[] = []
  const open: Span[] = []
  const begin = (start: number, told: number): void => {
    if (stretches.at(-1)?.start === start) stretches.pop()
    if ((stretches.at(-1)?.told ?? NOTHING) !== told) stretches.push({ start, told })
  }
  const close = (before: number): void => {
    for (let inner = open.at(-1); inner !== undefined && inner.to < before; inner = open.at(-1)) {
      open.pop()
      begin(inner.to + 1, open.at(-1)?.told ?? NOTHING)
    }
  }
  for (const span of spans.toSorted((a, b) => a.from - b.from || b.to - a.to || a.line - b.line)) {
    close(span.from)
    const outer = open.at(-1)
    const problem = outer === undefined ? undefined : clash(outer, span)
    if (problem !== undefined) {
      problems.push({ line: span.line, detail: problem })
      continue
    }
    open.push(span)
    begin(span.from, span.told)
  }
  close(Infinity)
  return { stretches, problems }
}

/** Neither of two rows would be the narrower one for all numbers that both hold. */
function clash(outer: Span, { from, to }: Span): string | undefined {
  if (outer.from === from && outer.to === to) return `names the same numbers as line ${outer.line}`
  return to > outer.to
    ? `overlaps line ${outer.line}, and neither lies within the other: which one holds cannot be told`
    : undefined
}

/** The index of the last that is not above, or -1. */
function lastAtMost(sorted: Uint32Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}
