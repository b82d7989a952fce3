// Webhook endpoints over the API, with a receiver that checks what it gets with the Standard Webhooks library.

import assert from "node:assert/strict"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { after, test } from "node:test"
import { Webhook } from "standardwebhooks"
import { card, contents, ok, simulate, startApi, type Json } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"

type Got = { readonly path: string; readonly headers: Record<string, string>; readonly body: string }

const got: Got[] = []
let answerStatus = 200
const receiver = createServer((request, response) => {
  let body = ""
  request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk))
  request.on("end", () => {
    got.push({ path: request.url ?? "", headers: request.headers as Record<string, string>, body })
    response.writeHead(answerStatus).end("noted")
  })
})
await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve))
after(() => receiver.close())
const url = (path: string): string => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}${path}`

const api = await startApi()
const providers = await simulate(api, "stripe")
const stripe = (await providers.connect("stripe")).id
let keys = 0
const pay = async (): Promise<Json> =>
  ok(
    await api.call("POST", "/v1/payments", {
      headers: { "idempotency-key": `key-${(keys += 1)}` },
      body: { amount: 1000, currency: "EUR", account: stripe, payment_method: { type: "card", card } },
    }),
    201,
  )
const create = async (path: string, body: Json = {}): Promise<Json> =>
  ok(await api.call("POST", "/v1/webhook-endpoints", { body: { url: url(path), ...body } }), 201)
const at = (path: string): readonly Got[] => got.filter((one) => one.path === path)
const verified = (secret: string, { headers, body }: Got): Json => new Webhook(secret).verify(body, headers)

test("an endpoint hears of what it asked for, signed with the secret that was shown once", async () => {
  const { secret, ...endpoint } = await create("/paid", { event_types: ["payment.captured"] })
  assert.match(secret, /^whsec_/)
  const paid = await pay()
  const [message] = await eventually("the webhook", async () => (at("/paid").length > 0 ? at("/paid") : undefined))
  const event = verified(secret, message!)
  assert.deepEqual([event.type, event.data.payment, event.data.mode], ["payment.captured", paid.id, "test"])
  const read = await api.call("GET", `/v1/webhook-endpoints/${endpoint.id}`)
  assert.deepEqual(ok(read), endpoint)
  assert.ok(!read.text.includes(secret) && !JSON.stringify(await contents(api)).includes(secret))
  assert.equal(at("/paid").length, 1)
})

test("the log of deliveries says what was sent and answered", async () => {
  const { id } = await create("/log", { event_types: ["payment.captured"] })
  const paid = await pay()
  const [delivery] = await eventually("the delivery", async () => {
    const { data } = ok(
      await api.call("GET", `/v1/webhook-endpoints/${id}/deliveries`, { query: { state: "delivered" } }),
    )
    return data.length > 0 ? data : undefined
  })
  assert.deepEqual([delivery.event.type, delivery.event.payment, delivery.tries], ["payment.captured", paid.id, 1])
  assert.deepEqual([delivery.log[0].status, delivery.log[0].answer], [200, "noted"])
  assert.deepEqual(
    ok(await api.call("GET", `/v1/webhook-endpoints/${id}/deliveries`, { query: { state: "failed" } })).data,
    [],
  )
})

test("a test event goes to the endpoint that it tests, and to no other", async () => {
  const { id, secret } = await create("/tested", { event_types: ["dispute.*"] })
  await create("/bystander")
  const { event } = ok(await api.call("POST", `/v1/webhook-endpoints/${id}/test`), 202)
  const [message] = await eventually("the test", async () => (at("/tested").length > 0 ? at("/tested") : undefined))
  assert.deepEqual([verified(secret, message!).type, message!.headers["webhook-id"]], ["webhook_endpoint.test", event])
  // A later event of the same relay has come to the bystander: the test would have come before.
  await pay()
  await eventually("the bystander's events", async () => (at("/bystander").length > 0 ? true : undefined))
  assert.ok(at("/bystander").every(({ body }) => !body.includes("webhook_endpoint.test")))
})

test("one event and everything since a time are sent again with the same ids", async () => {
  const start = new Date(Date.now() - 1_000).toISOString()
  const { id } = await create("/again", { event_types: ["payment.captured"] })
  await pay()
  const [first] = await eventually("the webhook", async () => (at("/again").length > 0 ? at("/again") : undefined))
  const event = first!.headers["webhook-id"]!
  const recorded = (tries: number): Promise<true> =>
    eventually(`the record of ${tries}`, async () => {
      const { data } = ok(await api.call("GET", `/v1/webhook-endpoints/${id}/deliveries`))
      return data[0]?.state === "delivered" && data[0].log.length >= tries ? true : undefined
    })
  await recorded(1)
  assert.deepEqual(ok(await api.call("POST", `/v1/webhook-endpoints/${id}/replay`, { body: { event } }), 202), {
    replayed: 1,
    next: null,
  })
  await eventually("the second time", async () => (at("/again").length > 1 ? true : undefined))
  await recorded(2)
  const since = ok(await api.call("POST", `/v1/webhook-endpoints/${id}/replay`, { body: { since: start } }), 202)
  assert.ok(since.replayed >= 1)
  await eventually("the third time", async () =>
    at("/again").filter(({ headers }) => headers["webhook-id"] === event).length > 2 ? true : undefined,
  )
})

test("a replay names one event or a time, of what was sent, within 30 days", async () => {
  const { id } = await create("/wrong")
  for (const [body, status, pointer] of [
    [{}, 400, "#"],
    [{ event: api.id("evt"), since: "2026-01-01T00:00:00Z" }, 400, "#"],
    [{ since: "last week" }, 400, "#/since"],
    [{ since: "2020-01-01T00:00:00Z" }, 400, "#/since"],
    [{ event: api.id("evt"), after: api.id("evt") }, 400, "#/after"],
    [{ event: api.id("evt") }, 404, undefined],
  ] as const) {
    const answer = await api.call("POST", `/v1/webhook-endpoints/${id}/replay`, { body })
    assert.equal(answer.status, status, JSON.stringify(body))
    if (pointer !== undefined)
      assert.deepEqual(
        answer.body.errors.map((error: Json) => error.pointer),
        [pointer],
      )
  }
})

test("after a rotation both secrets sign for a while; without overlap only the new one", async () => {
  const { id, secret: old } = await create("/rotated")
  const rotated = ok(await api.call("POST", `/v1/webhook-endpoints/${id}/rotate-secret`, { body: {} }))
  ok(await api.call("POST", `/v1/webhook-endpoints/${id}/test`), 202)
  const [both] = await eventually("the test", async () => (at("/rotated").length > 0 ? at("/rotated") : undefined))
  for (const secret of [old, rotated.secret]) assert.equal(verified(secret, both!).type, "webhook_endpoint.test")
  const last = ok(await api.call("POST", `/v1/webhook-endpoints/${id}/rotate-secret`, { body: { overlap_seconds: 0 } }))
  ok(await api.call("POST", `/v1/webhook-endpoints/${id}/test`), 202)
  const [, alone] = await eventually("the next test", async () =>
    at("/rotated").length > 1 ? at("/rotated") : undefined,
  )
  assert.equal(verified(last.secret, alone!).type, "webhook_endpoint.test")
  for (const secret of [old, rotated.secret]) assert.throws(() => verified(secret, alone!))
})

test("a disabled endpoint hears nothing and cannot be tested; enabled again, it gets what waited", async () => {
  const { id } = await create("/paused", { event_types: ["payment.captured"] })
  answerStatus = 503
  await pay()
  await eventually("the failed try", async () => (at("/paused").length > 0 ? true : undefined))
  answerStatus = 200
  const disabled = ok(await api.call("PATCH", `/v1/webhook-endpoints/${id}`, { body: { state: "disabled" } }))
  assert.deepEqual([disabled.state, disabled.disabled_reason], ["disabled", null])
  assert.equal((await api.call("POST", `/v1/webhook-endpoints/${id}/test`)).body.code, "resource.conflict")
  ok(
    await api.call("PATCH", `/v1/webhook-endpoints/${id}`, {
      body: { state: "enabled", event_types: ["payment.captured"] },
    }),
  )
  await eventually("the delivery that waited", async () => {
    const { data } = ok(await api.call("GET", `/v1/webhook-endpoints/${id}/deliveries`))
    return data[0]?.state === "delivered" ? true : undefined
  })
})

test("a deleted endpoint is gone", async () => {
  const { id } = await create("/deleted")
  assert.equal((await api.call("DELETE", `/v1/webhook-endpoints/${id}`)).status, 204)
  assert.equal((await api.call("GET", `/v1/webhook-endpoints/${id}`)).status, 404)
  assert.equal((await api.call("DELETE", `/v1/webhook-endpoints/${id}`)).status, 404)
})

for (const [what, body, pointer] of [
  ["no address", { url: "shop.example.com" }, "#/url"],
  ["a file", { url: "file:///etc/passwd" }, "#/url"],
  ["a password in the address", { url: "https://user:pass@shop.example.com/" }, "#/url"],
  ["the cloud's metadata service", { url: "http://169.254.169.254/latest" }, "#/url"],
  ["the database's port of this machine", { url: "http://127.0.0.1:22/" }, "#/url"],
  ["a type that is no type", { url: url("/x"), event_types: ["everything"] }, "#/event_types/0"],
  ["no type", { url: url("/x"), event_types: [] }, "#/event_types"],
] as const)
  test(`${what} is refused`, async () => {
    const answer = await api.call("POST", "/v1/webhook-endpoints", { body })
    assert.equal(answer.status, 400)
    assert.deepEqual(
      answer.body.errors.map((error: Json) => error.pointer),
      [pointer],
    )
  })

test("in live mode only https to public addresses is taken", async () => {
  const { secret } = await api.newKey({ mode: "live" })
  for (const refused of [url("/x"), "http://shop.example.com/", "https://10.0.0.1/"])
    assert.equal((await api.call("POST", "/v1/webhook-endpoints", { key: secret, body: { url: refused } })).status, 400)
  const body = { url: "https://shop.example.com/hooks" }
  assert.equal((await api.call("POST", "/v1/webhook-endpoints", { key: secret, body })).status, 201)
})
