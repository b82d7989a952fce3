// What is wrong with a request is said with its code and its place, and leaves no trace.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, contents, ok, rowCounts, simulate, startApi, type Json } from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "stripe")
await providers.connect("stripe")
const payment = { amount: 1999, currency: "EUR", payment_method: { type: "card", card } }
let keys = 0
const create = (body: Json, headers: Record<string, string> = {}) =>
  api.call("POST", "/v1/payments", { body, headers: { "idempotency-key": `key-${(keys += 1)}`, ...headers } })

const withCard = (change: Json): Json => ({
  ...payment,
  payment_method: { type: "card", card: { ...card, ...change } },
})
const cases: readonly (readonly [what: string, body: Json, status: number, code: string, pointer?: string])[] = [
  ["an unknown field", { ...payment, amonut: 5 }, 400, "request.invalid", "#/amonut"],
  ["an unknown field inside", withCard({ cvv: "123" }), 400, "request.invalid", "#/payment_method/card/cvv"],
  ["a field that is missing", { currency: "EUR" }, 400, "request.invalid", "#/amount"],
  ["a number as text", { ...payment, amount: "1999" }, 400, "request.invalid", "#/amount"],
  ["a text as number", { ...payment, merchant_reference: 7 }, 400, "request.invalid", "#/merchant_reference"],
  ["a list as body", [payment], 400, "request.invalid", "#"],
  ["a negative amount", { ...payment, amount: -1 }, 400, "request.invalid", "#/amount"],
  ["a fraction of a minor unit", { ...payment, amount: 19.99 }, 400, "request.invalid", "#/amount"],
  ["an amount that no network carries", { ...payment, amount: 1_000_000_000_000 }, 400, "request.invalid", "#/amount"],
  ["an unknown currency", { ...payment, currency: "EUX" }, 400, "request.invalid", "#/currency"],
  ["a currency in small letters", { ...payment, currency: "eur" }, 400, "request.invalid", "#/currency"],
  [
    "a wrong check digit",
    withCard({ number: "4242424242424241" }),
    400,
    "request.invalid",
    "#/payment_method/card/number",
  ],
  [
    "a number of no network",
    withCard({ number: "9999999999999995" }),
    400,
    "request.invalid",
    "#/payment_method/card/number",
  ],
  ["an expired card", withCard({ expiry_year: 2020 }), 400, "request.invalid", "#/payment_method/card/expiry_year"],
  [
    "a month that no year has",
    withCard({ expiry_month: 13 }),
    400,
    "request.invalid",
    "#/payment_method/card/expiry_month",
  ],
  ["a CVC of the wrong length", withCard({ cvc: "1234" }), 400, "request.invalid", "#/payment_method/card/cvc"],
  [
    "a provider's token of an account that is not there",
    {
      ...payment,
      payment_method: {
        type: "provider_token",
        provider_token: { account: "acc_01k9zq3v5e7f8g9h0jkmnpqrst", token: "pm_1" },
      },
    },
    400,
    "request.invalid",
    "#/payment_method/provider_token/account",
  ],
  [
    "a network token that an account requested that is not there",
    {
      ...payment,
      payment_method: {
        type: "network_token",
        network_token: {
          number: "5555555555554444",
          expiry_month: 12,
          expiry_year: 2030,
          requestor_account: "acc_01k9zq3v5e7f8g9h0jkmnpqrst",
        },
      },
    },
    400,
    "request.invalid",
    "#/payment_method/network_token/requestor_account",
  ],
  ["no payment method", { amount: 1, currency: "EUR" }, 400, "request.invalid", "#/payment_method"],
  [
    "a type without its field",
    { ...payment, payment_method: { type: "stored" } },
    400,
    "request.invalid",
    "#/payment_method/stored",
  ],
  [
    "a field of another type",
    { ...payment, payment_method: { type: "card", card, stored: { id: api.id("pm") } } },
    400,
    "request.invalid",
    "#/payment_method/stored",
  ],
  [
    "an unknown stored method",
    { ...payment, payment_method: { type: "stored", stored: { id: api.id("pm") } } },
    400,
    "request.invalid",
    "#/payment_method/stored/id",
  ],
  ["an unknown customer", { ...payment, customer: api.id("cus") }, 400, "request.invalid", "#/customer"],
  [
    "a card to store without customer",
    { ...payment, store_payment_method: true },
    400,
    "request.invalid",
    "#/store_payment_method",
  ],
  ["an unknown account", { ...payment, account: api.id("acc") }, 400, "request.invalid", "#/account"],
  ["an id of another kind", { ...payment, account: api.id("pay") }, 400, "request.invalid", "#/account"],
  [
    "a country that does not exist",
    { ...payment, billing: { address: { country: "XX" } } },
    400,
    "request.invalid",
    "#/billing/address/country",
  ],
  ["no email", { ...payment, customer_details: { email: "ada" } }, 400, "request.invalid", "#/customer_details/email"],
  [
    "a return address that is no URL",
    { ...payment, return_url: "javascript:alert(1)" },
    400,
    "request.invalid",
    "#/return_url",
  ],
  [
    "too much metadata",
    { ...payment, metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, "v"])) },
    400,
    "request.invalid",
    "#/metadata",
  ],
  ["metadata that is no text", { ...payment, metadata: { a: 1 } }, 400, "request.invalid", "#/metadata/a"],
  [
    "a purpose that is missing",
    { ...payment, initiator: { by: "merchant" } },
    400,
    "request.invalid",
    "#/initiator/purpose",
  ],
  [
    "a CVC without customer",
    { ...payment, initiator: { by: "merchant", purpose: "recurring" } },
    400,
    "request.invalid",
    "#/payment_method/card/cvc",
  ],
  [
    "external 3DS without result",
    { ...payment, three_ds: { mode: "external" } },
    400,
    "request.invalid",
    "#/three_ds/external",
  ],
  ...(
    [
      ["a field that is there twice", `{"amount":1,"amount":2}`, "#/amount"],
      ["a field that is there twice, once in disguise", `{"amount":1,"\\u0061mount":2}`, "#/amount"],
      ["a field inside that is there twice", `{"metadata":{"a":"1","a":"2"}}`, "#/metadata/a"],
      ["a name that JavaScript takes for a prototype", `{"metadata":{"__proto__":"1"}}`, "#/metadata/__proto__"],
      ["a whole number with an exponent", `{"amount":1e3}`, "#/amount"],
      ["a whole number with a point", `{"amount":1000.0}`, "#/amount"],
      ["a number that would be rounded to a whole one", `{"amount":1000.00000000000000001}`, "#/amount"],
      ["a number that no double can hold", `{"amount":9007199254740993}`, "#/amount"],
      ["minus zero", `{"amount":-0}`, "#/amount"],
      ["a number beyond all numbers", `{"amount":1e400}`, "#/amount"],
      ["NUL in a text", `{"description":"a\\u0000"}`, "#/description"],
      ["half of a character", `{"description":"\\ud800"}`, "#/description"],
      ["NUL in a name", `{"metadata":{"a\\u0000":"b"}}`, "#/metadata/a\0"],
    ] as const
  ).map(([what, body, pointer]) => [what, body, 400, "request.invalid", pointer] as const),
  ["lists without end", "[".repeat(1_000) + "]".repeat(1_000), 400, "request.invalid"],
  ["no JSON", "{", 400, "request.invalid_json"],
  ["JSON and then something", "{} {}", 400, "request.invalid_json"],
  ["nothing", "", 400, "request.invalid_json"],
  ["more than 256 KiB", JSON.stringify({ ...payment, description: "x".repeat(256 * 1024) }), 413, "request.too_large"],
]

for (const [what, body, status, code, pointer] of cases)
  test(`${what} is refused with ${code}${pointer === undefined ? "" : ` at ${pointer}`}, and leaves no trace`, async () => {
    const before = await rowCounts(api)
    const answer = await create(body)
    assert.equal(answer.status, status, answer.text)
    assert.equal(answer.headers["content-type"], "application/problem+json")
    assert.equal(answer.body.code, code)
    assert.equal(answer.body.type, `/faults#${code}`)
    assert.match(answer.body.request_id, /^req_/)
    assert.match(answer.body.detail, /^\S.*\.$/, "it says in a sentence what is wrong and what to do")
    if (pointer !== undefined) assert.ok(pointersOf(answer.body).includes(pointer), answer.text)
    assert.deepEqual(await rowCounts(api), before)
  })

const pointersOf = (problem: Json): readonly string[] => problem.errors.map((error: Json) => error.pointer)

test("everything that is wrong is said at once", async () => {
  const answer = await create({ amount: "1", currency: "X", extra: 1, payment_method: { type: "card", card } })
  assert.deepEqual(pointersOf(answer.body).toSorted(), ["#/amount", "#/currency", "#/extra"])
})

test("an answer never repeats a card number, wherever it was put", async () => {
  const number = "4242424242424242"
  for (const body of [
    { ...payment, [number]: 1 },
    { ...payment, payment_method: { type: number } },
    withCard({ number: `${number}1` }),
  ])
    assert.ok(!(await create(body)).text.includes(number))
  assert.ok(!(await api.call("GET", `/v1/payments/${number}`)).text.includes(number))
  assert.ok(!(await api.call("GET", `/v1/cards/${number}`)).text.includes(number))
  assert.ok(!JSON.stringify(await contents(api)).includes(number))
  assert.ok(!api.logged.join("\n").includes(number))
})

test("another content type, character set or encoding is not read", async () => {
  for (const headers of [
    { "content-type": "application/xml" },
    { "content-type": "text/plain" },
    { "content-type": "application/json; charset=iso-8859-1" },
    { "content-encoding": "gzip" },
  ]) {
    const answer = await create(payment, headers as Record<string, string>)
    assert.equal(answer.status, 415)
    assert.equal(answer.body.code, "request.unsupported_media_type")
  }
})

test("UTF-8 may be named, and a byte order mark does no harm", async () => {
  const headers = { "content-type": 'application/json; charset="UTF-8"' }
  ok(await api.call("POST", "/v1/customers", { headers, body: '\ufeff{"name":"Ada"}' }), 201)
})

test("where there is nothing to say, nothing has to be said", async () => {
  const { id } = ok(await api.call("GET", "/v1/accounts")).data[0]
  ok(await api.call("POST", `/v1/accounts/${id}/enable`))
  ok(await api.call("POST", `/v1/accounts/${id}/enable`, { body: "" }))
})

test("a path that takes other methods says which", async () => {
  for (const [method, path, allow] of [
    ["DELETE", "/v1/payments", "GET, HEAD, POST"],
    ["PATCH", "/v1/payments", "GET, HEAD, POST"],
    ["POST", `/v1/payments/${api.id("pay")}`, "GET, HEAD"],
    ["GET", `/v1/payments/${api.id("pay")}/capture`, "POST"],
    ["DELETE", `/v1/accounts/${api.id("acc")}`, "GET, HEAD, PATCH"],
    ["POST", "/health", "GET, HEAD"],
  ] as const) {
    const { status, body, headers } = await api.call(method, path)
    assert.deepEqual([status, body.code, headers["allow"]], [405, "request.method_not_allowed", allow], path)
    assert.ok(body.detail.includes(allow))
  }
})

test("a slash at the end makes another path, and is told so", async () => {
  for (const path of ["/v1/payments/", `/v1/payments/${api.id("pay")}/`]) {
    const { status, body } = await api.call("GET", path)
    assert.deepEqual([status, body.code], [404, "request.no_such_path"])
    assert.ok(body.detail.includes(`: ${path.slice(0, -1)}.`))
  }
})

test("an address that is too long is said to be so", async () => {
  const long = await api.call("GET", "/v1/payments", { query: { merchant_reference: "x".repeat(8_000) } })
  assert.deepEqual([long.status, long.body.code], [414, "request.address_too_long"])
  assert.equal((await api.call("GET", `/v1/payments/${"x".repeat(200)}`)).status, 404)
})

test("a parameter that a route does not have is refused everywhere", async () => {
  for (const path of [`/v1/payments/${api.id("pay")}`, "/v1/connectors", "/v1/policies/active", "/v1/api-keys"]) {
    const answer = await api.call("GET", path, { query: { expand: "all" } })
    assert.equal(answer.status, 400, path)
    assert.deepEqual(pointersOf(answer.body), ["query/expand"])
  }
})

test("an address with a broken escape is a problem too", async () => {
  const { status, headers, body } = await api.call("GET", "/v1/payments/%E0%A4")
  assert.deepEqual(
    [status, body.code, headers["content-type"]],
    [404, "request.no_such_path", "application/problem+json"],
  )
})

test("a path that does not exist is a problem too", async () => {
  const answer = await api.call("GET", "/v1/paymnets")
  assert.equal(answer.status, 404)
  assert.equal(answer.body.code, "request.no_such_path")
})

test("a request without key, with a wrong key or with a revoked one is told how to authenticate", async () => {
  for (const [key, code] of [
    [null, "auth.missing"],
    ["nonsense", "auth.invalid"],
    ["ok_test_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "auth.invalid"],
  ] as const) {
    const answer = await api.call("GET", "/v1/payments", { key })
    assert.equal(answer.status, 401)
    assert.equal(answer.body.code, code)
    assert.equal(answer.headers["www-authenticate"], "Bearer")
  }
})

test("a key does only what its scopes say, and is told which one is missing", async () => {
  const { secret } = await api.newKey({ scopes: ["payments:read"] })
  assert.equal((await api.call("GET", "/v1/payments", { key: secret })).status, 200)
  for (const [method, path, scope] of [
    ["POST", "/v1/payments", "payments:write"],
    ["GET", "/v1/accounts", "config:read"],
    ["POST", "/v1/accounts", "config:write"],
    ["GET", "/v1/api-keys", "admin"],
  ] as const) {
    const answer = await api.call(method, path, { key: secret, ...(method === "POST" ? { body: {} } : {}) })
    assert.equal(answer.status, 403)
    assert.equal(answer.body.code, "auth.scope")
    assert.ok(answer.body.detail.includes(scope))
  }
})

test("a version of the API that does not exist is refused; the one that serves is named in every answer", async () => {
  const answer = await api.call("GET", "/v1/payments", { headers: { "orchestra-version": "2020-01-01" } })
  assert.equal(answer.status, 400)
  assert.deepEqual(pointersOf(answer.body), ["header/orchestra-version"])
  assert.match(String((await api.call("GET", "/v1/payments")).headers["orchestra-version"]), /^\d{4}-\d\d-\d\d$/)
})

test("a query is read strictly: unknown names, wrong types, limits and foreign cursors are named", async () => {
  const cursor = Buffer.from(api.id("evt")).toString("base64url")
  for (const [query, pointer] of [
    [{ limt: "5" }, "query/limt"],
    [{ limit: "0" }, "query/limit"],
    [{ limit: "101" }, "query/limit"],
    [{ limit: "ten" }, "query/limit"],
    [{ cursor: "abc" }, "query/cursor"],
    [{ cursor }, "query/cursor"],
    [{ status: "captured,paid" }, "query/status/1"],
    [{ created_from: "yesterday" }, "query/created_from"],
    [{ last4: "42424" }, "query/last4"],
    [{ "metadata[a": "b" }, "query/metadata[a"],
    [{ needs_person: "1" }, "query/needs_person"],
    [{ merchant_reference: "a\0" }, "query/merchant_reference"],
  ] as const) {
    const answer = await api.call("GET", "/v1/payments", { query })
    assert.equal(answer.status, 400, JSON.stringify(query))
    assert.deepEqual(pointersOf(answer.body), [pointer])
  }
})

test("ids of other merchants and of the other mode are not there, in any resource", async () => {
  const paid = ok(await create(payment), 201)
  const customer = ok(await api.call("POST", "/v1/customers", { body: { name: "Ada" } }), 201)
  const account = ok(await api.call("GET", "/v1/accounts")).data[0]
  const endpoint = ok(
    await api.call("POST", "/v1/webhook-endpoints", { body: { url: "https://shop.example.com/" } }),
    201,
  )
  const { policy } = ok(
    await api.call("POST", "/v1/policies", {
      body: {
        name: "P",
        rules: [{ name: "all", when: "true", strategy: { kind: "ordered", accounts: [account.id] } }],
      },
    }),
    201,
  )
  const event = ok(await api.call("GET", "/v1/events")).data[0]
  const paths = [
    `/v1/payments/${paid.id}`,
    `/v1/payments/${paid.id}/attempts`,
    `/v1/payments/${paid.id}/operations`,
    `/v1/payments/${paid.id}/events`,
    `/v1/payments/${paid.id}/transcripts`,
    `/v1/customers/${customer.id}`,
    `/v1/accounts/${account.id}`,
    `/v1/webhook-endpoints/${endpoint.id}`,
    `/v1/webhook-endpoints/${endpoint.id}/deliveries`,
    `/v1/policies/${policy.id}`,
    `/v1/policies/${policy.id}/versions`,
    `/v1/events/${event.id}`,
    `/v1/events?payment=${paid.id}`,
  ]
  const others = [
    (await api.newKey({ merchant: await api.newMerchant() })).secret,
    (await api.newKey({ mode: "live" })).secret,
  ]
  for (const path of paths) {
    assert.equal((await api.call("GET", path)).status, 200, path)
    for (const key of others) {
      const answer = await api.call("GET", path, { key })
      assert.equal(answer.status, 404, path)
      assert.equal(answer.body.code, "resource.not_found")
    }
  }
  for (const key of others) {
    for (const verb of ["capture", "refund", "cancel", "confirm"]) {
      const headers = { "idempotency-key": `foreign-${verb}` }
      assert.equal((await api.call("POST", `/v1/payments/${paid.id}/${verb}`, { key, headers, body: {} })).status, 404)
    }
    for (const list of [
      "/v1/payments",
      "/v1/customers",
      "/v1/accounts",
      "/v1/policies",
      "/v1/webhook-endpoints",
      "/v1/events",
      "/v1/inbound-webhooks",
    ])
      assert.deepEqual(ok(await api.call("GET", list, { key })), { data: [], next: null }, list)
    const stolen = await api.call("POST", "/v1/payments", {
      key,
      headers: { "idempotency-key": "stolen" },
      body: { ...payment, account: account.id },
    })
    assert.deepEqual(pointersOf(stolen.body), ["#/account"])
  }
})

test("unknown ids and ids of another kind are not found or not valid, never a bug of ours", async () => {
  for (const [path, status] of [
    [`/v1/payments/${api.id("pay")}`, 404],
    [`/v1/payments/${api.id("acc")}`, 400],
    ["/v1/payments/1", 400],
    [`/v1/accounts/${api.id("acc")}`, 404],
    [`/v1/customers/${api.id("cus")}`, 404],
    [`/v1/payment-methods/${api.id("pm")}`, 404],
    [`/v1/policies/${api.id("pol")}`, 404],
    [`/v1/webhook-endpoints/${api.id("whe")}`, 404],
    [`/v1/events/${api.id("evt")}`, 404],
    [`/v1/inbound-webhooks/${api.id("whi")}`, 404],
    ["/v1/connectors/nobody", 404],
  ] as const)
    assert.equal((await api.call("GET", path)).status, status, path)
})
