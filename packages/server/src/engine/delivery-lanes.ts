// Who may be posting at the same time. Each endpoint has a lane of its own, so that a slow one holds back only itself. It
// is wide only while the endpoint is known to answer: one that failed, or that this process does not know yet, takes one
// post at a time, and all such together get a part of the house. However many endpoints hang for their full fifteen
// seconds, the healthy ones find room.

/** Posts at the same time, of one process. */
export const SLOTS = 64
/** Posts at the same time to one endpoint, by what its last post came to. */
export const WIDTH = { healthy: 8, unknown: 1, failing: 1 } as const
/** Posts at the same time to all endpoints of a kind. */
export const ROOM = { healthy: SLOTS, unknown: 32, failing: 16 } as const
/** Endpoints remembered; one that was forgotten is unknown again. */
export const MAX_REMEMBERED = 10_000
/** Endpoints named as full at most: beyond it, their deliveries are read in vain. */
export const MAX_FULL = 1_000

type Kind = keyof typeof ROOM

/** One post's place. `undefined`: nothing was posted, nothing is learned. */
export type Place = { leave(delivered: boolean | undefined): void }

export type Lanes = {
  free(): number
  /** Endpoints that take no other post now. */
  full(): readonly string[]
  enter(endpoint: string): Place | undefined
}

export function createLanes(): Lanes {
  const posting = new Map<string, number>()
  const known = new Map<string, "healthy" | "failing">()
  const taken: Record<Kind, number> = { healthy: 0, unknown: 0, failing: 0 }
  let total = 0
  const kindOf = (endpoint: string): Kind => known.get(endpoint) ?? "unknown"
  const isFull = (endpoint: string): boolean => {
    const kind = kindOf(endpoint)
    return (posting.get(endpoint) ?? 0) >= WIDTH[kind] || taken[kind] >= ROOM[kind]
  }
  const remember = (endpoint: string, as: "healthy" | "failing"): void => {
    known.delete(endpoint)
    known.set(endpoint, as)
    if (known.size > MAX_REMEMBERED) known.delete(known.keys().next().value ?? "")
  }
  const leave = (endpoint: string, kind: Kind, delivered: boolean | undefined): void => {
    total -= 1
    taken[kind] -= 1
    const left = (posting.get(endpoint) ?? 1) - 1
    if (left === 0) posting.delete(endpoint)
    else posting.set(endpoint, left)
    if (delivered !== undefined) remember(endpoint, delivered ? "healthy" : "failing")
  }
  return {
    free: () => SLOTS - total,
    full: () => {
      const failing = taken.failing < ROOM.failing ? [] : [...known.keys()].filter((one) => kindOf(one) === "failing")
      return [...new Set([...[...posting.keys()].filter(isFull), ...failing])].slice(0, MAX_FULL)
    },
    enter: (endpoint) => {
      if (total >= SLOTS || isFull(endpoint)) return undefined
      const kind = kindOf(endpoint)
      total += 1
      taken[kind] += 1
      posting.set(endpoint, (posting.get(endpoint) ?? 0) + 1)
      return { leave: (delivered) => leave(endpoint, kind, delivered) }
    },
  }
}
