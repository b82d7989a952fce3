// Asking. About an authorization: the payment by its id, or the list of payments with our attempt's id as reference.
// About a follow-up: the payment's actions, in which ours is found by its id there or by our id.

import type { OperationKind } from "../../core/payment.ts"
import type { Evidence, Outcome } from "../../core/outcome.ts"
import { type Codec, type HttpResponse, type InquiryInput, lookup } from "../connector.ts"
import { isObject, listAt, parseJson, textAt } from "../json.ts"
import {
  approvedEvidence,
  declineReason,
  isSuccess,
  paymentOutcome,
  rawOf,
  refusal,
  told,
  unknown,
  verdictOf,
  within,
} from "./answer.ts"
import { get, paymentPath } from "./request.ts"
import { actionTypes, paymentStatuses } from "./tables.ts"
import { type Facts, readFacts } from "./wire.ts"

/** Payments that share a reference, which ours never do; more are not looked at. */
const maxListed = 10

export const inquire: Codec<InquiryInput> = {
  encode(input, account) {
    if (input.reference === undefined)
      return get(`/payments?limit=${maxListed}&skip=0&reference=${encodeURIComponent(input.attempt)}`, account)
    return get(paymentPath(input.reference, asksActions(input.about) ? "/actions" : ""), account)
  },

  decode(response, input) {
    if (!isSuccess(response)) return failed(response)
    const body = parseJson(response.body)
    const silence = unknown(`http ${response.status}`)
    if (input.reference === undefined)
      return asksActions(input.about) || input.about === "reverse" ? silence : listed(body, input, silence)
    // A payment that is followed up has at least its authorization: an empty list is none.
    if (asksActions(input.about))
      return Array.isArray(body) && body.length > 0 ? acted(body, input, input.about) : silence
    const facts = readFacts(body)
    if (facts.id === undefined) return silence
    return input.about === "reverse" ? reversed(facts, input) : paymentOutcome(facts, input, facts.storeAgreed)
  },
}

type Acting = Extract<OperationKind, "capture" | "void" | "refund" | "increment">

const asksActions = (about: OperationKind): about is Acting =>
  about === "capture" || about === "void" || about === "refund" || about === "increment"

/**
 * An id that Checkout.com gave us is known there: 404 means another account or a copy that lags behind, and never that
 * nothing happened.
 */
function failed(response: HttpResponse): Outcome {
  return response.status === 404 ? unknown("http 404") : refusal(response, "invalid_credentials")
}

function listed(body: unknown, input: InquiryInput, silence: Outcome): Outcome {
  if (!isObject(body) || !Array.isArray(body["data"])) return silence
  const payments = listAt(body, "data").map(readFacts)
  // Something is there that cannot be read: no proof of absence.
  if (payments.some(({ id, reference }) => id === undefined || reference === undefined)) return silence
  const found = payments.filter(({ reference }) => reference === input.attempt)
  if (found.length === 0) return { kind: "absent", raw: { code: "not listed" }, evidence: {} }
  const outcomes = found.map((facts) => paymentOutcome(facts, input, facts.storeAgreed))
  const live = outcomes.filter(({ kind }) => kind !== "declined")
  if (live.length > 1) return unknown("listed more than once")
  return live[0] ?? outcomes[0]!
}

/** A reversal is judged by what it leaves behind, whoever made it. */
function reversed(facts: Facts, input: InquiryInput): Outcome {
  const raw = rawOf(facts)
  const standing = facts.status === undefined ? undefined : lookup(paymentStatuses, facts.status)
  switch (standing) {
    case "voided":
    case "declined":
    case "canceled":
    case "expired":
      // Nothing is held and nothing will be.
      return { kind: "approved", effect: "voided", amount: 0n, raw, evidence: {} }
    case "refunded": {
      const amount = within(facts.balances.refunded ?? facts.amount, facts.currency, input.amount)
      return amount === undefined
        ? { kind: "unknown", raw, evidence: {} }
        : { kind: "approved", effect: "refunded", amount, raw, evidence: {} }
    }
    case "pending":
    case "authorized":
    case "verified":
    case "captured":
      return notYet(input, raw.code)
    case "foreign":
    case undefined:
      return { kind: "unknown", raw, evidence: {} }
    default:
      return standing satisfies never
  }
}

function acted(actions: readonly unknown[], input: InquiryInput, about: Acting): Outcome {
  const action = actions.find((candidate) => {
    const { id, reference, operation } = readFacts(candidate)
    return (id !== undefined && id === input.operationReference) || [reference, operation].includes(input.operation)
  })
  if (action === undefined)
    // An action that cannot be read may be the one that was asked for.
    return actions.every((candidate) => readFacts(candidate).id !== undefined)
      ? notYet(input, "no such action")
      : unknown("unreadable actions")
  const facts = readFacts(action)
  const type = textAt(action, "type")
  const raw = rawOf(facts)
  const evidence = told<Evidence>({ reference: facts.id })
  if (type === undefined || lookup(actionTypes, type) !== about) return { kind: "unknown", raw, evidence }
  const verdict = verdictOf(facts)
  switch (verdict) {
    case "approved":
      return done(facts, input, about, approvedEvidence(facts, evidence))
    case "declined":
      return { kind: "declined", reason: declineReason(facts, "generic_decline"), raw, evidence }
    case "contradiction":
    case "silent":
      return { kind: "unknown", raw, evidence }
    default:
      return verdict satisfies never
  }
}

/** Actions name no currency: it is the payment's. */
function done(facts: Facts, input: InquiryInput, about: Acting, evidence: Evidence): Outcome {
  const raw = rawOf(facts)
  const amount = within(facts.amount, input.amount.currency, input.amount)
  switch (about) {
    case "void":
      return { kind: "approved", effect: "voided", amount: 0n, raw, evidence }
    case "increment":
      // The action shows what was added; approved, the total is the one that was asked for.
      return { kind: "approved", effect: "incremented", amount: input.amount.minor, raw, evidence }
    case "capture":
    case "refund":
      return amount === undefined
        ? { kind: "unknown", raw, evidence }
        : { kind: "approved", effect: about === "capture" ? "captured" : "refunded", amount, raw, evidence }
    default:
      return about satisfies never
  }
}

/** Accepted once, it is only not processed yet; never accepted as far as we know, it is not there. */
const notYet = ({ operationReference }: InquiryInput, code: string): Outcome =>
  operationReference === undefined
    ? { kind: "absent", raw: { code }, evidence: {} }
    : { kind: "pending", raw: { code }, evidence: { reference: operationReference } }
