// Moves what is sealed under older master keys to the current one, in small batches, while everything runs. Progress is
// the data itself: a row that was moved is no longer found, so an interrupted run goes on where it was, on any node.
// A row that does not open is left as it is, counted, and passed by.

import type { Clock, Log } from "../ports.ts"
import type { MerchantId } from "../core/id.ts"
import type { Sealed } from "./envelope.ts"
import type { SealedTable, Vault } from "./vault.ts"
import { VaultFault } from "./vault-fault.ts"

/** `id` is what the value was sealed for: the card, account or endpoint. */
export type SealedRow = Sealed & { readonly merchant: MerchantId; readonly id: string }
/** A place in a table; rows come in the order of merchant, then id. */
export type RowCursor = Pick<SealedRow, "merchant" | "id">

/** One table with sealed values, as storage offers it. */
export type SealedStore = {
  readonly table: SealedTable
  /** Some rows after `after` whose key is not `keyId`, at most `limit`; none only at the end. */
  sealedUnderOthers(keyId: string, after: RowCursor | undefined, limit: number): Promise<readonly SealedRow[]>
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
  readonly cursor?: RowCursor
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
    done: last === undefined,
    ...(last === undefined ? {} : { cursor: { merchant: last.merchant, id: last.id } }),
  }
}

/** Passes over one table at most: more are needed only while others go on sealing under an older key. */
export const MAX_PASSES = 10

/**
 * All tables, each until a pass moves nothing: a pass can overlook a row beside one that it moved, or one that a process
 * with the old key ring wrote behind it. `report` hears of every batch; the answer has each table's last pass.
 */
export async function rewrapAll(
  vault: Vault,
  stores: readonly SealedStore[],
  ports: { readonly clock: Clock; readonly log: Log },
  report: (progress: RewrapProgress) => void = () => {},
): Promise<readonly RewrapProgress[]> {
  const last: RewrapProgress[] = []
  for (const store of stores) {
    let progress = await pass(vault, store, ports, report)
    for (let passes = 1; passes < MAX_PASSES && progress.rewrapped + progress.passed > 0; passes++)
      progress = await pass(vault, store, ports, report)
    last.push(progress)
  }
  return last
}

async function pass(
  vault: Vault,
  store: SealedStore,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  report: (progress: RewrapProgress) => void,
): Promise<RewrapProgress> {
  let progress: RewrapProgress | undefined
  do {
    if (progress !== undefined) await clock.sleep(REWRAP_PAUSE_MS)
    progress = await rewrapBatch(vault, store, log, progress)
    report(progress)
  } while (!progress.done)
  return progress
}

function rewrapRow(
  vault: Vault,
  { table }: SealedStore,
  { merchant, id, sealed }: SealedRow,
  log: Log,
): Sealed | undefined {
  try {
    return { keyId: vault.currentKey, sealed: vault.rewrap(table, merchant, id, sealed) }
  } catch (error) {
    if (!(error instanceof VaultFault)) throw error
    log.error({ table, merchant, id, fault: error.code }, "a sealed row does not open")
    return undefined
  }
}
