// One event as a merchant's endpoint receives it: Standard Webhooks (https://www.standardwebhooks.com), so that any of its
// libraries verifies it. The message's id is the event's, equal over all tries, and its `sequence` is the payment's
// version: a receiver drops what it has had, and what is older than what it knows.

import { createHmac } from "node:crypto"
import { rfc3339 } from "../core/instant.ts"
import { secret, type Secret } from "../core/secret.ts"
import type { OutboxEvent } from "../storage/ledger/ledger.ts"

export type WebhookMessage = { readonly headers: Readonly<Record<string, string>>; readonly body: string }

/** Signing secrets, `whsec_` and base64. During a rotation old and new sign, and either satisfies a receiver. */
export type SigningSecret = Secret<string>

const PREFIX = "whsec_"
export const SECRET_BYTES = 32
/** Longest body that is sent. An event is a summary: receivers read the rest. */
export const MAX_MESSAGE_BYTES = 256 * 1024

export function webhookMessage(
  event: Pick<OutboxEvent, "id" | "type" | "at" | "sequence" | "data">,
  secrets: readonly SigningSecret[],
  nowMs: number,
): WebhookMessage {
  const { id, type, at, sequence, data } = event
  const body = JSON.stringify({ type, timestamp: rfc3339(at), sequence, data })
  // The time of this try, not of the event: receivers refuse old timestamps, and a try may come days later.
  const timestamp = String(Math.floor(nowMs / 1_000))
  return {
    headers: {
      "content-type": "application/json",
      "user-agent": "Orchestra-Webhooks/1",
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": secrets.map((key) => signature(key, `${id}.${timestamp}.${body}`)).join(" "),
    },
    body,
  }
}

function signature(key: SigningSecret, content: string): string {
  const bytes = Buffer.from(key.reveal().slice(PREFIX.length), "base64")
  return `v1,${createHmac("sha256", bytes).update(content).digest("base64")}`
}

/** A new signing secret of `SECRET_BYTES` random bytes. */
export const newSigningSecret = (bytes: Uint8Array): SigningSecret =>
  secret(PREFIX + Buffer.from(bytes).toString("base64"))
