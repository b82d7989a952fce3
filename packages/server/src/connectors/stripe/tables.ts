// Stripe's statuses and events as data. Refusals stand in decline-tables.ts and error-tables.ts. A word that is not here
// is `unknown` (or, for events, nobody's business): Stripe adds values to its enums and calls that a breaking change.

import type { CheckResult } from "../../core/check.ts"
import type { Notice } from "../connector.ts"

export { adviceCodes, blockReasons, declineCodes, refundFailures } from "./decline-tables.ts"
export { errorCodes, errorTypes } from "./error-tables.ts"

/**
 * What a status of a PaymentIntent says about its authorization. `unconfirmed`: nothing was sent to a bank, or what was
 * sent failed; the intent's `last_payment_error` tells which. https://docs.stripe.com/payments/paymentintents/lifecycle,
 * read 2026-10.
 */
export const paymentStatuses: Readonly<
  Record<string, "unconfirmed" | "action" | "pending" | "authorized" | "captured" | "voided">
> = {
  requires_payment_method: "unconfirmed",
  requires_confirmation: "unconfirmed",
  requires_action: "action",
  processing: "pending",
  requires_capture: "authorized",
  succeeded: "captured",
  canceled: "voided",
}

/** The same for a SetupIntent, which verifies a card without an amount. https://docs.stripe.com/payments/setupintents/lifecycle. */
export const setupStatuses: Readonly<Record<string, "unconfirmed" | "action" | "pending" | "verified" | "voided">> = {
  requires_payment_method: "unconfirmed",
  requires_confirmation: "unconfirmed",
  requires_action: "action",
  processing: "pending",
  succeeded: "verified",
  canceled: "voided",
}

/** https://docs.stripe.com/api/refunds/object#refund_object-status, read 2026-10. Cards know no `requires_action`. */
export const refundStatuses: Readonly<Record<string, "pending" | "refunded" | "declined">> = {
  pending: "pending",
  requires_action: "pending",
  succeeded: "refunded",
  failed: "declined",
  canceled: "declined",
}

/** `checks` of a card. https://docs.stripe.com/disputes/prevention/verification, read 2026-10. */
export const checkResults: Readonly<Record<string, CheckResult>> = {
  pass: "pass",
  fail: "fail",
  unavailable: "unavailable",
  unchecked: "unchecked",
}

/** `three_d_secure.result`: whether the issuer bears fraud. https://docs.stripe.com/payments/3d-secure, read 2026-10. */
export const liabilityShifts: Readonly<Record<string, boolean>> = {
  authenticated: true,
  attempt_acknowledged: true,
  data_share_only: false,
  exempted: false,
  failed: false,
  not_supported: false,
  processing_error: false,
}

/** https://docs.stripe.com/api/disputes/object#dispute_object-status, read 2026-10; the last three are of 2025 and 2026. */
export const disputeStatuses: Readonly<Record<string, NonNullable<Notice["dispute"]>["stage"]>> = {
  warning_needs_response: "inquiry",
  warning_under_review: "inquiry",
  // The inquiry ended without a chargeback.
  warning_closed: "won",
  needs_response: "opened",
  under_review: "opened",
  won: "won",
  lost: "lost",
  appeal_needs_response: "opened",
  appeal_under_review: "opened",
  // Resolved before it became a dispute; a refund made for it is an event of its own.
  prevented: "reversed",
}

export type EventRow = {
  readonly about: Notice["about"]
  /** What `data.object` is. */
  readonly of: "payment_intent" | "setup_intent" | "refund" | "charge" | "dispute" | "warning"
  /** A hint where the event does not say enough to book it: totals over several captures, refunds that are releases. */
  readonly trust: Notice["trust"]
}

const intent = (about: Notice["about"]): EventRow => ({ about, of: "payment_intent", trust: "signed" })
const setup = (about: Notice["about"]): EventRow => ({ about, of: "setup_intent", trust: "signed" })
const refund: EventRow = { about: "refund", of: "refund", trust: "signed" }
const dispute: EventRow = { about: "dispute", of: "dispute", trust: "signed" }

/**
 * https://docs.stripe.com/api/events/types, read 2026-10. Not here, on purpose: charge.succeeded, .failed, .pending and
 * .updated tell what payment_intent.* tells; reviews change no money; everything else is no card payment.
 */
export const events: Readonly<Record<string, EventRow>> = {
  "payment_intent.created": intent("prepare"),
  "payment_intent.succeeded": intent("authorize"),
  "payment_intent.amount_capturable_updated": intent("authorize"),
  "payment_intent.payment_failed": intent("authorize"),
  "payment_intent.requires_action": intent("authorize"),
  "payment_intent.processing": intent("authorize"),
  "payment_intent.canceled": intent("void"),
  "setup_intent.created": setup("prepare"),
  "setup_intent.succeeded": setup("authorize"),
  "setup_intent.setup_failed": setup("authorize"),
  "setup_intent.requires_action": setup("authorize"),
  "setup_intent.canceled": setup("void"),
  "charge.captured": { about: "capture", of: "charge", trust: "hint" },
  "charge.expired": { about: "expire", of: "charge", trust: "signed" },
  "charge.refunded": { about: "refund", of: "charge", trust: "hint" },
  "charge.refund.updated": refund,
  "refund.created": refund,
  "refund.updated": refund,
  "refund.failed": refund,
  "charge.dispute.created": dispute,
  "charge.dispute.updated": dispute,
  "charge.dispute.closed": dispute,
  "charge.dispute.funds_withdrawn": dispute,
  "charge.dispute.funds_reinstated": dispute,
  "radar.early_fraud_warning.created": { about: "other", of: "warning", trust: "signed" },
}
