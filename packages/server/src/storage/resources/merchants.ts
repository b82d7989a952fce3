// Merchants: whose data a row is. Their id begins every key of every table.

import type { MerchantId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import { change, noteChange } from "./changes.ts"
import { edited, type Edited } from "./edit.ts"

export type Merchant = {
  readonly id: MerchantId
  readonly name: string
  readonly settings: Readonly<Record<string, unknown>>
  readonly version: number
  readonly createdAt: number
}

/** More merchants than this do not fit into every node's memory; then directories must load on demand. */
export const MAX_MERCHANTS = 10_000

export async function createMerchant(
  database: Database,
  merchant: Pick<Merchant, "id" | "name" | "settings">,
): Promise<Merchant> {
  const { id, name, settings } = merchant
  const rows = await change<Row>(database, "merchants", id, insert, [name, encodeDocument(settings)])
  return merchantFrom(rows[0] as Row)
}

export async function findMerchant(database: Database, id: MerchantId): Promise<Merchant | undefined> {
  const [row] = await database.query<Row>(byId, [id])
  return row === undefined ? undefined : merchantFrom(row)
}

/** All of them, by id. */
export async function listMerchants(database: Database): Promise<readonly Merchant[]> {
  return (await database.query<Row>(all, [MAX_MERCHANTS])).map(merchantFrom)
}

export async function updateMerchant(
  database: Database,
  id: MerchantId,
  version: number,
  { name, settings }: Partial<Pick<Merchant, "name" | "settings">>,
): Promise<Edited<Merchant>> {
  const values = [version, name ?? null, settings === undefined ? null : encodeDocument(settings)]
  const [row] = await change<Row>(database, "merchants", id, update, values)
  return edited(row === undefined ? undefined : merchantFrom(row), () => findMerchant(database, id))
}

type Row = { merchant_id: MerchantId; name: string; settings: unknown; version: number; created_ms: bigint }

const merchantFrom = (row: Row): Merchant => ({
  id: row.merchant_id,
  name: row.name,
  settings: decodeDocument(row.settings) as Merchant["settings"],
  version: row.version,
  createdAt: Number(row.created_ms),
})

const columns = "merchant_id, name, settings, version, created_ms"

const byId: Statement = { name: "merchant-by-id", text: `select ${columns} from merchants where merchant_id = $1` }

const all: Statement = { name: "merchants", text: `select ${columns} from merchants order by merchant_id limit $1` }

const insert: Statement = {
  name: "merchant-insert",
  text: `with written as (
      insert into merchants (merchant_id, name, settings) values ($1, $2, $3) returning ${columns}),
    ${noteChange("merchants")}
    select ${columns} from written`,
}

const update: Statement = {
  name: "merchant-update",
  text: `with written as (
      update merchants set name = coalesce($3, name), settings = coalesce($4, settings), version = version + 1
      where merchant_id = $1 and version = $2 returning ${columns}),
    ${noteChange("merchants")}
    select ${columns} from written`,
}
