// What operators measure: every number is there, says what happened, and is described in docs/prometheus.md.

import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { Client } from "pg"
import { serveMetrics } from "./metrics.ts"
import { card, ok, simulate, startApi, type Json } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"

const api = await startApi()
const providers = await simulate(api, "stripe")
const { id: account } = await providers.connect("stripe")
let keys = 0
const pay = async (body: Json = {}): Promise<Json> => {
  const wanted = { amount: 1000, currency: "EUR", payment_method: { type: "card", card }, ...body }
  const headers = { "idempotency-key": `key-${(keys += 1)}` }
  return ok(await api.call("POST", "/v1/payments", { headers, body: wanted }), 201)
}

/** Every line of the exposition, by metric and labels. */
async function scrape(): Promise<ReadonlyMap<string, number>> {
  const answer = await api.call("GET", "/metrics")
  assert.equal(answer.status, 200, answer.text)
  assert.match(String(answer.headers["content-type"]), /^text\/plain; version=0\.0\.4/)
  const lines = answer.text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(" ")
      return [line.slice(0, end), Number(line.slice(end + 1))] as const
    }),
  )
}

/** The sum of all series whose labels are these, whatever others they have. */
const sum = (
  numbers: ReadonlyMap<string, number>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number =>
  [...numbers]
    .filter(([series]) => series === name || series.startsWith(`${name}{`))
    .filter(([series]) => Object.entries(labels).every(([label, value]) => series.includes(`${label}="${value}"`)))
    .reduce((total, [, value]) => total + value, 0)

test("metrics need a key with their scope", async () => {
  assert.equal((await api.call("GET", "/metrics", { key: null })).status, 401)
  const shop = await api.newKey({ scopes: ["payments:read", "payments:write", "config:read"] })
  const refused = await api.call("GET", "/metrics", { key: shop.secret })
  assert.deepEqual([refused.status, refused.body.code], [403, "auth.scope"])
  const scraper = await api.newKey({ scopes: ["metrics:read"] })
  assert.equal((await api.call("GET", "/metrics", { key: scraper.secret })).status, 200)
})

test("payments, calls by outcome, commits, events and answers are counted", async () => {
  const before = await scrape()
  await pay()
  await pay({ payment_method: { type: "card", card: { ...card, number: "4000000000000002" } } })
  await api.call("GET", "/v1/payments/pay_00000000000000000000000000")
  await api.call("GET", "/no/such/path-1")
  const after = await scrape()
  const grew = (name: string, labels?: Readonly<Record<string, string>>): number =>
    sum(after, name, labels) - sum(before, name, labels)
  const calls = "orchestra_provider_calls_total"
  assert.equal(grew(calls, { account, provider: "stripe", call: "authorize", outcome: "approved" }), 1)
  assert.equal(grew(calls, { account, call: "authorize", outcome: "declined" }), 1)
  assert.equal(grew(calls, { account, call: "prepare", outcome: "approved" }), 2)
  assert.equal(grew("orchestra_provider_call_duration_seconds_count", { call: "authorize" }), 2)
  assert.ok(grew("orchestra_commits_total", { result: "committed" }) >= 4)
  assert.equal(grew("orchestra_events_total", { type: "payment.captured" }), 1)
  assert.equal(grew("orchestra_events_total", { type: "payment.failed" }), 1)
  const answers = "orchestra_http_request_duration_seconds_count"
  assert.equal(grew(answers, { method: "POST", route: "/v1/payments", status: "201" }), 2)
  assert.equal(grew(answers, { method: "GET", route: "/v1/payments/:id", status: "404" }), 1)
  assert.equal(grew(answers, { route: "none", status: "404" }), 1)
})

test("a provider that cannot be reached, and one that never answers, are told apart", async () => {
  const before = await scrape()
  await providers.simulator.setWeather("stripe", { faults: [{ type: "refused", probability: 1 }] })
  await pay()
  await providers.simulator.setWeather("stripe", {
    faults: [{ type: "reset_after", probability: 1, match: { operation: ["authorize"] } }],
  })
  await pay({ answer_within_ms: 1_000 })
  await providers.simulator.setWeather("stripe", {})
  const after = await scrape()
  const grew = (outcome: string): number =>
    sum(after, "orchestra_provider_calls_total", { outcome }) -
    sum(before, "orchestra_provider_calls_total", { outcome })
  assert.ok(grew("not_sent") >= 1)
  assert.ok(grew("unknown") >= 1)
})

test("webhooks that come in and go out are counted", async () => {
  // Nothing listens there: each try is counted as one that is made again.
  ok(await api.call("POST", "/v1/webhook-endpoints", { body: { url: "http://127.0.0.1:1024/hooks" } }), 201)
  await pay()
  await eventually("webhooks", async () => {
    const numbers = await scrape()
    const inbound = sum(numbers, "orchestra_inbound_webhooks_total", { account, verdict: "accepted" })
    const outbound = sum(numbers, "orchestra_webhook_deliveries_total", { result: "pending" })
    return inbound > 0 && outbound > 0 ? true : undefined
  })
})

test("what waits is counted with its age, and what needs a person", async () => {
  const client = new Client(api.place)
  await client.connect()
  try {
    await client.query("insert into payments_needing_person values ($1, 'pay_1', 'live', now_ms() - 90000)", [
      api.merchant,
    ])
    const numbers = await eventually("a fresh reading", async () => {
      const read = await scrape()
      return sum(read, "orchestra_payments_needing_person", { mode: "live" }) === 1 ? read : undefined
    })
    assert.ok(sum(numbers, "orchestra_payments_needing_person_oldest_seconds", { mode: "live" }) >= 90)
    assert.equal(sum(numbers, "orchestra_payments_needing_person", { mode: "test" }), 0)
    assert.equal(sum(numbers, "orchestra_backlog_readable"), 1)
    assert.ok(numbers.has('orchestra_outbox_lag_seconds{relay="outbox"}'))
    assert.ok(numbers.has("orchestra_due_payments"))
    assert.ok([...numbers.keys()].some((series) => series.startsWith("nodejs_eventloop_lag")))
  } finally {
    await client.end()
  }
})

test("every metric of ours is described, and no label holds an id of a payment or a path that a client made up", async () => {
  const described = readFileSync(new URL("../../../../docs/prometheus.md", import.meta.url), "utf8")
  const { text } = await api.call("GET", "/metrics")
  const names = [...text.matchAll(/^# TYPE (orchestra_\w+)/gm)].map(([, name]) => name)
  assert.ok(names.length >= 15, names.join())
  for (const name of names) assert.ok(described.includes(`\`${name}\``), `${name} is not in docs/prometheus.md`)
  assert.doesNotMatch(text, /pay_|att_|op_[0-9a-z]{26}|path-1|ok_test/)
})

test("whoever opens the address is shown the reference", async () => {
  const answer = await api.call("GET", "/", { key: null })
  assert.deepEqual([answer.status, answer.headers["location"]], [302, "/docs"])
})

test("an address of its own serves the numbers and nothing else, without a key", async () => {
  const app = await serveMetrics(
    { contentType: "text/plain; version=0.0.4", text: async () => "orchestra_due_payments 0\n", served: () => {} },
    { port: 0, host: "127.0.0.1" },
  )
  try {
    const address = app.server.address()
    assert.ok(typeof address === "object" && address !== null)
    const { port } = address
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
    assert.deepEqual([answer.status, await answer.text()], [200, "orchestra_due_payments 0\n"])
    assert.equal((await fetch(`http://127.0.0.1:${port}/v1/payments`)).status, 404)
  } finally {
    await app.close()
  }
})
