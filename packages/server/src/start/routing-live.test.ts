// Routing that learns, with two whole nodes on one PostgreSQL and the simulated providers: what one node suffers, the other
// knows; traffic leaves an account that is down, with the reason in every decision, and comes back by reads and probes.

import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { card, ok, simulate, startApi, type Json, type TestApi } from "../../testing/api.ts"
import { eventually, until } from "../../testing/wait.ts"

let made = 0
async function pay(api: TestApi): Promise<Json> {
  const body = { amount: 1_999, currency: "EUR", payment_method: { type: "card", card } }
  const headers = { "idempotency-key": `pay-${(made += 1)}` }
  return ok(await api.call("POST", "/v1/payments", { body, headers }), 201)
}
const accountsOf = (payment: Json): readonly string[] => payment.attempts.map((attempt: Json) => attempt.account)

async function stateOf(api: TestApi, account: string): Promise<string> {
  const known = api.server.engine.signals
    .shelfOf({ merchant: api.merchant, mode: "test" })
    .signals.overall(account, api.server.engine.clock.now())
  return Promise.resolve(known?.state ?? "unknown")
}

describe("two nodes on one database", () => {
  test("leave an account that is down, tell why, and come back by harmless reads and probes", async () => {
    const one = await startApi()
    const providers = await simulate(one, "adyen", "checkout")
    const first = await providers.connect("adyen")
    const second = await providers.connect("checkout")
    const two = await startApi({ beside: one })
    await two.server.knows(2)
    for (let i = 0; i < 10; i++) assert.deepEqual(accountsOf(await pay(i % 2 === 0 ? one : two)), [first.id])

    await providers.simulator.setWeather(first.ready.id, { faults: [{ type: "refused", probability: 1 }] })
    await until("the first node leaves the account", async () => {
      const payment = await pay(one)
      assert.equal(payment.status, "captured", "a payment that one provider does not take goes to the other")
      return (await stateOf(one, first.id)) === "ejected"
    })
    // The other node has not sent a single payment there since.
    await until("the second node knows", async () => (await stateOf(two, first.id)) === "ejected")
    const elsewhere = await pay(two)
    assert.deepEqual(accountsOf(elsewhere), [second.id])
    const attempts = ok(await two.call("GET", `/v1/payments/${elsewhere.id}/attempts`))
    const { decision } = attempts.data[0]
    assert.equal(decision.reason, "ordered")
    assert.deepEqual(decision.chosen, [second.id, first.id], "who is out goes last, and is not forgotten")
    assert.equal(decision.inputs.readings.accounts[first.id].state, "ejected")

    await providers.simulator.setWeather(first.ready.id, {})
    const probe = await eventually("a payment probes", async () => {
      const payment = await pay(one)
      return payment.attempts[0].decision.reason === "probe" ? payment : undefined
    })
    assert.deepEqual(accountsOf(probe), [first.id])
  })
})
