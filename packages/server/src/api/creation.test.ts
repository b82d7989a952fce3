// Whatever is created beside payments is created once per key: over the real server, with a database that says nothing at
// the worst moments.

import assert from "node:assert/strict"
import { test } from "node:test"
import { Client } from "pg"
import { contents, ok, simulate, startApi, accountBody, type Answer, type Json } from "../../testing/api.ts"
import { applyRetention } from "../storage/ledger/retention.ts"
import { SECRET_KEPT_MS } from "./creation.ts"

const api = await startApi({ role: "api" })
const { simulator } = await simulate(api, "stripe")
const ready = simulator.accounts()[0]
assert.ok(ready)
const { id: account } = ok(await api.call("POST", "/v1/accounts", { body: accountBody(ready) }), 201)
const { database, engine } = api.server
let keys = 0
const newKey = (): string => `key-${(keys += 1)}`
const post = (path: string, body: Json, key = newKey()): Promise<Answer> =>
  api.call("POST", path, { body, headers: { "idempotency-key": key } })

/** Everything that can be created, with a body that is refused. */
const creations: readonly (readonly [path: string, table: string, body: Json, other: Json, refused: Json])[] = [
  ["/v1/customers", "customers", { name: "Ada" }, { name: "Bob" }, { address: { country: "XX" } }],
  [
    "/v1/accounts",
    "accounts",
    accountBody(ready),
    { ...accountBody(ready), name: "Another" },
    { ...accountBody(ready), credentials: { secret_key: "nonsense" } },
  ],
  [
    "/v1/policies",
    "policies",
    { name: "P", rules: [{ name: "all", when: "true", strategy: { kind: "ordered", accounts: [account] } }] },
    { name: "Q", rules: [{ name: "all", when: "true", strategy: { kind: "ordered", accounts: [account] } }] },
    { name: "P", rules: [{ name: "all", when: "true", strategy: { kind: "ordered", accounts: [api.id("acc")] } }] },
  ],
  [
    "/v1/webhook-endpoints",
    "webhook_endpoints",
    { url: "https://shop.example.com/a" },
    { url: "https://shop.example.com/b" },
    { url: "https://user:secret@shop.example.com/" },
  ],
  [
    "/v1/api-keys",
    "api_keys",
    { name: "K", scopes: ["payments:read"] },
    { name: "L", scopes: ["payments:read"] },
    { name: "K", scopes: ["payments:read"], mode: "live" },
  ],
]
const count = async (table: string): Promise<number> => (await contents(api))[table]!.length
const idOf = (path: string, body: Json): string => (path === "/v1/policies" ? body.policy.id : body.id)

/** The statement of this name fails as if the connection had been lost, before or after it was made. */
function lose(name: string, when: "before" | "after"): void {
  const { query } = database
  Object.assign(database, {
    query: async (...of: Parameters<typeof query>) => {
      if (of[0].name !== name) return query(...of)
      Object.assign(database, { query })
      if (when === "after") await query(...of)
      throw Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" })
    },
  })
}
async function sql(text: string): Promise<void> {
  const client = new Client(api.place)
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
const leasesAreOver = (): Promise<void> => sql("update request_keys set lease_until_ms = 0 where not answered")

const inserts: Readonly<Record<string, string>> = {
  customers: "customer-insert",
  accounts: "account-insert",
  policies: "policy-insert",
  webhook_endpoints: "webhook-endpoint-insert",
  api_keys: "api-key-insert",
}

for (const [path, table, body, other, refused] of creations) {
  test(`${path}: a key gives its first answer again, and nothing is made twice`, async () => {
    const key = newKey()
    const first = await post(path, body, key)
    ok(first, 201)
    assert.equal(first.headers["idempotent-replayed"], undefined)
    const before = await count(table)
    const again = await post(path, body, key)
    assert.deepEqual([again.status, again.text], [201, first.text])
    assert.equal(again.headers["idempotent-replayed"], "true")
    for (const header of ["location", "etag"]) assert.equal(again.headers[header], first.headers[header])
    const mismatch = await post(path, other, key)
    assert.deepEqual([mismatch.status, mismatch.body.code], [422, "idempotency.key_reused"])
    assert.equal(await count(table), before)
  })

  test(`${path}: a refused request leaves its key free`, async () => {
    const key = newKey()
    const answer = await post(path, refused, key)
    assert.ok(answer.status >= 400 && answer.status < 500, answer.text)
    ok(await post(path, body, key), 201)
  })

  test(`${path}: of many at once, one is made`, async () => {
    const key = newKey()
    const before = await count(table)
    const answers = await Promise.all(Array.from({ length: 5 }, () => post(path, body, key)))
    const made = answers.filter(({ status }) => status === 201)
    assert.ok(made.length >= 1)
    assert.equal(new Set(made.map(({ text }) => text)).size, 1)
    for (const answer of answers.filter((one) => one.status !== 201)) {
      assert.deepEqual([answer.status, answer.body.code], [409, "idempotency.in_flight"])
      assert.ok(Number(answer.headers["retry-after"]) >= 1)
    }
    assert.equal(await count(table), before + 1)
  })

  for (const when of ["before", "after"] as const)
    test(`${path}: a database that is lost ${when} it was made costs neither the answer nor a second one`, async () => {
      const key = newKey()
      const before = await count(table)
      lose(inserts[table]!, when)
      assert.ok((await post(path, body, key)).status >= 500)
      assert.equal((await post(path, body, key)).body.code, "idempotency.in_flight", "it may still be under way")
      await leasesAreOver()
      const answer = await post(path, body, key)
      ok(answer, 201)
      assert.equal(await count(table), before + 1)
      assert.equal((await post(path, body, key)).text, answer.text)
    })

  test(`${path}: an answer that could not be stored is given all the same, and again`, async () => {
    const key = newKey()
    lose("request-key-answer", "before")
    const first = ok(await post(path, body, key), 201)
    await leasesAreOver()
    assert.equal(idOf(path, ok(await post(path, body, key), 201)), idOf(path, first))
  })
}

test("a policy whose first version was lost gets it", async () => {
  const [path, , body] = creations[2]!
  const key = newKey()
  lose("policy-version-insert", "before")
  assert.ok((await post(path, body, key)).status >= 500)
  await leasesAreOver()
  assert.equal(ok(await post(path, body, key), 201).version.version, 1)
})

test("a secret is heard again under its key, works, and stands nowhere in clear; a day later it is gone", async () => {
  const asked = creations.slice(3).map(([path, , body]) => ({ path, body, key: newKey() }))
  const secrets: string[] = []
  for (const { path, body, key } of asked) {
    const { secret } = ok(await post(path, body, key), 201)
    assert.equal(ok(await post(path, body, key), 201).secret, secret)
    secrets.push(secret)
  }
  assert.equal((await api.call("GET", "/v1/payments", { key: secrets[1]! })).status, 200)
  const stored = JSON.stringify(await contents(api)) + api.logged.join("\n")
  for (const secret of secrets) {
    assert.ok(!stored.includes(secret))
    assert.ok(!stored.includes(Buffer.from(secret).toString("hex")))
  }
  await sql("update request_keys set until_ms = until_ms - 86400000")
  const ports = { ...engine, clock: { ...engine.clock, now: () => engine.clock.now() + 1_000, sleep: async () => {} } }
  await applyRetention(database, ports)
  assert.equal(SECRET_KEPT_MS, 86_400_000)
  const left = (await contents(api))["request_keys"]!
  assert.ok(left.length > 0 && !left.some((row) => /,(key|whe)_/.test(row)))
})

test("an erased customer is erased from what was answered, and is not made again", async () => {
  const key = newKey()
  const { id } = ok(await post("/v1/customers", { name: "Ada", reference: "ada" }, key), 201)
  ok(await api.call("DELETE", `/v1/customers/${id}`))
  const again = await post("/v1/customers", { name: "Ada", reference: "ada" }, key)
  const { name, erased_at: erased, id: same } = ok(again, 201)
  assert.deepEqual([same, name, again.headers["idempotent-replayed"]], [id, null, "true"])
  assert.ok(erased)
})

test("a key that cannot be one is refused, and without one nothing is remembered", async () => {
  const bad = await api.call("POST", "/v1/customers", { body: {}, headers: { "idempotency-key": "a b" } })
  assert.equal(bad.body.code, "idempotency.key_invalid")
  const before = await count("request_keys")
  ok(await api.call("POST", "/v1/customers", { body: {} }), 201)
  assert.equal(await count("request_keys"), before)
})

test("one key is another key at another path, for another merchant and in the other mode", async () => {
  const key = newKey()
  const headers = { "idempotency-key": key }
  const ids = new Set<string>()
  for (const secret of [
    api.key,
    (await api.newKey({ mode: "live" })).secret,
    (await api.newKey({ merchant: await api.newMerchant() })).secret,
  ])
    ids.add(ok(await api.call("POST", "/v1/customers", { key: secret, headers, body: { name: "Ada" } }), 201).id)
  assert.equal(ids.size, 3)
  ok(await post("/v1/api-keys", { name: "Ada", scopes: ["admin"] }, key), 201)
})
