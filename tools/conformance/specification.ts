// An official API description, and whether a request of ours fits it. Descriptions forbid little by themselves: here every
// object that lists its fields has no others, and a choice of schemas is narrowed to the one that the value claims to be,
// so that a misspelt field or a field of another payment method is seen.

import assert from "node:assert/strict"
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js"
import addFormats from "ajv-formats"
import { parse as parseForm } from "qs"
import type { HttpRequest } from "../../packages/server/src/connectors/connector.ts"

/** One thing that the description does not allow. */
export type Finding = {
  /** `POST /v1/refunds`, with the path as the description writes it. */
  readonly operation: string
  /** Where in the request: `body/payment_method_data/card/number`, `query/limit`, `path`. List positions are `*`. */
  readonly place: string
  /** The schema's keyword (`maxLength`, `enum`, …), `field` for one that is not listed, `path` for an unknown operation. */
  readonly rule: string
  readonly detail: string
}

type Schema = Readonly<Record<string, unknown>>
type Parameter = { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema?: Schema }
type Operation = {
  readonly parameters?: readonly Schema[]
  readonly requestBody?: {
    readonly required?: boolean
    readonly content?: Readonly<Record<string, { schema?: Schema }>>
  }
}

/** Schemas nest that deep at most; a description that refers to itself ends here. */
const maxDepth = 24
/** Compiled validators that are kept: requests of one kind share one. */
const maxCompiled = 4_000
/** What of a value is shown. */
const shownLength = 60

export type Specification = { readonly check: (request: HttpRequest, basePath: string) => readonly Finding[] }

export function openSpecification(document: unknown): Specification {
  assert(isSchema(document) && isSchema(document["paths"]), "not an OpenAPI description")
  const paths = Object.entries(document["paths"]).map(([template, item]) => ({
    template,
    // Fixed parts first: /payments/details is no /payments/{id}.
    literal: !template.includes("{"),
    pattern: new RegExp(`^${template.replaceAll(/[.*+?^$|()[\]\\]/g, "\\$&").replaceAll(/\{[^}]+\}/g, "[^/]+")}$`),
    item: item as Readonly<Record<string, Operation>>,
  }))
  const words = new Set(paths.flatMap(({ template }) => template.split("/").filter((part) => !part.startsWith("{"))))
  const ajv = new Ajv2020({ strict: false, allErrors: true, coerceTypes: true, logger: false, verbose: true })
  addFormats.default(ajv)
  const compiled = new Map<string, ValidateFunction>()

  const resolve = (schema: unknown): Schema => {
    let found = schema
    for (let hops = 0; isSchema(found) && typeof found["$ref"] === "string"; hops++) {
      assert(hops < maxDepth, `a reference without end: ${found["$ref"]}`)
      const name = found["$ref"]
      found = name
        .slice(2)
        .split("/")
        .reduce<unknown>((node, key) => (node as Schema)[key.replaceAll("~1", "/").replaceAll("~0", "~")], document)
      assert(found !== undefined, `${name} is not in the description`)
    }
    if (!isSchema(found)) return {}
    const { type, ...untyped } = found
    // Descriptions have slips of their own (Checkout.com's "type": "strings"?): an unheard-of type says nothing.
    return type === undefined || isJsonType(type) ? found : untyped
  }

  return {
    check(request, basePath) {
      const url = new URL(request.path, "https://provider.example")
      const path = url.pathname.startsWith(basePath) ? url.pathname.slice(basePath.length) : url.pathname
      const method = request.method.toLowerCase()
      const fitting = paths.filter(({ pattern, item }) => pattern.test(path) && item[method] !== undefined)
      const found = fitting.find(({ literal }) => literal) ?? fitting[0]
      if (found === undefined) {
        // Shown as the description would write it: what is no word of its paths is an id.
        const segments = path
          .split("/")
          .map((part, index, all) => (part === "" || words.has(part) || index === all.length - 1 ? part : "{id}"))
        const operation = `${request.method} ${segments.join("/")}`
        return [{ operation, place: "path", rule: "path", detail: "no such operation in the description" }]
      }
      const name = `${request.method} ${found.template}`
      const operation = found.item[method]!
      return [...checkBody(name, operation, request), ...checkQuery(name, operation, url)]
    },
  }

  function checkBody(name: string, operation: Operation, request: HttpRequest): readonly Finding[] {
    const contents = operation.requestBody?.content ?? {}
    if (request.body === undefined) {
      if (operation.requestBody?.required !== true || Object.keys(contents).length === 0) return []
      return [{ operation: name, place: "body", rule: "required", detail: "no body" }]
    }
    const type = (request.headers["content-type"] ?? "").split(";")[0]!
    const schema = contents[type]?.schema
    if (schema === undefined) return [{ operation: name, place: "body", rule: "type", detail: `${type} is not taken` }]
    return checkValue(name, "body", schema, readBody(type, request.body))
  }

  function checkQuery(name: string, operation: Operation, url: URL): readonly Finding[] {
    const parameters = (operation.parameters ?? []).map((one) => resolve(one) as Parameter)
    const properties = parameters.filter((one) => one.in === "query").map((one) => [one.name, one.schema ?? {}])
    const required = parameters.filter((one) => one.in === "query" && one.required === true).map((one) => one.name)
    const schema: Schema = { type: "object", properties: Object.fromEntries(properties) as Schema, required }
    return checkValue(name, "query", schema, parseForm(url.search.slice(1)))
  }

  function checkValue(operation: string, part: string, schema: Schema, value: unknown): readonly Finding[] {
    const fitted = fit(schema, value, 0)
    const key = JSON.stringify(fitted)
    let validate = compiled.get(key)
    if (validate === undefined) {
      validate = ajv.compile(fitted)
      if (compiled.size < maxCompiled) compiled.set(key, validate)
    }
    if (validate(value)) return []
    return (validate.errors ?? []).map((error) => ({ operation, ...place(part, error), detail: detailOf(error) }))
  }

  /** The schema for exactly this value: references resolved, choices narrowed, objects closed. */
  function fit(schema: unknown, value: unknown, depth: number): Schema {
    const {
      oneOf,
      anyOf,
      allOf,
      discriminator: _,
      example: _e,
      examples: _s,
      description: _d,
      ...rest
    } = resolve(schema)
    if (depth > maxDepth) return {}
    const narrowed = narrow(schema, value)
    if (narrowed !== undefined) return fit(narrowed, value, depth + 1)
    const parts = [...list(allOf)].map((part) => fit(part, value, depth + 1))
    const choices = list(oneOf).length > 0 ? list(oneOf) : list(anyOf)
    const closed = close(parts.reduce<Schema>(merge, rest), value, depth)
    if (choices.length === 0) return closed
    return { allOf: [closed], anyOf: choices.map((choice) => fit(choice, value, depth + 1)) }
  }

  function close(schema: Schema, value: unknown, depth: number): Schema {
    const { properties, items, additionalProperties, "x-anyOf": known, ...rest } = schema
    if (items !== undefined)
      return { ...rest, items: fit(items, Array.isArray(value) ? value[0] : undefined, depth + 1) }
    const listed = known === undefined ? properties : namesOf(list(known))
    if (!isSchema(listed)) return additionalProperties === undefined ? rest : { ...rest, additionalProperties }
    const given = isSchema(value) ? value : {}
    const own = Object.entries(listed).filter(([name]) => Object.hasOwn(given, name) || required(rest).includes(name))
    return {
      ...rest,
      properties: Object.fromEntries(own.map(([name, part]) => [name, fit(part, given[name], depth + 1)])),
      additionalProperties: false,
    }
  }

  // `x-anyOf` lists the schemas whose fields may stand in an otherwise open map.
  function namesOf(schemas: readonly unknown[]): Schema {
    return Object.assign({}, ...schemas.map((schema) => resolve(schema)["properties"])) as Schema
  }

  /** The one schema among several that the value claims to be, by its discriminator, its `type`, or its JSON type. */
  function narrow(schema: unknown, value: unknown): unknown {
    const { oneOf, anyOf, discriminator } = resolve(schema)
    const choices = list(oneOf).length > 0 ? list(oneOf) : list(anyOf)
    if (isSchema(discriminator) && isSchema(value)) {
      const mapping = discriminator["mapping"]
      const claimed = value[discriminator["propertyName"] as string]
      const reference = isSchema(mapping) && typeof claimed === "string" ? mapping[claimed] : undefined
      // The branch repeats its parent in `allOf`: without taking the discriminator away it would be narrowed for ever.
      if (typeof reference === "string" && resolve({ $ref: reference }) !== resolve(schema)) return unbound(reference)
    }
    if (choices.length < 2) return undefined
    const fitting = choices.filter((choice) => isKind(resolve(choice), value))
    const byType = isSchema(value) ? fitting.filter((choice) => claims(resolve(choice), value)) : []
    const best = byType.length > 0 ? byType : fitting
    // Among several, the one that knows most of the fields that are there.
    const known = (choice: unknown): number =>
      Object.keys(isSchema(value) ? value : {}).filter((name) => Object.hasOwn(flat(choice), name)).length
    if (isSchema(value) && best.length > 0) return best.toSorted((a, b) => known(b) - known(a))[0]
    return best.length === 1 ? best[0] : undefined
  }

  function unbound(reference: string): Schema {
    const { allOf, ...rest } = resolve({ $ref: reference })
    const parts = list(allOf).map((part) => {
      const { discriminator: _, ...open } = resolve(part)
      return open
    })
    return parts.length === 0 ? rest : { ...rest, allOf: parts }
  }

  function flat(schema: unknown): Schema {
    const { properties, allOf } = resolve(schema)
    return Object.assign({}, properties, ...list(allOf).map(flat)) as Schema
  }

  function claims(schema: Schema, value: Schema): boolean {
    const type = resolve(flat(schema)["type"])
    const allowed = type["enum"] ?? (type["const"] === undefined ? undefined : [type["const"]])
    return Array.isArray(allowed) && allowed.includes(value["type"])
  }
}

const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value)
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : [])
const required = (schema: Schema): readonly unknown[] => list(schema["required"])

const jsonTypes = ["string", "number", "integer", "boolean", "object", "array", "null"]
const isJsonType = (type: unknown): boolean =>
  (Array.isArray(type) ? type : [type]).every((one) => jsonTypes.includes(one as string))

function isKind(schema: Schema, value: unknown): boolean {
  const type = schema["type"]
  if (type === undefined) return true
  const actual = Array.isArray(value) ? "array" : isSchema(value) ? "object" : "scalar"
  const wanted = type === "array" || type === "object" ? type : "scalar"
  return actual === wanted
}

function merge(into: Schema, part: Schema): Schema {
  const { properties = {}, required: needed = [], additionalProperties: _, ...rest } = part
  const open = part["additionalProperties"] === false && into["additionalProperties"] === undefined
  return {
    ...rest,
    ...into,
    ...(open ? { additionalProperties: false } : {}),
    properties: { ...(properties as Schema), ...(into["properties"] as Schema | undefined) },
    required: [...new Set([...list(needed), ...required(into)])],
  }
}

function readBody(type: string, body: string): unknown {
  if (type === "application/json") return JSON.parse(body)
  return parseForm(body, { depth: maxDepth, parameterLimit: 1_000 })
}

function place(part: string, error: ErrorObject): { readonly place: string; readonly rule: string } {
  const unlisted = error.keyword === "additionalProperties" ? `/${String(error.params["additionalProperty"])}` : ""
  const missing = error.keyword === "required" ? `/${String(error.params["missingProperty"])}` : ""
  const path = error.instancePath.replaceAll(/\/\d+(?=\/|$)/g, "/*")
  return { place: part + path + unlisted + missing, rule: unlisted === "" ? error.keyword : "field" }
}

function detailOf(error: ErrorObject): string {
  const shown = JSON.stringify(error.data)?.slice(0, shownLength) ?? ""
  return error.keyword === "required" ? (error.message ?? "") : `${error.message ?? ""}: ${shown}`
}
