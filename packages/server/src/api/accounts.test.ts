import assert from "node:assert/strict"
import { test } from "node:test"
import { accountBody, card, ok, simulate, startApi } from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "stripe", "adyen", "checkout")
const stripe = providers.simulator.accounts().find(({ persona }) => persona === "stripe")!

test("smoke", async () => {
  for (const persona of ["stripe", "adyen", "checkout"] as const) {
    const { id } = await providers.connect(persona)
    const payment = ok(
      await api.call("POST", "/v1/payments", {
        headers: { "idempotency-key": `smoke-${persona}` },
        body: { amount: 1200, currency: "EUR", account: id, payment_method: { type: "card", card } },
      }),
      201,
    )
    console.log(payment.status, payment.failure)
  }
  assert.ok(stripe, JSON.stringify(accountBody(stripe)))
})
