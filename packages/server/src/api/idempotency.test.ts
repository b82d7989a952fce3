// A key gives its first answer again, whatever has become of the world since, whoever comes at the same time, and
// whatever the database did not say.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"
import type { Committed } from "../storage/ledger/ledger.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "adyen")
const { id: account } = await providers.connect("adyen")
const { ledger, clock } = api.server.engine
const wanted = { amount: 1000, currency: "EUR", payment_method: { type: "card", card } }
let keys = 0
const newKey = (): string => `key-${(keys += 1)}`
const post = (path: string, body: Json, key = newKey()): Promise<Answer> =>
  api.call("POST", path, { body, headers: { "idempotency-key": key } })
const unconfirmed = async (): Promise<Json> =>
  ok(await post("/v1/payments", { amount: 1000, currency: "EUR", confirm: false }), 201)
const charges = (): number => providers.simulator.truth().length

/** Replayed to the byte, and nothing was charged for it. */
async function replayed(path: string, body: Json, key: string, first: Answer): Promise<void> {
  const before = charges()
  const again = await post(path, body, key)
  assert.equal(again.text, first.text)
  assert.equal(again.status, first.status)
  assert.equal(again.headers["idempotent-replayed"], "true")
  assert.equal(charges(), before)
}

test("a create is repeated though its stored card is deleted and its customer erased since", async () => {
  const customer = ok(await api.call("POST", "/v1/customers", { body: { email: "ada@example.com" } }), 201).id
  const { cvc: _, ...storable } = card
  const body = { customer, card: storable, consent: { purposes: ["customer"] } }
  const stored = ok(await api.call("POST", "/v1/payment-methods", { body }), 201).id
  const byStored = { ...wanted, customer, payment_method: { type: "stored", stored: { id: stored } } }
  const key = newKey()
  const first = await post("/v1/payments", byStored, key)
  assert.equal(ok(first, 201).status, "captured")
  assert.equal((await api.call("DELETE", `/v1/payment-methods/${stored}`)).status, 204)
  await replayed("/v1/payments", byStored, key, first)
  ok(await api.call("DELETE", `/v1/customers/${customer}`))
  // The stored answer went with the person: what is left of the payment is the answer.
  const before = charges()
  const erased = await post("/v1/payments", byStored, key)
  assert.deepEqual(ok(erased, 201), ok(await api.call("GET", `/v1/payments/${first.body.id}`)))
  assert.equal(erased.headers["idempotent-replayed"], "true")
  assert.equal(charges(), before)
  assert.equal((await post("/v1/payments", byStored)).status, 400, "a new key is judged by the present")
})

test("a create is repeated though its card has expired since; another body under its key stays refused", async () => {
  const key = newKey()
  const first = await post("/v1/payments", wanted, key)
  ok(first, 201)
  const { now } = clock
  Object.assign(clock, { now: () => now() + 20 * 365 * 86_400_000 })
  try {
    await replayed("/v1/payments", wanted, key, first)
    assert.equal((await post("/v1/payments", { ...wanted, amount: 1 }, key)).body.code, "idempotency.key_reused")
    assert.equal((await post("/v1/payments", wanted)).body.errors[0].detail, "the card has expired")
  } finally {
    Object.assign(clock, { now })
  }
})

test("every later step is repeated after the payment has gone where it would be refused", async () => {
  const { id } = await unconfirmed()
  const steps: (readonly [string, Json])[] = [
    ["confirm", { payment_method: wanted.payment_method }],
    ["refund", { amount: 400 }],
    ["refund", { amount: 600 }],
  ]
  const made: (readonly [string, Json, string, Answer])[] = []
  for (const [verb, body] of steps) {
    const key = newKey()
    const answer = await post(`/v1/payments/${id}/${verb}`, body, key)
    ok(answer)
    made.push([verb, body, key, answer])
  }
  for (const [verb, body, key, first] of made) await replayed(`/v1/payments/${id}/${verb}`, body, key, first)
  const held = ok(await post("/v1/payments", { ...wanted, capture_method: "manual" }), 201)
  const cancel = await post(`/v1/payments/${held.id}/cancel`, {}, "cancel")
  ok(cancel)
  await replayed(`/v1/payments/${held.id}/cancel`, {}, "cancel", cancel)
  assert.equal((await post(`/v1/payments/${held.id}/cancel`, {})).body.code, "payment.not_cancelable")
})

test("of two confirms under one key, the one that comes late to the payment gets the first one's answer", async () => {
  const { id } = await unconfirmed()
  const path = `/v1/payments/${id}/confirm`
  const body = { payment_method: wanted.payment_method }
  const { load } = ledger
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  let loads = 0
  // The first to come reads the payment when the other one is done.
  Object.assign(ledger, {
    load: async (...of: Parameters<typeof load>) => {
      loads += 1
      if (loads === 1) await held
      return load(...of)
    },
  })
  try {
    const late = post(path, body, "overlapping")
    await eventually("the late one reads", async () => (loads > 0 ? true : undefined))
    const first = await post(path, body, "overlapping")
    assert.equal(ok(first).status, "captured")
    const before = charges()
    release()
    const second = await late
    assert.equal(second.text, first.text)
    assert.equal(second.headers["idempotent-replayed"], "true")
    assert.equal(charges(), before)
    assert.equal((await post(path, body)).body.code, "payment.not_confirmable", "another key is another wish")
  } finally {
    Object.assign(ledger, { load })
  }
})

/** The next commit happens, and whoever made it does not learn of it; `then` happens before they look. */
function loseNextAnswer(then: () => Promise<unknown> = async () => undefined): void {
  const { commit } = ledger
  Object.assign(ledger, {
    commit: async (...of: Parameters<typeof commit>): Promise<Committed> => {
      Object.assign(ledger, { commit })
      await commit(...of)
      await then()
      throw new Error("the connection was lost")
    },
  })
}

test("a confirm whose first commit was stored unheard goes on from it, and charges once", async () => {
  const { id } = await unconfirmed()
  const before = charges()
  loseNextAnswer()
  const body = { payment_method: wanted.payment_method }
  const first = await post(`/v1/payments/${id}/confirm`, body, "unheard")
  assert.equal(ok(first).status, "captured")
  assert.equal(first.body.attempts.length, 1)
  assert.equal(charges(), before + 1)
  await replayed(`/v1/payments/${id}/confirm`, body, "unheard", first)
})

test("a payment that failed for want of an account, unheard, is not confirmed again when there is one", async () => {
  const open = await unconfirmed()
  for (const [path, body, status] of [
    ["/v1/payments", wanted, 201],
    [`/v1/payments/${open.id}/confirm`, { payment_method: wanted.payment_method }, 200],
  ] as const) {
    ok(await api.call("POST", `/v1/accounts/${account}/drain`))
    const before = charges()
    loseNextAnswer(() => api.call("POST", `/v1/accounts/${account}/enable`))
    const key = newKey()
    const answer = await post(path, body, key)
    const failed = ok(answer, status)
    assert.equal(failed.status, "failed")
    assert.equal(failed.failure.reason, "no_eligible_account")
    assert.deepEqual(failed.attempts, [])
    assert.equal(charges(), before)
    assert.deepEqual(ok(await api.call("GET", `/v1/payments/${failed.id}`)), failed)
    await replayed(path, body, key, answer)
  }
})
