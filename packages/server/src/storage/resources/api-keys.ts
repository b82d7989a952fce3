// API keys: only a keyed hash of each is stored, with what it may do. Nodes keep the keys they have seen in memory and
// forget them when the merchant's keys change.

import type { ApiKeyId, MerchantId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { change, noteChange } from "./changes.ts"

export type ApiKey = {
  readonly id: ApiKeyId
  readonly merchant: MerchantId
  readonly name: string
  /** The last characters of the key, by which people tell keys apart. */
  readonly hint: string
  readonly mode: "live" | "test"
  readonly scopes: readonly string[]
  /** The dated version of the API that its requests are served in. */
  readonly apiVersion: string
  readonly createdAt: number
  readonly revokedAt?: number
  /** To within some minutes. */
  readonly lastUsedAt?: number
}

/** Keys of one merchant that a list shows. */
export const MAX_API_KEYS = 1_000

export async function createApiKey(
  database: Database,
  key: Omit<ApiKey, "createdAt" | "revokedAt" | "lastUsedAt"> & { readonly hash: Uint8Array },
): Promise<ApiKey> {
  const { id, merchant, hash, hint, name, mode, scopes, apiVersion } = key
  const values = [id, Buffer.from(hash), hint, name, mode, scopes, apiVersion]
  const [row] = await change<Row>(database, "api_keys", merchant, insert, values)
  return apiKeyFrom(row as Row)
}

/** Revoked keys too: the caller says so. */
export async function findApiKey(database: Database, hash: Uint8Array): Promise<ApiKey | undefined> {
  const [row] = await database.query<Row>(byHash, [Buffer.from(hash)])
  return row === undefined ? undefined : apiKeyFrom(row)
}

/** Newest first. */
export async function listApiKeys(database: Database, merchant: MerchantId): Promise<readonly ApiKey[]> {
  return (await database.query<Row>(ofMerchant, [merchant, MAX_API_KEYS])).map(apiKeyFrom)
}

/** The first revocation counts. Undefined when there is no such key of these modes. */
export async function revokeApiKey(
  database: Database,
  merchant: MerchantId,
  id: ApiKeyId,
  modes: readonly ApiKey["mode"][] = ["live", "test"],
): Promise<ApiKey | undefined> {
  const [row] = await change<Row>(database, "api_keys", merchant, revoke, [id, modes])
  return row === undefined ? undefined : apiKeyFrom(row)
}

/** Nodes note uses now and then, many keys at once; it is no change that others need to hear of. */
export async function noteApiKeyUses(
  database: Database,
  uses: readonly { readonly merchant: MerchantId; readonly id: ApiKeyId; readonly at: number }[],
): Promise<void> {
  const merchants = uses.map((use) => use.merchant)
  const ids = uses.map((use) => use.id)
  const times = uses.map((use) => Math.round(use.at))
  await database.query(noteUses, [merchants, ids, times])
}

type Row = {
  merchant_id: MerchantId
  id: ApiKeyId
  hint: string
  name: string
  mode: ApiKey["mode"]
  scopes: string[]
  api_version: string
  created_ms: bigint
  revoked_ms: bigint | null
  last_used_ms: bigint | null
}

const apiKeyFrom = (row: Row): ApiKey => ({
  id: row.id,
  merchant: row.merchant_id,
  name: row.name,
  hint: row.hint,
  mode: row.mode,
  scopes: row.scopes,
  apiVersion: row.api_version,
  createdAt: Number(row.created_ms),
  ...(row.revoked_ms === null ? {} : { revokedAt: Number(row.revoked_ms) }),
  ...(row.last_used_ms === null ? {} : { lastUsedAt: Number(row.last_used_ms) }),
})

const columns = "merchant_id, id, hint, name, mode, scopes, api_version, created_ms, revoked_ms, last_used_ms"

const byHash: Statement = { name: "api-key-by-hash", text: `select ${columns} from api_keys where hash = $1` }

const ofMerchant: Statement = {
  name: "api-keys",
  text: `select ${columns} from api_keys where merchant_id = $1 order by id desc limit $2`,
}

const insert: Statement = {
  name: "api-key-insert",
  text: `with written as (
      insert into api_keys (merchant_id, id, hash, hint, name, mode, scopes, api_version)
      values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${columns}),
    ${noteChange("api_keys")}
    select ${columns} from written`,
}

const revoke: Statement = {
  name: "api-key-revoke",
  text: `with written as (
      update api_keys set revoked_ms = coalesce(revoked_ms, now_ms())
      where merchant_id = $1 and id = $2 and mode = any ($3::text[])
      returning ${columns}),
    ${noteChange("api_keys")}
    select ${columns} from written`,
}

const noteUses: Statement = {
  name: "api-key-uses",
  text: `update api_keys k set last_used_ms = greatest(k.last_used_ms, u.at_ms)
    from unnest($1::text[], $2::text[], $3::bigint[]) as u (merchant_id, id, at_ms)
    where k.merchant_id = u.merchant_id and k.id = u.id`,
}
