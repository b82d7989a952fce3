// Customers who come back from a redirect: real pages of the simulated banks, real redirects, over HTTP.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, simulate, startApi, type Json } from "../../testing/api.ts"

const api = await startApi()
const providers = await simulate(api, "stripe", "adyen", "checkout")
const accounts = {
  stripe: (await providers.connect("stripe")).id,
  adyen: (await providers.connect("adyen")).id,
  checkout: (await providers.connect("checkout")).id,
}
const THANKS = "https://shop.example.com/thanks?order=7"
/** Simulated Stripe asks for a challenge only where the card does. */
const numbers = { stripe: "4000002760003184", adyen: card.number, checkout: card.number }
let keys = 0
const challenged = async (provider: keyof typeof accounts, body: Json = {}): Promise<Json> => {
  const payment = ok(
    await api.call("POST", "/v1/payments", {
      headers: { "idempotency-key": `key-${(keys += 1)}` },
      body: {
        amount: 1000,
        currency: "EUR",
        account: accounts[provider],
        payment_method: { type: "card", card: { ...card, number: numbers[provider] } },
        three_ds: { mode: "required" },
        return_url: THANKS,
        ...body,
      },
    }),
    201,
  )
  assert.equal(payment.status, "requires_action", JSON.stringify(payment.failure))
  return payment
}
const read = async ({ id }: Json): Promise<Json> => ok(await api.call("GET", `/v1/payments/${id}`))

/** The customer at the bank's page: where the bank sends the browser then. */
async function decide(payment: Json, deed: string): Promise<string> {
  const response = await fetch(payment.action.url, {
    method: "POST",
    redirect: "manual",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ ...payment.action.fields, challenge: deed }),
  })
  const back = response.headers.get("location")
  assert.ok(back !== null && back.startsWith(`${api.server.url}/r/`), `${response.status} ${back}`)
  return back
}

for (const provider of ["stripe", "adyen", "checkout"] as const)
  for (const [deed, status] of [
    ["authenticated", "captured"],
    ["failed", "failed"],
  ] as const)
    test(`${provider}: a customer who ${deed === "failed" ? "fails" : "passes"} the bank's check comes back to the merchant with the payment ${status}`, async () => {
      const payment = await challenged(provider)
      const back = await decide(payment, deed)
      const answer = await fetch(back, { redirect: "manual" })
      assert.equal(answer.status, 303)
      const onward = new URL(answer.headers.get("location") ?? "")
      assert.equal(`${onward.origin}${onward.pathname}`, "https://shop.example.com/thanks")
      assert.deepEqual(Object.fromEntries(onward.searchParams), { order: "7", payment: payment.id, status })
      assert.equal((await read(payment)).status, status)
      assert.equal(answer.headers.get("referrer-policy"), "no-referrer")
    })

test("a browser that comes twice at once is sent on twice, and the payment is completed once", async () => {
  const payment = await challenged("adyen")
  const back = await decide(payment, "authenticated")
  const answers = await Promise.all([1, 2, 3].map(() => fetch(back, { redirect: "manual" })))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [303, 303, 303],
  )
  const completed = (await read(payment)).operations.filter(({ kind }: Json) => kind === "complete")
  assert.equal(completed.length, 1)
  const later = await fetch(back, { redirect: "manual" })
  assert.equal(new URL(later.headers.get("location") ?? "").searchParams.get("status"), "captured")
  assert.equal((await read(payment)).operations.filter(({ kind }: Json) => kind === "complete").length, 1)
})

test("a form is read like a query", async () => {
  const payment = await challenged("adyen")
  const back = new URL(await decide(payment, "authenticated"))
  const answer = await fetch(`${back.origin}${back.pathname}`, {
    method: "POST",
    redirect: "manual",
    body: back.searchParams,
  })
  assert.equal(answer.status, 303)
  assert.equal((await read(payment)).status, "captured")
})

test("a customer who comes back without having finished goes on waiting, and may finish later", async () => {
  const payment = await challenged("stripe")
  const address = api.server.engine.returnUrl({ id: payment.id, merchant: api.merchant } as never)
  const early = await fetch(address, { redirect: "manual" })
  assert.equal(new URL(early.headers.get("location") ?? "").searchParams.get("status"), "requires_action")
  const back = await decide(payment, "authenticated")
  const answer = await fetch(back, { redirect: "manual" })
  assert.equal(new URL(answer.headers.get("location") ?? "").searchParams.get("status"), "captured")
})

test("without an address of the merchant, a plain page says how it went", async () => {
  for (const [deed, words] of [
    ["authenticated", "Thank you"],
    ["failed", "was not made"],
  ] as const) {
    const back = await decide(await challenged("stripe", { return_url: undefined }), deed)
    const answer = await fetch(back)
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get("content-type") ?? "", /^text\/html/)
    assert.ok((await answer.text()).includes(words))
    assert.match(answer.headers.get("content-security-policy") ?? "", /default-src 'none'/)
  }
})

test("an address cannot be made up: a wrong tag, another payment's tag and an unknown payment look the same", async () => {
  const [payment, other] = [await challenged("stripe"), await challenged("stripe")]
  const addressOf = (id: string): string => api.server.engine.returnUrl({ id, merchant: api.merchant } as never)
  const mine = addressOf(payment.id)
  const tag = mine.slice(mine.lastIndexOf("/") + 1)
  const wrong = [
    `${mine.slice(0, -1)}${mine.endsWith("A") ? "B" : "A"}`,
    `${mine}A`,
    addressOf(other.id).replace(/[^/]+$/, tag),
    mine.replace(payment.id, api.id("pay")),
    mine.replace(api.merchant, api.id("mer")),
    mine.replace(payment.id, "pay_1"),
  ]
  const pages = await Promise.all(
    wrong.map(async (address) => {
      const answer = await fetch(address, { redirect: "manual" })
      return [answer.status, await answer.text()] as const
    }),
  )
  assert.deepEqual(new Set(pages.map(([status]) => status)), new Set([404]))
  assert.equal(new Set(pages.map(([, text]) => text)).size, 1)
  assert.equal((await read(payment)).status, "requires_action")
})
