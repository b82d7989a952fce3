// An account as its merchant sees it: everything but its secrets, of which only names are shown.

import { notFound } from "../core/fault.ts"
import { isId, type AccountId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import type { AccountSecrets, AccountSettings } from "../engine/account.ts"
import { readFeeModel, type FeeModel } from "../routing/cost.ts"
import { findAccount, type AccountRow } from "../storage/resources/accounts.ts"
import { VaultFault } from "../vault/vault-fault.ts"
import type { AccountResource } from "./account-schema.ts"
import type { FeeModelJson } from "./account-fees-schema.ts"
import type { Api, Key } from "./context.ts"

/** Somebody else's account, and one of the other mode, is not there. */
export async function loadAccount(api: Api, caller: Key, id: string): Promise<AccountRow> {
  const row = isId("acc", id) ? await findAccount(api.database, caller.merchant, id) : undefined
  if (row === undefined || row.mode !== caller.mode) throw notFound("account")
  return row
}

export const settingsOf = ({ settings }: AccountRow): AccountSettings => ({
  ...(settings as Partial<AccountSettings>),
  values: (settings["values"] ?? {}) as AccountSettings["values"],
})

export function feesOf(row: AccountRow): FeeModel | undefined {
  const read = readFeeModel(settingsOf(row).fees)
  return read.kind === "model" ? read.model : undefined
}

export const secretsOf = (api: Api, row: AccountRow): AccountSecrets =>
  JSON.parse(
    Buffer.from(api.vault.open("accounts", row.merchant, row.id, row.sealed).reveal()).toString("utf8"),
  ) as AccountSecrets

/** A name for a secret that says nothing about it. */
export const secretName = (api: Api, { id, merchant }: AccountRow, secret: string): string =>
  api.vault.hmac("webhook_secret", `${id} ${secret}`, merchant).slice(0, 12)

/** Nothing where they cannot be opened: such an account must hide no other, and new credentials repair it. */
export function readableSecrets(api: Api, row: AccountRow): AccountSecrets {
  try {
    return secretsOf(api, row)
  } catch (error) {
    if (!(error instanceof VaultFault)) throw error
    api.engine.log.error({ account: row.id, error: error.message }, "an account's secrets cannot be opened")
    return { credentials: {}, webhookSecrets: [] }
  }
}

export function accountResource(api: Api, row: AccountRow, secrets = readableSecrets(api, row)): AccountResource {
  const settings = settingsOf(row)
  return {
    id: row.id,
    object: "account",
    mode: row.mode,
    connector: row.connector,
    name: row.name,
    state: row.state,
    credentials: Object.keys(secrets.credentials).toSorted(),
    settings: { ...settings.values },
    on_unknown: settings.onUnknown ?? "wait",
    base_url: settings.baseUrl ?? null,
    time_scale: settings.timeScale ?? null,
    fee_model: (settings.fees as FeeModelJson | undefined) ?? null,
    webhook_url: webhookUrl(api, row.connector, row.id),
    webhook_secrets: secrets.webhookSecrets.map((secret) => ({ id: secretName(api, row, secret) })),
    version: row.version,
    created_at: rfc3339(row.createdAt),
    updated_at: rfc3339(row.updatedAt),
  }
}

const webhookUrl = (api: Api, connector: string, id: AccountId): string =>
  `${api.publicUrl()}/webhooks/${connector}/${id}`
