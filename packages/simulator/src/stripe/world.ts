// What one Stripe account holds: its objects, its money, and the means to make ids and events. Records here are our
// own, as small as the rules need; how they look on the wire is each object's `render…`.
import { ALPHANUMERIC, randomText } from "../chance.ts"
import { createHoldExpiry, type HoldExpiry } from "../hold-expiry.ts"
import { createMoneyLedger, type MoneyLedger } from "../money-ledger.ts"
import type { Issuer, PersonaAccount, PersonaPorts } from "../persona.ts"
import type { Decline } from "./declines.ts"
import { createEvents, type Events } from "./events.ts"
import type { Check, Magic } from "./magic.ts"
import type { MethodTypes } from "./method-types.ts"
import { createShelf, type Shelf } from "./shelf.ts"

export type Metadata = Readonly<Record<string, string>>

export type Address = {
  readonly city: string | null
  readonly country: string | null
  readonly line1: string | null
  readonly line2: string | null
  readonly postal_code: string | null
  readonly state: string | null
}
export type BillingDetails = {
  readonly address: Address
  readonly email: string | null
  readonly name: string | null
  readonly phone: string | null
  readonly tax_id: string | null
}

export type Checks = { readonly cvc: Check | null; readonly line1: Check | null; readonly postcode: Check | null }

export type Method = {
  readonly id: string
  readonly created: number
  readonly pan: string
  readonly expMonth: number
  readonly expYear: number
  /** Kept until the first authorization only, as card rules demand. */
  cvc: string | undefined
  billing: BillingDetails
  metadata: Metadata
  customer: string | null
  readonly magic: Magic
  checks: Checks
  /** Set up for payments without the cardholder. */
  setUp: boolean
  /** Used once without a customer, and so never again. */
  spent: boolean
}

export type ThreeDs = {
  readonly flow: "challenge" | "frictionless" | null
  readonly result: "authenticated" | "attempt_acknowledged" | "failed"
}

export type Charge = {
  readonly id: string
  readonly intent: string
  readonly created: number
  readonly amount: bigint
  readonly approved: boolean
  readonly decline: Decline | undefined
  readonly blocked: boolean
  readonly risk: { readonly level: "normal" | "elevated" | "highest"; readonly score: number }
  readonly method: Method
  readonly checks: Checks
  readonly threeDs: ThreeDs | undefined
  readonly networkTransactionId: string
  readonly authorizationCode: string
  readonly captureBefore: number | undefined
  readonly features: Features
  readonly partial: "not_requested" | "fully_authorized" | "partially_authorized"
  readonly refunds: RefundRecord[]
  readonly disputes: DisputeRecord[]
  increments: number
  metadata: Metadata
}

/** What the merchant asked of the authorization, if it is available. */
export type Features = {
  readonly incremental: boolean
  readonly multicapture: boolean
  readonly partial: boolean
  readonly extended: boolean
}

export type IntentStatus =
  | "requires_payment_method"
  | "requires_confirmation"
  | "requires_action"
  | "requires_capture"
  | "succeeded"
  | "canceled"

export type Intent = {
  readonly id: string
  readonly clientSecret: string
  readonly created: number
  amount: bigint
  currency: string
  status: IntentStatus
  captureMethod: "automatic" | "automatic_async" | "manual"
  readonly confirmationMethod: "automatic" | "manual"
  readonly methodTypes: MethodTypes
  methodOptions: MethodOptions
  method: string | null
  customer: string | null
  metadata: Metadata
  description: string | null
  receiptEmail: string | null
  statementDescriptor: string | null
  statementDescriptorSuffix: string | null
  setupFutureUsage: "off_session" | "on_session" | null
  shipping: unknown
  returnUrl: string | null
  latestCharge: string | null
  lastError: IntentError | null
  canceledAt: number | null
  cancellationReason: string | null
  changedAt: number
}

export type IntentError = {
  readonly type: "card_error" | "invalid_request_error"
  readonly code: string
  readonly message: string
  readonly decline?: Decline
  readonly charge?: string
  readonly method: string
}

export type MethodOptions = {
  readonly request_three_d_secure: "automatic" | "any" | "challenge"
  readonly features: Features
  /** 3DS that the merchant ran elsewhere, or a network transaction id for an MIT: both spare the challenge. */
  readonly authenticatedElsewhere: boolean
  readonly networkTransactionId: string | undefined
  readonly moto: boolean
}

export type RefundRecord = {
  readonly id: string
  readonly charge: string
  readonly intent: string
  readonly created: number
  readonly amount: bigint
  readonly reason: string | null
  readonly arn: string
  readonly isRelease: boolean
  metadata: Metadata
  status: "pending" | "succeeded" | "failed"
}

export type DisputeRecord = {
  readonly id: string
  readonly charge: string
  readonly intent: string
  readonly created: number
  readonly amount: bigint
  readonly reason: string
  /** Inquiries take no money. */
  inquiry: boolean
  status: "needs_response" | "under_review" | "won" | "lost" | "warning_needs_response" | "warning_closed"
  evidence: Readonly<Record<string, string>>
  submissions: number
  metadata: Metadata
}

export type SetupIntent = {
  readonly id: string
  readonly clientSecret: string
  readonly created: number
  status: "requires_payment_method" | "requires_confirmation" | "requires_action" | "succeeded" | "canceled"
  readonly usage: "off_session" | "on_session"
  readonly methodTypes: MethodTypes
  method: string | null
  customer: string | null
  metadata: Metadata
  description: string | null
  returnUrl: string | null
  lastError: IntentError | null
  latestAttempt: string | null
  mandate: string | null
  cancellationReason: string | null
}

export type Customer = {
  readonly id: string
  readonly created: number
  name: string | null
  email: string | null
  phone: string | null
  description: string | null
  metadata: Metadata
}

export type World = {
  readonly account: PersonaAccount
  readonly accountId: string
  readonly ports: PersonaPorts
  readonly issuer: Issuer
  readonly ledger: MoneyLedger
  readonly events: Events
  readonly holds: HoldExpiry
  readonly intents: Shelf<Intent>
  readonly charges: Shelf<Charge>
  readonly methods: Shelf<Method>
  readonly refunds: Shelf<RefundRecord>
  readonly disputes: Shelf<DisputeRecord>
  readonly setupIntents: Shelf<SetupIntent>
  readonly customers: Shelf<Customer>
  /** Seconds since the epoch, Stripe's unit of time. */
  readonly seconds: () => number
  readonly id: (prefix: string, length?: number) => string
}

export function createWorld(
  account: PersonaAccount,
  ports: PersonaPorts,
  issuer: Issuer,
  onHoldEnd: (intent: string) => void,
): World {
  const id = (prefix: string, length = 24): string => `${prefix}_${randomText(ports.random, length, ALPHANUMERIC)}`
  const seconds = (): number => Math.floor(ports.now() / 1000)
  return {
    account,
    accountId: id("acct", 16),
    ports,
    issuer,
    ledger: createMoneyLedger(account.id, ports.now),
    events: createEvents(account.credentials["webhookSecret"] ?? "", ports, id),
    holds: createHoldExpiry(ports, onHoldEnd),
    intents: createShelf(),
    charges: createShelf(),
    methods: createShelf(),
    refunds: createShelf(),
    disputes: createShelf(),
    setupIntents: createShelf(),
    customers: createShelf(),
    seconds,
    id,
  }
}
