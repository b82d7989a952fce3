// What editors of policies ask: checks of drafts, conditions in both forms, the table of fields, differences of versions.

import assert from "node:assert/strict"
import { test } from "node:test"
import { ok, rowCounts, simulate, startApi, type Json } from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "stripe", "adyen")
const stripe = (await providers.connect("stripe")).id
const adyen = (await providers.connect("adyen")).id
const rule = (name: string, when: Json, ...accounts: readonly string[]): Json => ({
  name,
  when,
  strategy: { kind: "ordered", accounts },
})

test("a draft is checked without being stored: every finding with its rule, its place and its reason", async () => {
  const before = await rowCounts(api)
  const body = {
    rules: [
      rule("large", 'currency == "EUR" ||\n  amount >= 5', adyen),
      rule("visa", 'card.network == "visa"', stripe),
      rule("small visa", 'card.network == "visa" && card.country == "DE"', stripe),
    ],
  }
  const { findings } = ok(await api.call("POST", "/v1/policies/check", { body }))
  assert.deepEqual(
    findings.map(({ severity, code, rule: about, pointer, position }: Json) => [
      severity,
      code,
      about?.name,
      pointer,
      position === undefined ? undefined : [position.line, position.column, position.offset],
    ]),
    [
      ["warning", "amount_without_currency", "large", "#/rules/0/when", [2, 3, 23]],
      ["error", "unreachable", "small visa", "#/rules/2", undefined],
      ["warning", "no_default", undefined, "#/rules", undefined],
    ],
  )
  assert.deepEqual(await rowCounts(api), before)
})

test("a draft that cannot be read is answered with every place at which it cannot", async () => {
  const body = {
    rules: [
      rule("text", 'curency == "EUR"', adyen),
      rule("tree", { all: [{ field: "amount", op: "prefix", value: "1" }] }, adyen),
    ],
  }
  const { findings } = ok(await api.call("POST", "/v1/policies/check", { body }))
  assert.deepEqual(
    findings.map(({ code, pointer, position, detail }: Json) => [code, pointer, position?.column, detail]),
    [
      ["malformed", "#/rules/0/when", 1, "no field is called curency: did you mean currency?"],
      [
        "malformed",
        "#/rules/1/when/all/0/op",
        undefined,
        "amount takes ==, !=, in, <, <=, >, >=, and not .startsWith()",
      ],
    ],
  )
  const stored = await api.call("POST", "/v1/policies", { body: { name: "No", ...body } })
  assert.equal(stored.status, 400)
  assert.deepEqual(stored.body.errors[0], {
    pointer: "#/rules/0/when",
    detail: "line 1, column 1: no field is called curency: did you mean currency?",
  })
})

test("one slip of a draft hides nothing else: it stands with its rule beside what is found in the others", async () => {
  const body = {
    name: "Checkout",
    note: "as it would be stored",
    rules: [
      rule("typo", 'curency == "EUR"', api.id("acc")),
      { ...rule("strange", "true", "stripe"), require_three_ds: false },
      { when: "true", strategy: { kind: "best" } },
      rule("empty", 'currency == "USD"'),
      { name: "unshared", when: "true", strategy: { kind: "split", shares: [{ account: stripe, share: -1 }] } },
      rule("never", 'currency == "EUR" && currency == "USD"', stripe),
    ],
    never: [{ account: adyen, when: "true" }],
  }
  const { findings } = ok(await api.call("POST", "/v1/policies/check", { body }))
  assert.deepEqual(
    findings.map(({ code, rule: about, pointer }: Json) => [code, about?.index, about?.name, pointer]),
    [
      ["malformed", 1, "strange", "#/rules/1/strategy/accounts/0"],
      ["malformed", 1, "strange", "#/rules/1/require_three_ds"],
      ["malformed", 2, undefined, "#/rules/2/name"],
      ["malformed", 2, undefined, "#/rules/2/strategy/kind"],
      ["malformed", 3, "empty", "#/rules/3/strategy/accounts"],
      ["malformed", 4, "unshared", "#/rules/4/strategy/shares/0/share"],
      ["malformed", 0, "typo", "#/rules/0/when"],
      ["unknown_account", 0, "typo", "#/rules/0/strategy/accounts/0"],
      ["never_true", 5, "never", "#/rules/5/when"],
    ],
  )
  const none = ok(await api.call("POST", "/v1/policies/check", { body: { rules: [], name: "" } })).findings
  assert.deepEqual(
    none.map(({ code, pointer }: Json) => [code, pointer]),
    [
      ["malformed", "#/name"],
      ["malformed", "#/rules"],
    ],
  )
  assert.equal((await api.call("POST", "/v1/policies/check", { body: [] })).status, 400)
})

test("a condition is turned into both of its forms, whichever it came in", async () => {
  const text = 'currency == "EUR" && (amount >= 500 || !has(card.country))'
  const convert = async (condition: Json): Promise<Json> =>
    ok(await api.call("POST", "/v1/policies/conditions", { body: { condition } }))
  const forms = await convert(text)
  assert.equal(forms.text, text)
  assert.deepEqual(forms.problems, [])
  assert.deepEqual(await convert(forms.tree), forms)
  assert.deepEqual((await convert("amount >")).problems, [
    {
      pointer: "#",
      position: { offset: 8, line: 1, column: 9 },
      detail: "expected a value for amount, and found the end",
    },
  ])
})

test("the table of fields says all that an editor needs to offer them", async () => {
  const { data } = ok(await api.call("GET", "/v1/policies/fields"))
  const network = data.find(({ name }: Json) => name === "card.network")
  assert.deepEqual(
    [network.type, network.operators, network.optional],
    ["enum", ["equals", "not_equals", "in", "exists"], true],
  )
  assert.ok(network.words.includes("visa"))
  assert.equal(data.find(({ name }: Json) => name === "metadata.<key>").parameter, "metadata key")
})

test("two versions are compared rule by rule, with conditions as text", async () => {
  const tail = rule("all", "true", stripe)
  const first = [
    rule("a", 'currency == "EUR"', stripe),
    rule("b", 'currency == "USD"', adyen),
    rule("c", 'currency == "GBP"', adyen),
    tail,
  ]
  const second = [
    rule("c", 'currency == "GBP"', adyen),
    { ...rule("a", 'currency in ["EUR", "CHF"]', stripe), on_unknown: "wait" },
    rule("d", 'currency == "JPY"', adyen),
    tail,
  ]
  const { policy } = ok(await api.call("POST", "/v1/policies", { body: { name: "Diff", rules: first } }), 201)
  const never = [{ account: adyen, when: 'payer.country == "US"' }]
  ok(await api.call("POST", `/v1/policies/${policy.id}/versions`, { body: { rules: second, never } }), 201)
  const diff = ok(await api.call("GET", `/v1/policies/${policy.id}/diff?from=1&to=2`))
  assert.deepEqual(diff.rules, [
    { kind: "removed", name: "b", from: 1 },
    { kind: "moved", name: "a", from: 0, to: 1 },
    {
      kind: "changed",
      name: "a",
      from: 0,
      to: 1,
      parts: [
        { part: "when", before: 'currency == "EUR"', after: 'currency in ["EUR", "CHF"]' },
        { part: "on_unknown", after: "wait" },
      ],
    },
    { kind: "added", name: "d", to: 2 },
  ])
  assert.deepEqual([diff.never, diff.commitments], [{ before: [], after: never }, null])
  const same = ok(await api.call("GET", `/v1/policies/${policy.id}/diff?from=2&to=2`))
  assert.deepEqual([same.rules, same.never], [[], null])
  assert.equal((await api.call("GET", `/v1/policies/${policy.id}/diff?from=1&to=3`)).status, 404)
})
