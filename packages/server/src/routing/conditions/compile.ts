// Conditions as closures, and a policy's rules behind an index, so that a thousand rules cost about as much as the few that
// can match. Closures are built once per policy value; no text becomes code.
//
// A closure answers one yes-or-no question, so that three-valued logic costs nothing: "is it true?" of a group asks its
// members the same, and of a negation asks "is it false?" of what is negated.
//
// The index: where a condition can be true only if some field has one of certain values (`currency == "EUR" && …`), its
// rule is a bit in the sets of these values, and in no other. The sets that a payment's values name are intersected, and
// only the rules that are left are asked, in their order.

import type { RoutingContext } from "../routing-context.ts"
import type { Comparison, Condition, Scalar } from "./condition.ts"
import { fieldOf, getterOf, type Getter } from "./fields.ts"

export type Predicate = (context: RoutingContext) => boolean

/** Whether the condition is true of a payment; unknown is no. */
export function compileTrue(condition: Condition): Predicate {
  if ("not" in condition) return compileFalse(condition.not)
  if ("all" in condition) return every(condition.all.map(compileTrue))
  if ("any" in condition) return some(condition.any.map(compileTrue))
  return compileComparison(condition, true)
}

/** Whether it is false of a payment; unknown is no. */
function compileFalse(condition: Condition): Predicate {
  if ("not" in condition) return compileTrue(condition.not)
  if ("all" in condition) return some(condition.all.map(compileFalse))
  if ("any" in condition) return every(condition.any.map(compileFalse))
  return compileComparison(condition, false)
}

function every(members: readonly Predicate[]): Predicate {
  const [a, b, c] = members
  if (a === undefined) return () => true
  if (b === undefined) return a
  if (c === undefined) return (context) => a(context) && b(context)
  return (context) => {
    for (const member of members) if (!member(context)) return false
    return true
  }
}

function some(members: readonly Predicate[]): Predicate {
  const [a, b] = members
  if (a === undefined) return () => false
  if (b === undefined) return a
  return (context) => {
    for (const member of members) if (member(context)) return true
    return false
  }
}

/** Longer lists are looked up as sets. */
const SHORT_LIST = 8

function compileComparison(comparison: Comparison, wanted: boolean): Predicate {
  const field = fieldOf(comparison.field)
  if (field === undefined) throw new Error(`no field is written ${comparison.field}`)
  const get = getterOf(field)
  switch (comparison.op) {
    case "exists":
      return wanted ? (context) => get(context) !== undefined : (context) => get(context) === undefined
    case "equals":
      return compileEquality(get, comparison.value, wanted)
    case "not_equals":
      return compileEquality(get, comparison.value, !wanted)
    case "in":
      return compileMembership(get, comparison.value, wanted)
    case "lt":
      return compileOrder(get, comparison.value, wanted, (a, b) => a < b)
    case "ge":
      return compileOrder(get, comparison.value, !wanted, (a, b) => a < b)
    case "gt":
      return compileOrder(get, comparison.value, wanted, (a, b) => a > b)
    case "le":
      return compileOrder(get, comparison.value, !wanted, (a, b) => a > b)
    case "prefix": {
      const start = String(comparison.value)
      return (context) => {
        const value = get(context)
        return value !== undefined && String(value).startsWith(start) === wanted
      }
    }
    default:
      return comparison satisfies never
  }
}

function compileEquality(get: Getter, wanted: Scalar, equal: boolean): Predicate {
  if (equal) return (context) => get(context) === wanted
  return (context) => {
    const value = get(context)
    return value !== undefined && value !== wanted
  }
}

function compileMembership(get: Getter, list: readonly Scalar[], member: boolean): Predicate {
  const set = list.length > SHORT_LIST ? new Set(list) : undefined
  const isIn = set === undefined ? (value: Scalar) => list.includes(value) : (value: Scalar) => set.has(value)
  return (context) => {
    const value = get(context)
    return value !== undefined && isIn(value) === member
  }
}

function compileOrder(
  get: Getter,
  bound: Scalar,
  wanted: boolean,
  holds: (value: Scalar, bound: Scalar) => boolean,
): Predicate {
  return (context) => {
    const value = get(context)
    return value !== undefined && holds(value, bound) === wanted
  }
}

/** For each field, the values without one of which the condition cannot be true. What it does not confine is absent. */
export function confinementOf(condition: Condition): ReadonlyMap<string, ReadonlySet<Scalar>> {
  const confined = new Map<string, ReadonlySet<Scalar>>()
  for (const part of conjuncts(condition)) {
    const one = confinedBy(part)
    if (one === undefined) continue
    const before = confined.get(one.field)
    confined.set(one.field, before === undefined ? one.values : before.intersection(one.values))
  }
  return confined
}

function conjuncts(condition: Condition): readonly Condition[] {
  return "all" in condition ? condition.all.flatMap(conjuncts) : [condition]
}

type Confined = { readonly field: string; readonly values: ReadonlySet<Scalar> }

/** `==`, `in`, and alternatives of these on one field. */
function confinedBy(part: Condition): Confined | undefined {
  if ("any" in part) {
    const members = part.any.map(confinedBy)
    const [first] = members
    if (first === undefined || !members.every((one) => one?.field === first.field)) return undefined
    return { field: first.field, values: new Set(members.flatMap((one) => [...(one?.values ?? [])])) }
  }
  if (!("field" in part)) return undefined
  if (part.op === "equals") return { field: part.field, values: new Set([part.value]) }
  return part.op === "in" ? { field: part.field, values: new Set(part.value) } : undefined
}

/** Fields that the index looks at; those that confine most rules. More would cost more than they spare. */
const MAX_INDEXED_FIELDS = 8
/** Rules in one word of a set. */
const WORD = 32

export type Dispatch = (context: RoutingContext) => number

type Index = {
  readonly get: Getter
  readonly byValue: ReadonlyMap<Scalar, Uint32Array>
  /** Rules that do not confine this field. */
  readonly others: Uint32Array
}

/** The index of the first condition that is true of a payment, or −1. */
export function compileFirst(conditions: readonly Condition[]): Dispatch {
  const confinements = conditions.map(confinementOf)
  const indexed = indexedFields(confinements)
  const indices = indexed.map((field) => indexOf(field, confinements))
  const predicates = conditions.map((condition) => every(leftToAsk(condition, indexed).map(compileTrue)))
  const words = Math.ceil(conditions.length / WORD)
  return (context) => {
    const sets = indices.map(({ get, byValue, others }) => {
      const value = get(context)
      return value === undefined ? others : (byValue.get(value) ?? others)
    })
    for (let word = 0; word < words; word++) {
      let left = word === words - 1 ? lowBits(conditions.length - word * WORD) : -1
      for (const set of sets) left &= set[word]!
      while (left !== 0) {
        const bit = 31 - Math.clz32(left & -left)
        const rule = word * WORD + bit
        if (predicates[rule]!(context)) return rule
        left &= left - 1
      }
    }
    return -1
  }
}

const lowBits = (count: number): number => (count >= WORD ? -1 : (1 << count) - 1)

function indexedFields(confinements: readonly ReadonlyMap<string, unknown>[]): readonly string[] {
  const uses = new Map<string, number>()
  for (const confinement of confinements)
    for (const field of confinement.keys()) uses.set(field, (uses.get(field) ?? 0) + 1)
  return [...uses]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, MAX_INDEXED_FIELDS)
    .map(([field]) => field)
}

function indexOf(written: string, confinements: readonly ReadonlyMap<string, ReadonlySet<Scalar>>[]): Index {
  const field = fieldOf(written)
  if (field === undefined) throw new Error(`no field is written ${written}`)
  const words = Math.ceil(confinements.length / WORD)
  const others = new Uint32Array(words)
  const byValue = new Map<Scalar, Uint32Array>()
  for (const [rule, confinement] of confinements.entries())
    if (!confinement.has(written)) others[rule >>> 5]! |= 1 << (rule & 31)
  for (const [rule, confinement] of confinements.entries())
    for (const value of confinement.get(written) ?? []) {
      const set = byValue.get(value) ?? new Uint32Array(others)
      byValue.set(value, set)
      set[rule >>> 5]! |= 1 << (rule & 31)
    }
  return { get: getterOf(field), byValue, others }
}

/** The parts of a condition that its bits in the index do not already say. */
const leftToAsk = (condition: Condition, indexed: readonly string[]): readonly Condition[] =>
  conjuncts(condition).filter((part) => {
    const confined = confinedBy(part)
    return confined === undefined || !indexed.includes(confined.field)
  })
