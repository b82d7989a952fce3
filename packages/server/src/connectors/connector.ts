// The contract between Orchestra and a provider's connector. A connector is data (manifest, tables) and pure codecs:
// `encode(input, account) → request`, `decode(response) → outcome`. It has no clock, no chance, no network; it never
// retries, never routes and never guesses. One provider is one folder, and nothing outside that folder knows its name.

import type { Money } from "../core/money.ts"
import type { Network } from "../core/card.ts"
import type { Initiator, Party } from "../core/intent.ts"
import type { Outcome } from "../core/outcome.ts"
import type { OperationKind } from "../core/payment.ts"
import type { Secret } from "../core/secret.ts"

export type HttpRequest = {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Below the base URL, with query. */
  readonly path: string
  /** Lower-case names. Credentials stand only here. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}
export type HttpResponse = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The account as a codec sees it: opened credentials and settings, each named in the manifest. */
export type AccountConfig = {
  readonly mode: "live" | "test"
  readonly credentials: Readonly<Record<string, Secret<string>>>
  readonly settings: Readonly<Record<string, string>>
}

export type CardMethod = {
  readonly type: "card"
  readonly number: Secret<string>
  readonly expiryMonth: number
  readonly expiryYear: number
  readonly cvc?: Secret<string>
  readonly holderName?: string
  readonly network: Network
}
export type NetworkTokenMethod = {
  readonly type: "network_token"
  readonly number: Secret<string>
  readonly expiryMonth: number
  readonly expiryYear: number
  /** Spent once sent. Absent on MIT. */
  readonly cryptogram?: Secret<string>
  readonly eci?: string
  readonly holderName?: string
  readonly network: Network
}
/** A token that this provider itself issued. */
export type ProviderTokenMethod = {
  readonly type: "provider_token"
  readonly token: string
  readonly customer?: string
  readonly cvc?: Secret<string>
  readonly network?: Network
}
export type MethodInput = CardMethod | NetworkTokenMethod | ProviderTokenMethod

export type ThreeDs =
  | { readonly mode: "automatic" | "required" | "none" }
  | {
      readonly mode: "external"
      readonly version: string
      readonly eci: string
      readonly cryptogram: Secret<string>
      readonly dsTransactionId: string
      readonly status?: string
    }

export type AuthorizeInput = {
  /** The idempotency key: one for all copies of this request, new for every attempt. At most 64 characters of [a-z0-9_-]. */
  readonly key: string
  /** Our reference of this attempt at the provider, unique and found again in webhooks and inquiries: the attempt's id. */
  readonly attempt: string
  /** The provider's id from `prepare`, where the connector has it. */
  readonly reference?: string
  /** Zero verifies the card. */
  readonly amount: Money
  readonly capture: "automatic" | "manual"
  readonly method: MethodInput
  readonly initiator: Initiator
  readonly threeDs: ThreeDs
  readonly allowPartial: boolean
  /** The customer agreed to have the card stored: ask the provider for its token. */
  readonly store: boolean
  /** Where the customer comes back to: Orchestra's own address of this attempt, which then goes on to the merchant's. */
  readonly returnUrl: string
  /** The merchant's own order number, for the provider's screens. */
  readonly merchantReference?: string
  readonly descriptor?: string
  readonly description?: string
  /** The merchant's id of the customer, where one is known. */
  readonly customer?: {
    readonly id: string
    readonly email?: string
    readonly name?: string
    readonly ip?: string
    readonly userAgent?: string
  }
  readonly billing?: Party
  readonly shipping?: Party
}

/** A follow-up on an attempt that the provider knows. Amounts in the payment's currency. */
export type FollowUpInput = {
  readonly key: string
  readonly attempt: string
  /** Our reference of this operation: the operation's id. */
  readonly operation: string
  /** The provider's id of the attempt's payment. */
  readonly reference: string
  readonly amount: Money
  /** What is authorized and captured now, before this operation. */
  readonly authorized: Money
  readonly captured: Money
}
export type Input = {
  prepare: AuthorizeInput
  authorize: AuthorizeInput
  /** What the customer's browser brought back: query and form fields, untrusted. */
  complete: {
    readonly key: string
    readonly attempt: string
    readonly reference?: string
    readonly amount: Money
    readonly capture: "automatic" | "manual"
    readonly fields: Readonly<Record<string, string>>
  }
  /** `final` releases what is not captured. */
  capture: FollowUpInput & { readonly final: boolean }
  void: FollowUpInput
  refund: FollowUpInput & { readonly reason?: string }
  /** `amount` is the new total. */
  increment: FollowUpInput
  /** Without `reference` only where the manifest declares reversal by our reference. `captured` tells a refund from a void. */
  reverse: Omit<FollowUpInput, "reference"> & { readonly reference?: string }
}

/** A question about one operation, by the best key we have. */
export type InquiryInput = {
  readonly about: OperationKind
  readonly attempt: string
  readonly operation: string
  readonly key: string
  /** The provider's id of the attempt. */
  readonly reference?: string
  /** The provider's id of the capture, refund, … itself, where it told one. */
  readonly operationReference?: string
  readonly amount: Money
  readonly capture: "automatic" | "manual"
}

export type Codec<I> = {
  encode(input: I, account: AccountConfig): HttpRequest
  /** Total: any status, any body, never throws. `input` is what was encoded. */
  decode(response: HttpResponse, input: I): Outcome
}

/** How sure "not found" is: `strong` sees everything that has taken effect; eventual sees it after that many ms; `none` cannot ask. */
export type InquiryStrength = "strong" | "none" | { readonly eventualMs: number }

export type OperationSupport = {
  /** Which earlier answers the provider repeats for the same key, and for how long (ms). Only `all` makes an unknown replayable. */
  readonly replay: { readonly stores: "all" | "2xx" | "none"; readonly windowMs: number }
  readonly inquiry: { readonly byReference: InquiryStrength; readonly byAttempt: InquiryStrength }
  /** The answer only accepts; the verdict follows by webhook (or inquiry). */
  readonly acceptedFirst: boolean
  readonly source: string
}

export type Field = {
  readonly name: string
  readonly title: string
  readonly pattern?: string
  readonly optional?: boolean
  readonly hint?: string
  /** A setting that names the account at the provider. It never changes: another value is another account. */
  readonly identifies?: true
}

export type Manifest = {
  readonly id: string
  readonly name: string
  readonly website: string
  /** May hold `{setting}` placeholders. */
  readonly baseUrl: { readonly live: string; readonly test: string }
  readonly api: { readonly version: string; readonly sunset?: string; readonly source: string }
  readonly credentials: readonly Field[]
  readonly settings: readonly Field[]
  readonly operations: { readonly [K in OperationKind]?: OperationSupport }
  readonly reverse: {
    readonly byReference: boolean
    readonly byAttempt: boolean
    /** Whether "nothing to reverse", said after the longest in-flight time, proves that nothing was authorized. */
    readonly absence: "proof" | "none"
    readonly source: string
  }
  /** A completed redirect is learned by `complete` (a call) or by `inquire`. */
  readonly completion: "call" | "inquiry"
  readonly methods: {
    readonly card: boolean
    readonly networkToken: boolean
    readonly providerToken: boolean
    readonly networks: readonly Network[]
    /** Networks whose tokens are taken, where these are fewer than `networks`. */
    readonly tokenNetworks?: readonly Network[]
  }
  /** ISO 4217 codes, or all. `exponents` lists where the provider counts minor units differently from ISO. */
  readonly currencies: "all" | readonly string[]
  readonly exponents: Readonly<Record<string, number>>
  /** The provider's smallest step, in its own minor units, where that is not one (Stripe: KWD in tens). See amount.ts. */
  readonly steps?: Readonly<Record<string, number>>
  readonly features: {
    readonly partialCapture: boolean
    readonly multipleCaptures: boolean
    readonly partialRefund: boolean
    readonly multipleRefunds: boolean
    readonly zeroAmount: boolean
    readonly partialApproval: boolean
    readonly externalThreeDs: boolean
    readonly merchantInitiated: boolean
  }
  /**
   * Where a merchant-initiated payment cannot refer by the network's transaction id to a first one that another provider
   * made, as it can if this is absent. `setting`: only accounts for which the provider has switched it on, which is said
   * by this setting being filled in.
   */
  readonly networkTransactionIds?: "never" | { readonly setting: string }
  readonly limits: {
    /** Longest the provider takes to answer; we listen that long (ms, 60–80 s for authorizations). */
    readonly listenMs: number
    /** Time a new attempt needs for a full answer in nearly all cases (ms): none starts with less. */
    readonly answerMs: number
    /** Longest time after our last byte until the original can still take effect (ms). */
    readonly inFlightMs: number
    /** Our idle connections close before the provider's do (ms). */
    readonly keepAliveMs: number
    readonly connections: number
  }
  /** How long an authorization is held by the provider at most (ms), where it is shorter than the scheme's. */
  readonly authorizationMs?: number
  /** How long the redirect page stays usable (ms). */
  readonly actionMs: number
  readonly webhooks: {
    readonly toleranceMs?: number
    /** If neither replay nor inquiry can settle, how long to wait for the provider's webhook before reversing (ms). */
    readonly settleWithinMs: number
    readonly source: string
  }
}

/** One fact out of a webhook, in the provider's words made ours. */
export type Notice = {
  /** What it is about. `dispute` and `expire` have no request of ours. */
  readonly about: OperationKind | "dispute" | "expire" | "other"
  /** The provider's id of this event, for deduplication; stable over redeliveries. */
  readonly eventId: string
  readonly type: string
  /** Our attempt id, where the provider carries it back. */
  readonly attempt?: string
  /** Our operation id, where the provider carries it back. */
  readonly operation?: string
  readonly reference?: string
  readonly operationReference?: string
  /**
   * The approved amount is all that was ever done in this way by hand on this attempt, not one operation's, because the
   * provider names no single one: what exceeds the sum of those found before is news. Only without `operation`.
   */
  readonly sum?: true
  /** A capture after which nothing more can be captured: what it left of the hold is released. Only without `operation`. */
  readonly final?: true
  /** Which of these facts may be booked: `signed` fields only; otherwise the notice is a hint and an inquiry follows. */
  readonly trust: "signed" | "hint"
  readonly outcome: Outcome
  /** An authorization that is told here is also the capture where the payment captures automatically: no event tells that one. */
  readonly capturesIfAutomatic?: true
  /** ISO 4217 and minor units, where signed. */
  readonly currency?: string
  /** Dispute stage in the provider's word and ours. */
  readonly dispute?: {
    readonly id: string
    readonly stage: "inquiry" | "opened" | "won" | "lost" | "reversed"
    readonly reason?: string
    readonly amount: bigint
    readonly dueAt?: string
  }
}

export type WebhookRequest = { readonly headers: Readonly<Record<string, string>>; readonly body: string }
export type Verification =
  | { readonly kind: "genuine" }
  | { readonly kind: "forged"; readonly why: string }
  | { readonly kind: "stale"; readonly why: string }

/** Keyed hash, handed in so that connectors stay free of node's crypto and of effects. */
export type Hmac = (algorithm: "sha1" | "sha256" | "sha512", key: Uint8Array, data: string) => Uint8Array

export type Connector = {
  readonly manifest: Manifest
  readonly codecs: { readonly [K in OperationKind]?: Codec<Input[K]> }
  /** `absent` where the provider knows nothing. */
  readonly inquire?: Codec<InquiryInput>
  /** A harmless call that shows whether the credentials work. */
  readonly verifyCredentials?: {
    encode(account: AccountConfig): HttpRequest
    decode(response: HttpResponse): { readonly ok: boolean; readonly detail: string }
    /** What the provider calls the account that an accepted answer proves the credentials to be of. Absent: it proves none. */
    account?(response: HttpResponse, account: AccountConfig): string | undefined
  }
  readonly webhook: {
    /** `secrets` are all that may be current during a rotation; `nowMs` judges signed timestamps. */
    verify(request: WebhookRequest, secrets: readonly string[], nowMs: number, hmac: Hmac): Verification
    /** Total: an unreadable body gives no notices. One delivery may carry several. */
    decode(request: WebhookRequest): readonly Notice[]
    /** The body the provider expects as acknowledgement, e.g. `[accepted]`. */
    readonly acknowledgement: { readonly status: number; readonly body: string }
  }
  /** Removes card numbers, CVC, cryptograms and credentials from a request's or response's text before it is stored. Total. */
  scrub(text: string): string
}

/** Declaring an operation without its codec, or a codec without declaring it, fails the contract suite. */
export const defineConnector = <const C extends Connector>(connector: C): C => connector

/** Whether this account may send network transaction ids: what routing asks before a merchant-initiated payment. */
export function takesNetworkTransactionId(
  { networkTransactionIds: support }: Manifest,
  settings: AccountConfig["settings"],
): boolean {
  if (support === undefined || support === "never") return support === undefined
  return Object.hasOwn(settings, support.setting) && settings[support.setting] !== ""
}

/** Own keys only: a table never answers for `constructor` or `__proto__`. A miss is the caller's to name: unknown or unmapped, never a default success. */
export const lookup = <V>(table: Readonly<Record<string, V>>, code: string): V | undefined =>
  Object.hasOwn(table, code) ? table[code] : undefined
