// Every event of Adyen's standard webhook, and what it means for us when `success` is true and when it is false. Only
// signed fields decide here: the reasons in words stand apart below, because nobody signs them.
//
// Source: Webhooks v1, docs.adyen.com/development-resources/webhooks/webhook-types (2026-07).

import type { DeclineReason } from "../../core/decline.ts"
import type { Effect } from "../../core/outcome.ts"
import type { Notice } from "../connector.ts"

/** `unknown` tells nothing about money. `absent`: only if no payment is named, else `declined`. */
export type Verdict = Exclude<Effect, "prepared"> | "pending" | "declined" | "absent" | "unknown"

export type Event = {
  readonly about: Notice["about"]
  readonly yes: Verdict
  readonly no: Verdict
  readonly stage?: NonNullable<Notice["dispute"]>["stage"]
  /** For engineers: what happened, in one sentence. */
  readonly meaning: string
}

const result = (about: Notice["about"], yes: Verdict, meaning: string): Event => ({
  about,
  yes,
  no: "declined",
  meaning,
})
// Says that something already reported as done has failed. With `success` false it would say nothing we could book.
const failure = (about: Notice["about"], meaning: string): Event => ({ about, yes: "declined", no: "unknown", meaning })
const dispute = (stage: NonNullable<Event["stage"]>, meaning: string): Event => ({
  about: "dispute",
  yes: "unknown",
  no: "unknown",
  stage,
  meaning,
})
const other = (meaning: string): Event => ({ about: "other", yes: "unknown", no: "unknown", meaning })

export const events: Readonly<Record<string, Event>> = {
  AUTHORISATION: result("authorize", "authorized", "The authorization's result. A zero amount verified the card."),
  AUTHORISATION_ADJUSTMENT: result("increment", "incremented", "The authorization stands at a new total."),
  CANCELLATION: result("void", "voided", "The result of a cancel by the payment's pspReference."),
  CAPTURE: result("capture", "captured", "The capture was sent for settlement."),
  CAPTURE_FAILED: failure("capture", "The card scheme rejected the capture, days after it was reported as done."),
  REFUND: result("refund", "refunded", "The refund was sent to the scheme."),
  REFUND_FAILED: failure("refund", "The card scheme rejected the refund: the money is with the merchant again."),
  REFUNDED_REVERSED: failure("refund", "The refunded money came back, e.g. from a closed account."),
  POSTPONED_REFUND: result("refund", "pending", "The refund waits until the payment is captured."),
  // Whether it cancelled or refunded stands in an unsigned field. A reversal is a reversal.
  CANCEL_OR_REFUND: result("reverse", "voided", "The result of a reversal: cancelled, or refunded if captured."),
  TECHNICAL_CANCEL: {
    about: "reverse",
    yes: "voided",
    no: "absent",
    meaning: "The result of a cancel by our own reference. A refusal that names no payment did not find one.",
  },
  EXPIRE: {
    about: "expire",
    yes: "voided",
    no: "unknown",
    meaning: "What was authorized and not captured has lapsed.",
  },
  OFFER_CLOSED: {
    about: "authorize",
    yes: "declined",
    no: "unknown",
    meaning: "The customer never finished (cards: 12 hours); nothing was authorized and nothing will be.",
  },

  REQUEST_FOR_INFORMATION: dispute("inquiry", "The issuer asks about the payment; no money moves yet."),
  NOTIFICATION_OF_CHARGEBACK: dispute("opened", "A chargeback is coming; evidence may be sent in."),
  INFORMATION_SUPPLIED: dispute("opened", "Evidence was handed in, by the merchant or by Adyen."),
  CHARGEBACK: dispute("opened", "The disputed amount was taken from the merchant."),
  CHARGEBACK_REVERSED: dispute("reversed", "The amount came back; the issuer may still dispute again."),
  SECOND_CHARGEBACK: dispute("lost", "The issuer did not accept the evidence; the amount was taken again."),
  ISSUER_RESPONSE_TIMEFRAME_EXPIRED: dispute("won", "The issuer accepted the evidence or did not answer in time."),
  DISPUTE_DEFENSE_PERIOD_ENDED: dispute("lost", "Nobody defended in time, or the merchant accepted."),
  PREARBITRATION_OPEN: dispute("opened", "The issuer goes on with pre-arbitration."),
  PREARBITRATION_WON: dispute("won", "The issuer accepted the pre-arbitration."),
  PREARBITRATION_LOST: dispute("lost", "The issuer declined the pre-arbitration."),
  PREARBITRATION_ACCEPTED: dispute("lost", "The issuer's pre-arbitration was accepted on the merchant's side."),
  PREARBITRATION_DECLINED: dispute("opened", "The issuer's pre-arbitration was declined; it may escalate."),
  PREARBITRATION_ISSUER_WITHDRAWN: dispute("won", "The issuer withdrew."),
  SCHEME_ARBITRATION: dispute("opened", "The card scheme is asked to decide."),
  SCHEME_ARBITRATION_WON: dispute("won", "The card scheme holds the issuer liable."),
  SCHEME_ARBITRATION_LOST: dispute("lost", "The card scheme holds the merchant liable."),

  ISSUER_COMMENTS: other("The issuer's comments on a dispute, for people."),
  NOTIFICATION_OF_FRAUD: other("The issuer reported fraud (TC40, SAFE). No money moves; a chargeback may follow."),
  MANUAL_REVIEW_ACCEPT: other("A person let the payment pass."),
  MANUAL_REVIEW_REJECT: other("A person rejected the payment; a cancellation or refund tells what follows."),
  RECURRING_CONTRACT: other("The card was stored; pspReference is its token."),
  AUTORESCUE: other("Adyen's own retries of a payment ended; the payment tells its result itself."),
  CANCEL_AUTORESCUE: other("Adyen's own retries were stopped."),
  ORDER_OPENED: other("An order paid in several parts was begun: not cards of ours."),
  ORDER_CLOSED: other("An order paid in several parts is complete or was cancelled."),
  REFUND_WITH_DATA: other("A refund without a payment before it, which we never ask for."),
  VOID_PENDING_REFUND: other("A terminal's refund was cancelled."),
  REPORT_AVAILABLE: other("A report can be fetched."),
  PAYOUT_THIRDPARTY: other("A pay-out was made."),
  PAYOUT_DECLINE: other("A pay-out was declined."),
  PAYOUT_EXPIRE: other("A pay-out lapsed."),
  PAIDOUT_REVERSED: other("A pay-out came back."),
  ACH_NOTIFICATION_OF_CHANGE: other("A bank account's details changed."),
  DIRECT_DEBIT_NOTICE_OF_CHANGE_NOTIFICATION: other("A bank account's details changed."),
}

/**
 * Why a modification failed, in Adyen's words. Unsigned: fit for a reason that people read, never for a fact. Source: the
 * examples of Webhooks v1 and docs.adyen.com/online-payments/refund#refund-failed (2026-07).
 */
export const modificationReasons: Readonly<Record<string, DeclineReason>> = {
  "Insufficient balance on payment": "amount_exceeds_original",
  "Transaction hasn't been captured, refund not possible": "wrong_state",
  "Capture Failed": "generic_decline",
  "Refund Failed": "generic_decline",
}
