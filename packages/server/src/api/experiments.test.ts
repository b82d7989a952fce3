// Experiments over the API, on payments of two whole nodes: planned, started, counted, stopped by a person or by themselves, promoted.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, simulate, startApi, type Answer, type Json, type TestApi } from "../../testing/api.ts"
import { eventually, until } from "../../testing/wait.ts"

const one = await startApi()
const providers = await simulate(one, "stripe", "adyen")
const good = (await providers.connect("stripe")).id
const other = await providers.connect("adyen")
const two = await startApi({ beside: one })
await two.server.knows(2)
const rules = (account: string): Json => [
  { name: "all", when: "true", strategy: { kind: "ordered", accounts: [account] } },
]
let made = 0
const pay = async (api: TestApi, more: Json = {}): Promise<Json> => {
  const headers = { "idempotency-key": `pay-${(made += 1)}` }
  const body = { amount: 1_000, currency: "EUR", payment_method: { type: "card", card }, ...more }
  return ok(await api.call("POST", "/v1/payments", { body, headers }), 201)
}
const customer = async (): Promise<string> => ok(await one.call("POST", "/v1/customers", { body: {} }), 201).id
const { policy } = ok(await one.call("POST", "/v1/policies", { body: { name: "Order", rules: rules(good) } }), 201)
ok(await one.call("POST", `/v1/policies/${policy.id}/versions`, { body: { rules: rules(other.id) } }), 201)
const act = async (path: string, body: Json = {}): Promise<Answer> => {
  const [kind, id] = path.split("/")
  const { etag } = (await one.call("GET", `/v1/${kind}/${id}`)).headers
  return one.call("POST", `/v1/${path}`, { headers: { "if-match": String(etag) }, body })
}
const onPolicy = (verb: string, body: Json): Promise<Answer> => act(`policies/${policy.id}/${verb}`, body)
const halves = [
  { name: "as it is", version: 1, share_bps: 5_000 },
  { name: "Adyen", version: 2, share_bps: 5_000 },
]
const plan = async (body: Json = {}): Promise<Json> =>
  ok(
    await one.call("POST", "/v1/experiments", {
      body: { name: "Adyen first", policy: policy.id, arms: halves, unit: "payment", ...body },
    }),
    201,
  )
const shown = async (id: string): Promise<Json> => ok(await one.call("GET", `/v1/experiments/${id}`))
const shareOf = (payment: Json): Json => payment.attempts[0].decision.policy.share
const inArms = async (id: string): Promise<void> =>
  until("the second node draws", async () => shareOf(await pay(two))?.experiment === id)

test("a plan that could not tell anything is refused with its place", async () => {
  const refused = async (body: Json): Promise<string> => {
    const whole = { name: "x", policy: policy.id, arms: halves, unit: "payment", ...body }
    const answer = await one.call("POST", "/v1/experiments", { body: whole })
    assert.equal(answer.status, 400, answer.text)
    return answer.body.errors[0].pointer
  }
  assert.equal(await refused({ arms: [halves[0], { ...halves[1], share_bps: 4_000 }] }), "#/arms")
  assert.equal(await refused({ arms: [halves[0], { ...halves[1], version: 1 }] }), "#/arms/1/version")
  assert.equal(await refused({ arms: [halves[0], { ...halves[1], version: 9 }] }), "#/arms/1/version")
  assert.equal(await refused({ arms: [halves[0], { ...halves[1], name: "as it is" }] }), "#/arms/1/name")
  assert.equal(await refused({ guardrails: [{ metric: "approval", margin: 2 }] }), "#/guardrails/0/margin")
})

test("one experiment runs at a time, on the version in force, and not beside one that is published to a share", async () => {
  const { id, state } = await plan()
  assert.equal(state, "planned")
  const conflicts = async (answer: Promise<Answer>, detail: RegExp): Promise<void> => {
    const { status, body } = await answer
    assert.equal(status, 409)
    assert.match(body.detail, detail)
  }
  await conflicts(act(`experiments/${id}/start`), /not the version in force/)
  ok(await onPolicy("publish", { version: 1 }))
  ok(await onPolicy("publish", { version: 2, share_bps: 100 }))
  await conflicts(act(`experiments/${id}/start`), /published to a share/)
  ok(await onPolicy("withdraw", {}))
  assert.equal((await one.call("POST", `/v1/experiments/${id}/start`, { body: {} })).status, 428)
  const headers = { "if-match": '"7"' }
  assert.equal((await one.call("POST", `/v1/experiments/${id}/start`, { headers, body: {} })).status, 412)
  const started = ok(await act(`experiments/${id}/start`, { note: "go" }))
  assert.equal(started.state, "running")
  await conflicts(onPolicy("publish", { version: 2, share_bps: 100 }), /An experiment runs/)
  const second = await plan()
  await conflicts(act(`experiments/${second.id}/start`), /Another experiment runs/)
  await conflicts(act(`experiments/${id}/promote`, { arm: "Adyen" }), /stop it first/)
  // To roll back is always possible, and ends it.
  ok(await onPolicy("activate", { version: 1 }))
  const ended = await shown(id)
  assert.deepEqual([ended.state, ended.stopped_as], ["stopped", "withdrawn"])
  await conflicts(act(`experiments/${id}/start`), /runs once/)
})

test("payments are drawn by their hash on every node, their records say which arm, and a person promotes one", async () => {
  const { id } = await plan({ guardrails: [] })
  ok(await act(`experiments/${id}/start`))
  await inArms(id)
  const before = made
  const paid = [...Array(6)].map(() => [pay(one), pay(two)]).flat()
  const payments = await Promise.all(paid)
  for (const payment of payments) {
    const share = shareOf(payment)
    assert.deepEqual([share.of, share.bps, share.experiment], ["arm", 5_000, id])
    assert.equal(payment.attempts[0].account, share.arm === "Adyen" ? other.id : good)
    const [attempt] = ok(await one.call("GET", `/v1/payments/${payment.id}/attempts`)).data
    assert.deepEqual(attempt.decision.replay, { same: true })
  }
  assert.ok(made > before)
  const counted = await eventually("all are counted", async () => {
    const now = await shown(id)
    return now.arms[0].units + now.arms[1].units >= payments.length ? now : undefined
  })
  assert.equal(counted.sample_ratio.is_broken, false)
  const [approval] = counted.comparisons
  assert.deepEqual([approval.arm, approval.metric, approval.verdict], ["Adyen", "approval", "no_verdict"])
  const stopped = ok(await act(`experiments/${id}/stop`, { note: "seen enough" }))
  assert.deepEqual([stopped.state, stopped.stopped_as, stopped.why], ["stopped", "stopped", "seen enough"])
  assert.notEqual(stopped.stopped_by, null)
  assert.equal(shareOf(await pay(one)), undefined)
  const promoted = ok(await act(`experiments/${id}/promote`, { arm: "Adyen", note: "better" }))
  assert.deepEqual([promoted.state, promoted.promoted_arm], ["promoted", "Adyen"])
  assert.equal(ok(await one.call("GET", `/v1/policies/${policy.id}`)).active_version, 2)
  assert.equal((await act(`experiments/${id}/promote`, { arm: "Adyen" })).status, 409)
  ok(await onPolicy("activate", { version: 1, note: "back" }))
  const { data } = ok(await one.call("GET", `/v1/policies/${policy.id}/history`))
  assert.deepEqual(
    data.slice(0, 4).map((line: Json) => [line.act, line.policy_version, line.note]),
    [
      ["activated", 1, "back"],
      ["promoted", 2, "better"],
      ["experiment_stopped", null, "seen enough"],
      ["experiment_started", 1, ""],
    ],
  )
})

test("a customer stays in an arm, the first payment is evidence and the others are counted; who has no customer is in none", async () => {
  const { id } = await plan({ unit: "customer", guardrails: [] })
  ok(await act(`experiments/${id}/start`))
  await until("the node draws", async () => shareOf(await pay(two, { customer: await customer() }))?.experiment === id)
  const base = await shown(id)
  const arms = new Map<string, Set<string>>()
  for (let i = 0; i < 4; i++) {
    const who = await customer()
    for (const payment of await Promise.all([1, 2, 3].map(() => pay(one, { customer: who }))))
      arms.set(who, (arms.get(who) ?? new Set()).add(shareOf(payment).arm))
  }
  for (const [, met] of arms) assert.equal(met.size, 1)
  assert.equal(shareOf(await pay(one)), undefined)
  const sum = (now: Json, what: string): number => now.arms[0][what] + now.arms[1][what]
  const counted = await eventually("all are counted", async () => {
    const now = await shown(id)
    return sum(now, "repeats") >= 8 && now.left_out > base.left_out ? now : undefined
  })
  assert.equal(sum(counted, "repeats"), 8)
  assert.ok(sum(counted, "units") >= 4)
  ok(await act(`experiments/${id}/stop`))
})

test("an arm that does harm stops the experiment by itself, on all nodes, and tells why", async () => {
  await providers.simulator.setWeather(other.ready.id, { faults: [{ type: "refused", probability: 1 }] })
  const { id } = await plan()
  ok(await act(`experiments/${id}/start`))
  for (let i = 0; i < 50; i++) await Promise.all([pay(one), pay(two)])
  const stopped = await eventually("it stops", async () => {
    const now = await shown(id)
    return now.state === "stopped" ? now : undefined
  })
  assert.deepEqual([stopped.stopped_as, stopped.stopped_by, stopped.reason.kind], ["stopped", null, "guardrail"])
  assert.match(stopped.why, /of version 2 is .* that of version 1/)
  await until("the second node draws no more", async () => shareOf(await pay(two)) === undefined)
  const { data } = ok(await one.call("GET", "/v1/events", { query: { type: "experiment.stopped" } }))
  assert.deepEqual([data.length, data[0].data.experiment, data[0].data.why], [1, id, stopped.why])
  const { data: all } = ok(await one.call("GET", "/v1/experiments"))
  assert.deepEqual(
    all.map((row: Json) => row.state),
    ["stopped", "stopped", "promoted", "planned", "stopped"],
  )
})
