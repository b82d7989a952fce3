// The fields of Checkout.com's API that we write and read, and nothing else of it. Reading takes any JSON: a field that
// is missing or of another type is undefined, never an exception.

import { booleanAt, browserUrlAt, integerAt, isObject, referenceAt, textAt, wordAt } from "../json.ts"

/** POST /payments. Amounts are counts of the provider's minor units. */
export type PaymentRequest = {
  readonly source: Source
  readonly amount: number
  readonly currency: string
  readonly capture: boolean
  readonly reference: string
  readonly payment_type: "Regular" | "Recurring" | "Installment" | "Unscheduled"
  readonly merchant_initiated: boolean
  readonly previous_payment_id?: string | undefined
  readonly authorization_type?: "Final" | "Estimated" | undefined
  readonly partial_authorization?: { readonly enabled: true } | undefined
  readonly description?: string | undefined
  readonly billing_descriptor?: { readonly name: string; readonly city: string } | undefined
  readonly customer?: Customer | undefined
  readonly payment_ip?: string | undefined
  readonly shipping?: { readonly address: Address } | undefined
  readonly "3ds"?: ThreeDsRequest | undefined
  readonly processing?: { readonly preferred_scheme: "cartes_bancaires" } | undefined
  readonly processing_channel_id?: string | undefined
  readonly success_url?: string | undefined
  readonly failure_url?: string | undefined
  readonly metadata: Metadata
}

export type Source = Billing &
  (
    | {
        readonly type: "card"
        readonly number: string
        readonly expiry_month: number
        readonly expiry_year: number
        readonly cvv?: string | undefined
        readonly name?: string | undefined
        readonly stored: boolean
        readonly store_for_future_use: boolean
      }
    | {
        readonly type: "network_token"
        readonly token: string
        readonly expiry_month: number
        readonly expiry_year: number
        readonly token_type?: "vts" | "mdes" | undefined
        readonly cryptogram?: string | undefined
        readonly eci?: string | undefined
        readonly name?: string | undefined
        readonly stored: boolean
        readonly store_for_future_use: boolean
      }
    | { readonly type: "token"; readonly token: string; readonly store_for_future_use: boolean }
    | { readonly type: "id"; readonly id: string; readonly cvv?: string | undefined }
    | { readonly type: "customer"; readonly id: string }
  )

export type Billing = { readonly billing_address?: Address | undefined }

export type Address = {
  readonly address_line1?: string | undefined
  readonly address_line2?: string | undefined
  readonly city?: string | undefined
  readonly state?: string | undefined
  readonly zip?: string | undefined
  readonly country?: string | undefined
}

export type Customer = {
  readonly id?: string | undefined
  readonly email?: string | undefined
  readonly name?: string | undefined
}

export type ThreeDsRequest =
  | {
      readonly enabled: boolean
      readonly attempt_n3d?: boolean
      readonly allow_upgrade?: boolean
      readonly challenge_indicator?: "no_preference" | "challenge_requested_mandate"
    }
  | {
      readonly enabled: true
      readonly eci: string
      readonly cryptogram: string
      readonly xid: string
      readonly version: string
      readonly status?: string | undefined
    }

/** One level deep, as Checkout.com wants it. It comes back in webhooks, actions and payment details. */
export type Metadata = {
  readonly orchestra_attempt: string
  readonly orchestra_operation?: string
  /** `reverse`: the void or refund that an event reports was made by a reversal. */
  readonly orchestra_kind?: "reverse"
  /** Checkout.com was asked to capture by itself. */
  readonly orchestra_capture?: "automatic"
  /** The customer agreed that the card is stored: the source's id may be kept as a token. */
  readonly orchestra_store?: "yes"
  readonly merchant_reference?: string | undefined
}

/** POST /payments/{id}/captures, refunds, voids, authorizations, reversals. */
export type ActionRequest = {
  readonly amount?: number
  readonly capture_type?: "Final" | "NonFinal"
  readonly reference: string
  readonly metadata: Metadata
}

/** What is told about a payment or an action on it: in answers, in lists and in the `data` of webhooks. */
export type Facts = {
  readonly id?: string | undefined
  readonly actionId?: string | undefined
  readonly status?: string | undefined
  readonly approved?: boolean | undefined
  readonly responseCode?: string | undefined
  readonly responseSummary?: string | undefined
  readonly declinedReason?: string | undefined
  /** The risk engine wants a person to look at it. */
  readonly isFlagged: boolean
  readonly amount?: bigint | undefined
  readonly currency?: string | undefined
  readonly reference?: string | undefined
  readonly attempt?: string | undefined
  readonly operation?: string | undefined
  readonly isReversal: boolean
  readonly isAutomatic: boolean
  readonly storeAgreed: boolean
  readonly authCode?: string | undefined
  readonly schemeId?: string | undefined
  readonly source: {
    readonly id?: string | undefined
    readonly avs?: string | undefined
    readonly cvv?: string | undefined
    readonly country?: string | undefined
    readonly issuer?: string | undefined
    readonly funding?: string | undefined
  }
  readonly customer?: string | undefined
  readonly threeDs: {
    readonly status?: string | undefined
    readonly eci?: string | undefined
    readonly version?: string | undefined
  }
  /** The code that the network itself gave, where Checkout.com passes it on. */
  readonly networkCode?: string | undefined
  /** Mastercard's merchant advice code, and Checkout.com's own recommendation in the same digits. */
  readonly merchantAdvice?: string | undefined
  readonly recommendation?: string | undefined
  readonly balances: {
    readonly authorized?: bigint | undefined
    readonly captured?: bigint | undefined
    readonly refunded?: bigint | undefined
    /** What may still be captured. */
    readonly capturable?: bigint | undefined
  }
  /** Where the customer has to go on. */
  readonly redirect?: string | undefined
}

export function readFacts(value: unknown): Facts {
  return {
    id: referenceAt(value, "id"),
    actionId: referenceAt(value, "action_id"),
    status: textAt(value, "status"),
    approved: booleanAt(value, "approved"),
    responseCode: wordAt(value, "response_code"),
    responseSummary: textAt(value, "response_summary"),
    isFlagged: booleanAt(value, "risk", "flagged") === true,
    declinedReason: textAt(value, "declined_reason"),
    amount: integerAt(value, "amount"),
    currency: textAt(value, "currency"),
    reference: textAt(value, "reference"),
    attempt: textAt(value, "metadata", "orchestra_attempt"),
    operation: textAt(value, "metadata", "orchestra_operation"),
    isReversal: textAt(value, "metadata", "orchestra_kind") === "reverse",
    isAutomatic: textAt(value, "metadata", "orchestra_capture") === "automatic",
    storeAgreed: textAt(value, "metadata", "orchestra_store") === "yes",
    authCode: textAt(value, "auth_code"),
    schemeId: wordAt(value, "scheme_id"),
    source: {
      id: textAt(value, "source", "id"),
      avs: textAt(value, "source", "avs_check"),
      cvv: textAt(value, "source", "cvv_check"),
      country: textAt(value, "source", "issuer_country"),
      issuer: textAt(value, "source", "issuer"),
      funding: textAt(value, "source", "card_type"),
    },
    customer: textAt(value, "customer", "id"),
    threeDs: {
      status: textAt(value, "3ds", "authentication_response"),
      eci: textAt(value, "3ds", "eci") ?? textAt(value, "eci"),
      version: textAt(value, "3ds", "version"),
    },
    networkCode: wordAt(value, "processing", "partner_response_code"),
    merchantAdvice: wordAt(value, "processing", "partner_merchant_advice_code"),
    recommendation: wordAt(value, "processing", "recommendation_code"),
    balances: {
      authorized: integerAt(value, "balances", "total_authorized"),
      captured: integerAt(value, "balances", "total_captured"),
      refunded: integerAt(value, "balances", "total_refunded"),
      capturable: integerAt(value, "balances", "available_to_capture"),
    },
    redirect: browserUrlAt(value, "_links", "redirect", "href"),
  }
}

/** `error_codes` of a refused request. */
export function readErrorCodes(value: unknown): readonly string[] {
  const codes = isObject(value) && Array.isArray(value["error_codes"]) ? (value["error_codes"] as unknown[]) : []
  return codes.slice(0, maxErrorCodes).flatMap((code) => textAt([code], 0) ?? [])
}

/** More reasons than that nobody reads. */
const maxErrorCodes = 10

/** A text for a field of limited length: no half characters, no control characters, `undefined` where nothing is left. */
export function fit(text: string | undefined, maxLength: number): string | undefined {
  if (text === undefined) return undefined
  const clean = text
    .toWellFormed()
    // oxlint-disable-next-line no-control-regex -- control characters are what it removes
    .replaceAll(/[\u0000-\u001f\u007f]+/g, " ")
    .trim()
  const cut =
    clean.length <= maxLength ? clean : [...clean].slice(0, maxLength).join("").slice(0, maxLength).toWellFormed()
  return cut === "" ? undefined : cut
}
