// Adyen's standard webhooks: one NotificationRequestItem in a batch envelope, signed inside its own body.
// https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures
import { createHmac } from "node:crypto"
import type { PersonaWebhook } from "../persona.ts"
import { type AdyenAmount, wireAmount } from "./amount.ts"

export type EventCode =
  | "AUTHORISATION"
  | "AUTHORISATION_ADJUSTMENT"
  | "CANCELLATION"
  | "CANCEL_OR_REFUND"
  | "CAPTURE"
  | "CAPTURE_FAILED"
  | "CHARGEBACK"
  | "EXPIRE"
  | "NOTIFICATION_OF_CHARGEBACK"
  | "OFFER_CLOSED"
  | "REFUND"
  | "REFUND_FAILED"
  | "TECHNICAL_CANCEL"

export type Notification = {
  readonly eventCode: EventCode
  readonly success: boolean
  readonly pspReference: string
  /** The payment that a modification is about. */
  readonly originalReference?: string | undefined
  readonly merchantAccount: string
  readonly merchantReference: string
  readonly amount: AdyenAmount
  readonly at: number
  readonly paymentMethod?: string | undefined
  readonly reason?: string | undefined
  readonly operations?: readonly string[] | undefined
  readonly additionalData?: Readonly<Record<string, string>> | undefined
}

export function webhookOf(notification: Notification, hmacKey: string): PersonaWebhook {
  const { eventCode, success, originalReference, operations, paymentMethod, reason = "", additionalData } = notification
  const item = {
    additionalData: { ...additionalData, hmacSignature: signatureOf(notification, hmacKey) },
    amount: wireAmount(notification.amount),
    eventCode,
    eventDate: eventDate(notification.at),
    merchantAccountCode: notification.merchantAccount,
    merchantReference: notification.merchantReference,
    ...(operations && { operations }),
    ...(originalReference !== undefined && { originalReference }),
    ...(paymentMethod !== undefined && { paymentMethod }),
    pspReference: notification.pspReference,
    reason,
    success: String(success),
  }
  const batch = { live: "false", notificationItems: [{ NotificationRequestItem: item }] }
  return { headers: { "content-type": "application/json; charset=utf-8" }, body: JSON.stringify(batch) }
}

/** HMAC-SHA256 over eight fields joined by colons, none of them escaped; the key is given in hex. */
function signatureOf(notification: Notification, hmacKey: string): string {
  const fields = [
    notification.pspReference,
    notification.originalReference ?? "",
    notification.merchantAccount,
    notification.merchantReference,
    String(notification.amount.value),
    notification.amount.currency,
    notification.eventCode,
    String(notification.success),
  ]
  return createHmac("sha256", Buffer.from(hmacKey, "hex")).update(fields.join(":"), "utf8").digest("base64")
}

/** 2021-01-01T01:00:00+00:00: to the second, with an offset. */
function eventDate(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}+00:00`
}
