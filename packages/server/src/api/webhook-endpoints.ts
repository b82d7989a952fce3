// /v1/webhook-endpoints: where merchants hear of events. The signing secret is shown when it is made and never again.

import { Type } from "typebox"
import { Fault, invalid, notFound } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { isId, makeId, type EventId, type WebhookEndpointId } from "../core/id.ts"
import { secret, type Secret } from "../core/secret.ts"
import { checkUrl, LIVE_RULES, TEST_RULES } from "../engine/address-guard.ts"
import { replaySince } from "../engine/replay.ts"
import { newSigningSecret, SECRET_BYTES, type SigningSecret } from "../engine/webhook-message.ts"
import { deliveryRows, listDeliveries, storeTestEvent } from "../storage/resources/deliveries.ts"
import {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  findWebhookEndpoint,
  listWebhookEndpoints,
  MAX_ENDPOINTS,
  rotateWebhookSecret,
  updateWebhookEndpoint,
  type SealedSecret,
  type WebhookEndpoint,
} from "../storage/resources/webhook-endpoints.ts"
import { callerOf, type Api, type Key } from "./context.ts"
import { createOnce, MayRepeat, SECRET_KEPT_MS } from "./creation.ts"
import { editedRow, etagOf, MayMatch, mayMatch, stale, tagged } from "./etag.ts"
import { pageAlong, pageQuery, pageRequest, pageResource } from "./pages.ts"
import { readTime } from "./time.ts"
import { closed, Id, Page, words } from "./schema.ts"
import type { Routes } from "./routes.ts"
import { refusals } from "./url-refusal.ts"
import { API_VERSION } from "./version.ts"
import {
  DEFAULT_OVERLAP_S,
  deliveryResource,
  DeliveryResource,
  endpointResource,
  ReplayDeliveries,
  RotateSecret,
  WebhookEndpointCreate,
  WebhookEndpointResource,
  WebhookEndpointUpdate,
  WebhookEndpointWithSecret,
} from "./webhook-endpoint-schema.ts"

const tags = ["Webhook endpoints"]
const Params = Type.Object({ id: Id("whe") })
const ALL = ["*"]
/** How far back a replay may reach: one call looks at every event since then (ms). */
export const MAX_REPLAY_AGE_MS = 30 * 86_400_000

export const webhookEndpoints: Routes = (app, api, guard) => {
  const deliveries = deliveryRows(api.database)

  app.post(
    "/webhook-endpoints",
    {
      schema: {
        operationId: "createWebhookEndpoint",
        tags,
        summary: "Create a webhook endpoint",
        headers: MayRepeat,
        body: WebhookEndpointCreate,
        response: { 201: WebhookEndpointWithSecret },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const { merchant, mode } = callerOf(request)
      const { url, description = "", event_types: eventTypes = ALL } = request.body
      const signingOf = (seed: Secret<Uint8Array>) => newSigningSecret(seed.reveal().slice(0, SECRET_BYTES))
      const made = (row: WebhookEndpoint, seed: Secret<Uint8Array>) => ({
        body: { ...endpointResource(row), secret: signingOf(seed).reveal() },
        location: `/v1/webhook-endpoints/${row.id}`,
        etag: etagOf(row),
      })
      const body = await createOnce(api, request, reply, {
        prefix: "whe",
        keptMs: SECRET_KEPT_MS,
        create: async (id, seed) => {
          checkEndpointUrl(mode, url)
          if ((await listWebhookEndpoints(api.database, merchant)).length >= MAX_ENDPOINTS)
            throw new Fault("resource.conflict", { detail: `There are ${MAX_ENDPOINTS} endpoints, which is the most.` })
          const row = await createWebhookEndpoint(
            api.database,
            { id, merchant, mode, url, description, eventTypes, apiVersion: API_VERSION, state: "enabled" },
            sealSecret(api, { id, merchant }, signingOf(seed)),
          )
          return made(row, seed)
        },
        find: async (id, seed) => {
          const row = await findWebhookEndpoint(api.database, merchant, id)
          return row === undefined ? undefined : made(row, seed)
        },
      })
      return reply.send(body)
    },
  )

  app.get(
    "/webhook-endpoints",
    {
      schema: {
        operationId: "listWebhookEndpoints",
        tags,
        summary: "List webhook endpoints, oldest first",
        querystring: closed(pageQuery),
        response: { 200: Page(WebhookEndpointResource) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const { merchant, mode } = callerOf(request)
      const rows = (await listWebhookEndpoints(api.database, merchant)).filter((row) => row.mode === mode)
      return pageResource(pageAlong(rows, pageRequest(request.query, "whe")), endpointResource)
    },
  )

  app.get(
    "/webhook-endpoints/:id",
    {
      schema: {
        operationId: "getWebhookEndpoint",
        tags,
        summary: "Retrieve a webhook endpoint",
        params: Params,
        response: { 200: WebhookEndpointResource },
      },
      ...guard("config:read"),
    },
    async (request, reply) => {
      const row = await load(api, callerOf(request), request.params.id)
      return tagged(reply, row).send(endpointResource(row))
    },
  )

  app.patch(
    "/webhook-endpoints/:id",
    {
      schema: {
        operationId: "updateWebhookEndpoint",
        tags,
        summary: "Change, disable or enable a webhook endpoint",
        params: Params,
        headers: MayMatch,
        body: WebhookEndpointUpdate,
        response: { 200: WebhookEndpointResource },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const seen = mayMatch(request)
      const row = await load(api, callerOf(request), request.params.id)
      if (seen !== undefined && seen !== row.version) throw stale(row)
      const { event_types: eventTypes, ...rest } = request.body
      if (rest.url !== undefined) checkEndpointUrl(row.mode, rest.url)
      const edit = given({ ...rest, eventTypes })
      const edited = await updateWebhookEndpoint(api.database, row.merchant, row.id, row.version, edit)
      const saved = editedRow(edited, "webhook endpoint")
      return tagged(reply, saved).send(endpointResource(saved))
    },
  )

  app.delete(
    "/webhook-endpoints/:id",
    {
      schema: {
        operationId: "deleteWebhookEndpoint",
        tags,
        summary: "Delete a webhook endpoint",
        description: "What waits for it is not sent any more.",
        params: Params,
        response: { 204: Type.Null() },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const { merchant, id } = await load(api, callerOf(request), request.params.id)
      if (!(await deleteWebhookEndpoint(api.database, merchant, id))) throw notFound("webhook endpoint")
      return reply.code(204).send(null)
    },
  )

  app.post(
    "/webhook-endpoints/:id/rotate-secret",
    {
      schema: {
        operationId: "rotateWebhookEndpointSecret",
        tags,
        summary: "Make a new signing secret",
        description: "For a while both secrets sign, so that either satisfies a receiver.",
        params: Params,
        body: RotateSecret,
        response: { 200: WebhookEndpointWithSecret },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const row = await load(api, callerOf(request), request.params.id)
      const { clock, chance } = api.engine
      const signing = newSigningSecret(chance.bytes(SECRET_BYTES))
      const until = clock.now() + (request.body.overlap_seconds ?? DEFAULT_OVERLAP_S) * 1_000
      const rotated = await rotateWebhookSecret(
        api.database,
        row.merchant,
        row.id,
        sealSecret(api, row, signing),
        until,
      )
      if (rotated === undefined) throw notFound("webhook endpoint")
      return tagged(reply, rotated).send({ ...endpointResource(rotated), secret: signing.reveal() })
    },
  )

  app.post(
    "/webhook-endpoints/:id/test",
    {
      schema: {
        operationId: "testWebhookEndpoint",
        tags,
        summary: "Send a test event to this endpoint",
        description: "What became of it is in the endpoint's deliveries.",
        params: Params,
        response: { 202: Type.Object({ event: Type.String() }) },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const { id: endpoint, merchant, mode, state } = await load(api, callerOf(request), request.params.id)
      if (state !== "enabled") throw new Fault("resource.conflict", { detail: "The endpoint is disabled." })
      const at = api.engine.clock.now()
      const event = makeId("evt", at, api.engine.chance.bytes(16))
      await storeTestEvent(api.database, endpoint, {
        id: event,
        merchant,
        sequence: 0,
        data: { webhook_endpoint: endpoint, mode },
        at,
      })
      return reply.code(202).send({ event })
    },
  )

  app.get(
    "/webhook-endpoints/:id/deliveries",
    {
      schema: {
        operationId: "listWebhookDeliveries",
        tags,
        summary: "List what was sent to an endpoint and what it answered, newest events first",
        params: Params,
        querystring: closed({ ...pageQuery, state: Type.Optional(words(["pending", "delivered", "failed"])) }),
        response: { 200: Page(DeliveryResource) },
      },
      ...guard("config:read"),
    },
    async (request) => {
      const { merchant, id: endpoint } = await load(api, callerOf(request), request.params.id)
      const { state } = request.query
      const filter = given({ merchant, endpoint, state })
      return pageResource(
        await listDeliveries(api.database, filter, pageRequest(request.query, "evt")),
        deliveryResource,
      )
    },
  )

  app.post(
    "/webhook-endpoints/:id/replay",
    {
      schema: {
        operationId: "replayWebhookDeliveries",
        tags,
        summary: "Send one event again, or all since a time",
        description: "With the same ids as before, so that a receiver that has had them drops them.",
        params: Params,
        body: ReplayDeliveries,
        response: {
          202: Type.Object({
            replayed: Type.Integer(),
            next: Type.Union([Type.String(), Type.Null()], { description: "Send it as `after` to go on." }),
          }),
        },
      },
      ...guard("config:write"),
    },
    async (request, reply) => {
      const { merchant, id: endpoint } = await load(api, callerOf(request), request.params.id)
      const { event, since, after } = request.body
      if (event !== undefined && since !== undefined) throw invalid("#", "takes either `event` or `since`")
      if (event !== undefined) {
        if (after !== undefined) throw invalid("#/after", "belongs to `since`")
        if (!(await deliveries.replay({ merchant, event: event as EventId, endpoint })))
          throw new Fault("resource.not_found", { detail: "This event was never sent to this endpoint." })
        return reply.code(202).send({ replayed: 1, next: null })
      }
      if (since === undefined) throw invalid("#", "needs either `event` or `since`")
      const from = readTime("#/since", since)
      if (from < api.engine.clock.now() - MAX_REPLAY_AGE_MS) throw invalid("#/since", "is more than 30 days ago")
      if (after !== undefined && !isId("evt", after)) throw invalid("#/after", "is not the `next` of an answer")
      const { clock } = api.engine
      const { replayed, next } = await replaySince({ deliveries, clock }, merchant, endpoint, from, after as EventId)
      return reply.code(202).send({ replayed, next: next ?? null })
    },
  )
}

async function load(api: Api, caller: Key, id: string): Promise<WebhookEndpoint> {
  const known = isId("whe", id)
  const row = known ? await findWebhookEndpoint(api.database, caller.merchant, id as WebhookEndpointId) : undefined
  if (row === undefined || row.mode !== caller.mode) throw notFound("webhook endpoint")
  return row
}

function checkEndpointUrl(mode: "live" | "test", url: string): void {
  const checked = checkUrl(url, mode === "live" ? LIVE_RULES : TEST_RULES)
  if ("refused" in checked) throw invalid("#/url", refusals[checked.refused])
}

const sealSecret = (
  { vault }: Api,
  { merchant, id }: Pick<WebhookEndpoint, "id" | "merchant">,
  signing: SigningSecret,
): SealedSecret => vault.seal("webhook_endpoints", merchant, id, secret(Buffer.from(signing.reveal(), "utf8")))
