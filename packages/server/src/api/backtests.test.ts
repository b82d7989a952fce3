// Backtests over the API: a version of a policy against payments that were really made.

import assert from "node:assert/strict"
import { test } from "node:test"
import { Client } from "pg"
import { card, ok, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"

const api = await startApi()
const providers = await simulate(api, "stripe", "adyen")
const stripe = (await providers.connect("stripe")).id
const adyen = (await providers.connect("adyen")).id
const sql = async (text: string, values: readonly unknown[] = []): Promise<void> => {
  const client = new Client(api.place)
  await client.connect()
  await client.query(text, [...values])
  await client.end()
}
const rule = (name: string, when: Json, ...accounts: readonly string[]): Json => ({
  name,
  when,
  strategy: { kind: "ordered", accounts },
})
const everything = { all: [] }
const { policy } = ok(
  await api.call("POST", "/v1/policies", { body: { name: "Order", rules: [rule("all", everything, stripe, adyen)] } }),
  201,
)
ok(
  await api.call("POST", `/v1/policies/${policy.id}/activate`, {
    headers: { "if-match": `"${policy.version}"` },
    body: { version: 1 },
  }),
)
ok(
  await api.call("POST", `/v1/policies/${policy.id}/versions`, {
    body: {
      rules: [
        rule("dollars", { field: "currency", op: "equals", value: "USD" }, adyen, stripe),
        rule("all", everything, stripe, adyen),
      ],
    },
  }),
  201,
)
ok(
  await api.call("PATCH", `/v1/accounts/${stripe}`, {
    headers: { "if-match": `"${ok(await api.call("GET", `/v1/accounts/${stripe}`)).version}"` },
    body: {
      fee_model: {
        currency: "EUR",
        country: "DE",
        pricing: { kind: "blended", rates: [{ percent: "1.5", fixed: "0.25" }] },
      },
    },
  }),
)
for (const [index, currency] of ["EUR", "USD", "EUR", "USD", "EUR"].entries())
  ok(
    await api.call("POST", "/v1/payments", {
      headers: { "idempotency-key": `backtest-${index}` },
      body: { amount: 10_000, currency, payment_method: { type: "card", card } },
    }),
    201,
  )
const window = { from: "2020-01-01T00:00:00Z", until: "2100-01-01T00:00:00Z" }
const start = (body: Json): Promise<Answer> => api.call("POST", `/v1/policies/${policy.id}/backtest`, { body })
const ended = (id: string): Promise<Json> =>
  eventually("the end of the backtest", async () => {
    const backtest = ok(await api.call("GET", `/v1/backtests/${id}`))
    return backtest.ended_at === null ? undefined : backtest
  })

test("a draft is held against one's own payments: exactly what moves, and that the rest cannot be told", async () => {
  const answer = await start({ version: 2, ...window })
  const started = ok(answer, 201)
  assert.equal(answer.headers["location"], `/v1/backtests/${started.id}`)
  const { state, records, report } = await ended(started.id)
  assert.deepEqual([state, records, report.records, report.truncated, report.skipped], ["done", 5, 5, false, {}])
  assert.equal(report.moved, 2)
  assert.deepEqual(report.flows, [{ name: `${stripe} → ${adyen}`, moved: 2 }])
  assert.deepEqual(report.rules, [
    { name: "all", payments: 3, moved: 0 },
    { name: "all → dollars", payments: 2, moved: 2 },
  ])
  assert.deepEqual(report.approval_bounds, { low: -0.4, high: 0.4 })
  const { approval, cost } = report.estimates
  assert.deepEqual([approval.told, approval.records, approval.logged, approval.draft], [false, 5, 1, null])
  assert.match(approval.why_not, /hardly ever/)
  // Of payments in dollars nobody knows the rate, and so no cost.
  assert.deepEqual([cost.records, cost.logged], [3, 0.0175])
})

test("a draft that moves nothing is told to differ by nothing", async () => {
  const { report } = await ended(ok(await start({ version: 1, ...window }), 201).id)
  assert.deepEqual([report.moved, report.overlap.moved], [0, 0])
  const { approval } = report.estimates
  assert.deepEqual([approval.told, approval.difference, approval.difference_interval], [true, 0, { low: 0, high: 0 }])
})

test("it reads no more than it was asked to, newest first, and of the window only", async () => {
  const { report } = await ended(ok(await start({ version: 2, ...window, max_records: 2 }), 201).id)
  assert.deepEqual([report.records, report.truncated], [2, true])
  const before = { from: "2020-01-01T00:00:00Z", until: "2020-02-01T00:00:00Z" }
  const empty = (await ended(ok(await start({ version: 2, ...before }), 201).id)).report
  assert.deepEqual([empty.records, empty.moved, empty.estimates.approval.told], [0, 0, false])
})

test("payments that were split by chance carry their chances, and count as evidence of the other account", async () => {
  const { version } = ok(
    await api.call("POST", `/v1/policies/${policy.id}/versions`, {
      body: {
        rules: [
          {
            name: "half",
            when: everything,
            strategy: {
              kind: "split",
              shares: [
                { account: stripe, share: 0.5 },
                { account: adyen, share: 0.5 },
              ],
            },
          },
        ],
      },
    }),
    201,
  )
  const etag = ok(await api.call("GET", `/v1/policies/${policy.id}`)).version
  const headers = { "if-match": `"${etag}"` }
  ok(await api.call("POST", `/v1/policies/${policy.id}/activate`, { headers, body: { version } }))
  const body = { amount: 10_000, currency: "EUR", payment_method: { type: "card", card } }
  const times: string[] = []
  for (let n = 0; n < 8; n++) {
    const made = await api.call("POST", "/v1/payments", { headers: { "idempotency-key": `split-${n}` }, body })
    times.push(ok(made, 201).created_at)
  }
  const { report } = await ended(ok(await start({ version: 1, ...window, from: times[0] }), 201).id)
  assert.deepEqual([report.records, report.skipped, report.moved], [8, {}, 4])
  assert.deepEqual([report.overlap.never_logged, report.overlap.moved], [0, 0.5])
  for (const { before, after } of report.accounts)
    for (const count of [before, after]) assert.equal(count, Number(count.toFixed(2)))
  assert.match(report.estimates.approval.why_not, /too few|carries too much|not those/)
})

test("what cannot be asked is refused with its place, and somebody else's is not there", async () => {
  assert.equal((await start({ version: 9, ...window })).status, 404)
  for (const [body, pointer] of [
    [{ ...window }, "#/version"],
    [{ version: 1, from: window.until, until: window.from }, "#/until"],
    [{ version: 1, ...window, max_records: 0 }, "#/max_records"],
    [{ version: 1, ...window, segments: true }, "#/segments"],
  ] as const) {
    const answer = await start(body)
    assert.equal(answer.status, 400, answer.text)
    assert.equal(answer.body.errors[0].pointer, pointer)
  }
  const { id } = ok(await start({ version: 1, ...window }), 201)
  const { secret } = await api.newKey({ merchant: await api.newMerchant() })
  assert.equal((await api.call("GET", `/v1/backtests/${id}`, { key: secret })).status, 404)
  assert.equal((await api.call("POST", `/v1/backtests/${id}/cancel`, { key: secret })).status, 404)
  const body = { version: 1, ...window }
  assert.equal((await api.call("POST", `/v1/policies/${policy.id}/backtest`, { key: secret, body })).status, 404)
  const live = await api.newKey({ mode: "live" })
  assert.equal((await api.call("GET", `/v1/backtests/${id}`, { key: live.secret })).status, 404)
})

test("a repeated request with the same key makes no second one", async () => {
  const headers = { "idempotency-key": "one-backtest" }
  const body = { version: 1, ...window }
  const path = `/v1/policies/${policy.id}/backtest`
  const [one, again] = [
    await api.call("POST", path, { headers, body }),
    await api.call("POST", path, { headers, body }),
  ]
  assert.equal(ok(one, 201).id, ok(again, 201).id)
})

test("one that a dead worker left behind is begun anew, and one that was canceled stays so", async () => {
  const { id } = ok(await start({ version: 2, ...window }), 201)
  const { records } = await ended(id)
  await sql(
    "update backtests set state = 'running', report = null, ended_ms = null, records = 3, wake_ms = 1 where id = $1",
    [id],
  )
  assert.equal((await ended(id)).report.records, records)
  const late = ok(await start({ version: 2, ...window }), 201).id
  await ended(late)
  // In the hands of a worker that does not come back for an hour.
  await sql(
    "update backtests set state = 'running', report = null, ended_ms = null, wake_ms = now_ms() + 3600000 where id = $1",
    [late],
  )
  const canceled = ok(await api.call("POST", `/v1/backtests/${late}/cancel`))
  assert.deepEqual([canceled.state, canceled.report], ["canceled", null])
  assert.equal(ok(await api.call("POST", `/v1/backtests/${id}/cancel`)).state, "done")
})

test("a merchant has a few open at once, and lists all, newest first", async () => {
  await sql(
    "update backtests set state = 'running', ended_ms = null, wake_ms = now_ms() + 3600000 where id in (select id from backtests order by id limit 4)",
  )
  const refused = await start({ version: 1, ...window })
  assert.deepEqual([refused.status, refused.body.code], [409, "resource.conflict"])
  const { data, next } = ok(await api.call("GET", "/v1/backtests", { query: { limit: "3" } }))
  const ids = data.map(({ id }: Json) => id)
  assert.deepEqual(ids, ids.toSorted().toReversed())
  assert.equal(ids.length, 3)
  const rest = ok(await api.call("GET", "/v1/backtests", { query: { limit: "100", cursor: next } })).data
  assert.ok(rest.length > 0 && rest.every(({ id }: Json) => id < ids[2]))
})
