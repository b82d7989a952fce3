// What Stripe's codes for refused cards and payments mean in our taxonomy. No code falls to a default: what is not here is
// `unmapped`, and is counted.

import type { DeclineReason } from "../../core/decline.ts"

/** `decline_code`: what the issuer, or Stripe in its place, said. https://docs.stripe.com/declines/codes, read 2026-10. */
export const declineCodes: Readonly<Record<string, DeclineReason>> = {
  approve_with_id: "refer_to_issuer",
  authentication_not_handled: "authentication_required",
  authentication_required: "authentication_required",
  call_issuer: "refer_to_issuer",
  card_not_supported: "card_not_supported",
  // "Balance, credit limit or transaction amount limit": Stripe's name says velocity, its text says amount.
  card_velocity_exceeded: "amount_limit_exceeded",
  currency_not_supported: "currency_not_supported",
  do_not_honor: "do_not_honor",
  do_not_try_again: "do_not_try_again",
  duplicate_transaction: "duplicate_transaction",
  expired_card: "expired_card",
  fraudulent: "suspected_fraud",
  generic_decline: "generic_decline",
  incorrect_address: "address_mismatch",
  incorrect_cvc: "incorrect_cvc",
  incorrect_number: "invalid_number",
  incorrect_pin: "incorrect_pin",
  incorrect_zip: "postal_code_mismatch",
  insufficient_funds: "insufficient_funds",
  invalid_account: "account_not_found",
  invalid_amount: "invalid_amount",
  invalid_cvc: "incorrect_cvc",
  invalid_expiry_month: "invalid_expiry",
  invalid_expiry_year: "invalid_expiry",
  invalid_number: "invalid_number",
  invalid_pin: "incorrect_pin",
  issuer_not_available: "issuer_unavailable",
  lost_card: "lost_card",
  merchant_blacklist: "blocklisted",
  mobile_device_authentication_required: "customer_present_required",
  new_account_information_available: "new_account_information",
  no_action_taken: "no_action_taken",
  not_permitted: "card_not_permitted",
  offline_pin_required: "pin_required",
  online_or_offline_pin_required: "pin_required",
  pickup_card: "pickup_card",
  pin_try_exceeded: "pin_tries_exceeded",
  // "An error while processing the card": Stripe does not say on whose side.
  processing_error: "network_error",
  reenter_transaction: "reenter_transaction",
  restricted_card: "restricted_card",
  revocation_of_all_authorizations: "all_authorizations_revoked",
  revocation_of_authorization: "authorization_revoked",
  security_violation: "security_violation",
  service_not_allowed: "card_not_permitted",
  stolen_card: "stolen_card",
  stop_payment_order: "stop_payment",
  testmode_decline: "test_mode_mismatch",
  transaction_not_allowed: "card_not_permitted",
  try_again_later: "issuer_try_later",
  withdrawal_count_limit_exceeded: "count_limit_exceeded",
}

/** Reasons that say nothing: where one of them comes with an `advice_code`, the advice is the better reason. */
export const vagueReasons: readonly DeclineReason[] = ["generic_decline", "do_not_honor", "no_action_taken"]

/** `advice_code`, from the issuer or Stripe. https://docs.stripe.com/declines/card#retrying-issuer-declines, read 2026-10. */
export const adviceCodes: Readonly<Record<string, DeclineReason>> = {
  confirm_card_data: "card_data_invalid",
  do_not_try_again: "do_not_try_again",
  try_again_later: "issuer_try_later",
}

/** `outcome.reason` of a charge that Stripe blocked before it reached the network: such a decline says "generic_decline". */
export const blockReasons: Readonly<Record<string, DeclineReason>> = {
  // https://docs.stripe.com/declines#blocked-payments, read 2026-10
  highest_risk_level: "provider_risk_blocked",
  elevated_risk_level: "provider_risk_blocked",
  rule: "merchant_rule_blocked",
  merchant_blacklist: "blocklisted",
  requested_block_on_incorrect_cvc: "incorrect_cvc",
  requested_block_on_incorrect_zip: "postal_code_mismatch",
}

/** `failure_reason` of a refund. https://docs.stripe.com/refunds#failed-refunds, read 2026-10. */
export const refundFailures: Readonly<Record<string, DeclineReason>> = {
  charge_for_pending_refund_disputed: "disputed",
  declined: "generic_decline",
  expired_or_canceled_card: "expired_card",
  insufficient_funds: "merchant_balance_insufficient",
  lost_or_stolen_card: "lost_card",
  merchant_request: "refund_not_possible",
  unknown: "generic_decline",
}
