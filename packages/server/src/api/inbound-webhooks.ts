// Webhooks from providers: POST /webhooks/:connector/:account takes them as they come, without a key of ours, and lets
// the engine judge their signature. /v1/inbound-webhooks shows what came and works on one again.

import type { FastifyInstance, FastifyRequest } from "fastify"
import { Type, type Static } from "typebox"
import { Fault, notFound } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { isId, type AccountId, type InboundWebhookId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import type { Account } from "../engine/engine.ts"
import { receive } from "../engine/receive.ts"
import { findInbound, listInbound, replayInbound, type InboundRow } from "../storage/resources/inbound-webhooks.ts"
import { callerOf, type Api, type Key } from "./context.ts"
import { pageQuery, pageRequest, pageResource } from "./pages.ts"
import { closed, Id, Page, Time, words } from "./schema.ts"
import type { Routes } from "./routes.ts"

/** Largest webhook that we read: providers send a few kilobytes, batches of events some more. */
export const MAX_WEBHOOK_BYTES = 1024 * 1024

/** Below the root. The body stays the text that was signed. */
export function inboundWebhooks(app: FastifyInstance, api: Api): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: MAX_WEBHOOK_BYTES }, (_request, body, done) =>
    done(null, body),
  )
  app.post(
    "/webhooks/:connector/:account",
    { bodyLimit: MAX_WEBHOOK_BYTES, schema: { hide: true } },
    async (request, reply) => {
      const account = accountOf(api, request)
      const body = Buffer.isBuffer(request.body) ? request.body.toString("utf8") : ""
      const received = await receive(api.engine, account, { headers: headersOf(request), body }, api.hmac)
      switch (received.kind) {
        case "accepted":
          api.counts.webhook(account, received.duplicate ? "duplicate" : "accepted")
          return reply.code(received.status).header("content-type", "text/plain; charset=utf-8").send(received.body)
        case "forged":
        case "stale":
          api.counts.webhook(account, received.kind)
          // The reason helps who forges: it is for the log.
          noteRefusal(api, account, received.kind, received.why)
          throw new Fault(`webhook.${received.kind}`)
        default:
          return received satisfies never
      }
    },
  )
}

/** The account of the address, which may be of any merchant, in any state: money facts are never turned away. */
function accountOf(api: Api, request: FastifyRequest): Account {
  const { connector, account: id } = request.params as { readonly connector: string; readonly account: string }
  const account = isId("acc", id) ? api.engine.directory.account(id) : undefined
  if (account === undefined || account.connector.manifest.id !== connector) throw notFound("account")
  return account
}

/** What is not for us to keep. No connector's signature is in them. */
const dropped: ReadonlySet<string> = new Set(["authorization", "proxy-authorization", "cookie"])

function headersOf({ headers }: FastifyRequest): Readonly<Record<string, string>> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !dropped.has(name)) kept[name] = Array.isArray(value) ? value.join(", ") : value
  return kept
}

/** Whoever forges without end must not fill the log: the 1st, 2nd, 4th, 8th … is noted. */
function noteRefusal(api: Api, account: Account, kind: "forged" | "stale", why: string): void {
  const count = api.counts.webhooks(account, kind)
  if (Number.isInteger(Math.log2(count)))
    api.engine.log.warn(
      { account: account.id, connector: account.connector.manifest.id, kind, why, count },
      "a webhook was refused",
    )
}

const tags = ["Inbound webhooks"]

export const InboundWebhookResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("inbound_webhook"),
    account: Type.String(),
    state: words(
      ["waiting", "processed", "ignored", "unmatched", "failed"],
      "ignored: about nothing of ours. unmatched: about a payment that we do not know.",
    ),
    tries: Type.Integer(),
    received_at: Time,
    next_at: Type.Union([Time, Type.Null()], { description: "When it is worked on next." }),
    events: Type.Array(
      Type.Object({ type: Type.String(), about: Type.String(), reference: Type.Optional(Type.String()) }),
      {
        description: "What the connector reads in it.",
      },
    ),
    body: Type.Union([Type.String(), Type.Null()], {
      description: "As it came, scrubbed; null once retention took it.",
    }),
  },
  { $id: "InboundWebhook" },
)
const Params = Type.Object({ id: Id("whi") })

export const inboundWebhookList: Routes = (app, api, guard) => {
  app.get(
    "/inbound-webhooks",
    {
      schema: {
        operationId: "listInboundWebhooks",
        tags,
        summary: "List webhooks that providers sent, newest first",
        querystring: closed({
          ...pageQuery,
          account: Type.Optional(Id("acc")),
          state: Type.Optional(words(["waiting", "processed", "ignored", "unmatched", "failed"])),
        }),
        response: { 200: Page(InboundWebhookResource) },
      },
      ...guard("payments:read"),
    },
    async (request) => {
      const caller = callerOf(request)
      const { account, state } = request.query
      const own = accountsOf(api, caller)
      const accounts = account === undefined ? own : own.filter((id) => id === account)
      if (account !== undefined && accounts.length === 0) throw notFound("account")
      const filter = given({ merchant: caller.merchant, accounts, state })
      const page = await listInbound(api.database, filter, pageRequest(request.query, "whi"))
      return pageResource(page, (row) => inboundResource(api, row))
    },
  )

  app.get(
    "/inbound-webhooks/:id",
    {
      schema: {
        operationId: "getInboundWebhook",
        tags,
        summary: "Retrieve a webhook that a provider sent",
        params: Params,
        response: { 200: InboundWebhookResource },
      },
      ...guard("payments:read"),
    },
    async (request) => inboundResource(api, await load(api, callerOf(request), request.params.id)),
  )

  app.post(
    "/inbound-webhooks/:id/replay",
    {
      schema: {
        operationId: "replayInboundWebhook",
        tags,
        summary: "Work on a provider's webhook again",
        description: "Facts that are known already change nothing.",
        params: Params,
        response: { 202: InboundWebhookResource },
      },
      ...guard("payments:write"),
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { merchant, id } = await load(api, caller, request.params.id)
      if (!(await replayInbound(api.database, merchant, id)))
        throw new Fault("resource.conflict", { detail: "Its body is no longer kept." })
      return reply.code(202).send(inboundResource(api, await load(api, caller, id)))
    },
  )
}

const accountsOf = ({ engine }: Api, { merchant, mode }: Key): readonly AccountId[] =>
  engine.directory.accounts(merchant).flatMap(({ id, config }) => (config.mode === mode ? [id] : []))

async function load(api: Api, caller: Key, id: string): Promise<InboundRow> {
  const row = isId("whi", id) ? await findInbound(api.database, caller.merchant, id as InboundWebhookId) : undefined
  if (row === undefined || !accountsOf(api, caller).includes(row.account)) throw notFound("inbound webhook")
  return row
}

function inboundResource(api: Api, row: InboundRow): Static<typeof InboundWebhookResource> {
  const connector = api.engine.directory.account(row.account)?.connector
  const notices = row.body === undefined ? [] : (connector?.webhook.decode({ headers: {}, body: row.body }) ?? [])
  return {
    id: row.id,
    object: "inbound_webhook",
    account: row.account,
    state: row.state,
    tries: row.tries,
    received_at: rfc3339(row.receivedAt),
    next_at: row.nextAt === undefined ? null : rfc3339(row.nextAt),
    events: notices.map(({ type, about, reference }) => given({ type, about, reference })),
    body: row.body === undefined ? null : (connector?.scrub(row.body) ?? null),
  }
}
