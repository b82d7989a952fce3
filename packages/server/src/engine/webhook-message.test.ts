import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { Webhook } from "standardwebhooks"
import { makeId } from "../core/id.ts"
import { newSigningSecret, webhookMessage } from "./webhook-message.ts"

const id = makeId("evt", 1, Buffer.alloc(16, 1))
const event = {
  id,
  type: "payment.captured",
  at: 1_795_374_480_000,
  sequence: 7,
  data: { payment: "pay_1", metadata: { order: "Größe 46" } },
}
const old = newSigningSecret(Buffer.alloc(32, 1))
const current = newSigningSecret(Buffer.alloc(32, 2))
const other = newSigningSecret(Buffer.alloc(32, 3))
const now = Date.now()

test("the standard's own library verifies every message, whatever is in it", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.jsonValue(),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      (type, data, bytes) => {
        const key = newSigningSecret(bytes)
        const { headers, body } = webhookMessage({ ...event, type, data }, [key], now)
        const verified = new Webhook(key.reveal()).verify(body, { ...headers }) as Record<string, unknown>
        assert.deepEqual(
          verified,
          JSON.parse(JSON.stringify({ type, timestamp: "2026-11-22T19:08:00.000Z", sequence: 7, data })),
        )
      },
    ),
    { numRuns: 50 },
  )
})

test("during a rotation the old and the new secret both verify, and no other", () => {
  const { headers, body } = webhookMessage(event, [current, old], now)
  new Webhook(current.reveal()).verify(body, { ...headers })
  new Webhook(old.reveal()).verify(body, { ...headers })
  assert.throws(() => new Webhook(other.reveal()).verify(body, { ...headers }), /No matching signature/)
  assert.match(headers["webhook-signature"] ?? "", /^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/)
})

test("a changed body, id or time does not verify", () => {
  const { headers, body } = webhookMessage(event, [current], now)
  const receiver = new Webhook(current.reveal())
  assert.throws(() => receiver.verify(body.replace("captured", "refunded"), { ...headers }))
  assert.throws(() => receiver.verify(body, { ...headers, "webhook-id": "evt_other" }))
  const later = String(Number(headers["webhook-timestamp"]) + 1)
  assert.throws(() => receiver.verify(body, { ...headers, "webhook-timestamp": later }))
})

test("every try has the event's id and time, and its own timestamp", () => {
  const first = webhookMessage(event, [current], now)
  const again = webhookMessage(event, [current], now + 3_600_000)
  assert.equal(first.body, again.body)
  assert.equal(first.headers["webhook-id"], id)
  assert.equal(again.headers["webhook-id"], id)
  assert.equal(Number(again.headers["webhook-timestamp"]) - Number(first.headers["webhook-timestamp"]), 3_600)
})
