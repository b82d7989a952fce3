// Whether an authorisation is granted: test values first, then Adyen's own rules, then the issuer.
import { DIGITS, randomText } from "../chance.ts"
import type { IssuerAnswer } from "../persona.ts"
import { magicOf } from "./magic.ts"
import type { Card, Purchase } from "./purchase.ts"
import { rawReason, type Refusal, refusalOf } from "./refusal.ts"
import { type AdyenState, expressible, newReference, spendCryptogram, type Verdict } from "./state.ts"

/** Adyen's test cards that ask for 3DS by themselves. */
const CHALLENGED_CARDS = [
  "4212345678901237",
  "4212345678901245",
  "4917610000000000",
  "5212345678901234",
  "5454545454545454",
  "6771798021000008",
]

export function decide(state: AdyenState, purchase: Purchase, threeDs: Purchase["threeDs"]): Verdict {
  const { card, cvc, iso, networkToken, cryptogram, initiator } = purchase
  const testCardDetails =
    card.expiryMonth === 3 && card.expiryYear === 2030 && (cvc === "737" || cvc === "7373" || cvc === undefined)
  const magic = magicOf({ holderName: card.holderName, requestedCode: purchase.requestedCode, testCardDetails })
  switch (magic?.type) {
    case undefined:
      break
    case "approved":
      return approved(state, purchase, iso, threeDs)
    case "partially_approved":
      return purchase.allowPartial && iso > 1n
        ? approved(state, purchase, iso / 2n, threeDs)
        : approved(state, purchase, iso, threeDs)
    case "pending":
      return { ...approved(state, purchase, iso, threeDs), resultCode: "Received" }
    case "refused":
      return refused(state, magic.refusal, magic.raw)
    default:
      return magic satisfies never
  }
  if (isOver(card, state.ports.now())) return refusedBy(state, "54")
  if (networkToken && initiator === "customer" && (!cryptogram || !spendCryptogram(state, cryptogram)))
    return refusedBy(state, "82")
  if (asksForChallenge(card) && initiator === "customer" && threeDs === undefined) return refusedBy(state, "1A")
  const answer = askIssuer(state, purchase, iso, threeDs)
  if (answer.responseCode === "00") return approved(state, purchase, answer.approvedAmount, threeDs, answer)
  // Issuers approve in part only where the merchant said that it can handle that; elsewhere the money is not enough.
  if (answer.responseCode !== "10") return refusedBy(state, answer.responseCode, answer)
  return purchase.allowPartial
    ? approved(state, purchase, answer.approvedAmount, threeDs, answer)
    : refusedBy(state, "51", answer)
}

export function askIssuer(
  state: AdyenState,
  purchase: Purchase,
  amount: bigint,
  threeDs: Purchase["threeDs"],
): IssuerAnswer {
  const { card, cvc, addressLine, postcode } = purchase
  return state.issuer({
    account: state.accountId,
    pan: card.pan,
    expiryMonth: card.expiryMonth,
    expiryYear: card.expiryYear,
    amount,
    currency: purchase.amount.currency,
    holderName: card.holderName,
    initiator: purchase.initiator,
    ...(cvc !== undefined && { cvc }),
    ...(addressLine !== undefined && { addressLine }),
    ...(postcode !== undefined && { postcode }),
    ...(threeDs !== undefined && { threeDs }),
  })
}

/** Test values approve without an issuer: what was typed then matches. */
function approved(
  state: AdyenState,
  purchase: Purchase,
  amount: bigint,
  threeDs: Purchase["threeDs"],
  answer?: IssuerAnswer,
): Verdict {
  const approvedAmount = expressible(amount, purchase.amount.currency)
  const typedAddress = purchase.addressLine !== undefined || purchase.postcode !== undefined
  return {
    resultCode: approvedAmount < purchase.iso ? "PartiallyAuthorised" : "Authorised",
    refusal: undefined,
    raw: "AUTHORISED",
    approved: approvedAmount,
    ...traces(state, purchase),
    threeDs,
    adviceCode: undefined,
    avs: answer ? answer.avs : typedAddress ? "Y" : undefined,
    cvv: answer ? answer.cvv : purchase.cvc === undefined ? undefined : "M",
  }
}

function refusedBy(state: AdyenState, responseCode: string, answer?: IssuerAnswer): Verdict {
  return refused(state, refusalOf(responseCode), rawReason(responseCode), answer)
}

export function refused(state: AdyenState, because: Refusal, raw: string, answer?: IssuerAnswer): Verdict {
  return {
    resultCode: because.resultCode,
    refusal: because,
    raw,
    approved: 0n,
    authCode: "",
    networkTxReference: "",
    acquirerReference: newReference(state).slice(0, 11),
    threeDs: undefined,
    adviceCode: answer?.adviceCode,
    avs: answer?.avs,
    cvv: answer?.cvv,
  }
}

/** A Mastercard trace id has letters and the settlement date, a Visa transaction id 15 digits. */
function traces({ ports }: AdyenState, purchase: Purchase) {
  const date = new Date(ports.now()).toISOString().slice(5, 10).replace("-", "")
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
  return {
    authCode: randomText(ports.random, 6, DIGITS),
    acquirerReference: randomText(ports.random, 11, alphabet),
    networkTxReference:
      purchase.card.bin.network === "mastercard"
        ? `MCC${randomText(ports.random, 6, alphabet)}${date}`
        : randomText(ports.random, 15, DIGITS),
  }
}

export function asksForChallenge({ pan }: Card): boolean {
  return CHALLENGED_CARDS.includes(pan)
}

/** Cards are good until the end of their month. */
function isOver({ expiryYear, expiryMonth }: Purchase["card"], now: number): boolean {
  return now >= Date.UTC(expiryYear, expiryMonth, 1)
}
