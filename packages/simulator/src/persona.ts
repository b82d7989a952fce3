// A persona is one PSP's stand-in: its documented wire behaviour as a deterministic state machine. It never touches
// a socket, a clock or a random source: these come in as ports, so that the same persona answers over HTTP
// (`npm run simulator`) and inside the server's deterministic simulation, where one seed is one history.

/** Time in milliseconds since the epoch, chance in [0, 1), and work to be done later on the same clock. */
export type PersonaPorts = {
  readonly now: () => number
  readonly random: () => number
  readonly after: (ms: number, run: () => void) => void
}

/** A request as it stood on the wire. `path` starts with one slash and includes the query; header names are lower case. */
export type WireRequest = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type WireResponse = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A webhook that the persona wants delivered to the account's endpoint, already signed as the PSP signs it. */
export type PersonaWebhook = {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** For providers whose signature covers the time of sending: the headers of a try that happens now. */
  readonly freshHeaders?: () => Readonly<Record<string, string>>
}

/** What the cardholder did on the 3DS page. */
export type Challenge = "authenticated" | "failed" | "abandoned"

/**
 * Ground truth of one payment at the provider, in minor units of its currency: what the provider would swear to in
 * court. `reference` is the provider's id, `merchantReference` what the merchant sent along.
 */
export type TrueCharge = {
  readonly account: string
  readonly reference: string
  readonly merchantReference: string
  readonly currency: string
  readonly createdAt: number
  /** Where the charge stands; an authorization with captures that were not final is still "authorized". */
  readonly state: "none" | "action" | "authorized" | "captured" | "voided" | "declined" | "expired"
  /** What the issuer approved, increments included; kept after the hold has ended. */
  readonly authorized: bigint
  readonly captured: bigint
  readonly refunded: bigint
  readonly disputed: bigint
  /** Held or taken and not given back at this moment: what is left of the hold, plus captured less refunded. */
  readonly held: bigint
  /** Accepted captures and refunds that have not moved money yet and may still fail. */
  readonly capturePending: bigint
  readonly refundPending: bigint
}

/** One account at one simulated PSP. Credentials are the merchant's test keys; the weather is set apart from it. */
export type PersonaAccount = {
  readonly id: string
  readonly credentials: Readonly<Record<string, string>>
  /** Where the merchant's customers are sent for 3DS, e.g. http://127.0.0.1:4010/acct; no trailing slash. */
  readonly publicUrl: string
}

/** The issuer's answer to an authorization, before any provider puts it into its own words. */
export type Issuer = (request: IssuerRequest) => IssuerAnswer

export type IssuerRequest = {
  readonly account: string
  readonly pan: string
  readonly expiryMonth: number
  readonly expiryYear: number
  readonly amount: bigint
  readonly currency: string
  readonly holderName: string
  /** "customer" sees the cardholder present; "merchant" is an MIT. */
  readonly initiator: "customer" | "merchant"
  /** What the cardholder typed besides; absent means that there is nothing to check. */
  readonly cvc?: string
  readonly addressLine?: string
  readonly postcode?: string
  readonly threeDs?: "authenticated" | "attempted"
}

/** ISO 8583 response code ("00" approves, "10" approves partially) as an issuer sends it, with advice if any. */
export type IssuerAnswer = {
  readonly responseCode: string
  readonly adviceCode?: string
  readonly approvedAmount: bigint
  readonly avs?: string
  readonly cvv?: string
}

/**
 * One PSP. `handle` is the whole HTTP API of the provider for one account: it changes state at once and answers at
 * once; delays, hangs, resets and lost answers are weather and belong to whoever carries the request. Provider-side
 * rules (magic cards, amounts, holder names) come before the issuer's answer.
 */
export type Persona = {
  readonly id: "stripe" | "adyen" | "checkout"
  /**
   * Called when a request has arrived that will be handled later, since providers know of a request before they have
   * finished it: marks its idempotency key as in use until `handle`. Answers the conflict if it is in use already;
   * the request is then not to be handled.
   */
  readonly arrives?: (request: WireRequest) => WireResponse | undefined
  readonly handle: (request: WireRequest) => WireResponse
  /**
   * The cardholder's 3DS page: answers the redirect URL's path below publicUrl. GET shows the page; POST to the same
   * path with the form body `challenge=authenticated|failed|abandoned` is the cardholder's deed, and answers 303 to
   * the merchant's return URL.
   */
  readonly page: (request: WireRequest) => WireResponse
  /** Webhooks become due through this callback, in the order the provider would send them. */
  readonly onWebhook: (deliver: (webhook: PersonaWebhook) => void) => void
  readonly truth: () => readonly TrueCharge[]
  /**
   * What happens to a charge without any request, at an operator's wish: the cardholder disputes `amount` (all that
   * was captured when absent), the hold runs out, or somebody works on it by hand in the provider's dashboard. Sends
   * the provider's webhooks. False when the charge is unknown, its state does not allow it, or the provider has no such
   * button.
   */
  readonly befall: (reference: string, event: Misfortune | ByHand) => boolean
  /**
   * Marks the idempotency key (if any) of this request as answered with `response`, as a provider does that stores
   * its own 5xx: called when the weather replaces the answer by a 500 after the work was done.
   */
  readonly replaceStored: (request: WireRequest, response: WireResponse) => void
  /** How this provider words its own trouble (429, 500, 503). */
  readonly trouble: (status: number, request: WireRequest) => WireResponse
}

export type Misfortune =
  | { readonly type: "dispute"; readonly amount?: bigint; readonly reason?: string }
  | { readonly type: "expire" }

/**
 * Done in the provider's dashboard, without the merchant's system and its references. Amounts in minor units; without
 * one it is all there is. `final` (the default) releases what a capture leaves, where the provider captures in parts.
 * `cancel_or_refund` is Adyen's: whichever of the two undoes the payment.
 */
export type ByHand =
  | { readonly type: "capture"; readonly amount?: bigint; readonly final?: boolean }
  | { readonly type: "refund"; readonly amount?: bigint }
  | { readonly type: "void" }
  | { readonly type: "cancel_or_refund" }

export type CreatePersona = (account: PersonaAccount, ports: PersonaPorts, issuer: Issuer) => Persona

/** What a persona's folder exports from its index.ts under its id: `export const stripe: PersonaKind`. */
export type PersonaKind = {
  readonly id: Persona["id"]
  readonly create: CreatePersona
  /** Test keys for a ready account, including the secret that signs its webhooks. */
  readonly credentials: (random: () => number) => Readonly<Record<string, string>>
}
