// SetupIntents: a card is checked with its bank for no amount, and saved for payments without the cardholder.
import type { Stripe } from "stripe"
import type { Challenge } from "../persona.ts"
import { askIssuer, frictionless, needsChallenge } from "./attempt.ts"
import { mergeMetadata, readCustomer } from "./customers.ts"
import { type Decline, declineFrom } from "./declines.ts"
import { conflicting, invalid, missing, StripeError } from "./errors.ts"
import { readOptions } from "./intent-fields.ts"
import { createMethod, findMethod, renderMethod } from "./methods.ts"
import { readMethodTypes } from "./method-types.ts"
import type { Fields } from "./params.ts"
import { renderIntentError } from "./render-intent.ts"
import { challengeUrl } from "./three-ds.ts"
import type { IntentError, Method, SetupIntent, World } from "./world.ts"

// oxfmt-ignore
export const SETUP_FIELDS: readonly string[] = [
  "allowed_payment_method_types", "attach_to_self", "automatic_payment_methods", "confirm", "confirmation_token",
  "customer", "customer_account", "description", "excluded_payment_method_types", "expand", "flow_directions",
  "mandate_data", "metadata", "on_behalf_of", "payment_method", "payment_method_configuration", "payment_method_data",
  "payment_method_options", "payment_method_types", "return_url", "single_use", "usage", "use_stripe_sdk",
]
/** Banks verify cards in some currency although nothing is charged. */
const VERIFICATION_CURRENCY = "usd"

export function createSetupIntent(world: World, fields: Fields, version: string): SetupIntent {
  const id = world.id("seti")
  const setup: SetupIntent = {
    id,
    clientSecret: world.id(`${id}_secret`, 30),
    created: world.seconds(),
    status: "requires_payment_method",
    usage: fields.oneOf("usage", ["off_session", "on_session"]) ?? "off_session",
    methodTypes: readMethodTypes(fields, version),
    method: null,
    customer: null,
    metadata: {},
    description: null,
    returnUrl: null,
    lastError: null,
    latestAttempt: null,
    mandate: null,
    cancellationReason: null,
  }
  changeSetupIntent(world, setup, fields)
  return world.setupIntents.put(id, setup)
}

export function changeSetupIntent(world: World, setup: SetupIntent, fields: Fields): void {
  const customer = fields.text("customer")
  if (customer) setup.customer = readCustomer(world, customer).id
  if (fields.has("payment_method_data")) setup.method = createMethod(world, fields.within("payment_method_data")).id
  const method = fields.text("payment_method")
  if (method) setup.method = findMethod(world, method).id
  setup.description = fields.text("description") ?? setup.description
  setup.returnUrl = fields.text("return_url") || setup.returnUrl
  if (setup.returnUrl !== null && !URL.canParse(setup.returnUrl))
    throw invalid("Not a valid URL", { param: "return_url", code: "url_invalid" })
  setup.metadata = mergeMetadata(setup.metadata, fields.map("metadata"))
  if (fields.has("mandate_data")) setup.mandate ??= world.id("mandate")
  if (setup.status === "requires_payment_method" && setup.method !== null) setup.status = "requires_confirmation"
}

export function findSetupIntent(world: World, id: string): SetupIntent {
  const setup = world.setupIntents.get(id)
  if (!setup) throw missing("setupintent", id, "intent")
  return setup
}

export function confirmSetupIntent(world: World, setup: SetupIntent, fields: Fields): void {
  if (setup.status === "succeeded" || setup.status === "canceled")
    throw unexpectedState(
      setup,
      `You cannot confirm this SetupIntent because it has a status of ${setup.status}.`,
      world,
    )
  changeSetupIntent(world, setup, fields)
  if (setup.method === null)
    throw unexpectedState(setup, "You cannot confirm this SetupIntent because it's missing a payment method.", world)
  const method = findMethod(world, setup.method)
  setup.latestAttempt = world.id("setatt")
  const options = readOptions(fields)
  // Saving a card for later counts as an on-session use of it: the cardholder is there to be challenged.
  if (needsChallenge(method, options, false) && !options.authenticatedElsewhere) {
    setup.status = "requires_action"
    world.events.emit("setup_intent.requires_action", renderSetupIntent(world, setup))
    return
  }
  const error = verify(world, setup, method, frictionless(options) !== undefined)
  if (error) throw error
}

export function afterSetupChallenge(world: World, setup: SetupIntent, challenge: Challenge): void {
  if (setup.status !== "requires_action" || setup.method === null || challenge === "abandoned") return
  const method = findMethod(world, setup.method)
  if (challenge === "authenticated") {
    verify(world, setup, method, true)
    return
  }
  fail(world, setup, {
    type: "invalid_request_error",
    code: "setup_intent_authentication_failure",
    message: "The latest attempt to set up the payment method has failed because authentication failed.",
    method: method.id,
  })
}

export function cancelSetupIntent(world: World, setup: SetupIntent, reason: string | null): void {
  if (setup.status === "succeeded" || setup.status === "canceled")
    throw unexpectedState(
      setup,
      `You cannot cancel this SetupIntent because it has a status of ${setup.status}.`,
      world,
    )
  setup.status = "canceled"
  setup.cancellationReason = reason
  world.events.emit("setup_intent.canceled", renderSetupIntent(world, setup))
}

export function renderSetupIntent(world: World, setup: SetupIntent): Stripe.SetupIntent {
  const url = challengeUrl(world, setup)
  return {
    id: setup.id,
    object: "setup_intent",
    allowed_payment_method_types: setup.methodTypes.allowed && [...setup.methodTypes.allowed],
    application: null,
    automatic_payment_methods: setup.methodTypes.automatic,
    cancellation_reason: setup.cancellationReason,
    client_secret: setup.clientSecret,
    created: setup.created,
    customer: setup.customer,
    customer_account: null,
    description: setup.description,
    excluded_payment_method_types: null,
    flow_directions: null,
    last_setup_error: setup.lastError && renderIntentError(world, setup.lastError),
    latest_attempt: setup.latestAttempt,
    livemode: false,
    managed_payments: null,
    mandate: setup.status === "succeeded" ? setup.mandate : null,
    metadata: setup.metadata,
    next_action:
      setup.status !== "requires_action"
        ? null
        : setup.returnUrl === null
          ? { type: "use_stripe_sdk", use_stripe_sdk: { type: "three_d_secure_redirect", stripe_js: url } }
          : { type: "redirect_to_url", redirect_to_url: { return_url: setup.returnUrl, url } },
    on_behalf_of: null,
    payment_method: setup.method,
    payment_method_configuration_details: null,
    payment_method_options: {
      card: { mandate_options: null, network: null, request_three_d_secure: "automatic" },
    },
    payment_method_types: [...setup.methodTypes.types],
    single_use_mandate: null,
    status: setup.status,
    usage: setup.usage,
  }
}

function verify(world: World, setup: SetupIntent, method: Method, authenticated: boolean): StripeError | undefined {
  const { decline, declineAfterAuthentication: after, attaches } = method.magic
  const magic = attaches ? undefined : ((authenticated ? after : undefined) ?? decline)
  const refused = magic ? declineFrom(magic.responseCode, magic) : verificationDecline(world, method, authenticated)
  if (refused) {
    const { code, message } = refused
    return fail(world, setup, { type: "card_error", code, message, decline: refused, method: method.id })
  }
  setup.status = "succeeded"
  setup.lastError = null
  method.setUp = setup.usage === "off_session"
  if (setup.customer !== null) method.customer = setup.customer
  world.events.emit("setup_intent.succeeded", renderSetupIntent(world, setup))
  return undefined
}

function verificationDecline(world: World, method: Method, authenticated: boolean): Decline | undefined {
  const threeDs = authenticated ? { threeDs: { flow: "challenge", result: "authenticated" } as const } : {}
  const answer = askIssuer(world, method, 0n, VERIFICATION_CURRENCY, { offSession: false, ...threeDs })
  if (answer.responseCode === "00") return undefined
  return declineFrom(answer.responseCode, answer.adviceCode === undefined ? {} : { adviceCode: answer.adviceCode })
}

function fail(world: World, setup: SetupIntent, error: IntentError): StripeError {
  const method = world.methods.get(error.method)
  setup.status = "requires_payment_method"
  setup.lastError = error
  setup.method = null
  const rendered = renderSetupIntent(world, setup)
  world.events.emit("setup_intent.setup_failed", rendered)
  const { payment_method: _, doc_url: __, ...body } = renderIntentError(world, error)
  return new StripeError(402, {
    ...(body as StripeError["body"]),
    setup_intent: rendered,
    ...(method && { payment_method: renderMethod(method) }),
  })
}

function unexpectedState(setup: SetupIntent, message: string, world: World): StripeError {
  return conflicting(message, {
    code: "setup_intent_unexpected_state",
    setup_intent: renderSetupIntent(world, setup),
  })
}
