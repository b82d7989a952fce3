// /v1/api-keys: who may call the API. A key's secret is shown once, when it is made; afterwards there is only its hash.

import { Type, type Static } from "typebox"
import { Fault, invalid, notFound } from "../core/fault.ts"
import { isId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import {
  createApiKey,
  findApiKey,
  listApiKeys,
  MAX_API_KEYS,
  revokeApiKey,
  type ApiKey,
} from "../storage/resources/api-keys.ts"
import type { Secret } from "../core/secret.ts"
import { callerOf, scopes, type Key } from "./context.ts"
import { createOnce, MayRepeat, SECRET_KEPT_MS } from "./creation.ts"
import { keyHash, newKeySecret } from "./key-source.ts"
import { pageResource } from "./pages.ts"
import { closed, Id, Page, Text, Time, words } from "./schema.ts"
import type { Routes } from "./routes.ts"
import { API_VERSION } from "./version.ts"

const tags = ["API keys"]

export const ApiKeyCreate = closed(
  {
    name: Text(100, "For people: where it is used."),
    scopes: Type.Array(words(scopes), {
      minItems: 1,
      maxItems: scopes.length,
      uniqueItems: true,
      description: "What it may do. `admin` includes all others.",
    }),
    mode: Type.Optional(words(["live", "test"], "That of the calling key if absent. Only a live key makes live keys.")),
  },
  { $id: "ApiKeyCreate", examples: [{ name: "Checkout server", scopes: ["payments:read", "payments:write"] }] },
)

const fields = {
  id: Type.String(),
  object: Type.Literal("api_key"),
  mode: words(["live", "test"]),
  name: Type.String(),
  hint: Type.String({ description: "The last characters of the secret." }),
  scopes: Type.Array(Type.String()),
  api_version: Type.String(),
  created_at: Time,
  last_used_at: Type.Union([Time, Type.Null()], { description: "To within some minutes." }),
  revoked_at: Type.Union([Time, Type.Null()]),
}
export const ApiKeyResource = Type.Object(fields, { $id: "ApiKey" })
export const NewApiKeyResource = Type.Object(
  { ...fields, secret: Type.String({ description: "Shown this once." }) },
  { $id: "NewApiKey" },
)

export const apiKeys: Routes = (app, api, guard) => {
  app.post(
    "/api-keys",
    {
      schema: {
        operationId: "createApiKey",
        tags,
        summary: "Create an API key",
        headers: MayRepeat,
        body: ApiKeyCreate,
        response: { 201: NewApiKeyResource },
      },
      ...guard("admin"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const mode = request.body.mode ?? caller.mode
      const secretOf = (seed: Secret<Uint8Array>) =>
        newKeySecret(mode, (count) => seed.reveal().slice(0, count)).reveal()
      const made = (key: ApiKey, seed: Secret<Uint8Array>) => ({
        body: { ...keyResource(key), secret: secretOf(seed) },
      })
      const body = await createOnce(api, request, reply, {
        prefix: "key",
        keptMs: SECRET_KEPT_MS,
        create: async (id, seed) => {
          if (mode === "live" && caller.mode === "test")
            throw invalid("#/mode", "must be test: only a live key makes live keys")
          const key = await createApiKey(api.database, {
            id,
            merchant: caller.merchant,
            name: request.body.name,
            hint: secretOf(seed).slice(-4),
            mode,
            scopes: request.body.scopes,
            apiVersion: API_VERSION,
            hash: keyHash(api.vault, secretOf(seed)),
          })
          return made(key, seed)
        },
        find: async (_id, seed) => {
          const key = await findApiKey(api.database, keyHash(api.vault, secretOf(seed)))
          return key === undefined ? undefined : made(key, seed)
        },
      })
      return reply.send(body)
    },
  )

  app.get(
    "/api-keys",
    {
      schema: {
        operationId: "listApiKeys",
        tags,
        summary: "List API keys, newest first, revoked ones too",
        description: `The latest ${MAX_API_KEYS}. A test key sees test keys only.`,
        response: { 200: Page(ApiKeyResource) },
      },
      ...guard("admin"),
    },
    async (request) => {
      const caller = callerOf(request)
      const rows = await listApiKeys(api.database, caller.merchant)
      return pageResource({ rows: rows.filter(({ mode }) => modesSeenBy(caller).includes(mode)) }, keyResource)
    },
  )

  app.delete(
    "/api-keys/:id",
    {
      schema: {
        operationId: "revokeApiKey",
        tags,
        summary: "Revoke an API key",
        description: "It ends on every node within a second. The first revocation counts.",
        params: Type.Object({ id: Id("key") }),
        response: { 200: ApiKeyResource },
      },
      ...guard("admin"),
    },
    async (request) => {
      const caller = callerOf(request)
      const { id } = request.params
      if (id === caller.id)
        throw new Fault("resource.conflict", { detail: "A key does not revoke itself: use another one." })
      const row = isId("key", id)
        ? await revokeApiKey(api.database, caller.merchant, id, modesSeenBy(caller))
        : undefined
      if (row === undefined) throw notFound("API key")
      return keyResource(row)
    },
  )
}

const modesSeenBy = ({ mode }: Key): readonly ApiKey["mode"][] => (mode === "live" ? ["live", "test"] : ["test"])

const keyResource = (row: ApiKey): Static<typeof ApiKeyResource> => ({
  id: row.id,
  object: "api_key",
  mode: row.mode,
  name: row.name,
  hint: row.hint,
  scopes: [...row.scopes],
  api_version: row.apiVersion,
  created_at: rfc3339(row.createdAt),
  last_used_at: row.lastUsedAt === undefined ? null : rfc3339(row.lastUsedAt),
  revoked_at: row.revokedAt === undefined ? null : rfc3339(row.revokedAt),
})
