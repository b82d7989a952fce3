// What follows a payment: the end of its redirect, and modifications. A modification's answer only says that it was
// received; its result comes by webhook, with the pspReference of the answer and our operation's id as reference.

import type { Outcome, Raw } from "../../core/outcome.ts"
import { amountFrom, exactAmount } from "../amount.ts"
import type { AccountConfig, Codec, FollowUpInput, HttpRequest, HttpResponse, Input } from "../connector.ts"
import { lookup } from "../connector.ts"
import { parseJson, referenceAt, textAt } from "../json.ts"
import { failure, isSuccess, paymentOutcome, unknown } from "./answer.ts"
import { manifest } from "./manifest.ts"
import { merchantAccount, paymentPath, post } from "./request.ts"
import { modificationStatuses } from "./tables.ts"
import { countAt, told } from "./wire.ts"

/** The longest `redirectResult` that Checkout v72 takes. */
const maxRedirectResult = 20_000

export const complete: Codec<Input["complete"]> = {
  encode(input: Input["complete"], account: AccountConfig): HttpRequest {
    const result = Object.hasOwn(input.fields, "redirectResult") ? input.fields["redirectResult"] : undefined
    const details = { redirectResult: (result ?? "").slice(0, maxRedirectResult) }
    return post("/payments/details", { details }, account, input.key)
  },
  decode: completed,
}

/**
 * What the browser brings is whatever somebody put into it: the result of another payment would pay for this one. The
 * answer names its payment by the reference that we gave it, our attempt's id; without that it proves nothing.
 */
function completed(response: HttpResponse, input: Input["complete"]): Outcome {
  const outcome = paymentOutcome(response, input)
  if (!isSuccess(response)) return outcome
  const named = textAt(parseJson(response.body), "merchantReference")
  if (named === input.attempt) return outcome
  const raw: Raw = {
    code: outcome.raw.code,
    message: "The answer is about another payment, or does not say about which.",
  }
  return named === undefined
    ? { kind: "unknown", raw, evidence: {} }
    : { kind: "rejected", fault: "ours", executed: "no", reason: "invalid_request", raw, evidence: {} }
}

export const capture: Codec<Input["capture"]> = modification("/captures", amountOf)

// `void` is a word of the language.
export const cancel: Codec<Input["void"]> = modification("/cancels", () => ({}))

export const refund: Codec<Input["refund"]> = modification("/refunds", (input: Input["refund"]) => ({
  ...amountOf(input),
  merchantRefundReason: input.reason === undefined ? undefined : lookup(refundReasons, input.reason.toLowerCase()),
}))

export const increment: Codec<Input["increment"]> = modification("/amountUpdates", amountOf)

/** With the pspReference, cancel or refund, whichever fits; without it, cancel what carries our attempt's id. */
export const reverse: Codec<Input["reverse"]> = {
  encode(input: Input["reverse"], account: AccountConfig): HttpRequest {
    const body = { merchantAccount: merchantAccount(account), reference: input.operation }
    return input.reference === undefined
      ? post("/cancels", { ...body, paymentReference: input.attempt }, account, input.key)
      : post(paymentPath(input.reference, "/reversals"), body, account, input.key)
  },
  decode: (response) => modificationOutcome(response),
}

/** Adyen's list of reasons, from the words in which merchants and other providers say them. */
const refundReasons: Readonly<Record<string, string>> = {
  fraud: "FRAUD",
  fraudulent: "FRAUD",
  duplicate: "DUPLICATE",
  return: "RETURN",
  "customer request": "CUSTOMER REQUEST",
  requested_by_customer: "CUSTOMER REQUEST",
}

function amountOf({ amount }: FollowUpInput): object {
  return { amount: { value: Number(exactAmount(manifest, amount)), currency: amount.currency } }
}

function modification<I extends FollowUpInput>(path: string, fields: (input: I) => object): Codec<I> {
  return {
    encode(input: I, account: AccountConfig): HttpRequest {
      const body = { merchantAccount: merchantAccount(account), reference: input.operation, ...fields(input) }
      return post(paymentPath(input.reference, path), body, account, input.key)
    },
    decode: (response, input) => modificationOutcome(response, path === "/amountUpdates" ? input : undefined),
  }
}

/** `raised`: the one modification that may be decided at once. */
function modificationOutcome(response: HttpResponse, raised?: FollowUpInput): Outcome {
  if (!isSuccess(response)) return failure(response)
  const body = parseJson(response.body)
  const status = textAt(body, "status")
  const reference = referenceAt(body, "pspReference")
  if (status === undefined || reference === undefined) return unknown(`http ${response.status}`)
  const raw: Raw = told<Raw>({ code: status.slice(0, 100), message: textAt(body, "refusalReason") })
  const evidence = { reference }
  const meaning = lookup(modificationStatuses, status)
  if (meaning === "pending") return { kind: "pending", raw, evidence }
  if (meaning === undefined || raised === undefined) return unknown(status, evidence)
  if (meaning === "declined") return { kind: "declined", reason: "generic_decline", raw, evidence }
  const total = amountFrom(manifest, countAt(body, "amount", "value"), textAt(body, "amount", "currency"))
  return total?.currency === raised.amount.currency && total.minor === raised.amount.minor
    ? { kind: "approved", effect: "incremented", amount: total.minor, raw, evidence }
    : unknown(status, evidence)
}
