// Lists: newest first, by opaque cursors, never counted. A cursor is the key of the last row that was looked at, so a
// page costs the same wherever it stands, and rows that are added meanwhile shift nothing.

/** Most rows of one page, whatever the caller asks for. */
export const MAX_PAGE = 100

export type Page<T> = {
  readonly rows: readonly T[]
  /** Where the next page begins; undefined at the end. */
  readonly next?: string
}

export type PageRequest = { readonly limit: number; readonly cursor?: string }

export const encodeCursor = (key: string): string => Buffer.from(key, "utf8").toString("base64url")

/** Undefined for what is no cursor of ours; the key itself is only ever compared. */
export function decodeCursor(cursor: string): string | undefined {
  const key = Buffer.from(cursor, "base64url").toString("utf8")
  return cursorKey.test(key) ? key : undefined
}
const cursorKey = /^[a-z]{2,4}_[0-9a-z]{26}$/

/** How many rows a statement asks for: one more than the page shows tells whether another page follows. */
export const rowsWanted = ({ limit }: PageRequest): number => Math.min(Math.max(1, limit), MAX_PAGE) + 1

/** The key to start below, or one above all keys. */
export const keyBelow = ({ cursor }: PageRequest): string =>
  (cursor === undefined ? undefined : decodeCursor(cursor)) ?? LAST_KEY
/** Greater than every id: "~" comes after all letters in bytes. */
export const LAST_KEY = "~"

/** The page out of `rowsWanted` rows. */
export function pageOf<T>(rows: readonly T[], request: PageRequest, keyOf: (row: T) => string): Page<T> {
  const shown = rows.slice(0, rowsWanted(request) - 1)
  const last = shown.at(-1)
  return {
    rows: shown,
    ...(rows.length > shown.length && last !== undefined ? { next: encodeCursor(keyOf(last)) } : {}),
  }
}
