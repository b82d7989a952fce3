// Stripe's stand-in. One request: authenticate → look up the idempotency key → run the route → expand → keep the
// answer under the key. https://docs.stripe.com/api
import { ALPHANUMERIC, randomText } from "../chance.ts"
import type { CreatePersona, Persona, PersonaKind, WireRequest, WireResponse } from "../persona.ts"
import { workByHand } from "./by-hand.ts"
import { befallDispute } from "./disputes.ts"
import { errorDocument, StripeError } from "./errors.ts"
import { API_VERSION } from "./events.ts"
import { expand } from "./expand.ts"
import { createIdempotency, keyInUse, keyOf } from "./idempotency.ts"
import { afterChallenge, expireIntent, settleExpiry } from "./intents.ts"
import { readForm } from "./params.ts"
import { findRoute } from "./routes.ts"
import { afterSetupChallenge } from "./setup-intents.ts"
import { answerChallenge } from "./three-ds.ts"
import { createWorld } from "./world.ts"

export const stripe: PersonaKind = {
  id: "stripe",
  create: createStripe,
  credentials: (random) => ({
    secretKey: `sk_test_${randomText(random, 24, ALPHANUMERIC)}`,
    publishableKey: `pk_test_${randomText(random, 24, ALPHANUMERIC)}`,
    webhookSecret: `whsec_${randomText(random, 32, ALPHANUMERIC)}`,
  }),
}

export function createStripe(...[account, ports, issuer]: Parameters<CreatePersona>): Persona {
  const world = createWorld(account, ports, issuer, (id) => {
    const intent = world.intents.get(id)
    if (intent) settleExpiry(world, intent)
  })
  const idempotency = createIdempotency(ports.now)
  const requestId = (): string => `req_${randomText(ports.random, 14, ALPHANUMERIC)}`

  return {
    id: "stripe",
    arrives(request) {
      try {
        if (!idempotency.begin(request)) throw keyInUse(keyOf(request) ?? "")
        return undefined
      } catch (error) {
        return failed(request, requestId(), error)
      }
    },
    handle(request) {
      const id = requestId()
      try {
        const document = execute(request, id)
        if ("status" in document) return document
        const response = respond(request, id, 200, document.body)
        idempotency.keep(request, response)
        return response
      } catch (error) {
        const response = failed(request, id, error)
        if (error instanceof StripeError && !error.executed) idempotency.release(request)
        else idempotency.keep(request, response)
        return response
      }
    },
    page: (request) =>
      answerChallenge(world, request, (challenged, challenge) => {
        if ("amount" in challenged) afterChallenge(world, challenged, challenge)
        else afterSetupChallenge(world, challenged, challenge)
      }),
    onWebhook: (deliver) => world.events.onWebhook(deliver),
    truth: () => world.ledger.truth(),
    befall(reference, event) {
      const intent = world.intents.get(reference)
      const charge = intent?.latestCharge && world.charges.get(intent.latestCharge)
      if (!intent || !charge || !charge.approved) return false
      if (event.type === "expire") return expireIntent(world, intent)
      return event.type === "dispute" ? befallDispute(world, charge, event) : workByHand(world, reference, event)
    },
    replaceStored: (request, response) => idempotency.keep(request, response),
    trouble(status, request) {
      const rateLimited = status === 429
      const error = new StripeError(status, {
        type: rateLimited ? "invalid_request_error" : "api_error",
        message: rateLimited
          ? "Request rate limit exceeded. Learn more about rate limits here https://docs.stripe.com/rate-limits."
          : "An unknown error occurred",
        ...(rateLimited && { code: "rate_limit" }),
      })
      return failed(request, requestId(), error)
    },
  }

  /** The answer's body, or a kept answer as a whole. */
  function execute(request: WireRequest, id: string): WireResponse | { readonly body: unknown } {
    authenticate(request)
    const version = readVersion(request)
    const kept = idempotency.replay(request)
    if (kept)
      return {
        ...kept,
        headers: {
          ...kept.headers,
          "request-id": id,
          "original-request": kept.headers["request-id"] ?? id,
          "idempotent-replayed": "true",
        },
      }
    const url = new URL(request.path, "http://stripe")
    const route = findRoute(request.method, url.pathname)
    if (!route)
      throw new StripeError(
        404,
        {
          type: "invalid_request_error",
          message: `Unrecognized request URL (${request.method}: ${url.pathname}). Please see https://docs.stripe.com or we can help at https://support.stripe.com/.`,
        },
        false,
      )
    const fields = readForm(request.method === "POST" ? request.body : url.search.slice(1))
    const paths = fields.list("expand")
    const cause = { requestId: id, idempotencyKey: keyOf(request) ?? null }
    try {
      const document = world.events.causedBy(cause, () => route({ world, fields, version }))
      return { body: expand(world, document, paths) }
    } catch (error) {
      // What a card error carries is expanded like an answer.
      if (error instanceof StripeError && error.body.payment_intent !== undefined)
        error.body.payment_intent = expand(world, error.body.payment_intent, paths)
      throw error
    }
  }

  function authenticate(request: WireRequest): void {
    const key = readKey(request.headers["authorization"])
    const refuse = (status: number, message: string, code?: string): StripeError =>
      new StripeError(status, { type: "invalid_request_error", message, ...(code && { code }) }, false)
    if (!key)
      throw refuse(
        401,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
      )
    if (key === account.credentials["secretKey"]) return
    if (key.startsWith("pk_"))
      throw refuse(
        403,
        "This API call cannot be made with a publishable API key. Please use a secret API key.",
        "secret_key_required",
      )
    throw refuse(401, `Invalid API Key provided: ${key.slice(0, 8)}****${key.slice(-4)}`)
  }

  function failed(request: WireRequest, id: string, error: unknown): WireResponse {
    if (!(error instanceof StripeError)) throw error
    return respond(request, id, error.status, errorDocument(error.body, id, world.accountId))
  }

  function respond(request: WireRequest, id: string, status: number, document: unknown): WireResponse {
    const key = keyOf(request)
    return {
      status,
      headers: {
        "content-type": "application/json",
        "cache-control": "no-cache, no-store",
        "request-id": id,
        "stripe-version": request.headers["stripe-version"] ?? API_VERSION,
        ...(key && { "idempotency-key": key, "original-request": id }),
        ...(status === 401 && { "www-authenticate": 'Basic realm="Stripe"' }),
        ...(status === 429 && { "stripe-rate-limited-reason": "global-rate" }),
      },
      body: JSON.stringify(document, null, 2) + "\n",
    }
  }
}

function readVersion(request: WireRequest): string {
  const version = request.headers["stripe-version"] ?? API_VERSION
  if (/^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$/.test(version)) return version
  throw new StripeError(
    400,
    { type: "invalid_request_error", message: `Invalid Stripe API version: ${version}` },
    false,
  )
}

/** Bearer, or Basic with the key as the user's name. */
function readKey(authorization: string | undefined): string | undefined {
  const [scheme = "", value = ""] = authorization?.split(" ") ?? []
  if (/^bearer$/i.test(scheme)) return value
  if (/^basic$/i.test(scheme)) return Buffer.from(value, "base64").toString("utf8").split(":")[0]
  return undefined
}
