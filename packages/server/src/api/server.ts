// The HTTP server: one Fastify with strict schemas, problem+json for everything that goes wrong, OpenAPI 3.1 from the
// same schemas, and the reference page.

import swagger from "@fastify/swagger"
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox"
import scalar from "@scalar/fastify-api-reference"
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify"
import { maskPans } from "../core/pan-mask.ts"
import { Fault } from "../core/fault.ts"
import { makeId } from "../core/id.ts"
import { authenticate, type Api } from "./context.ts"
import { documentOptions, problemAnswer } from "./document.ts"
import { faultsPage } from "./faults-page.ts"
import { answerBroken, MAX_URL_CHARS } from "./broken-request.ts"
import { health } from "./health.ts"
import { countAnswers, metrics } from "./metrics.ts"
import { inboundWebhooks } from "./inbound-webhooks.ts"
import { readJsonBody } from "./json-body.ts"
import { refuseSlash, turnAwayUnknownPaths } from "./known-paths.ts"
import { faultOf, sendFault } from "./problem.ts"
import { readQuery } from "./query.ts"
import { namedSchemas, resources } from "./resources.ts"
import { returns } from "./returns.ts"
import type { App, Guard, OutsideRoutes } from "./routes.ts"
import { closed } from "./schema.ts"
import { checkVersion } from "./version.ts"

/** Largest body that we read. */
export const MAX_BODY_BYTES = 256 * 1024
/** Longest an idle client may keep a connection, and send a request (ms). */
const KEEP_ALIVE_MS = 72_000
const REQUEST_MS = 30_000
/** Longest part of a path: an id with room to spare. */
const MAX_PARAM_CHARS = 100

const outside: readonly OutsideRoutes[] = [inboundWebhooks, returns, health, metrics, faultsPage, home]

export async function createServer(api: Api): Promise<FastifyInstance> {
  const { engine } = api
  const requestId = (): string => makeId("req", engine.clock.now(), engine.chance.bytes(16))
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_MS,
    // Fastify's own answer would be no problem+json.
    return503OnClosing: false,
    logger: false,
    genReqId: requestId,
    clientErrorHandler: answerBroken(requestId),
    // Node's own answer would be no problem+json; see checkAddress.
    http: { requireHostHeader: false },
    routerOptions: { maxParamLength: MAX_PARAM_CHARS },
    // What the router turns away before any route is found.
    frameworkErrors: (error, request, reply) => {
      const fault =
        error.code === "FST_ERR_BAD_URL"
          ? new Fault("request.no_such_path", { detail: "The address is not well encoded." })
          : error.code === "FST_ERR_MAX_PARAM_LENGTH"
            ? new Fault("request.no_such_path", { detail: "A part of the path is longer than any id." })
            : new Fault("server.error")
      void sendFault(fault, request as unknown as FastifyRequest, reply as unknown as FastifyReply)
    },
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
  turnAwayUnknownPaths(app as unknown as FastifyInstance)
  for (const schema of namedSchemas) app.addSchema(schema)
  answerFaults(app as unknown as FastifyInstance, api)
  turnAwayWhenClosing(app as unknown as FastifyInstance)
  app.addHook("onRequest", checkAddress)
  countAnswers(app as unknown as FastifyInstance, api)
  app.addHook("onSend", async (request, reply) => {
    void reply
      .header("x-content-type-options", "nosniff")
      .header("cache-control", "no-store")
      .header("x-request-id", request.id)
  })
  await app.register(swagger, documentOptions)

  const guard: Guard = (scope) => ({ onRequest: async (request) => authenticate(api, request, scope) })
  await app.register(
    async (v1) => {
      v1.addHook("onRequest", checkVersion)
      v1.addHook("onRequest", refuseSlash)
      v1.removeAllContentTypeParsers()
      v1.addContentTypeParser(
        "application/json",
        { parseAs: "buffer" },
        async (request: FastifyRequest, body: Buffer) => readJsonBody(request, body),
      )
      v1.addHook("preValidation", readQuery)
      v1.addHook("onRoute", ({ schema }) => {
        if (schema === undefined) return
        schema.response = { ...(schema.response as object), default: problemAnswer }
        schema.querystring ??= NO_QUERY
      })
      for (const routes of resources) routes(v1.withTypeProvider<TypeBoxTypeProvider>() as unknown as App, api, guard)
    },
    { prefix: "/v1" },
  )
  // An expectation that nobody meets is no reason to refuse a request.
  app.server.on("checkExpectation", (request, response) => app.server.emit("request", request, response))
  for (const routes of outside) await app.register(async (scope) => routes(scope, api))
  await app.register(reference)
  return app as unknown as FastifyInstance
}

function answerFaults(app: FastifyInstance, { engine }: Api): void {
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
}

/** A misspelt parameter is an error everywhere, never ignored. */
const NO_QUERY = closed({})

async function checkAddress({ url, headers, raw }: FastifyRequest): Promise<void> {
  if (url.length > MAX_URL_CHARS) throw new Fault("request.address_too_long")
  if (headers.host === undefined && raw.httpVersion === "1.1")
    throw new Fault("request.malformed", { detail: "HTTP/1.1 wants a Host header." })
}

/** Connections that are kept alive may bring requests while those before them are finished. */
function turnAwayWhenClosing(app: FastifyInstance): void {
  let closing = false
  app.addHook("preClose", async () => {
    closing = true
  })
  app.addHook("onRequest", async () => {
    if (closing) throw new Fault("server.unavailable", { retryAfterMs: 1_000 })
  })
}

/** Whoever opens the address in a browser wants to read. */
function home(app: FastifyInstance): void {
  app.get("/", { schema: { hide: true } }, async (_request, reply) => reply.redirect("/docs", 302))
}

/** The page brings its script with it and asks no other host. */
async function reference(page: FastifyInstance): Promise<void> {
  page.addHook("onSend", async (_request, reply) => {
    void reply.header(
      "content-security-policy",
      "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:",
    )
  })
  await page.register(scalar, {
    routePrefix: "/docs",
    configuration: {
      pageTitle: "Orchestra: API reference",
      withDefaultFonts: false,
      telemetry: false,
      agent: { disabled: true },
      mcp: { disabled: true },
      hideClientButton: true,
      showDeveloperTools: "never",
    },
  })
}
