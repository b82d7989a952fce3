// Questions over the API, with a real store of facts behind it; how facts come into it is the pipeline's test (start/insight.test.ts).

import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, describe, test } from "node:test"
import { card, ok, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"
import { runFactFeed, type RunningFeed } from "../engine/fact-feed.ts"
import { useOwnCluster } from "../../testing/database.ts"
import { until } from "../../testing/wait.ts"
import { openDuckFacts } from "../storage/facts/duckdb.ts"
import { paymentSource } from "../start/insight.ts"

useOwnCluster()

const dir = mkdtempSync(join(tmpdir(), "questions-"))
const store = await openDuckFacts({ dir })
const api = await startApi({
  facts: {
    ask: async (queries) => ({ freshness: feed.freshness(), sums: await Promise.all(queries.map(store.sums)) }),
  },
})
const { database, engine } = api.server
const feed: RunningFeed = runFactFeed({ ...engine, store, payments: paymentSource(database) })
after(async () => {
  await feed.stop()
  await store.close()
  rmSync(dir, { recursive: true, force: true })
})

const ask = (body: Json, more: { readonly key?: string; readonly accept?: string } = {}): Promise<Answer> =>
  api.call("POST", "/v1/metrics/query", {
    body,
    ...(more.key === undefined ? {} : { key: more.key }),
    headers: more.accept === undefined ? {} : { accept: more.accept },
  })
const pointersOf = (answer: Answer): readonly string[] => {
  assert.equal(answer.status, 400, answer.text)
  return answer.body.errors.map(({ pointer }: Json) => pointer)
}

const providers = await simulate(api, "adyen")
const { ready } = await providers.connect("adyen")
await providers.simulator.setWeather(ready.id, {
  issuer: { approvalRate: 1, rules: [{ approvalRate: 0, match: { amountTo: 1_000 } }] },
})
for (const [index, amount] of [1_999, 1_999, 500].entries()) {
  const body = { amount, currency: "EUR", payment_method: { type: "card", card } }
  ok(await api.call("POST", "/v1/payments", { body, headers: { "idempotency-key": `q-${index}` } }), 201)
}
await until("the facts", async () => {
  const { body } = await ask({ metrics: ["payments"] })
  return body.data?.[0]?.values.payments.value === 3 && body.freshness.complete_until !== null
})

describe("POST /v1/metrics/query", () => {
  test("answers by group with value, count, interval and freshness", async () => {
    const answer = ok(
      await ask({ metrics: ["attempt_success", "provider_time_p95"], group_by: ["provider", "network"] }),
    )
    assert.equal(answer.data.length, 1)
    const [{ group, values, undecided }] = answer.data
    assert.deepEqual(group, { provider: "adyen", network: "visa" })
    assert.equal(values.attempt_success.count, 3)
    assert.equal(values.attempt_success.value, 2 / 3)
    assert.ok(values.attempt_success.interval.low > 0.1 && values.attempt_success.interval.high < 1)
    assert.ok(values.provider_time_p95.value > 0 && values.provider_time_p95.count === 3)
    assert.deepEqual(undecided, { attempts: 0 })
    assert.ok(Date.parse(answer.freshness.complete_until) > 0 && answer.freshness.lag_ms >= 0)
  })

  test("filters, takes money by currency, and marks the minute that is not over", async () => {
    const filter = [{ dimension: "reason", values: [null], not: true }]
    const { data } = ok(
      await ask({
        metrics: ["attempts", "failure_share"],
        group_by: ["reason", "currency"],
        filter,
        granularity: "minute",
        compare: "previous_day",
      }),
    )
    assert.ok(data.length >= 1)
    assert.ok(data.every(({ group }: Json) => group.reason !== null && group.currency === "EUR"))
    assert.equal(data[0].compared.attempts.value, 0)
    const to = new Date(Date.now() + 60_000).toISOString()
    assert.ok(ok(await ask({ metrics: ["attempts"], to })).data[0].immature)
    const value = ok(await ask({ metrics: ["approved_value"], filter: [{ dimension: "currency", values: ["EUR"] }] }))
    assert.equal(value.data[0].values.approved_value.value, 3_998)
  })

  test("points at what is wrong", async () => {
    assert.deepEqual(pointersOf(await ask({ metrics: ["nonsense"] })), ["#/metrics/0"])
    assert.deepEqual(pointersOf(await ask({ metrics: ["attempts"], group_by: ["merchant"] })), ["#/group_by/0"])
    assert.deepEqual(pointersOf(await ask({ metrics: ["approved_value"] })), ["#/metrics/0"])
    assert.deepEqual(pointersOf(await ask({ metrics: ["attempts"], from: "yesterday" })), ["#/from"])
    assert.deepEqual(pointersOf(await ask({ metrics: ["attempts"], colour: "red" })), ["#/colour"])
    const filter = [{ dimension: "network", values: [{ $undefined: true }] }]
    assert.deepEqual(pointersOf(await ask({ metrics: ["attempts"], filter })), ["#/filter/0/values/0"])
  })

  test("shows a key its own merchant and mode only", async () => {
    const other = await api.newKey({ merchant: await api.newMerchant() })
    const live = await api.newKey({ mode: "live" })
    for (const { secret } of [other, live])
      assert.deepEqual(ok(await ask({ metrics: ["attempts"] }, { key: secret })).data, [])
  })

  test("needs the scope insight:read, which sees no more than that", async () => {
    const reader = await api.newKey({ scopes: ["insight:read"] })
    assert.equal(ok(await ask({ metrics: ["attempts"] }, { key: reader.secret })).data[0].values.attempts.value, 3)
    const other = await api.newKey({ scopes: ["payments:read", "metrics:read"] })
    assert.equal((await ask({ metrics: ["attempts"] }, { key: other.secret })).body.code, "auth.scope")
  })

  test("is a table where one is asked for, in which no text is a formula", async () => {
    const answer = await ask({ metrics: ["attempt_success"], group_by: ["network", "rule"] }, { accept: "text/csv" })
    assert.equal(answer.status, 200)
    assert.match(String(answer.headers["content-type"]), /^text\/csv/)
    const [header, line] = answer.text.split("\r\n")
    assert.equal(
      header,
      "from,to,network,rule,immature,attempt_success,attempt_success_count,attempt_success_low,attempt_success_high",
    )
    assert.match(line!, /^\d{4}-.*Z,\d{4}-.*Z,visa,,(true|false),0\.\d+,\d,0\.\d+,0\.\d+$/)
  })
})

describe("GET /v1/metrics", () => {
  test("lists every metric and dimension with its meaning", async () => {
    const { data, dimensions } = ok(await api.call("GET", "/v1/metrics"))
    assert.ok(data.some(({ id }: Json) => id === "attempt_success"))
    assert.ok(dimensions.attempt.some(({ name }: Json) => name === "network_code"))
    assert.ok(!dimensions.payment.some(({ name }: Json) => name === "merchant"))
  })
})

test("a server without an insight process says so", async () => {
  const bare = await startApi()
  const answer = await bare.call("POST", "/v1/metrics/query", { body: { metrics: ["attempts"] } })
  assert.deepEqual([answer.status, answer.body.code], [503, "insight.unavailable"])
})
