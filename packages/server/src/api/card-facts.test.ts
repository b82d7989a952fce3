// What is known of a card beside its number: told by the merchant, else by the operator's BIN table; stored with the payment,
// shown, kept with stored cards, and what rules may ask for.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, contents, ok, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"
import { readBinTable } from "../core/bin-table-csv.ts"

const read = readBinTable(
  [
    "bin,country,funding,issuer,product",
    "424242,US,credit,First Union,visa_signature",
    "555555,DE,debit,Meridian,business",
    "41111111,NL,,,",
    "41111110,BE,,,",
  ].join("\n"),
)
const api = await startApi({ bins: read.kind === "table" ? read.table : assert.fail() })
const providers = await simulate(api, "stripe", "adyen")
const stripe = (await providers.connect("stripe")).id
const adyen = (await providers.connect("adyen")).id
const { cvc: _, ...storable } = card
let keys = 0
const pay = (method: Json, change: Json = {}): Promise<Answer> =>
  api.call("POST", "/v1/payments", {
    headers: { "idempotency-key": `key-${(keys += 1)}` },
    body: { amount: 1000, currency: "EUR", payment_method: method, ...change },
  })
const cardMethod = (change: Json = {}): Json => ({ type: "card", card: { ...card, ...change } })
const factsOf = ({ country, funding, issuer, product }: Json): Json => [country, funding, issuer, product]
const contextOf = async ({ id }: Json): Promise<Json> => {
  const payment = await api.server.engine.ledger.load(api.merchant, id)
  return (payment!.attempts[0]!.decision as Json).inputs.context
}
const putInForce = async (rules: Json): Promise<void> => {
  const { policy, version } = ok(await api.call("POST", "/v1/policies", { body: { name: "Facts", rules } }), 201)
  const headers = { "if-match": `"${policy.version}"` }
  ok(await api.call("POST", `/v1/policies/${policy.id}/activate`, { headers, body: { version: version.version } }))
}

test("the table tells of a card what its first eight digits say, and the payment shows and keeps it", async () => {
  const payment = ok(await pay(cardMethod()), 201)
  assert.deepEqual(factsOf(payment.payment_method), ["US", "credit", "First Union", "visa_signature"])
  const known = ok(await api.call("GET", `/v1/payments/${payment.id}`))
  assert.deepEqual(known.payment_method, payment.payment_method)
  const context = await contextOf(payment)
  assert.deepEqual(
    [context.cardCountry, context.country, context.funding, context.issuer, context.product],
    ["US", "US", "credit", "First Union", "visa_signature"],
  )
})

test("what the merchant says wins over the table, field by field", async () => {
  const payment = ok(await pay(cardMethod({ country: "CA", product: "corporate" })), 201)
  assert.deepEqual(factsOf(payment.payment_method), ["CA", "credit", "First Union", "corporate"])
})

test("a network token and a card of no row carry what the merchant says, and nothing else", async () => {
  const token = { number: "5200828282828210", expiry_month: 12, expiry_year: 2030, cryptogram: "A".repeat(28) }
  const told = { country: "FR", funding: "prepaid", issuer: "Alpine", product: "gift" }
  const payment = ok(await pay({ type: "network_token", network_token: { ...token, ...told } }), 201)
  assert.deepEqual(factsOf(payment.payment_method), Object.values(told))
  const bare = ok(await pay(cardMethod({ number: "5200828282828210" })), 201)
  assert.deepEqual(factsOf(bare.payment_method), [undefined, undefined, undefined, undefined])
})

test("what is none is refused with its place", async () => {
  for (const [change, pointer] of [
    [{ country: "XX" }, "#/payment_method/card/country"],
    [{ country: "de" }, "#/payment_method/card/country"],
    [{ funding: "charge" }, "#/payment_method/card/funding"],
    [{ issuer: "" }, "#/payment_method/card/issuer"],
    [{ product: "x".repeat(101) }, "#/payment_method/card/product"],
    [{ issuer: "4242-4242-4242-4242" }, "#/payment_method/card/issuer"],
    [{ brand: "gold" }, "#/payment_method/card/brand"],
  ] as const) {
    const { status, body } = await pay(cardMethod(change))
    assert.deepEqual([status, body.errors?.[0]?.pointer], [400, pointer])
  }
})

test("a stored card keeps what was known of it, hears what is said anew, and pays with it", async () => {
  const customer = ok(await api.call("POST", "/v1/customers", { body: {} }), 201).id
  const store = (change: Json): Promise<Answer> =>
    api.call("POST", "/v1/payment-methods", {
      body: { customer, card: { ...storable, ...change }, consent: { purposes: ["customer"] } },
    })
  const method = ok(await store({ issuer: "Coastal" }), 201)
  assert.deepEqual(factsOf(method), ["US", "credit", "Coastal", "visa_signature"])
  const wrong = await store({ country: "XX" })
  assert.deepEqual([wrong.status, wrong.body.errors[0].pointer], [400, "#/card/country"])
  assert.deepEqual(factsOf(ok(await store({ country: "CA" }))), ["CA", "credit", "Coastal", "visa_signature"])
  const stored = (change: Json = {}): Json => ({ type: "stored", stored: { id: method.id, ...change } })
  const payment = ok(await pay(stored()), 201)
  assert.deepEqual(factsOf(payment.payment_method), ["CA", "credit", "Coastal", "visa_signature"])
  const said = ok(await pay(stored({ country: "MX", product: "gift" })), 201)
  assert.deepEqual(factsOf(said.payment_method), ["MX", "credit", "Coastal", "gift"])
  const kept = ok(await api.call("GET", `/v1/payment-methods/${method.id}`))
  assert.deepEqual(factsOf(kept), ["CA", "credit", "Coastal", "visa_signature"])
  const nowhere = await pay(stored({ country: "XX" }))
  assert.deepEqual([nowhere.status, nowhere.body.errors[0].pointer], [400, "#/payment_method/stored/country"])
})

test("a card that is stored by its payment keeps what was known of it", async () => {
  const customer = ok(await api.call("POST", "/v1/customers", { body: {} }), 201).id
  ok(await pay(cardMethod({ issuer: "Coastal" }), { customer, store_payment_method: true }), 201)
  const method = await eventually("the card is stored", async () => {
    const { data } = ok(await api.call("GET", "/v1/payment-methods", { query: { customer } }))
    return data[0]
  })
  assert.deepEqual(factsOf(method), ["US", "credit", "Coastal", "visa_signature"])
})

test("rules that ask for a card's country, issuer and product route a new card by them", async () => {
  await putInForce([
    {
      name: "German cards",
      when: 'card.country == "DE" && card.issuer.startsWith("Meri") && card.product == "business"',
      strategy: { kind: "ordered", accounts: [adyen] },
    },
    { name: "others", when: "true", strategy: { kind: "ordered", accounts: [stripe] } },
  ])
  const accountOf = async (method: Json): Promise<string> => ok(await pay(method), 201).attempts[0].account
  const number = "5555555555554444"
  assert.equal(await accountOf(cardMethod()), stripe)
  assert.equal(await accountOf(cardMethod({ number })), adyen)
  assert.equal(await accountOf(cardMethod({ number, country: "FR" })), stripe)
  const told = { country: "DE", issuer: "Meridian Bank", product: "business" }
  assert.equal(await accountOf(cardMethod(told)), adyen)
})

test("an explanation knows what the table tells of the digits it is given, and takes what is said", async () => {
  const ruleFor = (name: string, when: string): Json => ({
    name,
    when,
    strategy: { kind: "ordered", accounts: [stripe] },
  })
  await putInForce([
    ruleFor("debit", 'card.country == "US" && card.funding == "debit"'),
    ruleFor("First Union", 'card.country == "US" && card.issuer == "First Union"'),
    ruleFor("Dutch", 'card.country == "NL"'),
    ruleFor("others", "true"),
  ])
  const explain = (method: Json): Promise<Answer> => {
    const body = { amount: 1000, currency: "EUR", payment_method: { type: "card", ...method } }
    return api.call("POST", "/v1/decisions/explain", { body })
  }
  const ruleOf = async (method: Json): Promise<string> => ok(await explain(method)).rule.name
  assert.equal(await ruleOf({ bin: "424242" }), "First Union")
  assert.equal(await ruleOf({ bin: "42424299", funding: "debit" }), "debit")
  assert.equal(await ruleOf({ network: "visa" }), "others")
  assert.equal(await ruleOf({ bin: "41111111" }), "Dutch")
  // Six digits whose cards differ in country tell none.
  assert.equal(await ruleOf({ bin: "411111" }), "others")
  const wrong = await explain({ bin: "424242", country: "XX" })
  assert.deepEqual([wrong.status, wrong.body.errors[0].pointer], [400, "#/payment_method/country"])
  const token = await explain({ type: "provider_token", account: stripe, issuer: "First Union" })
  assert.deepEqual([token.status, token.body.errors[0].pointer], [400, "#/payment_method/issuer"])
})

test("no more of a number is kept for it than before", async () => {
  // An American Express number keeps six digits, although the table was asked with eight.
  ok(await pay(cardMethod({ number: "378282246310005", cvc: "1234" })), 201)
  const kept = JSON.stringify(await contents(api))
  assert.ok(kept.includes("378282") && !kept.includes("3782822"))
})
