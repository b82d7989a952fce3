// PaymentIntents over HTTP.
import { invalid } from "./errors.ts"
import { CONFIRM_FIELDS, CREATE_FIELDS, createIntent, UPDATE_FIELDS } from "./intent-fields.ts"
import { cancelIntent, captureIntent, confirmIntent, findIntent, incrementIntent, updateIntent } from "./intents.ts"
import { LIST_FIELDS, readLimit } from "./lists.ts"
import { refuseByVersion } from "./method-types.ts"
import type { Fields } from "./params.ts"
import { renderIntent } from "./render-intent.ts"
import { type Call, page, type Route } from "./route.ts"
import { readQuery, SEARCH_LAG_MS } from "./search.ts"
import type { Intent, World } from "./world.ts"

export const INTENT_ROUTES: readonly Route[] = [
  ["POST", /^\/v1\/payment_intents$/, postIntent],
  ["GET", /^\/v1\/payment_intents$/, listIntents],
  ["GET", /^\/v1\/payment_intents\/search$/, searchIntents],
  ["GET", /^\/v1\/payment_intents\/(\w+)$/, ({ world, id }) => renderIntent(world, findIntent(world, id))],
  ["POST", /^\/v1\/payment_intents\/(\w+)$/, onIntent(UPDATE_FIELDS, (w, i, f) => updateIntent(w, i, f))],
  ["POST", /^\/v1\/payment_intents\/(\w+)\/confirm$/, onIntent(CONFIRM_FIELDS, (w, i, f) => confirmIntent(w, i, f))],
  [
    "POST",
    /^\/v1\/payment_intents\/(\w+)\/capture$/,
    onIntent(
      [
        "amount_to_capture",
        "application_fee_amount",
        "final_capture",
        "metadata",
        "statement_descriptor",
        "statement_descriptor_suffix",
        "transfer_data",
        "amount_details",
        "payment_details",
        "hooks",
        "expand",
      ],
      (w, i, f) => captureIntent(w, i, f),
    ),
  ],
  [
    "POST",
    /^\/v1\/payment_intents\/(\w+)\/cancel$/,
    onIntent(["cancellation_reason", "expand"], (w, i, f) =>
      cancelIntent(
        w,
        i,
        f.oneOf("cancellation_reason", ["duplicate", "fraudulent", "requested_by_customer", "abandoned"]) ?? null,
      ),
    ),
  ],
  [
    "POST",
    /^\/v1\/payment_intents\/(\w+)\/increment_authorization$/,
    onIntent(
      [
        "amount",
        "application_fee_amount",
        "description",
        "metadata",
        "statement_descriptor",
        "transfer_data",
        "amount_details",
        "payment_details",
        "hooks",
        "expand",
      ],
      (w, i, f) => incrementIntent(w, i, f),
    ),
  ],
]

function postIntent({ world, fields, version }: Call): unknown {
  fields.only(...CREATE_FIELDS)
  const confirms = fields.bool("confirm") ?? false
  if (!confirms && fields.has("off_session"))
    throw invalid("`off_session` can only be used when `confirm` is true.", { param: "off_session" })
  if (!confirms && fields.has("return_url"))
    throw invalid("`return_url` can only be used when `confirm` is true.", { param: "return_url" })
  const intent = createIntent(world, fields, version)
  world.events.emit("payment_intent.created", renderIntent(world, intent))
  if (confirms) confirmIntent(world, intent, fields)
  return renderIntent(world, intent)
}

function onIntent(known: readonly string[], run: (world: World, intent: Intent, fields: Fields) => void) {
  return ({ world, id, fields, version }: Call): unknown => {
    refuseByVersion(fields, version)
    const intent = findIntent(world, id)
    fields.only(...known)
    run(world, intent, fields)
    return renderIntent(world, intent)
  }
}

function listIntents({ world, fields }: Call): unknown {
  fields.only(...LIST_FIELDS, "customer")
  const customer = fields.text("customer")
  const fitting = world.intents.newest().filter((intent) => !customer || intent.customer === customer)
  return page(fitting, fields, "/v1/payment_intents", (intent) => renderIntent(world, findIntent(world, intent.id)))
}

function searchIntents({ world, fields }: Call): unknown {
  fields.only("query", "limit", "page", "expand")
  const fits = readQuery(fields.needText("query"))
  const indexedUntil = world.ports.now() - SEARCH_LAG_MS
  const found = world.intents.newest().filter(
    (intent) =>
      intent.changedAt <= indexedUntil &&
      fits({
        changedAt: intent.changedAt,
        metadata: intent.metadata,
        fields: {
          amount: Number(intent.amount),
          created: intent.created,
          currency: intent.currency,
          customer: intent.customer,
          status: intent.status,
        },
      }),
  )
  const limit = readLimit(fields)
  const start = Number(fields.text("page") ?? 0)
  if (!Number.isInteger(start) || start < 0) throw invalid("Invalid page", { param: "page" })
  const hasMore = found.length > start + limit
  return {
    object: "search_result",
    data: found.slice(start, start + limit).map((intent) => renderIntent(world, intent)),
    has_more: hasMore,
    next_page: hasMore ? String(start + limit) : null,
    url: "/v1/payment_intents/search",
  }
}
