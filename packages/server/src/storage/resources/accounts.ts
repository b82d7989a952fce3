// Accounts: a merchant's credentials at one provider. Secrets come and go sealed; the vault alone opens them. An account
// is never deleted, since payments point to it: draining takes no new payments but finishes the old ones, disabled is
// not called at all.

import type { AccountId, MerchantId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import { change, noteChange } from "./changes.ts"
import { edited, type Edited } from "./edit.ts"

export type AccountState = "enabled" | "draining" | "disabled"

export type AccountRow = {
  readonly id: AccountId
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  /** The connector's id. */
  readonly connector: string
  readonly name: string
  readonly state: AccountState
  /** What is not secret. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Credentials and webhook secrets, as the vault sealed them under `keyId`. */
  readonly keyId: string
  readonly sealed: Uint8Array
  /** The ETag. */
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
}

export type AccountEdit = Partial<Pick<AccountRow, "name" | "state" | "settings">> & {
  readonly secrets?: Pick<AccountRow, "keyId" | "sealed">
}

/** More accounts than this do not fit into every node's memory; then directories must load on demand. */
export const MAX_ACCOUNTS = 50_000

export async function createAccount(
  database: Database,
  account: Omit<AccountRow, "version" | "createdAt" | "updatedAt">,
): Promise<AccountRow> {
  const { id, merchant, mode, connector, name, state, settings, keyId, sealed } = account
  const values = [id, mode, connector, name, state, encodeDocument(settings), keyId, Buffer.from(sealed)]
  const [row] = await change<Row>(database, "accounts", merchant, insert, values)
  return accountFrom(row as Row)
}

export async function findAccount(
  database: Database,
  merchant: MerchantId,
  id: AccountId,
): Promise<AccountRow | undefined> {
  const [row] = await database.query<Row>(byMerchant, [merchant, id])
  return row === undefined ? undefined : accountFrom(row)
}

/** For webhooks, whose URL names the account alone. */
export async function findAccountById(database: Database, id: AccountId): Promise<AccountRow | undefined> {
  const [row] = await database.query<Row>(byId, [id])
  return row === undefined ? undefined : accountFrom(row)
}

/** A merchant's, in the order of their creation; without a merchant, everybody's: what a starting node loads. */
export async function listAccounts(database: Database, merchant?: MerchantId): Promise<readonly AccountRow[]> {
  const rows =
    merchant === undefined
      ? await database.query<Row>(all, [MAX_ACCOUNTS])
      : await database.query<Row>(ofMerchant, [merchant, MAX_ACCOUNTS])
  return rows.map(accountFrom)
}

export async function updateAccount(
  database: Database,
  merchant: MerchantId,
  id: AccountId,
  version: number,
  { name, state, settings, secrets }: AccountEdit,
): Promise<Edited<AccountRow>> {
  const [row] = await change<Row>(database, "accounts", merchant, update, [
    id,
    version,
    name ?? null,
    state ?? null,
    settings === undefined ? null : encodeDocument(settings),
    secrets?.keyId ?? null,
    secrets === undefined ? null : Buffer.from(secrets.sealed),
  ])
  return edited(row === undefined ? undefined : accountFrom(row), () => findAccount(database, merchant, id))
}

type Row = {
  merchant_id: MerchantId
  id: AccountId
  mode: AccountRow["mode"]
  connector: string
  name: string
  state: AccountState
  settings: unknown
  key_id: string
  sealed: Buffer
  version: number
  created_ms: bigint
  updated_ms: bigint
}

const accountFrom = (row: Row): AccountRow => ({
  id: row.id,
  merchant: row.merchant_id,
  mode: row.mode,
  connector: row.connector,
  name: row.name,
  state: row.state,
  settings: decodeDocument(row.settings) as AccountRow["settings"],
  keyId: row.key_id,
  sealed: new Uint8Array(row.sealed),
  version: row.version,
  createdAt: Number(row.created_ms),
  updatedAt: Number(row.updated_ms),
})

const columns =
  "merchant_id, id, mode, connector, name, state, settings, key_id, sealed, version, created_ms, updated_ms"

const byMerchant: Statement = {
  name: "account-by-merchant",
  text: `select ${columns} from accounts where merchant_id = $1 and id = $2`,
}

const byId: Statement = { name: "account-by-id", text: `select ${columns} from accounts where id = $1` }

const ofMerchant: Statement = {
  name: "accounts-of-merchant",
  text: `select ${columns} from accounts where merchant_id = $1 order by id limit $2`,
}

const all: Statement = {
  name: "accounts-of-all",
  text: `select ${columns} from accounts order by merchant_id, id limit $1`,
}

const insert: Statement = {
  name: "account-insert",
  text: `with written as (
      insert into accounts (merchant_id, id, mode, connector, name, state, settings, key_id, sealed)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning ${columns}),
    ${noteChange("accounts")}
    select ${columns} from written`,
}

const update: Statement = {
  name: "account-update",
  text: `with written as (
      update accounts set name = coalesce($4, name), state = coalesce($5, state), settings = coalesce($6, settings),
        key_id = coalesce($7, key_id), sealed = coalesce($8, sealed), version = version + 1, updated_ms = now_ms()
      where merchant_id = $1 and id = $2 and version = $3 returning ${columns}),
    ${noteChange("accounts")}
    select ${columns} from written`,
}
