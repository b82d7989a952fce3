// The wire format of webhook endpoints and of the log of what was sent to them.

import { Type, type Static } from "typebox"
import { given } from "../core/given.ts"
import { rfc3339 } from "../core/instant.ts"
import type { DeliveryRow } from "../storage/resources/deliveries.ts"
import type { WebhookEndpoint } from "../storage/resources/webhook-endpoints.ts"
import { closed, Id, Text, Time, Url, words } from "./schema.ts"

/** Types that one endpoint names at most. */
const MAX_EVENT_TYPES = 50
/** Longest that the old secret may sign beside the new one. */
const MAX_OVERLAP_S = 7 * 86_400
export const DEFAULT_OVERLAP_S = 86_400

const EventTypes = Type.Array(Type.String({ pattern: "^(?:\\*|[a-z_]{1,40}\\.(?:\\*|[a-z_]{1,40}))$" }), {
  minItems: 1,
  maxItems: MAX_EVENT_TYPES,
  uniqueItems: true,
  description: "Exact types, all of one kind (`payment.*`), or all (`*`).",
})

export const WebhookEndpointCreate = closed(
  {
    url: Url,
    description: Type.Optional(Text(200)),
    event_types: Type.Optional(EventTypes),
  },
  {
    $id: "WebhookEndpointCreate",
    examples: [{ url: "https://shop.example.com/orchestra", event_types: ["payment.*", "dispute.*"] }],
  },
)
export const WebhookEndpointUpdate = closed(
  {
    url: Type.Optional(Url),
    description: Type.Optional(Type.String({ maxLength: 200 })),
    event_types: Type.Optional(EventTypes),
    state: Type.Optional(words(["enabled", "disabled"], "While it is disabled, deliveries wait.")),
  },
  { $id: "WebhookEndpointUpdate" },
)
export const RotateSecret = closed(
  {
    overlap_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_OVERLAP_S,
        default: DEFAULT_OVERLAP_S,
        description: "So long the old secret signs beside the new one.",
      }),
    ),
  },
  { $id: "RotateSecret" },
)
export const ReplayDeliveries = closed(
  {
    event: Type.Optional(Id("evt")),
    since: Type.Optional(
      Type.String({ maxLength: 40, description: "RFC 3339: all that the endpoint wants from then on." }),
    ),
    after: Type.Optional(Type.String({ maxLength: 40, description: "With `since`: `next` of the answer before." })),
  },
  {
    $id: "ReplayDeliveries",
    description: "Either one event, or all since a time.",
    examples: [{ since: "2026-11-22T00:00:00Z" }],
  },
)

const fields = {
  id: Type.String(),
  object: Type.Literal("webhook_endpoint"),
  mode: words(["live", "test"]),
  url: Type.String(),
  description: Type.String(),
  event_types: Type.Array(Type.String()),
  api_version: Type.String(),
  state: words(["enabled", "disabled"]),
  disabled_reason: Type.Union([Type.String(), Type.Null()], { description: "Where nobody did it by hand." }),
  version: Type.Integer(),
  created_at: Time,
  updated_at: Time,
}
export const WebhookEndpointResource = Type.Object(fields, { $id: "WebhookEndpoint" })
export const WebhookEndpointWithSecret = Type.Object(
  { ...fields, secret: Type.String({ description: "Signs what is sent (Standard Webhooks). Shown this once." }) },
  { $id: "WebhookEndpointWithSecret" },
)

export const DeliveryResource = Type.Object(
  {
    event: Type.Object({
      id: Type.String(),
      type: Type.String(),
      at: Time,
      payment: Type.Union([Type.String(), Type.Null()]),
    }),
    state: words(["pending", "delivered", "failed"]),
    tries: Type.Integer({ description: "Since it was created or replayed." }),
    next_at: Type.Union([Time, Type.Null()]),
    created_at: Time,
    delivered_at: Type.Union([Time, Type.Null()]),
    log: Type.Array(
      Type.Object({
        at: Time,
        duration_ms: Type.Integer(),
        status: Type.Optional(Type.Integer()),
        error: Type.Optional(Type.String()),
        answer: Type.Optional(Type.String({ description: "The first bytes of the answer." })),
      }),
      { description: "The latest tries, oldest first." },
    ),
  },
  { $id: "WebhookDelivery" },
)

export const endpointResource = (row: WebhookEndpoint): Static<typeof WebhookEndpointResource> => ({
  id: row.id,
  object: "webhook_endpoint",
  mode: row.mode,
  url: row.url,
  description: row.description,
  event_types: [...row.eventTypes],
  api_version: row.apiVersion,
  state: row.state,
  disabled_reason: row.disabledReason ?? null,
  version: row.version,
  created_at: rfc3339(row.createdAt),
  updated_at: rfc3339(row.updatedAt),
})

export const deliveryResource = (row: DeliveryRow): Static<typeof DeliveryResource> => ({
  event: { id: row.key.event, type: row.event.type, at: rfc3339(row.event.at), payment: row.event.payment ?? null },
  state: row.state,
  tries: row.tries,
  next_at: row.nextAt === undefined ? null : rfc3339(row.nextAt),
  created_at: rfc3339(row.createdAt),
  delivered_at: row.deliveredAt === undefined ? null : rfc3339(row.deliveredAt),
  log: row.log.map(({ at, durationMs, status, error, answer }) =>
    given({ at: rfc3339(at), duration_ms: Math.round(durationMs), status, error, answer }),
  ),
})
