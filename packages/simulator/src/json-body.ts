// Reads JSON requests without trusting their shape, and writes JSON answers. Amounts are JSON numbers on the wire of
// every provider here, and become bigint at once.
import type { WireResponse } from "./persona.ts"

export type JsonObject = Readonly<Record<string, unknown>>

/** Undefined when the text is not a JSON object. */
export function parseObject(text: string): JsonObject | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** What stands at this path, own properties only. */
export function valueAt(from: unknown, ...path: readonly string[]): unknown {
  let value = from
  for (const name of path) {
    const parent = asObject(value)
    if (!parent || !Object.hasOwn(parent, name)) return undefined
    value = parent[name]
  }
  return value
}

/** A non-empty string at this path. */
export function textAt(from: unknown, ...path: readonly string[]): string | undefined {
  const value = valueAt(from, ...path)
  return typeof value === "string" && value !== "" ? value : undefined
}

export function objectAt(from: unknown, ...path: readonly string[]): JsonObject | undefined {
  return asObject(valueAt(from, ...path))
}

/** A whole number of minor units, zero included; undefined for anything else, strings among it. */
export function amountAt(from: unknown, ...path: readonly string[]): bigint | undefined {
  const value = valueAt(from, ...path)
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): WireResponse {
  return { status, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) }
}

function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}
