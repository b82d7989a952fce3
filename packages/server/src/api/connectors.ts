// /v1/connectors: the catalogue of providers, from their manifests. What a form for a new account needs is here.

import { Type, type Static } from "typebox"
import type { Connector, Field } from "../connectors/connector.ts"
import { connectors as registry, findConnector } from "../connectors/registry.ts"
import { notFound } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { pageResource } from "./pages.ts"
import { Page } from "./schema.ts"
import type { Routes } from "./routes.ts"

const tags = ["Connectors"]

const FieldResource = Type.Object({
  name: Type.String(),
  title: Type.String(),
  optional: Type.Boolean(),
  pattern: Type.Optional(Type.String()),
  hint: Type.Optional(Type.String()),
  identifies: Type.Optional(
    Type.Literal(true, { description: "Names the account at the provider, and never changes." }),
  ),
})
const OperationResource = Type.Object({
  kind: Type.String(),
  accepted_first: Type.Boolean({ description: "The answer only accepts; the verdict follows." }),
  replay: Type.Object({
    stores: Type.String({ description: "Which answers the provider repeats for the same idempotency key." }),
    window_ms: Type.Integer(),
  }),
  inquiry: Type.Object(
    { by_reference: Type.String(), by_attempt: Type.String() },
    { description: "strong: sees everything. none: cannot ask. eventual: sees everything after a while." },
  ),
  source: Type.String(),
})

export const ConnectorResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("connector"),
    name: Type.String(),
    website: Type.String(),
    api: Type.Object({
      version: Type.String(),
      sunset: Type.Union([Type.String(), Type.Null()]),
      source: Type.String(),
    }),
    credentials: Type.Array(FieldResource),
    settings: Type.Array(FieldResource),
    verifies_credentials: Type.Boolean(),
    operations: Type.Array(OperationResource),
    methods: Type.Object({
      card: Type.Boolean(),
      network_token: Type.Boolean(),
      provider_token: Type.Boolean(),
      networks: Type.Array(Type.String()),
    }),
    currencies: Type.Union([Type.Literal("all"), Type.Array(Type.String())]),
    features: Type.Record(Type.String(), Type.Boolean()),
  },
  { $id: "Connector" },
)

export const connectors: Routes = (app, _api, guard) => {
  app.get(
    "/connectors",
    {
      schema: {
        operationId: "listConnectors",
        tags,
        summary: "List all providers that can be connected",
        response: { 200: Page(ConnectorResource) },
      },
      ...guard("config:read"),
    },
    async () => pageResource({ rows: Object.values(registry) as readonly Connector[] }, connectorResource),
  )

  app.get(
    "/connectors/:id",
    {
      schema: {
        operationId: "getConnector",
        tags,
        summary: "Retrieve one provider",
        params: Type.Object({ id: Type.String({ pattern: "^[a-z0-9_-]{1,40}$" }) }),
        response: { 200: ConnectorResource },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const connector = findConnector(request.params.id)
      if (connector === undefined) throw notFound("connector")
      return connectorResource(connector)
    },
  )
}

function connectorResource({ manifest, verifyCredentials }: Connector): Static<typeof ConnectorResource> {
  return {
    id: manifest.id,
    object: "connector",
    name: manifest.name,
    website: manifest.website,
    api: { version: manifest.api.version, sunset: manifest.api.sunset ?? null, source: manifest.api.source },
    credentials: manifest.credentials.map(fieldResource),
    settings: manifest.settings.map(fieldResource),
    verifies_credentials: verifyCredentials !== undefined,
    operations: Object.entries(manifest.operations).map(([kind, { acceptedFirst, replay, inquiry, source }]) => ({
      kind,
      accepted_first: acceptedFirst,
      replay: { stores: replay.stores, window_ms: replay.windowMs },
      inquiry: { by_reference: strengthName(inquiry.byReference), by_attempt: strengthName(inquiry.byAttempt) },
      source,
    })),
    methods: {
      card: manifest.methods.card,
      network_token: manifest.methods.networkToken,
      provider_token: manifest.methods.providerToken,
      networks: [...manifest.methods.networks],
    },
    currencies: manifest.currencies === "all" ? "all" : [...manifest.currencies],
    features: Object.fromEntries(Object.entries(manifest.features).map(([name, value]) => [snake(name), value])),
  }
}

const fieldResource = ({ name, title, pattern, optional, hint, identifies }: Field) =>
  given({ name, title, optional: optional === true, pattern, hint, identifies })

const strengthName = (strength: "strong" | "none" | { readonly eventualMs: number }): string =>
  typeof strength === "string" ? strength : "eventual"

const snake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
