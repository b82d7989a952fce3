// Customers and their stored cards over the API: stored only with consent, used with and without the customer, erased
// from everywhere.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, contents, ok, rowCounts, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"

const api = await startApi()
const providers = await simulate(api, "stripe")
const stripe = (await providers.connect("stripe", { settings: { mit_exemption: "enabled" } })).id
const { cvc: _, ...storedCard } = card
let keys = 0
const pay = (body: Json): Promise<Answer> =>
  api.call("POST", "/v1/payments", {
    headers: { "idempotency-key": `key-${(keys += 1)}` },
    body: { amount: 1000, currency: "EUR", account: stripe, ...body },
  })
const newCustomer = async (body: Json = {}): Promise<Json> => ok(await api.call("POST", "/v1/customers", { body }), 201)
const store = (customer: string, change: Json = {}): Promise<Answer> =>
  api.call("POST", "/v1/payment-methods", {
    body: { customer, card: storedCard, consent: { purposes: ["unscheduled"] }, ...change },
  })
const methodsOf = async (customer: string): Promise<Json> =>
  ok(await api.call("GET", "/v1/payment-methods", { query: { customer } })).data

test("a customer is made, changed, found by reference and email, and read with an ETag", async () => {
  const customer = await newCustomer({
    reference: "user-1",
    email: "Ada@example.com",
    name: "Ada",
    address: { country: "GB" },
  })
  const path = `/v1/customers/${customer.id}`
  const changed = await api.call("PATCH", path, { body: { name: null, phone: "+44 20", metadata: { tier: "gold" } } })
  assert.deepEqual(
    [ok(changed).name, changed.body.phone, changed.body.metadata, changed.body.address, changed.headers["etag"]],
    [null, "+44 20", { tier: "gold" }, { country: "GB" }, '"2"'],
  )
  assert.deepEqual(ok(await api.call("GET", path)), changed.body)
  for (const query of [{ reference: "user-1" }, { email: "ada@example.com" }])
    assert.deepEqual(ok(await api.call("GET", "/v1/customers", { query })).data, [changed.body])
  const stale = await api.call("PATCH", path, { headers: { "if-match": '"1"' }, body: { name: "Eve" } })
  assert.equal(stale.status, 412)
})

test("two customers cannot have one reference", async () => {
  await newCustomer({ reference: "taken" })
  for (const answer of [
    await api.call("POST", "/v1/customers", { body: { reference: "taken" } }),
    await api.call("PATCH", `/v1/customers/${(await newCustomer()).id}`, { body: { reference: "taken" } }),
  ]) {
    assert.equal(answer.status, 409)
    assert.equal(answer.body.errors[0].pointer, "#/reference")
  }
})

test("a card is stored with consent, never shown, and charged while the customer is away", async () => {
  const { id } = await newCustomer()
  const method = ok(await store(id, { network_transaction_id: "488341541494658" }), 201)
  assert.deepEqual(
    [method.type, method.last4, method.network, method.consent.purposes, method.customer],
    ["card", "4242", "visa", ["unscheduled"], id],
  )
  assert.ok(!JSON.stringify(await contents(api)).includes("4242424242424242"))
  // The form of Mastercard's ids on a Visa card: refused where it is given, not declined by the issuer later.
  const wrong = await store(id, { network_transaction_id: "MCC1234567890" })
  assert.deepEqual([wrong.status, wrong.body.errors[0].pointer], [400, "#/network_transaction_id"])
  const charged = ok(
    await pay({
      payment_method: { type: "stored", stored: { id: method.id } },
      initiator: { by: "merchant", purpose: "unscheduled" },
    }),
    201,
  )
  assert.equal(charged.status, "captured")
  assert.equal(charged.customer, id)
  assert.equal(charged.payment_method.id, method.id)
  assert.equal(charged.initiator.network_transaction_id, "488341541494658")
})

test("the same number of the same customer stays one method", async () => {
  const { id } = await newCustomer()
  const first = ok(await store(id), 201)
  const second = ok(await store(id, { card: { ...storedCard, expiry_year: 2031 } }))
  assert.deepEqual([second.id, second.expiry_year], [first.id, 2031])
  const other = ok(await store((await newCustomer()).id), 201)
  assert.notEqual(other.id, first.id)
  assert.equal(other.fingerprint, first.fingerprint)
})

for (const [what, change, pointer] of [
  ["without consent", { consent: undefined }, "#/consent"],
  ["without a purpose", { consent: { purposes: [] } }, "#/consent/purposes"],
  ["with its CVC", { card }, "#/card/cvc"],
  ["with a mistyped number", { card: { ...storedCard, number: "4242424242424241" } }, "#/card/number"],
  ["that has expired", { card: { ...storedCard, expiry_year: 2021 } }, "#/card/expiry_year"],
  ["for nobody", { customer: api.id("cus") }, "#/customer"],
] as const)
  test(`a card ${what} is not stored`, async () => {
    const { id } = await newCustomer()
    const before = await rowCounts(api)
    const answer = await store(id, change)
    assert.equal(answer.status, 400)
    assert.deepEqual(
      answer.body.errors.map((error: Json) => error.pointer),
      [pointer],
    )
    assert.deepEqual(await rowCounts(api), before)
  })

test("a payment with consent leaves a stored method, told by an event, and it pays again with and without the customer", async () => {
  const { id } = await newCustomer()
  const first = ok(await pay({ payment_method: { type: "card", card }, customer: id, store_payment_method: true }), 201)
  const [method] = await eventually("the stored method", async () => {
    const methods = await methodsOf(id)
    return methods.length > 0 ? methods : undefined
  })
  assert.deepEqual([method.last4, method.source_account, method.consent.payment], ["4242", stripe, first.id])
  const events = ok(await api.call("GET", `/v1/payments/${first.id}/events`)).data
  const stored = events.find(({ type }: Json) => type === "payment_method.stored")
  assert.deepEqual([stored.data.payment_method, stored.data.customer], [method.id, id])
  const again = ok(await pay({ payment_method: { type: "stored", stored: { id: method.id, cvc: "123" } } }), 201)
  assert.deepEqual([again.status, again.initiator.stored], ["captured", "used"])
  const away = {
    payment_method: { type: "stored", stored: { id: method.id } },
    initiator: { by: "merchant", purpose: "recurring" },
  }
  assert.equal(ok(await pay(away), 201).status, "captured")
  assert.equal((await methodsOf(id)).length, 1)
  const cards = (await contents(api))["cards"] ?? []
  assert.equal(
    cards.filter((row) => row.includes(first.id)).length,
    0,
    "the card no longer belongs to the payment alone",
  )
})

test("storing the same card by a second payment adds no second method", async () => {
  const { id } = await newCustomer()
  const asked = { payment_method: { type: "card", card }, customer: id, store_payment_method: true }
  ok(await pay(asked), 201)
  await eventually("the stored method", async () => ((await methodsOf(id)).length > 0 ? true : undefined))
  const [before] = await methodsOf(id)
  const later = { ...card, expiry_year: 2033 }
  ok(await pay({ ...asked, payment_method: { type: "card", card: later } }), 201)
  const [after] = await eventually("the new expiry date", async () => {
    const methods = await methodsOf(id)
    return methods[0].expiry_year === 2033 ? methods : undefined
  })
  assert.equal(after.id, before.id)
  assert.equal((await methodsOf(id)).length, 1)
})

test("a declined payment stores nothing", async () => {
  const { id } = await newCustomer()
  const bad = { ...card, number: "4000000000009995" }
  ok(await pay({ payment_method: { type: "card", card: bad }, customer: id, store_payment_method: true }), 201)
  const { id: other } = await newCustomer()
  ok(await pay({ payment_method: { type: "card", card }, customer: other, store_payment_method: true }), 201)
  // The relay goes in order: when the later payment's method is there, the earlier one's would be.
  await eventually("the later method", async () => ((await methodsOf(other)).length > 0 ? true : undefined))
  assert.deepEqual(await methodsOf(id), [])
})

test("a stored method is its customer's and its mode's alone", async () => {
  const { id } = await newCustomer()
  const method = ok(await store(id), 201)
  const stored = { payment_method: { type: "stored", stored: { id: method.id } } }
  const foreign = await pay({ ...stored, customer: (await newCustomer()).id })
  assert.deepEqual(
    foreign.body.errors.map((error: Json) => error.pointer),
    ["#/payment_method/stored/id"],
  )
  const { secret } = await api.newKey({ mode: "live" })
  const live = await api.call("POST", "/v1/payments", {
    key: secret,
    headers: { "idempotency-key": "live" },
    body: { amount: 1, currency: "EUR", ...stored },
  })
  assert.deepEqual(
    live.body.errors.map((error: Json) => error.pointer),
    ["#/payment_method/stored/id"],
  )
  assert.equal((await api.call("GET", `/v1/payment-methods/${method.id}`, { key: secret })).status, 404)
})

test("a deleted method is gone with its card, and cannot pay", async () => {
  const { id } = await newCustomer()
  const method = ok(await store(id), 201)
  const cards = (await rowCounts(api))["cards"] ?? 0
  assert.equal((await api.call("DELETE", `/v1/payment-methods/${method.id}`)).status, 204)
  assert.equal((await rowCounts(api))["cards"], cards - 1)
  assert.equal((await api.call("GET", `/v1/payment-methods/${method.id}`)).status, 404)
  assert.equal((await api.call("DELETE", `/v1/payment-methods/${method.id}`)).status, 404)
  const refused = await pay({ payment_method: { type: "stored", stored: { id: method.id } } })
  assert.equal(refused.body.errors[0].pointer, "#/payment_method/stored/id")
})

test("an erased customer is in no table any more; amounts and references stay", async () => {
  const person = { name: "Grace Hopper-Erased", email: "grace.erased@example.com", phone: "+1 555 0199" }
  const { id } = await newCustomer({
    ...person,
    reference: "user-erased",
    address: { line1: "1 Erased Street", country: "US" },
  })
  const method = ok(await store(id, { card: { ...storedCard, holder_name: "G HOPPER ERASED" } }), 201)
  const paid = ok(
    await pay({
      payment_method: { type: "card", card: { ...card, number: "5555555555554444", holder_name: "G HOPPER ERASED" } },
      customer: id,
      customer_details: { email: person.email, name: person.name, ip: "203.0.113.77" },
      billing: { name: person.name, address: { line1: "1 Erased Street", country: "US" } },
      merchant_reference: "order-kept",
    }),
    201,
  )
  const erased = ok(await api.call("DELETE", `/v1/customers/${id}`))
  assert.deepEqual([erased.payment_methods, erased.payments], [1, 1])
  // What providers sent cannot be told apart by customer: it goes with its retention.
  const left = Object.entries(await contents(api)).filter(([table]) => !table.startsWith("inbound_webhook"))
  for (const word of ["Hopper", "HOPPER", "grace.erased", "Erased Street", "203.0.113.77", "user-erased"])
    assert.ok(!JSON.stringify(left).includes(word), word)
  const read = ok(await api.call("GET", `/v1/payments/${paid.id}`))
  assert.deepEqual([read.amount, read.merchant_reference, read.payment_method.last4], [1000, "order-kept", "4444"])
  assert.deepEqual([read.customer_details, read.billing], [undefined, undefined])
  assert.equal((await api.call("GET", `/v1/payment-methods/${method.id}`)).status, 404)
  assert.ok(ok(await api.call("GET", `/v1/customers/${id}`)).erased_at !== null)
  assert.equal(
    (await api.call("PATCH", `/v1/customers/${id}`, { body: { name: "Back" } })).body.code,
    "resource.conflict",
  )
  assert.deepEqual((await store(id)).body.errors[0].pointer, "#/customer")
  assert.equal(
    (await pay({ payment_method: { type: "card", card }, customer: id })).body.errors[0].pointer,
    "#/customer",
  )
})
