// Where facts are kept and summed up. A store is only ever told rows to add (insight/correction.ts) and asked for sums, so
// that any database that can group can be one; every store passes the same suite (fact-store-contract.ts). What it holds is
// derived: it may be thrown away and built again from the ledger at any time.

import type { FactName, Fact } from "../../insight/facts.ts"
import type { FactQuery, FactSums } from "../../insight/fact-query.ts"
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
