// Stripe's request encoding: forms with brackets. Reading a field checks it as Stripe does, with Stripe's messages.
import { parse } from "qs"
import { invalid } from "./errors.ts"

type Value = string | readonly Value[] | { readonly [name: string]: Value }

export type Fields = {
  readonly has: (name: string) => boolean
  readonly text: (name: string) => string | undefined
  readonly needText: (name: string) => string
  readonly integer: (name: string) => number | undefined
  readonly needInteger: (name: string) => number
  readonly bool: (name: string) => boolean | undefined
  readonly oneOf: <T extends string>(name: string, words: readonly T[]) => T | undefined
  /** Key and value texts, such as metadata; an empty value asks to remove the key. */
  readonly map: (name: string) => Readonly<Record<string, string>> | undefined
  readonly list: (name: string) => readonly string[]
  readonly within: (name: string) => Fields
  /** Refuses names that this endpoint does not know. */
  readonly only: (...names: readonly string[]) => Fields
}

const MAX_DEPTH = 8
const MAX_PARAMETERS = 1_000

export function readForm(text: string): Fields {
  const parsed = parse(text, { depth: MAX_DEPTH, parameterLimit: MAX_PARAMETERS, arrayLimit: 100, plainObjects: true })
  return fieldsOf(parsed as { [name: string]: Value }, "")
}

function fieldsOf(values: { readonly [name: string]: Value }, path: string): Fields {
  const at = (name: string): string => (path ? `${path}[${name}]` : name)

  const text = (name: string): string | undefined => {
    const value = values[name]
    if (value === undefined) return undefined
    if (typeof value !== "string") throw invalid("Invalid string: must be a text", { param: at(name) })
    return value
  }
  const integer = (name: string): number | undefined => {
    const value = text(name)
    if (value === undefined || value === "") return undefined
    if (!/^-?\d{1,15}$/.test(value))
      throw invalid(`Invalid integer: ${value}`, { param: at(name), code: "parameter_invalid_integer" })
    return Number(value)
  }
  const need = <T>(name: string, value: T | undefined): T => {
    if (value === undefined || value === "")
      throw invalid(`Missing required param: ${at(name)}.`, { param: at(name), code: "parameter_missing" })
    return value
  }

  const fields: Fields = {
    has: (name) => values[name] !== undefined,
    text,
    needText: (name) => need(name, text(name)),
    integer,
    needInteger: (name) => need(name, integer(name)),
    bool(name) {
      const value = text(name)
      if (value === undefined || value === "") return undefined
      if (value !== "true" && value !== "false") throw invalid(`Invalid boolean: ${value}`, { param: at(name) })
      return value === "true"
    },
    oneOf(name, words) {
      const value = text(name)
      if (value === undefined || value === "") return undefined
      if ((words as readonly string[]).includes(value)) return value as (typeof words)[number]
      throw invalid(`Invalid ${name}: must be one of ${words.join(", ")}`, { param: at(name) })
    },
    map(name) {
      const value = values[name]
      if (value === undefined) return undefined
      if (value === "") return {}
      const entries = typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : undefined
      if (!entries || entries.some(([, each]) => typeof each !== "string"))
        throw invalid(`Invalid object`, { param: at(name) })
      if (entries.length > 50) throw invalid("You can only have up to 50 metadata keys.", { param: at(name) })
      return Object.fromEntries(entries as [string, string][])
    },
    list(name) {
      const value = values[name]
      if (value === undefined || value === "") return []
      const entries = Array.isArray(value) ? value : typeof value === "object" ? Object.values(value) : undefined
      if (!entries || entries.some((each) => typeof each !== "string"))
        throw invalid("Invalid array", { param: at(name) })
      return entries as string[]
    },
    within(name) {
      const value = values[name]
      if (value === undefined || value === "") return fieldsOf({}, at(name))
      if (typeof value !== "object" || Array.isArray(value)) throw invalid("Invalid object", { param: at(name) })
      return fieldsOf(value as { [name: string]: Value }, at(name))
    },
    only(...names) {
      const unknown = Object.keys(values).filter((name) => !names.includes(name))
      const [first] = unknown
      if (first === undefined) return fields
      const message =
        unknown.length === 1
          ? `Received unknown parameter: ${at(first)}`
          : `Received unknown parameters: ${unknown.map(at).join(", ")}`
      throw invalid(message, { param: at(first), code: "parameter_unknown" })
    },
  }
  return fields
}
