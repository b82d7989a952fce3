// Policies over the API: checked, versioned, put in force, rolled back.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, rowCounts, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "stripe", "adyen")
const stripe = (await providers.connect("stripe")).id
const adyen = (await providers.connect("adyen")).id
const all = (...accounts: readonly string[]): Json => ({ name: "all", when: {}, accounts })
const create = (rules: Json): Promise<Answer> => api.call("POST", "/v1/policies", { body: { name: "Order", rules } })
const activate = (id: string, etag: number, version: number): Promise<Answer> =>
  api.call("POST", `/v1/policies/${id}/activate`, { headers: { "if-match": `"${etag}"` }, body: { version } })
let keys = 0
const routed = async (): Promise<string> => {
  const headers = { "idempotency-key": `key-${(keys += 1)}` }
  const body = { amount: 100, currency: "EUR", payment_method: { type: "card", card } }
  return ok(await api.call("POST", "/v1/payments", { headers, body }), 201).attempts[0].account
}

test("without a policy in force, accounts are tried in the order of their creation", async () => {
  assert.equal((await api.call("GET", "/v1/policies/active")).status, 404)
  assert.equal(await routed(), stripe)
})

test("a version comes into force, the next payment follows it, and the version before is one call away", async () => {
  const { policy } = ok(await create([all(adyen)]), 201)
  assert.equal(policy.active_version, null)
  assert.equal(await routed(), stripe)
  const active = await activate(policy.id, policy.version, 1)
  assert.equal(ok(active).active_version, 1)
  assert.equal(await routed(), adyen)
  const second = ok(
    await api.call("POST", `/v1/policies/${policy.id}/versions`, {
      body: { rules: [all(stripe)], note: "Adyen is slow" },
    }),
    201,
  )
  assert.deepEqual([second.version, second.note, second.published_at], [2, "Adyen is slow", null])
  assert.equal(await routed(), adyen)
  const newer = ok(await activate(policy.id, active.body.version, 2))
  assert.equal(await routed(), stripe)
  ok(await activate(policy.id, newer.version, 1))
  assert.equal(await routed(), adyen)
  const inForce = ok(await api.call("GET", "/v1/policies/active"))
  assert.deepEqual([inForce.policy.id, inForce.version.version, inForce.version.rules], [policy.id, 1, [all(adyen)]])
  const { data } = ok(await api.call("GET", `/v1/policies/${policy.id}/versions`))
  assert.deepEqual(
    data.map(({ version }: Json) => version),
    [2, 1],
  )
  assert.ok(data.every(({ published_at, author }: Json) => published_at !== null && author.startsWith("key_")))
})

test("another policy takes the place of the one in force", async () => {
  const before = ok(await api.call("GET", "/v1/policies/active")).policy
  const { policy } = ok(await create([all(stripe)]), 201)
  ok(await activate(policy.id, policy.version, 1))
  assert.equal(ok(await api.call("GET", `/v1/policies/${before.id}`)).active_version, null)
  assert.equal(await routed(), stripe)
})

test("activating needs the ETag that was read: 428 without, 412 with an older one, 404 for a version that is not there", async () => {
  const { policy } = ok(await create([all(stripe)]), 201)
  const body = { version: 1 }
  assert.equal((await api.call("POST", `/v1/policies/${policy.id}/activate`, { body })).status, 428)
  ok(await activate(policy.id, policy.version, 1))
  assert.equal((await activate(policy.id, policy.version, 1)).status, 412)
  assert.equal((await activate(policy.id, policy.version + 1, 9)).status, 404)
  assert.equal((await api.call("GET", `/v1/policies/${policy.id}/versions/9`)).status, 404)
})

test("all fields of a rule come back as they were sent", async () => {
  const rules = [
    {
      name: "small euro",
      when: { currency: ["EUR"], country: ["DE", "FR"], network: ["visa"], amount: { min: 1, max: 999_999_999_999 } },
      accounts: [adyen, stripe],
    },
    all(stripe),
  ]
  const { version, policy } = ok(await create(rules), 201)
  assert.deepEqual(version.rules, rules)
  assert.deepEqual(version.warnings, [])
  assert.deepEqual(ok(await api.call("GET", `/v1/policies/${policy.id}/versions/1`)), version)
})

for (const [what, rules, pointers] of [
  ["no rule", [], ["#/rules"]],
  ["a rule without accounts", [all()], ["#/rules/0/accounts"]],
  ["an account that does not exist", [all(stripe, api.id("acc"))], ["#/rules/0/accounts/1"]],
  ["an account twice", [all(stripe, stripe)], ["#/rules/0/accounts/1"]],
  [
    "a rule behind one that matches everything",
    [all(stripe), { name: "euro", when: { currency: ["EUR"] }, accounts: [adyen] }],
    ["#/rules/1"],
  ],
  ["a condition that does not exist", [{ ...all(stripe), when: { weekday: ["monday"] } }], ["#/rules/0/when/weekday"]],
  ["a currency that does not exist", [{ ...all(stripe), when: { currency: ["EUX"] } }], ["#/rules/0/when/currency/0"]],
  ["a country that does not exist", [{ ...all(stripe), when: { country: ["XX"] } }], ["#/rules/0/when/country/0"]],
  ["two rules of one name", [{ ...all(stripe), when: { currency: ["EUR"] } }, all(stripe)], ["#/rules/1/name"]],
  [
    "an empty range",
    [{ ...all(stripe), when: { currency: ["EUR"], amount: { min: 2, max: 1 } } }],
    ["#/rules/0/when/amount/max"],
  ],
] as const)
  test(`${what} is refused at its place`, async () => {
    const before = await rowCounts(api)
    const answer = await create(rules)
    assert.equal(answer.status, 400, answer.text)
    assert.deepEqual(
      answer.body.errors.map(({ pointer }: Json) => pointer),
      pointers,
    )
    assert.deepEqual(await rowCounts(api), before)
  })

test("what is allowed but probably not meant is warned of", async () => {
  const { version } = ok(await create([{ name: "euro", when: { currency: ["EUR"] }, accounts: [stripe] }]), 201)
  assert.deepEqual(
    version.warnings.map(({ code, pointer }: Json) => [code, pointer]),
    [["no_default", "#/rules"]],
  )
})

test("accounts of another merchant or of the other mode are unknown to a policy", async () => {
  const { secret } = await api.newKey({ mode: "live" })
  const answer = await api.call("POST", "/v1/policies", { key: secret, body: { name: "Live", rules: [all(stripe)] } })
  assert.deepEqual(
    answer.body.errors.map(({ pointer }: Json) => pointer),
    ["#/rules/0/accounts/0"],
  )
})
