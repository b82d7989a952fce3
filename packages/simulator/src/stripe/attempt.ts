// One try to authorize a card for a PaymentIntent: magic cards first, then 3DS, then the issuer. What comes out is a
// charge, approved or failed, or the need for the cardholder to authenticate.
import { DIGITS, randomText } from "../chance.ts"
import { binOf } from "../bins.ts"
import { dateOf } from "../calendar.ts"
import type { IssuerAnswer } from "../persona.ts"
import { type Decline, declineFrom, ownDecline } from "./declines.ts"
import type { Check } from "./magic.ts"
import { steady } from "./methods.ts"
import type { Charge, Checks, Intent, Method, MethodOptions, ThreeDs, World } from "./world.ts"

export type Attempt =
  | { readonly type: "approved"; readonly charge: Charge }
  | { readonly type: "declined"; readonly charge: Charge; readonly decline: Decline }
  | { readonly type: "action" }

export type Presence = {
  readonly offSession: boolean
  /** Set once the cardholder has come back from the challenge. */
  readonly threeDs?: ThreeDs
}

/** Card networks hold card-not-present authorizations for 7 days, extended ones for 30. */
export const HOLD_DAYS = 7
const EXTENDED_HOLD_DAYS = 30
const DAY_SECONDS = 86_400

export function attempt(world: World, intent: Intent, method: Method, presence: Presence): Attempt {
  if (method.magic.risk === "blocked") return declined(world, intent, method, ownDecline("fraudulent"), undefined, true)
  const challenged = presence.threeDs !== undefined
  if (!challenged && needsChallenge(method, intent.methodOptions, presence.offSession))
    return presence.offSession ? declined(world, intent, method, declineFrom("1A")) : { type: "action" }
  const threeDs = presence.threeDs ?? frictionless(intent.methodOptions)
  const magicDecline = challenged
    ? (method.magic.declineAfterAuthentication ?? method.magic.decline)
    : method.magic.decline
  if (magicDecline)
    return declined(world, intent, method, declineFrom(magicDecline.responseCode, magicDecline), threeDs)
  const answer = askIssuer(world, method, intent.amount, intent.currency, { ...presence, ...(threeDs && { threeDs }) })
  return decide(world, intent, method, answer, presence, threeDs)
}

/** Only the issuer's word on an amount: for increments, and for cards that are saved without a payment. */
export function askIssuer(
  world: World,
  method: Method,
  amount: bigint,
  currency: string,
  { offSession, threeDs }: Presence,
): IssuerAnswer {
  const { address, name } = method.billing
  const answer = world.issuer({
    account: world.account.id,
    pan: method.pan,
    expiryMonth: method.expMonth,
    expiryYear: method.expYear,
    amount,
    currency: currency.toUpperCase(),
    holderName: name ?? "",
    initiator: offSession ? "merchant" : "customer",
    ...(method.cvc && { cvc: method.cvc }),
    ...(address.line1 && { addressLine: address.line1 }),
    ...(address.postal_code && { postcode: address.postal_code }),
    ...(threeDs?.result === "authenticated" && { threeDs: "authenticated" as const }),
  })
  method.checks = checksOf(method, answer)
  method.cvc = undefined
  return answer
}

export function needsChallenge(method: Method, options: MethodOptions, offSession: boolean): boolean {
  const { authentication } = method.magic
  if (!authentication || options.authenticatedElsewhere || options.moto) return false
  const asked = options.request_three_d_secure !== "automatic"
  switch (authentication) {
    case "always":
      return true
    case "once":
      return !offSession
    case "unless_set_up":
    case "on_session":
      return !(offSession && (method.setUp || options.networkTransactionId !== undefined))
    case "optional":
      return asked && !offSession
    default:
      return authentication satisfies never
  }
}

/** Other cards pass a 3DS that was asked for without bothering anybody. */
export function frictionless(options: MethodOptions): ThreeDs | undefined {
  if (options.authenticatedElsewhere) return { flow: null, result: "authenticated" }
  if (options.request_three_d_secure === "automatic") return undefined
  return { flow: "frictionless", result: "authenticated" }
}

function decide(
  world: World,
  intent: Intent,
  method: Method,
  answer: IssuerAnswer,
  presence: Presence,
  threeDs: ThreeDs | undefined,
): Attempt {
  // A soft decline: the bank wants the cardholder to authenticate, and Stripe sees to it if there is one.
  if (answer.responseCode === "1A" && !presence.offSession && !presence.threeDs) return { type: "action" }
  const askedForPart = intent.methodOptions.features.partial
  if (answer.responseCode === "10" && !askedForPart) return declined(world, intent, method, declineFrom("51"), threeDs)
  if (answer.responseCode !== "00" && answer.responseCode !== "10") {
    const advice = answer.adviceCode !== undefined ? { adviceCode: answer.adviceCode } : {}
    return declined(world, intent, method, declineFrom(answer.responseCode, advice), threeDs)
  }
  const charge = chargeOf(world, intent, method, { approvedAmount: answer.approvedAmount, threeDs })
  const expiresAt = charge.captureBefore === undefined ? undefined : charge.captureBefore * 1000
  const booked = world.ledger.authorize(intent.id, answer.approvedAmount, expiresAt)
  if (!booked.ok) throw new Error(`the ledger refused an authorization: ${booked.refusal}`)
  return { type: "approved", charge }
}

function declined(
  world: World,
  intent: Intent,
  method: Method,
  decline: Decline,
  threeDs?: ThreeDs,
  blocked = false,
): Attempt {
  world.ledger.decline(intent.id)
  return { type: "declined", charge: chargeOf(world, intent, method, { decline, threeDs, blocked }), decline }
}

function chargeOf(
  world: World,
  intent: Intent,
  method: Method,
  result: { approvedAmount?: bigint; decline?: Decline; threeDs?: ThreeDs | undefined; blocked?: boolean },
): Charge {
  const { features } = intent.methodOptions
  const id = world.id("ch")
  const approved = result.approvedAmount !== undefined
  const holdDays = features.extended ? EXTENDED_HOLD_DAYS : HOLD_DAYS
  const charge: Charge = {
    id,
    intent: intent.id,
    created: world.seconds(),
    amount: result.approvedAmount ?? intent.amount,
    approved,
    decline: result.decline,
    blocked: result.blocked ?? false,
    risk: riskOf(method, id),
    method,
    checks: method.checks,
    threeDs: result.threeDs,
    networkTransactionId: networkTransactionId(world, method),
    authorizationCode: randomText(world.ports.random, 6, DIGITS),
    captureBefore: approved && intent.captureMethod === "manual" ? world.seconds() + holdDays * DAY_SECONDS : undefined,
    features,
    partial: !features.partial
      ? "not_requested"
      : approved && result.approvedAmount !== intent.amount
        ? "partially_authorized"
        : "fully_authorized",
    refunds: [],
    disputes: [],
    increments: 0,
    metadata: intent.metadata,
  }
  return world.charges.put(charge.id, charge)
}

function riskOf(method: Method, id: string): Charge["risk"] {
  if (method.magic.risk === "blocked" || method.magic.risk === "highest")
    return { level: "highest", score: steady(`risk:${id}`, 75, 99) }
  if (method.magic.risk === "elevated") return { level: "elevated", score: steady(`risk:${id}`, 65, 74) }
  return { level: "normal", score: steady(`risk:${id}`, 0, 64) }
}

/** Visa's are fifteen digits; Mastercard's are the bank net reference number and the date, MMDD. */
function networkTransactionId(world: World, method: Method): string {
  if (binOf(method.pan)?.network !== "mastercard") return randomText(world.ports.random, 15, DIGITS)
  const { month, day } = dateOf(world.ports.now())
  const date = String(month).padStart(2, "0") + String(day).padStart(2, "0")
  return `MCC${randomText(world.ports.random, 6, DIGITS)}${date}`
}

function checksOf(method: Method, answer: IssuerAnswer): Checks {
  const { checks } = method.magic
  const typed = { line1: method.billing.address.line1, postcode: method.billing.address.postal_code, cvc: method.cvc }
  const by = (field: keyof Checks, passed: boolean): Check | null =>
    typed[field] ? (checks?.[field] ?? (passed ? "pass" : "fail")) : null
  return {
    cvc: by("cvc", answer.cvv === "M"),
    line1: by("line1", answer.avs === "Y" || answer.avs === "A"),
    postcode: by("postcode", answer.avs === "Y" || answer.avs === "Z"),
  }
}
