// Finishes the OpenAPI document: whatever equals a named schema refers to it by its name, and every answer says what it
// is. Validation keeps the schemas in one piece, which gives the better types and errors; readers and generators of
// clients get names instead of copies.

import type { SwaggerOptions } from "@fastify/swagger"
import { wholeSchemas } from "./policy-openapi.ts"
import { sections } from "./resources.ts"
import { Problem } from "./schema.ts"

const statusNames: Readonly<Record<string, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "Done; nothing to say",
}

/** What every route answers when something goes wrong. */
export const problemAnswer = {
  description: "What went wrong, by a code of docs/faults.md.",
  content: { "application/problem+json": { schema: Problem } },
}

export const documentOptions: SwaggerOptions = {
  openapi: {
    openapi: "3.1.1",
    info: {
      title: "Orchestra",
      version: "1",
      description:
        "One payment over many providers, never twice, never lost.\n\n" +
        "Where money moves, or where somebody says that it has, an `Idempotency-Key` is required: the same key with the " +
        "same body gets the first answer again for 30 days, with `Idempotent-Replayed: true`, whatever has become of the " +
        "payment, its card or its customer since; another body gets 422; a first request that is still being worked on, " +
        "409 with `Retry-After`. A request that was refused leaves its key free. Where a customer, an account, a policy, a " +
        "webhook endpoint or an API key is created, the header may be left out, and means the same. An answer that shows a " +
        "secret comes again for 24 hours only, and is kept encrypted as long. Other requests do not look at keys: repeat " +
        "changes with `If-Match`; storing a card of a customer again changes nothing.",
    },
    servers: [{ url: "/", description: "This server" }],
    tags: sections.map((section) => ({ ...section })),
    components: { securitySchemes: { key: { type: "http", scheme: "bearer", description: "An API key." } } },
    security: [{ key: [] }],
  },
  transformObject: (made) => ("openapiObject" in made ? finished(made.openapiObject) : made.swaggerObject),
  refResolver: {
    buildLocalReference: (json, _base, _fragment, index) =>
      typeof json["$id"] === "string" ? json["$id"] : `def-${index}`,
  },
}

const isRequiredHeader = (value: object): boolean =>
  "in" in value &&
  value.in === "header" &&
  "description" in value &&
  typeof value.description === "string" &&
  value.description.startsWith("Required. ")

type Document = { readonly components?: { readonly schemas?: object }; readonly paths?: unknown }

/** What stands in every document of @fastify/swagger where a route says nothing. */
const NO_DESCRIPTION = "Default Response"

export function finished<D extends Document>(document: D): D {
  const schemas = document.components?.schemas ?? {}
  const names = new Map(Object.entries(schemas).map(([name, schema]) => [JSON.stringify(schema), name]))
  const walk = (value: unknown, key: string): unknown => {
    if (typeof value !== "object" || value === null) return value
    const name = names.get(JSON.stringify(value))
    if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
    // The handler itself refuses a request without it, with a code of its own; whoever reads the document must know.
    if (isRequiredHeader(value)) return { ...(inside(value) as object), required: true }
    return "description" in value && value.description === NO_DESCRIPTION
      ? { ...(inside(value) as object), description: statusNames[key] ?? "Answer" }
      : inside(value)
  }
  const inside = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item, ""))
    if (typeof value !== "object" || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, walk(part, key)]))
  }
  const named = {
    ...Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, inside(schema)])),
    ...wholeSchemas,
  }
  return { ...document, paths: inside(document.paths), components: { ...document.components, schemas: named } }
}
