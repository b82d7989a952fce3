// What each decline reason of decline.ts means, for the engineer who reads it in a log, on a screen or in
// docs/outcomes.md: what happened, and what sets it apart from its neighbours.

export const declineMeanings = {
  insufficient_funds: "The balance or credit line does not cover the amount.",
  amount_limit_exceeded: "The amount is above a limit of the card: per payment, per day, or for withdrawals.",
  count_limit_exceeded:
    "The card was used more often than its limit allows. A Mastercard 65 in Europe can stand for missing SCA instead.",
  cash_limit_exceeded: "The cash part of the payment is above the issuer's limit.",
  prepaid_balance_too_low: "A prepaid or gift card does not cover the amount; it cannot be topped up by waiting.",

  invalid_number: "No card has this number: wrong length, check digit or account.",
  invalid_expiry: "The expiry date is malformed or not the one on file. A right date that has passed is expired_card.",
  incorrect_cvc: "The security code does not match.",
  cvc_missing: "The provider or issuer wants a security code and got none.",
  address_mismatch: "The billing address does not match the issuer's (AVS), and that was made a ground for refusal.",
  postal_code_mismatch: "The postal code does not match the issuer's (AVS), and that was made a ground for refusal.",
  address_and_cvc_mismatch: "Both the address and the security code were checked and refused together.",
  billing_details_missing: "The provider wants billing details that were not sent.",
  holder_mismatch: "The cardholder's name does not match.",
  card_data_invalid: "Card data is wrong, and the code does not say which part.",
  card_type_mismatch: "The number belongs to another kind of card than the one that was declared.",
  unknown_issuer: "No issuer stands behind the first digits of the number.",

  expired_card: "The card's validity has ended. A newer card of the same account may exist.",
  lost_card: "The cardholder reported the card lost.",
  stolen_card: "The cardholder reported the card stolen.",
  pickup_card: "The issuer wants the card retained, without saying whether it was lost, stolen or abused.",
  restricted_card: "The issuer restricts the card, by country, use or status.",
  blocked_card: "The card is blocked for all use.",
  blocked_by_cardholder:
    "The cardholder switched off this kind of payment or froze the card; only they can switch it on.",
  card_not_activated: "The card is new and was not activated or not used for the first time as required.",
  account_not_found: "The issuer does not know this account.",
  account_closed: "The account existed and was closed.",
  account_restricted: "The account behind the card or mandate does not allow debits.",
  account_type_missing: "The card has no account of the type that was asked for: credit, checking or savings.",
  single_use_card_spent: "A virtual card for one payment was used before.",

  new_account_information: "The issuer has newer data for this card: an account updater or the customer can supply it.",
  lifecycle_declined:
    "Mastercard 79 and its like: invalid or expired data in the life of the card; the advice code tells more.",
  token_invalid: "The provider's or the network's token is unknown, expired or belongs to somebody else.",
  token_revoked: "The token was deleted or switched off by cardholder or issuer; the card itself may be fine.",
  token_requirements_not_met:
    "The network token was used in a way its type does not allow (Mastercard advice code 04).",
  token_already_used: "A token for one use was sent a second time.",
  cryptogram_invalid: "The network token's cryptogram was missing, used before or wrong.",
  token_required: "The network or regulation wants a token instead of the card number.",

  authentication_required: "A soft decline: the issuer wants 3-D Secure, or refuses the exemption that was claimed.",
  authentication_failed: "3-D Secure was tried, and the customer did not pass.",
  authentication_abandoned: "3-D Secure was begun and not finished in time.",
  authentication_unavailable: "3-D Secure could not run: the issuer's or the network's server failed.",
  authentication_not_supported: "The card does not take part in 3-D Secure.",
  authentication_data_invalid:
    "The result of 3-D Secure that was sent along is missing, malformed or does not fit the payment.",
  customer_present_required: "The issuer wants the customer to confirm in person, on a device or at a terminal.",
  identity_verification_failed: "The issuer checked the cardholder's identity, and it did not match.",
  pin_required: "The issuer wants a PIN.",
  incorrect_pin: "The PIN is wrong.",
  pin_tries_exceeded: "The PIN was wrong too often; the card is locked for PIN use.",
  pin_unverifiable: "The PIN could not be checked, for technical reasons.",
  cardholder_verification_required:
    "A terminal must start again with another verification method: signature, PIN or device.",

  suspected_fraud: "The issuer or its network suspects fraud in this payment.",
  security_declined:
    "Mastercard 83 and its like: security or fraud reasons that are not told; the advice code tells more.",
  security_violation:
    "A security check of issuer or network failed: wrong keys, altered data, or a rule for secure messages.",
  provider_risk_blocked:
    "The provider's own risk engine stopped the payment before an issuer saw it. Another provider may judge otherwise.",
  merchant_rule_blocked: "A rule that the merchant set up at the provider stopped the payment.",
  blocklisted: "Card, address, mail or device is on a block list.",
  provider_three_ds_required: "The provider's risk engine would take the payment with 3-D Secure.",
  retry_limit_reached:
    "The card was tried too often; the provider spares everybody the network's fee for excessive retries.",
  card_testing_suspected: "The provider saw a pattern of tested card numbers and stopped the series.",

  do_not_honor: "ISO 8583 code 05: the issuer declines and gives no reason.",
  generic_decline: "Declined, and the provider tells no reason or none was given.",
  policy_declined: "Mastercard 82 and its like: a policy of the issuer that is not told; the advice code tells more.",
  refer_to_issuer: "The issuer wants to be called. Online there is nobody to call.",
  voice_authorization_required: "The issuer approves only by telephone.",
  no_action_taken: "The issuer did nothing with the message and gave no reason.",
  issuer_try_later: "The issuer cannot approve now and asks for another try at another time.",
  do_not_try_again: "The issuer or the network forbids another try without giving the reason.",

  card_not_permitted: "ISO 8583 code 57: this cardholder may not make this kind of payment.",
  card_not_supported: "The card cannot be used for this kind of purchase, or the issuer blocks the kind.",
  merchant_not_permitted: "ISO 8583 code 58: this merchant or terminal may not make this kind of payment.",
  network_not_supported: "The account does not take cards of this network.",
  payment_method_not_supported: "The account or its country does not take this method for this payment.",
  online_payments_not_enabled: "The cardholder has to enable the card for online or foreign payments first.",
  currency_not_supported: "Card or account does not take this currency.",
  country_not_supported: "Card or account does not take payments from or to this country.",
  domestic_use_only: "The card works only in its own country. A local acquirer may pass.",
  recurring_not_supported: "The card does not take recurring payments.",
  installments_not_supported: "The card does not take payment in instalments.",
  cashback_not_available: "The card or merchant does not allow cash with the purchase.",
  surcharge_not_permitted: "The surcharge or fee is not allowed on this card or not supported.",
  funds_transfer_not_permitted: "The issuer does not allow pay-outs, transfers or betting with this card.",

  stop_payment: "R0: the cardholder stopped this one payment.",
  authorization_revoked: "R1: the cardholder revoked the agreement with this merchant.",
  all_authorizations_revoked: "R3: the cardholder revoked every recurring agreement on this card.",
  agreement_invalid:
    "The mandate or the reference to the first payment is missing, ended or not accepted by the issuer.",

  violation_of_law: "ISO 8583 code 93: completing the payment would break a law.",
  sanctions_or_aml: "A screening for sanctions or money laundering refused the payment.",

  canceled_by_customer: "The customer chose to cancel.",
  customer_timeout: "The customer did not finish in time.",
  wallet_funding_declined:
    "The card or account behind the customer's wallet was refused; another one in the wallet may pass.",
  wallet_account_restricted: "The customer's wallet account is locked, closed or may not pay.",

  merchant_misconfigured: "The account at the provider is set up wrongly for this payment.",
  invalid_merchant: "ISO 8583 code 03: the network does not accept this merchant number.",
  merchant_account_restricted: "The provider restricted, locked or closed the merchant's account.",
  merchant_limit_exceeded: "The payment is above a limit that the provider set for the merchant or terminal.",
  merchant_balance_insufficient: "The merchant's balance at the provider does not cover the refund or pay-out.",
  method_not_enabled: "The method or feature exists and was not switched on for this account.",
  three_ds_not_configured: "The merchant is not enrolled for 3-D Secure with this network at this provider.",
  invalid_credentials: "The provider does not accept the account's credentials or their permissions.",
  test_mode_mismatch: "A test card in live mode, or a live card in test mode.",
  invalid_transaction: "ISO 8583 code 12: the issuer or network does not accept a transaction of this shape.",
  invalid_request: "The provider could not read or validate our request: a defect of connector or configuration.",
  invalid_amount: "The amount is not acceptable to network or provider: malformed, zero, or not fitting the original.",
  amount_too_small: "The amount is below the provider's minimum.",
  amount_too_large: "The amount is above the provider's maximum.",
  feature_not_supported: "The provider or acquirer does not support the function that was asked for.",
  cryptographic_failure:
    "Keys, encryption or message authentication between merchant, provider and network do not fit.",
  duplicate_transaction:
    "A payment with the same amount and card was made a moment ago, and this one was refused as its copy.",
  idempotency_conflict: "The provider saw this idempotency key with another request, or is still working on it.",

  not_found: "The provider does not know the payment that the operation refers to.",
  wrong_state: "The payment's state at the provider does not allow the operation.",
  already_done: "The capture, void or refund was made before.",
  authorization_expired: "The authorization lapsed before it was captured.",
  amount_exceeds_original: "More was asked for than is left to capture or refund.",
  refund_not_possible: "The provider does not refund this payment, or not any more.",
  disputed: "A dispute is open on the payment, which bars the operation.",

  issuer_unavailable: "ISO 8583 code 91: the issuer or its processor cannot be reached.",
  issuer_timeout: "The issuer did not answer in time.",
  issuer_error: "The issuer's system failed while it worked on the payment.",
  stand_in_declined: "The network answered for the issuer and declined.",
  reenter_transaction: "ISO 8583 code 19: the issuer could not process it and asks for the same message once more.",
  network_unavailable: "The card network or the acquirer's way to it is down.",
  network_timeout: "An answer came too late for the network to use it.",
  network_error: "ISO 8583 code 96: a system on the way failed; the code does not say whose.",
  cannot_route: "ISO 8583 code 92: no way to this issuer was found.",
  cutoff_in_progress: "ISO 8583 code 90: end-of-day work is under way.",
  acquirer_unavailable: "The provider could not reach its acquirer.",
  acquirer_error: "The provider's acquirer failed.",
  provider_error: "The provider itself failed and says that the payment was not made.",
  provider_timeout: "The provider gave up waiting and says that the payment was not made.",
  provider_maintenance: "The provider is closed for maintenance.",
  rate_limited: "The provider takes no more requests from this account for the moment.",

  unmapped:
    "The provider's code stands in no table. The raw code is kept and counted; add it to the connector's table.",
} as const satisfies Readonly<Record<string, string>>
