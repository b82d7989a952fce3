// Checkout.com's webhooks: one event, signed over its raw body in the Cko-Signature header (HMAC-SHA256, hex).
// https://www.checkout.com/docs/developer-resources/event-notifications
import { createHmac } from "node:crypto"
import type { PersonaWebhook } from "../persona.ts"

export type EventType =
  | "card_verification_declined"
  | "card_verified"
  | "dispute_evidence_required"
  | "dispute_received"
  | "payment_approved"
  | "payment_authorization_increment_declined"
  | "payment_authorization_incremented"
  | "payment_capture_declined"
  | "payment_captured"
  | "payment_declined"
  | "payment_expired"
  | "payment_pending"
  | "payment_refund_declined"
  | "payment_refunded"
  | "payment_void_declined"
  | "payment_voided"

export type Event = {
  readonly id: string
  readonly type: EventType
  /** RFC 3339. */
  readonly timestamp: string
  readonly paymentId: string
  readonly data: Readonly<Record<string, unknown>>
}

const API = "https://api.sandbox.checkout.com"

export function webhookOf({ id, type, timestamp, paymentId, data }: Event, key: string): PersonaWebhook {
  const body = JSON.stringify({
    id,
    source: "gwc_notifier1",
    type,
    timestamp,
    version: "1.0.33",
    data,
    _links: {
      self: { href: `${API}/workflows/events/${id}` },
      subject: { href: `${API}/workflows/events/subject/${paymentId}` },
    },
  })
  const signature = createHmac("sha256", key).update(body, "utf8").digest("hex")
  return { headers: { "content-type": "application/json; charset=utf-8", "cko-signature": signature }, body }
}
