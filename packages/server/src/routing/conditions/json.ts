// Conditions as JSON, which is what their trees are: read with every problem and its place, in normal form. A text in the place
// of the tree is read as such, so that documents may hold either.

import { fields as fieldsOf, type Form, list, optional, type Problem, problem } from "../json-form.ts"
import {
  type Comparison,
  type Condition,
  MAX_DEPTH,
  MAX_NODES,
  MAX_VALUES,
  normal,
  type Operator,
  operators,
  type Scalar,
} from "./condition.ts"
import { type Field, fieldOf, wrongValue } from "./fields.ts"
import { parseCondition, TOO_DEEP, TOO_MANY_NODES, tooLarge, unknownField, wrongOperator } from "./text.ts"
import type { TextProblem } from "./text-problem.ts"

/** A problem of a text has its place in the text beside the pointer to it. */
export type ConditionProblem = Problem & { readonly position?: Omit<TextProblem, "detail"> }

export type ConditionReading =
  | { readonly kind: "condition"; readonly condition: Condition }
  | { readonly kind: "broken"; readonly problems: readonly ConditionProblem[] }

/** `at`: JSON pointer of the condition in its document. */
export function readCondition(json: unknown, at = ""): ConditionReading {
  if (typeof json === "string") {
    const parsed = parseCondition(json)
    if (parsed.kind === "condition") return parsed
    const { detail, ...position } = parsed.problem
    return { kind: "broken", problems: [{ at, detail, position }] }
  }
  const form: Form = { problems: [] }
  const count = { nodes: 0 }
  const condition = readNode(form, count, at, json, 0)
  if (condition === undefined || form.problems.length > 0) return { kind: "broken", problems: form.problems }
  const large = tooLarge(normal(condition))
  return large === undefined
    ? { kind: "condition", condition: normal(condition) }
    : { kind: "broken", problems: [{ at, detail: large }] }
}

const NO_CONDITION = "is no condition: a text, or an object with all, any, not, or field and op"

type Count = { nodes: number }

function readNode(form: Form, count: Count, at: string, json: unknown, depth: number): Condition | undefined {
  count.nodes += 1
  if (count.nodes > MAX_NODES) return count.nodes === MAX_NODES + 1 ? problem(form, at, TOO_MANY_NODES) : undefined
  if (depth > MAX_DEPTH) return problem(form, at, TOO_DEEP)
  if (typeof json !== "object" || json === null || Array.isArray(json)) return problem(form, at, NO_CONDITION)
  const parts = ["all", "any", "not", "field"].filter((part) => Object.hasOwn(json, part))
  if (parts.length === 0) return problem(form, at, NO_CONDITION)
  if (parts.length > 1)
    return problem(form, at, `has ${parts.map((part) => `\`${part}\``).join(" and ")}: put one into the other`)
  for (const group of ["all", "any"] as const)
    if (Object.hasOwn(json, group)) {
      const members = optional(fieldsOf(form, at, json, [group]) ?? {}, group, at, (place, value) =>
        list(form, place, value, { max: MAX_NODES }, (entry, one) => readNode(form, count, entry, one, depth + 1)),
      )
      return members === undefined ? undefined : group === "all" ? { all: members } : { any: members }
    }
  if (Object.hasOwn(json, "not")) {
    const { not } = fieldsOf(form, at, json, ["not"])!
    const inner = readNode(form, count, `${at}/not`, not, depth + 1)
    return inner === undefined ? undefined : { not: inner }
  }
  return readComparison(form, at, json)
}

function readComparison(form: Form, at: string, json: object): Comparison | undefined {
  const { field, op, value } = fieldsOf(form, at, json, ["field", "op", "value"])!
  if (typeof field !== "string") return problem(form, `${at}/field`, "is no text: name the field that is compared")
  const found = fieldOf(field)
  if (found === undefined) return problem(form, `${at}/field`, unknownField(field))
  if (!isOperator(op)) return problem(form, `${at}/op`, `is none of ${Object.keys(operators).join(", ")}`)
  if (!found.spec.operators.includes(op))
    return problem(form, `${at}/op`, wrongOperator(field, found.spec.operators, op))
  if (op === "exists")
    return value === undefined ? { field, op } : problem(form, `${at}/value`, "has no place here: `exists` takes none")
  if (op === "in") {
    const values = readValues(form, `${at}/value`, found, value)
    return values === undefined ? undefined : { field, op, value: values }
  }
  const one = readValue(form, `${at}/value`, found, value)
  return one === undefined ? undefined : { field, op, value: one }
}

const isOperator = (op: unknown): op is Operator => typeof op === "string" && Object.hasOwn(operators, op)

function readValue(form: Form, at: string, field: Field, value: unknown): Scalar | undefined {
  const wrong = wrongValue(field, value)
  return wrong === undefined ? (value as Scalar) : problem(form, at, wrong)
}

function readValues(form: Form, at: string, field: Field, value: unknown): readonly Scalar[] | undefined {
  const values = list(form, at, value, { min: 1, max: MAX_VALUES }, (place, one) => readValue(form, place, field, one))
  for (const [index, one] of (values ?? []).entries())
    if (values!.indexOf(one) < index) problem(form, `${at}/${index}`, "stands in this list before")
  return values
}
