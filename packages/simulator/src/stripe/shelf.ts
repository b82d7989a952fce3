// Objects by id, newest last, up to a limit: the oldest are forgotten, so that days of traffic fit in memory.

export type Shelf<T> = {
  readonly put: (id: string, object: T) => T
  readonly get: (id: string) => T | undefined
  readonly delete: (id: string) => void
  /** Newest first, as Stripe lists everything. */
  readonly newest: () => T[]
  /** Oldest first. */
  readonly values: () => IterableIterator<T>
}

export const MAX_OBJECTS = 20_000

export function createShelf<T>(max = MAX_OBJECTS): Shelf<T> {
  const objects = new Map<string, T>()
  return {
    put(id, object) {
      objects.set(id, object)
      if (objects.size > max) {
        const oldest = objects.keys().next().value
        if (oldest !== undefined) objects.delete(oldest)
      }
      return object
    },
    get: (id) => objects.get(id),
    delete: (id) => void objects.delete(id),
    newest: () => [...objects.values()].reverse(),
    values: () => objects.values(),
  }
}
