// The compiler tells a field that is absent from one that is undefined (`exactOptionalPropertyTypes`), and so do JSON and
// the ledger. This is the one place that turns the second into the first, where a value is put together from others.

/** The same object without its undefined fields; fields that may be undefined become optional. */
export function given<const T extends object>(fields: T): Given<T> {
  // Every payment comes here dozens of times, and this is twice as quick as to filter entries.
  const known: Partial<T> = {}
  for (const name of Object.keys(fields) as (keyof T)[]) if (fields[name] !== undefined) known[name] = fields[name]
  return known as Given<T>
}

export type Given<T> = T extends unknown
  ? Flat<{ [K in Certain<T>]: T[K] } & { [K in Exclude<keyof T, Certain<T>>]?: Exclude<T[K], undefined> }>
  : never
/** What nobody knows anything of (`unknown`) counts as there. */
type Certain<T> = { [K in keyof T]-?: undefined extends T[K] ? (unknown extends T[K] ? K : never) : K }[keyof T]
type Flat<T> = { [K in keyof T]: T[K] }
