// Policies over the API: versioned, put in force, rolled back.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, rowCounts, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "stripe", "adyen")
const stripe = (await providers.connect("stripe")).id
const adyen = (await providers.connect("adyen")).id
const everything = { all: [] }
const rule = (name: string, when: Json, ...accounts: readonly string[]): Json => ({
  name,
  when,
  strategy: { kind: "ordered", accounts },
})
const all = (...accounts: readonly string[]): Json => rule("all", everything, ...accounts)
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

test("a version without a note has an empty one, which may be sent as such", async () => {
  for (const more of [{}, { note: "" }]) {
    const body = { name: "Plain", rules: [all(stripe)], ...more }
    assert.equal(ok(await api.call("POST", "/v1/policies", { body }), 201).version.note, "")
  }
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

test("all fields of a document come back as they were sent, and conditions as text where that is asked for", async () => {
  const when = {
    all: [
      { field: "currency", op: "equals", value: "EUR" },
      { field: "amount", op: "le", value: 999_999_999_999 },
      { any: [{ field: "card.network", op: "in", value: ["visa"] }, { not: { field: "card.country", op: "exists" } }] },
    ],
  }
  const text = 'currency == "EUR" && amount <= 999999999999 && (card.network in ["visa"] || !has(card.country))'
  const retry = {
    max_retries: 1,
    steps: [{ name: "elsewhere", on: { not_executed: true }, times: 1, provider: "other" }],
  }
  const document = {
    rules: [
      { ...rule("small euro", when, adyen, stripe), require_three_ds: true, retry, on_unknown: "wait" },
      {
        name: "split",
        when: { field: "currency", op: "equals", value: "USD" },
        strategy: {
          kind: "split",
          shares: [
            { account: adyen, share: 70 },
            { account: stripe, share: 30 },
          ],
        },
      },
      {
        name: "learn",
        when: { field: "currency", op: "equals", value: "GBP" },
        strategy: {
          kind: "optimize",
          accounts: [adyen, stripe],
          objective: { kind: "expected_value", margin: 0.1, per_second: 0.001 },
          exploration: 0.01,
        },
      },
      {
        name: "no",
        when: { field: "currency", op: "equals", value: "CHF" },
        strategy: { kind: "decline", reason: "not sold there" },
      },
      all(stripe),
    ],
    never: [{ account: stripe, when: { field: "shipping.country", op: "equals", value: "US" } }],
    commitments: [{ account: adyen, min_share: 0.2, max_volume: 1_000, unit: "payments" }],
  }
  const { version, policy } = ok(await api.call("POST", "/v1/policies", { body: { name: "Whole", ...document } }), 201)
  const { rules, never, commitments } = version
  assert.deepEqual({ rules, never, commitments }, document)
  assert.deepEqual(version.warnings, [])
  assert.deepEqual(ok(await api.call("GET", `/v1/policies/${policy.id}/versions/1`)), version)
  const shown = ok(await api.call("GET", `/v1/policies/${policy.id}/versions/1?conditions=text`))
  assert.equal(shown.rules[0].when, text)
  assert.equal(shown.never[0].when, 'shipping.country == "US"')
  const again = { rules: shown.rules, never: shown.never, commitments: shown.commitments }
  const second = ok(await api.call("POST", `/v1/policies/${policy.id}/versions`, { body: again }), 201)
  assert.deepEqual(second.rules, document.rules)
})

for (const [what, rules, pointers] of [
  ["no rule", [], ["#/rules"]],
  ["a rule without accounts", [all()], ["#/rules/0/strategy/accounts"]],
  ["an account that does not exist", [all(stripe, api.id("acc"))], ["#/rules/0/strategy/accounts/1"]],
  ["an account twice", [all(stripe, stripe)], ["#/rules/0/strategy/accounts/1"]],
  ["a rule behind one that matches everything", [all(stripe), rule("euro", 'currency == "EUR"', adyen)], ["#/rules/1"]],
  [
    "a field that does not exist",
    [rule("all", { field: "weekday", op: "equals", value: 1 }, stripe)],
    ["#/rules/0/when/field"],
  ],
  ["a currency that does not exist", [rule("all", 'currency == "EUX"', stripe)], ["#/rules/0/when"]],
  ["two rules of one name", [rule("all", 'currency == "EUR"', stripe), all(stripe)], ["#/rules/1/name"]],
  [
    "an empty range",
    [rule("none", 'currency == "EUR" && amount > 2 && amount < 3', stripe), all(stripe)],
    ["#/rules/0/when"],
  ],
  [
    "a strategy with what belongs to another",
    [{ ...all(stripe), strategy: { kind: "ordered", accounts: [stripe], reason: "no" } }],
    ["#/rules/0/strategy/reason"],
  ],
  [
    "a retry plan that cannot be read",
    [{ ...all(stripe), retry: { max_retries: 1, steps: [{ name: "x" }] } }],
    ["#/rules/0/retry/steps/0/on", "#/rules/0/retry/steps/0/times", "#/rules/0/retry/steps/0/provider"],
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
  const { version } = ok(await create([rule("euro", 'currency == "EUR"', stripe)]), 201)
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
    ["#/rules/0/strategy/accounts/0"],
  )
})
