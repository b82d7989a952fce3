// What a request on the wire is about, told from its address and body alone: which operation, and with which card.
// The weather matches on this before (or without) the persona ever seeing the request.
import type { Persona, WireRequest } from "./persona.ts"
import type { Operation, RequestFacts } from "./weather.ts"

type Route = readonly [method: string, path: RegExp, operation: Operation]

const ROUTES: Readonly<Record<Persona["id"], readonly Route[]>> = {
  stripe: [
    ["POST", /^\/v1\/payment_intents$/, "authorize"],
    ["POST", /^\/v1\/payment_intents\/[^/]+\/confirm$/, "authorize"],
    ["POST", /^\/v1\/setup_intents(\/[^/]+\/confirm)?$/, "authorize"],
    ["POST", /^\/v1\/payment_intents\/[^/]+\/capture$/, "capture"],
    ["POST", /^\/v1\/payment_intents\/[^/]+\/cancel$/, "void"],
    ["POST", /^\/v1\/payment_intents\/[^/]+\/increment_authorization$/, "increment"],
    ["POST", /^\/v1\/refunds$/, "refund"],
    ["GET", /^\/v1\/(payment_intents|setup_intents|charges|refunds)/, "inquiry"],
  ],
  adyen: [
    ["POST", /^(\/checkout)?\/v\d+\/payments(\/details)?$/, "authorize"],
    ["POST", /^(\/checkout)?\/v\d+\/payments\/[^/]+\/captures$/, "capture"],
    ["POST", /^(\/checkout)?\/v\d+\/(payments\/[^/]+\/)?(cancels|reversals)$/, "void"],
    ["POST", /^(\/checkout)?\/v\d+\/payments\/[^/]+\/refunds$/, "refund"],
    ["POST", /^(\/checkout)?\/v\d+\/payments\/[^/]+\/amountUpdates$/, "increment"],
  ],
  checkout: [
    ["POST", /^\/payments$/, "authorize"],
    ["POST", /^\/payments\/[^/]+\/captures$/, "capture"],
    ["POST", /^\/payments\/[^/]+\/(voids|reversals)$/, "void"],
    ["POST", /^\/payments\/[^/]+\/refunds$/, "refund"],
    ["POST", /^\/payments\/[^/]+\/authorizations$/, "increment"],
    ["GET", /^\/payments/, "inquiry"],
  ],
}

/** A card number right after a name that ends in `number`, in form encoding or JSON. */
const CARD_NUMBER = /number(?:%5D|\])?"?\s*[=:]\s*"?(?:test_)?(\d[\d %+-]{10,24}\d)/i

/** Stripe: an intent that is only created cannot charge; `confirm=true` or the confirm call authorizes. */
const isUnconfirmed = (persona: Persona["id"], path: string, body: string): boolean =>
  persona === "stripe" && path.endsWith("_intents") && !/(?:^|&)confirm=true(?:&|$)/.test(body)

export function factsOf(persona: Persona["id"], request: WireRequest): RequestFacts {
  const path = request.path.split("?", 1)[0] ?? ""
  const route = ROUTES[persona].find(([method, pattern]) => method === request.method && pattern.test(path))
  const pan = CARD_NUMBER.exec(request.body)?.[1]?.replace(/%20|\D/g, "")
  const operation = route?.[2] ?? "other"
  return {
    operation: operation === "authorize" && isUnconfirmed(persona, path, request.body) ? "other" : operation,
    ...(pan && { pan }),
  }
}
