// Routing that learns, with two whole nodes on one PostgreSQL and the simulated providers: what one node suffers, the other
// knows; traffic leaves an account that is down, with the reason in every decision, and comes back by reads and probes.

import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Weather } from "@orchestra/simulator"
import { card, ok, simulate, startApi, type Json, type TestApi } from "../../testing/api.ts"
import { eventually, until } from "../../testing/wait.ts"

let made = 0
async function pay(api: TestApi, currency = "EUR"): Promise<Json> {
  const body = { amount: 1_999, currency, payment_method: { type: "card", card } }
  const headers = { "idempotency-key": `pay-${(made += 1)}` }
  return ok(await api.call("POST", "/v1/payments", { body, headers }), 201)
}
const accountsOf = (payment: Json): readonly string[] => payment.attempts.map((attempt: Json) => attempt.account)

async function healthOf(api: TestApi, account: string): Promise<Json> {
  const { data } = ok(await api.call("GET", "/v1/routing/health"))
  return data.find((one: Json) => one.account === account)
}
const stateOf = async (api: TestApi, account: string): Promise<string> => (await healthOf(api, account)).state

/** The decision of a payment's first attempt, with everything that was known. */
async function decisionOf(api: TestApi, payment: Json): Promise<Json> {
  return ok(await api.call("GET", `/v1/payments/${payment.id}/attempts`)).data[0].decision
}

async function putInForce(api: TestApi, rules: Json): Promise<void> {
  const { policy, version } = ok(await api.call("POST", "/v1/policies", { body: { name: "Live", rules } }), 201)
  const headers = { "if-match": `"${policy.version}"` }
  ok(await api.call("POST", `/v1/policies/${policy.id}/activate`, { headers, body: { version: version.version } }))
}

describe("two nodes on one database", () => {
  test("leave an account that is down, tell why, and come back by harmless reads and probes", async () => {
    const one = await startApi()
    const providers = await simulate(one, "adyen", "checkout")
    const first = await providers.connect("adyen")
    const second = await providers.connect("checkout")
    await putInForce(one, [
      {
        name: "dollars",
        when: { field: "currency", op: "equals", value: "USD" },
        strategy: { kind: "optimize", accounts: [first.id, second.id], objective: { kind: "approval" } },
      },
      {
        name: "yen while the first is out",
        when: {
          all: [
            { field: "currency", op: "equals", value: "JPY" },
            { field: `accounts.${first.id}.state`, op: "equals", value: "ejected" },
          ],
        },
        strategy: { kind: "ordered", accounts: [second.id] },
      },
      { name: "others", when: "true", strategy: { kind: "ordered", accounts: [first.id, second.id] } },
    ])
    const two = await startApi({ beside: one })
    await two.server.knows(2)
    await until(
      "the second node knows the policy",
      async () => (await decisionOf(two, await pay(two))).rule?.index === 2,
    )
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
    const ordered = await decisionOf(two, elsewhere)
    assert.deepEqual([ordered.reason, ordered.rule.name], ["ordered", "others"])
    assert.deepEqual(ordered.chosen, [second.id, first.id], "who is out goes last, and is not forgotten")
    assert.deepEqual(ordered.replay, { same: true })
    const lost = ordered.accounts.find((account: Json) => account.account === first.id)
    assert.deepEqual([lost.health.state, lost.health.share, lost.propensity], ["ejected", 0, 0])

    const scored = await decisionOf(two, await pay(two, "USD"))
    assert.deepEqual([scored.reason, scored.rule.name, scored.chosen[0]], ["best", "dollars", second.id])
    assert.deepEqual(scored.replay, { same: true })
    for (const { score } of scored.accounts) assert.ok(score.paid > score.paid_low && score.paid < score.paid_high)

    const { troubles } = await healthOf(two, first.id)
    assert.ok(troubles[0].evidence.bad >= 4 && troubles[0].evidence.statistic > 0)
    const yen = { amount: 2_000, currency: "JPY", payment_method: { type: "card", bin: "424242" } }
    const explained = ok(await two.call("POST", "/v1/decisions/explain", { body: yen }))
    assert.deepEqual([explained.rule.name, explained.chosen], ["yen while the first is out", [second.id]])
    // All nodes came to it, and it happened once.
    const changes = await eventually("the change is stored", async () => {
      const { data } = ok(await one.call("GET", "/v1/routing/changes"))
      return data.some(({ to }: Json) => to === "ejected") ? data : undefined
    })
    assert.equal(changes.filter(({ to, scope }: Json) => to === "ejected" && scope === "all").length, 1)
    const told = await eventually("the merchant is told", async () => {
      const { data } = ok(await one.call("GET", "/v1/events", { query: { type: "account.ejected" } }))
      return data.length > 0 ? data : undefined
    })
    assert.equal(told[0].data.account, first.id)

    providers.simulator.log.clear()
    await providers.simulator.setWeather(first.ready.id, {})
    const probe = await eventually("a payment probes", async () => {
      const payment = await pay(one)
      return payment.attempts[0].decision.reason === "probe" ? payment : undefined
    })
    assert.deepEqual(accountsOf(probe), [first.id])
    const asked = providers.simulator.log.last(100, first.ready.id).map(({ operation }) => operation)
    const reads = asked.indexOf("authorize")
    assert.ok(reads >= 2, `harmless reads come before a payment does: ${asked.join(" ")}`)
    await until("its traffic comes back", async () => {
      await Promise.all([pay(one), pay(two)])
      const state = await stateOf(two, first.id)
      return state === "returning" || state === "healthy"
    })
  })
})

test("a node that no provider answers leaves readiness, blames no account, and is ready again once one answers", async () => {
  const api = await startApi()
  const providers = await simulate(api, "adyen", "checkout")
  const connected = [await providers.connect("adyen"), await providers.connect("checkout")]
  await pay(api)
  const setWeather = async (weather: Weather): Promise<void> => {
    for (const { ready } of connected) await providers.simulator.setWeather(ready.id, weather)
  }
  await setWeather({ faults: [{ type: "refused", probability: 1 }] })
  await until("the node is sick", async () => {
    await pay(api)
    return (await api.call("GET", "/ready")).status === 503
  })
  assert.match((await api.call("GET", "/ready")).body.detail, /No provider answers this node/)
  for (const { id } of connected) assert.notEqual(await stateOf(api, id), "ejected")
  assert.equal(api.logged.filter((line) => line.startsWith("error no provider answers")).length, 1)
  await setWeather({})
  await until("a harmless read finds a provider", async () => (await api.call("GET", "/ready")).status === 200)
})

test("explaining a payment changes nothing, and says what is wrong with it", async () => {
  const api = await startApi()
  const providers = await simulate(api, "adyen")
  const { id } = await providers.connect("adyen")
  const body = { amount: 1_999, currency: "EUR", payment_method: { type: "card", bin: "424242", country: "DE" } }
  const explained = ok(await api.call("POST", "/v1/decisions/explain", { body }))
  assert.deepEqual([explained.reason, explained.chosen], ["ordered", [id]])
  assert.deepEqual(explained.accounts[0].health, { state: "healthy", share: 1, probe_due: false })
  const elsewhere = ok(
    await api.call("POST", "/v1/decisions/explain", { body: { ...body, account: id, currency: "BHD" } }),
  )
  assert.deepEqual(elsewhere.chosen.length + elsewhere.excluded.length, 1)
  assert.equal(ok(await api.call("GET", "/v1/payments")).data.length, 0)
  for (const [wrong, pointer] of [
    [{ ...body, currency: "EUX" }, "#/currency"],
    [{ ...body, payment_method: { type: "card" } }, "#/payment_method"],
    [{ ...body, payment_method: { type: "provider_token" } }, "#/payment_method/account"],
    [{ ...body, payment_method: undefined }, "#/payment_method"],
    [{ ...body, payment_method: { ...body.payment_method, country: "ZZ" } }, "#/payment_method/country"],
    [{ ...body, payment_method: { ...body.payment_method, network: "amex" } }, "#/payment_method/network"],
    [{ ...body, payment: api.id("pay") }, "#/payment"],
    [{ ...body, billing: { address: { country: "XX" } } }, "#/billing/address/country"],
  ] as const) {
    const answer = await api.call("POST", "/v1/decisions/explain", { body: wrong })
    assert.equal(answer.status, 400, answer.text)
    assert.equal(answer.body.errors[0].pointer, pointer)
  }
})
