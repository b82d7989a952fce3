// /v1/accounts: the merchant's credentials at providers. They are sealed before they are stored and never answered.

import { Type, type Static } from "typebox"
import { Fault, notFound } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { accountSecretsBytes, type AccountSecrets, type AccountSettings } from "../engine/account.ts"
import {
  createAccount,
  findAccount,
  listAccounts,
  updateAccount,
  type AccountEdit,
  type AccountRow,
  type AccountState,
} from "../storage/resources/accounts.ts"
import { checkCredentials, wholeAccount } from "./account-check.ts"
import { accountResource, loadAccount, readableSecrets, secretName, secretsOf, settingsOf } from "./account-resource.ts"
import { connectorOf, identified, readCreate, readUpdate } from "./account-input.ts"
import {
  AccountCreate,
  AccountResource,
  AccountUpdate,
  MAX_WEBHOOK_SECRETS,
  WebhookSecretBody,
} from "./account-schema.ts"
import { callerOf, putInForce, type Api, type Key } from "./context.ts"
import { createOnce, MayRepeat } from "./creation.ts"
import { editedRow, etagOf, IfMatch, ifMatch, MayMatch, mayMatch, stale, tagged } from "./etag.ts"
import { pageAlong, pageQuery, pageRequest, pageResource } from "./pages.ts"
import { closed, Id, Page } from "./schema.ts"
import type { Routes } from "./routes.ts"

const tags = ["Accounts"]
const Params = Type.Object({ id: Id("acc") })
const states = { enable: "enabled", drain: "draining", disable: "disabled" } as const satisfies Record<
  string,
  AccountState
>
const summaries = {
  enable: "Enable an account: it takes new payments",
  drain: "Drain an account: it takes no new payments, and finishes the ones it has",
  disable: "Disable an account",
}
/** A state that is set without If-Match is set again this often when somebody edits the account meanwhile. */
const MAX_CONFLICTS = 5

export const accounts: Routes = (app, api, guard) => {
  app.post(
    "/accounts",
    {
      schema: {
        operationId: "createAccount",
        tags,
        summary: "Connect a provider",
        description: "The provider is asked whether it takes the credentials, unless `verify` is false.",
        headers: MayRepeat,
        body: AccountCreate,
        response: { 201: AccountResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const { merchant, mode } = callerOf(request)
      const made = (row: AccountRow) => ({
        body: accountResource(api, row),
        location: `/v1/accounts/${row.id}`,
        etag: etagOf(row),
      })
      const body = await createOnce(api, request, reply, {
        prefix: "acc",
        create: async (id) => made(await connect(api, { merchant, mode, id }, request.body)),
        find: async (id) => {
          const row = await findAccount(api.database, merchant, id)
          return row === undefined ? undefined : made(row)
        },
      })
      return reply.send(body)
    },
  )

  app.get(
    "/accounts",
    {
      schema: {
        operationId: "listAccounts",
        tags,
        summary: "List accounts, oldest first",
        querystring: closed(pageQuery),
        response: { 200: Page(AccountResource) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const { merchant, mode } = callerOf(request)
      const rows = (await listAccounts(api.database, merchant)).filter((row) => row.mode === mode)
      return pageResource(pageAlong(rows, pageRequest(request.query, "acc")), (row) => accountResource(api, row))
    },
  )

  app.get(
    "/accounts/:id",
    {
      schema: {
        operationId: "getAccount",
        tags,
        summary: "Retrieve an account",
        params: Params,
        response: { 200: AccountResource },
      },
      ...guard("config:read"),
    },
    async (request, reply) => {
      const row = await loadAccount(api, callerOf(request), request.params.id)
      return tagged(reply, row).send(accountResource(api, row))
    },
  )

  app.patch(
    "/accounts/:id",
    {
      schema: {
        operationId: "updateAccount",
        tags,
        summary: "Change an account's name, credentials, settings or fee model",
        description:
          "New credentials are verified like those of a new account, and used by the next attempt. Settings that name the account at the provider cannot change, and credentials of another one are refused where the provider tells: 409 `account.identity_fixed`. Where nobody can tell whose new credentials are, that the provider does not find an operation that was sent with the old ones no longer ends it; a person does.",
        params: Params,
        headers: IfMatch,
        body: AccountUpdate,
        response: { 200: AccountResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const { body } = request
      const row = await matching(api, callerOf(request), request.params.id, ifMatch(request))
      const stored = { settings: settingsOf(row), secrets: readableSecrets(api, row) }
      const update = readUpdate(connectorOf(row.connector), row.mode, stored, body)
      const { secrets } = update
      const saved = await save(api, row, {
        secrets,
        edit: given({ settings: update.settings, name: body.name }),
        settings: (proven) => identified(stored, update, proven),
        verify: body.verify !== false && (body.credentials ?? body.settings ?? body.base_url) !== undefined,
      })
      return tagged(reply, saved).send(accountResource(api, saved, secrets))
    },
  )

  for (const verb of ["enable", "drain", "disable"] as const)
    app.post(
      `/accounts/:id/${verb}`,
      {
        schema: {
          operationId: `${verb}Account`,
          tags,
          summary: summaries[verb],
          params: Params,
          headers: MayMatch,
          response: { 200: AccountResource },
        },
        ...guard("config:write"),
      },
      async (request, reply) => {
        const { id } = request.params as { readonly id: string }
        const row = await setState(api, callerOf(request), id, states[verb], mayMatch(request))
        return tagged(reply, row).send(accountResource(api, row))
      },
    )

  app.post(
    "/accounts/:id/webhook-secrets",
    {
      schema: {
        operationId: "addAccountWebhookSecret",
        tags,
        summary: "Add a webhook secret beside those that are current",
        description: "To rotate: add the new one here, change it at the provider, then delete the old one.",
        params: Params,
        headers: IfMatch,
        body: WebhookSecretBody,
        response: { 200: AccountResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const row = await matching(api, callerOf(request), request.params.id, ifMatch(request))
      const stored = secretsOf(api, row)
      if (stored.webhookSecrets.includes(request.body.secret))
        throw new Fault("resource.conflict", { detail: "This secret is current already." })
      if (stored.webhookSecrets.length >= MAX_WEBHOOK_SECRETS)
        throw new Fault("resource.conflict", { detail: `At most ${MAX_WEBHOOK_SECRETS} secrets are current at once.` })
      const secrets = { ...stored, webhookSecrets: [...stored.webhookSecrets, request.body.secret] }
      const saved = await save(api, row, { secrets, edit: {}, verify: false })
      return tagged(reply, saved).send(accountResource(api, saved, secrets))
    },
  )

  app.delete(
    "/accounts/:id/webhook-secrets/:secret",
    {
      schema: {
        operationId: "deleteAccountWebhookSecret",
        tags,
        summary: "Stop accepting a webhook secret",
        params: Type.Object({ id: Id("acc"), secret: Type.String({ pattern: "^[A-Za-z0-9_-]{12}$" }) }),
        headers: IfMatch,
        response: { 200: AccountResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const row = await matching(api, callerOf(request), request.params.id, ifMatch(request))
      const stored = secretsOf(api, row)
      const left = stored.webhookSecrets.filter((secret) => secretName(api, row, secret) !== request.params.secret)
      if (left.length === stored.webhookSecrets.length) throw notFound("webhook secret")
      const secrets = { ...stored, webhookSecrets: left }
      const saved = await save(api, row, { secrets, edit: {}, verify: false })
      return tagged(reply, saved).send(accountResource(api, saved, secrets))
    },
  )
}

async function connect(
  api: Api,
  { merchant, mode, id }: Pick<AccountRow, "merchant" | "mode" | "id">,
  body: Static<typeof AccountCreate>,
): Promise<AccountRow> {
  const connector = connectorOf(body.connector)
  const { settings, secrets } = readCreate(connector, mode, body)
  const now = api.engine.clock.now()
  const account = {
    id,
    merchant,
    mode,
    connector: connector.manifest.id,
    name: body.name,
    state: "enabled",
    settings,
    ...api.vault.seal("accounts", merchant, id, accountSecretsBytes(secrets)),
  } as const
  const whole = wholeAccount(api.vault, { ...account, version: 1, createdAt: now, updatedAt: now }, connector)
  const identity = body.verify === false ? undefined : await checkCredentials(api.engine, whole)
  const row = await createAccount(api.database, { ...account, settings: given({ ...settings, identity }) })
  await putInForce(api, merchant)
  return row
}

async function matching(api: Api, caller: Key, id: string, version: number): Promise<AccountRow> {
  const row = await loadAccount(api, caller, id)
  if (row.version !== version) throw stale(row)
  return row
}

async function save(
  api: Api,
  row: AccountRow,
  change: {
    readonly secrets: AccountSecrets
    readonly edit: Omit<AccountEdit, "secrets">
    /** With what the provider calls the account. */
    readonly settings?: (proven: string | undefined) => AccountSettings
    readonly verify: boolean
  },
): Promise<AccountRow> {
  const sealed = api.vault.seal("accounts", row.merchant, row.id, accountSecretsBytes(change.secrets))
  const whole = wholeAccount(api.vault, { ...row, ...change.edit, ...sealed }, connectorOf(row.connector))
  const proven = change.verify ? await checkCredentials(api.engine, whole) : undefined
  const settings = change.settings?.(proven)
  const edited = await updateAccount(api.database, row.merchant, row.id, row.version, {
    ...change.edit,
    ...given({ settings }),
    secrets: sealed,
  })
  await putInForce(api, row.merchant)
  return editedRow(edited, "account")
}

async function setState(
  api: Api,
  caller: Key,
  id: string,
  state: AccountState,
  version: number | undefined,
): Promise<AccountRow> {
  for (let tries = 0; ; tries++) {
    const row = await loadAccount(api, caller, id)
    if (version !== undefined && row.version !== version) throw stale(row)
    if (row.state === state) return row
    const edited = await updateAccount(api.database, row.merchant, row.id, row.version, { state })
    if (edited.kind === "stale" && version === undefined && tries < MAX_CONFLICTS) continue
    await putInForce(api, row.merchant)
    return editedRow(edited, "account")
  }
}
