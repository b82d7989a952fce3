// What is done to a payment that exists. Captures, voids, refunds and reversals are accepted with 202 and an action id,
// and decided later; an increment is decided at once. Our id of the operation travels as reference and in the metadata.

import assert from "node:assert/strict"
import { money } from "../../core/money.ts"
import type { Evidence, Outcome } from "../../core/outcome.ts"
import { exactAmount } from "../amount.ts"
import type { Codec, FollowUpInput, HttpResponse, Input } from "../connector.ts"
import { parseJson } from "../json.ts"
import { declineReason, isSuccess, rawOf, refusal, told, unknown, verdictOf, within } from "./answer.ts"
import { manifest } from "./manifest.ts"
import { paymentPath, post } from "./request.ts"
import { type ActionRequest, readFacts } from "./wire.ts"

export const capture: Codec<Input["capture"]> = {
  encode: (input, account) => {
    const body: ActionRequest = {
      amount: Number(exactAmount(manifest, input.amount)),
      // Final is what Checkout.com takes it for if nothing is said, and it voids the rest.
      capture_type: input.final ? "Final" : "NonFinal",
      ...ours(input),
    }
    return post(paymentPath(input.reference, "/captures"), input.key, body, account)
  },
  decode: accepted,
}

/** Without an amount: all that is still to be voided. */
export const voidPayment: Codec<Input["void"]> = {
  encode: (input, account) => post(paymentPath(input.reference, "/voids"), input.key, ours(input), account),
  decode: accepted,
}

export const refund: Codec<Input["refund"]> = {
  encode: (input, account) => {
    const body: ActionRequest = { amount: Number(exactAmount(manifest, input.amount)), ...ours(input) }
    return post(paymentPath(input.reference, "/refunds"), input.key, body, account)
  },
  decode: accepted,
}

/** Our amount is the new total; Checkout.com wants what is to be added. */
export const increment: Codec<Input["increment"]> = {
  encode: (input, account) => {
    const { minor, currency } = input.amount
    assert(minor >= input.authorized.minor, "an increment never lowers the total")
    const body: ActionRequest = {
      amount: Number(exactAmount(manifest, money(minor - input.authorized.minor, currency))),
      ...ours(input),
    }
    return post(paymentPath(input.reference, "/authorizations"), input.key, body, account)
  },
  decode: (response, input) => {
    if (!isSuccess(response)) return refusal(response, "wrong_state")
    const facts = readFacts(parseJson(response.body))
    if (facts.actionId === undefined) return unknown(`http ${response.status}`)
    const raw = rawOf(facts)
    const evidence = told<Evidence>({
      reference: facts.actionId,
      authorizationCode: facts.approved === true ? facts.authCode : undefined,
      networkTransactionId: facts.schemeId,
    })
    const verdict = verdictOf(facts)
    switch (verdict) {
      case "approved": {
        const total = newTotal(facts.balances.authorized, facts.amount, facts.currency, input)
        return total === undefined
          ? { kind: "unknown", raw, evidence }
          : { kind: "approved", effect: "incremented", amount: total, raw, evidence }
      }
      case "declined":
        return { kind: "declined", reason: declineReason(facts, "generic_decline"), raw, evidence }
      case "silent":
        // Not documented for cards, but how all other actions answer.
        return response.status === 202 ? { kind: "pending", raw, evidence } : { kind: "unknown", raw, evidence }
      case "contradiction":
        return { kind: "unknown", raw, evidence }
      default:
        return verdict satisfies never
    }
  },
}

/** The total after an increment: told in the balances, else what was held before and what was added. */
function newTotal(
  balance: bigint | undefined,
  added: bigint | undefined,
  currency: string | undefined,
  { amount, authorized }: FollowUpInput,
): bigint | undefined {
  const more = within(added, currency, amount)
  if (more === undefined) return undefined
  const total = balance === undefined ? authorized.minor + more : within(balance, currency, amount)
  return total === undefined || total <= authorized.minor || total > amount.minor ? undefined : total
}

/**
 * Voids what is authorized and refunds what is captured, in one request, whatever the payment has come to. That also
 * answers the race with an automatic capture, which neither a void nor a refund of ours could win for certain.
 */
export const reverse: Codec<Input["reverse"]> = {
  encode: (input, account) => {
    const own = ours(input)
    const body: ActionRequest = { ...own, metadata: { ...own.metadata, orchestra_kind: "reverse" } }
    return post(paymentPath(input.reference, "/reversals"), input.key, body, account)
  },
  decode: (response) =>
    // "Already reversed": one was asked for before. Whether its refund was then declined, 204 does not say.
    response.status === 204 && response.body === ""
      ? { kind: "pending", raw: { code: "http 204", message: "a reversal was asked for before" }, evidence: {} }
      : accepted(response),
}

/** 202 with the action's id. A 403 says that the payment's state does not allow it: nothing was done. */
function accepted(response: HttpResponse): Outcome {
  if (!isSuccess(response)) return refusal(response, "wrong_state")
  const { actionId } = readFacts(parseJson(response.body))
  if (actionId === undefined) return unknown(`http ${response.status}`)
  return {
    kind: "pending",
    raw: { code: `http ${response.status}`, message: "accepted" },
    evidence: { reference: actionId },
  }
}

const ours = ({ attempt, operation }: Pick<FollowUpInput, "attempt" | "operation">): ActionRequest => ({
  reference: operation,
  metadata: { orchestra_attempt: attempt, orchestra_operation: operation },
})
