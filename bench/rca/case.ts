// A case of a data set: the table to search, what is known of it, and the causes that it is labelled with.

import type { Counts } from "../../packages/server/src/insight/cause/expectation.ts"
import type { Leaves } from "../../packages/server/src/insight/cause/leaves.ts"

export type Case = {
  readonly name: string
  /** Cases of one group are alike: halves and intervals are made of groups. */
  readonly group: string
  readonly leaves: Leaves
  readonly data:
    | { readonly kind: "value"; readonly values: Float64Array; readonly forecasts: Float64Array }
    | { readonly kind: "ratio"; readonly counts: Counts }
  /** As "a=a1&b=b2", dimensions in alphabetical order. */
  readonly labels: readonly string[]
}

export type Reader = (folder: string) => Iterable<Case>

export const labelOf = (fixed: Readonly<Record<string, string>>): string =>
  Object.entries(fixed)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join("&")
