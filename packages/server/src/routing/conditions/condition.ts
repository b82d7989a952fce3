// A condition of a policy as a tree of plain JSON: groups, negations, and comparisons of one field with what the author
// wrote. The text (text.ts) and the tree say the same and turn into each other without loss, and a visual editor's groups and
// rules are these nodes. What a tree means for a payment is in truth.ts; fields.ts says what may be compared.
//
// Normal form: groups have two members or more, save `{ all: [] }`, which is true; groups in groups stay as they were
// bracketed. Every condition that is stored is in it, and on it `parse(print(x)) = x` holds.

export type Scalar = string | number

/** `field` as it is written in text: `amount`, `card.bin`, `metadata.tier`, `now.getHours("Europe/Berlin")`. */
export type Comparison =
  | { readonly field: string; readonly op: ScalarOperator; readonly value: Scalar }
  | { readonly field: string; readonly op: "in"; readonly value: readonly Scalar[] }
  | { readonly field: string; readonly op: "exists" }

export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | Comparison

/** What each operator is in text, where `x` is the field. */
export const operators = {
  equals: "x == v",
  not_equals: "x != v",
  lt: "x < v",
  le: "x <= v",
  gt: "x > v",
  ge: "x >= v",
  prefix: 'x.startsWith("v")',
  in: "x in [v, w]",
  exists: "has(x)",
} as const
export type Operator = keyof typeof operators
export type ScalarOperator = Exclude<Operator, "in" | "exists">

/** Matches every payment. */
export const everything: Condition = { all: [] }

/** Groups and negations in each other. */
export const MAX_DEPTH = 16
/** Groups, negations and comparisons of one condition. */
export const MAX_NODES = 500
/** Values of one `in`. */
export const MAX_VALUES = 500
/** Characters of one value. */
export const MAX_VALUE_CHARS = 500
/** Characters of a condition's text. */
export const MAX_TEXT_CHARS = 20_000

export function normal(condition: Condition): Condition {
  if ("not" in condition) return { not: normal(condition.not) }
  const members = "all" in condition ? condition.all : "any" in condition ? condition.any : undefined
  if (members === undefined) return condition
  const [first, ...others] = members.map(normal)
  if (first === undefined) return "all" in condition ? everything : { not: everything }
  if (others.length === 0) return first
  return "all" in condition ? { all: [first, ...others] } : { any: [first, ...others] }
}

export function* comparisonsOf(condition: Condition): Generator<Comparison> {
  if ("not" in condition) yield* comparisonsOf(condition.not)
  else if ("all" in condition) for (const one of condition.all) yield* comparisonsOf(one)
  else if ("any" in condition) for (const one of condition.any) yield* comparisonsOf(one)
  else yield condition
}
