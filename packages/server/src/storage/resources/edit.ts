// Rows that people edit carry a version, their ETag. An edit names the version it was made on; one that is older than
// the row is not applied, and the caller sees what stands there now.

export type Edited<T> =
  | { readonly kind: "edited"; readonly row: T }
  /** Somebody else was first. */
  | { readonly kind: "stale"; readonly row: T }
  | { readonly kind: "missing" }

/** The result of an `update … where version = $n returning …`, with the row as it stands if nothing was updated. */
export async function edited<T>(updated: T | undefined, current: () => Promise<T | undefined>): Promise<Edited<T>> {
  if (updated !== undefined) return { kind: "edited", row: updated }
  const row = await current()
  return row === undefined ? { kind: "missing" } : { kind: "stale", row }
}
