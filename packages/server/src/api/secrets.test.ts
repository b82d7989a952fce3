// What must never be seen again: card numbers, codes, credentials, keys. Everything is used once, then every table, every
// answer and every line of the log is searched for it, in clear, in hex and in base64.

import assert from "node:assert/strict"
import { test } from "node:test"
import { accountBody, card, contents, ok, simulate, startApi, type Json } from "../../testing/api.ts"

const api = await startApi()
const providers = await simulate(api, "stripe", "adyen", "checkout")
const answers: string[] = []
const send = async (method: "GET" | "POST" | "PATCH", path: string, body?: Json, version?: number): Promise<Json> => {
  const answer = await api.call(method, path, {
    headers: {
      "idempotency-key": `key-${answers.length}`,
      ...(version === undefined ? {} : { "if-match": `"${version}"` }),
    },
    ...(body === undefined ? {} : { body }),
  })
  answers.push(JSON.stringify(answer.headers), answer.text)
  assert.ok(answer.status < 300, answer.text)
  return answer.body
}

test("no secret that went in is found anywhere afterwards", async () => {
  const secrets = ["4242424242424242", "5555555555554444", "whsec_added_by_hand_1234567890"]
  const cvc = "731"
  const cryptogram = "AgAAAAAAAIR8CQrXcIhbQAAAAAA="
  for (const ready of providers.simulator.accounts()) {
    const body = accountBody(ready)
    const account = await send("POST", "/v1/accounts", body)
    secrets.push(...(Object.values(body.credentials) as string[]), ready.webhookSecret)
    await send("POST", `/v1/accounts/${account.id}/webhook-secrets`, { secret: "whsec_added_by_hand_1234567890" }, 1)
    await send("PATCH", `/v1/accounts/${account.id}`, { name: "Renamed", credentials: body.credentials }, 2)
    const pay = (change: Json): Promise<Json> =>
      send("POST", "/v1/payments", { amount: 1000, currency: "EUR", account: account.id, ...change })
    const paid = await pay({ payment_method: { type: "card", card: { ...card, cvc } } })
    await pay({
      payment_method: { type: "card", card: { ...card, number: "5555 5555 5555 4444", cvc } },
      capture_method: "manual",
    })
    await pay({
      payment_method: { type: "card", card: { ...card, cvc } },
      three_ds: {
        mode: "external",
        external: {
          version: "2.2.0",
          eci: "05",
          cryptogram,
          ds_transaction_id: "c4e59ceb-a382-4d6a-bc87-385d591fa09d",
        },
      },
    })
    for (const part of ["", "/attempts", "/operations", "/events", "/transcripts"])
      await send("GET", `/v1/payments/${paid.id}${part}`)
  }
  const customer = await send("POST", "/v1/customers", { name: "Ada" })
  await send("POST", "/v1/payment-methods", {
    customer: customer.id,
    card: { number: card.number, expiry_month: 12, expiry_year: 2030 },
    consent: { purposes: ["customer"] },
  })
  for (const path of [
    "/v1/payments",
    "/v1/accounts",
    "/v1/events",
    "/v1/inbound-webhooks",
    "/v1/api-keys",
    `/v1/payment-methods?customer=${customer.id}`,
  ])
    await send("GET", path)

  const places = { ...(await contents(api)), answers, log: api.logged }
  for (const secret of [...secrets, cryptogram, api.key])
    for (const written of [
      secret,
      Buffer.from(secret).toString("hex"),
      Buffer.from(secret).toString("base64").replace(/=+$/, ""),
    ])
      for (const [place, texts] of Object.entries(places))
        assert.ok(!texts.some((text) => text.includes(written)), `${secret.slice(0, 8)}… is in ${place}`)
  // Three digits are everywhere; as the value of a field they would be the code.
  for (const [place, texts] of Object.entries(places))
    assert.ok(!texts.some((text) => /"(?:cvc|cvv|securityCode)\W+:?\W*731/i.test(text)), `the CVC is in ${place}`)
})

test("spaces and hyphens in a number do not help it into the log or a table", async () => {
  const before = api.logged.length
  for (const number of ["4111 1111 1111 1112", "4111-1111-1111-1112"])
    ok(
      await api.call("POST", "/v1/payments", {
        headers: { "idempotency-key": number.replaceAll(" ", "_") },
        body: { amount: 1, currency: "EUR", payment_method: { type: "card", card: { ...card, number } } },
      }),
      400,
    )
  assert.ok(!api.logged.slice(before).join("").includes("4111"))
  assert.ok(!JSON.stringify((await contents(api))["payments"]).includes("4111"))
})
