// The answer to POST /payments and /payments/details, additionalData included. The values of avsResult and cvcResult
// are Adyen's: a number and a sentence.
import { challengePage } from "../challenge-page.ts"
import type { WireResponse } from "../persona.ts"
import { fromIso, spokenAmount, wireAmount } from "./amount.ts"
import { rawAdvice } from "./refusal.ts"
import { type AdyenState, brandOf, type Payment, type Verdict } from "./state.ts"

const AVS_RESULTS: Readonly<Record<string, string>> = {
  A: "1 Address matches, postal code doesn't",
  N: "2 Neither postal code nor address match",
  U: "3 AVS unavailable",
  Z: "6 Postal code matches, address doesn't match",
  Y: "7 Both postal code and address match",
}
const NO_AVS_DATA = "5 No AVS data provided"
const CVC_RESULTS: Readonly<Record<string, string>> = { M: "1 Matches", N: "2 Doesn't match" }
const NO_CVC = "6 No CVC/CVV provided"

/** Fields of answers that webhooks do not have. */
const NOT_IN_WEBHOOKS = ["cardHolderName", "requestAmount", "requestCurrencyCode"]

/** Below the account's public address. */
export const REDIRECT_PATH = "/threeDS/redirect/"

export function paymentResponse(state: AdyenState, payment: Payment, verdict: Verdict) {
  const { pspReference, purchase } = payment
  const { refusal } = verdict
  const amount = refusal ? purchase.amount : fromIso(verdict.approved, purchase.amount.currency)
  return {
    additionalData: additionalDataOf(state, payment, verdict),
    pspReference,
    resultCode: verdict.resultCode,
    merchantReference: purchase.merchantReference,
    amount: wireAmount(amount),
    ...(refusal
      ? { refusalReason: refusal.reason, refusalReasonCode: refusal.code }
      : { paymentMethod: { brand: brandOf(payment), type: purchase.methodType } }),
  }
}

/** The additionalData of the AUTHORISATION webhook. */
export function webhookData({ additionalData }: { additionalData: Record<string, string> }): Record<string, string> {
  return Object.fromEntries(Object.entries(additionalData).filter(([name]) => !NOT_IN_WEBHOOKS.includes(name)))
}

export function redirectResponse(state: AdyenState, payment: Payment) {
  return {
    additionalData: cardData(payment),
    pspReference: payment.pspReference,
    resultCode: "RedirectShopper",
    merchantReference: payment.purchase.merchantReference,
    action: {
      paymentMethodType: "scheme",
      url: `${state.publicUrl}${REDIRECT_PATH}${payment.redirectId}`,
      method: "GET",
      type: "redirect",
    },
  }
}

export function pageOf({ purchase }: Payment): WireResponse {
  return challengePage({
    provider: "Adyen",
    merchantReference: purchase.merchantReference,
    amount: spokenAmount(purchase.amount),
    last4: purchase.card.pan.slice(-4),
  })
}

function additionalDataOf(state: AdyenState, payment: Payment, verdict: Verdict): Record<string, string> {
  const { purchase, storedPaymentMethodId, adjustAuthorisationData } = payment
  const { card } = purchase
  const approved = fromIso(verdict.approved, purchase.amount.currency)
  const authenticated = verdict.threeDs !== undefined
  return {
    ...cardData(payment),
    acquirerCode: "TestPmmAcquirer",
    acquirerAccountCode: "TestPmmAcquirerAccount",
    acquirerReference: verdict.acquirerReference,
    avsResult: (verdict.avs !== undefined && AVS_RESULTS[verdict.avs]) || NO_AVS_DATA,
    avsResultRaw: verdict.avs ?? "5",
    cvcResult: (verdict.cvv !== undefined && CVC_RESULTS[verdict.cvv]) || NO_CVC,
    cvcResultRaw: verdict.cvv ?? "6",
    expiryDate: `${card.expiryMonth}/${card.expiryYear}`,
    liabilityShift: String(authenticated),
    merchantReference: purchase.merchantReference,
    paymentMethodVariant: brandOf(payment),
    refusalReasonRaw: verdict.raw,
    requestAmount: String(purchase.amount.value),
    requestCurrencyCode: purchase.amount.currency,
    shopperInteraction: purchase.shopperInteraction,
    threeDAuthenticated: String(verdict.threeDs === "authenticated"),
    threeDOffered: String(authenticated),
    ...(purchase.recurringProcessingModel !== undefined && {
      recurringProcessingModel: purchase.recurringProcessingModel,
    }),
    ...(authenticated && { eci: purchase.card.bin.network === "mastercard" ? "02" : "05" }),
    ...(verdict.adviceCode !== undefined && { merchantAdviceCode: rawAdvice(verdict.adviceCode) }),
    ...(!verdict.refusal && {
      authCode: verdict.authCode,
      authorisedAmountValue: String(approved.value),
      authorisedAmountCurrency: approved.currency,
      networkTxReference: verdict.networkTxReference,
    }),
    ...(adjustAuthorisationData !== undefined && { adjustAuthorisationData }),
    ...(storedPaymentMethodId !== undefined && {
      "tokenization.shopperReference": purchase.storeFor ?? "",
      "tokenization.storedPaymentMethodId": storedPaymentMethodId,
      "tokenization.store.operationType": "created",
    }),
  }
}

function cardData(payment: Payment): Record<string, string> {
  const { pan, bin, holderName } = payment.purchase.card
  return {
    cardBin: pan.slice(0, 6),
    cardSummary: pan.slice(-4),
    ...(pan.length >= 16 && { issuerBin: pan.slice(0, 8) }),
    cardIssuingBank: bin.issuer,
    cardIssuingCountry: bin.country,
    issuerCountry: bin.country,
    cardPaymentMethod: brandOf(payment),
    paymentMethod: brandOf(payment),
    fundingSource: bin.funding.toUpperCase(),
    ...(holderName && { cardHolderName: holderName }),
  }
}
