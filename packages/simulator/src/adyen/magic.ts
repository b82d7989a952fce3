// Test values that decide instead of an issuer: holder names, or their number in the additional data field
// RequestedTestAcquirerResponseCode. https://docs.adyen.com/development-resources/testing/result-codes
import { type Refusal, refusal } from "./refusal.ts"

export type Magic =
  | { readonly type: "approved" }
  | { readonly type: "partially_approved" }
  | { readonly type: "pending" }
  | { readonly type: "refused"; readonly refusal: Refusal; readonly raw: string }

/** In the order of their numbers: UNKNOWN is 0, APPROVED 1, and so on. */
const HOLDER_NAMES =
  `UNKNOWN APPROVED DECLINED REFERRAL ERROR BLOCK_CARD CARD_EXPIRED INVALID_AMOUNT INVALID_CARD_NUMBER ISSUER_UNAVAILABLE
  NOT_SUPPORTED NOT_3D_AUTHENTICATED NOT_ENOUGH_BALANCE PENDING ACQUIRER_FRAUD CANCELLED SHOPPER_CANCELLED INVALID_PIN
  PIN_TRIES_EXCEEDED PIN_VALIDATION_NOT_POSSIBLE FRAUD NOT_SUBMITTED FRAUD_CANCELLED TRANSACTION_NOT_PERMITTED CVC_DECLINED
  RESTRICTED_CARD REVOCATION_OF_AUTH DECLINED_NON_GENERIC WITHDRAWAL_AMOUNT_EXCEEDED WITHDRAWAL_COUNT_EXCEEDED
  PARTIALLY_APPROVED ISSUER_SUSPECTED_FRAUD AVS_DECLINED PIN_REQUIRED NO_CHECKING_ACCOUNT NO_SAVINGS_ACCOUNT
  MOBILE_PIN_REQUIRED CONTACTLESS_FALLBACK AUTHENTICATION_REQUIRED RREQ_NOT_RECEIVED BAN_CURRENT_AID CVM_REQUIRED
  THREED_SECURE_ERROR ONLINE_PIN_REQUIRED TRY_ANOTHER_INTERFACE CHIP_DOWNGRADE_MODE ERPS_BLOCK`.split(/\s+/)

/** Payments by these holders are approved, and their captures or refunds fail after they were accepted. */
export const CAPTURE_FAILS = "capture failed"
export const REFUND_FAILS = "refund failed"

const MAX_RAW_LENGTH = 80

export type MagicInput = {
  readonly holderName: string
  readonly requestedCode: string | undefined
  /** Whether expiry and CVC are those of Adyen's test cards, 03/2030 and 737 (7373). */
  readonly testCardDetails: boolean
}

/** Undefined leaves the decision to the issuer. */
export function magicOf({ holderName, requestedCode, testCardDetails }: MagicInput): Magic | undefined {
  const requested = requestedCode === undefined ? undefined : HOLDER_NAMES[Number(requestedCode)]
  if (requested) return magicNamed(requested)
  // "DECLINED : 06 : ERROR": the decision, then the scheme's code and text.
  const [name = "", ...raw] = holderName.split(" : ")
  const magic = magicNamed(name)
  if (magic?.type !== "refused" || raw.length === 0) return magic
  if (!testCardDetails) return { type: "refused", refusal: refusal("2"), raw: "DECLINED" }
  return { ...magic, raw: raw.join(" : ").slice(0, MAX_RAW_LENGTH) }
}

function magicNamed(name: string): Magic | undefined {
  const code = HOLDER_NAMES.indexOf(name)
  if (code === -1) return undefined
  switch (name) {
    case "APPROVED":
      return { type: "approved" }
    case "PARTIALLY_APPROVED":
      return { type: "partially_approved" }
    case "PENDING":
      return { type: "pending" }
    default:
      return { type: "refused", refusal: refusal(String(code)), raw: name }
  }
}
