// Stripe's events. The signature covers the whole body, so that what stands in it may be booked, except where an event
// says less than it seems to: totals over several captures, and refunds that are in truth released authorizations.

import { rfc3339 } from "../../core/instant.ts"
import type { Outcome } from "../../core/outcome.ts"
import { lookup, type Notice, type WebhookRequest } from "../connector.ts"
import { amountFrom } from "../amount.ts"
import { at, integerAt, parseJson, referenceAt, textAt } from "../json.ts"
import type { SignatureScheme } from "../signature.ts"
import { intentOutcome, refundOutcome, sumOfCaptures, unknown } from "./answer.ts"
import { evidenceOf } from "./evidence.ts"
import { manifest } from "./manifest.ts"
import { disputeStatuses, type EventRow, events } from "./tables.ts"
import { idAt, type Intent, ownCaptures, readCharge, readIntent, readRefund, stripped } from "./wire.ts"

/** Several v1 signatures while a secret is rolled; other schemes (v0) are for tests. https://docs.stripe.com/webhooks, read 2026-10. */
export const scheme = {
  header: "stripe-signature",
  algorithm: "sha256",
  secret: "utf8",
  encoding: "hex",
  layout: { kind: "pairs", time: "t", signature: "v1" },
  signed: "{time}.{body}",
  toleranceMs: manifest.webhooks.toleranceMs,
} as const satisfies SignatureScheme

/** One event per delivery. Events that tell us nothing, and v2 events that only point at an object, give no notice. */
export function decodeWebhook({ body }: WebhookRequest): readonly Notice[] {
  const event = parseJson(body)
  const eventId = textAt(event, "id")
  const type = textAt(event, "type")
  if (textAt(event, "object") !== "event" || eventId === undefined || type === undefined) return []
  const row = lookup(events, type)
  const facts = row === undefined ? [] : readers[row.of](at(event, "data", "object"), row)
  // Each notice has an id of its own: the first the event's, the others what they are about beside it.
  return facts.map(({ part, ...rest }, index) => ({
    eventId: index === 0 || part === undefined ? eventId : `${eventId}:${part}`,
    type,
    ...rest,
  }))
}

/** `part` tells several notices of one event apart. */
type Facts = Omit<Notice, "eventId" | "type"> & { readonly part?: string }

const readers: Readonly<Record<EventRow["of"], (object: unknown, row: EventRow) => readonly Facts[]>> = {
  payment_intent: intentFacts,
  setup_intent: intentFacts,
  refund: (object, row) => present(refundFacts(object, row)),
  charge: (object, row) => present(chargeFacts(object, row)),
  dispute: (object, row) => present(disputeFacts(object, row)),
  warning: (object, row) => present(warningFacts(object, row)),
}

const present = (facts: Facts | undefined): readonly Facts[] => (facts === undefined ? [] : [facts])

function intentFacts(object: unknown, row: EventRow): readonly Facts[] {
  const intent = readIntent(object)
  if (intent === undefined || intent.of !== row.of) return []
  const isHeld = intent.status === "requires_capture" || intent.status === "succeeded"
  if (row.about === "authorize" && intent.captureMethod === "manual" && isHeld) return capturedByHands(intent, row)
  const outcome = intentOutcome(intent, {}, row.about === "prepare" ? "prepared" : "unknown")
  // Stripe itself cancels what was not captured in time.
  const lapsed = intent.cancellationReason === "automatic" || intent.cancellationReason === "expired"
  const about = row.about === "void" && lapsed ? "expire" : row.about
  return [{ ...placeOf(intent), about, trust: outcome.kind === "unknown" ? "hint" : row.trust, outcome }]
}

const placeOf = (intent: Intent): Pick<Facts, "attempt" | "reference" | "currency"> =>
  stripped({
    attempt: intent.attempt,
    reference: intent.id,
    currency: (intent.amount ?? intent.received ?? intent.capturable)?.currency,
  })

/**
 * An intent that is captured by request tells sums. What our captures left as marks is theirs; what was received beyond
 * that, somebody captured by hand; and what is no longer held although no capture of ours ended it, was released by
 * hand or ran out. Before the first operation of ours the authorization itself may be the news.
 */
function capturedByHands(intent: Intent, row: EventRow): readonly Facts[] {
  const { amount, received, operation } = intent
  const place = placeOf(intent)
  const own = ownCaptures(intent)
  const approved = (effect: "authorized" | "captured" | "voided", minor: bigint): Outcome => ({
    kind: "approved",
    effect,
    amount: minor,
    raw: { code: intent.status },
    evidence: evidenceOf(intent),
  })
  if (own === undefined || amount === undefined || received === undefined || sumOfCaptures(own) > received.minor)
    return [
      stripped<Facts>({
        ...place,
        about: operation === undefined ? "authorize" : "other",
        operation,
        trust: "hint",
        outcome: intentOutcome(intent, {}, "unknown"),
      }),
    ]
  const isOver = intent.status === "succeeded"
  const facts: Facts[] = []
  if (operation === undefined) {
    const outcome = isOver ? approved("authorized", amount.minor) : intentOutcome(intent, {}, "unknown")
    facts.push({ ...place, about: "authorize", trust: outcome.kind === "unknown" ? "hint" : row.trust, outcome })
  }
  for (const { operation: id, amount: part } of own)
    if (part.minor > 0n)
      facts.push({
        ...place,
        part: id,
        about: "capture",
        operation: id,
        trust: row.trust,
        outcome: approved("captured", part.minor),
      })
  const byHand = received.minor - sumOfCaptures(own)
  if (byHand > 0n)
    facts.push({
      ...place,
      part: "by_hand",
      about: "capture",
      sum: true,
      ...(isOver ? { final: true } : {}),
      trust: row.trust,
      outcome: approved("captured", byHand),
    })
  else if (isOver && received.minor < amount.minor && !own.some(({ isFinal }) => isFinal))
    facts.push({ ...place, part: "release", about: "expire", trust: row.trust, outcome: approved("voided", 0n) })
  // An increment changed what is held: look, if it is not known yet.
  if (facts.length === 0)
    facts.push(
      stripped<Facts>({
        ...place,
        about: "other",
        operation,
        trust: "hint",
        outcome: intentOutcome(intent, {}, "unknown"),
      }),
    )
  return facts
}

function refundFacts(object: unknown, row: EventRow): Facts | undefined {
  const refund = readRefund(object)
  if (refund === undefined) return undefined
  const outcome = refundOutcome(refund, undefined)
  // Cancelling an authorization is written as a refund without a balance transaction: no captured money came back.
  const isRelease = refund.operation === undefined && refund.balanceTransaction === undefined
  return stripped<Facts>({
    about: isRelease ? "other" : row.about,
    attempt: refund.attempt,
    operation: refund.operation,
    reference: refund.paymentIntent,
    operationReference: refund.id,
    trust: isRelease || outcome.kind === "unknown" ? "hint" : row.trust,
    outcome,
    currency: refund.amount?.currency,
  })
}

function chargeFacts(object: unknown, row: EventRow): Facts | undefined {
  const charge = readCharge(object)
  if (charge === undefined) return undefined
  const place = stripped<Pick<Facts, "attempt" | "reference" | "operationReference">>({
    attempt: charge.attempt,
    reference: charge.paymentIntent,
    operationReference: charge.id,
  })
  const raw = { code: textAt(object, "status") ?? "charge" }
  if (row.about === "expire") {
    const outcome: Outcome = { kind: "approved", effect: "voided", amount: 0n, raw, evidence: { reference: charge.id } }
    return charge.captured ? undefined : { about: "expire", ...place, trust: row.trust, outcome }
  }
  // A release again: nothing of an uncaptured charge can be refunded.
  if (!charge.captured) return undefined
  const amount = row.about === "refund" ? charge.amountRefunded : charge.amountCaptured
  const effect = row.about === "refund" ? "refunded" : "captured"
  if (amount === undefined) return { about: row.about, ...place, trust: "hint", outcome: unknown(raw.code) }
  const outcome: Outcome = { kind: "approved", effect, amount: amount.minor, raw, evidence: { reference: charge.id } }
  return { about: row.about, ...place, trust: row.trust, outcome, currency: amount.currency }
}

function disputeFacts(object: unknown, row: EventRow): Facts | undefined {
  const id = referenceAt(object, "id")
  const status = textAt(object, "status")
  if (textAt(object, "object") !== "dispute" || id === undefined || status === undefined) return undefined
  const stage = lookup(disputeStatuses, status)
  const amount = amountFrom(manifest, integerAt(object, "amount"), textAt(object, "currency"))
  const dueBy = integerAt(object, "evidence_details", "due_by")
  return stripped<Facts>({
    about: row.about,
    reference: idAt(object, "payment_intent"),
    operationReference: id,
    trust: stage === undefined || amount === undefined ? "hint" : row.trust,
    outcome: unknown(status),
    currency: amount?.currency,
    dispute:
      stage === undefined || amount === undefined
        ? undefined
        : stripped<NonNullable<Notice["dispute"]>>({
            id,
            stage,
            reason: textAt(object, "reason"),
            amount: amount.minor,
            dueAt: dueBy === undefined ? undefined : timeOf(dueBy),
          }),
  })
}

/** Stripe writes seconds; what lies beyond the last year with four digits is no time. */
const timeOf = (seconds: bigint): string | undefined =>
  seconds >= 0n && seconds <= lastSecond ? rfc3339(Number(seconds) * 1_000) : undefined
const lastSecond = 253_402_300_799n

// The network suspects fraud; a dispute may follow. Nothing moved.
function warningFacts(object: unknown, row: EventRow): Facts | undefined {
  if (textAt(object, "object") !== "radar.early_fraud_warning") return undefined
  return stripped<Facts>({
    about: row.about,
    reference: idAt(object, "payment_intent"),
    operationReference: referenceAt(object, "id"),
    trust: row.trust,
    outcome: unknown(textAt(object, "fraud_type") ?? "early_fraud_warning"),
  })
}
