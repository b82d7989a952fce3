// A version that decides on live payments of two nodes without acting: the payments go where they went, and the report says what differs.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, simulate, startApi, type Answer, type Json, type TestApi } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"

const one = await startApi()
const providers = await simulate(one, "stripe", "adyen")
const stripe = (await providers.connect("stripe")).id
const adyen = (await providers.connect("adyen")).id
const two = await startApi({ beside: one })
await two.server.knows(2)
const rule = (name: string, when: string, ...accounts: readonly string[]): Json => ({
  name,
  when,
  strategy: { kind: "ordered", accounts },
})
let made = 0
const pay = async (api: TestApi, currency = "EUR", more: Json = {}): Promise<Json> => {
  const headers = { "idempotency-key": `pay-${(made += 1)}` }
  const body = { amount: 1_000, currency, payment_method: { type: "card", card }, ...more }
  return ok(await api.call("POST", "/v1/payments", { body, headers }), 201)
}
const policyOf = async (...versions: readonly Json[]): Promise<string> => {
  const [rules, ...others] = versions
  const { policy } = ok(await one.call("POST", "/v1/policies", { body: { name: "Order", rules } }), 201)
  for (const more of others)
    ok(await one.call("POST", `/v1/policies/${policy.id}/versions`, { body: { rules: more } }), 201)
  return policy.id
}
const etag = async (id: string): Promise<{ readonly "if-match": string }> => ({
  "if-match": `"${ok(await one.call("GET", `/v1/policies/${id}`)).version}"`,
})
const activate = async (id: string): Promise<void> =>
  void ok(await one.call("POST", `/v1/policies/${id}/activate`, { headers: await etag(id), body: { version: 1 } }))
const shadow = async (id: string, body: Json): Promise<Answer> =>
  one.call("POST", `/v1/policies/${id}/shadow`, { headers: await etag(id), body })
const end = async (id: string): Promise<Json> =>
  ok(await one.call("DELETE", `/v1/policies/${id}/shadow`, { headers: await etag(id) }))
const report = async (id: string): Promise<Json> => ok(await one.call("GET", `/v1/policies/${id}/shadow`))
const counted = (id: string, payments: number): Promise<Json> =>
  eventually(`${payments} payments are in the report`, async () => {
    const now = await report(id)
    return now.payments === payments ? now : undefined
  })

test("a shadow decides on payments of all nodes, moves none of them, and says which it would have moved", async () => {
  const id = await policyOf(
    [rule("all", "true", stripe)],
    [
      { name: "none for gold", when: 'metadata.tier == "gold"', strategy: { kind: "decline", reason: "no" } },
      rule("dollars", 'currency == "USD"', adyen),
      rule("all", "true", stripe),
    ],
  )
  await activate(id)
  const started = await shadow(id, { version: 2, note: "look first" })
  assert.equal(started.headers["etag"], (await etag(id))["if-match"])
  const { state, version, payments, note } = ok(started, 201)
  assert.deepEqual([state, version, payments, note], ["running", 2, 0, "look first"])
  // The other node hears of it within a second.
  await eventually("the second node counts", async () => {
    await pay(two)
    return (await report(id)).payments > 0 ? true : undefined
  })
  const again = ok(await shadow(id, { version: 2 }), 201)
  assert.equal(again.payments, 0, "counted anew")
  const paid = [
    ...(await Promise.all([1, 2, 3].map(() => pay(one)))),
    await pay(one, "USD"),
    await pay(one, "USD"),
    await pay(one, "EUR", { metadata: { tier: "gold" } }),
  ]
  for (const payment of paid) assert.equal(payment.attempts[0].account, stripe, "a shadow acts on nothing")
  const told = await counted(id, 6)
  assert.deepEqual([told.agreement, told.moved, told.missed], [0.5, 3, 0])
  assert.deepEqual(
    told.flows.toSorted((a: Json, b: Json) => b.moved - a.moved),
    [
      { name: `${stripe} → ${adyen}`, moved: 2 },
      { name: `${stripe} → none`, moved: 1 },
    ],
  )
  assert.deepEqual(
    told.rules.find(({ name }: Json) => name === "all → dollars"),
    { name: "all → dollars", payments: 2, moved: 2 },
  )
  assert.deepEqual([told.by_live_scores.payments, told.by_live_scores.unscored], [0, 3])
  assert.equal(told.divergences.length, 3)
  const [latest] = told.divergences
  assert.deepEqual(
    [latest.payment, latest.live, latest.shadow],
    [paid.at(-1).id, { rule: "all", account: stripe }, { rule: "none for gold", account: null }],
  )
  const ended = await end(id)
  assert.deepEqual([ended.state, ended.payments], ["ended", 6])
  assert.equal((await end(id)).ended_at, ended.ended_at, "a second end changes nothing")
  await pay(one, "USD")
  assert.equal((await report(id)).payments, 6)
  const { data } = ok(await one.call("GET", `/v1/policies/${id}/history`))
  assert.deepEqual(
    data.map((line: Json) => [line.act, line.policy_version, line.note]),
    [
      ["shadow_ended", 2, ""],
      ["shadowed", 2, ""],
      ["shadowed", 2, "look first"],
      ["activated", 1, ""],
    ],
  )
})

test("the same policy as a shadow of itself agrees on every payment, dice and scores included", async () => {
  const rules = [
    {
      name: "best",
      when: 'currency == "EUR"',
      strategy: { kind: "optimize", accounts: [stripe, adyen], objective: { kind: "approval" } },
    },
    {
      name: "halves",
      when: "true",
      strategy: {
        kind: "split",
        shares: [
          { account: stripe, share: 1 },
          { account: adyen, share: 1 },
        ],
      },
    },
  ]
  const id = await policyOf(rules, rules)
  await activate(id)
  ok(await shadow(id, { version: 2 }), 201)
  for (let i = 0; i < 10; i++) await Promise.all([pay(one), pay(one, "USD")])
  const told = await counted(id, 20)
  assert.deepEqual([told.agreement, told.moved, told.divergences], [1, 0, []])
  await end(id)
})

test("a shadow needs a version that is there, the ETag that was read, and a mode without another policy's shadow", async () => {
  const id = await policyOf([rule("all", "true", stripe)])
  assert.equal((await one.call("GET", `/v1/policies/${id}/shadow`)).status, 404)
  assert.equal((await one.call("DELETE", `/v1/policies/${id}/shadow`, { headers: await etag(id) })).status, 404)
  assert.equal((await shadow(id, { version: 9 })).status, 404)
  assert.equal((await one.call("POST", `/v1/policies/${id}/shadow`, { body: { version: 1 } })).status, 428)
  const headers = { "if-match": '"77"' }
  assert.equal((await one.call("POST", `/v1/policies/${id}/shadow`, { headers, body: { version: 1 } })).status, 412)
  ok(await shadow(id, { version: 1 }), 201)
  const other = await policyOf([rule("all", "true", adyen)])
  const taken = await shadow(other, { version: 1 })
  assert.deepEqual([taken.status, taken.body.code], [409, "resource.conflict"])
  await end(id)
  ok(await shadow(other, { version: 1 }), 201)
})
