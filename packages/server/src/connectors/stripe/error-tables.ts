// What Stripe's `error.code` means for the request that got it. Three kinds: the payment was decided against (declined),
// the request was not processed (rejected, not executed, as the code's own text says), and codes that say neither.
// All codes of stripe-node 23.1.0 (2026-10-29) are here, also those of products that we never call: an answer that talks
// about payouts to a card payment is our defect, and is named as that. https://docs.stripe.com/error-codes, read 2026-10.

import type { DeclineReason } from "../../core/decline.ts"

export type ErrorRow =
  | { readonly kind: "declined"; readonly reason: DeclineReason }
  | {
      readonly kind: "rejected"
      readonly fault: "ours" | "theirs"
      readonly executed: "no" | "unknown"
      readonly reason: DeclineReason
    }
  | { readonly kind: "unknown" }

type Codes = Readonly<Partial<Record<DeclineReason, string>>>

const declined: Codes = {
  account_closed: "account_closed",
  account_not_found: "account_invalid no_account",
  address_mismatch: "incorrect_address",
  authentication_failed: "payment_intent_authentication_failure setup_intent_authentication_failure",
  authentication_not_supported: "three_d_secure_authentication_not_supported",
  authentication_required:
    "authentication_required payment_intent_action_required invoice_payment_intent_requires_action",
  authentication_unavailable: "three_d_secure_authentication_upstream_error",
  authorization_revoked: "debit_not_authorized india_recurring_payment_mandate_canceled",
  canceled_by_customer: "payment_method_customer_decline",
  customer_timeout: "payment_intent_payment_attempt_expired setup_intent_setup_attempt_expired",
  agreement_invalid: "billing_invalid_mandate payment_intent_mandate_invalid setup_intent_mandate_invalid",
  expired_card: "expired_card expired_payment_method",
  // The better word is in `decline_code`; without one Stripe gives no reason.
  generic_decline: `card_declined payment_method_provider_decline payment_intent_payment_attempt_failed
    setup_attempt_failed payment_intent_konbini_rejected_confirmation_number bank_account_declined refer_to_customer`,
  incorrect_cvc: "incorrect_cvc invalid_cvc",
  insufficient_funds: "insufficient_funds",
  invalid_expiry: "invalid_expiry_month invalid_expiry_year",
  invalid_number: "incorrect_number invalid_number",
  network_error: "processing_error",
  network_timeout: "payment_method_provider_timeout",
  acquirer_unavailable: "payment_method_not_available",
  postal_code_mismatch: "incorrect_postal_code incorrect_zip postal_code_invalid",
  restricted_card: "payment_method_restricted bank_account_restricted",
  retry_limit_reached: "card_decline_rate_limit_exceeded",
}

// Parameters, permissions and states: the request was not processed.
const ours: Codes = {
  already_done: "charge_already_captured charge_already_refunded return_intent_already_processed",
  amount_too_large: "amount_too_large charge_exceeds_transaction_limit",
  amount_too_small: "amount_too_small",
  authorization_expired: "capture_charge_authorization_expired charge_expired_for_capture",
  billing_details_missing: "payment_method_billing_details_address_missing intent_verification_method_missing",
  country_not_supported: `account_error_country_change_requires_additional_steps country_unsupported state_unsupported
    terminal_location_country_unsupported`,
  currency_not_supported:
    "payment_method_currency_mismatch financial_account_balance_does_not_support_currency instant_payouts_currency_disabled",
  disputed: "charge_disputed refund_disputed_payment",
  feature_not_supported: `alipay_upgrade_required bitcoin_upgrade_required clearing_code_unsupported
    instant_payouts_unsupported payment_evaluation_on_api_version_not_supported payment_method_unsupported_type
    sepa_unsupported_account setup_intent_mobile_wallet_unsupported smart_disputes_not_available tls_version_unsupported
    service_period_coupon_with_metered_tiered_item_unsupported`,
  invalid_amount: "invalid_charge_amount",
  invalid_credentials: `api_key_expired authentication_failure platform_api_key_expired platform_account_required
    secret_key_required account_token_required_for_v2_account`,
  invalid_request: `account_country_invalid_address account_information_mismatch account_number_invalid
    acss_debit_session_incomplete balance_invalid_parameter bank_account_bad_routing_numbers bank_account_exists
    bank_account_unusable bank_account_unverified bank_account_verification_failed cardholder_phone_number_required
    charge_invalid_parameter country_code_invalid coupon_expired customer_max_payment_methods
    customer_max_subscriptions customer_session_expired customer_tax_location_invalid
    dispute_evidence_page_limit_exceeded email_invalid failed_tax_calculation
    financial_connections_account_pending_account_numbers financial_connections_account_unavailable_account_numbers
    financial_connections_account_inactive financial_connections_consent_locale_invalid
    financial_connections_consent_locale_unsupported financial_connections_no_successful_transaction_refresh
    forwarding_api_invalid_parameter invalid_canceled_subscription_fields invalid_card_type invalid_characters
    invalid_mandate_reference_prefix_format invalid_source_usage invalid_tax_location invoice_no_customer_line_items
    invoice_no_payment_method_types invoice_no_subscription_line_items invoice_not_editable
    invoice_on_behalf_of_not_editable invoice_upcoming_none out_of_inventory ownership_declaration_not_allowed
    parameter_invalid_empty parameter_invalid_integer parameter_invalid_string_blank parameter_invalid_string_empty
    parameter_missing parameter_unknown parameters_exclusive payment_intent_incompatible_payment_method
    payment_intent_invalid_parameter payment_method_bank_account_already_verified payment_method_invalid_parameter
    payment_method_microdeposit_failed payment_method_microdeposit_processing_error
    payment_method_microdeposit_verification_amounts_invalid
    payment_method_microdeposit_verification_amounts_mismatch
    payment_method_microdeposit_verification_attempts_exceeded
    payment_method_microdeposit_verification_descriptor_code_mismatch
    payment_method_microdeposit_verification_timeout payout_reconciliation_not_ready product_inactive
    resource_already_exists routing_number_invalid setup_intent_invalid_parameter shipping_address_invalid
    shipping_calculation_failed siret_invalid sku_inactive subscription_update_trial_after_billing_cycle_anchor
    tax_id_invalid tax_id_prohibited taxes_calculation_failed terminal_reader_busy terminal_reader_hardware_fault
    terminal_reader_invalid_location_for_activation terminal_reader_invalid_location_for_payment
    terminal_reader_offline terminal_reader_timeout transfer_source_balance_parameters_mismatch url_invalid`,
  merchant_account_restricted: "testmode_charges_only",
  merchant_balance_insufficient: "balance_insufficient",
  merchant_limit_exceeded: `charge_exceeds_source_limit instant_payouts_limit_exceeded payouts_limit_exceeded
    progressive_onboarding_limit_exceeded`,
  merchant_misconfigured: `application_fees_not_allowed approval_required instant_payouts_config_disabled
    not_allowed_on_standard_account payment_method_configuration_failures stripe_tax_inactive`,
  method_not_enabled: `capability_not_active financial_account_capability_not_enabled
    financial_account_capability_restricted forwarding_api_inactive payment_method_unactivated payouts_not_allowed
    storer_capability_missing storer_capability_not_active transfers_not_allowed`,
  network_not_supported: "token_card_network_invalid",
  not_found: "missing resource_missing",
  provider_risk_blocked: "anomalous_money_movement_request payment_method_bank_account_blocked",
  refund_not_possible: "charge_not_refundable",
  test_mode_mismatch: "livemode_mismatch payment_method_invalid_parameter_testmode",
  token_already_used: "token_already_used token_in_use",
  wrong_state: `capture_unauthorized_payment intent_invalid_state payment_intent_unexpected_state
    payment_method_unexpected_state setup_intent_unexpected_state status_transition_invalid`,
}

// Too many requests, or too many at one object: not processed, and nothing is wrong with them.
// https://docs.stripe.com/rate-limits#object-lock-timeouts, read 2026-10
const theirs: Codes = { rate_limited: "lock_timeout payment_intent_rate_limit_exceeded rate_limit" }

// New and undocumented: that they refuse is in the name, how far the request got is not.
const unexplained: Codes = { merchant_account_restricted: "action_blocked request_blocked" }

// A request with this key runs at this moment: what becomes of it is not known yet. The others speak for a forwarded call.
const undecided = `idempotency_key_in_use forwarding_api_retryable_upstream_error forwarding_api_upstream_connection_error
  forwarding_api_upstream_connection_timeout forwarding_api_upstream_error`

export const errorCodes: Readonly<Record<string, ErrorRow>> = Object.fromEntries([
  ...rows(declined, (reason) => ({ kind: "declined", reason })),
  ...rows(ours, (reason) => ({ kind: "rejected", fault: "ours", executed: "no", reason })),
  ...rows(theirs, (reason) => ({ kind: "rejected", fault: "theirs", executed: "no", reason })),
  ...rows(unexplained, (reason) => ({ kind: "rejected", fault: "ours", executed: "unknown", reason })),
  ...undecided.split(/\s+/).map((code) => [code, { kind: "unknown" }] as const),
])

function rows(codes: Codes, row: (reason: DeclineReason) => ErrorRow): readonly (readonly [string, ErrorRow])[] {
  return (Object.entries(codes) as [DeclineReason, string][]).flatMap(([reason, list]) =>
    list.split(/\s+/).map((code) => [code, row(reason)] as const),
  )
}

/**
 * `error.type`, where the code tells nothing. A card error is a decision; an invalid request was not processed; an error
 * of the API itself proves nothing; an idempotency error means that the key belongs to another request, which may run.
 * https://docs.stripe.com/api/errors, read 2026-10
 */
export const errorTypes: Readonly<Record<string, ErrorRow>> = {
  api_error: { kind: "unknown" },
  card_error: { kind: "declined", reason: "unmapped" },
  idempotency_error: { kind: "unknown" },
  invalid_request_error: { kind: "rejected", fault: "ours", executed: "no", reason: "invalid_request" },
}
