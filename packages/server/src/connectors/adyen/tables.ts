// Adyen's codes of payments, as data. Three code spaces look alike and mean different things: `resultCode` (what became
// of the payment), `refusalReasonCode` (why it was refused) and `errorCode` (why a request was not processed at all;
// error-codes.ts). Refusal 10 is a card that cannot do this, error 10 a missing permission.

import type { Network } from "../../core/card.ts"
import type { AddressChecks, CheckResult } from "../../core/check.ts"
import type { DeclineReason } from "../../core/decline.ts"

/** `action` only together with a redirect that a browser can follow; `partly` only together with the amount. */
export type ResultMeaning = "approved" | "partly" | "action" | "pending" | "declined" | "unknown"

/** All 14 values. Source: PaymentResponse.resultCode of Checkout v72, docs.adyen.com/online-payments/payment-result-codes (2026-07). */
export const resultCodes: Readonly<Record<string, ResultMeaning>> = {
  Authorised: "approved",
  PartiallyAuthorised: "partly",
  RedirectShopper: "action",
  // Native 3-D Secure needs a component in the page. We disable it; should it come as a redirect all the same, good.
  IdentifyShopper: "action",
  ChallengeShopper: "action",
  Received: "pending",
  Pending: "pending",
  PresentToShopper: "pending", // vouchers: waits for somebody to pay
  Refused: "declined",
  // "An error when the payment was being processed. This is a final state": no authorization that could be captured.
  Error: "declined",
  Cancelled: "declined",
  // Results of authentications without a payment, which we never ask for, and a value that no page explains.
  AuthenticationFinished: "unknown",
  AuthenticationNotRequired: "unknown",
  Success: "unknown",
}

/** `wide`: Adyen puts several answers of issuers under this code; the raw code, where it comes along, tells them apart. */
export type Refusal = { readonly text: string; readonly reason: DeclineReason; readonly wide?: true }

/** Source: docs.adyen.com/development-resources/refusal-reasons (2026-07). The text also stands in webhooks' `reason`. */
export const refusalReasons: Readonly<Record<string, Refusal>> = {
  // Listed as "Approved"; in refusals it comes as "Unknown" with resultCode Error.
  0: { text: "Unknown", reason: "provider_error" },
  2: { text: "Refused", reason: "generic_decline", wide: true },
  3: { text: "Referral", reason: "refer_to_issuer" },
  4: { text: "Acquirer Error", reason: "acquirer_error" },
  5: { text: "Blocked Card", reason: "blocked_card", wide: true },
  6: { text: "Expired Card", reason: "expired_card" },
  7: { text: "Invalid Amount", reason: "invalid_amount" },
  8: { text: "Invalid Card Number", reason: "invalid_number" },
  9: { text: "Issuer Unavailable", reason: "issuer_unavailable" },
  10: { text: "Not supported", reason: "card_not_supported", wide: true },
  11: { text: "3D Not Authenticated", reason: "authentication_failed" },
  12: { text: "Not enough balance", reason: "insufficient_funds" },
  14: { text: "Acquirer Fraud", reason: "suspected_fraud" },
  15: { text: "Cancelled", reason: "canceled_by_customer" },
  16: { text: "Shopper Cancelled", reason: "canceled_by_customer" },
  17: { text: "Invalid Pin", reason: "incorrect_pin" },
  18: { text: "Pin tries exceeded", reason: "pin_tries_exceeded" },
  19: { text: "Pin validation not possible", reason: "pin_unverifiable" },
  20: { text: "FRAUD", reason: "provider_risk_blocked" },
  21: { text: "Not Submitted", reason: "provider_error" }, // never got on its way to the acquirer
  22: { text: "FRAUD-CANCELLED", reason: "provider_risk_blocked" }, // authorized, then cancelled by the risk engine
  23: { text: "Transaction Not Permitted", reason: "card_not_permitted", wide: true },
  24: { text: "CVC Declined", reason: "incorrect_cvc" },
  25: { text: "Restricted Card", reason: "restricted_card", wide: true },
  26: { text: "Revocation Of Auth", reason: "authorization_revoked", wide: true },
  27: { text: "Declined Non Generic", reason: "generic_decline", wide: true },
  28: { text: "Withdrawal amount exceeded", reason: "amount_limit_exceeded" },
  29: { text: "Withdrawal count exceeded", reason: "count_limit_exceeded" },
  31: { text: "Issuer Suspected Fraud", reason: "suspected_fraud" },
  32: { text: "AVS Declined", reason: "address_mismatch" },
  33: { text: "Card requires online pin", reason: "pin_required" },
  34: { text: "No checking account available on Card", reason: "account_type_missing" },
  35: { text: "No savings account available on Card", reason: "account_type_missing" },
  36: { text: "Mobile pin required", reason: "customer_present_required" },
  37: { text: "Contactless fallback", reason: "cardholder_verification_required" },
  38: { text: "Authentication required", reason: "authentication_required" },
  39: { text: "RReq not received from DS", reason: "authentication_unavailable" },
  40: { text: "Current AID is in Penalty Box", reason: "network_unavailable" },
  41: { text: "CVM Required Restart Payment", reason: "cardholder_verification_required" },
  42: { text: "3DS Authentication Error", reason: "authentication_unavailable" },
  46: { text: "Transaction blocked by Adyen to prevent excessive retry fees", reason: "retry_limit_reached" },
  50: { text: "Token Revoked", reason: "token_revoked" },
}

/**
 * What Adyen knows from other merchants' payments about an issuer's "not supported" and its like. Source:
 * ResponseAdditionalDataCommon.inferredRefusalReason of Checkout v72 (2026-07).
 */
export const inferredReasons: Readonly<Record<string, DeclineReason>> = {
  "3D Secure Mandated": "authentication_required",
  "Closed Account": "account_closed",
  "ContAuth Not Supported": "recurring_not_supported",
  "CVC Mandated": "cvc_missing",
  "Ecommerce Not Allowed": "online_payments_not_enabled",
  "Crossborder Not Supported": "domestic_use_only",
  "Card Updated": "new_account_information",
  "Low Authrate Bin": "generic_decline", // says how likely an approval is, not why this one was refused
  "Non-reloadable prepaid card": "card_not_supported",
}

/** Source: PaymentAmountUpdateResponse.status of Checkout v72; all other modifications only say `received` (2026-07). */
export const modificationStatuses: Readonly<Record<string, "pending" | "approved" | "declined">> = {
  received: "pending",
  authorised: "approved",
  refused: "declined",
}

const avs = (line: CheckResult, postcode: CheckResult, name: CheckResult = "unchecked"): AddressChecks => ({
  line,
  postcode,
  name,
})

/**
 * The number that `avsResult` starts with ("2 Neither postal code nor address match"). From 19 on it restates American
 * Express's letters, which check the name too. Source: docs.adyen.com/risk-management/avs-checks and ActiveMerchant's
 * map of the numbers to those letters (2026-07).
 */
export const avsChecks: Readonly<Record<string, AddressChecks>> = {
  0: avs("unavailable", "unavailable"), // unknown
  1: avs("pass", "fail"),
  2: avs("fail", "fail"),
  3: avs("unavailable", "unavailable"), // AVS unavailable
  4: avs("unavailable", "unavailable"), // not supported for this type of card
  5: avs("unchecked", "unchecked"), // no data provided
  6: avs("fail", "pass"),
  7: avs("pass", "pass"),
  8: avs("unavailable", "unavailable"), // address not checked, postal code unknown
  9: avs("pass", "unavailable"),
  10: avs("fail", "unavailable"),
  11: avs("unavailable", "unavailable"), // postal code not checked, address unknown
  12: avs("pass", "unavailable"),
  13: avs("fail", "unavailable"),
  14: avs("unavailable", "pass"),
  15: avs("unavailable", "pass"),
  16: avs("unavailable", "fail"),
  17: avs("unavailable", "fail"),
  18: avs("unavailable", "unavailable"), // neither was checked
  19: avs("fail", "pass", "pass"),
  20: avs("pass", "pass", "pass"),
  21: avs("pass", "fail", "pass"),
  22: avs("fail", "fail", "pass"),
  23: avs("fail", "pass", "fail"),
  24: avs("pass", "pass", "fail"),
  25: avs("pass", "fail", "fail"),
  26: avs("fail", "fail", "fail"),
}

/** The number that `cvcResult` starts with. Source: docs.adyen.com/risk-management/configure-standard-risk-rules (2026-07). */
export const cvcChecks: Readonly<Record<string, CheckResult>> = {
  0: "unavailable", // unknown
  1: "pass",
  2: "fail",
  3: "unavailable", // not checked
  4: "unchecked", // required, and not provided
  5: "unavailable", // issuer not certified
  6: "unchecked", // not provided
}

/** Adyen's names of the brands whose raw codes differ from the common list of ISO 8583. */
export const networks: Readonly<Record<string, Network>> = { visa: "visa", mc: "mastercard", amex: "amex" }

/** Source: ResponseAdditionalDataCommon.fundingSource of Checkout v72, its spelling included (2026-07). */
export const fundingSources: Readonly<Record<string, string>> = {
  CHARGE: "charge",
  CREDIT: "credit",
  DEBIT: "debit",
  PREPAID: "prepaid",
  PREPAID_RELOADABLE: "prepaid",
  PREPAID_NONRELOADABLE: "prepaid",
  DEFFERED_DEBIT: "deferred_debit",
}
