// One text for all ways of writing the same JSON value: keys in order, no white space, and without authentication data
// (PCI DSS 3.3: a CVC is not kept, in no form, and a hash of three digits is the three digits). Two requests with the
// same text are the same request.

/** What never goes into a fingerprint, at any depth. */
export const AUTHENTICATION_FIELDS: ReadonlySet<string> = new Set(["cvc", "cvv", "cryptogram"])
/** Request bodies are flat; a deeper one is not a request. */
export const MAX_DEPTH = 32

export function canonicalText(value: unknown, depth = 0): string {
  if (depth > MAX_DEPTH) throw new RangeError(`deeper than ${MAX_DEPTH}`)
  if (Array.isArray(value)) return `[${value.map((item) => canonicalText(item, depth + 1)).join(",")}]`
  if (typeof value === "bigint") return String(value)
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  const fields = Object.entries(value)
    .filter(([name, field]) => field !== undefined && !AUTHENTICATION_FIELDS.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, field]) => `${JSON.stringify(name)}:${canonicalText(field, depth + 1)}`)
  return `{${fields.join(",")}}`
}
