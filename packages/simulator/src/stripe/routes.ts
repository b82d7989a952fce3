// Stripe's HTTP API, as far as the simulator has it.
import { missing } from "./errors.ts"
import { INTENT_ROUTES } from "./intent-routes.ts"
import { LIST_FIELDS } from "./lists.ts"
import { MONEY_ROUTES } from "./money-routes.ts"
import { type Call, page, type Route } from "./route.ts"
import { SAVED_CARD_ROUTES } from "./saved-card-routes.ts"
import type { World } from "./world.ts"

const ROUTES: readonly Route[] = [
  ["GET", /^\/v1\/account$/, ({ world }) => renderAccount(world)],
  ["GET", /^\/v1\/balance$/, () => ({ object: "balance", available: [], pending: [], livemode: false })],
  ...INTENT_ROUTES,
  ...MONEY_ROUTES,
  ...SAVED_CARD_ROUTES,
  ["GET", /^\/v1\/events$/, listEvents],
  ["GET", /^\/v1\/events\/(\w+)$/, getEvent],
]

/** Undefined when nothing of Stripe's that the simulator has is at this address. */
export function findRoute(method: string, path: string): ((call: Omit<Call, "id">) => unknown) | undefined {
  for (const [routeMethod, pattern, run] of ROUTES) {
    const match = routeMethod === method ? pattern.exec(path) : null
    if (match) return (call) => run({ ...call, id: match[1] ?? "" })
  }
  return undefined
}

function listEvents({ world, fields }: Call): unknown {
  fields.only(...LIST_FIELDS, "type", "types", "delivery_success")
  const types = fields.has("type") ? [fields.needText("type")] : fields.list("types")
  const fitting = world.events.shelf.newest().filter((event) => types.length === 0 || types.includes(event.type))
  return page(fitting, fields, "/v1/events", (event) => event)
}

function getEvent({ world, id }: Call): unknown {
  const event = world.events.shelf.get(id)
  if (!event) throw missing("event", id, "id")
  return event
}

function renderAccount(world: World): unknown {
  return {
    id: world.accountId,
    object: "account",
    business_profile: { mcc: null, name: "Orchestra simulator", url: null },
    business_type: "company",
    capabilities: { card_payments: "active", transfers: "active" },
    charges_enabled: true,
    country: "US",
    created: 1_600_000_000,
    default_currency: "usd",
    details_submitted: true,
    email: "simulator@example.com",
    metadata: {},
    payouts_enabled: true,
    settings: { dashboard: { display_name: "Orchestra simulator", timezone: "Etc/UTC" } },
    type: "standard",
  }
}
