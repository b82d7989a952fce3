// Adyen's standard webhook: a batch of items, each with a signature over eight of its fields, and over nothing else.
// Only those eight decide anything here; `reason` and `additionalData` are words beside them.

import type { DeclineReason } from "../../core/decline.ts"
import type { Money } from "../../core/money.ts"
import type { Outcome, Raw } from "../../core/outcome.ts"
import { amountFrom } from "../amount.ts"
import type { Hmac, Notice, Verification, WebhookRequest } from "../connector.ts"
import { lookup } from "../connector.ts"
import { at, listAt, parseJson, referenceAt, textAt } from "../json.ts"
import { isSignedBy, type SignatureScheme } from "../signature.ts"
import { refusalByText, refusalReason, type Words } from "./answer.ts"
import { type Event, events, modificationReasons, type Verdict } from "./event-codes.ts"
import { manifest } from "./manifest.ts"
import { countAt, readAdvice, readNetworkResponse, told } from "./wire.ts"

/** Adyen sends one item by JSON, and up to six by its older formats. */
const maxItems = 100

const scheme = { algorithm: "sha256", secret: "hex", encoding: "base64" } as const satisfies Partial<SignatureScheme>

export function verify(request: WebhookRequest, secrets: readonly string[], _nowMs: number, hmac: Hmac): Verification {
  const items = itemsOf(request)
  if (items.length === 0) return { kind: "forged", why: "no item that could be signed" }
  if (items.length > maxItems) return { kind: "forged", why: `more than ${maxItems} items` }
  for (const item of items) {
    const data = signedText(item)
    const signature = textAt(item, "additionalData", "hmacSignature")
    if (data === undefined) return { kind: "forged", why: "a signed field is missing or would blur the signature" }
    if (signature === undefined) return { kind: "forged", why: "an item without hmacSignature" }
    if (!isSignedBy(scheme, data, [signature], secrets, hmac))
      return { kind: "forged", why: "no secret made this signature" }
  }
  return { kind: "genuine" }
}

export function decode(request: WebhookRequest): readonly Notice[] {
  return itemsOf(request).slice(0, maxItems).flatMap(noticesOf)
}

function itemsOf({ body }: WebhookRequest): readonly unknown[] {
  return listAt(parseJson(body), "notificationItems").map((entry) => at(entry, "NotificationRequestItem"))
}

/**
 * The signed text: eight values joined by colons, nothing escaped. A colon inside a value would let the same signature
 * stand for other values, so only the merchant's reference may hold one: three values before it and four behind it fix
 * where it begins and ends.
 */
function signedText(item: unknown): string | undefined {
  const plain = (value: unknown): string | undefined => {
    if (value === undefined || value === null) return ""
    if (typeof value === "string") return value.includes(":") ? undefined : value
    return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined
  }
  const reference = at(item, "merchantReference") ?? ""
  const values = [
    plain(at(item, "pspReference")),
    plain(at(item, "originalReference")),
    plain(at(item, "merchantAccountCode")),
    typeof reference === "string" ? reference : undefined,
    plain(at(item, "amount", "value")),
    plain(at(item, "amount", "currency")),
    plain(at(item, "eventCode")),
    plain(at(item, "success")),
  ]
  return values.includes(undefined) ? undefined : values.join(":")
}

function noticesOf(item: unknown): readonly Notice[] {
  const reference = referenceAt(item, "pspReference")
  const code = textAt(item, "eventCode")
  if (reference === undefined || code === undefined) return []
  const success = String(at(item, "success"))
  const event = lookup(events, code)
  const original = referenceAt(item, "originalReference")
  const merchantReference = textAt(item, "merchantReference")
  const money = amountFrom(manifest, countAt(item, "amount", "value"), textAt(item, "amount", "currency"))
  // Adyen counts an event as the same when pspReference, eventCode and success are: a refusal may be followed by an
  // approval under the same reference.
  const id = { eventId: `${reference}:${code}:${success}`, type: code }
  const ours = told<Pick<Notice, "attempt" | "operation">>({
    attempt: ourId("att", merchantReference),
    operation: ourId("op", merchantReference),
  })
  if (event === undefined || (success !== "true" && success !== "false"))
    return [{ ...id, ...ours, about: "other", trust: "hint", outcome: nothing(code) }]
  const named = told<Pick<Notice, "reference" | "operationReference">>(
    event.stage !== undefined
      ? { reference: original, operationReference: undefined }
      : isModification(event)
        ? { reference: original, operationReference: reference }
        : { reference: original ?? reference, operationReference: undefined },
  )
  const outcome = outcomeOf(item, event, success === "true" ? event.yes : event.no, money)
  const currency = money === undefined ? {} : { currency: money.currency as string }
  // Automatic captures have no webhook of their own, unless an account asks for them.
  const captures =
    outcome.kind === "approved" && outcome.effect === "authorized" ? { capturesIfAutomatic: true as const } : {}
  // Made in the Customer Area. Accounts of ours capture once: the rest is released with it.
  const byHand = event.about === "capture" && outcome.kind === "approved" && ours.operation === undefined
  const final = byHand && !manifest.features.multipleCaptures ? { final: true as const } : {}
  if (event.stage === undefined)
    return [
      {
        ...id,
        ...ours,
        ...named,
        ...currency,
        ...captures,
        ...final,
        about: event.about,
        trust: trustIn(outcome),
        outcome,
      },
    ]
  if (money === undefined || success !== "true")
    return [{ ...id, ...ours, ...named, about: "dispute", trust: "hint", outcome }]
  const dispute = told<NonNullable<Notice["dispute"]>>({
    id: reference,
    stage: event.stage,
    amount: money.minor,
    reason: textAt(item, "reason"),
    dueAt: textAt(item, "additionalData", "defensePeriodEndsAt"),
  })
  return [{ ...id, ...ours, ...named, ...currency, about: "dispute", trust: "signed", outcome, dispute }]
}

/** A payment's webhooks carry its reference, those of a modification the modification's: the form tells which it is. */
const ourId = (prefix: "att" | "op", reference: string | undefined): string | undefined =>
  reference !== undefined && new RegExp(`^${prefix}_[0-9a-z]{26}$`).test(reference) ? reference : undefined

/** Events whose pspReference is the modification's own. A dispute's is the dispute's, all others carry the payment's. */
const isModification = ({ about }: Event): boolean =>
  about === "capture" || about === "void" || about === "refund" || about === "increment" || about === "reverse"

const trustIn = ({ kind }: Outcome): Notice["trust"] => (kind === "unknown" ? "hint" : "signed")

const nothing = (code: string): Outcome => ({ kind: "unknown", raw: { code: code.slice(0, 100) }, evidence: {} })

function outcomeOf(item: unknown, event: Event, verdict: Verdict, money: Money | undefined): Outcome {
  const code = textAt(item, "eventCode") ?? ""
  const psp = textAt(item, "pspReference")
  const original = textAt(item, "originalReference")
  const evidence = told<Outcome["evidence"]>({
    reference: psp,
    // The token that a stored card got is this event's own reference.
    providerToken: code === "RECURRING_CONTRACT" && psp !== undefined ? { token: psp } : undefined,
  })
  const raw = rawOf(item, code, verdict)
  switch (verdict) {
    case "authorized":
    case "captured":
    case "refunded":
    case "incremented":
      if (money === undefined) return { kind: "unknown", raw, evidence }
      return verdict === "authorized" && money.minor === 0n
        ? { kind: "approved", effect: "verified", amount: 0n, raw, evidence }
        : { kind: "approved", effect: verdict, amount: money.minor, raw, evidence }
    case "verified":
    case "voided":
      return { kind: "approved", effect: verdict, amount: 0n, raw, evidence }
    case "pending":
      return { kind: "pending", raw, evidence }
    case "absent":
      // A payment that is named exists, and was not cancelled: captured, or refused.
      return original === undefined
        ? { kind: "absent", raw, evidence }
        : { kind: "declined", reason: "wrong_state", raw, evidence }
    case "declined":
      return { kind: "declined", reason: reasonOf(item, event), raw, evidence }
    case "unknown":
      return { kind: "unknown", raw, evidence }
    default:
      return verdict satisfies never
  }
}

/** An approval's `reason` holds the card's last digits and expiry: it is not kept. */
function rawOf(item: unknown, code: string, verdict: Verdict): Raw {
  const action = textAt(item, "additionalData", "modification.action")
  if (verdict === "voided" && action !== undefined) return { code, message: action }
  if (verdict !== "declined" && verdict !== "absent") return { code }
  const { networkCode, adviceCode } = wordsOf(item)
  return told<Raw>({ code, message: textAt(item, "reason"), networkCode, adviceCode })
}

/** Unsigned words: they name a reason for people and for statistics, and decide nothing about money. */
function reasonOf(item: unknown, event: Event): DeclineReason {
  const text = textAt(item, "reason")
  if (textAt(item, "eventCode") === "OFFER_CLOSED") return "customer_timeout"
  if (event.about === "authorize") return refusalReason(refusalByText(text), wordsOf(item))
  return (text === undefined ? undefined : lookup(modificationReasons, text)) ?? "unmapped"
}

function wordsOf(item: unknown): Words {
  const raw = textAt(item, "additionalData", "refusalReasonRaw") ?? textAt(item, "reason")
  return told<Words>({
    networkCode: readNetworkResponse(raw),
    adviceCode: readAdvice(textAt(item, "additionalData", "merchantAdviceCode")),
    brand: textAt(item, "paymentMethod"),
    inferred: textAt(item, "additionalData", "inferredRefusalReason"),
  })
}
