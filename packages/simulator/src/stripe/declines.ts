// How Stripe words an issuer's answer: ISO 8583 response code → decline code, error code, message, advice.
// Decline codes and their advice: https://docs.stripe.com/declines/codes

export type Decline = {
  readonly code: string
  readonly declineCode: string
  readonly message: string
  readonly adviceCode: AdviceCode | null
  /** As the network sent them; null when the network was never asked. */
  readonly networkDeclineCode: string | null
  readonly networkAdviceCode: string | null
}
type AdviceCode = "confirm_card_data" | "do_not_try_again" | "try_again_later"

/** Stripe does not publish its mapping of network codes; this one follows the codes' meanings. */
const DECLINE_CODES: Readonly<Record<string, string>> = {
  "01": "call_issuer",
  "02": "call_issuer",
  "03": "service_not_allowed",
  "04": "pickup_card",
  "05": "do_not_honor",
  "06": "processing_error",
  "07": "pickup_card",
  "12": "transaction_not_allowed",
  "13": "invalid_amount",
  "14": "incorrect_number",
  "15": "invalid_account",
  "19": "reenter_transaction",
  "1A": "authentication_required",
  "41": "lost_card",
  "43": "stolen_card",
  "46": "invalid_account",
  "51": "insufficient_funds",
  "54": "expired_card",
  "55": "incorrect_pin",
  "57": "transaction_not_allowed",
  "58": "service_not_allowed",
  "59": "fraudulent",
  "61": "card_velocity_exceeded",
  "62": "restricted_card",
  "63": "security_violation",
  "65": "withdrawal_count_limit_exceeded",
  "75": "pin_try_exceeded",
  "78": "new_account_information_available",
  "82": "incorrect_cvc",
  "83": "fraudulent",
  "91": "issuer_not_available",
  "93": "not_permitted",
  "94": "duplicate_transaction",
  "96": "processing_error",
  N7: "incorrect_cvc",
  R0: "stop_payment_order",
  R1: "revocation_of_authorization",
  R3: "revocation_of_all_authorizations",
}

/** Decline codes that are error codes in their own right; all others come as `card_declined`. */
const OWN_CODES: readonly string[] = [
  "authentication_required",
  "expired_card",
  "incorrect_cvc",
  "incorrect_number",
  "processing_error",
]

const MESSAGES: Readonly<Record<string, string>> = {
  authentication_required: "Your card was declined. This transaction requires authentication.",
  card_velocity_exceeded:
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
  expired_card: "Your card has expired.",
  incorrect_cvc: "Your card's security code is incorrect.",
  incorrect_number: "Your card number is incorrect.",
  insufficient_funds: "Your card has insufficient funds.",
  processing_error: "An error occurred while processing your card. Try again in a little bit.",
  transaction_not_allowed: "Your card does not support this type of purchase.",
}

const ADVICE: Readonly<Record<string, AdviceCode>> = {
  expired_card: "confirm_card_data",
  incorrect_cvc: "confirm_card_data",
  incorrect_number: "confirm_card_data",
  invalid_account: "do_not_try_again",
  lost_card: "do_not_try_again",
  stolen_card: "do_not_try_again",
  pickup_card: "do_not_try_again",
  fraudulent: "do_not_try_again",
  restricted_card: "do_not_try_again",
  revocation_of_authorization: "do_not_try_again",
  revocation_of_all_authorizations: "do_not_try_again",
  stop_payment_order: "do_not_try_again",
  insufficient_funds: "try_again_later",
  card_velocity_exceeded: "try_again_later",
  withdrawal_count_limit_exceeded: "try_again_later",
  issuer_not_available: "try_again_later",
  processing_error: "try_again_later",
  generic_decline: "try_again_later",
  do_not_honor: "try_again_later",
}

export function declineFrom(responseCode: string, network: { adviceCode?: string; words?: string } = {}): Decline {
  const declineCode = network.words ?? DECLINE_CODES[responseCode] ?? "generic_decline"
  return {
    ...worded(declineCode),
    networkDeclineCode: responseCode,
    networkAdviceCode: network.adviceCode ?? null,
  }
}

/** Stripe's own refusal; the issuer was never asked. */
export function ownDecline(declineCode: string): Decline {
  return { ...worded(declineCode), networkDeclineCode: null, networkAdviceCode: null }
}

function worded(declineCode: string): Pick<Decline, "code" | "declineCode" | "message" | "adviceCode"> {
  return {
    code: OWN_CODES.includes(declineCode) ? declineCode : "card_declined",
    declineCode,
    message: MESSAGES[declineCode] ?? "Your card was declined.",
    adviceCode: ADVICE[declineCode] ?? null,
  }
}
