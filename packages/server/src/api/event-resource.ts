// An event as it is listed: the same that webhook endpoints receive.

import { Type, type Static } from "typebox"
import { rfc3339 } from "../core/instant.ts"
import type { OutboxEvent } from "../storage/ledger/ledger.ts"
import { Time } from "./schema.ts"

export const EventResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("event"),
    type: Type.String(),
    payment: Type.Union([Type.String(), Type.Null()]),
    sequence: Type.Integer({ description: "The payment's version: what is older than what you know can be dropped." }),
    at: Time,
    data: Type.Unknown(),
  },
  { $id: "Event" },
)

export const eventResource = ({
  id,
  type,
  payment,
  sequence,
  at,
  data,
}: OutboxEvent): Static<typeof EventResource> => ({
  id,
  object: "event",
  type,
  payment: payment ?? null,
  sequence,
  at: rfc3339(at),
  data,
})
