// /v1/events: everything that was told to webhook endpoints, or would be, as long as retention keeps it.

import { Type } from "typebox"
import { notFound } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { isId, type EventId } from "../core/id.ts"
import type { OutboxEvent } from "../storage/ledger/ledger.ts"
import { findEvent, listEvents } from "../storage/resources/events.ts"
import { callerOf } from "./context.ts"
import { EventResource, eventResource } from "./event-resource.ts"
import { pageQuery, pageRequest, pageResource } from "./pages.ts"
import { load } from "./payments.ts"
import { closed, Id, Page } from "./schema.ts"
import type { Routes } from "./routes.ts"

const tags = ["Events"]
const MAX_TYPES = 20
const EventType = Type.String({ pattern: "^[a-z_]{1,40}\\.[a-z_]{1,40}$" })

export const events: Routes = (app, api, guard) => {
  app.get(
    "/events",
    {
      schema: {
        operationId: "listEvents",
        tags,
        summary: "List events, newest first",
        querystring: closed({
          ...pageQuery,
          type: Type.Optional(
            Type.Array(EventType, {
              minItems: 1,
              maxItems: MAX_TYPES,
              style: "form",
              explode: false,
              description: "Any of these.",
            }),
          ),
          payment: Type.Optional(Id("pay")),
        }),
        response: { 200: Page(EventResource) },
      },
      ...guard("payments:read"),
    },
    async (request) => {
      const caller = callerOf(request)
      const { type: types, payment } = request.query
      const about = payment === undefined ? undefined : (await load(api, caller, payment)).id
      const filter = given({ merchant: caller.merchant, mode: caller.mode, types, payment: about })
      return pageResource(await listEvents(api.database, filter, pageRequest(request.query, "evt")), eventResource)
    },
  )

  app.get(
    "/events/:id",
    {
      schema: {
        operationId: "getEvent",
        tags,
        summary: "Retrieve an event",
        params: Type.Object({ id: Id("evt") }),
        response: { 200: EventResource },
      },
      ...guard("payments:read"),
    },
    async (request) => {
      const { merchant, mode } = callerOf(request)
      const { id } = request.params
      const event = isId("evt", id) ? await findEvent(api.database, merchant, id as EventId) : undefined
      if (event === undefined || modeOf(event) !== mode) throw notFound("event")
      return eventResource(event)
    },
  )
}

const modeOf = ({ data }: OutboxEvent): unknown => (data as { readonly mode?: unknown }).mode
