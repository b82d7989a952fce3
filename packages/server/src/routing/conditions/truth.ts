// What a condition means for one payment. Logic has three values, after Kleene, as CEL's errors behave: a comparison with a
// fact that the payment does not have is unknown; `false && unknown` is false, `true || unknown` is true, and what cannot be
// told otherwise stays unknown. A rule matches only where its condition is true, so that neither `card.country == "DE"` nor
// `card.country != "DE"` matches a card of which nobody knows the country. `has(x)` is never unknown.
//
// This reading, node by node, is the definition; compile.ts is the quick one, and is held against it.

import type { RoutingContext } from "../routing-context.ts"
import type { Comparison, Condition, Scalar } from "./condition.ts"
import { fieldOf, getterOf, type Value } from "./fields.ts"

/** `undefined` is unknown. */
export type Truth = boolean | undefined

export function truthOf(condition: Condition, context: RoutingContext): Truth {
  if ("not" in condition) {
    const inner = truthOf(condition.not, context)
    return inner === undefined ? undefined : !inner
  }
  if ("all" in condition) return conjunction(condition.all.map((one) => truthOf(one, context)))
  if ("any" in condition) {
    const all = conjunction(condition.any.map((one) => not(truthOf(one, context))))
    return not(all)
  }
  const field = fieldOf(condition.field)
  return compare(condition, field === undefined ? undefined : getterOf(field)(context))
}

const not = (truth: Truth): Truth => (truth === undefined ? undefined : !truth)
const conjunction = (truths: readonly Truth[]): Truth =>
  truths.includes(false) ? false : truths.includes(undefined) ? undefined : true

/** The truth of one comparison where the field has this value. */
export function compare(comparison: Comparison, value: Value): Truth {
  if (comparison.op === "exists") return value !== undefined
  if (value === undefined) return undefined
  return test(comparison, value)
}

function test(comparison: Exclude<Comparison, { readonly op: "exists" }>, value: Scalar): boolean {
  switch (comparison.op) {
    case "equals":
      return value === comparison.value
    case "not_equals":
      return value !== comparison.value
    case "in":
      return comparison.value.includes(value)
    case "lt":
      return value < comparison.value
    case "le":
      return value <= comparison.value
    case "gt":
      return value > comparison.value
    case "ge":
      return value >= comparison.value
    case "prefix":
      return String(value).startsWith(String(comparison.value))
    default:
      return comparison satisfies never
  }
}
