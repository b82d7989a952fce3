// What may be stored: plain data, exactly. PostgreSQL keeps documents as jsonb, which knows no bigint, no undefined, no
// NaN and no NUL, so those are written as tagged objects; keys that look like a tag are escaped. Everything else that
// JSON would quietly bend (a Date, a Map, a class) is a bug here, and a Secret above all: it must never reach a disk.

import assert from "node:assert/strict"
import { Secret } from "../core/secret.ts"

/** Deeper nesting than this is a bug or an attack, not a document. */
export const MAX_DEPTH = 64

/** The document as JSON text that PostgreSQL's jsonb accepts. */
export function encodeDocument(value: unknown): string {
  return JSON.stringify(storable(value, 0))
}

/** The inverse, on parsed JSON. Changes it in place where it can. */
export function decodeDocument(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json
  if (Array.isArray(json)) {
    for (let i = 0; i < json.length; i++) json[i] = decodeDocument(json[i])
    return json
  }
  const object = json as Record<string, unknown>
  const keys = Object.keys(object)
  const [first] = keys
  if (keys.length === 1 && first !== undefined && first.startsWith("$") && !first.startsWith("$$"))
    return decodeTag(first, object[first])
  if (!keys.some((key) => key.startsWith("$"))) {
    for (const key of keys) object[key] = decodeDocument(object[key])
    return object
  }
  return Object.fromEntries(keys.map((key) => [key.startsWith("$") ? key.slice(1) : key, decodeDocument(object[key])]))
}

/** A frozen structural copy, which refuses what `encodeDocument` refuses: how the in-memory store keeps values. */
export function frozenCopy<T>(value: T): T {
  return copy(value, 0) as T
}

// What JSON.stringify writes right as it is stays as it is: only what holds a tagged value is copied, along its path.
function storable(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case "string":
      // jsonb refuses NUL and lone surrogates, and providers may send either.
      return value.isWellFormed() && !value.includes("\0") ? value : { $utf16: codeUnits(value) }
    case "boolean":
      return value
    case "number":
      if (!Number.isFinite(value)) return { $number: String(value) }
      return Object.is(value, -0) ? { $number: "-0" } : value
    case "bigint":
      return { $bigint: value.toString() }
    case "undefined":
      return { $undefined: true }
    case "object":
      if (value === null) return null
      assertPlain(value, depth)
      return Array.isArray(value)
        ? storableList(value as unknown[], depth + 1)
        : storableObject(value as Readonly<Record<string, unknown>>, depth + 1)
    case "symbol":
    case "function":
      return assert.fail(`a ${typeof value} cannot be stored`)
    default:
      return assert.fail("typeof has no other answer")
  }
}

function storableList(items: readonly unknown[], depth: number): readonly unknown[] {
  let copied: unknown[] | undefined
  for (let i = 0; i < items.length; i++) {
    const item = storable(items[i], depth)
    if (item !== items[i]) (copied ??= [...items])[i] = item
  }
  return copied ?? items
}

function storableObject(value: Readonly<Record<string, unknown>>, depth: number): object {
  let copied: Record<string, unknown> | undefined
  for (const key in value) {
    if (key.charCodeAt(0) === DOLLAR || !storableKey(key)) return renamedObject(value, depth)
    const item = storable(value[key], depth)
    if (item !== value[key]) (copied ??= { ...value })[key] = item
  }
  return copied ?? value
}

const DOLLAR = 36

/** With keys that look like a tag, or that jsonb refuses. */
function renamedObject(value: object, depth: number): object {
  const entries = Object.entries(value)
  if (!entries.every(([key]) => storableKey(key)))
    return { $entries: entries.map(([key, item]) => [storable(key, depth), storable(item, depth)]) }
  return Object.fromEntries(
    entries.map(([key, item]) => [key.startsWith("$") ? `$${key}` : key, storable(item, depth)]),
  )
}

function decodeTag(tag: string, value: unknown): unknown {
  switch (tag) {
    case "$bigint":
      return BigInt(value as string)
    case "$undefined":
      return undefined
    case "$number":
      return Number(value)
    case "$utf16":
      return (value as string[]).map((hex) => String.fromCharCode(Number.parseInt(hex, 16))).join("")
    case "$entries":
      return Object.fromEntries(
        (value as [unknown, unknown][]).map(([key, item]) => [decodeDocument(key) as string, decodeDocument(item)]),
      )
    default:
      return assert.fail(`a stored document has the unknown tag ${tag}: it was written by a newer version`)
  }
}

function copy(value: unknown, depth: number): unknown {
  assert(typeof value !== "symbol" && typeof value !== "function", `a ${typeof value} cannot be stored`)
  if (typeof value !== "object" || value === null) return value
  assertPlain(value, depth)
  if (Array.isArray(value)) return Object.freeze((value as unknown[]).map((item) => copy(item, depth + 1)))
  const entries = Object.entries(value).map(([key, item]) => [key, copy(item, depth + 1)] as const)
  return Object.freeze(Object.fromEntries(entries))
}

/** A plain object or an array; everything else asserts. */
function assertPlain(value: object, depth: number): void {
  assert(!(value instanceof Secret), "a secret must never be stored")
  assert(depth < MAX_DEPTH, "a document is nested too deeply")
  if (Array.isArray(value)) return
  const prototype: unknown = Object.getPrototypeOf(value)
  assert(prototype === Object.prototype || prototype === null, "only plain data can be stored")
}

const storableKey = (key: string): boolean => key.isWellFormed() && !key.includes("\0")

const codeUnits = (text: string): string[] =>
  Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16))
