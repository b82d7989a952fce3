// `errorCode` of requests that Adyen did not process: what was wrong. The numbers look like those of refusals and mean
// something else. "unknown" marks the few that leave open whether something was done.
//
// Source: docs.adyen.com/development-resources/error-codes (2026-07) and the error examples of Checkout v72. Left out:
// invoices, terminals, pay-outs and bank accounts, which a card payment cannot meet. Numbers shorter than three digits
// are padded before they are looked up.

import type { DeclineReason } from "../../core/decline.ts"

export const errorCodes: Readonly<Record<string, DeclineReason | "unknown">> = {
  "000": "invalid_request", // several messages, all of them about the request
  "010": "invalid_credentials", // the API credential lacks a role, e.g. the one for raw card data
  "100": "invalid_amount", // amount missing
  "101": "invalid_number",
  "102": "unknown_issuer", // no card brand for this number
  "103": "incorrect_cvc", // wrong length
  "104": "billing_details_missing",
  "105": "authentication_data_invalid", // PaRes
  "106": "authentication_data_invalid", // session used before
  "107": "method_not_enabled", // recurring
  "109": "payment_method_not_supported",
  "117": "billing_details_missing", // invalid billing address
  "118": "invalid_request", // invalid delivery address
  "119": "invalid_request", // shopper's name
  "120": "billing_details_missing", // shopper's mail address missing
  "121": "invalid_request", // shopperReference missing
  "122": "billing_details_missing", // phone number missing
  "123": "invalid_request", // phone number not of a mobile
  "124": "invalid_request", // phone number invalid
  "125": "invalid_request", // recurring contract
  "128": "billing_details_missing", // card holder missing
  "129": "invalid_expiry",
  "130": "invalid_request", // reference missing
  "131": "billing_details_missing", // city
  "132": "billing_details_missing", // street
  "133": "billing_details_missing", // house number
  "134": "billing_details_missing", // country
  "135": "billing_details_missing", // state or province
  "137": "invalid_amount",
  "138": "currency_not_supported",
  "139": "invalid_request", // recurring needs mail address and shopperReference
  "140": "invalid_expiry",
  "141": "invalid_expiry",
  "144": "invalid_expiry", // start month
  "145": "invalid_request", // issuer's country code
  "147": "invalid_request", // delivery address: city
  "148": "invalid_request", // delivery address: street
  "149": "invalid_request", // delivery address: house number
  "150": "invalid_request", // delivery address: country
  "151": "invalid_request", // delivery address: state or province
  "152": "installments_not_supported",
  "153": "incorrect_cvc",
  "154": "invalid_request", // no additionalData
  "155": "merchant_misconfigured", // no acquirer
  "156": "merchant_misconfigured", // no merchant id at the acquirer
  "157": "invalid_request",
  "158": "invalid_request", // required field missing
  "159": "invalid_request",
  "164": "invalid_request", // capture delay out of range
  "166": "invalid_amount", // not allowed for this operation
  "167": "not_found", // original pspReference missing or unknown
  "168": "invalid_request", // authorisation code required
  "170": "invalid_request",
  "171": "invalid_request",
  "172": "invalid_request", // encrypted data too old
  "173": "cryptographic_failure",
  "174": "cryptographic_failure",
  "175": "invalid_request", // JSON not readable
  "177": "invalid_request", // too much metadata
  "180": "invalid_request", // shopperReference
  "181": "invalid_request", // shopper's mail address
  "182": "network_not_supported", // selected brand
  "183": "agreement_invalid", // recurring contract
  "184": "invalid_request",
  "185": "invalid_request", // additionalData
  "186": "invalid_request",
  "187": "invalid_request",
  "188": "invalid_request",
  "189": "invalid_request", // statement text
  "190": "invalid_request", // shopper's IP address
  "191": "invalid_request",
  "192": "invalid_request",
  "193": "unknown_issuer", // no details for this number's first digits
  "194": "billing_details_missing", // billing address missing
  "195": "invalid_credentials", // no account with this key
  "196": "merchant_misconfigured", // merchant category code
  "198": "invalid_request", // reference too long
  "199": "cryptographic_failure", // no key configured
  "200": "invalid_request", // country code
  "700": "invalid_request", // no method
  "701": "unknown", // "server could not process request"
  "702": "invalid_request", // not readable as what it should be
  "703": "unknown", // a resource is temporarily unavailable
  "704": "unknown", // this idempotency key is being worked on, or was: the first request decides
  "800": "token_invalid", // no stored details for this shopper
  "802": "token_invalid",
  "803": "token_invalid", // stored details not found
  "805": "token_invalid", // not for this kind of payment
  "806": "token_invalid",
  "807": "agreement_invalid", // shopperInteraction and contract do not fit
  "901": "merchant_misconfigured", // merchant account unknown, or not ours
  "902": "invalid_request",
  "903": "unknown", // internal error
  "904": "unknown", // unable to process
  "905": "payment_method_not_supported", // no set-up for this card, currency and country
  "906": "not_found", // pspReference of another environment
  "907": "country_not_supported",
  "908": "invalid_request",
  "916": "amount_limit_exceeded",
  "920": "payment_method_not_supported",
  "950": "merchant_misconfigured",
  "951": "merchant_misconfigured",
  "952": "merchant_misconfigured",
  "953": "merchant_misconfigured",
  "954": "merchant_misconfigured",
  "955": "merchant_misconfigured",
  "956": "merchant_misconfigured",
  "957": "merchant_misconfigured",
  "958": "merchant_misconfigured",
  "959": "merchant_misconfigured",
  "960": "merchant_misconfigured",
  "961": "merchant_misconfigured",
  "962": "merchant_misconfigured",
  "966": "merchant_misconfigured",
  "967": "merchant_misconfigured",
  "1002": "invalid_request", // authorisation type
  "14_012": "invalid_request", // SDK token
  "14_018": "authentication_data_invalid", // what came back from the redirect is not readable
  "14_030": "invalid_request", // return address missing
  PA001: "merchant_misconfigured", // not permitted for this merchant
  PA002: "unknown", // internal error
}
