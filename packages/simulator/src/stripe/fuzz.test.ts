// Whatever a merchant sends in whatever order, Stripe's stand-in answers, and what it answers agrees with the ledger.
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { seededRandom } from "../chance.ts"
import { createIssuer, GENEROUS } from "../issuer.ts"
import { createStripe } from "./index.ts"

const METHODS = [
  "pm_card_visa",
  "pm_card_mastercard",
  "pm_card_visa_chargeDeclined",
  "pm_card_threeDSecure2Required",
  "pm_card_refundFail",
  "pm_card_pendingRefund",
  "pm_card_createDispute",
  "pm_none",
]
const amount = fc.oneof(fc.integer({ min: -10, max: 3000 }), fc.constantFrom("", "x", "99999999999999999999"))
const method = fc.constantFrom(...METHODS)
const step = fc.oneof(
  fc.record({ path: fc.constant("confirm"), payment_method: method, return_url: fc.constant("https://shop.example/") }),
  fc.record({ path: fc.constant("capture"), amount_to_capture: amount, final_capture: fc.boolean() }),
  fc.record({ path: fc.constantFrom("cancel", "capture", "confirm") }),
  fc.record({ path: fc.constant("increment_authorization"), amount }),
  fc.record({ path: fc.constant(""), amount, payment_method: method }),
  fc.record({ path: fc.constant("refund"), amount }),
  fc.record({ path: fc.constant("challenge"), challenge: fc.constantFrom("authenticated", "failed", "abandoned") }),
  fc.record({ path: fc.constant("wait"), hours: fc.constantFrom(0, 1, 100, 200) }),
  fc.record({ path: fc.constant("befall"), type: fc.constantFrom("dispute" as const, "expire" as const) }),
)

type Answer = { readonly status: number; readonly document: Readonly<Record<string, unknown>> }

function openWorld() {
  let now = Date.UTC(2027, 0, 1)
  let timers: { at: number; run: () => void }[] = []
  const random = seededRandom("fuzz")
  const profile = { ...GENEROUS, approvalRate: 0.8, partialRate: 0.1 }
  const persona = createStripe(
    { id: "a", credentials: { secretKey: "sk", webhookSecret: "whsec" }, publicUrl: "http://bank.example" },
    { now: () => now, random, after: (ms, run) => void timers.push({ at: now + ms, run }) },
    createIssuer({ seed: "fuzz", random, profileOf: () => profile }),
  )
  return {
    persona,
    send(method: string, path: string, fields: object = {}): Answer {
      const body = new URLSearchParams(Object.entries(fields).map(([name, value]) => [name, String(value)])).toString()
      const response = persona.handle({ method, path, headers: { authorization: "Bearer sk" }, body })
      return { status: response.status, document: JSON.parse(response.body) as never }
    },
    wait(hours: number): void {
      now += hours * 3_600_000
      const due = timers.filter(({ at }) => at <= now)
      timers = timers.filter(({ at }) => at > now)
      for (const { run } of due) run()
    },
  }
}

test("any history of requests is answered, and the wire agrees with the truth", () => {
  const multicapture = "payment_method_options[card][request_multicapture]"
  const incremental = "payment_method_options[card][request_incremental_authorization]"
  fc.assert(
    fc.property(fc.boolean(), fc.array(step, { maxLength: 12 }), (manual, steps) => {
      const world = openWorld()
      const created = world.send("POST", "/v1/payment_intents", {
        amount: 2000,
        currency: "eur",
        capture_method: manual ? "manual" : "automatic",
        "allowed_payment_method_types[]": "card",
        [multicapture]: "if_available",
        [incremental]: "if_available",
      })
      assert.equal(created.status, 200)
      const id = String(created.document["id"])
      for (const { path, ...fields } of steps) {
        if (path === "wait") world.wait((fields as { hours: number }).hours)
        else if (path === "befall") world.persona.befall(id, fields as { type: "expire" })
        else if (path === "refund") world.send("POST", "/v1/refunds", { payment_intent: id, ...fields })
        else if (path === "challenge") {
          const { document } = world.send("GET", `/v1/payment_intents/${id}`)
          const action = document["next_action"] as { redirect_to_url?: { url: string } } | null
          const url = action?.redirect_to_url?.url.replace("http://bank.example", "")
          const body = new URLSearchParams(fields as Record<string, string>).toString()
          if (url) world.persona.page({ method: "POST", path: url, headers: {}, body })
        } else {
          const answer = world.send("POST", `/v1/payment_intents/${id}${path && `/${path}`}`, fields)
          assert.ok([200, 400, 402].includes(answer.status), JSON.stringify(answer))
        }
        const { document: intent } = world.send("GET", `/v1/payment_intents/${id}?expand[]=latest_charge`)
        const truth = world.persona.truth().find((charge) => charge.reference === id)
        assert.ok(truth)
        assert.equal(intent["amount_received"], Number(truth.captured))
        assert.equal(intent["status"] === "requires_capture", truth.state === "authorized")
        assert.equal(intent["status"] === "succeeded", truth.captured > 0n && truth.state === "captured")
        assert.equal(intent["status"] === "requires_action", truth.state === "action")
        if (intent["status"] === "requires_capture")
          assert.equal(intent["amount_capturable"], Number(truth.authorized - truth.captured))
        const charge = intent["latest_charge"] as {
          amount_captured: number
          amount_refunded: number
          amount: number
        } | null
        if (charge) assert.ok(charge.amount_refunded <= charge.amount && charge.amount_captured <= charge.amount)
      }
    }),
    { numRuns: 150 },
  )
})
