// What card networks and issuers answer in ISO 8583 field 39, and what Mastercard and Visa say about trying again.
// Providers pass these codes on beside their own; a connector whose provider does so can fall back on this table. The
// same two characters mean different things on different networks, so the tables are common first, then by network.

import type { Network } from "./card.ts"
import type { DeclineChange, DeclineReason } from "./decline.ts"

/** `approved_partially`: the approved amount is smaller than the requested one and stands in another field. */
export type NetworkVerdict =
  | { readonly kind: "approved" | "approved_partially" }
  | { readonly kind: "declined"; readonly reason: DeclineReason }

/** `scaApplies`: a customer-initiated online payment under strong customer authentication that was not authenticated. */
export type NetworkCodeContext = {
  readonly network?: Network
  readonly adviceCode?: string
  readonly scaApplies?: boolean
}

/**
 * The verdict of a response code as the network gave it ("05", "N7", Amex "116"), or undefined when no table knows it:
 * the caller then says `unmapped`. An advice code that says more than the response code decides the reason.
 */
export function readNetworkCode(code: string, context: NetworkCodeContext = {}): NetworkVerdict | undefined {
  const { network, adviceCode, scaApplies } = context
  const own = network === undefined ? undefined : lookup(codesByNetwork[network] ?? {}, code)
  const meaning = own ?? lookup(commonCodes, code)
  if (meaning === undefined) return undefined
  if (meaning === "approved" || meaning === "approved_partially") return { kind: meaning }
  // Mastercard issuers in Europe ask for SCA with 65, which elsewhere is a count limit (Identity Check soft decline).
  if (network === "mastercard" && code === "65" && scaApplies === true) return declined("authentication_required")
  const advised = network === "mastercard" && adviceCode !== undefined ? readAdviceCode(adviceCode)?.reason : undefined
  return declined(advised ?? meaning)
}

type Meaning = DeclineReason | "approved" | "approved_partially"

const declined = (reason: DeclineReason): NetworkVerdict => ({ kind: "declined", reason })
const lookup = <V>(table: Readonly<Record<string, V>>, code: string): V | undefined =>
  Object.hasOwn(table, code) ? table[code] : undefined

/**
 * Source: ISO 8583:1987 field 39 and the code lists that Worldpay (raw response codes), Checkout.com, Braintree,
 * Mastercard Send and Thredd publish, as of 2026-09. Left out on purpose: 09 (request in progress), 32 (completed
 * partially), 95, 97 and 99, which do not say what became of the payment.
 */
export const commonCodes: Readonly<Record<string, Meaning>> = {
  "00": "approved",
  "01": "refer_to_issuer",
  "02": "refer_to_issuer",
  "03": "invalid_merchant",
  "04": "pickup_card",
  "05": "do_not_honor",
  "06": "issuer_error",
  "07": "pickup_card",
  "08": "approved", // honour with identification
  "10": "approved_partially",
  "11": "approved", // VIP
  "12": "invalid_transaction",
  "13": "invalid_amount",
  "14": "invalid_number",
  "15": "unknown_issuer",
  "16": "approved", // update track 3
  "17": "canceled_by_customer",
  "18": "disputed",
  "19": "reenter_transaction",
  "20": "issuer_error", // invalid response
  "21": "no_action_taken",
  "22": "issuer_error", // suspected malfunction
  "23": "surcharge_not_permitted", // unacceptable fee
  "24": "feature_not_supported",
  "25": "not_found",
  "26": "duplicate_transaction",
  "27": "invalid_request",
  "28": "issuer_unavailable", // file temporarily unavailable
  "29": "issuer_error",
  "30": "invalid_request",
  "31": "cannot_route", // bank not supported by switch
  "33": "expired_card",
  "34": "suspected_fraud",
  "35": "pickup_card",
  "36": "restricted_card",
  "37": "pickup_card",
  "38": "pin_tries_exceeded",
  "39": "account_type_missing", // credit
  "40": "feature_not_supported",
  "41": "lost_card",
  "42": "account_type_missing", // universal
  "43": "stolen_card",
  "44": "account_type_missing", // investment
  "45": "feature_not_supported", // fallback of a chip card
  "46": "account_closed",
  "51": "insufficient_funds",
  "52": "account_type_missing", // checking
  "53": "account_type_missing", // savings
  "54": "expired_card",
  "55": "incorrect_pin",
  "56": "account_not_found",
  "57": "card_not_permitted",
  "58": "merchant_not_permitted",
  "59": "suspected_fraud",
  "60": "merchant_misconfigured", // contact acquirer
  "61": "amount_limit_exceeded",
  "62": "restricted_card",
  "63": "security_violation",
  "64": "invalid_amount", // original amount incorrect
  "65": "count_limit_exceeded",
  "66": "security_violation",
  "67": "pickup_card",
  "68": "network_timeout",
  "70": "refer_to_issuer",
  "72": "card_not_activated",
  "74": "cryptographic_failure",
  "75": "pin_tries_exceeded",
  "76": "not_found",
  "77": "not_found",
  "78": "card_not_activated",
  "79": "lifecycle_declined",
  "82": "policy_declined",
  "83": "security_declined",
  "85": "approved", // no reason to decline: account verification
  "86": "pin_unverifiable",
  "88": "cryptographic_failure",
  "89": "incorrect_pin",
  "90": "cutoff_in_progress",
  "91": "issuer_unavailable",
  "92": "cannot_route",
  "93": "violation_of_law",
  "94": "duplicate_transaction",
  "96": "network_error",
  "98": "cryptographic_failure",
  "1A": "authentication_required",
  "5C": "card_not_supported", // blocked by issuer for a card range
  "6P": "identity_verification_failed",
  "9G": "blocked_by_cardholder",
  B1: "surcharge_not_permitted",
  B2: "surcharge_not_permitted",
  C0: "authentication_required",
  C1: "authentication_required",
  N0: "stand_in_declined",
  N3: "cashback_not_available",
  N4: "cash_limit_exceeded",
  N5: "do_not_try_again",
  N7: "incorrect_cvc",
  N8: "amount_exceeds_original",
  Q1: "security_violation", // card authentication failed
  R0: "stop_payment",
  R1: "authorization_revoked",
  R2: "card_not_permitted", // does not qualify for Visa PIN
  R3: "all_authorizations_revoked",
  Y1: "approved", // offline
  Y3: "approved", // unable to go online
  Z1: "generic_decline", // offline
  Z3: "network_unavailable", // unable to go online
}

/** Where a network departs from the common table. Amex answers with three digits of its own. */
export const codesByNetwork: Readonly<Partial<Record<Network, Readonly<Record<string, Meaning>>>>> = {
  // Source: Visa codes as published by Worldpay and Thredd; 12, 15, 5C, 9G, 6P and 57 as narrowed in 2025.
  visa: {
    "64": "sanctions_or_aml",
    "70": "pin_required",
    "79": "already_done", // reversed by the switch
    "80": "invalid_transaction", // no financial impact
    "81": "cryptographic_failure",
    "82": "incorrect_cvc", // negative CAM, dCVV, iCVV or CVV result
    "83": "security_declined", // Visa's own network block, from 2026-10-25
  },
  // Source: Mastercard field 39 as published by Mastercard Send and Thredd; 79, 82, 83 group decline reasons.
  mastercard: {
    "71": "incorrect_pin", // not changed
    "76": "account_type_missing",
    "77": "account_type_missing",
    "78": "account_type_missing",
    "80": "issuer_unavailable",
    "81": "card_not_permitted", // domestic debit not allowed
    "84": "authorization_expired", // invalid authorization life cycle
    "87": "approved_partially", // purchase amount only, no cash
    "1Z": "issuer_unavailable",
  },
  // Source: American Express action codes as acquirers restate them (Lyra and others), as of 2026-09. Restatements differ
  // on 189: some call it a cancelled account.
  amex: {
    "000": "approved",
    "001": "approved", // with identification
    "002": "approved_partially",
    "100": "do_not_honor",
    "101": "expired_card",
    "106": "pin_tries_exceeded",
    "107": "refer_to_issuer",
    "109": "invalid_merchant",
    "110": "invalid_amount",
    "111": "invalid_number",
    "115": "feature_not_supported",
    "116": "insufficient_funds",
    "117": "incorrect_pin",
    "119": "card_not_permitted",
    "121": "amount_limit_exceeded",
    "122": "incorrect_cvc",
    "125": "invalid_expiry",
    "130": "authentication_required",
    "181": "invalid_request",
    "183": "currency_not_supported",
    "187": "new_account_information",
    "189": "merchant_account_restricted", // cancelled or closed merchant
    "200": "pickup_card",
    "900": "approved", // accepted, counter synchronisation
    "909": "network_error",
    "911": "issuer_timeout",
    "912": "issuer_unavailable",
  },
}

/** `never`, `after` a time, `with_changes`, or `unrestricted`: nothing is said against another try. */
export type Advice = {
  readonly retry: "never" | "after" | "with_changes" | "unrestricted"
  readonly afterSeconds?: number
  readonly changes?: readonly DeclineChange[]
  /** Where the advice tells the reason better than the response code does. */
  readonly reason?: DeclineReason
  readonly meaning: string
}

const hour = 3600
const day = 24 * hour

/**
 * Mastercard merchant advice codes. Source: Braintree, Antom, Airwallex and Solidgate merchant advice tables (2026);
 * 02 names no time on the wire, 72 hours is what Airwallex and Solidgate recommend; 22 and 42 from CyberSource and
 * Yuno. A repeat after 03 or 21 within 30 days is billed (Transaction Processing Excellence).
 */
export const adviceCodes: Readonly<Record<string, Advice>> = {
  "01": {
    retry: "with_changes",
    changes: ["account_update", "new_card"],
    reason: "new_account_information",
    meaning: "New account information is available.",
  },
  "02": { retry: "after", afterSeconds: 72 * hour, meaning: "Cannot approve at this time, try again later." },
  "03": { retry: "never", meaning: "Do not try again." },
  "04": {
    retry: "with_changes",
    changes: ["card_number", "fresh_cryptogram"],
    reason: "token_requirements_not_met",
    meaning: "Token requirements are not fulfilled for this type of token.",
  },
  "21": { retry: "never", reason: "authorization_revoked", meaning: "The cardholder cancelled the recurring payment." },
  "22": {
    retry: "with_changes",
    changes: ["merchant_setup"],
    reason: "merchant_misconfigured",
    meaning: "The merchant does not qualify for the product code.",
  },
  "24": { retry: "after", afterSeconds: hour, meaning: "Retry after 1 hour." },
  "25": { retry: "after", afterSeconds: day, meaning: "Retry after 24 hours." },
  "26": { retry: "after", afterSeconds: 2 * day, meaning: "Retry after 2 days." },
  "27": { retry: "after", afterSeconds: 4 * day, meaning: "Retry after 4 days." },
  "28": { retry: "after", afterSeconds: 6 * day, meaning: "Retry after 6 days." },
  "29": { retry: "after", afterSeconds: 8 * day, meaning: "Retry after 8 days." },
  "30": { retry: "after", afterSeconds: 10 * day, meaning: "Retry after 10 days." },
  "40": { retry: "unrestricted", meaning: "The card is a consumer's non-reloadable prepaid card." },
  "41": { retry: "unrestricted", meaning: "The card is a consumer's virtual number for one use." },
  "42": { retry: "never", meaning: "The payment exceeds the issuer's risk threshold: ask for another card." },
  "43": { retry: "unrestricted", meaning: "The card is a consumer's virtual number for several uses." },
}

/** The advice of a Mastercard merchant advice code, or undefined when it stands in no table. */
export function readAdviceCode(code: string): Advice | undefined {
  return lookup(adviceCodes, code)
}

export type VisaCategory = 1 | 2 | 3 | 4

/**
 * How often Visa lets the same card and amount be tried again after a decline, per rolling 30 days. Source: Visa Core
 * Rules of 2026-04-18, table 7-2, as restated by TabaPay and others (15 until May 2025).
 */
export const visaCategories: Readonly<
  Record<VisaCategory, { readonly retriesIn30Days: number; readonly meaning: string }>
> = {
  1: { retriesIn30Days: 0, meaning: "The issuer will never approve." },
  2: { retriesIn30Days: 20, meaning: "The issuer cannot approve at this time." },
  3: { retriesIn30Days: 20, meaning: "Something in the payment's data is wrong: check it first." },
  4: { retriesIn30Days: 20, meaning: "Generic: all other declines." },
}

// Source: Checkout.com (2025-02), Worldpay and TabaPay (2026). 14 is in category 1 and 3: the same number must not be
// tried again, so it counts as 1. 03, 62, 78 and 93 left category 1 in 2021; older lists still show them there.
const visaCategoryCodes: readonly (readonly [VisaCategory, string])[] = [
  [1, "04 07 12 14 15 41 43 46 57 R0 R1 R3"],
  [2, "03 19 39 51 52 53 59 61 62 65 75 78 83 86 91 93 96 5C 9G N3 N4"],
  [3, "54 55 63 70 82 1A N7"],
]

/** The category of a declining Visa response code; every decline that no list names is generic, 4. Undefined for approvals. */
export function visaCategoryOf(code: string): VisaCategory | undefined {
  const verdict = readNetworkCode(code, { network: "visa" })
  if (verdict !== undefined && verdict.kind !== "declined") return undefined
  return visaCategoryCodes.find(([, codes]) => codes.split(" ").includes(code))?.[0] ?? 4
}
