// What a store of facts can be asked, and what it answers: sums by group and step of time, and nothing that a plain
// `group by` cannot do. question.ts makes metrics of it.

import type { FactName } from "./facts.ts"

export type FactFilter = {
  readonly dimension: string
  /** null is what is not known. */
  readonly among: readonly (string | number | null)[]
  readonly not?: boolean
}

/** Columns are those of insight/facts.ts; a name that is not there is a bug of the caller. */
export type FactQuery = {
  readonly fact: FactName
  readonly sums: readonly string[]
  /** Each comes as counts per bucket. */
  readonly times: readonly string[]
  readonly groupBy: readonly string[]
  /** All must hold. */
  readonly filter: readonly FactFilter[]
  /** Whole minutes since the epoch at which attempts began or payments were made; `to` is not in it. */
  readonly from: number
  readonly to: number
  /** Minutes of a step of time; undefined: the whole range is one. */
  readonly step?: number
  /** Counts the hours in which the sum of this measure is above zero. */
  readonly hoursOf?: string
}

export type FactGroup = {
  /** The minute at which the step begins, by the epoch; without steps that of the range. */
  readonly step: number
  /** In the order of `groupBy`. */
  readonly key: readonly (string | number | null)[]
  readonly sums: Readonly<Record<string, bigint>>
  /** [bucket, count], by bucket. */
  readonly times: Readonly<Record<string, readonly (readonly [number, number])[]>>
  readonly hours?: number
}

export type FactSums =
  /** By step, then by key as texts. A group whose rows have all been taken back is none. */
  | { readonly kind: "groups"; readonly groups: readonly FactGroup[] }
  /** More groups or buckets than an answer may have. */
  | { readonly kind: "too_many" }

/** Groups of one answer. */
export const MAX_GROUPS = 10_000
/** Buckets of all histograms of one answer. */
export const MAX_BUCKETS = 200_000
