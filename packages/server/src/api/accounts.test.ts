// Accounts over the API: what is checked before they are saved, and what is never shown again.

import assert from "node:assert/strict"
import { test } from "node:test"
import { Client } from "pg"
import {
  accountBody,
  card,
  contents,
  ok,
  rowCounts,
  simulate,
  startApi,
  type Answer,
  type Json,
} from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "stripe", "adyen", "checkout")
const ready = (persona: string): Json => providers.simulator.accounts().find((account) => account.persona === persona)
const stripeBody = accountBody(ready("stripe"))
const adyenBody = accountBody(ready("adyen"))
const post = (body: Json, key?: string): Promise<Answer> =>
  api.call("POST", "/v1/accounts", { body, ...(key === undefined ? {} : { key }) })
const patch = (id: string, version: number, body: Json): Promise<Answer> =>
  api.call("PATCH", `/v1/accounts/${id}`, { body, headers: { "if-match": `"${version}"` } })

test("every connector's account is made with verified credentials and shows none of them", async () => {
  for (const persona of ["stripe", "adyen", "checkout"]) {
    const answer = await post(accountBody(ready(persona)))
    const account = ok(answer, 201)
    assert.equal(account.connector, persona)
    assert.equal(account.state, "enabled")
    assert.equal(account.webhook_url, `${api.server.url}/webhooks/${persona}/${account.id}`)
    assert.equal(answer.headers["etag"], '"1"')
    const read = await api.call("GET", `/v1/accounts/${account.id}`)
    assert.deepEqual(ok(read), account)
    for (const secret of Object.values(ready(persona).credentials) as string[])
      if (!Object.values(account.settings).includes(secret)) assert.ok(!read.text.includes(secret))
    assert.deepEqual(account.credentials, Object.keys(accountBody(ready(persona)).credentials))
    assert.equal(account.webhook_secrets.length, 1)
  }
})

for (const [what, body, pointers] of [
  ["an unknown connector", { ...stripeBody, connector: "nobody" }, ["#/connector"]],
  ["a missing credential", { ...stripeBody, credentials: {} }, ["#/credentials/secret_key"]],
  [
    "an unknown credential",
    { ...stripeBody, credentials: { ...stripeBody.credentials, pin: "1234" } },
    ["#/credentials/pin"],
  ],
  [
    "a credential of another shape",
    { ...stripeBody, credentials: { secret_key: "pk_test_0123456789abcdef" } },
    ["#/credentials/secret_key"],
  ],
  ["a missing setting", { ...adyenBody, settings: {} }, ["#/settings/merchant_account"]],
  ["an unknown setting", { ...stripeBody, settings: { region: "eu" } }, ["#/settings/region"]],
  ["an address that is no address", { ...stripeBody, base_url: "ftp://example.com" }, ["#/base_url"]],
  ["the address of a metadata service", { ...stripeBody, base_url: "http://169.254.169.254" }, ["#/base_url"]],
  ["a clock that runs backwards", { ...stripeBody, time_scale: -1 }, ["#/time_scale"]],
  [
    "a setting that would lead to another host",
    { ...accountBody(ready("checkout")), base_url: undefined, settings: { prefix: "evil.com/" } },
    ["#/settings/prefix"],
  ],
  ["a webhook secret of three letters", { ...stripeBody, webhook_secrets: ["abc"] }, ["#/webhook_secrets/0"]],
] as const)
  test(`${what} is named, and its value is not`, async () => {
    const before = await rowCounts(api)
    const answer = await post(body)
    assert.equal(answer.status, 400, answer.text)
    assert.deepEqual(
      answer.body.errors.map(({ pointer }: Json) => pointer),
      pointers,
    )
    assert.ok(!answer.text.includes("pk_test_0123") && !answer.text.includes("1234"))
    assert.deepEqual(await rowCounts(api), before)
  })

test("credentials that the provider refuses are not saved, and its answer is passed on without them", async () => {
  const wrong = "sk_test_wrongwrongwrongwrong"
  const before = await rowCounts(api)
  const answer = await post({ ...stripeBody, credentials: { secret_key: wrong } })
  assert.equal(answer.status, 422)
  assert.equal(answer.body.code, "account.credentials_refused")
  assert.deepEqual(
    answer.body.errors.map(({ pointer }: Json) => pointer),
    ["#/credentials"],
  )
  assert.ok(!answer.text.includes(wrong) && !api.logged.join("\n").includes(wrong))
  assert.deepEqual(await rowCounts(api), before)
  assert.equal((await post({ ...stripeBody, credentials: { secret_key: wrong }, verify: false })).status, 201)
})

test("a provider that is not reachable is said to be so, unless nobody asks", async () => {
  const body = { ...stripeBody, base_url: "http://127.0.0.1:9" }
  const answer = await post({ ...body, base_url: "http://127.0.0.1:65533" })
  assert.equal(answer.status, 502)
  assert.equal(answer.body.code, "account.unreachable")
  assert.equal((await post({ ...body, base_url: "http://127.0.0.1:65533", verify: false })).status, 201)
})

test("a live account calls its provider, on real time, at no other address", async () => {
  const { secret } = await api.newKey({ mode: "live" })
  const answer = await post({ ...stripeBody, time_scale: 0.5 }, secret)
  assert.deepEqual(answer.body.errors.map(({ pointer }: Json) => pointer).toSorted(), ["#/base_url", "#/time_scale"])
  const adyen = await post({ ...adyenBody, base_url: undefined, verify: false }, secret)
  assert.deepEqual(
    adyen.body.errors.map(({ pointer }: Json) => pointer),
    ["#/settings/live_prefix"],
  )
  const { base_url: _, ...live } = stripeBody
  assert.equal(ok(await post({ ...live, verify: false }, secret), 201).mode, "live")
})

test("an edit names the version it was made on: without it 428, on an older one 412, and nothing is overwritten", async () => {
  const account = ok(await post(stripeBody), 201)
  const path = `/v1/accounts/${account.id}`
  const missing = await api.call("PATCH", path, { body: { name: "New" } })
  assert.equal(missing.status, 428)
  assert.equal(missing.body.code, "request.no_precondition")
  const first = await patch(account.id, 1, { name: "First" })
  assert.equal(first.headers["etag"], '"2"')
  const second = await patch(account.id, 1, { name: "Second" })
  assert.equal(second.status, 412)
  assert.equal(second.body.code, "request.precondition_failed")
  for (const tag of ['W/"2"', "*", '"2", "3"', "2"]) {
    const headers = { "if-match": tag }
    assert.equal((await api.call("PATCH", path, { headers, body: { name: "Third" } })).status, 412, tag)
  }
  assert.equal(ok(await api.call("GET", path)).name, "First")
})

test("two edits at once: one wins, the other is told", async () => {
  const account = ok(await post(stripeBody), 201)
  const answers = await Promise.all(["A", "B"].map((name) => patch(account.id, 1, { name })))
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 412]))
})

test("an edit changes what it names and keeps the rest; null removes", async () => {
  const account = ok(await post({ ...stripeBody, time_scale: 0.5, on_unknown: "reverse_then_reroute" }), 201)
  const edited = ok(
    await patch(account.id, 1, { name: "Renamed", time_scale: null, settings: { mit_exemption: "enabled" } }),
  )
  assert.deepEqual(
    [edited.name, edited.time_scale, edited.settings, edited.on_unknown, edited.base_url],
    ["Renamed", null, { mit_exemption: "enabled" }, "reverse_then_reroute", stripeBody.base_url],
  )
  const back = ok(await patch(account.id, 2, { settings: { mit_exemption: null } }))
  assert.deepEqual(back.settings, {})
  const refused = await patch(account.id, 3, { credentials: { secret_key: "sk_test_wrongwrongwrongwrong" } })
  assert.equal(refused.body.code, "account.credentials_refused")
  assert.deepEqual(
    (await patch(account.id, 3, { credentials: { secret_key: null } })).body.errors[0].pointer,
    "#/credentials/secret_key",
  )
})

test("an account stays the one at the provider that it was made for", async () => {
  const stripe = ok(await post(stripeBody), 201)
  const named = await patch(stripe.id, 1, { settings: { connected_account: "acct_0123456789abcdef" } })
  assert.deepEqual(
    [named.status, named.body.code, named.body.errors[0].pointer],
    [409, "account.identity_fixed", "#/settings/connected_account"],
  )
  const adyen = ok(await post(adyenBody), 201)
  const merged = await patch(adyen.id, 1, { settings: { merchant_account: "AnotherShop" }, verify: false })
  assert.deepEqual(
    [merged.body.code, merged.body.errors[0].pointer],
    ["account.identity_fixed", "#/settings/merchant_account"],
  )
  assert.equal(ok(await api.call("GET", `/v1/accounts/${adyen.id}`)).version, 1)
})

test("credentials that are not proven to be of the same account begin a new generation, and only those", async () => {
  const generationOf = async (id: string): Promise<unknown> => {
    const row = (await contents(api))["accounts"]!.find((text) => text.includes(id))!
    return /generation\D*(\d+)/.exec(row)?.[1]
  }
  const { id } = ok(await post(stripeBody), 201)
  ok(await patch(id, 1, { name: "Renamed", settings: { mit_exemption: "enabled" } }))
  assert.equal(await generationOf(id), undefined)
  const secret_key = `${stripeBody.credentials.secret_key.slice(0, 8)}${"z".repeat(24)}`
  ok(await patch(id, 2, { credentials: { secret_key }, verify: false }))
  assert.equal(await generationOf(id), "1")
  // The provider knows these, and that they are of the account it knew nobody can tell any more.
  ok(await patch(id, 3, { credentials: stripeBody.credentials }))
  assert.equal(await generationOf(id), "2")
  ok(await patch(id, 4, { credentials: stripeBody.credentials }))
  assert.equal(await generationOf(id), "2")
})

test("a draining or disabled account takes no new payments, from the moment of the answer", async () => {
  const account = ok(await post(stripeBody), 201)
  let keys = 0
  const pay = async (): Promise<Json> =>
    ok(
      await api.call("POST", "/v1/payments", {
        headers: { "idempotency-key": `state-${(keys += 1)}` },
        body: { amount: 100, currency: "EUR", account: account.id, payment_method: { type: "card", card } },
      }),
      201,
    )
  assert.equal((await pay()).status, "captured")
  for (const [verb, state, reason] of [
    ["drain", "draining", "draining"],
    ["disable", "disabled", "disabled"],
  ] as const) {
    assert.equal(ok(await api.call("POST", `/v1/accounts/${account.id}/${verb}`)).state, state)
    const failed = await pay()
    assert.equal(failed.failure.reason, "no_eligible_account")
    assert.ok(failed.failure.raw.message.includes(reason))
  }
  const stale = await api.call("POST", `/v1/accounts/${account.id}/enable`, { headers: { "if-match": '"1"' } })
  assert.equal(stale.status, 412)
  ok(await api.call("POST", `/v1/accounts/${account.id}/enable`))
  assert.equal((await pay()).status, "captured")
})

test("a webhook secret is rotated: the new one beside the old one, then the old one goes", async () => {
  const account = ok(await post(stripeBody), 201)
  const path = `/v1/accounts/${account.id}/webhook-secrets`
  const [old] = account.webhook_secrets
  const at = (version: number) => ({ "if-match": `"${version}"` })
  const added = await api.call("POST", path, { headers: at(1), body: { secret: "whsec_new_secret_of_ours" } })
  assert.equal(ok(added).webhook_secrets.length, 2)
  assert.ok(!added.text.includes("whsec_new"))
  const twice = await api.call("POST", path, { headers: at(2), body: { secret: "whsec_new_secret_of_ours" } })
  assert.equal(twice.body.code, "resource.conflict")
  const left = ok(await api.call("DELETE", `${path}/${old.id}`, { headers: at(2) }))
  assert.deepEqual(
    left.webhook_secrets,
    added.body.webhook_secrets.filter(({ id }: Json) => id !== old.id),
  )
  assert.equal((await api.call("DELETE", `${path}/${old.id}`, { headers: at(3) })).status, 404)
  for (const [version, secret] of [
    [3, "whsec_aaaaaaaa"],
    [4, "whsec_bbbbbbbb"],
    [5, "whsec_cccccccc"],
  ] as const)
    ok(await api.call("POST", path, { headers: at(version), body: { secret } }))
  assert.equal(
    (await api.call("POST", path, { headers: at(6), body: { secret: "whsec_dddddddd" } })).body.code,
    "resource.conflict",
  )
})

const fees = {
  currency: "EUR",
  country: "DE",
  pricing: {
    kind: "interchange_plus",
    markup: {
      applies: "part",
      tiers: [
        { from: "0", percent: "0.6", fixed: "0.10" },
        { from: "250000", percent: "0.4", fixed: "0.10" },
      ],
    },
  },
  fees: [{ name: "authorization", on: ["payment", "decline"], fixed: "0.015" }],
  conversion: { percent: "1" },
}

test("a fee model is stored as it was understood, in force at once, and removed by null", async () => {
  const account = ok(await post({ ...stripeBody, fee_model: fees }), 201)
  assert.deepEqual(account.fee_model.pricing, {
    ...fees.pricing,
    markup: {
      applies: "part",
      tiers: [
        { from: "0", percent: "0.6", fixed: "0.1" },
        { from: "250000", percent: "0.4", fixed: "0.1" },
      ],
    },
    scheme_fees: "estimated",
  })
  assert.deepEqual(ok(await api.call("GET", `/v1/accounts/${account.id}`)).fee_model, account.fee_model)
  assert.equal(api.server.engine.directory.account(account.id)?.fees?.pricing.kind, "interchange_plus")
  const renamed = ok(await patch(account.id, 1, { name: "Renamed" }))
  assert.deepEqual(renamed.fee_model, account.fee_model)
  // What is read can be sent back.
  assert.deepEqual(ok(await patch(account.id, 2, { fee_model: account.fee_model })).fee_model, account.fee_model)
  assert.equal((await patch(account.id, 2, { fee_model: null })).status, 412)
  assert.equal(ok(await patch(account.id, 3, { fee_model: null })).fee_model, null)
  assert.equal(api.server.engine.directory.account(account.id)?.fees, undefined)
})

for (const [what, model, pointers] of [
  ["is no object", 1, ["#/fee_model"]],
  ["has no currency", { ...fees, currency: "EURO" }, ["#/fee_model/currency"]],
  ["has a number for an amount", { ...fees, refund: { fixed: 0.1 } }, ["#/fee_model/refund/fixed"]],
  ["has a misspelt field", { ...fees, chargebacks: {} }, ["#/fee_model/chargebacks"]],
  [
    "has tiers that do not rise and a fee that charges nothing",
    {
      ...fees,
      pricing: {
        kind: "interchange_plus",
        markup: {
          applies: "part",
          tiers: [
            { from: "0", percent: "1" },
            { from: "0", percent: "0.5" },
          ],
        },
        scheme_fees: "free",
      },
    },
    ["#/fee_model/pricing/scheme_fees"],
  ],
  [
    "leaves payments without a price",
    { ...fees, pricing: { kind: "blended", rates: [{ when: { networks: ["amex"] }, percent: "2" }] } },
    ["#/fee_model/pricing/rates"],
  ],
  [
    "mixes two kinds of prices",
    { ...fees, pricing: { kind: "blended", rates: [{ percent: "2" }], markup: { percent: "1" } } },
    ["#/fee_model/pricing/markup"],
  ],
] as const)
  test(`a fee model that ${what} is refused with its place`, async () => {
    const answer = await post({ ...stripeBody, fee_model: model })
    assert.equal(answer.status, 400, answer.text)
    assert.deepEqual([...new Set(answer.body.errors.map(({ pointer }: Json) => pointer))], pointers)
  })

test("what a payment would cost is estimated part by part, with what had to be assumed", async () => {
  const account = ok(await post({ ...stripeBody, fee_model: fees }), 201)
  const estimate = (body: Json): Promise<Answer> =>
    api.call("POST", `/v1/accounts/${account.id}/fee_estimate`, { body })
  const payment = {
    amount: 10_000,
    currency: "EUR",
    network: "visa",
    country: "DE",
    funding: "debit",
    product: "consumer",
    three_ds: false,
  }
  const home = ok(await estimate(payment))
  assert.deepEqual(
    home.approved.parts.map(({ name, amount, row }: Json) => [name, amount, row]),
    [
      ["interchange", 20, "eea-debit"],
      ["scheme_fees", 5, home.approved.parts[1].row],
      ["markup", 70, null],
      ["authorization", 2, null],
    ],
  )
  assert.deepEqual([home.known, home.approved.amount, home.approved.share], [true, 97, 0.0097])
  assert.deepEqual([home.declined.amount, home.declined.certainty], [2, "contract"])
  assert.ok(home.assumptions.some((text: string) => text.includes("volume")))
  const later = ok(await estimate({ ...payment, month_to_date: 25_000_000 }))
  assert.deepEqual([later.approved.amount, later.assumptions], [77, []])
  const foreign = ok(await estimate({ ...payment, currency: "USD" }))
  assert.deepEqual([foreign.known, foreign.approved], [false, null])
  assert.match(foreign.why_unknown, /rate of exchange/)
  const priced = ok(await estimate({ ...payment, currency: "USD", exchange_rate: "0.9", month_to_date: 0 }))
  // 9,000 EUR cents: 18 + 4.5 + 64 + 1.5 + 90
  assert.equal(priced.approved.amount, 178)
  for (const [wrong, pointer] of [
    [{ exchange_rate: "0" }, "#/exchange_rate"],
    [{ exchange_rate: 0.9 }, "#/exchange_rate"],
    [{ amount: 0 }, "#/amount"],
    [{ fundng: "debit" }, "#/fundng"],
  ] as const)
    assert.equal((await estimate({ ...payment, ...wrong })).body.errors[0].pointer, pointer)
  const bare = ok(await post(stripeBody), 201)
  const none = ok(await api.call("POST", `/v1/accounts/${bare.id}/fee_estimate`, { body: payment }))
  assert.deepEqual([none.known, none.why_unknown], [false, "the account has no fee model"])
  const { secret } = await api.newKey({ merchant: await api.newMerchant() })
  const foreigner = await api.call("POST", `/v1/accounts/${account.id}/fee_estimate`, { body: payment, key: secret })
  assert.equal(foreigner.status, 404)
})

test("the catalogue tells what an account of each connector needs", async () => {
  const { data } = ok(await api.call("GET", "/v1/connectors"))
  assert.deepEqual(
    data.map(({ id }: Json) => id),
    ["adyen", "checkout", "stripe"],
  )
  const stripe = ok(await api.call("GET", "/v1/connectors/stripe"))
  assert.deepEqual(
    stripe.credentials.map(({ name, optional }: Json) => [name, optional]),
    [["secret_key", false]],
  )
  assert.ok(stripe.operations.some(({ kind }: Json) => kind === "refund"))
  assert.equal(stripe.features.partial_capture, true)
})

test("an account whose secrets cannot be opened is shown without them, hides no other, and is repaired by new ones", async () => {
  const account = ok(await post(stripeBody), 201)
  const client = new Client(api.place)
  await client.connect()
  await client.query("update accounts set sealed = '\\x0100' where id = $1", [account.id])
  await client.end()
  const shown = ok(await api.call("GET", `/v1/accounts/${account.id}`))
  assert.deepEqual([shown.credentials, shown.webhook_secrets, shown.name], [[], [], account.name])
  assert.equal((await api.call("GET", "/v1/accounts", { query: { limit: "100" } })).status, 200)
  assert.ok(api.logged.some((line) => line.includes(account.id) && line.includes("cannot be opened")))
  const repaired = ok(await patch(account.id, 1, { credentials: stripeBody.credentials }))
  assert.deepEqual(repaired.credentials, account.credentials)
})
