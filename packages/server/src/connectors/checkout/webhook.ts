// Webhooks of workflows: one event a delivery, the whole body signed, no time signed with it. Deliveries repeat and come
// in any order. The event's id is the only protection against a replay, and `settle` takes only what is news.

import type { Evidence, Outcome } from "../../core/outcome.ts"
import { amountFrom } from "../amount.ts"
import { type Connector, lookup, type Notice, type WebhookRequest } from "../connector.ts"
import { at, isObject, parseJson, referenceAt, textAt, wordAt } from "../json.ts"
import { type SignatureScheme, verifySignature } from "../signature.ts"
import { approvedEvidence, capturesItself, declineReason, paymentEvidence, rawOf, told, verdictOf } from "./answer.ts"
import { manifest } from "./manifest.ts"
import { type EventMeaning, webhookEvents } from "./tables.ts"
import { type Facts, readFacts } from "./wire.ts"

/** Source: https://www.checkout.com/docs/developer-resources/event-notifications/receive-webhooks (2026-01). */
const scheme: SignatureScheme = {
  header: "cko-signature",
  algorithm: "sha256",
  secret: "utf8",
  encoding: "hex",
  layout: { kind: "bare" },
  signed: "{body}",
}

export const webhook: Connector["webhook"] = {
  verify: (request, secrets, nowMs, hmac) => verifySignature(scheme, request, secrets, nowMs, hmac),
  decode,
  acknowledgement: { status: 200, body: "" },
}

function decode({ body }: WebhookRequest): readonly Notice[] {
  const event = parseJson(body) ?? parseJson(withoutControlBytes(body))
  const eventId = textAt(event, "id")
  const type = textAt(event, "type")
  const data = at(event, "data")
  if (eventId === undefined || type === undefined || !isObject(data)) return []
  const meaning = lookup(webhookEvents, type)
  const common = { eventId, type: type.slice(0, maxTypeLength) }
  if (meaning === undefined)
    return [
      {
        ...common,
        about: "other",
        trust: "hint",
        outcome: { kind: "pending", raw: { code: common.type }, evidence: {} },
      },
    ]
  if (meaning.about === "dispute") return [disputeNotice(common, meaning, data)]
  return [paymentNotice(common, meaning, data)]
}

/** Longest name of an event that is kept. */
const maxTypeLength = 100

/**
 * Checkout.com has sent `authentication_failed` events with a stray byte in the JSON (checkout-sdk-node, issue 408).
 * JSON knows no control characters but blanks, so that a blank in their place changes no value that could be read.
 */
function withoutControlBytes(body: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it removes
  return body.replaceAll(/[\u0000-\u001f\u007f\ufffd]/g, " ")
}

type Common = Pick<Notice, "eventId" | "type">

function paymentNotice(common: Common, meaning: Exclude<EventMeaning, { about: "dispute" }>, data: unknown): Notice {
  const facts = readFacts(data)
  // Events of authentications name the payment beside their own session.
  const payment = referenceAt(data, "payment_id") ?? facts.id
  const isAction = meaning.about !== "authorize" && meaning.about !== "expire"
  const about = isAction && facts.isReversal ? "reverse" : meaning.about
  const operation = isAction ? operationOf(facts) : undefined
  const outcome = outcomeOf(facts, meaning, common.type)
  const byHand = operation === undefined && about === "capture" && outcome.kind === "approved"
  const certain = outcome.kind !== "unknown" && !(meaning.about === "authorize" && meaning.says === "hint")
  return told<Notice>({
    ...common,
    about,
    attempt: facts.attempt ?? named("att_", facts.reference),
    operation,
    reference: payment,
    operationReference: isAction ? facts.actionId : undefined,
    sum: undefined,
    final: byHand && facts.balances.capturable === 0n ? true : undefined,
    trust: certain ? "signed" : "hint",
    outcome,
    currency: facts.amount === undefined ? undefined : currencyOf(facts),
    dispute: undefined,
  })
}

/** Metadata may be lost in a dashboard's capture or an old event; our ids can also be the reference, and tell their kind. */
const named = (prefix: "att_" | "op_", reference: string | undefined): string | undefined =>
  reference?.startsWith(prefix) === true ? reference : undefined

/**
 * Ours carries its id as reference and in the metadata. What is done in the dashboard has neither, but how the metadata
 * of a payment and of its actions mix is not documented: an id that the reference contradicts is an older operation's.
 */
function operationOf({ operation, reference }: Facts): string | undefined {
  if (reference === undefined) return operation
  return named("op_", reference)
}

const currencyOf = (facts: Facts): string | undefined => amountFrom(manifest, facts.amount, facts.currency)?.currency

function outcomeOf(facts: Facts, meaning: Exclude<EventMeaning, { about: "dispute" }>, type: string): Outcome {
  const raw = rawOf(facts, type)
  const isAction = meaning.about !== "authorize" && meaning.about !== "expire"
  const evidence = isAction ? told<Evidence>({ reference: facts.actionId }) : paymentEvidence(facts, facts.storeAgreed)
  if (meaning.about === "expire") return { kind: "declined", reason: "authorization_expired", raw, evidence }
  const unclear: Outcome = { kind: "unknown", raw, evidence: told<Evidence>({ reference: evidence.reference }) }
  switch (meaning.says) {
    case "hint":
    case "pending":
      return { kind: "pending", raw, evidence }
    case "canceled":
      return { kind: "declined", reason: declineReason(facts, "canceled_by_customer"), raw, evidence }
    case "declined":
      return verdictOf(facts) === "declined" || verdictOf(facts) === "silent"
        ? { kind: "declined", reason: declineReason(facts, "generic_decline"), raw, evidence }
        : unclear
    case "approved":
      return verdictOf(facts) === "approved"
        ? (approval(facts, meaning.about, raw, approvedEvidence(facts, evidence)) ?? unclear)
        : unclear
    default:
      return meaning.says satisfies never
  }
}

function approval(
  facts: Facts,
  about: "authorize" | "capture" | "void" | "refund" | "increment",
  raw: Outcome["raw"],
  evidence: Evidence,
): Outcome | undefined {
  const minor = (count: bigint | undefined): bigint | undefined => amountFrom(manifest, count, facts.currency)?.minor
  const amount = minor(facts.amount)
  if (amount === undefined) return undefined
  const approved = { kind: "approved", raw, evidence } as const
  switch (about) {
    case "authorize":
      if (amount === 0n) return { ...approved, effect: "verified", amount }
      return { ...approved, effect: capturesItself(facts, facts.isAutomatic) ? "captured" : "authorized", amount }
    case "capture":
      return { ...approved, effect: "captured", amount }
    case "refund":
      return { ...approved, effect: "refunded", amount }
    case "void":
      // In the dashboard a part of the hold can be given back: what is left can still be captured.
      return (facts.balances.capturable ?? 0n) > 0n ? undefined : { ...approved, effect: "voided", amount: 0n }
    case "increment": {
      const total = minor(facts.balances.authorized)
      return total === undefined ? undefined : { ...approved, effect: "incremented", amount: total }
    }
    default:
      return about satisfies never
  }
}

function disputeNotice(common: Common, meaning: Extract<EventMeaning, { about: "dispute" }>, data: unknown): Notice {
  const id = textAt(data, "id")
  const { amount, currency } = readFacts(data)
  const disputed = amountFrom(manifest, amount, currency)
  const reason = [wordAt(data, "reason_code"), textAt(data, "category")].filter((part) => part !== undefined).join(" ")
  // Rapid dispute resolution pays the cardholder back out of the merchant's money.
  const stage = textAt(data, "resolved_reason") === "rapid_dispute_resolution" ? "lost" : meaning.stage
  return told<Notice>({
    ...common,
    about: "dispute",
    attempt: named("att_", textAt(data, "payment_reference")),
    operation: undefined,
    reference: referenceAt(data, "payment_id"),
    operationReference: undefined,
    trust: id === undefined || disputed === undefined ? "hint" : "signed",
    outcome: { kind: "pending", raw: { code: common.type }, evidence: {} },
    currency: disputed?.currency,
    dispute:
      id === undefined || disputed === undefined
        ? undefined
        : told<NonNullable<Notice["dispute"]>>({
            id,
            stage,
            reason: reason === "" ? undefined : reason,
            amount: disputed.minor,
            dueAt: textAt(data, "evidence_required_by"),
          }),
  })
}
