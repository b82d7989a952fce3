// API keys: shown once, hashed, ended everywhere within a second.

import assert from "node:assert/strict"
import { test } from "node:test"
import { contents, ok, startApi, type Json } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"

const api = await startApi({ role: "api" })
const create = async (body: Json = {}): Promise<Json> =>
  ok(await api.call("POST", "/v1/api-keys", { body: { name: "Checkout", scopes: ["payments:read"], ...body } }), 201)
const status = async (key: string, node = api): Promise<number> =>
  (await node.call("GET", "/v1/payments", { key })).status

test("a key is shown once, works at once, and is stored as a hash alone", async () => {
  const { secret, ...key } = await create()
  assert.match(secret, /^ok_test_[\w-]{32}$/)
  assert.equal(await status(secret), 200)
  const listed = await api.call("GET", "/v1/api-keys")
  assert.deepEqual(ok(listed).data[0], key)
  assert.ok(!listed.text.includes(secret))
  const stored = JSON.stringify(await contents(api))
  const raw = Buffer.from(secret).toString("hex")
  assert.ok(!stored.includes(secret) && !stored.includes(raw) && !api.logged.join("\n").includes(secret))
})

test("the hash has all the bits of a key: keys that differ in one character are different keys", async () => {
  const { secret } = await create()
  for (const place of [8, 20, 39]) {
    const other = `${secret.slice(0, place)}${secret[place] === "A" ? "B" : "A"}${secret.slice(place + 1)}`
    assert.equal(await status(other), 401)
  }
  const rows = (await contents(api))["api_keys"] ?? []
  const hashes = rows.map((row) => /\\\\x([0-9a-f]+)/.exec(row)?.[1])
  assert.ok(hashes.every((hash) => hash?.length === 64))
  assert.equal(new Set(hashes).size, rows.length)
})

test("a revoked key ends on every node, and stays in the list", async () => {
  const beside = await startApi({ role: "api", beside: api })
  const { secret, id } = await create()
  assert.deepEqual([await status(secret), await status(secret, beside)], [200, 200])
  const revoked = ok(await api.call("DELETE", `/v1/api-keys/${id}`))
  assert.ok(revoked.revoked_at !== null)
  for (const node of [api, beside])
    await eventually("the key's end", async () => ((await status(secret, node)) === 401 ? true : undefined))
  assert.deepEqual(ok(await api.call("DELETE", `/v1/api-keys/${id}`)).revoked_at, revoked.revoked_at)
  assert.ok(ok(await api.call("GET", "/v1/api-keys")).data.some((key: Json) => key.id === id))
})

test("a key does not revoke itself, so that the last one is not lost by mistake", async () => {
  const { secret, id } = await create({ scopes: ["admin"] })
  const answer = await api.call("DELETE", `/v1/api-keys/${id}`, { key: secret })
  assert.equal(answer.body.code, "resource.conflict")
  assert.equal(await status(secret), 200)
})

test("a test key makes, sees and revokes test keys alone; a live key those of both modes", async () => {
  const refused = await api.call("POST", "/v1/api-keys", { body: { name: "Live", scopes: ["admin"], mode: "live" } })
  assert.deepEqual(
    refused.body.errors.map(({ pointer }: Json) => pointer),
    ["#/mode"],
  )
  const live = await api.newKey({ mode: "live" })
  const made = ok(
    await api.call("POST", "/v1/api-keys", { key: live.secret, body: { name: "Live", scopes: ["admin"] } }),
    201,
  )
  assert.equal(made.mode, "live")
  assert.match(made.secret, /^ok_live_/)
  assert.equal((await api.call("DELETE", `/v1/api-keys/${made.id}`)).status, 404)
  const { data } = ok(await api.call("GET", "/v1/api-keys"))
  assert.ok(data.every(({ mode }: Json) => mode === "test"))
  ok(await api.call("DELETE", `/v1/api-keys/${made.id}`, { key: live.secret }))
})

test("another merchant's key is not there", async () => {
  const { secret } = await api.newKey({ merchant: await api.newMerchant() })
  const { id } = await create()
  assert.equal((await api.call("DELETE", `/v1/api-keys/${id}`, { key: secret })).status, 404)
})

test("a scope that does not exist is refused", async () => {
  const answer = await api.call("POST", "/v1/api-keys", { body: { name: "X", scopes: ["root"] } })
  assert.deepEqual(
    answer.body.errors.map(({ pointer }: Json) => pointer),
    ["#/scopes/0"],
  )
})
