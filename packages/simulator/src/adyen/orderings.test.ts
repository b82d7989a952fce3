// Whatever is asked of a payment, in whatever order: the books stay whole, and nothing that was received goes untold.
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { openBench } from "../persona-bench.ts"
import type { PersonaWebhook } from "../persona.ts"
import { adyen } from "./index.ts"

const credentials = { apiKey: "key", merchantAccount: "M", hmacKey: "AB".repeat(32), multiplePartialCaptures: "true" }
const LONG_MS = 40 * 86_400_000

const amount = fc.integer({ min: 1, max: 1200 })
const step = fc.oneof(
  fc.record({ ask: fc.constantFrom("captures", "refunds", "amountUpdates"), amount }),
  fc.record({ ask: fc.constantFrom("cancels", "reversals", "technical") }),
  fc.record({ wait: fc.constantFrom(1_000, 5_000, 60_000, 28 * 86_400_000) }),
  fc.record({ befall: fc.constantFrom("expire", "dispute") }),
)

test("every received modification is told once, and no ordering of them breaks the books", async () => {
  const bench = await openBench(adyen, credentials)
  // Straight from the persona: the bench's delivery takes turns of the event loop, which a property does not wait for.
  let webhooks: PersonaWebhook[] = []
  bench.persona.onWebhook((webhook) => webhooks.push(webhook))
  const post = (path: string, body: object) => {
    const whole = JSON.stringify({ merchantAccount: "M", ...body })
    return bench.persona.handle({ method: "POST", path: `/v72${path}`, headers: { "x-api-key": "key" }, body: whole })
  }
  const started = (holderName: string, preAuth: boolean): string => {
    const card = { type: "scheme", number: "4111111111111111", expiryMonth: "12", expiryYear: "2098", holderName }
    const additionalData = { manualCapture: "true", ...(preAuth && { authorisationType: "PreAuth" }) }
    const purchase = { amount: { currency: "EUR", value: 1000 }, reference: "r", returnUrl: "https://s.example" }
    return JSON.parse(post("/payments", { ...purchase, paymentMethod: card, additionalData }).body).pspReference
  }
  const property = fc.property(
    fc.constantFrom("Jo", "capture failed", "refund failed"),
    fc.boolean(),
    fc.array(step, { maxLength: 12 }),
    (holderName, preAuth, steps) => {
      webhooks = []
      const psp = started(holderName, preAuth)
      const truth = () => bench.persona.truth().find(({ reference }) => reference === psp)
      const received: string[] = []
      for (const each of steps) {
        if ("wait" in each) bench.advance(each.wait)
        else if ("befall" in each) bench.persona.befall?.(psp, { type: each.befall as "expire" })
        else {
          const path = each.ask === "technical" ? "/cancels" : `/payments/${psp}/${each.ask}`
          const value = "amount" in each ? { amount: { currency: "EUR", value: each.amount } } : {}
          const answer = post(path, { paymentReference: "r", ...value })
          assert.equal(answer.status, 201)
          received.push(JSON.parse(answer.body).pspReference)
        }
        const charge = truth()
        assert.ok(charge)
        assert.ok(charge.captured + charge.capturePending <= charge.authorized)
        assert.ok(charge.refunded + charge.refundPending <= charge.captured)
        assert.ok(charge.held >= 0n)
      }
      bench.advance(LONG_MS)
      const told = webhooks
        .map(({ body }) => JSON.parse(body).notificationItems[0].NotificationRequestItem)
        .filter(({ eventCode }) => eventCode !== "CAPTURE_FAILED" && eventCode !== "REFUND_FAILED")
        .map(({ pspReference }) => pspReference)
      for (const reference of received) assert.equal(told.filter((each) => each === reference).length, 1)
      const settled = truth()
      assert.equal(settled?.capturePending, 0n)
      assert.equal(settled?.refundPending, 0n)
      assert.notEqual(settled?.state, "authorized")
    },
  )
  try {
    fc.assert(property, { numRuns: 150 })
  } finally {
    await bench.close()
  }
})
