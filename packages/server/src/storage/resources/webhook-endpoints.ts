// Where merchants want to hear of events. The signing secret is sealed; after a rotation the old one signs beside the
// new one until its time is over, so that receivers can change theirs in peace.

import type { MerchantId, WebhookEndpointId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { change, noteChange } from "./changes.ts"
import { edited, type Edited } from "./edit.ts"

export type WebhookEndpoint = {
  readonly id: WebhookEndpointId
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  readonly url: string
  readonly description: string
  /** Types it wants: exact, `payment.*`, or `*`. */
  readonly eventTypes: readonly string[]
  readonly apiVersion: string
  readonly state: "enabled" | "disabled"
  /** Why it was disabled, where nobody did it by hand. */
  readonly disabledReason?: string
  readonly version: number
  readonly createdAt: number
  readonly updatedAt: number
}

export type SealedSecret = { readonly keyId: string; readonly sealed: Uint8Array }

/** Endpoints of one merchant, all modes. The API refuses more. */
export const MAX_ENDPOINTS = 100

export async function createWebhookEndpoint(
  database: Database,
  endpoint: Omit<WebhookEndpoint, "version" | "createdAt" | "updatedAt" | "disabledReason">,
  secret: SealedSecret,
): Promise<WebhookEndpoint> {
  const { id, merchant, mode, url, description, eventTypes, apiVersion, state } = endpoint
  const values = [id, mode, url, description, eventTypes, apiVersion, state, secret.keyId, Buffer.from(secret.sealed)]
  const [row] = await change<Row>(database, "webhook_endpoints", merchant, insert, values)
  return endpointFrom(row as Row)
}

export async function findWebhookEndpoint(
  database: Database,
  merchant: MerchantId,
  id: WebhookEndpointId,
): Promise<WebhookEndpoint | undefined> {
  const [row] = await database.query<Row>(byId, [merchant, id])
  return row === undefined ? undefined : endpointFrom(row)
}

/** In the order of their creation. */
export async function listWebhookEndpoints(
  database: Database,
  merchant: MerchantId,
): Promise<readonly WebhookEndpoint[]> {
  return (await database.query<Row>(ofMerchant, [merchant, MAX_ENDPOINTS])).map(endpointFrom)
}

export async function updateWebhookEndpoint(
  database: Database,
  merchant: MerchantId,
  id: WebhookEndpointId,
  version: number,
  edit: Partial<Pick<WebhookEndpoint, "url" | "description" | "eventTypes" | "apiVersion" | "state">>,
): Promise<Edited<WebhookEndpoint>> {
  const { url, description, eventTypes, apiVersion, state } = edit
  const values = [id, version, url ?? null, description ?? null, eventTypes ?? null, apiVersion ?? null, state ?? null]
  const [row] = await change<Row>(database, "webhook_endpoints", merchant, update, values)
  return edited(row === undefined ? undefined : endpointFrom(row), () => findWebhookEndpoint(database, merchant, id))
}

/** The new secret signs at once; all older ones sign until `previousUntil` at the latest. */
export async function rotateWebhookSecret(
  database: Database,
  merchant: MerchantId,
  id: WebhookEndpointId,
  secret: SealedSecret,
  previousUntil: number,
): Promise<WebhookEndpoint | undefined> {
  const values = [id, secret.keyId, Buffer.from(secret.sealed), Math.ceil(previousUntil)]
  const [row] = await change<Row>(database, "webhook_endpoints", merchant, rotate, values)
  return row === undefined ? undefined : endpointFrom(row)
}

/** The current secret first; all whose time is not over. */
export async function webhookSecrets(
  database: Database,
  merchant: MerchantId,
  id: WebhookEndpointId,
): Promise<readonly SealedSecret[]> {
  const rows = await database.query<{ key_id: string; sealed: Buffer }>(secrets, [merchant, id])
  return rows.map((row) => ({ keyId: row.key_id, sealed: new Uint8Array(row.sealed) }))
}

/** Its deliveries end with it; those that were made stay in the log until retention takes them. */
export async function deleteWebhookEndpoint(
  database: Database,
  merchant: MerchantId,
  id: WebhookEndpointId,
): Promise<boolean> {
  return (await change(database, "webhook_endpoints", merchant, remove, [id])).length === 1
}

type Row = {
  merchant_id: MerchantId
  id: WebhookEndpointId
  mode: WebhookEndpoint["mode"]
  url: string
  description: string
  event_types: string[]
  api_version: string
  state: WebhookEndpoint["state"]
  disabled_reason: string | null
  version: number
  created_ms: bigint
  updated_ms: bigint
}

const endpointFrom = (row: Row): WebhookEndpoint => ({
  id: row.id,
  merchant: row.merchant_id,
  mode: row.mode,
  url: row.url,
  description: row.description,
  eventTypes: row.event_types,
  apiVersion: row.api_version,
  state: row.state,
  ...(row.disabled_reason === null ? {} : { disabledReason: row.disabled_reason }),
  version: row.version,
  createdAt: Number(row.created_ms),
  updatedAt: Number(row.updated_ms),
})

const columns = `merchant_id, id, mode, url, description, event_types, api_version, state, disabled_reason, version,
  created_ms, updated_ms`

const byId: Statement = {
  name: "webhook-endpoint-by-id",
  text: `select ${columns} from webhook_endpoints where merchant_id = $1 and id = $2`,
}

const ofMerchant: Statement = {
  name: "webhook-endpoints",
  text: `select ${columns} from webhook_endpoints where merchant_id = $1 order by id limit $2`,
}

const insert: Statement = {
  name: "webhook-endpoint-insert",
  text: `with written as (
      insert into webhook_endpoints (merchant_id, id, mode, url, description, event_types, api_version, state)
      values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${columns}),
    secret as (
      insert into webhook_secrets (merchant_id, endpoint_id, generation, key_id, sealed)
      select merchant_id, id, 1, $9, $10::bytea from written),
    ${noteChange("webhook_endpoints")}
    select ${columns} from written`,
}

// Enabling by hand forgives what went before.
const update: Statement = {
  name: "webhook-endpoint-update",
  text: `with written as (
      update webhook_endpoints set url = coalesce($4, url), description = coalesce($5, description),
        event_types = coalesce($6, event_types), api_version = coalesce($7, api_version), state = coalesce($8, state),
        disabled_reason = case when $8 is null then disabled_reason end, version = version + 1, updated_ms = now_ms()
      where merchant_id = $1 and id = $2 and version = $3 returning ${columns}),
    ${noteChange("webhook_endpoints")}
    select ${columns} from written`,
}

// The update of the endpoint's own row makes two rotations wait for each other, and its version numbers the secrets.
const rotate: Statement = {
  name: "webhook-secret-rotate",
  text: `with written as (
      update webhook_endpoints set version = version + 1, updated_ms = now_ms() where merchant_id = $1 and id = $2
      returning ${columns}),
    older as (
      update webhook_secrets s set until_ms = least(s.until_ms, $5::bigint) from written w
      where s.merchant_id = w.merchant_id and s.endpoint_id = w.id),
    secret as (
      insert into webhook_secrets (merchant_id, endpoint_id, generation, key_id, sealed)
      select merchant_id, id, version, $3, $4::bytea from written),
    ${noteChange("webhook_endpoints")}
    select ${columns} from written`,
}

const secrets: Statement = {
  name: "webhook-secrets",
  text: `select key_id, sealed from webhook_secrets
    where merchant_id = $1 and endpoint_id = $2 and (until_ms is null or until_ms > now_ms())
    order by generation desc`,
}

const remove: Statement = {
  name: "webhook-endpoint-delete",
  text: `with written as (
      delete from webhook_endpoints where merchant_id = $1 and id = $2 returning merchant_id),
    pending as (
      update deliveries set state = 'failed', next_ms = null
      where merchant_id = $1 and endpoint_id = $2 and next_ms is not null),
    ${noteChange("webhook_endpoints")}
    select 1 from written`,
}
