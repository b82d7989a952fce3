// The one word everything turns on: what the world said about one operation. Connectors never guess: what they cannot
// read is `unknown` (money may have moved), never a success and never a decline.

import type { Checks } from "./check.ts"
import type { DeclineReason } from "./decline.ts"

/** The provider's own words, kept beside every outcome for people and for later re-classification. */
export type Raw = {
  /** The provider's status or code, e.g. `requires_capture`, `Refused`, `20051`, `http 502`. */
  readonly code: string
  readonly message?: string
  /** ISO 8583 response code as the network or issuer gave it, where the provider passes it on. */
  readonly networkCode?: string
  /** Mastercard merchant advice code, or the provider's equivalent. */
  readonly adviceCode?: string
}

/** What an answer tells beside its verdict. Absent fields were not told. */
export type Evidence = {
  /** The provider's id of the payment (attempt) or of the capture, refund, … this operation made. */
  readonly reference?: string
  readonly authorizationCode?: string
  /** Scheme transaction identifier, which later merchant-initiated payments refer to. */
  readonly networkTransactionId?: string
  readonly checks?: Checks
  /** The provider's own reusable token for the card, and the customer it hangs on, where consent was given. */
  readonly providerToken?: { readonly token: string; readonly customer?: string }
  readonly threeDs?: {
    readonly status?: string
    readonly eci?: string
    readonly version?: string
    readonly liabilityShifted?: boolean
  }
  readonly card?: { readonly country?: string; readonly issuer?: string; readonly funding?: string }
}

/** What an approval did. `prepared` and `verified` never move money. */
export type Effect = "prepared" | "verified" | "authorized" | "captured" | "incremented" | "voided" | "refunded"

/** Where the customer must go on. The URL is the provider's; `expiresInMs` is how long it is promised to work. */
export type Action = {
  readonly type: "redirect"
  readonly method: "GET" | "POST"
  readonly url: string
  readonly fields?: Readonly<Record<string, string>>
}

export type Outcome =
  /** `amount` in minor units of the payment's currency: authorized (may be partial), captured, refunded; the new total after an increment; 0 for prepared, verified, voided. */
  | {
      readonly kind: "approved"
      readonly effect: Effect
      readonly amount: bigint
      readonly raw: Raw
      readonly evidence: Evidence
    }
  /** Accepted; the verdict comes later by webhook or inquiry. May hold money. */
  | {
      readonly kind: "pending"
      readonly raw: Raw
      readonly evidence: Evidence
      /** It may still be the customer's turn: where an action is known, it stays usable and ends at its time. */
      readonly maybeCustomer?: true
    }
  /** The customer must act before the provider decides. May hold money until completed, expired or cancelled there. */
  | { readonly kind: "action"; readonly action: Action; readonly raw: Raw; readonly evidence: Evidence }
  /** Decided: no money moved. */
  | { readonly kind: "declined"; readonly reason: DeclineReason; readonly raw: Raw; readonly evidence: Evidence }
  /** The provider would not process the request. `executed: "no"` only where its documentation says so. */
  | {
      readonly kind: "rejected"
      readonly fault: "ours" | "theirs"
      readonly executed: "no" | "unknown"
      readonly reason: DeclineReason
      readonly raw: Raw
      readonly evidence: Evidence
    }
  /** Silence or nonsense after the request was handed over: money may have moved. */
  | { readonly kind: "unknown"; readonly raw: Raw; readonly evidence: Evidence }
  /** Proven never to have reached the provider. Made by the engine from the transport's word, never by a connector. */
  | { readonly kind: "not_sent"; readonly raw: Raw; readonly evidence: Evidence }
  /** The provider knows nothing of it. Only an inquiry or a reversal may say this, and the engine decides whether it proves anything. */
  | { readonly kind: "absent"; readonly raw: Raw; readonly evidence: Evidence }

export type OutcomeKind = Outcome["kind"]
