// The compiler tells a field that is absent from one that is undefined (`exactOptionalPropertyTypes`), and so do JSON and
// the ledger. This is the one place that turns the second into the first, where a value is put together from others.

/** The same object without its undefined fields; fields that may be undefined become optional. */
export function given<const T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Given<T>
}

export type Given<T> = Flat<
  { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
    [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
  }
>
type Flat<T> = { [K in keyof T]: T[K] }
