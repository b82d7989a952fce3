// What Checkout.com's five-character response codes mean. The first digit tells who speaks: 1 approved, 2 and 3 issuer
// or network (3: keep the card), 4 Checkout.com's risk engine, 5 a refund or payout stopped before any network saw it.
// Where the code restates an ISO 8583 code, that stands beside it; Checkout.com's "soft" and "hard" are not ours.
//
// Source: https://www.checkout.com/docs/developer-resources/codes/api-response-codes (2025-10), enhanced codes for risk,
// refunds and payouts as of 2026-07. 504xx and 505xx are left out: only payouts to bank accounts answer with them.

import type { DeclineReason } from "../../core/decline.ts"

export type ResponseCode =
  /** `withheld`: approved, but not captured although that was asked: the risk engine wants a person to look. */
  | { readonly approves: true; readonly capture?: "withheld"; readonly networkCode?: string }
  | { readonly reason: DeclineReason; readonly networkCode?: string }

const approved = (networkCode?: string): ResponseCode =>
  networkCode === undefined ? { approves: true } : { approves: true, networkCode }
const withheld: ResponseCode = { approves: true, capture: "withheld" }
const declined = (reason: DeclineReason, networkCode?: string): ResponseCode =>
  networkCode === undefined ? { reason } : { reason, networkCode }

export const responseCodes: Readonly<Record<string, ResponseCode>> = {
  "10000": approved("00"),
  "10008": approved("08"), // honour with identification
  "10010": approved("10"), // partial value: the amount tells how much
  "10011": approved("11"), // VIP
  "10076": approved(), // country club
  "10077": approved(), // local banks
  "10081": approved(), // commercial
  "10100": withheld, // flagged as potentially risky
  "10200": withheld, // deferred capture

  "20001": declined("refer_to_issuer", "01"),
  "20002": declined("refer_to_issuer", "02"),
  "20003": declined("invalid_merchant", "03"),
  "20004": declined("pickup_card", "04"),
  "20005": declined("do_not_honor", "05"),
  "20006": declined("issuer_error", "06"),
  "20009": declined("issuer_error", "09"), // request in progress, and nevertheless declined
  "20010": declined("insufficient_funds", "10"), // a part would be approved, and no part was asked for
  "20012": declined("invalid_transaction", "12"),
  "20013": declined("invalid_amount", "13"),
  "20014": declined("invalid_number", "14"),
  "20015": declined("cannot_route"), // not over the debit network
  "20016": declined("card_not_activated"), // card not initialised
  "20017": declined("canceled_by_customer", "17"),
  "20018": declined("disputed", "18"),
  "20019": declined("reenter_transaction", "19"),
  "20020": declined("issuer_error", "20"),
  "20021": declined("no_action_taken", "21"),
  "20022": declined("issuer_error", "22"),
  "20023": declined("surcharge_not_permitted", "23"),
  "20024": declined("feature_not_supported", "24"),
  "20025": declined("not_found", "25"),
  "20026": declined("duplicate_transaction", "26"),
  "20027": declined("invalid_request", "27"),
  "20028": declined("issuer_unavailable", "28"),
  "20029": declined("issuer_error", "29"),
  "20030": declined("invalid_request", "30"),
  "20031": declined("cannot_route", "31"),
  "20032": declined("issuer_error", "32"), // completed partially, and nevertheless declined
  "20033": declined("agreement_invalid"), // previous scheme transaction id invalid
  "20038": declined("pin_tries_exceeded", "38"),
  "20039": declined("account_type_missing", "39"),
  "20040": declined("feature_not_supported", "40"),
  "20042": declined("account_type_missing", "42"),
  "20044": declined("account_type_missing", "44"),
  "20045": declined("feature_not_supported", "45"), // fallback of a hybrid card
  "20046": declined("generic_decline"), // "bank decline": not ISO 46, which is 30046
  "20051": declined("insufficient_funds", "51"),
  "20052": declined("account_type_missing", "52"),
  "20053": declined("account_type_missing", "53"),
  "20054": declined("expired_card", "54"),
  "20055": declined("incorrect_pin", "55"),
  "20056": declined("account_not_found", "56"),
  "20057": declined("card_not_permitted", "57"),
  "20058": declined("merchant_not_permitted", "58"),
  "20059": declined("suspected_fraud", "59"),
  "2005C": declined("card_not_supported", "5C"),
  "20060": declined("merchant_misconfigured", "60"),
  "20061": declined("amount_limit_exceeded", "61"),
  "20062": declined("restricted_card", "62"),
  "20063": declined("security_violation", "63"),
  "20064": declined("sanctions_or_aml", "64"),
  "20065": declined("count_limit_exceeded", "65"),
  "20066": declined("security_violation", "66"),
  "20067": declined("pickup_card", "67"),
  "20068": declined("network_timeout", "68"),
  "2006P": declined("identity_verification_failed", "6P"),
  "20072": declined("card_not_activated", "72"),
  "20075": declined("pin_tries_exceeded", "75"),
  "20078": declined("card_not_activated", "78"), // blocked at first use
  "20081": declined("domestic_use_only"),
  "20082": declined("incorrect_cvc", "82"), // negative CAM, dCVV, iCVV or CVV: Visa's 82; Mastercard's is 20182
  "20083": declined("account_not_found"), // no accounts: not Mastercard's 83, which is 20183
  "20084": declined("issuer_error"), // no positive balance file
  "20085": declined("issuer_error"),
  "20086": declined("invalid_transaction"), // invalid authorization type, or a cash machine's failure
  "20087": declined("card_data_invalid"), // CVV or expiry date, not said which
  "20088": declined("issuer_error"), // unable to process
  "20089": declined("issuer_error"), // administration error
  "20090": declined("cutoff_in_progress", "90"),
  "20091": declined("issuer_unavailable", "91"),
  "20092": declined("cannot_route", "92"),
  "20093": declined("violation_of_law", "93"),
  "20094": declined("duplicate_transaction", "94"),
  "20095": declined("network_error", "95"),
  "20096": declined("network_error", "96"),
  "20097": declined("network_error", "97"),
  "20098": declined("cryptographic_failure", "98"),
  "20099": declined("generic_decline", "99"), // other or unidentified
  "200N0": declined("stand_in_declined", "N0"),
  "200N7": declined("incorrect_cvc", "N7"),
  "200O5": declined("pin_required"),
  "200P1": declined("amount_limit_exceeded"), // over the daily limit
  "200P9": declined("amount_limit_exceeded"), // "enter a lesser value"
  "200R1": declined("authorization_revoked", "R1"),
  "200R3": declined("all_authorizations_revoked", "R3"),
  "200S4": declined("issuer_error"), // the issuer's log is full
  "200T2": declined("invalid_transaction"), // invalid date
  "200T3": declined("card_not_supported"),
  "200T5": declined("restricted_card"), // status of the card in the issuer's file

  "20100": declined("invalid_expiry"),
  "20101": declined("token_invalid"),
  "20102": declined("merchant_misconfigured"),
  "20103": declined("payment_method_not_supported"),
  "20104": declined("invalid_transaction"), // refused by the gateway
  "20105": declined("provider_risk_blocked"), // "violation", refused by the gateway
  "20106": declined("currency_not_supported"),
  "20107": declined("billing_details_missing"),
  "20108": declined("new_account_information"),
  "20109": declined("wrong_state"), // already voided, or a capture above the authorized value
  "20110": declined("already_done"),
  "20111": declined("already_done"),
  "20112": declined("three_ds_not_configured"),
  "20113": declined("invalid_request"),
  "20114": declined("token_invalid"),
  "20115": declined("invalid_request"),
  "20116": declined("invalid_request"),
  "20117": declined("invalid_request"),
  "20118": declined("provider_error"), // "transaction pending", in an answer that declines
  "20119": declined("invalid_request"),
  "20120": declined("invalid_request"),
  "20121": declined("merchant_limit_exceeded"),
  "20122": declined("installments_not_supported"),
  "20123": declined("billing_details_missing"),
  "20124": declined("cvc_missing"),
  "20150": declined("authentication_not_supported"),
  "20151": declined("authentication_failed"),
  "20152": declined("authentication_abandoned"), // not completed within 15 minutes
  "20153": declined("authentication_unavailable"),
  "20154": declined("authentication_required"), // the soft decline of strong customer authentication
  "20155": declined("authentication_data_invalid"),
  "20156": declined("feature_not_supported"),
  "20157": declined("merchant_misconfigured"),
  "20158": declined("refund_not_possible"), // the time for refunds is over
  "20159": declined("authentication_unavailable"), // the issuer's server failed
  "20179": declined("lifecycle_declined", "79"),
  "20182": declined("policy_declined", "82"),
  "20183": declined("security_declined", "83"),
  "20193": declined("invalid_request"), // invalid country code

  "30004": declined("pickup_card", "04"),
  "30007": declined("pickup_card", "07"),
  "30015": declined("unknown_issuer", "15"),
  "30016": declined("funds_transfer_not_permitted"),
  "30017": declined("funds_transfer_not_permitted"),
  "30018": declined("funds_transfer_not_permitted"),
  "30019": declined("funds_transfer_not_permitted"),
  "30020": declined("invalid_amount"),
  "30021": declined("amount_limit_exceeded"),
  "30022": declined("count_limit_exceeded"),
  "30033": declined("expired_card", "33"),
  "30034": declined("suspected_fraud", "34"),
  "30035": declined("pickup_card", "35"),
  "30036": declined("restricted_card", "36"),
  "30037": declined("pickup_card", "37"),
  "30038": declined("pin_tries_exceeded", "38"),
  "30041": declined("lost_card", "41"),
  "30043": declined("stolen_card", "43"),
  "30044": declined("sanctions_or_aml"), // anonymous prepaid cards above the limit of AMLD5
  "30045": declined("funds_transfer_not_permitted"),
  "30046": declined("account_closed", "46"),

  // Risk. 40xxx are the codes of accounts without the enhanced ones: 41 this client's rules and lists, 42 an entity's,
  // 43 Checkout.com's own, 44 and 434 ask for 3-D Secure.
  "40101": declined("provider_risk_blocked"),
  "40108": declined("postal_code_mismatch"),
  "40201": declined("blocklisted"),
  "40202": declined("blocklisted"),
  "40203": declined("blocklisted"),
  "40204": declined("blocklisted"),
  "40205": declined("blocklisted"),
  "41101": declined("merchant_rule_blocked"),
  "41201": declined("blocklisted"),
  "41202": declined("blocklisted"),
  "41203": declined("blocklisted"),
  "41204": declined("blocklisted"),
  "41205": declined("blocklisted"),
  "41206": declined("blocklisted"),
  "41301": declined("merchant_rule_blocked"), // the merchant's own threshold of the fraud score
  "42101": declined("merchant_rule_blocked"),
  "42201": declined("blocklisted"),
  "42202": declined("blocklisted"),
  "42203": declined("blocklisted"),
  "42204": declined("blocklisted"),
  "42206": declined("blocklisted"),
  "42301": declined("merchant_rule_blocked"),
  "43101": declined("provider_risk_blocked"),
  "43102": declined("provider_risk_blocked"),
  "43201": declined("blocklisted"),
  "43202": declined("blocklisted"),
  "43203": declined("blocklisted"),
  "43204": declined("blocklisted"),
  "43205": declined("blocklisted"),
  "43206": declined("blocklisted"),
  "43301": declined("provider_risk_blocked"),
  "43401": declined("provider_three_ds_required"),
  "44301": declined("provider_three_ds_required"),

  // Refunds and payouts.
  "50001": declined("sanctions_or_aml"),
  "50002": declined("sanctions_or_aml"),
  "50003": declined("merchant_balance_insufficient"),
  "50005": declined("sanctions_or_aml"), // barred beneficiary
  "50020": declined("refund_not_possible"),
  "50021": declined("refund_not_possible"),
  "50022": declined("refund_not_possible"),
  "50023": declined("amount_limit_exceeded"),
  "50025": declined("account_not_found"),
  "50026": declined("account_not_found"),
  "50027": declined("issuer_error"),
  "50030": declined("refund_not_possible"),
  "50070": declined("merchant_misconfigured"), // the sender, which is the merchant
  "50100": declined("invalid_request"),
  "50101": declined("amount_limit_exceeded"),
  "50102": declined("merchant_limit_exceeded"),
  "50103": declined("amount_limit_exceeded"),
  "50104": declined("count_limit_exceeded"),
  "50105": declined("merchant_limit_exceeded"),
  "50106": declined("count_limit_exceeded"),
  "50150": declined("provider_error"),
  "50180": declined("invalid_request"),
  "50200": declined("merchant_misconfigured"),
  "50240": declined("wrong_state"), // a cancellation that failed
  "50260": declined("refund_not_possible"), // returned after it was sent
  "50280": declined("merchant_balance_insufficient"),
  "50399": declined("generic_decline"), // Checkout.com itself has no mapping
}
