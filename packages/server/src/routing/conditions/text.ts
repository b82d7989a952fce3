// Conditions as people write them: a subset of CEL (https://cel.dev), read into the tree and written from it.
//
//   condition  = all { "||" all }
//   all        = one { "&&" one }
//   one        = "!" one | "(" condition ")" | "true" | "has" "(" field ")" | string "in" "metadata"
//              | field ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) value | field "in" "[" value { "," value } "]"
//              | field "." "startsWith" "(" string ")"
//   field      = a name of fields.ts; metadata.key or metadata["any key"]; now.getHours("Europe/Berlin")
//   value      = string | number
//
// CEL reads every text of this grammar as we do (text.test.ts holds both against each other), and what CEL would read
// and a tree cannot hold is refused at its place.

import {
  type Comparison,
  type Condition,
  everything,
  MAX_DEPTH,
  MAX_NODES,
  MAX_TEXT_CHARS,
  MAX_VALUES,
  normal,
  type Operator,
  type Scalar,
} from "./condition.ts"
import {
  type Field,
  fieldOf,
  fields,
  isMetadataKey,
  MAX_METADATA_KEY_CHARS,
  metadataField,
  wrongValue,
} from "./fields.ts"
import { isTimeZone } from "./zone-clock.ts"
import { nearest, Refused, type TextProblem, textProblem } from "./text-problem.ts"
import { type Token, tokensOf } from "./tokens.ts"

export type Parsed =
  | { readonly kind: "condition"; readonly condition: Condition }
  | { readonly kind: "refused"; readonly problem: TextProblem }

/** The tree of a text, in normal form, or the first thing that is wrong with it. */
export function parseCondition(text: string): Parsed {
  try {
    if (text.length > MAX_TEXT_CHARS) throw new Refused(MAX_TEXT_CHARS, `is longer than ${MAX_TEXT_CHARS} characters`)
    const reader = new Reader(tokensOf(text))
    const condition = alternatives(reader, 0)
    if (reader.peek().kind !== "end") throw reader.unexpected("`&&` or `||`, or the end")
    const large = tooLarge(condition)
    if (large !== undefined) throw new Refused(0, large)
    return { kind: "condition", condition }
  } catch (error) {
    if (error instanceof Refused) return { kind: "refused", problem: textProblem(text, error) }
    throw error
  }
}

/** Where in a text a node of its tree begins; `pointer` is a JSON pointer into the tree, such as `/all/1/not`. */
export function placeInText(text: string, pointer: string): Omit<TextProblem, "detail"> | undefined {
  const reader = new Reader(tokensOf(text))
  let node: unknown = alternatives(reader, 0)
  let at = reader.places.get(node as Condition)
  for (const part of pointer.split("/").slice(1)) {
    node = (node as Readonly<Record<string, unknown>> | undefined)?.[part]
    at = reader.places.get(node as Condition) ?? at
  }
  if (at === undefined) return undefined
  const { detail: _none, ...position } = textProblem(text, new Refused(at, ""))
  return position
}

/** The text of a tree's normal form, which reads back as it. */
export function printCondition(condition: Condition): string {
  return print(normal(condition))
}

export const TOO_MANY_NODES = `is longer than a condition may be: ${MAX_NODES} comparisons and groups`
export const TOO_DEEP = `is nested deeper than ${MAX_DEPTH} groups`

/** Why a tree cannot be both forms, if it cannot: what one form takes, the other has to take, too. */
export function tooLarge(condition: Condition): string | undefined {
  if (depthOf(condition) > MAX_DEPTH) return TOO_DEEP
  return print(condition).length > MAX_TEXT_CHARS ? `is longer than ${MAX_TEXT_CHARS} characters as text` : undefined
}

function depthOf(condition: Condition): number {
  if ("not" in condition) return 1 + depthOf(condition.not)
  const members = "all" in condition ? condition.all : "any" in condition ? condition.any : []
  return members.length === 0 ? 0 : 1 + Math.max(...members.map(depthOf))
}

class Reader {
  readonly #tokens: readonly Token[]
  #next = 0
  #nodes = 0
  /** Where the nodes of the tree begin. */
  readonly places = new Map<Condition, number>()
  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }
  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)]!
  }
  take(): Token {
    const token = this.peek()
    this.#next += 1
    return token
  }
  isSign(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === "sign" && token.text === text
  }
  isName(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === "name" && token.text === text
  }
  expect(sign: string): void {
    if (!this.isSign(sign)) throw this.unexpected(`\`${sign}\``)
    this.take()
  }
  /** Counts a node of the tree that begins here. */
  node(): void {
    this.#nodes += 1
    if (this.#nodes > MAX_NODES) throw new Refused(this.peek().at, TOO_MANY_NODES)
  }
  /** Beyond this, nesting is not even read. */
  level(depth: number): void {
    if (depth > MAX_DEPTH) throw new Refused(this.peek().at, TOO_DEEP)
  }
  unexpected(wanted: string): Refused {
    const token = this.peek()
    const meant = token.kind === "name" ? connectives[token.text.toLowerCase()] : undefined
    if (meant !== undefined) return new Refused(token.at, `${shown(token)} is written ${meant}`)
    return new Refused(token.at, `expected ${wanted}, and found ${shown(token)}`)
  }
}

/** As other languages write them. */
const connectives: Readonly<Record<string, string>> = { and: "`&&`", or: "`||`" }

function shown(token: Token): string {
  switch (token.kind) {
    case "end":
      return "the end"
    case "string":
      return JSON.stringify(token.value)
    case "number":
      return String(token.value)
    case "name":
    case "sign":
      return `\`${token.text}\``
    default:
      return token satisfies never
  }
}

const alternatives = (reader: Reader, depth: number): Condition =>
  group(
    reader,
    depth,
    "||",
    (inner) => conjunction(reader, inner),
    (any) => ({ any }),
  )
const conjunction = (reader: Reader, depth: number): Condition =>
  group(
    reader,
    depth,
    "&&",
    (inner) => one(reader, inner),
    (all) => ({ all }),
  )

function group(
  reader: Reader,
  depth: number,
  sign: string,
  read: (depth: number) => Condition,
  make: (members: readonly Condition[]) => Condition,
): Condition {
  const { at } = reader.peek()
  const first = read(depth)
  if (!reader.isSign(sign)) return first
  reader.node()
  const members = [first]
  while (reader.isSign(sign)) {
    reader.take()
    members.push(read(depth))
  }
  return placed(reader, make(members), at)
}

function placed<T extends Condition>(reader: Reader, node: T, at: number): T {
  reader.places.set(node, at)
  return node
}

function one(reader: Reader, depth: number): Condition {
  reader.level(depth)
  if (reader.isSign("(")) {
    reader.take()
    const inner = alternatives(reader, depth + 1)
    reader.expect(")")
    return inner
  }
  reader.node()
  const { at } = reader.peek()
  return placed(reader, reader.isSign("!") ? negation(reader, depth) : leaf(reader), at)
}

function leaf(reader: Reader): Condition {
  const token = reader.peek()
  if (token.kind === "string") return keyInMetadata(reader, token.value)
  if (token.kind === "number") throw new Refused(token.at, "the field stands on the left: amount >= 1999")
  if (token.kind !== "name") throw reader.unexpected("a field")
  if (token.text === "true") {
    reader.take()
    return everything
  }
  if (token.text === "false" || token.text === "null")
    throw new Refused(token.at, `\`${token.text}\` is no condition here; \`true\` matches everything`)
  if (token.text.toLowerCase() === "not")
    throw new Refused(token.at, `\`${token.text}\` is written \`!\`, with what it negates in parentheses: !(…)`)
  return token.text === "has" && reader.isSign("(", 1) ? presence(reader) : comparison(reader)
}

// CEL's `!` binds closer than `==`: `!a == b` negates `a`, which would mean nothing here.
function negation(reader: Reader, depth: number): Condition {
  reader.take()
  const { at } = reader.peek()
  const bracketed = reader.isSign("(")
  const not = one(reader, depth + 1)
  if (!bracketed && !bare(not)) throw new Refused(at, "put what is negated into parentheses: !(…)")
  return { not }
}

function keyInMetadata(reader: Reader, key: string): Condition {
  const { at } = reader.take()
  if (!reader.isName("in") || !reader.isName("metadata", 1))
    throw new Refused(at, 'the field stands on the left; only a key of metadata may stand there: "key" in metadata')
  reader.take()
  reader.take()
  return { field: keyField(key, at), op: "exists" }
}

function keyField(key: string, at: number): string {
  if (!isMetadataKey(key)) throw new Refused(at, `keys of metadata have 1 to ${MAX_METADATA_KEY_CHARS} characters`)
  return metadataField(key)
}

function presence(reader: Reader): Condition {
  reader.take()
  reader.expect("(")
  const { at } = reader.peek()
  const { field, found } = reference(reader)
  if (!found.spec.operators.includes("exists"))
    throw new Refused(at, `every payment has ${field}: there is nothing to ask`)
  reader.expect(")")
  return { field, op: "exists" }
}

type Reference = { readonly field: string; readonly found: Field; readonly at: number }

/** A field as it stands in text, in the one way in which the tree writes it. */
function reference(reader: Reader): Reference {
  const start = reader.peek()
  if (start.kind !== "name") throw reader.unexpected("a field")
  reader.take()
  let written = start.text
  if (written === "metadata" && reader.isSign("[")) {
    reader.take()
    const key = reader.take()
    if (key.kind !== "string") throw new Refused(key.at, 'a key of metadata is a text: metadata["…"]')
    reader.expect("]")
    written = keyField(key.value, key.at)
  }
  while (reader.isSign(".") && !(reader.isName("startsWith", 1) && reader.isSign("(", 2))) {
    reader.take()
    const part = reader.take()
    if (part.kind !== "name") throw new Refused(part.at, "a name belongs behind the point")
    written += `.${part.text}`
  }
  if (reader.isSign("(") && start.text === "now") written += zoneCall(reader)
  const found = fieldOf(written)
  if (found === undefined) throw new Refused(start.at, unknownField(written))
  return { field: written, found, at: start.at }
}

function zoneCall(reader: Reader): string {
  reader.expect("(")
  if (reader.isSign(")"))
    throw new Refused(reader.peek().at, 'name the time zone whose clock is meant, as in now.getHours("Europe/Berlin")')
  const zone = reader.take()
  if (zone.kind !== "string" || !isTimeZone(zone.value))
    throw new Refused(zone.at, `${shown(zone)} is no time zone of the IANA database, such as "Europe/Berlin" or "UTC"`)
  reader.expect(")")
  return `(${JSON.stringify(zone.value)})`
}

export function unknownField(written: string): string {
  const [root, account, part] = written.split(".")
  if (root === "accounts" && account !== undefined && !account.startsWith("acc_"))
    return `no field is called ${written}: accounts are named by their ids, as in accounts.acc_….${part ?? "state"}`
  const known =
    root === "accounts" && part !== undefined
      ? fields.flatMap(({ name, parameter }) => (parameter === "account" ? [name.replace("<account>", account!)] : []))
      : fields.map(({ name }) => name.replace(/\("<time zone>"\)$/, ""))
  const near = nearest(written, known)
  return `no field is called ${written}${near === undefined || near === written ? "" : `: did you mean ${near}?`}`
}

const comparators: Readonly<Record<string, Exclude<Operator, "in" | "exists" | "prefix">>> = {
  "==": "equals",
  "!=": "not_equals",
  "<": "lt",
  "<=": "le",
  ">": "gt",
  ">=": "ge",
}

function comparison(reader: Reader): Comparison {
  const of = reference(reader)
  const { field } = of
  const token = reader.peek()
  if (reader.isName("in")) {
    allow(of, "in", token.at)
    reader.take()
    return { field, op: "in", value: list(reader, of) }
  }
  if (reader.isSign(".")) {
    allow(of, "prefix", token.at)
    reader.take()
    reader.take()
    reader.expect("(")
    const value = scalar(reader, of)
    reader.expect(")")
    return { field, op: "prefix", value }
  }
  const op = token.kind === "sign" && Object.hasOwn(comparators, token.text) ? comparators[token.text] : undefined
  if (op === undefined) throw reader.unexpected(`a comparison of ${field} (==, in, …)`)
  allow(of, op, token.at)
  reader.take()
  return { field, op, value: scalar(reader, of) }
}

function allow({ field, found: { spec } }: Reference, op: Operator, at: number): void {
  if (!spec.operators.includes(op)) throw new Refused(at, wrongOperator(field, spec.operators, op))
}

const names: Readonly<Record<Operator, string>> = {
  equals: "==",
  not_equals: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  in: "in",
  prefix: ".startsWith()",
  exists: "has()",
}

export const wrongOperator = (field: string, allowed: readonly Operator[], op: Operator): string =>
  `${field} takes ${allowed.map((one) => names[one]).join(", ")}, and not ${names[op]}`

function scalar(reader: Reader, { field, found }: Reference): Scalar {
  const token = reader.peek()
  if (token.kind === "name" && (found.spec.type === "enum" || found.spec.type === "string"))
    throw new Refused(token.at, `a value of ${field} stands in quotes: ${JSON.stringify(token.text)}`)
  if (token.kind !== "string" && token.kind !== "number") throw reader.unexpected(`a value for ${field}`)
  reader.take()
  const { value } = token
  if (token.kind === "number" && !token.whole && (found.spec.type === "amount" || found.spec.type === "integer"))
    throw new Refused(token.at, `${field} is a whole number, in digits alone`)
  const wrong = wrongValue(found, value)
  if (wrong === undefined) return value
  const near = typeof value === "string" ? nearestWord(value, found.spec.words ?? []) : undefined
  const hint =
    near === undefined || near === value ? rangeOf(field, found, value) : `; did you mean ${JSON.stringify(near)}?`
  throw new Refused(token.at, `${shown(token)} ${wrong} (a value of ${field})${hint}`)
}

/** What the beginning of a number means that is too short to be one. */
function rangeOf(field: string, { spec: { form } }: Field, value: Scalar): string {
  if (form === undefined || typeof value !== "string" || !/^\d{1,5}$/.test(value)) return ""
  const number = (digits: string) =>
    [6, 8].map((length) => digits.padEnd(length, "0")).find((one) => form.pattern.test(one))
  const next = String(Number(value) + 1).padStart(value.length, "0")
  const end = next.length > value.length ? "" : ` && ${field} < "${number(next)}"`
  return `; write a range: ${field} >= "${number(value)}"${end}`
}

/** Codes that people take for those of ISO 3166. */
const mistaken: Readonly<Record<string, string>> = { UK: "GB", EL: "GR" }

function nearestWord(value: string, words: readonly string[]): string | undefined {
  const meant = Object.hasOwn(mistaken, value) ? mistaken[value] : undefined
  return meant !== undefined && words.includes(meant) ? meant : nearest(value, words)
}

function list(reader: Reader, of: Reference): readonly Scalar[] {
  reader.expect("[")
  const values = new Set<Scalar>()
  while (!reader.isSign("]")) {
    const { at } = reader.peek()
    const value = scalar(reader, of)
    if (values.has(value)) throw new Refused(at, `${JSON.stringify(value)} stands in this list before`)
    values.add(value)
    if (values.size > MAX_VALUES) throw new Refused(at, `a list has ${MAX_VALUES} values at most`)
    if (!reader.isSign("]")) reader.expect(",")
  }
  if (values.size === 0) throw new Refused(reader.peek().at, "an empty list matches nothing")
  reader.take()
  return [...values]
}

function print(condition: Condition): string {
  if ("all" in condition) return condition.all.length === 0 ? "true" : joined(condition.all, " && ")
  if ("any" in condition) return joined(condition.any, " || ")
  if ("not" in condition) return `!${bare(condition.not) ? print(condition.not) : `(${print(condition.not)})`}`
  return printComparison(condition)
}

const joined = (members: readonly Condition[], sign: string): string =>
  members.map((one) => (isGroup(one) ? `(${print(one)})` : print(one))).join(sign)

const isGroup = (condition: Condition): boolean =>
  "any" in condition || ("all" in condition && condition.all.length > 0)

/** What CEL's `!` may stand before without parentheses. */
const bare = (condition: Condition): boolean =>
  "op" in condition
    ? condition.op === "prefix" || (condition.op === "exists" && !isBracketed(condition.field))
    : !isGroup(condition)

/** A key that is no plain word: CEL's `has()` cannot ask for it, `in` can. */
const isBracketed = (field: string): boolean => field.endsWith("]")

function printComparison(comparison: Comparison): string {
  const { field, op } = comparison
  if (op === "exists")
    return isBracketed(field) ? `${field.slice("metadata[".length, -1)} in metadata` : `has(${field})`
  const decimal = fieldOf(field)?.spec.type === "number"
  const value = (one: Scalar): string =>
    typeof one === "number" && decimal && Number.isInteger(one) ? `${one}.0` : JSON.stringify(one)
  if (op === "in") return `${field} in [${comparison.value.map(value).join(", ")}]`
  if (op === "prefix") return `${field}.startsWith(${value(comparison.value)})`
  return `${field} ${names[op]} ${value(comparison.value)}`
}
