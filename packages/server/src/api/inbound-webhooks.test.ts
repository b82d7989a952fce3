// Webhooks from providers: the simulated ones send real ones over HTTP; forgers try.

import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { test } from "node:test"
import { card, contents, ok, simulate, startApi, type Json } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"
import { faults } from "../core/fault.ts"

const api = await startApi()
const providers = await simulate(api, "stripe", "adyen")
const { id: stripe, ready } = await providers.connect("stripe")
const { id: adyen } = await providers.connect("adyen")
const path = `/webhooks/stripe/${stripe}`
let keys = 0
const pay = async (body: Json = {}): Promise<Json> =>
  ok(
    await api.call("POST", "/v1/payments", {
      headers: { "idempotency-key": `key-${(keys += 1)}` },
      body: { amount: 1000, currency: "EUR", account: stripe, payment_method: { type: "card", card }, ...body },
    }),
    201,
  )
const signature = (body: string, { secret = ready.webhookSecret, at = Math.floor(Date.now() / 1_000) } = {}): string =>
  `t=${at},v1=${createHmac("sha256", secret).update(`${at}.${body}`).digest("hex")}`
const send = (body: string, headers: Record<string, string>, to = path) =>
  api.server.app.inject({
    method: "POST",
    url: to,
    headers: { "content-type": "application/json", ...headers },
    payload: body,
  })
const event = (id: string): string =>
  JSON.stringify({ id, object: "event", type: "charge.updated", data: { object: { id: "ch_1", object: "charge" } } })

const stored = async (word: string): Promise<readonly string[]> =>
  ((await contents(api))["inbound_webhook_bodies"] ?? []).filter((row) => row.includes(word))

test("what happens at the provider is in the payment soon after: a dispute with its time to answer", async () => {
  const paid = await pay()
  const [charge] = providers.simulator.truth("stripe")
  assert.ok(charge)
  const { reference } = paid.attempts[0]
  assert.ok(providers.simulator.account("stripe")?.persona.befall(reference, { type: "dispute", amount: 400n }))
  const disputed = await eventually("the dispute", async () => {
    const payment = ok(await api.call("GET", `/v1/payments/${paid.id}`))
    return payment.disputes.length > 0 ? payment : undefined
  })
  assert.deepEqual([disputed.disputes[0].amount, disputed.amounts.disputed], [400, 400])
})

test("a provider that accepts first tells the capture by webhook, and is acknowledged in its own words", async () => {
  const held = await pay({ account: adyen, capture_method: "manual" })
  const headers = { "idempotency-key": "adyen-capture" }
  const asked = ok(await api.call("POST", `/v1/payments/${held.id}/capture`, { headers, body: {} }))
  assert.equal(asked.amounts.capturing + asked.amounts.captured, 1000)
  await eventually("the capture", async () =>
    ok(await api.call("GET", `/v1/payments/${held.id}`)).status === "captured" ? true : undefined,
  )
})

test("a genuine webhook is stored before it is acknowledged, and once, however often it comes", async () => {
  const body = event("evt_genuine")
  for (let times = 0; times < 3; times++) {
    const answer = await send(body, { "stripe-signature": signature(body) })
    assert.equal(answer.statusCode, 200)
  }
  assert.equal((await stored("evt_genuine")).length, 1)
})

test("what a provider signs is taken as it is: any bytes, any content type, no content type", async () => {
  const body = `{ "id" : "evt_spaces", "object":"event","type":"charge.updated",\n "data":{"object":{"id":"ch_1","object":"charge","note":"ü€"}} }`
  for (const type of ["application/json; charset=utf-8", "text/plain", "application/octet-stream"])
    assert.equal(
      (await send(body, { "stripe-signature": signature(body), "content-type": type })).statusCode,
      200,
      type,
    )
})

test("a forged or stale webhook is refused without a reason, stored nowhere, counted and logged", async () => {
  const body = event("evt_forged")
  const old = Math.floor(Date.now() / 1_000) - 3_600
  for (const [headers, code] of [
    [{}, "webhook.forged"],
    [{ "stripe-signature": "nonsense" }, "webhook.forged"],
    [{ "stripe-signature": signature(body, { secret: "whsec_somebody_else" }) }, "webhook.forged"],
    [{ "stripe-signature": signature(`${body} `) }, "webhook.forged"],
    [{ "stripe-signature": signature(body, { at: old }) }, "webhook.stale"],
  ] as const) {
    const answer = await send(body, headers as Record<string, string>)
    assert.equal(answer.statusCode, 401)
    const problem = JSON.parse(answer.body) as Json
    assert.equal(problem.code, code)
    assert.equal(problem.detail, faults[code].help)
  }
  assert.deepEqual(await stored("evt_forged"), [])
  const refused = api.logged.filter((line) => line.startsWith("warn a webhook was refused"))
  // The 1st, 2nd and 4th forged one, and the stale one.
  assert.deepEqual(
    refused.map((line) => /"kind":"(\w+)".*"count":(\d+)/.exec(line)?.slice(1)),
    [
      ["forged", "1"],
      ["forged", "2"],
      ["forged", "4"],
      ["stale", "1"],
    ],
  )
})

test("an account that does not exist, or is another connector's, has no address", async () => {
  const body = event("evt_lost")
  const headers = { "stripe-signature": signature(body) }
  for (const to of [
    `/webhooks/stripe/${api.id("acc")}`,
    `/webhooks/adyen/${stripe}`,
    "/webhooks/stripe/acc_1",
    `/webhooks/nobody/${stripe}`,
  ])
    assert.equal((await send(body, headers, to)).statusCode, 404, to)
})

test("a body beyond the limit is refused", async () => {
  const answer = await send("x".repeat(1024 * 1024 + 1), { "stripe-signature": "t=1,v1=00" })
  assert.equal(answer.statusCode, 413)
})

test("headers with credentials of others are not kept", async () => {
  const body = event("evt_headers")
  const headers = {
    "stripe-signature": signature(body),
    authorization: "Basic c2VjcmV0LWhlYWRlcg==",
    cookie: "secret=cookie",
  }
  assert.equal((await send(body, headers)).statusCode, 200)
  const kept = JSON.stringify(await contents(api))
  assert.ok(kept.includes("evt_headers") && !kept.includes("c2VjcmV0LWhlYWRlcg") && !kept.includes("secret=cookie"))
})

test("the list shows what came and what became of it, by account and state, and one is worked on again", async () => {
  const { data } = await eventually("the work on all of them", async () => {
    const list = ok(await api.call("GET", "/v1/inbound-webhooks", { query: { account: stripe, limit: "100" } }))
    return list.data.every(({ state }: Json) => state !== "waiting") ? list : undefined
  })
  const dispute = data.find(({ events }: Json) => events.some(({ about }: Json) => about === "dispute"))
  assert.equal(dispute.state, "processed")
  assert.ok(dispute.body.includes("dispute"))
  assert.deepEqual(ok(await api.call("GET", `/v1/inbound-webhooks/${dispute.id}`)), dispute)
  const processed = ok(
    await api.call("GET", "/v1/inbound-webhooks", { query: { state: "processed", account: adyen } }),
  ).data
  assert.ok(processed.length > 0 && processed.every((row: Json) => row.account === adyen && row.state === "processed"))
  const again = ok(await api.call("POST", `/v1/inbound-webhooks/${dispute.id}/replay`), 202)
  assert.equal(again.id, dispute.id)
  await eventually("the second work", async () => {
    const { state, tries } = ok(await api.call("GET", `/v1/inbound-webhooks/${dispute.id}`))
    return state === "processed" && tries > 0 ? true : undefined
  })
  const { secret } = await api.newKey({ merchant: await api.newMerchant() })
  assert.equal((await api.call("GET", `/v1/inbound-webhooks/${dispute.id}`, { key: secret })).status, 404)
  assert.equal((await api.call("POST", `/v1/inbound-webhooks/${dispute.id}/replay`, { key: secret })).status, 404)
})
