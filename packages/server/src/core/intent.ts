// What the merchant asked for: the immutable part of a payment, without any secret. Card numbers, CVC and cryptograms
// live in the vault or in the handling process, never here.

import type { Network } from "./card.ts"
import type { AccountId, CardId, CustomerId, PaymentMethodId } from "./id.ts"
import type { Money } from "./money.ts"

/** The longest that a payment's answer may take (ms). */
export const MAX_ANSWER_WITHIN_MS = 60_000

export type Address = {
  readonly line1?: string
  readonly line2?: string
  readonly city?: string
  readonly state?: string
  readonly postalCode?: string
  /** ISO 3166-1 alpha-2. */
  readonly country?: string
}
export type Party = {
  readonly name?: string
  readonly email?: string
  readonly phone?: string
  readonly address?: Address
}

export type MitKind = "recurring" | "installment" | "unscheduled"

/** Who starts the payment. `networkTransactionId` is the CIT's, on a MIT and on later CITs with a stored card. */
export type Initiator =
  | {
      readonly by: "customer"
      readonly stored: "none" | "first" | "used"
      readonly purpose?: MitKind
      readonly networkTransactionId?: string
    }
  | { readonly by: "merchant"; readonly purpose: MitKind; readonly networkTransactionId?: string }

/** How the customer pays, as it may be stored and shown. */
export type Method =
  | {
      readonly type: "card" | "network_token"
      /** Where the vault keeps the number; absent once it was deleted. */
      readonly token: CardId
      readonly paymentMethod?: PaymentMethodId
      readonly network: Network
      readonly bin: string
      readonly last4: string
      readonly expiryMonth: number
      readonly expiryYear: number
      readonly holderName?: string
      /** What is known of the card (card-facts.ts): what the merchant said, else what the BIN table told at that time. */
      readonly country?: string
      readonly funding?: string
      readonly issuer?: string
      readonly product?: string
      /** Keyed hash that is equal for equal numbers of one merchant. */
      readonly fingerprint: string
      /** Authentication data of the card came along: only this process can send it, once. */
      readonly hasCvc?: boolean
      readonly hasCryptogram?: boolean
      /** Of a network token that was requested for one account's merchant: nobody else may use it. */
      readonly requestorAccount?: AccountId
      readonly eci?: string
    }
  /** A token that one provider issued: only accounts of that connector can use it. */
  | {
      readonly type: "provider_token"
      readonly account: AccountId
      readonly token: string
      readonly customer?: string
      readonly paymentMethod?: PaymentMethodId
      readonly network?: Network
      readonly last4?: string
      readonly hasCvc?: boolean
    }

export type ThreeDsIntent =
  | { readonly mode: "automatic" | "required" | "none" }
  /** The result of an authentication done elsewhere; its cryptogram travels as a secret. */
  | {
      readonly mode: "external"
      readonly version: string
      readonly eci: string
      readonly dsTransactionId: string
      readonly status?: string
    }

/** What to do when an authorization's outcome stays unknown. The cost of the second is two holds on one card for a while. */
export type OnUnknown = "wait" | "reverse_then_reroute"

export type Intent = {
  readonly amount: Money
  readonly capture: "automatic" | "manual"
  readonly method?: Method
  readonly store: boolean
  readonly initiator: Initiator
  readonly threeDs: ThreeDsIntent
  readonly allowPartial: boolean
  readonly onUnknown?: OnUnknown
  readonly pinnedAccount?: AccountId
  readonly returnUrl?: string
  readonly answerWithinMs: number
  readonly customerId?: CustomerId
  readonly customer?: {
    readonly email?: string
    readonly name?: string
    readonly ip?: string
    readonly userAgent?: string
  }
  readonly billing?: Party
  readonly shipping?: Party
  readonly merchantReference?: string
  readonly descriptor?: string
  readonly description?: string
  readonly metadata: Readonly<Record<string, string>>
}
