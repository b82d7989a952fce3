// The finitely many kinds of values that a field can have as far as some comparisons can tell them apart: all values of one
// class make each of the comparisons come out the same. What is found for one value of each class holds for all values.

import type { Comparison, Scalar } from "./condition.ts"
import { type Field, fieldOf, type FieldSpec } from "./fields.ts"
import { compare } from "./truth.ts"

/** What can come out, as a set: bits, so that sets are combined quickly. */
export const TRUE = 1
export const FALSE = 2
export const UNKNOWN = 4

/** For each comparison, what comes out for the values of this class. */
export type ValueClass = readonly number[]

/** `spend` is told how many comparisons were made. */
export function classesOf(
  written: string,
  comparisons: readonly Comparison[],
  spend: (comparisons: number) => void,
): readonly ValueClass[] {
  const field = fieldOf(written)
  if (field === undefined) throw new Error(`no field is written ${written}`)
  const classes = new Map<string, ValueClass>()
  for (const value of samplesOf(field, comparisons)) {
    spend(comparisons.length)
    const outcomes = comparisons.map((one) => {
      const truth = one.op === "in" && value !== undefined ? listOf(one.value).has(value) : compare(one, value)
      return truth === undefined ? UNKNOWN : truth ? TRUE : FALSE
    })
    classes.set(outcomes.join(""), outcomes)
  }
  return [...classes.values()]
}

const lists = new WeakMap<readonly Scalar[], ReadonlySet<Scalar>>()

/** One comparison costs the same however long its list is, as the budget counts it. */
function listOf(values: readonly Scalar[]): ReadonlySet<Scalar> {
  let known = lists.get(values)
  if (known === undefined) lists.set(values, (known = new Set(values)))
  return known
}

/** At least one value of each class. */
function samplesOf({ spec }: Field, comparisons: readonly Comparison[]): readonly (Scalar | undefined)[] {
  const named = [...new Set(comparisons.flatMap((one) => (one.op === "exists" ? [] : one.value)))]
  return [...new Set<Scalar | undefined>([...(spec.optional ? [undefined] : []), ...valuesOf(spec, named)])]
}

function valuesOf(spec: FieldSpec, named: readonly Scalar[]): readonly Scalar[] {
  switch (spec.type) {
    case "enum":
      return [...named, ...spec.words!.filter((word) => !named.includes(word)).slice(0, 1)]
    case "integer":
    case "amount":
      return [
        spec.min ?? 0,
        spec.max ?? 0,
        ...named.flatMap((one) => [Number(one) - 1, Number(one), Number(one) + 1]),
      ].filter((one) => one >= (spec.min ?? 0) && one <= (spec.max ?? 0))
    case "number":
      return betweenNumbers(named.map(Number))
    case "string":
      return spec.form === undefined ? texts(named.map(String)) : digits(spec, named.map(String))
    default:
      return spec.type satisfies never
  }
}

/** Beyond both ends, too: a reading keeps to no bounds. */
function betweenNumbers(named: readonly number[]): readonly number[] {
  const bounds = named.toSorted((a, b) => a - b)
  const between = bounds.slice(1).map((bound, index) => (bound + bounds[index]!) / 2)
  return [...bounds, ...between, (bounds[0] ?? 0) - 1, (bounds.at(-1) ?? 0) + 1]
}

/** Equality and prefixes: what is named, what begins like it, and something else. */
const texts = (named: readonly string[]): readonly string[] => [
  ...named,
  ...named.map((one) => `${one}\u0001`),
  `\u0002${named.join("")}`,
]

/** Neighbours of what is named, in each length that the numbers have: six digits, eight, or either. */
function digits({ form }: FieldSpec, named: readonly string[]): readonly string[] {
  const lengths = [6, 8].filter((length) => form!.pattern.test("0".repeat(length)))
  return lengths.flatMap((length) => {
    const highest = 10 ** length - 1
    const around = named.flatMap((one) => {
      const low = Number(one.slice(0, length).padEnd(length, "0"))
      const high = Number(one.slice(0, length).padEnd(length, "9"))
      return [low - 1, low, low + 1, high, high + 1]
    })
    return [0, highest, ...around]
      .filter((one) => one >= 0 && one <= highest)
      .map((one) => String(one).padStart(length, "0"))
  })
}
