// A query string knows only texts. Here they become what the route's schema says: numbers, booleans, lists with commas,
// and `name[key]=value` one object. What does not fit stays a text, and validation says so.

import type { FastifyRequest } from "fastify"

type Properties = Readonly<Record<string, { readonly type?: unknown }>>

export async function readQuery(request: FastifyRequest): Promise<void> {
  const schema = request.routeOptions.schema?.querystring as { readonly properties?: Properties } | undefined
  const query = request.query as Record<string, unknown>
  for (const [name, { type }] of Object.entries(schema?.properties ?? {})) {
    if (type === "object") foldInto(query, name)
    const text = query[name]
    if (typeof text === "string") query[name] = read(text, type)
  }
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
