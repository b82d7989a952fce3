// Whether an authorization is approved: 3DS and Checkout.com's own rules first, then test values, then the issuer.
import { DIGITS, randomText } from "../chance.ts"
import type { IssuerAnswer } from "../persona.ts"
import { expressible } from "./amount.ts"
import type { Purchase } from "./purchase.ts"
import {
  APPROVED,
  CVV_FAILED,
  FAILED_3DS,
  INSUFFICIENT_FUNDS,
  NOT_ENROLLED,
  PARTIALLY_APPROVED,
  responseCodeOf,
  UNFINISHED_3DS,
} from "./response-code.ts"
import { type CheckoutState, type Payment, spendCryptogram, type Verdict } from "./state.ts"
import { testResponseCode } from "./test-values.ts"

export function decide(state: CheckoutState, { purchase, challenge }: Payment): Verdict {
  const { card, iso, threeDs: wish } = purchase
  if (challenge === "failed") return declined(FAILED_3DS, { threeDs: "failed" })
  if (challenge === "abandoned") return declined(UNFINISHED_3DS, { threeDs: "failed" })
  const notEnrolled = wish.type === "challenge" && challenge === undefined && purchase.initiator === "customer"
  if (notEnrolled && !wish.attemptWithout) return declined(NOT_ENROLLED, { threeDs: "not_enrolled" })
  const threeDs = challenge === "authenticated" ? challenge : wish.type === "external" ? wish.status : undefined
  const shown = notEnrolled ? ("not_enrolled" as const) : threeDs
  const code = testResponseCode({ ...card, value: purchase.value, currency: purchase.currency })
  if (code !== undefined) return declined(code, { threeDs: shown })
  const { networkToken, cryptogram, initiator } = purchase
  if (networkToken && initiator === "customer" && (!cryptogram || !spendCryptogram(state, cryptogram)))
    return declined(CVV_FAILED, { threeDs: shown })
  const answer = askIssuer(state, purchase, iso, threeDs)
  const { avs, cvv, adviceCode } = answer
  const checks = { avs, cvv, adviceCode, threeDs: shown }
  const responseCode = responseCodeOf(answer.responseCode)
  if (responseCode === APPROVED) return approved(state, purchase, answer.approvedAmount, APPROVED, checks)
  // Issuers approve in part only where the merchant said that it can handle that; elsewhere the money is not enough.
  if (responseCode !== PARTIALLY_APPROVED) return declined(responseCode, checks)
  return purchase.allowPartial
    ? approved(state, purchase, expressible(answer.approvedAmount, purchase.currency), PARTIALLY_APPROVED, checks)
    : declined(INSUFFICIENT_FUNDS, checks)
}

export function askIssuer(
  state: CheckoutState,
  purchase: Purchase,
  amount: bigint,
  threeDs: "authenticated" | "attempted" | undefined,
): IssuerAnswer {
  const { card, cvv, addressLine, postcode } = purchase
  return state.issuer({
    account: state.accountId,
    pan: card.pan,
    expiryMonth: card.expiryMonth,
    expiryYear: card.expiryYear,
    amount,
    currency: purchase.currency,
    holderName: card.name,
    initiator: purchase.initiator,
    ...(cvv !== undefined && { cvc: cvv }),
    ...(addressLine !== undefined && { addressLine }),
    ...(postcode !== undefined && { postcode }),
    ...(threeDs !== undefined && { threeDs }),
  })
}

type Checks = Partial<Pick<Verdict, "avs" | "cvv" | "adviceCode" | "threeDs">>

/** A Mastercard trace id has letters and the settlement date, a Visa transaction id 15 digits. */
function approved(state: CheckoutState, purchase: Purchase, amount: bigint, code: string, checks: Checks): Verdict {
  const { ports } = state
  const mastercard = purchase.card.bin.network === "mastercard"
  const date = new Date(ports.now()).toISOString().slice(5, 10).replace("-", "")
  const authenticated = checks.threeDs === "authenticated"
  return {
    approved: true,
    responseCode: code,
    amount,
    authCode: randomText(ports.random, 6, DIGITS),
    schemeId: mastercard
      ? `MCC${randomText(ports.random, 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")}${date}`
      : randomText(ports.random, 15, DIGITS),
    eci: authenticated ? (mastercard ? "02" : "05") : mastercard ? "00" : "07",
    ...withChecks(checks),
  }
}

function declined(responseCode: string, checks: Checks): Verdict {
  const nothing = { amount: 0n, authCode: "", schemeId: "", eci: undefined }
  return { approved: false, responseCode, ...nothing, ...withChecks(checks) }
}

function withChecks({ avs, cvv, adviceCode, threeDs }: Checks) {
  return { avs, cvv, adviceCode, threeDs }
}
