// Whatever is asked of a payment, in whatever order: the books stay whole, what is shown is the truth, and nothing that
// was accepted goes untold.
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { openBench } from "../persona-bench.ts"
import type { PersonaWebhook } from "../persona.ts"
import { checkout } from "./index.ts"

const credentials = { secretKey: "sk", publicKey: "pk", processingChannelId: "pc", webhookSecret: "secret" }
const LONG_MS = 40 * 86_400_000

const amount = fc.option(fc.integer({ min: 1, max: 1200 }), { nil: undefined })
const step = fc.oneof(
  fc.record({
    ask: fc.constantFrom("captures", "refunds", "voids", "authorizations", "reversals"),
    amount,
    last: fc.boolean(),
  }),
  fc.record({ wait: fc.constantFrom(1_000, 2_000, 30 * 86_400_000) }),
  fc.record({ befall: fc.constantFrom("expire", "dispute") }),
)

test("every accepted action is shown and told once, and no ordering of them breaks the books", async () => {
  const bench = await openBench(checkout, credentials)
  // Straight from the persona: the bench's delivery takes turns of the event loop, which a property does not wait for.
  let webhooks: PersonaWebhook[] = []
  bench.persona.onWebhook((webhook) => webhooks.push(webhook))
  const call = (method: string, path: string, body?: object) => {
    const headers = { authorization: "Bearer sk" }
    return bench.persona.handle({ method, path, headers, body: body ? JSON.stringify(body) : "" })
  }
  const started = (name: string, rest: object): string => {
    const card = { type: "card", number: "4111111111111111", expiry_month: 12, expiry_year: 2098, name }
    const purchase = { source: card, amount: 1000, currency: "EUR", authorization_type: "Estimated", ...rest }
    return JSON.parse(call("POST", "/payments", purchase).body).id
  }
  const property = fc.property(
    fc.constantFrom("Jo", "capture declined", "refund declined"),
    fc.boolean(),
    fc.array(step, { maxLength: 12 }),
    (name, capture, steps) => {
      webhooks = []
      const id = started(name, { capture })
      const truth = () => bench.persona.truth().find(({ reference }) => reference === id)
      const accepted: string[] = []
      for (const each of steps) {
        if ("wait" in each) bench.advance(each.wait)
        else if ("befall" in each) bench.persona.befall?.(id, { type: each.befall as "expire" })
        else {
          const capture_type = each.last ? "Final" : "NonFinal"
          const answer = call("POST", `/payments/${id}/${each.ask}`, { amount: each.amount, capture_type })
          assert.ok([201, 202, 204, 403, 422].includes(answer.status))
          if (answer.status < 300 && answer.status !== 204) accepted.push(JSON.parse(answer.body).action_id)
        }
        const charge = truth()
        assert.ok(charge)
        assert.ok(charge.captured + charge.capturePending <= charge.authorized)
        assert.ok(charge.refunded + charge.refundPending <= charge.captured)
        const { balances } = JSON.parse(call("GET", `/payments/${id}`).body)
        assert.equal(BigInt(balances.total_authorized), charge.authorized)
        assert.equal(BigInt(balances.total_captured), charge.captured)
        assert.equal(BigInt(balances.total_refunded), charge.refunded)
        assert.ok(balances.available_to_capture >= 0)
      }
      bench.advance(LONG_MS)
      const told = webhooks.map(({ body }) => JSON.parse(body).data.action_id)
      const shown = JSON.parse(call("GET", `/payments/${id}/actions`).body).map((action: { id: string }) => action.id)
      for (const action of accepted) {
        assert.equal(told.filter((each) => each === action).length, 1)
        assert.equal(shown.filter((each: string) => each === action).length, 1)
      }
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
