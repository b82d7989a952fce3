// The oracle is Adyen's own validator from its Node SDK; the literals are from the SDK's published tests.
import assert from "node:assert/strict"
import { test } from "node:test"
import { hmacValidator as HmacValidator } from "@adyen/api-library"
import fc from "fast-check"
import { type Notification, webhookOf } from "./notification.ts"

const KEY = "DFB1EB5485895CFA84146406857104ABB4CBCABDC8AAF103A624C8F6A3EAAB00"
const validator = new HmacValidator()

const sample: Notification = {
  eventCode: "AUTHORISATION",
  success: true,
  pspReference: "7914073381342284",
  merchantAccount: "TestMerchant",
  merchantReference: "TestPayment-1407325143704",
  amount: { currency: "EUR", value: 1130n },
  at: Date.UTC(2027, 0, 15, 12, 30, 1),
}

test("a published notification gets its published signature", () => {
  assert.equal(itemOf(sample).additionalData.hmacSignature, "Ny9gS2veKo5E4w8/OL6xz1/wvT/hYkAXy1xNc/QvO4I=")
})

test("Adyen's validator accepts what is signed here, whatever stands in the fields, colons and backslashes too", () => {
  const text = fc.string({ minLength: 1, maxLength: 40 })
  const property = fc.property(
    text,
    text,
    fc.option(text),
    fc.bigInt({ min: 0n, max: 10n ** 12n }),
    fc.boolean(),
    (merchantReference, pspReference, original, value, success) => {
      const originalReference = original ?? undefined
      const notification = { ...sample, merchantReference, pspReference, originalReference, success }
      const item = itemOf({ ...notification, amount: { currency: "JPY", value } })
      assert.equal(validator.validateHMAC(item, KEY), true)
    },
  )
  fc.assert(property, { numRuns: 200 })
})

test("a change of any signed field breaks the signature", () => {
  const item = itemOf({ ...sample, originalReference: "8313547924770610" })
  const changes = [
    { pspReference: "7914073381342285" },
    { originalReference: "8313547924770611" },
    { merchantAccountCode: "OtherMerchant" },
    { merchantReference: "TestPayment-1" },
    { amount: { currency: "EUR", value: 1131 } },
    { amount: { currency: "USD", value: 1130 } },
    { eventCode: "CAPTURE" },
    { success: "false" },
  ]
  for (const change of changes) assert.equal(validator.validateHMAC({ ...item, ...change }, KEY), false)
})

test("a notification comes in a batch of one, dated with an offset and with success as text", () => {
  const { body } = webhookOf({ ...sample, success: false, reason: "Refused" }, KEY)
  const batch = JSON.parse(body)
  assert.equal(batch.live, "false")
  assert.equal(batch.notificationItems.length, 1)
  const item = batch.notificationItems[0].NotificationRequestItem
  assert.equal(item.eventDate, "2027-01-15T12:30:01+00:00")
  assert.equal(item.success, "false")
  assert.equal(item.reason, "Refused")
})

function itemOf(notification: Notification) {
  return JSON.parse(webhookOf(notification, KEY).body).notificationItems[0].NotificationRequestItem
}
