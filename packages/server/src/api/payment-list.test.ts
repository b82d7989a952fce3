// Searching payments, and the history of one.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, simulate, startApi, type Json } from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "stripe", "adyen")
const stripe = await providers.connect("stripe")
const adyen = await providers.connect("adyen")
let keys = 0
const pay = async (body: Json): Promise<Json> => {
  const headers = { "idempotency-key": `key-${(keys += 1)}` }
  return ok(
    await api.call("POST", "/v1/payments", {
      headers,
      body: { amount: 1000, currency: "EUR", account: stripe.id, payment_method: { type: "card", card }, ...body },
    }),
    201,
  )
}
const customer = ok(await api.call("POST", "/v1/customers", { body: { name: "Ada" } }), 201).id
const plain = await pay({})
const dollars = await pay({ currency: "USD", amount: 5000, metadata: { cart: "7", shop: "eu" } })
const declined = await pay({ payment_method: { type: "card", card: { ...card, number: "4000000000009995" } } })
const held = await pay({ capture_method: "manual", customer, merchant_reference: "order-7" })
const elsewhere = await pay({
  account: adyen.id,
  payment_method: { type: "card", card: { ...card, number: "5555555555554444" } },
})

const find = async (query: Record<string, string>): Promise<readonly string[]> =>
  ok(await api.call("GET", "/v1/payments", { query })).data.map(({ id }: Json) => id)

test("payments are listed newest first", async () => {
  assert.deepEqual(await find({}), [elsewhere.id, held.id, declined.id, dollars.id, plain.id])
})

for (const [what, query, expected] of [
  ["status", { status: "authorized,failed" }, [held, declined]],
  ["currency", { currency: "USD" }, [dollars]],
  ["amount", { amount_min: "1001", amount_max: "5000" }, [dollars]],
  ["customer", { customer }, [held]],
  ["merchant reference", { merchant_reference: "order-7" }, [held]],
  ["last four digits", { last4: "4444" }, [elsewhere]],
  ["first digits", { bin: "555555" }, [elsewhere]],
  ["network", { network: "mastercard" }, [elsewhere]],
  ["provider", { provider: "adyen" }, [elsewhere]],
  ["account", { account: adyen.id }, [elsewhere]],
  ["reason", { reason: "insufficient_funds" }, [declined]],
  ["metadata", { "metadata[cart]": "7", "metadata[shop]": "eu" }, [dollars]],
  ["metadata that differs", { "metadata[cart]": "7", "metadata[shop]": "us" }, []],
  ["time from", { created_from: dollars.created_at, status: "captured" }, [elsewhere, dollars]],
  ["time until", { created_until: dollars.created_at }, [plain]],
] as const)
  test(`payments are found by ${what}`, async () => {
    assert.deepEqual(
      await find(query),
      expected.map(({ id }) => id),
    )
  })

test("pages follow each other by cursor, without gaps and without repetitions", async () => {
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page: Json = ok(
      await api.call("GET", "/v1/payments", { query: { limit: "2", ...(cursor === undefined ? {} : { cursor }) } }),
    )
    assert.ok(page.data.length <= 2)
    seen.push(...page.data.map(({ id }: Json) => id))
    cursor = page.next ?? undefined
  } while (cursor !== undefined)
  assert.deepEqual(seen, await find({}))
})

test("attempts and operations of a payment are those that it shows itself, decisions with all that was read", async () => {
  const attempts = ok(await api.call("GET", `/v1/payments/${held.id}/attempts`)).data
  for (const { decision } of attempts) {
    assert.equal(decision.inputs.context.amount.minor, held.amount)
    assert.deepEqual(decision.replay, { same: true })
    assert.equal(decision.accounts[0].account, decision.chosen[0])
    for (const more of ["inputs", "replay", "accounts", "attempt", "high_value"]) delete decision[more]
  }
  assert.deepEqual(attempts, held.attempts)
  assert.deepEqual(ok(await api.call("GET", `/v1/payments/${held.id}/operations`)).data, held.operations)
})

test("the timeline tells what happened in order, with the time between", async () => {
  const { data } = ok(await api.call("GET", `/v1/payments/${held.id}/events`))
  assert.deepEqual(
    data.map(({ type }: Json) => type),
    [
      "payment.created",
      "attempt.started",
      "payment.processing",
      "prepare.succeeded",
      "authorize.succeeded",
      "payment.authorized",
    ],
  )
  const [first] = data
  assert.equal(first.since_previous_ms, 0)
  let sum = first.since_created_ms
  for (const event of data.slice(1)) {
    assert.ok(event.since_previous_ms >= 0)
    sum += event.since_previous_ms
    assert.equal(event.since_created_ms, sum)
  }
  assert.deepEqual(
    data.map(({ sequence }: Json) => sequence),
    data.map(({ sequence }: Json) => sequence).toSorted((a: number, b: number) => a - b),
  )
})

test("transcripts show every exchange with the provider, without number, code and key", async () => {
  const { data } = ok(await api.call("GET", `/v1/payments/${held.id}/transcripts`))
  assert.deepEqual(
    data.map(
      ({ request, response }: Json) =>
        `${request.method} ${request.path.split("/").slice(0, 3).join("/")} ${response.status}`,
    ),
    ["POST /v1/payment_intents 200", "POST /v1/payment_intents 200"],
  )
  const text = JSON.stringify(data)
  assert.ok(!text.includes("4242424242424242") && !/sk_test_\w{8}/.test(text))
  assert.ok(data.every(({ duration_ms, account }: Json) => duration_ms >= 0 && account === stripe.id))
})

test("events are listed and read one by one, by type and by payment", async () => {
  const captured = ok(await api.call("GET", "/v1/events", { query: { type: "payment.captured,payment.failed" } }))
  assert.deepEqual(
    captured.data.map(({ payment }: Json) => payment),
    [elsewhere.id, declined.id, dollars.id, plain.id],
  )
  const [event] = ok(await api.call("GET", "/v1/events", { query: { payment: plain.id, limit: "1" } })).data
  assert.equal(event.type, "payment.captured")
  assert.equal(event.data.mode, "test")
  assert.deepEqual(ok(await api.call("GET", `/v1/events/${event.id}`)), event)
})
