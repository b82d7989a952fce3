// Checkout.com signs the raw body, so any HMAC-SHA256 will do as oracle; here the web's own instead of node's.
import assert from "node:assert/strict"
import { test } from "node:test"
import { webhookOf } from "./event.ts"

const event = {
  id: "evt_fkfqht6yonme7bk7jawrgzbbxq",
  type: "payment_captured",
  timestamp: "2027-01-15T12:00:00.000Z",
  paymentId: "pay_vti5layihapu5bhbn5tjtk6eem",
  data: { id: "pay_vti5layihapu5bhbn5tjtk6eem", reference: "Größe 5 – ñ", amount: 20 },
} as const

test("the signature is the hex HMAC-SHA256 of the bytes that are sent", async () => {
  const { headers, body } = webhookOf(event, "secret")
  const bytes = new TextEncoder()
  const key = await crypto.subtle.importKey("raw", bytes.encode("secret"), { name: "HMAC", hash: "SHA-256" }, false, [
    "verify",
  ])
  const signature = Buffer.from(headers["cko-signature"] ?? "", "hex")
  assert.equal(await crypto.subtle.verify("HMAC", key, signature, bytes.encode(body)), true)
  assert.equal(await crypto.subtle.verify("HMAC", key, signature, bytes.encode(`${body} `)), false)
  assert.match(headers["cko-signature"] ?? "", /^[0-9a-f]{64}$/)
})

test("an event names itself, its type and its payment", () => {
  assert.partialDeepStrictEqual(JSON.parse(webhookOf(event, "secret").body), {
    id: event.id,
    type: "payment_captured",
    timestamp: event.timestamp,
    data: event.data,
    _links: { subject: { href: `https://api.sandbox.checkout.com/workflows/events/subject/${event.paymentId}` } },
  })
})
