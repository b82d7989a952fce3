// Reading what a provider sent. Nothing in an answer can be relied upon: not that it is JSON, not that a field has the
// type it had last year. These readers take any value, look at own keys only, and say undefined instead of throwing.

/** The longest text that is carried into an outcome: a provider's message is for people, its body may be anything. */
export const maxTextLength = 500

export type Path = readonly (string | number)[]

/** The parsed value, or undefined when the text is not JSON. (JSON itself has no undefined.) */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

/** JSON in whole characters: half a surrogate pair, as cutting a text may leave it, is no text at all for some readers. */
export const writeJson = (value: unknown): string =>
  JSON.stringify(value, (_name, part: unknown) => (typeof part === "string" ? part.toWellFormed() : part))

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** What stands at the path, or undefined: `at(body, "error", "payment_intent", "id")`. */
export function at(value: unknown, ...path: Path): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== "object" || current === null || !Object.hasOwn(current, key)) return undefined
    current = (current as Record<string | number, unknown>)[key]
  }
  return current
}

/** A text that is not empty, cut at `maxTextLength`. A number is not a text: see `wordAt`. */
export function textAt(value: unknown, ...path: Path): string | undefined {
  const found = at(value, ...path)
  return typeof found === "string" && found !== "" ? found.slice(0, maxTextLength) : undefined
}

/** As `textAt`, and numbers as their digits: for codes that a provider writes now as "05" and now as 5. */
export function wordAt(value: unknown, ...path: Path): string | undefined {
  const found = at(value, ...path)
  return typeof found === "number" ? String(found) : textAt(found)
}

/** A provider's id as it may stand in a path of ours: letters, digits, underscores and hyphens. */
export const isReference = (text: string): boolean => /^[\w-]{1,255}$/.test(text)

/**
 * An id that we shall name in later requests. What could not be named in one is no id: an outcome that carried it would
 * be about a payment that nobody could capture, void or ask about.
 */
export function referenceAt(value: unknown, ...path: Path): string | undefined {
  const found = at(value, ...path)
  return typeof found === "string" && isReference(found) ? found : undefined
}

/** A whole number that JSON keeps exactly; amounts are read with it. */
export function integerAt(value: unknown, ...path: Path): bigint | undefined {
  const found = at(value, ...path)
  return typeof found === "number" && Number.isSafeInteger(found) ? BigInt(found) : undefined
}

export function booleanAt(value: unknown, ...path: Path): boolean | undefined {
  const found = at(value, ...path)
  return typeof found === "boolean" ? found : undefined
}

/** The list at the path; an empty one where there is none. */
export function listAt(value: unknown, ...path: Path): readonly unknown[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? (found as readonly unknown[]) : []
}

/** An address that a browser may be sent to: absolute and https; http only to this machine, where simulators live. */
export function browserUrlAt(value: unknown, ...path: Path): string | undefined {
  const found = at(value, ...path)
  return typeof found === "string" && (HTTPS.test(found) || LOOPBACK.test(found)) ? found : undefined
}
const HTTPS = /^https:\/\/[^\s/?#]+(?:[/?#]\S*)?$/i
const LOOPBACK = /^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?(?:[/?#]\S*)?$/i
