// Payments over the API, with simulated providers behind it: what merchants get, and what a repeated key gets.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, rowCounts, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"
import { findPolicyVersion } from "../storage/resources/policies.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import type { Policy } from "../routing/policy.ts"
import { replay } from "../routing/replay.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "stripe", "adyen")
const stripe = await providers.connect("stripe")
const adyen = await providers.connect("adyen")
const payment = { amount: 1999, currency: "EUR", payment_method: { type: "card", card } }
let keys = 0
const post = (path: string, body: Json, key = `key-${(keys += 1)}`): Promise<Answer> =>
  api.call("POST", path, { body, headers: { "idempotency-key": key } })
const pay = async (change: Json = {}): Promise<Json> =>
  ok(await post("/v1/payments", { ...payment, account: stripe.id, ...change }), 201)

test("a payment is captured, and read again with its ETag", async () => {
  const answer = await post("/v1/payments", { ...payment, merchant_reference: "order-1", metadata: { cart: "1" } })
  const paid = ok(answer, 201)
  assert.equal(answer.headers["location"], `/v1/payments/${paid.id}`)
  assert.equal(paid.status, "captured")
  assert.deepEqual(paid.amounts, {
    requested: 1999,
    authorized: 1999,
    captured: 1999,
    refunded: 0,
    disputed: 0,
    capturing: 0,
    refunding: 0,
  })
  assert.deepEqual([paid.merchant_reference, paid.metadata, paid.mode], ["order-1", { cart: "1" }, "test"])
  assert.equal(paid.payment_method.last4, "4242")
  assert.equal(paid.attempts[0].account, stripe.id)
  const read = await api.call("GET", `/v1/payments/${paid.id}`)
  assert.deepEqual(ok(read), paid)
  assert.equal(read.headers["etag"], `"${paid.version}"`)
})

test("a decline is an answer, not an error: 201, failed, with reason and the provider's words", async () => {
  const failed = await pay({ payment_method: { type: "card", card: { ...card, number: "4000000000009995" } } })
  assert.equal(failed.status, "failed")
  assert.equal(failed.failure.reason, "insufficient_funds")
  assert.ok(failed.failure.customer_message.length > 0)
  assert.equal(failed.attempts[0].outcome.kind, "declined")
})

test("authorized, incremented, captured in part, refunded: the amounts follow", async () => {
  const held = await pay({ capture_method: "manual" })
  assert.equal(held.status, "authorized")
  const captured = ok(await post(`/v1/payments/${held.id}/capture`, { amount: 1500 }))
  assert.equal(captured.amounts.captured, 1500)
  const refunded = ok(await post(`/v1/payments/${held.id}/refund`, { amount: 500, reason: "one item back" }))
  assert.equal(refunded.amounts.refunded, 500)
  assert.equal(refunded.operations.at(-1).reason, "one item back")
})

test("what an operation must not do is refused with its code, and reserves nothing", async () => {
  const held = await pay({ capture_method: "manual" })
  for (const [path, body, status, code] of [
    ["capture", { amount: 2000 }, 422, "amount.exceeds_authorized"],
    ["refund", {}, 409, "payment.not_refundable"],
    ["complete", { fields: {} }, 409, "payment.no_action"],
    ["confirm", {}, 409, "payment.not_confirmable"],
    ["increment", { amount: 1000 }, 422, "amount.not_higher"],
  ] as const) {
    const before = await rowCounts(api)
    const answer = await post(`/v1/payments/${held.id}/${path}`, body)
    assert.equal(answer.body.code, code, answer.text)
    assert.equal(answer.status, status)
    assert.deepEqual(await rowCounts(api), before)
  }
  const canceled = ok(await post(`/v1/payments/${held.id}/cancel`, { reason: "out of stock" }))
  assert.equal(canceled.status, "canceled")
  assert.equal(canceled.cancellation.reason, "out of stock")
  assert.equal((await post(`/v1/payments/${held.id}/capture`, {})).body.code, "payment.not_capturable")
})

test("created without confirmation, confirmed later with a card", async () => {
  const created = ok(
    await post("/v1/payments", { amount: 700, currency: "EUR", confirm: false, account: stripe.id }),
    201,
  )
  assert.equal(created.status, "requires_confirmation")
  assert.equal((await post(`/v1/payments/${created.id}/confirm`, {})).body.code, "payment.no_method")
  const confirmed = ok(await post(`/v1/payments/${created.id}/confirm`, { payment_method: payment.payment_method }))
  assert.equal(confirmed.status, "captured")
})

test("a draining account is passed over with its reason, and the next one of the policy is tried", async () => {
  const { policy, version } = ok(
    await api.call("POST", "/v1/policies", {
      body: {
        name: "Order",
        rules: [{ name: "all", when: "true", strategy: { kind: "ordered", accounts: [stripe.id, adyen.id] } }],
      },
    }),
    201,
  )
  const headers = { "if-match": `"${policy.version}"` }
  ok(await api.call("POST", `/v1/policies/${policy.id}/activate`, { headers, body: { version: version.version } }))
  ok(await api.call("POST", `/v1/accounts/${stripe.id}/drain`))
  const paid = ok(await post("/v1/payments", payment), 201)
  assert.equal(paid.attempts[0].account, adyen.id)
  const { decision } = paid.attempts[0]
  assert.deepEqual([decision.policy.id, decision.policy.version], [policy.id, 1])
  assert.deepEqual(decision.excluded, [{ account: stripe.id, reason: "draining" }])
  assert.equal(decision.inputs, undefined, "a payment is long enough")
  ok(await api.call("POST", `/v1/accounts/${stripe.id}/enable`))
})

test("a stored decision replays to the same choice, after its accounts and the policy in force have changed", async () => {
  const rules = [
    {
      name: "euros",
      when: 'currency == "EUR" && amount >= 1',
      strategy: { kind: "ordered", accounts: [stripe.id, adyen.id] },
    },
  ]
  const { policy } = ok(await api.call("POST", "/v1/policies", { body: { name: "Replayed", rules } }), 201)
  const activate = async (etag: string, version: number): Promise<Json> =>
    ok(
      await api.call("POST", `/v1/policies/${policy.id}/activate`, {
        headers: { "if-match": etag },
        body: { version },
      }),
    )
  const active = await activate(`"${policy.version}"`, 1)
  ok(await api.call("POST", `/v1/accounts/${stripe.id}/disable`))
  const paid = ok(await post("/v1/payments", payment), 201)
  assert.equal(paid.attempts[0].account, adyen.id)
  const other = { rules: [{ name: "euros", when: "true", strategy: { kind: "ordered", accounts: [stripe.id] } }] }
  ok(await api.call("POST", `/v1/policies/${policy.id}/versions`, { body: other }), 201)
  await activate(`"${active.version}"`, 2)
  ok(await api.call("POST", `/v1/accounts/${adyen.id}/drain`))
  ok(await api.call("POST", `/v1/accounts/${stripe.id}/enable`))

  const { engine, database } = api.server
  const stored = await engine.ledger.load(api.merchant, paid.id)
  const record = stored?.attempts[0]?.decision as DecisionRecord
  assert.ok(record.policy)
  const { id, version } = record.policy
  const document = (await findPolicyVersion(database, api.merchant, id, version))?.document as Pick<Policy, "rules">
  const replayed = replay(record, { id, version, rules: document.rules })
  assert.equal(replayed.kind, "replayed")
  assert.deepEqual(replayed.kind === "replayed" && replayed.decision.record, record)
  assert.deepEqual(record.chosen, [adyen.id])
  const inForce = engine.directory.policy(api.merchant, "test", paid.id)
  assert.deepEqual(replay(record, inForce), { kind: "impossible", why: "other_policy" })

  const [attempt] = ok(await api.call("GET", `/v1/payments/${paid.id}/attempts`)).data
  assert.equal(attempt.decision.inputs.context.amount.minor, payment.amount)
  assert.deepEqual(
    attempt.decision.inputs.accounts.map((one: Json) => [one.id, one.state]),
    [
      [stripe.id, "disabled"],
      [adyen.id, "enabled"],
    ],
  )
  ok(await api.call("POST", `/v1/accounts/${adyen.id}/enable`))
  await activate(`"${active.version + 1}"`, 1)
})

test("where money moves, a key is required, and must be one", async () => {
  const paid = await pay()
  for (const path of [
    "/v1/payments",
    ...["confirm", "capture", "refund", "cancel", "increment", "complete"].map(
      (verb) => `/v1/payments/${paid.id}/${verb}`,
    ),
  ]) {
    const body =
      path === "/v1/payments"
        ? payment
        : path.endsWith("increment")
          ? { amount: 1 }
          : path.endsWith("complete")
            ? { fields: {} }
            : {}
    const answer = await api.call("POST", path, { body })
    assert.equal(answer.body.code, "idempotency.key_missing", path)
    assert.equal(answer.status, 400)
    assert.equal(answer.body.errors[0].pointer, "header/idempotency-key")
  }
  for (const key of ["with space", "ü", "x".repeat(256)])
    assert.equal((await post("/v1/payments", payment, key)).body.code, "idempotency.key_invalid", key)
})

test("the same request again gets the first answer to the byte, also after the payment went on", async () => {
  const body = { ...payment, account: stripe.id, capture_method: "manual" }
  const first = await post("/v1/payments", body, "twice")
  const { id } = ok(first, 201)
  const before = providers.simulator.truth().length
  ok(await post(`/v1/payments/${id}/capture`, {}, "capture-twice"))
  for (const again of [body, { capture_method: "manual", account: stripe.id, ...payment }]) {
    const second = await post("/v1/payments", again, "twice")
    assert.equal(second.status, 201)
    assert.equal(second.headers["idempotent-replayed"], "true")
    assert.equal(second.text, first.text)
  }
  assert.equal(first.headers["idempotent-replayed"], undefined)
  const captured = await post(`/v1/payments/${id}/capture`, {}, "capture-twice")
  assert.equal(captured.status, 200)
  assert.equal(captured.headers["idempotent-replayed"], "true")
  assert.equal(providers.simulator.truth().length, before)
})

test("a key is the same with another CVC, since no CVC is kept in any form", async () => {
  const first = await post("/v1/payments", payment, "cvc")
  const other = { ...payment, payment_method: { type: "card", card: { ...card, cvc: "321" } } }
  assert.equal((await post("/v1/payments", other, "cvc")).text, first.text)
})

test("a key with another body is refused, and the payment stays", async () => {
  const first = ok(await post("/v1/payments", payment, "reused"), 201)
  const answer = await post("/v1/payments", { ...payment, amount: 2000 }, "reused")
  assert.equal(answer.status, 422)
  assert.equal(answer.body.code, "idempotency.key_reused")
  assert.deepEqual(ok(await api.call("GET", `/v1/payments/${first.id}`)), first)
})

test("one key is many keys in other places: another path, another merchant, another mode", async () => {
  const first = ok(await post("/v1/payments", { ...payment, account: stripe.id }, "here"), 201)
  ok(await post(`/v1/payments/${first.id}/refund`, { amount: 1 }, "here"))
  const { secret } = await api.newKey({ merchant: await api.newMerchant() })
  const elsewhere = await api.call("POST", "/v1/payments", {
    key: secret,
    headers: { "idempotency-key": "here" },
    body: payment,
  })
  assert.notEqual(ok(elsewhere, 201).id, first.id)
  assert.equal(elsewhere.body.failure.reason, "no_eligible_account")
})

test("while the first request is under way, its key is in flight; then it has the first answer", async () => {
  await providers.simulator.setWeather("stripe", { latency: { medianMs: 1_500, p99Ms: 1_500 } })
  const seen = providers.simulator.log.last(1_000, "stripe").length
  const body = { ...payment, account: stripe.id }
  const first = post("/v1/payments", body, "slow")
  // Stripe's first call is logged when it is answered: the payment is stored by then and the second one is under way.
  await eventually("the provider is asked", async () =>
    providers.simulator.log.last(1_000, "stripe").length > seen ? true : undefined,
  )
  const second = await post("/v1/payments", body, "slow")
  assert.equal(second.status, 409)
  assert.equal(second.body.code, "idempotency.in_flight")
  assert.ok(Number(second.headers["retry-after"]) >= 1)
  const { text } = await first
  await providers.simulator.setWeather("stripe", {})
  const third = await post("/v1/payments", body, "slow")
  assert.equal(third.text, text)
  assert.equal(third.headers["idempotent-replayed"], "true")
})

test("a request that is refused leaves its key free", async () => {
  assert.equal((await post("/v1/payments", { ...payment, currency: "EUX" }, "free")).status, 400)
  ok(await post("/v1/payments", payment, "free"), 201)
})

test("an answer that takes too long is `processing`, and the payment is captured a little later", async () => {
  await providers.simulator.setWeather("stripe", { latency: { medianMs: 900, p99Ms: 900 } })
  const answered = ok(await post("/v1/payments", { ...payment, account: stripe.id, answer_within_ms: 1_000 }), 201)
  await providers.simulator.setWeather("stripe", {})
  assert.equal(answered.status, "processing")
  await eventually("the capture", async () => {
    const { status } = ok(await api.call("GET", `/v1/payments/${answered.id}`))
    return status === "captured" ? true : undefined
  })
})
