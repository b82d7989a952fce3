// Lists: bounded pages, newest first unless a list says otherwise, with an opaque cursor and no total.

import { Type } from "typebox"
import { invalid } from "../core/fault.ts"
import type { IdPrefix } from "../core/id.ts"
import { given } from "../core/given.ts"
import { decodeCursor, encodeCursor, MAX_PAGE, type Page as Rows, type PageRequest } from "../storage/resources/page.ts"

export const DEFAULT_PAGE = 20

export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE, description: "Rows of one page." }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 100, description: "`next` of the page before." })),
}

/** `prefix` is that of the ids which the list walks along: another list's cursor is refused. */
export function pageRequest(
  { limit = DEFAULT_PAGE, cursor }: { readonly limit?: number; readonly cursor?: string },
  prefix: IdPrefix,
): PageRequest {
  if (cursor !== undefined && decodeCursor(cursor)?.startsWith(`${prefix}_`) !== true)
    throw invalid("query/cursor", "is not a cursor of this list")
  return given({ limit, cursor })
}

export const pageResource = <T, R>({ rows, next }: Rows<T>, render: (row: T) => R) => ({
  data: rows.map(render),
  next: next ?? null,
})

/** A page of rows that are all at hand, ordered by `id`, first the smallest. */
export function pageAlong<T extends { readonly id: string }>(rows: readonly T[], request: PageRequest): Rows<T> {
  const after = request.cursor === undefined ? "" : (decodeCursor(request.cursor) ?? "")
  const left = rows.filter(({ id }) => id > after)
  const shown = left.slice(0, request.limit)
  const last = shown.at(-1)
  return { rows: shown, ...(left.length > shown.length && last !== undefined ? { next: encodeCursor(last.id) } : {}) }
}
