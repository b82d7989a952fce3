// How answers go wrong: fields vanish, change their type, gain unheard-of values; bodies are cut, wrapped, replaced by a
// proxy's page. Mutations of real samples reach far deeper into a decoder than random JSON does. Test support.

import fc from "fast-check"

export type Place = readonly (string | number)[]

/** The value's places, containers included; the root is not one of them. */
export function placesOf(value: unknown, here: Place = []): readonly Place[] {
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => {
    const place = [...here, Array.isArray(value) ? Number(key) : key]
    return [place, ...placesOf(part, place)]
  })
}

export function valueAt(value: unknown, place: Place): unknown {
  return place.reduce<unknown>((current, key) => (current as Record<string | number, unknown>)[key], value)
}

export const removed: unique symbol = Symbol("removed")

/** A copy with another value at the place, or without it. */
export function replaceAt(value: unknown, place: Place, replacement: unknown): unknown {
  const [key, ...rest] = place
  if (key === undefined) return replacement
  if (Array.isArray(value)) {
    if (rest.length === 0 && replacement === removed) return value.filter((_, index) => index !== key)
    return value.map((part: unknown, index) => (index === key ? replaceAt(part, rest, replacement) : part))
  }
  // fromEntries defines own keys, `__proto__` among them, where a literal or an assignment would not.
  const entries = Object.entries(value as object).flatMap(([name, part]) =>
    name !== key
      ? [[name, part]]
      : rest.length === 0 && replacement === removed
        ? []
        : [[name, replaceAt(part, rest, replacement)]],
  )
  return Object.fromEntries(entries as [string, unknown][])
}

/** Every text in a value exchanged where `swap` says so. */
export function mapTexts(value: unknown, swap: (text: string) => string): unknown {
  if (typeof value === "string") return swap(value)
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((part) => mapTexts(part, swap))
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, mapTexts(part, swap)]))
}

/** The same value with fields that the provider may add tomorrow, in every object, and the old ones in another order. */
export function withNewFields(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(withNewFields)
  const entries = Object.entries(value).map(([name, part]) => [name, withNewFields(part)] as const)
  return Object.fromEntries([["zz_new_field", { zz: ["succeeded", 1, null] }], ...entries.reverse()])
}

/** Names that every object answers to unless own keys only are looked up, and one that nobody ever heard of. */
export const strangeCodes = [
  "zz_unheard_of",
  "constructor",
  "__proto__",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "prototype",
] as const

export const wrongValues: readonly unknown[] = [
  removed,
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53 + 2,
  1e308,
  Number.MAX_SAFE_INTEGER,
  "9".repeat(18),
  "",
  "x",
  "\u0000",
  "y".repeat(20_000),
  [],
  {},
  [[]],
  [null],
  { id: {} },
  ...strangeCodes,
]

export const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`

/** Bodies that no provider's API wrote: they must never decide anything. */
export const foreignBodies: readonly string[] = [
  "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>",
  "<!DOCTYPE html><title>Attention Required!</title>",
  "upstream connect error or disconnect/reset before headers",
  "OK",
  "approved",
  "{",
  '{"status":"succ',
  "\u0000\u0001",
  "\ufeff{}",
  "undefined",
]

/** JSON, but of no shape that means anything. */
export const shapelessBodies: readonly string[] = [
  "{}",
  "[]",
  "null",
  "true",
  "1",
  '"text"',
  "[[]]",
  deep(5_000),
  '{"__proto__":{"status":"succeeded"}}',
]

export const arbitraryStatus: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: 100, max: 599 }),
  fc.constantFrom(200, 201, 202, 204, 400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503, 504),
)
