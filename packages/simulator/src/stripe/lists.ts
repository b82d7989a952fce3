// Lists: newest first, in pages with cursors. https://docs.stripe.com/api/pagination
import { invalid } from "./errors.ts"
import type { Fields } from "./params.ts"

export type List<T> = { readonly object: "list"; readonly data: T[]; readonly has_more: boolean; readonly url: string }

export const LIST_FIELDS: readonly string[] = ["limit", "starting_after", "ending_before", "created", "expand"]
const DEFAULT_LIMIT = 10
const MAX_LIMIT = 100

export function listPage<T extends { readonly id: string; readonly created: number }>(
  newest: readonly T[],
  fields: Fields,
  url: string,
): List<T> {
  const limit = readLimit(fields)
  const fitting = newest.filter(createdWithin(fields))
  const after = fields.text("starting_after")
  const before = fields.text("ending_before")
  if (before) {
    const end = position(fitting, before, "ending_before")
    const start = Math.max(0, end - limit)
    return { object: "list", data: fitting.slice(start, end), has_more: start > 0, url }
  }
  const start = after ? position(fitting, after, "starting_after") + 1 : 0
  return { object: "list", data: fitting.slice(start, start + limit), has_more: fitting.length > start + limit, url }
}

export function readLimit(fields: Fields): number {
  const limit = fields.integer("limit") ?? DEFAULT_LIMIT
  if (limit < 1 || limit > MAX_LIMIT)
    throw invalid(`Invalid limit: must be between 1 and ${MAX_LIMIT}`, {
      param: "limit",
      code: "parameter_invalid_integer",
    })
  return limit
}

function position(objects: readonly { readonly id: string }[], id: string, param: string): number {
  const at = objects.findIndex((object) => object.id === id)
  if (at < 0) throw invalid(`No such object: '${id}'`, { param, code: "resource_missing" })
  return at
}

/** `created=…` or `created[gt|gte|lt|lte]=…`, in seconds. */
function createdWithin(fields: Fields): (object: { readonly created: number }) => boolean {
  if (!fields.has("created")) return () => true
  const exact = isRange(fields) ? undefined : fields.integer("created")
  if (exact !== undefined) return ({ created }) => created === exact
  const range = fields.within("created")
  const [gt, gte, lt, lte] = ["gt", "gte", "lt", "lte"].map((name) => range.integer(name))
  return ({ created }) =>
    (gt === undefined || created > gt) &&
    (gte === undefined || created >= gte) &&
    (lt === undefined || created < lt) &&
    (lte === undefined || created <= lte)
}

function isRange(fields: Fields): boolean {
  try {
    fields.text("created")
    return false
  } catch {
    return true
  }
}
