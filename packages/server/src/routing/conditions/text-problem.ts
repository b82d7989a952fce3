// What is wrong with a condition's text, and where: the way to an author who has it before their eyes.

export type TextProblem = {
  /** UTF-16 units before it, as JavaScript and editors count. */
  readonly offset: number
  /** Both begin with 1. */
  readonly line: number
  readonly column: number
  readonly detail: string
}

/** Thrown by the parser, and caught where it is entered. */
export class Refused extends Error {
  readonly offset: number
  constructor(offset: number, detail: string) {
    super(detail)
    this.offset = offset
  }
}

export function textProblem(text: string, { offset, message }: Refused): TextProblem {
  const before = text.slice(0, offset)
  const lineStart = before.lastIndexOf("\n") + 1
  return { offset, line: before.split("\n").length, column: offset - lineStart + 1, detail: message }
}

/** The known word that is nearest to a misspelt one, if any is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const [best] = known
    .map((one) => ({ one, away: distance(word.toLowerCase(), one.toLowerCase()) }))
    .toSorted((a, b) => a.away - b.away)
  return best !== undefined && best.away <= Math.max(2, Math.floor(best.one.length / 3)) ? best.one : undefined
}

/** Words longer than this are near to nothing. */
const MAX_COMPARED = 64

/** Letters to insert, remove or replace (Levenshtein). */
function distance(a: string, b: string): number {
  if (a.length > MAX_COMPARED || b.length > MAX_COMPARED) return Infinity
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
