// Everything that is sealed under a master key, as the vault's rewrapping walks through it when the key is rotated:
// bounded steps along the primary key, and a replacement that compares what it replaces.

import type { Id, MerchantId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"

export type SealedTable = "cards" | "accounts" | "webhook_endpoints" | "request_keys"
export type SealedValue = { readonly keyId: string; readonly sealed: Uint8Array }
export type SealedRow = SealedValue & { readonly merchant: MerchantId; readonly id: string }
export type SealedCursor = Pick<SealedRow, "merchant" | "id">

export type SealedRows = {
  readonly table: SealedTable
  /** Rows after `after` whose key is not `keyId`, by merchant and id; fewer than `limit` only at the end. */
  sealedUnderOthers(keyId: string, after: SealedCursor | undefined, limit: number): Promise<readonly SealedRow[]>
  /** Puts `next` where `row.sealed` still stands; false where the row has changed or gone meanwhile. */
  replaceSealed(row: SealedRow, next: SealedValue): Promise<boolean>
}

/** Rows that one statement looks at: after a rotation is nearly done, most of them need nothing. */
export const SCAN_ROWS = 5_000

// An endpoint may have two secrets at once. They share their place, the endpoint's id, as the vault sealed them for it.
const places: Readonly<Record<SealedTable, { readonly from: string; readonly id: string }>> = {
  cards: { from: "cards", id: "id" },
  accounts: { from: "accounts", id: "id" },
  webhook_endpoints: { from: "webhook_secrets", id: "endpoint_id" },
  request_keys: { from: "request_keys", id: "resource_id" },
}

export const sealedTables = (database: Database): readonly SealedRows[] =>
  (Object.keys(places) as SealedTable[]).map((table) => sealedRows(database, table))

function sealedRows(database: Database, table: SealedTable): SealedRows {
  const { from, id } = places[table]
  // The row marked `last` tells how far the scan has come, when it has found little or nothing.
  const scan: Statement = {
    name: `sealed-scan-${table}`,
    text: `with scanned as materialized (
        select merchant_id, ${id} as id, key_id, sealed from ${from}
        where (merchant_id, ${id}) > ($1, $2)
        order by merchant_id, ${id} fetch first ${SCAN_ROWS} rows with ties)
      (select merchant_id, id, key_id, sealed, false as last from scanned where key_id <> $3
        order by merchant_id, id fetch first $4 rows with ties)
      union all
      (select merchant_id, id, '', '', true from scanned order by merchant_id desc, id desc limit 1)`,
  }
  const replace: Statement = {
    name: `sealed-replace-${table}`,
    text: `update ${from} set key_id = $4, sealed = $5 where merchant_id = $1 and ${id} = $2 and sealed = $3 returning 1`,
  }
  return {
    table,
    async sealedUnderOthers(keyId, after, limit) {
      const found: SealedRow[] = []
      let cursor: SealedCursor | undefined = after
      while (found.length < limit) {
        const wanted = limit - found.length
        const rows = await database.query<Row>(scan, [cursor?.merchant ?? "", cursor?.id ?? "", keyId, wanted])
        const others = rows.filter((row) => !row.last)
        found.push(...others.map(sealedFrom))
        const end = others.length >= wanted ? undefined : rows.find((row) => row.last)
        if (end === undefined) break
        cursor = { merchant: end.merchant_id, id: end.id }
      }
      return found
    },
    async replaceSealed(row, next) {
      const values = [row.merchant, row.id, Buffer.from(row.sealed), next.keyId, Buffer.from(next.sealed)]
      return (await database.query(replace, values)).length > 0
    },
  }
}

type Row = { merchant_id: MerchantId; id: Id; key_id: string; sealed: Buffer; last: boolean }

const sealedFrom = (row: Row): SealedRow => ({
  merchant: row.merchant_id,
  id: row.id,
  keyId: row.key_id,
  sealed: new Uint8Array(row.sealed),
})
