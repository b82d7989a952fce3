// The HTTP server: one Fastify with strict schemas, problem+json for everything that goes wrong, OpenAPI 3.1 from the
// same schemas, and the reference page.

import swagger from "@fastify/swagger"
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox"
import scalar from "@scalar/fastify-api-reference"
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type preHandlerAsyncHookHandler,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
} from "fastify"
import { maskPans } from "../core/card.ts"
import { Fault } from "../core/fault.ts"
import { makeId } from "../core/id.ts"
import { authenticate, type Api, type Scope } from "./context.ts"
import * as accountSchema from "./account-schema.ts"
import { accounts } from "./accounts.ts"
import * as apiKeyRoutes from "./api-keys.ts"
import * as connectorRoutes from "./connectors.ts"
import * as customerRoutes from "./customers.ts"
import * as eventSchema from "./event-resource.ts"
import { events } from "./events.ts"
import { health } from "./health.ts"
import * as inboundRoutes from "./inbound-webhooks.ts"
import * as historyRoutes from "./payment-history.ts"
import { paymentList } from "./payment-list.ts"
import * as methodRoutes from "./payment-methods.ts"
import * as paymentSchema from "./payment-schema.ts"
import { payments } from "./payments.ts"
import { policies } from "./policies.ts"
import * as policySchema from "./policy-schema.ts"
import { faultOf, sendFault } from "./problem.ts"
import { readQuery } from "./query.ts"
import { Problem } from "./schema.ts"
import { returns } from "./returns.ts"
import { checkVersion } from "./version.ts"
import * as endpointSchema from "./webhook-endpoint-schema.ts"
import { webhookEndpoints } from "./webhook-endpoints.ts"

/** Largest body that we read. */
export const MAX_BODY_BYTES = 256 * 1024
/** Longest an idle client may keep a connection, and send a request (ms). */
const KEEP_ALIVE_MS = 72_000
const REQUEST_MS = 30_000

export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>
/** Routes of one resource, below /v1. `guard` names the scope that a route needs. */
export type Routes = (
  app: App,
  api: Api,
  guard: (scope: Scope) => { readonly onRequest: preHandlerAsyncHookHandler },
) => void

const resources: readonly Routes[] = [
  payments,
  paymentList,
  historyRoutes.paymentHistory,
  customerRoutes.customers,
  methodRoutes.paymentMethods,
  accounts,
  connectorRoutes.connectors,
  policies,
  webhookEndpoints,
  events,
  inboundRoutes.inboundWebhookList,
  apiKeyRoutes.apiKeys,
]
/** Where the schemas with names of their own stand; the document refers to them by these names. */
const named: readonly object[] = [
  paymentSchema,
  historyRoutes,
  customerRoutes,
  methodRoutes,
  accountSchema,
  connectorRoutes,
  policySchema,
  endpointSchema,
  eventSchema,
  inboundRoutes,
  apiKeyRoutes,
]

export async function createServer(api: Api): Promise<FastifyInstance> {
  const { engine } = api
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    logger: false,
    genReqId: () => makeId("req", engine.clock.now(), engine.chance.bytes(16)),
    routerOptions: { maxParamLength: 100 },
    ajv: {
      customOptions: {
        allErrors: true,
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        // How the document writes lists and objects of a query; nothing that is validated.
        keywords: ["style", "explode"],
      },
    },
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.decorateRequest("key", undefined)
  app.addSchema(Problem)
  for (const schema of named.flatMap((module): unknown[] => Object.values(module)))
    if (typeof schema === "object" && schema !== null && "$id" in schema) app.addSchema(schema)

  app.setErrorHandler((error, request, reply) => {
    const fault = faultOf(error as Error)
    if (fault.code === "server.error" || fault.code === "server.unavailable")
      engine.log.error(
        {
          request: request.id,
          path: request.routeOptions.url,
          error: maskPans(error instanceof Error ? (error.stack ?? error.message) : String(error)),
        },
        "a request failed",
      )
    return sendFault(fault, request, reply)
  })
  app.setNotFoundHandler((request, reply) =>
    sendFault(
      new Fault("request.no_such_path", { detail: maskPans(`${request.method} ${request.url.split("?")[0]}`) }),
      request,
      reply,
    ),
  )
  app.addHook("onSend", async (request, reply) => {
    void reply
      .header("x-content-type-options", "nosniff")
      .header("cache-control", "no-store")
      .header("x-request-id", request.id)
  })

  await app.register(swagger, {
    openapi: {
      openapi: "3.1.1",
      info: {
        title: "Orchestra",
        version: "1",
        description: "One payment over many providers, never twice, never lost.",
      },
      components: { securitySchemes: { key: { type: "http", scheme: "bearer", description: "An API key." } } },
      security: [{ key: [] }],
    },
    refResolver: {
      buildLocalReference: (json, _base, _fragment, index) =>
        typeof json["$id"] === "string" ? json["$id"] : `def-${index}`,
    },
  })
  const guard = (scope: Scope): { readonly onRequest: preHandlerAsyncHookHandler } => ({
    onRequest: async (request) => authenticate(api, request, scope),
  })
  await app.register(
    async (v1) => {
      v1.addHook("onRequest", checkVersion)
      v1.addHook("preValidation", readQuery)
      v1.addHook("onRoute", ({ schema }) => {
        if (schema !== undefined) schema.response = { ...(schema.response as object), default: Problem }
      })
      for (const routes of resources) routes(v1.withTypeProvider<TypeBoxTypeProvider>() as unknown as App, api, guard)
    },
    { prefix: "/v1" },
  )
  for (const outside of [inboundRoutes.inboundWebhooks, returns, health])
    await app.register(async (scope) => outside(scope, api))
  await app.register(async (page) => {
    page.addHook("onSend", async (_request, reply) => {
      void reply.header(
        "content-security-policy",
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:",
      )
    })
    await page.register(scalar, {
      routePrefix: "/docs",
      configuration: { withDefaultFonts: false, telemetry: false, agent: { disabled: true }, mcp: { disabled: true } },
    })
  })
  return app
}
