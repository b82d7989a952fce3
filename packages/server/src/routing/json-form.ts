// Reading documents that people write as JSON (retry plans, fee models): every problem is collected with the JSON pointer of
// its place, so that an author sees all that is wrong at once. Fields that nobody knows are problems too: a misspelt limit
// would otherwise be no limit.

export type Problem = {
  /** JSON pointer below the document, e.g. `/steps/0/times`. */
  readonly at: string
  readonly detail: string
}

/** What is read so far of one document. */
export type Form = { readonly problems: Problem[] }

export type Fields = Readonly<Record<string, unknown>>

export function problem(form: Form, at: string, detail: string): undefined {
  form.problems.push({ at, detail })
  return undefined
}

/** An object of no other than these fields. */
export function fields(form: Form, at: string, value: unknown, known: readonly string[]): Fields | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return problem(form, at, "is no object")
  const object = value as Fields
  for (const name of Object.keys(object))
    if (!known.includes(name)) problem(form, `${at}/${pointerPart(name)}`, "is no field that is known here")
  return object
}

/** A list of at most so many; entries that cannot be read are left out, and stand among the problems. */
export function list<T>(
  form: Form,
  at: string,
  value: unknown,
  bounds: { readonly min?: number; readonly max: number },
  read: (at: string, entry: unknown) => T | undefined,
): readonly T[] | undefined {
  if (!Array.isArray(value)) return problem(form, at, "is no list")
  if (value.length > bounds.max) return problem(form, at, `has more than ${bounds.max} entries`)
  if (value.length < (bounds.min ?? 0)) return problem(form, at, `has fewer than ${bounds.min} entries`)
  return value.flatMap((entry: unknown, index) => {
    const one = read(`${at}/${index}`, entry)
    return one === undefined ? [] : [one]
  })
}

export function integer(
  form: Form,
  at: string,
  value: unknown,
  { min, max }: { readonly min: number; readonly max: number },
): number | undefined {
  if (typeof value !== "number" || !Number.isInteger(value)) return problem(form, at, "is no whole number")
  if (value < min || value > max) return problem(form, at, `is not between ${min} and ${max}`)
  return value
}

export function text(form: Form, at: string, value: unknown, max: number): string | undefined {
  if (typeof value !== "string" || value === "") return problem(form, at, "is no text")
  return value.length > max ? problem(form, at, `is longer than ${max} characters`) : value
}

export function oneOf<const T extends string>(
  form: Form,
  at: string,
  value: unknown,
  known: readonly T[],
): T | undefined {
  const found = known.find((one) => one === value)
  return found ?? problem(form, at, `is none of ${known.join(", ")}`)
}

export function isTrue(form: Form, at: string, value: unknown): true | undefined {
  return value === true ? true : problem(form, at, "is not true: leave it out instead")
}

/** Reads a field if it is there. */
export function optional<T>(
  object: Fields,
  name: string,
  at: string,
  read: (at: string, value: unknown) => T | undefined,
): T | undefined {
  return Object.hasOwn(object, name) ? read(`${at}/${name}`, object[name]) : undefined
}

const pointerPart = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1")
