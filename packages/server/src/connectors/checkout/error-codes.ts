// The `error_codes` of a request that Checkout.com refused to process (422): what was wrong with it, whose doing that
// is, and whether it is certain that nothing was processed. `no` stands where the page's own words are about the request,
// the card's data or the account's set-up, which are looked at before anything is sent; `unknown` where they are about
// processing. A code that is not here is `unknown` too.
//
// Source: https://www.checkout.com/docs/developer-resources/codes/error-codes (2025-01) and its older versions;
// payout, plan and hub codes are left out where no payment or follow-up of a card can meet them.

import type { DeclineReason } from "../../core/decline.ts"

export type ErrorCode = {
  readonly reason: DeclineReason
  readonly fault: "ours" | "theirs"
  readonly executed: "no" | "unknown"
}

const ours = (reason: DeclineReason): ErrorCode => ({ reason, fault: "ours", executed: "no" })
const theirs = (reason: DeclineReason, executed: "no" | "unknown"): ErrorCode => ({ reason, fault: "theirs", executed })

export const errorCodes: Readonly<Record<string, ErrorCode>> = {
  // Card data
  card_number_invalid: ours("invalid_number"),
  card_number_required: ours("invalid_number"),
  card_not_found: ours("invalid_number"),
  card_expired: ours("expired_card"),
  card_expiry_month_invalid: ours("invalid_expiry"),
  card_expiry_month_required: ours("invalid_expiry"),
  card_expiry_year_invalid: ours("invalid_expiry"),
  card_expiry_year_required: ours("invalid_expiry"),
  expiry_date_format_invalid: ours("invalid_expiry"),
  cvv_invalid: ours("incorrect_cvc"),
  cvv_required: ours("cvc_missing"),
  card_holder_invalid: ours("holder_mismatch"),
  card_disabled: ours("blocked_card"),
  card_authorization_failed: ours("generic_decline"),

  // Address and customer
  address_invalid: ours("invalid_request"),
  city_invalid: ours("invalid_request"),
  country_address_invalid: ours("invalid_request"),
  country_invalid: ours("invalid_request"),
  country_phone_code_invalid: ours("invalid_request"),
  country_phone_code_length_invalid: ours("invalid_request"),
  phone_number_invalid: ours("invalid_request"),
  phone_number_length_invalid: ours("invalid_request"),
  zip_invalid: ours("invalid_request"),
  first_name_required: ours("billing_details_missing"),
  last_name_required: ours("billing_details_missing"),
  email_required: ours("billing_details_missing"),
  email_invalid: ours("invalid_request"),
  email_in_use: ours("invalid_request"),
  ip_address_invalid: ours("invalid_request"),
  customer_already_exists: ours("invalid_request"),
  customer_email_invalid: ours("invalid_request"),
  customer_id_invalid: ours("invalid_request"),
  customer_mismatch: ours("token_invalid"), // the stored card belongs to another customer
  customer_not_found: ours("token_invalid"),
  customer_number_invalid: ours("invalid_request"),

  // Tokens and stored cards
  source_email_invalid: ours("invalid_request"),
  source_email_required: ours("billing_details_missing"),
  source_id_invalid: ours("token_invalid"),
  source_id_or_email_required: ours("invalid_request"),
  source_id_required: ours("invalid_request"),
  source_id_unknown: ours("token_invalid"),
  source_invalid: ours("invalid_request"),
  source_or_destination_required: ours("invalid_request"),
  source_token_invalid: ours("token_invalid"),
  source_token_required: ours("invalid_request"),
  source_token_type_invalid: ours("invalid_request"),
  source_token_type_required: ours("feature_not_supported"), // a network token of a network that it does not take
  source_type_required: ours("invalid_request"),
  payment_source_required: ours("invalid_request"),
  token_data_invalid: ours("invalid_request"),
  token_expired: ours("token_invalid"),
  token_in_use: ours("token_already_used"),
  token_invalid: ours("token_invalid"),
  token_required: ours("invalid_request"),
  token_type_invalid: ours("invalid_request"),
  token_type_required: ours("feature_not_supported"),
  token_used: ours("token_already_used"),
  wallet_id_invalid: ours("merchant_misconfigured"),
  previous_payment_id_invalid: ours("agreement_invalid"),

  // Amounts and currencies
  amount_invalid: ours("invalid_amount"),
  amount_exceeds_balance: ours("amount_exceeds_original"), // more than is left of the payment to capture, void or refund
  amount_limit_exceeded: ours("amount_too_large"),
  velocity_amount_limit_exceeded: ours("amount_limit_exceeded"),
  velocity_count_limit_exceeded: ours("count_limit_exceeded"),
  capture_value_greater_than_authorized: ours("amount_exceeds_original"),
  capture_value_greater_than_remaining_authorized: ours("amount_exceeds_original"),
  void_amount_invalid: ours("invalid_amount"),
  currency_invalid: ours("currency_not_supported"),
  currency_required: ours("invalid_request"),

  // 3-D Secure
  "3ds_malfunction": theirs("authentication_unavailable", "unknown"),
  "3ds_not_configured": ours("three_ds_not_configured"),
  "3ds_not_enabled_for_card": ours("authentication_not_supported"),
  "3ds_not_supported": ours("authentication_not_supported"),
  "3ds_payment_required": ours("provider_three_ds_required"),
  "3ds_version_invalid": ours("authentication_data_invalid"),
  "3ds_version_not_supported": ours("authentication_data_invalid"),
  success_url_invalid: ours("invalid_request"),
  success_url_required: ours("invalid_request"),
  fail_url_invalid: ours("invalid_request"),

  // The merchant's account
  business_invalid: ours("merchant_misconfigured"),
  business_settings_missing: ours("merchant_misconfigured"),
  channel_details_invalid: ours("merchant_misconfigured"),
  channel_url_missing: ours("merchant_misconfigured"),
  endpoint_invalid: ours("merchant_misconfigured"),
  processing_channel_id_invalid: ours("merchant_misconfigured"),
  processing_channel_id_required: ours("merchant_misconfigured"),
  risk_enabled_required: ours("merchant_misconfigured"),
  aft_processor_not_matched: ours("merchant_misconfigured"), // "AFTs are not configured"
  // "The specified currency is not configured", "the specified scheme is not configured" (page of 2024-12).
  currency_not_configured: ours("currency_not_supported"),
  no_processor_configured_for_card_scheme: ours("network_not_supported"),
  server_api_not_allowed: ours("merchant_misconfigured"), // no access with whole card numbers
  payment_method_not_supported: ours("payment_method_not_supported"),
  card_not_eligible_cross_border_money_transfer: ours("funds_transfer_not_permitted"),
  card_not_eligible_cross_border_non_money_transfer: ours("funds_transfer_not_permitted"),
  card_not_eligible_cross_border_online_gambling: ours("funds_transfer_not_permitted"),
  card_not_eligible_domestic_money_transfer: ours("funds_transfer_not_permitted"),
  card_not_eligible_domestic_non_money_transfer: ours("funds_transfer_not_permitted"),
  card_not_eligible_domestic_online_gambling: ours("funds_transfer_not_permitted"),

  // The request's form
  billing_descriptor_city_invalid: ours("invalid_request"),
  billing_descriptor_city_required: ours("invalid_request"),
  billing_descriptor_name_invalid: ours("invalid_request"),
  billing_descriptor_name_required: ours("invalid_request"),
  charge_details_invalid: ours("invalid_request"),
  metadata_key_invalid: ours("invalid_request"),
  parameter_invalid: ours("invalid_request"),
  payment_invalid: ours("invalid_request"),
  payment_method_invalid: ours("invalid_request"),
  payment_type_invalid: ours("invalid_request"),
  processing_key_required: ours("invalid_request"),
  processing_value_required: ours("invalid_request"),
  request_invalid: ours("invalid_request"),
  request_json_invalid: ours("invalid_request"),

  // The payment's state
  payment_expired: ours("authorization_expired"),
  action_failure_limit_exceeded: ours("retry_limit_reached"),

  // Trouble on their side
  api_calls_quota_exceeded: theirs("rate_limited", "no"),
  issuer_network_unavailable: theirs("network_unavailable", "unknown"),
  processing_error: theirs("provider_error", "unknown"),
  service_unavailable: theirs("provider_maintenance", "unknown"),
}
