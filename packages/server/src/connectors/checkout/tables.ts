// Checkout.com's words and ours: states of a payment, kinds of actions on it, letters of checks, webhook events.
// Response codes and error codes are long and stand in files of their own.

import type { AddressChecks, CheckResult } from "../../core/check.ts"
import type { DeclineReason } from "../../core/decline.ts"

/**
 * What a payment's `status` says about its authorization.
 *
 *   Pending                    the customer is at the 3-D Secure page, or the issuer has not answered yet
 *   Retry Scheduled            declined, and Checkout.com will try again by itself: it may still take the money
 *   Authorized · Card Verified
 *   Partially Captured · Captured · Partially Refunded · Refunded · Voided
 *   Declined · Canceled · Expired
 *   Active · Requested         payment links and alternative methods, before anything was tried
 *   Paid                       payouts only: no payment of ours is ever in this state
 */
export type Standing =
  | "pending"
  | "authorized"
  | "verified"
  | "captured"
  | "refunded"
  | "voided"
  | "declined"
  | "canceled"
  | "expired"
  | "foreign"

/** Source: PaymentStatus in Checkout.com's SDKs (2026-06), https://api-reference.checkout.com (2026-06). */
export const paymentStatuses: Readonly<Record<string, Standing>> = {
  Active: "pending",
  Requested: "pending",
  Pending: "pending",
  "Retry Scheduled": "pending",
  Authorized: "authorized",
  "Card Verified": "verified",
  "Partially Captured": "captured",
  Captured: "captured",
  "Partially Refunded": "captured",
  Refunded: "refunded",
  Voided: "voided",
  Declined: "declined",
  Canceled: "canceled",
  Expired: "expired",
  Paid: "foreign",
}

/** `declined_reason` of a payment that has no response code, because it never reached an issuer. */
export const declinedReasons: Readonly<Record<string, DeclineReason>> = {
  authentication_failed: "authentication_failed",
}

/** Kinds of actions that a follow-up of ours makes. "Card Verification", "Payout" and "Return" are none of them. */
export const actionTypes: Readonly<Record<string, "increment" | "capture" | "void" | "refund">> = {
  Authorization: "increment",
  Capture: "capture",
  Void: "void",
  Refund: "refund",
}

const avs = (line: CheckResult, postcode: CheckResult, name: CheckResult = "unchecked"): AddressChecks => ({
  line,
  postcode,
  name,
})
const nothing = avs("unavailable", "unavailable")

/** Source: https://checkoutdocs.readme.io/docs/avs-codes (2025-05). AE1 to AE8 are Amex with the name. */
export const avsChecks: Readonly<Record<string, AddressChecks>> = {
  A: avs("pass", "fail"),
  B: avs("pass", "unavailable"),
  C: nothing,
  D: avs("pass", "pass"),
  F: avs("pass", "pass"),
  G: nothing,
  I: nothing,
  M: avs("pass", "pass"),
  N: avs("fail", "fail"),
  P: avs("unavailable", "pass"),
  R: nothing,
  S: nothing,
  U: nothing,
  W: avs("fail", "pass"),
  X: avs("pass", "pass"),
  Y: avs("pass", "pass"),
  Z: avs("fail", "pass"),
  AE1: avs("fail", "pass", "fail"),
  AE2: avs("pass", "pass", "fail"),
  AE3: avs("pass", "fail", "fail"),
  AE4: avs("fail", "fail", "pass"),
  AE5: avs("fail", "pass", "pass"),
  AE6: avs("pass", "pass", "pass"),
  AE7: avs("pass", "fail", "pass"),
  AE8: avs("fail", "fail", "fail"),
}

/**
 * Not the networks' letters: D is a mismatch, and N is a code that was not sent.
 * Source: https://www.checkout.com/docs/developer-resources/codes/cvv-response-codes (2023-11).
 */
export const cvvChecks: Readonly<Record<string, CheckResult>> = {
  D: "fail",
  N: "unchecked",
  P: "unavailable",
  U: "unavailable",
  X: "unavailable",
  Y: "pass",
}

/** `card_type`, which answers write now in capitals and now not. */
export const fundings: Readonly<Record<string, string>> = {
  CREDIT: "credit",
  DEBIT: "debit",
  PREPAID: "prepaid",
  CHARGE: "charge",
  "DEFERRED DEBIT": "deferred_debit",
}

/**
 * What an event reports. `hint`: something is going on with the authorization, look at it. `payment_pending` is only
 * that: it races with the answer that holds the customer's redirect, and must not settle anything before it.
 */
export type EventMeaning =
  | {
      readonly about: "authorize" | "capture" | "void" | "refund" | "increment"
      readonly says: "approved" | "declined" | "pending" | "canceled" | "hint"
    }
  | { readonly about: "dispute"; readonly stage: "inquiry" | "opened" | "won" | "lost" | "reversed" }
  | { readonly about: "expire" }

const event = (
  about: "authorize" | "capture" | "void" | "refund" | "increment",
  says: "approved" | "declined" | "pending" | "canceled" | "hint",
): EventMeaning => ({ about, says })
const dispute = (stage: "inquiry" | "opened" | "won" | "lost" | "reversed"): EventMeaning => ({
  about: "dispute",
  stage,
})

/** Source: https://www.checkout.com/docs/developer-resources/event-notifications/event-types (2026-01). */
export const webhookEvents: Readonly<Record<string, EventMeaning>> = {
  payment_approved: event("authorize", "approved"),
  card_verified: event("authorize", "approved"),
  payment_declined: event("authorize", "declined"),
  card_verification_declined: event("authorize", "declined"),
  payment_canceled: event("authorize", "canceled"),
  payment_pending: event("authorize", "hint"),
  payment_authorized: event("authorize", "hint"),
  payment_retry_scheduled: event("authorize", "hint"),
  payment_compliance_review: event("authorize", "hint"),
  payment_authentication_failed: event("authorize", "hint"),
  authentication_approved: event("authorize", "hint"),
  authentication_attempted: event("authorize", "hint"),
  authentication_expired: event("authorize", "hint"),
  authentication_failed: event("authorize", "hint"),
  payment_expired: { about: "expire" },

  payment_captured: event("capture", "approved"),
  payment_capture_declined: event("capture", "declined"),
  payment_capture_pending: event("capture", "pending"),
  payment_voided: event("void", "approved"),
  payment_void_declined: event("void", "declined"),
  payment_refunded: event("refund", "approved"),
  payment_refund_declined: event("refund", "declined"),
  payment_refund_pending: event("refund", "pending"),
  payment_authorization_incremented: event("increment", "approved"),
  payment_authorization_increment_declined: event("increment", "declined"),

  request_for_information_received: dispute("inquiry"),
  dispute_received: dispute("opened"),
  dispute_evidence_required: dispute("opened"),
  dispute_evidence_submitted: dispute("opened"),
  dispute_evidence_acknowledged_by_scheme: dispute("opened"),
  dispute_arbitration_evidence_submitted: dispute("opened"),
  dispute_arbitration_sent_to_scheme: dispute("opened"),
  dispute_won: dispute("won"),
  dispute_arbitration_won: dispute("won"),
  dispute_lost: dispute("lost"),
  dispute_arbitration_lost: dispute("lost"),
  dispute_accepted: dispute("lost"), // by the merchant
  dispute_expired: dispute("lost"), // the time to answer is over
  dispute_canceled: dispute("reversed"), // by the issuer: the money is back
  dispute_resolved: dispute("reversed"), // refunded before, or settled without a debit
}
