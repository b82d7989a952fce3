// What authenticates a payment is never stored. A payment that was created with it and is confirmed later needs it again;
// it never goes on without, unless the merchant says so.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "adyen")
await providers.connect("adyen")
let keys = 0
const post = (path: string, body: Json): Promise<Answer> =>
  api.call("POST", path, { body, headers: { "idempotency-key": `key-${(keys += 1)}` } })
const create = async (body: Json): Promise<string> =>
  ok(await post("/v1/payments", { amount: 900, currency: "EUR", confirm: false, ...body }), 201).id
const confirm = (id: string, body: Json): Promise<Answer> => post(`/v1/payments/${id}/confirm`, body)

/** What the provider was last sent, as its log and our scrubbed transcript have it. */
const lastSent = async (id: string): Promise<Json> => {
  const { data } = ok(await api.call("GET", `/v1/payments/${id}/transcripts`))
  return JSON.parse(data.at(-1).request.body)
}

const CAVV = "kBMJ5w8AAAAAAAAAAAAAAAAAAAA="
const external = {
  version: "2.2.0",
  eci: "05",
  cryptogram: CAVV,
  ds_transaction_id: "f25084f0-5b16-4c0a-ae5d-b24808a95e4b",
}
const three_ds = { mode: "external", external }
const CRYPTOGRAM = "AgAAAAAABk4DWZ4C28yUQAAAAAA="
const { cvc, ...withoutCvc } = card
const byCard = { type: "card", card }
const byToken = {
  type: "network_token",
  network_token: { number: "5555555555554444", expiry_month: 12, expiry_year: 2030, cryptogram: CRYPTOGRAM, eci: "05" },
}

async function refused(id: string, body: Json, pointer: string): Promise<void> {
  const answer = await confirm(id, body)
  assert.equal(answer.status, 422, answer.text)
  assert.equal(answer.body.code, "payment.authentication_missing")
  assert.deepEqual(
    answer.body.errors.map((error: Json) => error.pointer),
    [pointer],
  )
  assert.equal(ok(await api.call("GET", `/v1/payments/${id}`)).status, "requires_confirmation")
}

test("a 3DS result must come again: without it nothing is sent, with it the provider gets it", async () => {
  const id = await create({ three_ds, payment_method: { type: "card", card: withoutCvc } })
  await refused(id, {}, "#/three_ds/external/cryptogram")
  const confirmed = ok(await confirm(id, { three_ds }))
  assert.equal(confirmed.status, "captured")
  assert.equal(confirmed.three_ds.mode, "external")
  const { mpiData } = await lastSent(id)
  assert.equal(mpiData.eci, external.eci)
  assert.equal(mpiData.dsTransID, external.ds_transaction_id)
})

test("an authentication that was made between creation and confirmation comes with the confirmation", async () => {
  const id = await create({ payment_method: { type: "card", card: withoutCvc } })
  ok(await confirm(id, { three_ds }))
  assert.equal((await lastSent(id)).mpiData.eci, external.eci)
})

test("a merchant who wants to go on without the 3DS result says so", async () => {
  const id = await create({ three_ds, payment_method: { type: "card", card: withoutCvc } })
  const confirmed = ok(await confirm(id, { three_ds: { mode: "none" } }))
  assert.equal(confirmed.three_ds.mode, "none")
  assert.equal((await lastSent(id)).mpiData, undefined)
})

test("a network token's cryptogram must come again, alone or with the whole method", async () => {
  // The simulated issuer takes each cryptogram once.
  for (const payment_method of [{ cryptogram: "AwAAAAAABk4DWZ4C28yUQAAAAAA=" }, byToken]) {
    const id = await create({ payment_method: byToken })
    await refused(id, {}, "#/payment_method/cryptogram")
    assert.equal(ok(await confirm(id, { payment_method })).status, "captured")
    assert.ok(JSON.stringify(await lastSent(id)).includes("mpiData"), "the cryptogram was sent")
  }
})

test("a CVC must come again, alone or with the whole card, or the card without says that there is none", async () => {
  for (const payment_method of [{ cvc }, byCard, { type: "card", card: withoutCvc }]) {
    const id = await create({ payment_method: byCard })
    await refused(id, {}, "#/payment_method/cvc")
    assert.equal(ok(await confirm(id, { payment_method })).status, "captured")
    const { paymentMethod } = await lastSent(id)
    assert.equal("cvc" in paymentMethod, "cvc" in payment_method || payment_method === byCard)
  }
})

test("a payment that was created without any of it is confirmed without", async () => {
  const id = await create({ payment_method: { type: "card", card: withoutCvc } })
  assert.equal(ok(await confirm(id, {})).status, "captured")
})

test("what does not fit the method is refused by its field", async () => {
  const ofCard = await create({ payment_method: byCard })
  const ofToken = await create({ payment_method: byToken })
  for (const [id, payment_method, pointer] of [
    [ofCard, { cryptogram: CRYPTOGRAM }, "#/payment_method/cryptogram"],
    [ofCard, { cvc: "12345" }, "#/payment_method/cvc"],
    [ofCard, { cvc: "1234" }, "#/payment_method/cvc"],
    [ofCard, { ...byCard, cvc }, "#/payment_method/cvc"],
    [ofCard, { card }, "#/payment_method/type"],
    [ofToken, { cryptogram: CRYPTOGRAM, cvc }, "#/payment_method/cvc"],
  ] as const) {
    const answer = await confirm(id, { payment_method })
    assert.equal(answer.status, 400, answer.text)
    assert.equal(answer.body.errors[0].pointer, pointer)
  }
})
