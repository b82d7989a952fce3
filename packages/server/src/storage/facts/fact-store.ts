// Where facts are kept and summed up. A store is only ever told rows to add (insight/correction.ts) and asked for sums, so
// that any database that can group can be one; every store passes the same suite (fact-store-contract.ts). What it holds is
// derived: it may be thrown away and built again from the ledger at any time.

import type { FactName, Fact } from "../../insight/facts.ts"
import type { Facts } from "../../insight/facts-of.ts"
import type { PaymentId } from "../../core/id.ts"
import type { Position } from "../ledger/ledger.ts"

export type FactStore = {
  /**
   * Adds rows and moves the cursor to where in the log they come from, both or neither; without a cursor it stays where it
   * is. Rejects without a trace: after a crash the store is as before the call or as after it.
   */
  append(rows: readonly Fact<FactName>[], cursor: Position | undefined): Promise<void>
  /** Undefined: the store is empty, or was being filled when its process died. */
  cursor(): Promise<Position | undefined>
  /** What is said of these payments now, at most MAX_CURRENT of them. Those without facts are not in it. */
  current(payments: readonly PaymentId[]): Promise<ReadonlyMap<PaymentId, Facts>>
  /** All sums of one answer are of one moment. */
  sums(query: FactQuery): Promise<FactSums>
  /** Forgets everything, the cursor first. */
  clear(): Promise<void>
  close(): Promise<void>
}

/** Payments of one look at what is current. */
export const MAX_CURRENT = 500

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
