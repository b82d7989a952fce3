// Moves what is sealed under older master keys to the current one, in small batches, while everything runs. Progress is
// the data itself: a row that was moved is no longer found, so an interrupted run goes on where it was, on any node.
// A row that does not open is left as it is, counted, and passed by.

import type { Clock, Log } from "../ports.ts"
import type { MerchantId } from "../core/id.ts"
import type { Sealed } from "./envelope.ts"
import type { SealedTable, Vault } from "./vault.ts"
import { VaultFault } from "./vault-fault.ts"

export type SealedRow = Sealed & {
  readonly merchant: MerchantId
  /** What the value was sealed for: the card's, account's or endpoint's id. */
  readonly row: string
  /** Where the row stands in its table's order; opaque here. */
  readonly cursor: string
}

/** One table with sealed values, as storage offers it. */
export type SealedStore = {
  readonly table: SealedTable
  /** Rows after `after` whose key is not `keyId`, in the table's order. */
  sealedUnderOthers(keyId: string, after: string | undefined, limit: number): Promise<readonly SealedRow[]>
  /** Puts `next` where `row.sealed` still stands; false where the row has changed or gone meanwhile. */
  replaceSealed(row: SealedRow, next: Sealed): Promise<boolean>
}

export type RewrapProgress = {
  readonly table: SealedTable
  readonly rewrapped: number
  /** Changed or deleted by others meanwhile: nothing to do, or found by the next run. */
  readonly passed: number
  /** Did not open; the old key must stay until these are dealt with. */
  readonly failed: number
  readonly done: boolean
  readonly cursor?: string
}

export const REWRAP_BATCH = 200
/** Rest between batches (ms): a rotation has days, payments have not. */
export const REWRAP_PAUSE_MS = 100

/** One batch of one table, from where `progress` ended. */
export async function rewrapBatch(
  vault: Vault,
  store: SealedStore,
  log: Log,
  progress: RewrapProgress = { table: store.table, rewrapped: 0, passed: 0, failed: 0, done: false },
): Promise<RewrapProgress> {
  const rows = await store.sealedUnderOthers(vault.currentKey, progress.cursor, REWRAP_BATCH)
  let { rewrapped, passed, failed } = progress
  for (const row of rows) {
    const next = rewrapRow(vault, store, row, log)
    if (next === undefined) failed += 1
    else if (await store.replaceSealed(row, next)) rewrapped += 1
    else passed += 1
  }
  const last = rows.at(-1)
  return {
    table: store.table,
    rewrapped,
    passed,
    failed,
    done: rows.length < REWRAP_BATCH,
    ...(last === undefined ? {} : { cursor: last.cursor }),
  }
}

/** All tables to their ends. `report` hears of every batch. */
export async function rewrapAll(
  vault: Vault,
  stores: readonly SealedStore[],
  ports: { readonly clock: Clock; readonly log: Log },
  report: (progress: RewrapProgress) => void = () => {},
): Promise<readonly RewrapProgress[]> {
  const all: RewrapProgress[] = []
  for (const store of stores) {
    let progress = await rewrapBatch(vault, store, ports.log)
    report(progress)
    while (!progress.done) {
      await ports.clock.sleep(REWRAP_PAUSE_MS)
      progress = await rewrapBatch(vault, store, ports.log, progress)
      report(progress)
    }
    all.push(progress)
  }
  return all
}

function rewrapRow(
  vault: Vault,
  { table }: SealedStore,
  { merchant, row, sealed }: SealedRow,
  log: Log,
): Sealed | undefined {
  try {
    return { keyId: vault.currentKey, sealed: vault.rewrap(table, merchant, row, sealed) }
  } catch (error) {
    if (!(error instanceof VaultFault)) throw error
    log.error({ table, merchant, row, fault: error.code }, "a sealed row does not open")
    return undefined
  }
}
