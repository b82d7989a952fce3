// PaymentMethods of type card: created from card data, a test token, or a test method's name.
import type { Stripe } from "stripe"
import { binOf, passesLuhn } from "../bins.ts"
import { dateOf } from "../calendar.ts"
import { fractionOf, HEX, randomText, seededRandom } from "../chance.ts"
import { readCustomer } from "./customers.ts"
import { type Decline, declineFrom } from "./declines.ts"
import { conflicting, invalid, missing, StripeError } from "./errors.ts"
import { MAGIC_CARDS, magicMethodNumber } from "./magic.ts"
import type { Fields } from "./params.ts"
import type { Address, BillingDetails, Checks, Method, World } from "./world.ts"

const NO_CHECKS: Checks = { cvc: null, line1: null, postcode: null }
/** Test methods come with a card that is valid for a few years, as in Stripe's sandbox. */
const MAGIC_EXPIRY_YEARS = 3

export function createMethod(world: World, fields: Fields): Method {
  const type = fields.needText("type")
  if (type !== "card")
    throw invalid(`The simulator knows payment methods of type card only, not ${type}`, { param: "type" })
  fields.only("type", "card", "billing_details", "metadata", "allow_redisplay", "expand", "radar_options")
  const billing = readBilling(fields.within("billing_details"))
  const metadata = fields.map("metadata") ?? {}
  const card = fields.within("card")
  const token = card.text("token")
  if (token !== undefined) return methodFromToken(world, token, "card[token]", billing, metadata)
  card.only("number", "exp_month", "exp_year", "cvc", "networks", "network_token")
  const number = card.has("network_token") ? card.within("network_token") : card
  const pan = number.needText("number").replace(/[ -]/g, "")
  const expMonth = number.needInteger("exp_month")
  const expYear = fullYear(number.needInteger("exp_year"))
  const cvc = card.text("cvc")
  refuseBadCard(world, { pan, expMonth, expYear, cvc })
  return shelve(world, { pan, expMonth, expYear, cvc, billing, metadata })
}

/** A stored method, or one of the test methods, which spring into being whenever they are named. */
export function findMethod(world: World, id: string, param = "payment_method"): Method {
  const stored = world.methods.get(id)
  if (stored) return stored
  if (id.startsWith("pm_card_")) return methodFromToken(world, id, param, EMPTY_BILLING, {})
  throw missing("PaymentMethod", id, param, param === "payment_method" ? 400 : 404)
}

export function attachMethod(world: World, method: Method, customerId: string): void {
  const customer = readCustomer(world, customerId)
  if (method.customer !== null && method.customer !== customer.id)
    throw conflicting("The payment method you provided has already been attached to a customer.", {
      code: "payment_method_unexpected_state",
    })
  refuseSpent(method)
  if (method.magic.decline && !method.magic.attaches) {
    const { decline } = method.magic
    throw cardError(declineFrom(decline.responseCode, decline))
  }
  method.customer = customer.id
}

export function refuseSpent(method: Method): void {
  if (method.spent)
    throw conflicting(
      "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, shared with a connected account without Customer attachment, or was detached from a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.",
      { code: "payment_method_unexpected_state" },
    )
}

export function cardError(decline: Decline): StripeError {
  return new StripeError(402, {
    type: "card_error",
    code: decline.code,
    decline_code: decline.declineCode,
    message: decline.message,
    ...(decline.networkDeclineCode && { network_decline_code: decline.networkDeclineCode }),
    ...(decline.networkAdviceCode && { network_advice_code: decline.networkAdviceCode }),
    ...(decline.adviceCode && { advice_code: decline.adviceCode }),
  })
}

export function renderMethod(method: Method): Stripe.PaymentMethod {
  const bin = binOf(method.pan)
  const brand = bin?.network ?? "unknown"
  return {
    id: method.id,
    object: "payment_method",
    allow_redisplay: "unspecified",
    billing_details: method.billing,
    card: {
      brand,
      checks: renderChecks(method.checks),
      country: bin?.country ?? null,
      display_brand: brand,
      exp_month: method.expMonth,
      exp_year: method.expYear,
      fingerprint: fingerprint(method.pan),
      funding: bin?.funding ?? "unknown",
      generated_from: null,
      last4: method.pan.slice(-4),
      networks: { available: [brand], preferred: null },
      regulated_status: "unregulated",
      three_d_secure_usage: { supported: brand !== "unionpay" },
      wallet: null,
    },
    created: method.created,
    customer: method.customer,
    customer_account: null,
    livemode: false,
    metadata: method.metadata,
    type: "card",
  }
}

export function renderChecks(checks: Checks): Stripe.PaymentMethod.Card.Checks {
  return {
    address_line1_check: checks.line1,
    address_postal_code_check: checks.postcode,
    cvc_check: checks.cvc,
  }
}

/** The same for the same card, always: what merchants recognise a card by. */
export function fingerprint(pan: string): string {
  return randomText(seededRandom(`fingerprint:${pan}`), 16)
}

export function readBilling(fields: Fields): BillingDetails {
  const address = fields.within("address")
  return {
    address: readAddress(address),
    email: fields.text("email") || null,
    name: fields.text("name") || null,
    phone: fields.text("phone") || null,
    tax_id: fields.text("tax_id") || null,
  }
}

function readAddress(fields: Fields): Address {
  const read = (name: string): string | null => fields.text(name) || null
  return {
    city: read("city"),
    country: read("country"),
    line1: read("line1"),
    line2: read("line2"),
    postal_code: read("postal_code"),
    state: read("state"),
  }
}

const EMPTY_BILLING: BillingDetails = {
  address: { city: null, country: null, line1: null, line2: null, postal_code: null, state: null },
  email: null,
  name: null,
  phone: null,
  tax_id: null,
}

function methodFromToken(
  world: World,
  id: string,
  param: string,
  billing: BillingDetails,
  metadata: Method["metadata"],
): Method {
  const pan = magicMethodNumber(id)
  if (!pan) throw missing(id.startsWith("tok_") ? "token" : "PaymentMethod", id, param, 400)
  const { year, month } = dateOf(world.ports.now())
  const expiry = { expMonth: month, expYear: year + MAGIC_EXPIRY_YEARS }
  return shelve(world, { pan, ...expiry, cvc: undefined, billing, metadata })
}

type Card = { pan: string; expMonth: number; expYear: number; cvc: string | undefined }

function shelve(world: World, card: Card & { billing: BillingDetails; metadata: Method["metadata"] }): Method {
  const method: Method = {
    id: world.id("pm"),
    created: world.seconds(),
    ...card,
    customer: null,
    magic: MAGIC_CARDS[card.pan] ?? {},
    checks: NO_CHECKS,
    setUp: MAGIC_CARDS[card.pan]?.authentication === "on_session",
    spent: false,
  }
  return world.methods.put(method.id, method)
}

function refuseBadCard(world: World, { pan, expMonth, expYear, cvc }: Card): void {
  const refuse = (code: string, message: string, param: string): StripeError =>
    new StripeError(402, { type: "card_error", code, message, param }, false)
  if (!/^\d+$/.test(pan) || !binOf(pan))
    throw refuse("invalid_number", "The card number is not a valid credit card number.", "number")
  if (!passesLuhn(pan)) throw refuse("incorrect_number", "Your card number is incorrect.", "number")
  if (expMonth < 1 || expMonth > 12)
    throw refuse("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
  const { year, month } = dateOf(world.ports.now())
  if (expYear < year || expYear > year + 50)
    throw refuse("invalid_expiry_year", "Your card's expiration year is invalid.", "exp_year")
  if (expYear === year && expMonth < month)
    throw refuse("invalid_expiry_month", "Your card's expiration month is invalid.", "exp_month")
  const digits = binOf(pan)?.network === "amex" ? /^\d{3,4}$/ : /^\d{3}$/
  if (cvc !== undefined && cvc !== "" && !digits.test(cvc))
    throw refuse("invalid_cvc", "Your card's security code is invalid.", "cvc")
}

function fullYear(year: number): number {
  return year >= 0 && year < 100 ? 2000 + year : year
}

/** Unused bits of a stable number, for risk scores and the like that must not disturb the stream of ids. */
export function steady(text: string, from: number, to: number): number {
  return from + Math.floor(fractionOf(text) * (to - from + 1))
}

export function hexOf(text: string, length: number): string {
  return randomText(seededRandom(text), length, HEX)
}
