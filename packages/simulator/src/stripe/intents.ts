// PaymentIntents: every change of state.
//
//   requires_payment_method → requires_confirmation → requires_action → requires_capture → succeeded
//   A decline or a failed challenge leads back to requires_payment_method; canceled ends all but succeeded.
//   https://docs.stripe.com/payments/paymentintents/lifecycle
import type { Challenge } from "../persona.ts"
import { type Attempt, askIssuer, attempt, type Presence } from "./attempt.ts"
import { moneyOf, renderCharge } from "./charges.ts"
import { readAmount, readCurrency } from "./currencies.ts"
import { declineFrom, ownDecline } from "./declines.ts"
import { disputeOnceCharged } from "./disputes.ts"
import { conflicting, invalid, missing, StripeError } from "./errors.ts"
import { changeIntent } from "./intent-fields.ts"
import { cardError, findMethod, refuseSpent, renderMethod } from "./methods.ts"
import type { Fields } from "./params.ts"
import { renderIntent, renderIntentError } from "./render-intent.ts"
import { recordRelease, renderRefund } from "./render-refund.ts"
import type { Charge, Intent, IntentError, IntentStatus, Method, World } from "./world.ts"

const MAX_INCREMENTS = 10

export function findIntent(world: World, id: string, status = 404): Intent {
  const intent = world.intents.get(id)
  if (!intent) throw missing("payment_intent", id, status === 404 ? "intent" : "payment_intent", status)
  settleExpiry(world, intent)
  return intent
}

export function updateIntent(world: World, intent: Intent, fields: Fields): void {
  if (intent.status === "succeeded" || intent.status === "canceled" || intent.status === "requires_capture") {
    const settled = ["amount", "currency", "payment_method", "payment_method_data", "capture_method", "customer"]
    const late = settled.find((name) => fields.has(name))
    if (late)
      throw unexpectedState(
        world,
        intent,
        `This PaymentIntent's ${late} could not be updated because it has a status of ${intent.status}.`,
      )
  }
  if (fields.has("currency")) intent.currency = readCurrency(fields.needText("currency"))
  if (fields.has("amount")) intent.amount = readAmount(fields.needInteger("amount"), intent.currency)
  changeIntent(world, intent, fields)
}

export function confirmIntent(world: World, intent: Intent, fields: Fields): void {
  if (!among(intent, ["requires_payment_method", "requires_confirmation", "requires_action"]))
    throw unexpectedState(
      world,
      intent,
      intent.status === "succeeded"
        ? "You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed."
        : `You cannot confirm this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action, requires_payment_method.`,
    )
  changeIntent(world, intent, fields)
  if (intent.method === null)
    throw unexpectedState(
      world,
      intent,
      "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
    )
  if (
    intent.methodTypes.automatic?.allow_redirects === "always" &&
    intent.returnUrl === null &&
    !fields.bool("use_stripe_sdk")
  )
    throw invalid(
      "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.",
    )
  const method = findMethod(world, intent.method)
  refuseSpent(method)
  const offSession = readOffSession(fields)
  const result = attempt(world, intent, method, { offSession })
  const error = settle(world, intent, method, result, fields.bool("error_on_requires_action") ?? false)
  if (error) throw error
}

/** The cardholder is back from the bank. An abandoned challenge leaves everything as it was. */
export function afterChallenge(world: World, intent: Intent, challenge: Challenge): void {
  if (intent.status !== "requires_action" || intent.method === null || challenge === "abandoned") return
  const method = findMethod(world, intent.method)
  if (challenge === "authenticated") {
    const presence: Presence = { offSession: false, threeDs: { flow: "challenge", result: "authenticated" } }
    settle(world, intent, method, attempt(world, intent, method, presence), false)
    return
  }
  world.ledger.decline(intent.id)
  fail(world, intent, {
    type: "invalid_request_error",
    code: "payment_intent_authentication_failure",
    message:
      "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.",
    method: method.id,
  })
}

export function captureIntent(world: World, intent: Intent, fields: Fields): void {
  const charge = approvedCharge(world, intent)
  if (intent.status !== "requires_capture" || !charge)
    throw unexpectedState(
      world,
      intent,
      `This PaymentIntent could not be captured because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`,
    )
  const { capturable, captured } = moneyOf(world, charge)
  const amount = BigInt(fields.integer("amount_to_capture") ?? capturable)
  const final = fields.bool("final_capture") ?? true
  if (amount > capturable)
    throw conflicting(
      `The amount to capture (${amount}) is greater than the remaining amount that can be captured (${capturable}) on this PaymentIntent.`,
      { code: "amount_too_large", param: "amount_to_capture", payment_intent: renderIntent(world, intent) },
    )
  if (!final && !charge.features.multicapture)
    throw conflicting("Multicapture is not available on this PaymentIntent; `final_capture` must be true.", {
      param: "final_capture",
      payment_intent: renderIntent(world, intent),
    })
  if (amount < 0n || (amount === 0n && !(final && captured > 0n)))
    throw invalid("This value must be greater than or equal to 1.", {
      param: "amount_to_capture",
      code: "parameter_invalid_integer",
    })
  // Nothing more to capture: the last capture is only the end of the hold.
  if (amount === 0n) world.ledger.void(intent.id)
  else must(world.ledger.capture(intent.id, world.id("cap"), amount, final))
  changeIntent(world, intent, fields)
  if (final || amount === capturable) {
    intent.status = "succeeded"
    world.holds.forget(intent.id)
    recordRelease(world, charge, capturable - amount)
    world.events.emit("charge.captured", renderCharge(world, charge))
    world.events.emit("payment_intent.succeeded", renderIntent(world, intent))
  } else {
    world.events.emit("charge.updated", renderCharge(world, charge))
    world.events.emit("payment_intent.amount_capturable_updated", renderIntent(world, intent))
  }
}

export function cancelIntent(world: World, intent: Intent, reason: string | null): void {
  const cancelable = [
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
  ] as const
  if (!among(intent, cancelable))
    throw unexpectedState(
      world,
      intent,
      `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: ${cancelable.join(", ")}.`,
    )
  const charge = approvedCharge(world, intent)
  const released = charge && recordRelease(world, charge, moneyOf(world, charge).capturable)
  must(world.ledger.void(intent.id))
  world.holds.forget(intent.id)
  if (released) world.events.emit("refund.created", renderRefund(world, released))
  close(world, intent, reason, "charge.refunded")
}

export function incrementIntent(world: World, intent: Intent, fields: Fields): void {
  const charge = approvedCharge(world, intent)
  if (intent.status !== "requires_capture" || !charge)
    throw unexpectedState(
      world,
      intent,
      `This PaymentIntent's authorization could not be incremented because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be incremented: requires_capture.`,
    )
  const refuse = (message: string, param?: string): StripeError =>
    conflicting(message, { ...(param && { param }), payment_intent: renderIntent(world, intent) })
  if (!charge.features.incremental)
    throw refuse(
      "This PaymentIntent does not support incremental authorization: it was not requested, or is unavailable.",
    )
  const amount = readAmount(fields.needInteger("amount"), intent.currency)
  const { authorized } = moneyOf(world, charge)
  if (amount <= authorized)
    throw refuse(`The amount must be greater than the currently authorized amount (${authorized}).`, "amount")
  charge.increments++
  if (charge.increments > MAX_INCREMENTS)
    throw refuse(`You can only increment an authorization ${MAX_INCREMENTS} times.`)
  const answer = askIssuer(world, charge.method, amount - authorized, intent.currency, { offSession: true })
  if (answer.responseCode !== "00") {
    const advice = answer.adviceCode === undefined ? {} : { adviceCode: answer.adviceCode }
    const error = cardError(declineFrom(answer.responseCode, advice))
    throw new StripeError(402, { ...error.body, charge: charge.id, payment_intent: renderIntent(world, intent) })
  }
  must(world.ledger.increment(intent.id, amount - authorized))
  intent.amount = amount
  changeIntent(world, intent, fields)
  world.events.emit("payment_intent.amount_capturable_updated", renderIntent(world, intent))
}

/** The hold has run out: the intent is canceled by itself. False when there was no hold. */
export function expireIntent(world: World, intent: Intent): boolean {
  if (intent.status !== "requires_capture" || !world.ledger.expire(intent.id).ok) return false
  close(world, intent, "automatic", "charge.expired")
  return true
}

/** What the ledger has released by the clock, the intent must not go on to promise. */
export function settleExpiry(world: World, intent: Intent): void {
  if (intent.status === "requires_capture" && world.ledger.get(intent.id)?.state !== "authorized")
    close(world, intent, "automatic", "charge.expired")
}

/** Turns what came of a try into the intent's state and events; the error, if any, is the answer to the request. */
function settle(
  world: World,
  intent: Intent,
  method: Method,
  result: Attempt,
  errorOnAction: boolean,
): StripeError | undefined {
  switch (result.type) {
    case "approved":
      approve(world, intent, method, result.charge)
      return undefined
    case "action": {
      if (errorOnAction) {
        const decline = ownDecline("authentication_required")
        const { code, message } = decline
        return fail(world, intent, { type: "card_error", code, message, decline, method: method.id })
      }
      must(world.ledger.awaitAction(intent.id))
      intent.status = "requires_action"
      world.events.emit("payment_intent.requires_action", renderIntent(world, intent))
      return undefined
    }
    case "declined": {
      const { charge, decline } = result
      intent.latestCharge = charge.id
      world.events.emit("charge.failed", renderCharge(world, charge))
      const { code, message } = decline
      return fail(world, intent, { type: "card_error", code, message, decline, charge: charge.id, method: method.id })
    }
    default:
      return result satisfies never
  }
}

function approve(world: World, intent: Intent, method: Method, charge: Charge): void {
  intent.latestCharge = charge.id
  intent.lastError = null
  intent.changedAt = world.ports.now()
  if (intent.setupFutureUsage !== null) {
    method.setUp = intent.setupFutureUsage === "off_session"
    if (intent.customer !== null) method.customer = intent.customer
  }
  if (method.customer === null) method.spent = true
  if (intent.captureMethod === "manual") {
    intent.status = "requires_capture"
    world.events.emit("charge.succeeded", renderCharge(world, charge))
    world.events.emit("payment_intent.amount_capturable_updated", renderIntent(world, intent))
    if (charge.captureBefore !== undefined) world.holds.watch(intent.id, charge.captureBefore * 1000)
  } else {
    must(world.ledger.capture(intent.id, world.id("cap"), charge.amount))
    intent.status = "succeeded"
    world.events.emit("charge.succeeded", renderCharge(world, charge))
    world.events.emit("payment_intent.succeeded", renderIntent(world, intent))
  }
  disputeOnceCharged(world, charge)
}

function fail(world: World, intent: Intent, error: IntentError): StripeError {
  const method = world.methods.get(error.method)
  intent.status = "requires_payment_method"
  intent.lastError = error
  intent.method = null
  intent.changedAt = world.ports.now()
  const rendered = renderIntent(world, intent)
  world.events.emit("payment_intent.payment_failed", rendered)
  const { payment_method: _, doc_url: __, ...body } = renderIntentError(world, error)
  return new StripeError(402, {
    ...(body as StripeError["body"]),
    payment_intent: rendered,
    ...(method && { payment_method: renderMethod(method) }),
  })
}

/**
 * The hold has ended. An intent of which something was captured has succeeded with that: its authorization window
 * closing is like a final capture. https://docs.stripe.com/payments/multicapture
 */
function close(world: World, intent: Intent, reason: string | null, chargeEvent: string): void {
  const charge = approvedCharge(world, intent)
  const hasMoney = charge !== undefined && moneyOf(world, charge).captured > 0n
  intent.status = hasMoney ? "succeeded" : "canceled"
  intent.canceledAt = hasMoney ? null : world.seconds()
  intent.cancellationReason = hasMoney ? null : reason
  intent.changedAt = world.ports.now()
  if (charge) world.events.emit(chargeEvent, renderCharge(world, charge))
  world.events.emit(`payment_intent.${intent.status}`, renderIntent(world, intent))
}

function approvedCharge(world: World, intent: Intent): Charge | undefined {
  const charge = intent.latestCharge === null ? undefined : world.charges.get(intent.latestCharge)
  return charge?.approved ? charge : undefined
}

function readOffSession(fields: Fields): boolean {
  const value = fields.text("off_session")
  if (value === undefined || value === "" || value === "false") return false
  if (["true", "one_off", "recurring"].includes(value)) return true
  throw invalid(`Invalid boolean: ${value}`, { param: "off_session" })
}

function unexpectedState(world: World, intent: Intent, message: string): StripeError {
  return conflicting(message, {
    code: "payment_intent_unexpected_state",
    payment_intent: renderIntent(world, intent),
  })
}

function among(intent: Intent, statuses: readonly IntentStatus[]): boolean {
  return statuses.includes(intent.status)
}

/** The rules above have been checked: a refusal by the ledger now is a bug of ours. */
function must(entry: { readonly ok: true } | { readonly ok: false; readonly refusal: string }): void {
  if (!entry.ok) throw new Error(`the ledger refused what the rules allow: ${entry.refusal}`)
}
