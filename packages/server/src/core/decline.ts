// The closed taxonomy of declines: every code of every provider and network ends in exactly one of these reasons, and
// all that routing, health, retries and people need to know hangs on the reason. What a reason means to an engineer
// stands in decline-meaning.ts. A code that no table knows is `unmapped`, is counted, and is never guessed.

import { declineMeanings } from "./decline-meaning.ts"

/** Whose doing it is. `unknown` only where nobody can tell. */
export type DeclineFault = "issuer" | "network" | "provider" | "merchant" | "customer" | "unknown"

/** May the same payment with the same card be sent again: `later` is not now, `with_changes` not as it is. */
export type DeclineRetry = "no" | "yes" | "later" | "with_changes"

/** What may be changed before another try. `new_card` gives up this card; all others keep it. */
export type DeclineChange =
  | "new_card"
  | "correct_number"
  | "correct_expiry"
  | "correct_cvc"
  | "correct_address"
  | "correct_pin"
  | "correct_holder"
  | "account_update"
  | "three_ds"
  | "without_three_ds"
  | "customer_present"
  | "fresh_agreement"
  | "lower_amount"
  | "higher_amount"
  | "other_currency"
  | "single_payment"
  | "card_number"
  | "network_token"
  | "fresh_cryptogram"
  | "corrected_request"
  | "merchant_setup"

/** Reasons of one kind. Only technical failures of provider and network speak against a provider's health. */
export const declineCategories = {
  insufficient_funds: { countsAgainstHealth: false, meaning: "The money is not there." },
  limit: {
    countsAgainstHealth: false,
    meaning: "The money may be there, but a limit of amount or count stands before it.",
  },
  card_data: { countsAgainstHealth: false, meaning: "Something typed in is wrong or missing." },
  card_state: { countsAgainstHealth: false, meaning: "The card exists but must not be used." },
  account_closed: { countsAgainstHealth: false, meaning: "There is no such account, or not any more." },
  authentication: {
    countsAgainstHealth: false,
    meaning: "3-D Secure, PIN or another proof of the customer is missing or failed.",
  },
  fraud: { countsAgainstHealth: false, meaning: "The issuer or the network suspects fraud." },
  issuer_policy: { countsAgainstHealth: false, meaning: "The issuer decided, and mostly does not say why." },
  not_permitted: { countsAgainstHealth: false, meaning: "This card does not do this kind of payment." },
  revoked: {
    countsAgainstHealth: false,
    meaning: "The cardholder withdrew the permission for payments like this one.",
  },
  lifecycle: { countsAgainstHealth: false, meaning: "Card or token was replaced: newer account data exists." },
  token: { countsAgainstHealth: false, meaning: "The token or its cryptogram is not usable, the card itself may be." },
  compliance: { countsAgainstHealth: false, meaning: "Law, sanctions or scheme rules forbid it." },
  duplicate: { countsAgainstHealth: false, meaning: "It looks like a payment that was already made." },
  customer_action: { countsAgainstHealth: false, meaning: "The customer stopped, or did not go on in time." },
  provider_risk: {
    countsAgainstHealth: false,
    meaning: "The provider's own checks blocked it before any issuer saw it.",
  },
  merchant_configuration: {
    countsAgainstHealth: false,
    meaning: "The merchant's account or set-up at the provider does not allow it.",
  },
  request: { countsAgainstHealth: false, meaning: "What we sent is wrong for the provider or the network." },
  state: {
    countsAgainstHealth: false,
    meaning: "The payment at the provider is not in the state that this operation needs.",
  },
  issuer_technical: {
    countsAgainstHealth: false,
    meaning: "The issuer or its processor failed or could not be reached.",
  },
  network_technical: { countsAgainstHealth: true, meaning: "The way from acquirer to issuer failed." },
  provider_technical: { countsAgainstHealth: true, meaning: "The provider or its acquirer failed." },
  unmapped: { countsAgainstHealth: false, meaning: "No table knows the code." },
} as const satisfies Record<string, { readonly countsAgainstHealth: boolean; readonly meaning: string }>

export type DeclineCategory = keyof typeof declineCategories

export type Decline = {
  readonly category: DeclineCategory
  readonly fault: DeclineFault
  /** Whether it is evidence of a technical failure of the provider. */
  readonly countsAgainstHealth: boolean
  /** Same payment, same card, same account. */
  readonly retryHere: DeclineRetry
  /** Same payment, same card, through another provider. */
  readonly retryElsewhere: DeclineRetry
  /** What may help at once, best first. Where both retries are `no`, that is another card or nothing. */
  readonly changes: readonly DeclineChange[]
  /** One sentence or two that may be shown to the customer. Never tells a thief that the card was reported. */
  readonly customerMessage: string
  /** For engineers: what happened, and what sets this reason apart from its neighbours. */
  readonly meaning: string
}

type Retry = Pick<Decline, "retryHere" | "retryElsewhere" | "changes">

// This card will not pay: not here, not elsewhere, not later. Scheme rules bill another try (Visa category 1).
const hard: Retry = { retryHere: "no", retryElsewhere: "no", changes: ["new_card"] }
// Nothing the customer does helps, and no other card either.
const final: Retry = { retryHere: "no", retryElsewhere: "no", changes: [] }
// The same answer is certain now, through any provider; in hours or days it may be another one.
const later: Retry = { retryHere: "later", retryElsewhere: "later", changes: ["new_card"] }
// As above, or at once with a smaller amount.
const laterOrLess: Retry = { retryHere: "later", retryElsewhere: "later", changes: ["lower_amount", "new_card"] }
// An issuer's discretionary no: another acquirer, descriptor or token path may get another answer at once.
const soft: Retry = { retryHere: "later", retryElsewhere: "yes", changes: ["new_card"] }
// Nobody decided about the card; the same message may pass at once.
const again: Retry = { retryHere: "yes", retryElsewhere: "yes", changes: [] }
// This provider failed, or is kept from it for a while.
const away: Retry = { retryHere: "later", retryElsewhere: "yes", changes: [] }
// This account never takes it; another one may.
const elsewhere: Retry = { retryHere: "no", retryElsewhere: "yes", changes: ["new_card"] }
const changed = (...changes: readonly DeclineChange[]): Retry => ({
  retryHere: "with_changes",
  retryElsewhere: "with_changes",
  changes,
})
// As it is it passes only through another provider; here it needs the change.
const changedHere = (...changes: readonly DeclineChange[]): Retry => ({
  retryHere: "with_changes",
  retryElsewhere: "yes",
  changes,
})

const say = {
  declined: "Your bank declined the payment. Please contact your bank or use another card.",
  anotherCard: "This card cannot be used for the payment. Please use another card or payment method.",
  funds: "There is not enough money available on this card. Please use another card or try again later.",
  balance: "There is not enough money on this card. Please use another card.",
  amountLimit: "The payment is above the limit of this card. Please use another card or contact your bank.",
  countLimit: "This card has reached its limit of payments for now. Please use another card or try again later.",
  number: "The card number is not right. Please check it and try again.",
  expiry: "The expiry date is not right. Please check it and try again.",
  expired: "This card has expired. Please use another card.",
  cvc: "The security code is not right. Please check it and try again.",
  address: "The billing address does not match the card. Please check it and try again.",
  details: "Some card details are missing or do not match. Please check them and try again.",
  pin: "The PIN is not right. Please try again.",
  confirm: "Your bank asks you to confirm this payment. Please try again and confirm it with your bank.",
  notConfirmed: "The payment was not confirmed with your bank. Please try again or use another card.",
  notAccepted: "This kind of card is not accepted for this payment. Please use another card or payment method.",
  currency: "This card cannot pay in this currency. Please use another card.",
  activate: "This card is not active yet. Please activate it with your bank or use another card.",
  permission: "The permission to charge this card was withdrawn. Please choose a payment method again.",
  reenter: "Your card details have changed. Please enter your card again.",
  duplicate: "This looks like a payment that you have just made. Please check before you try again.",
  cancelled: "The payment was cancelled.",
  tooLate: "The payment was not completed in time. Please try again.",
  tryAgain: "The payment could not be processed right now. Please try again in a few minutes.",
  otherMethod: "The payment cannot be taken this way at the moment. Please use another payment method.",
  wallet: "The payment was declined in your wallet. Please check your wallet or use another payment method.",
  shop: "The payment could not be processed. Please contact us.",
} as const

type Row = Omit<Decline, "meaning">

const by =
  (fault: DeclineFault) =>
  (category: DeclineCategory, retry: Retry, customerMessage: string): Row => ({
    category,
    fault,
    countsAgainstHealth: declineCategories[category].countsAgainstHealth,
    ...retry,
    customerMessage,
  })

const issuer = by("issuer")
const network = by("network")
const provider = by("provider")
const merchant = by("merchant")
const customer = by("customer")

const rows = {
  // Money and limits
  insufficient_funds: customer("insufficient_funds", later, say.funds),
  amount_limit_exceeded: customer("limit", laterOrLess, say.amountLimit),
  count_limit_exceeded: customer("limit", later, say.countLimit),
  cash_limit_exceeded: customer("limit", laterOrLess, say.amountLimit),
  prepaid_balance_too_low: customer("insufficient_funds", changed("lower_amount", "new_card"), say.balance),

  // What was typed in
  invalid_number: customer("card_data", changed("correct_number", "new_card"), say.number),
  invalid_expiry: customer("card_data", changed("correct_expiry", "new_card"), say.expiry),
  incorrect_cvc: customer("card_data", changed("correct_cvc", "new_card"), say.cvc),
  cvc_missing: merchant("card_data", changed("correct_cvc", "new_card"), say.cvc),
  address_mismatch: customer("card_data", changed("correct_address", "new_card"), say.address),
  postal_code_mismatch: customer("card_data", changed("correct_address", "new_card"), say.address),
  address_and_cvc_mismatch: customer("card_data", changed("correct_address", "correct_cvc", "new_card"), say.details),
  billing_details_missing: merchant("card_data", changed("correct_address"), say.address),
  holder_mismatch: customer("card_data", changed("correct_holder", "new_card"), say.details),
  card_data_invalid: customer(
    "card_data",
    changed("correct_number", "correct_expiry", "correct_cvc", "new_card"),
    say.details,
  ),
  card_type_mismatch: customer("card_data", changed("correct_number", "new_card"), say.number),
  unknown_issuer: customer("card_data", changed("correct_number", "new_card"), say.number),

  // State of card and account
  expired_card: customer("card_state", changed("account_update", "correct_expiry", "new_card"), say.expired),
  lost_card: issuer("card_state", hard, say.anotherCard),
  stolen_card: issuer("card_state", hard, say.anotherCard),
  pickup_card: issuer("card_state", hard, say.anotherCard),
  restricted_card: issuer("card_state", hard, say.anotherCard),
  blocked_card: issuer("card_state", hard, say.anotherCard),
  blocked_by_cardholder: customer("card_state", later, say.declined),
  card_not_activated: customer("card_state", later, say.activate),
  account_not_found: issuer("account_closed", hard, say.anotherCard),
  account_closed: issuer("account_closed", changed("account_update", "new_card"), say.anotherCard),
  account_restricted: issuer("card_state", hard, say.anotherCard),
  account_type_missing: issuer("account_closed", hard, say.anotherCard),
  single_use_card_spent: customer("card_state", hard, say.anotherCard),

  // Lifecycle and tokens
  new_account_information: issuer("lifecycle", changed("account_update", "new_card"), say.reenter),
  lifecycle_declined: issuer("lifecycle", changed("account_update", "correct_expiry", "new_card"), say.reenter),
  token_invalid: merchant("token", changed("card_number", "new_card"), say.reenter),
  token_revoked: customer("token", changed("card_number", "new_card"), say.reenter),
  token_requirements_not_met: merchant("token", changed("card_number", "fresh_cryptogram", "new_card"), say.tryAgain),
  token_already_used: merchant("token", changed("fresh_cryptogram", "new_card"), say.reenter),
  cryptogram_invalid: merchant("token", changed("fresh_cryptogram", "card_number"), say.tryAgain),
  token_required: merchant("token", changed("network_token"), say.otherMethod),

  // Authentication
  authentication_required: issuer("authentication", changed("three_ds", "new_card"), say.confirm),
  authentication_failed: customer("authentication", changed("three_ds", "new_card"), say.notConfirmed),
  authentication_abandoned: customer("authentication", changed("three_ds", "new_card"), say.notConfirmed),
  authentication_unavailable: issuer("authentication", soft, say.tryAgain),
  authentication_not_supported: issuer("authentication", changed("without_three_ds", "new_card"), say.notAccepted),
  authentication_data_invalid: merchant("authentication", changed("three_ds", "new_card"), say.confirm),
  customer_present_required: issuer("authentication", changed("customer_present", "three_ds", "new_card"), say.confirm),
  identity_verification_failed: customer("authentication", changed("correct_holder", "new_card"), say.details),
  pin_required: issuer("authentication", changed("correct_pin", "new_card"), say.confirm),
  incorrect_pin: customer("authentication", changed("correct_pin", "new_card"), say.pin),
  pin_tries_exceeded: customer("authentication", hard, say.anotherCard),
  pin_unverifiable: issuer("authentication", changed("correct_pin", "new_card"), say.tryAgain),
  cardholder_verification_required: issuer("authentication", changed("customer_present", "new_card"), say.confirm),

  // Fraud and risk
  suspected_fraud: issuer("fraud", changed("three_ds", "new_card"), say.declined),
  security_declined: issuer("fraud", changed("three_ds", "new_card"), say.declined),
  security_violation: issuer("fraud", hard, say.declined),
  provider_risk_blocked: provider("provider_risk", elsewhere, say.otherMethod),
  merchant_rule_blocked: merchant("provider_risk", hard, say.otherMethod),
  blocklisted: merchant("provider_risk", hard, say.otherMethod),
  provider_three_ds_required: provider("provider_risk", changed("three_ds", "new_card"), say.confirm),
  retry_limit_reached: merchant("provider_risk", later, say.countLimit),
  card_testing_suspected: provider("provider_risk", hard, say.otherMethod),

  // The issuer's decision
  do_not_honor: issuer("issuer_policy", soft, say.declined),
  generic_decline: issuer("issuer_policy", soft, say.declined),
  policy_declined: issuer("issuer_policy", soft, say.declined),
  refer_to_issuer: issuer("issuer_policy", soft, say.declined),
  voice_authorization_required: issuer("issuer_policy", hard, say.declined),
  no_action_taken: issuer("issuer_policy", soft, say.declined),
  issuer_try_later: issuer("issuer_policy", later, say.declined),
  do_not_try_again: issuer("issuer_policy", hard, say.declined),

  // Kinds of payment
  card_not_permitted: issuer("not_permitted", hard, say.notAccepted),
  card_not_supported: issuer("not_permitted", hard, say.notAccepted),
  merchant_not_permitted: merchant("not_permitted", elsewhere, say.otherMethod),
  network_not_supported: merchant("not_permitted", elsewhere, say.notAccepted),
  payment_method_not_supported: merchant("not_permitted", elsewhere, say.otherMethod),
  online_payments_not_enabled: customer("not_permitted", later, say.declined),
  currency_not_supported: merchant("not_permitted", changedHere("other_currency", "new_card"), say.currency),
  country_not_supported: merchant("not_permitted", elsewhere, say.notAccepted),
  domestic_use_only: issuer("not_permitted", elsewhere, say.notAccepted),
  recurring_not_supported: issuer("not_permitted", changed("single_payment", "new_card"), say.notAccepted),
  installments_not_supported: issuer("not_permitted", changed("single_payment", "new_card"), say.notAccepted),
  cashback_not_available: issuer("not_permitted", changed("lower_amount", "new_card"), say.declined),
  surcharge_not_permitted: merchant("not_permitted", changed("lower_amount"), say.shop),
  funds_transfer_not_permitted: issuer("not_permitted", hard, say.notAccepted),

  // Permission withdrawn
  stop_payment: customer("revoked", hard, say.permission),
  authorization_revoked: customer("revoked", changed("fresh_agreement", "new_card"), say.permission),
  all_authorizations_revoked: customer("revoked", hard, say.permission),
  agreement_invalid: merchant("revoked", changed("fresh_agreement", "customer_present", "new_card"), say.permission),

  // Law
  violation_of_law: issuer("compliance", hard, say.anotherCard),
  sanctions_or_aml: issuer("compliance", hard, say.anotherCard),

  // The customer
  canceled_by_customer: customer("customer_action", changed("customer_present", "new_card"), say.cancelled),
  customer_timeout: customer("customer_action", changed("customer_present", "new_card"), say.tooLate),
  wallet_funding_declined: customer("customer_action", changed("customer_present", "new_card"), say.wallet),
  wallet_account_restricted: customer("card_state", hard, say.wallet),

  // The merchant's set-up and request
  merchant_misconfigured: merchant("merchant_configuration", elsewhere, say.otherMethod),
  invalid_merchant: merchant("merchant_configuration", elsewhere, say.otherMethod),
  merchant_account_restricted: merchant("merchant_configuration", elsewhere, say.otherMethod),
  merchant_limit_exceeded: merchant(
    "merchant_configuration",
    changedHere("lower_amount", "merchant_setup"),
    say.otherMethod,
  ),
  merchant_balance_insufficient: merchant("merchant_configuration", later, say.shop),
  method_not_enabled: merchant("merchant_configuration", elsewhere, say.otherMethod),
  three_ds_not_configured: merchant("merchant_configuration", elsewhere, say.otherMethod),
  invalid_credentials: merchant("merchant_configuration", elsewhere, say.otherMethod),
  test_mode_mismatch: merchant("merchant_configuration", hard, say.anotherCard),
  invalid_transaction: merchant("request", changed("corrected_request", "new_card"), say.otherMethod),
  invalid_request: merchant("request", changedHere("corrected_request"), say.shop),
  invalid_amount: merchant("request", changed("corrected_request", "lower_amount"), say.shop),
  amount_too_small: merchant("request", changedHere("higher_amount"), say.otherMethod),
  amount_too_large: merchant("request", changedHere("lower_amount"), say.amountLimit),
  feature_not_supported: merchant("request", changedHere("corrected_request"), say.otherMethod),
  cryptographic_failure: merchant("request", changedHere("corrected_request"), say.tryAgain),
  duplicate_transaction: merchant("duplicate", final, say.duplicate),
  idempotency_conflict: merchant("duplicate", final, say.tryAgain),

  // The payment at the provider (captures, voids, refunds)
  not_found: merchant("state", final, say.shop),
  wrong_state: merchant("state", final, say.shop),
  already_done: merchant("state", final, say.shop),
  authorization_expired: merchant("state", changed("customer_present", "new_card"), say.tooLate),
  amount_exceeds_original: merchant("state", changed("lower_amount"), say.shop),
  refund_not_possible: merchant("state", final, say.shop),
  disputed: merchant("state", final, say.shop),

  // Technical
  issuer_unavailable: issuer("issuer_technical", away, say.tryAgain),
  issuer_timeout: issuer("issuer_technical", away, say.tryAgain),
  issuer_error: issuer("issuer_technical", away, say.tryAgain),
  stand_in_declined: issuer("issuer_technical", soft, say.tryAgain),
  reenter_transaction: issuer("issuer_technical", again, say.tryAgain),
  network_unavailable: network("network_technical", away, say.tryAgain),
  network_timeout: network("network_technical", away, say.tryAgain),
  network_error: network("network_technical", away, say.tryAgain),
  cannot_route: network("network_technical", elsewhere, say.tryAgain),
  cutoff_in_progress: network("network_technical", away, say.tryAgain),
  acquirer_unavailable: provider("provider_technical", away, say.tryAgain),
  acquirer_error: provider("provider_technical", away, say.tryAgain),
  provider_error: provider("provider_technical", away, say.tryAgain),
  provider_timeout: provider("provider_technical", away, say.tryAgain),
  provider_maintenance: provider("provider_technical", away, say.tryAgain),
  rate_limited: provider("provider_technical", away, say.tryAgain),

  unmapped: by("unknown")("unmapped", later, say.declined),
} as const satisfies Record<string, Row>

export type DeclineReason = keyof typeof rows

/** The whole taxonomy, in reading order: `declineReasons[reason].retryElsewhere`. */
export const declineReasons: Readonly<Record<DeclineReason, Decline>> = withMeanings(rows, declineMeanings)

/** Whether the text is a reason, for what comes back from a store or over the wire. */
export function isDeclineReason(text: string): text is DeclineReason {
  return Object.hasOwn(rows, text)
}

function withMeanings<R extends string>(
  facts: Readonly<Record<R, Row>>,
  meanings: Readonly<Record<R, string>>,
): Readonly<Record<R, Decline>> {
  const entries = (Object.keys(facts) as R[]).map((reason) => [reason, { ...facts[reason], meaning: meanings[reason] }])
  return Object.fromEntries(entries) as Record<R, Decline>
}
