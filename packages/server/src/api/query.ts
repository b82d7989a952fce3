// A query string knows only texts. Here they become what the route's schema says: numbers, booleans, lists with commas,
// and `name[key]=value` one object. What does not fit stays a text, and validation says so.

import type { FastifyRequest } from "fastify"
import { Fault, type FieldError } from "../core/fault.ts"
import { maskPans } from "../core/pan-mask.ts"
import { isText, NO_TEXT } from "./json-body.ts"

type Properties = Readonly<Record<string, { readonly type?: unknown }>>

export async function readQuery(request: FastifyRequest): Promise<void> {
  const schema = request.routeOptions.schema?.querystring as { readonly properties?: Properties } | undefined
  const query = request.query as Record<string, unknown>
  for (const [name, { type }] of Object.entries(schema?.properties ?? {})) {
    if (type === "object") foldInto(query, name)
    const text = query[name]
    if (typeof text === "string") query[name] = read(text, type)
  }
  const errors = [
    ...Object.entries(query).flatMap(([name, value]) => {
      const wrong = wrongIn(value, schema?.properties?.[name]?.type)
      return wrong === undefined && isText(name) ? [] : [at(`query/${name}`, wrong ?? NO_TEXT)]
    }),
    ...Object.entries(request.params as Readonly<Record<string, string>>).flatMap(([name, text]) =>
      isText(text) ? [] : [at(`path/${name}`, NO_TEXT)],
    ),
  ]
  if (errors.length > 0) throw new Fault("request.invalid", { errors })
}

const at = (pointer: string, detail: string): FieldError => ({
  pointer: maskPans(pointer.toWellFormed().replaceAll("\0", "")),
  detail,
})

function wrongIn(value: unknown, type: unknown): string | undefined {
  if (Array.isArray(value) && type !== "array" && type !== undefined) return "is there more than once"
  return isReadable(value) ? undefined : NO_TEXT
}

function isReadable(value: unknown): boolean {
  if (typeof value === "string") return isText(value)
  if (typeof value !== "object" || value === null) return true
  return Object.entries(value).every(([name, part]) => isText(name) && isReadable(part))
}

function read(text: string, type: unknown): unknown {
  switch (type) {
    case "integer":
      return /^-?\d{1,16}$/.test(text) ? Number(text) : text
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text
    case "array":
      return text.split(",")
    default:
      return text
  }
}

function foldInto(query: Record<string, unknown>, name: string): void {
  const folded: [string, unknown][] = []
  for (const key of Object.keys(query)) {
    if (!key.startsWith(`${name}[`) || !key.endsWith("]")) continue
    folded.push([key.slice(name.length + 1, -1), query[key]])
    delete query[key]
  }
  if (folded.length > 0) query[name] = Object.fromEntries(folded)
}
