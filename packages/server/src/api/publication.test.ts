// Guardrails of a staged publish, on payments of two whole nodes: a candidate that does harm is withdrawn by itself everywhere, and says why.

import assert from "node:assert/strict"
import { test } from "node:test"
import { Client } from "pg"
import { card, ok, simulate, startApi, type Answer, type Json, type TestApi } from "../../testing/api.ts"
import { eventually, until } from "../../testing/wait.ts"

const one = await startApi()
const providers = await simulate(one, "stripe", "adyen")
const good = (await providers.connect("stripe")).id
const bad = await providers.connect("adyen")
const two = await startApi({ beside: one })
await two.server.knows(2)
const rules = (account: string): Json => [
  { name: "all", when: "true", strategy: { kind: "ordered", accounts: [account] } },
]
let made = 0
const pay = async (api: TestApi): Promise<Json> => {
  const headers = { "idempotency-key": `pay-${(made += 1)}` }
  const body = { amount: 1_000, currency: "EUR", payment_method: { type: "card", card } }
  return ok(await api.call("POST", "/v1/payments", { body, headers }), 201)
}
const { policy } = ok(await one.call("POST", "/v1/policies", { body: { name: "Order", rules: rules(good) } }), 201)
ok(await one.call("POST", `/v1/policies/${policy.id}/versions`, { body: { rules: rules(bad.id) } }), 201)
const shown = async (): Promise<Json> => ok(await one.call("GET", `/v1/policies/${policy.id}`))
const act = async (verb: string, body?: Json): Promise<Answer> => {
  const headers = { "if-match": `"${(await shown()).version}"` }
  return one.call("POST", `/v1/policies/${policy.id}/${verb}`, { headers, ...(body === undefined ? {} : { body }) })
}
const keyId = async (): Promise<string> => {
  const client = new Client(one.place)
  await client.connect()
  const { rows } = await client.query("select id from api_keys order by created_ms limit 1")
  await client.end()
  return rows[0].id
}
const sum = ({ payments }: Json): number => payments.active + payments.candidate + payments.left_out

test("guardrails are refused where they say nothing", async () => {
  const first = await act("publish", { version: 1, guardrails: [] })
  assert.equal(first.body.errors[0].pointer, "#/guardrails")
  ok(await act("publish", { version: 1, note: "first" }))
  const twice = [
    { metric: "approval", margin: 0.01 },
    { metric: "approval", margin: 0.02 },
  ]
  for (const [guardrails, pointer] of [
    [twice, "#/guardrails/1/metric"],
    [[{ metric: "approval", margin: 1 }], "#/guardrails/0/margin"],
    [[{ metric: "disputes", margin: 0.1 }], "#/guardrails/0/metric"],
  ] as const) {
    const refused = await act("publish", { version: 2, share_bps: 100, guardrails })
    assert.equal(refused.status, 400, refused.text)
    assert.equal(refused.body.errors[0].pointer, pointer)
  }
  assert.equal((await shown()).publication, null)
})

test("a candidate that does no harm stays, with what is known of it, and a person takes it back", async () => {
  const by = await keyId()
  const body = { version: 2, share_bps: 5_000, guardrails: [{ metric: "approval", margin: 0.1 }], note: "try Adyen" }
  const { publication } = ok(await act("publish", body))
  assert.deepEqual(
    [publication.state, publication.candidate_version, publication.active_version, publication.share_bps],
    ["running", 2, 1, 5_000],
  )
  assert.deepEqual([publication.published_by, publication.note, publication.certainty], [by, "try Adyen", 0.95])
  assert.deepEqual(publication.guardrails, [{ metric: "approval", margin: 0.1, unit: "share of payments" }])
  for (let i = 0; i < 10; i++) await Promise.all([pay(one), pay(two)])
  const seen = await eventually("all payments are counted", async () => {
    const now = (await shown()).publication
    return sum(now) === 20 ? now : undefined
  })
  const [approval] = seen.comparisons
  assert.deepEqual([approval.metric, approval.verdict, approval.margin], ["approval", "no_verdict", 0.1])
  assert.equal(approval.active.payments + approval.candidate.payments, 20 - seen.payments.left_out)
  assert.ok(approval.interval.low <= approval.difference && approval.difference <= approval.interval.high)
  const withdrawn = ok(await act("withdraw", { note: "not now" }))
  assert.deepEqual([withdrawn.candidate, withdrawn.publication.state], [null, "withdrawn"])
  assert.deepEqual([withdrawn.publication.ended_by, withdrawn.publication.stopped_at], [by, null])
})

test("a candidate that does harm is withdrawn by itself on all nodes, told, and kept with its evidence", async () => {
  await providers.simulator.setWeather(bad.ready.id, { faults: [{ type: "refused", probability: 1 }] })
  const { version: before, publication } = ok(await act("publish", { version: 2, share_bps: 5_000 }))
  assert.deepEqual(
    publication.guardrails.map(({ metric }: Json) => metric),
    ["approval", "technical_failures", "cost", "latency"],
    "the usual ones are disclosed",
  )
  for (let i = 0; i < 50; i++) await Promise.all([pay(one), pay(two)])
  const stopped = await eventually("the candidate is withdrawn", async () => {
    const now = await shown()
    return now.candidate === null ? now : undefined
  })
  assert.deepEqual([stopped.active_version, stopped.version], [1, before + 1])
  const { state, why, reason, ended_by: by, stopped_at: at, comparisons } = stopped.publication
  assert.deepEqual([state, by, reason.kind], ["stopped", null, "guardrail"])
  assert.notEqual(at, null)
  assert.match(why, /of version 2 is .* that of version 1 .*worse by more than the margin/)
  const approval = comparisons.find((line: Json) => line.metric === "approval")
  assert.deepEqual([approval.active.mean, approval.candidate.mean], [1, 0])
  // The node that did not count it knows as well.
  await until("the second node routes by the version in force alone", async () => {
    const { policy: met } = (await pay(two)).attempts[0].decision
    return met.version === 1 && met.share === undefined
  })
  const { data } = ok(await one.call("GET", "/v1/events", { query: { type: "policy.publication_stopped" } }))
  assert.equal(data.length, 1)
  assert.deepEqual([data[0].data.policy, data[0].data.candidate_version, data[0].data.why], [policy.id, 2, why])
  const history = ok(await one.call("GET", `/v1/policies/${policy.id}/history`)).data
  assert.deepEqual(
    history.map((line: Json) => [line.act, line.policy_version, line.note]),
    [
      ["stopped", 2, why],
      ["published", 2, ""],
      ["withdrawn", null, "not now"],
      ["published", 2, "try Adyen"],
      ["activated", 1, "first"],
    ],
  )
  assert.equal(history[0].by, null)
})
