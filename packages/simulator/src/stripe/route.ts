// What a route is: method and path, and what is done there. The tables stand beside their subjects (`…-routes.ts`).
import { listPage } from "./lists.ts"
import type { Fields } from "./params.ts"
import type { World } from "./world.ts"

export type Call = {
  readonly world: World
  /** What stands in the path, such as an object's id. */
  readonly id: string
  readonly fields: Fields
  readonly version: string
}

export type Route = readonly [method: "GET" | "POST" | "DELETE", path: RegExp, run: (call: Call) => unknown]

/** A page of a list, rendered. */
export function page<T extends { readonly id: string; readonly created: number }>(
  newest: readonly T[],
  fields: Fields,
  url: string,
  render: (object: T) => unknown,
): unknown {
  const list = listPage(newest, fields, url)
  return { ...list, data: list.data.map(render) }
}
