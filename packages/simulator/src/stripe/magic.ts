// Stripe's test cards and test payment methods. Source: https://docs.stripe.com/testing (July 2026).
import type { Misfortune } from "../persona.ts"

/** What a test card does instead of, or besides, asking the issuer. */
export type Magic = {
  /** ISO 8583 code of a decline; `words` where Stripe's decline code is not what the ISO code maps to. */
  readonly decline?: { readonly responseCode: string; readonly words?: string }
  /**
   * always: even when set up · unless_set_up: off-session payments of a saved card pass · on_session: saved already,
   * so only off-session payments pass · once: required, saved or not, when a customer pays · optional: only if asked
   */
  readonly authentication?: "always" | "unless_set_up" | "on_session" | "once" | "optional"
  readonly declineAfterAuthentication?: { readonly responseCode: string; readonly words?: string }
  readonly risk?: "blocked" | "highest" | "elevated"
  readonly checks?: { readonly cvc?: Check; readonly line1?: Check; readonly postcode?: Check }
  readonly dispute?: {
    readonly kind: "chargeback" | "inquiry" | "warning"
    readonly reason: string
    readonly times: number
  }
  readonly refund?: "pending" | "fails"
  /** Can be saved although payments with it fail. */
  readonly attaches?: true
}
export type Check = "pass" | "fail" | "unavailable" | "unchecked"

const GENERIC = { responseCode: "05", words: "generic_decline" } as const

export const MAGIC_CARDS: Readonly<Record<string, Magic>> = {
  "4000000000000002": { decline: GENERIC },
  "4000000000009995": { decline: { responseCode: "51" } },
  "4000000000009987": { decline: { responseCode: "41" } },
  "4000000000009979": { decline: { responseCode: "43" } },
  "4000000000000069": { decline: { responseCode: "54" } },
  "4000000000000127": { decline: { responseCode: "N7" } },
  "4000000000000119": { decline: { responseCode: "96" } },
  "4000000000006975": { decline: { responseCode: "61" } },
  "4000000000000341": { decline: GENERIC, attaches: true },

  "4000002500003155": { authentication: "unless_set_up" },
  "4000002760003184": { authentication: "always" },
  "4000003800000446": { authentication: "on_session" },
  "4000008260003178": { authentication: "on_session", declineAfterAuthentication: { responseCode: "51" } },
  "4000000000003220": { authentication: "once" },
  "4000000000003063": { authentication: "once" },
  "4000008400001629": { authentication: "once", declineAfterAuthentication: GENERIC },
  "4000000000003055": { authentication: "optional" },

  "4100000000000019": { risk: "blocked" },
  "4000000000004954": { risk: "highest" },
  "4000000000009235": { risk: "elevated" },
  "4000000000000101": { checks: { cvc: "fail" } },
  "4000000000000036": { checks: { postcode: "fail" } },
  "4000000000000028": { checks: { line1: "fail" } },
  "4000000000000010": { checks: { line1: "fail", postcode: "fail" } },
  "4000000000000044": { checks: { line1: "unavailable", postcode: "unavailable" } },

  "4000000000000259": { dispute: { kind: "chargeback", reason: "fraudulent", times: 1 } },
  "4000000000002685": { dispute: { kind: "chargeback", reason: "product_not_received", times: 1 } },
  "4000000000001976": { dispute: { kind: "inquiry", reason: "fraudulent", times: 1 } },
  "4000000000005423": { dispute: { kind: "warning", reason: "fraudulent", times: 1 } },
  "4000000404000079": { dispute: { kind: "chargeback", reason: "fraudulent", times: 2 } },

  "4000000000007726": { refund: "pending" },
  "4000000000005126": { refund: "fails" },
}

/** Test payment methods and tokens (`pm_card_…`, `tok_…`) by what follows their prefix. */
export const MAGIC_METHODS: Readonly<Record<string, string>> = {
  visa: "4242424242424242",
  visa_debit: "4000056655665556",
  mastercard: "5555555555554444",
  mastercard_debit: "5200828282828210",
  mastercard_prepaid: "5105105105105100",
  amex: "378282246310005",
  discover: "6011111111111117",
  diners: "3056930009020004",
  jcb: "3566002020360505",
  unionpay: "6200000000000005",
  us: "4242424242424242",
  gb: "4000008260000000",
  de: "4000002760000016",
  fr: "4000002500000003",
  nl: "4000005280000002",
  es: "4000007240000007",
  it: "4000003800000008",
  pl: "4000006160000005",
  se: "4000007520000008",
  br: "4000000760000002",
  ca: "4000001240000000",
  au: "4000000360000006",
  jp: "4000003920000003",
  chargeDeclined: "4000000000000002",
  visa_chargeDeclined: "4000000000000002",
  chargeDeclinedInsufficientFunds: "4000000000009995",
  visa_chargeDeclinedInsufficientFunds: "4000000000009995",
  visa_chargeDeclinedLostCard: "4000000000009987",
  visa_chargeDeclinedStolenCard: "4000000000009979",
  chargeDeclinedExpiredCard: "4000000000000069",
  chargeDeclinedIncorrectCvc: "4000000000000127",
  chargeDeclinedProcessingError: "4000000000000119",
  visa_chargeDeclinedVelocityLimitExceeded: "4000000000006975",
  chargeCustomerFail: "4000000000000341",
  threeDSecure2Required: "4000000000003220",
  threeDSecureRequired: "4000000000003063",
  threeDSecureRequiredChargeDeclined: "4000008400001629",
  threeDSecureOptional: "4000000000003055",
  authenticationRequiredOnSetup: "4000002500003155",
  authenticationRequired: "4000002760003184",
  authenticationRequiredSetupForOffSession: "4000003800000446",
  authenticationRequiredChargeDeclinedInsufficientFunds: "4000008260003178",
  radarBlock: "4100000000000019",
  riskLevelHighest: "4000000000004954",
  riskLevelElevated: "4000000000009235",
  cvcCheckFail: "4000000000000101",
  avsZipFail: "4000000000000036",
  avsLine1Fail: "4000000000000028",
  avsFail: "4000000000000010",
  avsUnchecked: "4000000000000044",
  createDispute: "4000000000000259",
  createDisputeProductNotReceived: "4000000000002685",
  createDisputeInquiry: "4000000000001976",
  createIssuerFraudRecord: "4000000000005423",
  createMultipleDisputes: "4000000404000079",
  pendingRefund: "4000000000007726",
  refundFail: "4000000000005126",
}

/** The number behind a test method's or token's id. */
export function magicMethodNumber(id: string): string | undefined {
  const name = /^(?:pm_card|tok)_(\w+)$/.exec(id)?.[1]
  return name !== undefined && Object.hasOwn(MAGIC_METHODS, name) ? MAGIC_METHODS[name] : undefined
}

/** Texts for a dispute's `uncategorized_text` that decide it at once. */
export const MAGIC_EVIDENCE: Readonly<Record<string, "won" | "lost" | "escalated">> = {
  winning_evidence: "won",
  losing_evidence: "lost",
  escalate_inquiry_evidence: "escalated",
}

/** The dispute reasons that Stripe knows; others become `general`. */
export function disputeReason(event: Extract<Misfortune, { type: "dispute" }>): string {
  return event.reason && DISPUTE_REASONS.includes(event.reason) ? event.reason : event.reason ? "general" : "fraudulent"
}
const DISPUTE_REASONS: readonly string[] = [
  "bank_cannot_process",
  "credit_not_processed",
  "customer_initiated",
  "debit_not_authorized",
  "duplicate",
  "fraudulent",
  "general",
  "incorrect_account_details",
  "insufficient_funds",
  "noncompliant",
  "product_not_received",
  "product_unacceptable",
  "subscription_canceled",
  "unrecognized",
]
