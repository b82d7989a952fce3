// Pays in every way there is, well and badly, and then searches everything that stays behind: every row of every table,
// every log line, every answer, every webhook. No card number, no CVC, no cryptogram, no credential may be in it.

import assert from "node:assert/strict"
import { createHmac } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:http"
import { after, test } from "node:test"
import { Client } from "pg"
import { card, ok, simulate, startApi, type Json } from "../../testing/api.ts"
import { eventually } from "../../testing/wait.ts"

const NUMBERS = ["4242424242424242", "4000000000000002", "5555555555554444", "378282246310005", "4000002500003155"]
// Four digits would turn up anywhere: a CVC is looked for as a value of its own.
const CVC = "9357"
const CRYPTOGRAM = "AgAAAAAABk4DWZ4C28yUQAAAAAA="
const CAVV = "kBMJ5w8AAAAAAAAAAAAAAAAAAAA="

const answers: string[] = []
const received: string[] = []

/** A receiver of our webhooks on this machine. */
async function receiver(): Promise<string> {
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk: Buffer) => (body += chunk.toString()))
    request.on("end", () => {
      received.push(`${JSON.stringify(request.headers)} ${body}`)
      response.end("ok")
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === "object" && address !== null)
  return `http://127.0.0.1:${address.port}/hooks`
}

test("no card number, CVC, cryptogram or credential stays behind anywhere", async () => {
  const api = await startApi()
  const providers = await simulate(api, "stripe", "adyen", "checkout")
  const secrets: string[] = [api.key]
  const accounts: Record<string, string> = {}
  for (const persona of ["stripe", "adyen", "checkout"] as const) {
    const { id, ready } = await providers.connect(persona)
    accounts[persona] = id
    // What is public about an account is no secret: its merchant's name, its channel.
    for (const [name, value] of Object.entries(ready.credentials))
      if (/key|secret/i.test(name) && name !== "publicKey") secrets.push(value)
  }
  const endpoint = ok(await api.call("POST", "/v1/webhook-endpoints", { body: { url: await receiver() } }), 201)
  assert.match(endpoint.secret, /^whsec_/)
  secrets.push(endpoint.secret.replace("whsec_", ""))
  const customer = ok(await api.call("POST", "/v1/customers", { body: { name: "Ada", email: "ada@example.com" } }), 201)

  let keys = 0
  const pay = async (body: Json): Promise<Json> => {
    keys += 1
    const answer = await api.call("POST", "/v1/payments", {
      headers: { "idempotency-key": `leak-${keys}` },
      body: { amount: 1200 + keys, currency: "EUR", ...body },
    })
    answers.push(answer.text)
    return answer.body
  }
  const byCard = (number: string, more: Json = {}): Json => ({
    payment_method: { type: "card", card: { ...card, number, cvc: number.startsWith("37") ? CVC : card.cvc, ...more } },
  })

  for (const account of Object.values(accounts)) {
    for (const number of NUMBERS) await pay({ account, ...byCard(number) })
    await pay({ account, capture_method: "manual", ...byCard(NUMBERS[0]!) })
    await pay({ account, amount: 0, ...byCard(NUMBERS[0]!) })
    await pay({
      account,
      payment_method: {
        type: "network_token",
        network_token: { number: NUMBERS[2], expiry_month: 12, expiry_year: 2030, cryptogram: CRYPTOGRAM, eci: "05" },
      },
    })
    await pay({
      account,
      three_ds: {
        mode: "external",
        external: {
          version: "2.2.0",
          eci: "05",
          cryptogram: CAVV,
          ds_transaction_id: "f25084f0-5b16-4c0a-ae5d-b24808a95e4b",
        },
      },
      ...byCard(NUMBERS[0]!),
    })
    await pay({ account, customer: customer.id, store_payment_method: true, ...byCard(NUMBERS[2]!) })
    await pay({
      account,
      initiator: { by: "merchant", purpose: "recurring", network_transaction_id: "123456789012345" },
      payment_method: { type: "card", card: { number: NUMBERS[0], expiry_month: 12, expiry_year: 2030 } },
    })
  }
  // Confirmed later, replayed, refused, mistyped, and in places where no number belongs.
  const later = await pay({ confirm: false, currency: "EUR" })
  answers.push(
    (
      await api.call("POST", `/v1/payments/${later.id}/confirm`, {
        headers: { "idempotency-key": "confirm" },
        body: byCard(NUMBERS[3]!),
      })
    ).text,
  )
  answers.push(
    (
      await api.call("POST", "/v1/payments", {
        headers: { "idempotency-key": "leak-1" },
        body: { amount: 1, currency: "EUR", ...byCard(NUMBERS[0]!) },
      })
    ).text,
  )
  await pay(byCard("4242424242424241"))
  await pay({ ...byCard(NUMBERS[0]!), [NUMBERS[0]!]: "a number as a field's name" })
  await pay({ ...byCard(NUMBERS[0]!), currency: NUMBERS[0] })
  answers.push(
    (
      await api.call("POST", "/v1/payments", {
        headers: { "idempotency-key": "broken" },
        body: `{"payment_method": {"card": {"number": "${NUMBERS[0]}", `,
      })
    ).text,
  )
  answers.push((await api.call("GET", `/v1/payments/${NUMBERS[0]}`)).text)

  // A provider that answers nonsense and one that hangs up, with the number in their hands.
  await providers.simulator.setWeather("stripe", { faults: [{ type: "foreign", probability: 1, handled: true }] })
  await pay({ account: accounts["stripe"], ...byCard(NUMBERS[0]!), answer_within_ms: 1_000 })
  await providers.simulator.setWeather("stripe", { faults: [{ type: "reset_after", probability: 1 }] })
  await pay({ account: accounts["stripe"], ...byCard(NUMBERS[0]!), answer_within_ms: 1_000 })
  await providers.simulator.setWeather("stripe", {})

  await eventually("webhooks for most of it", async () => (received.length > 40 ? true : undefined))
  for (const path of [
    "/v1/payments?limit=100",
    "/v1/events?limit=100",
    "/v1/accounts",
    "/v1/webhook-endpoints",
    "/v1/api-keys",
    `/v1/payments/${later.id}/transcripts`,
    `/v1/payment-methods?customer=${customer.id}`,
  ])
    answers.push((await api.call("GET", path)).text)

  const tables = await everyRow(api.place)
  assert.ok(
    tables.some(([where]) => where.startsWith("transcripts")),
    "transcripts were searched",
  )
  assert.ok(
    tables.some(([where]) => where.startsWith("cards")),
    "sealed cards were searched",
  )
  const texts: (readonly [string, string])[] = [
    ...tables,
    ...api.logged.map((line) => ["log", line] as const),
    ...answers.map((text) => ["answer", text] as const),
    ...received.map((text) => ["webhook", text] as const),
  ]
  assert.ok(texts.length > 300, `only ${texts.length} texts were searched`)
  for (const [where, text] of texts)
    for (const [what, pattern] of patterns(secrets)) assert.doesNotMatch(text, pattern, `${what} in ${where}`)
})

/** As people and machines write it. */
const writings = (number: string): readonly string[] => [
  number,
  number.replace(/(\d{4})(?=\d)/g, "$1 "),
  number.replace(/(\d{4})(?=\d)/g, "$1-"),
]

/** What a provider answers that puts the number wherever it can: words, codes, and where its ids belong. */
function echoes(path: string, number: string, turn: number): { readonly status: number; readonly body: Json } {
  const [plain, spaced, dashed] = writings(number) as [string, string, string]
  const words = { message: `card ${spaced} was refused`, code: plain, decline_code: plain, param: dashed }
  const stripe = [
    { status: 402, body: { error: { type: "card_error", charge: plain, ...words } } },
    { status: 400, body: { error: { type: "invalid_request_error", ...words } } },
    { status: 200, body: { id: plain, object: "payment_intent", status: plain, last_payment_error: words } },
    { status: 500, body: `no ${spaced}` },
  ]
  const extra = { authCode: plain, refusalReasonRaw: `05 : ${dashed}`, networkTxReference: plain, cardSummary: plain }
  const adyen = [
    { resultCode: "Refused", refusalReason: `not ${spaced}`, refusalReasonCode: "2", pspReference: plain },
    { resultCode: "Refused", refusalReason: plain, refusalReasonCode: plain, pspReference: plain },
    { resultCode: plain, pspReference: plain },
    { resultCode: "Authorised", pspReference: plain, merchantReference: plain },
    { status: 422, errorCode: plain, message: `wrong: ${dashed}`, errorType: "validation", pspReference: plain },
  ].map((body) => ({ status: body.status ?? 200, body: { ...body, additionalData: extra } }))
  const checkout = [
    {
      status: 201,
      body: { id: plain, status: "Declined", approved: false, response_code: plain, response_summary: spaced },
    },
    {
      status: 201,
      body: { id: plain, status: "Declined", approved: false, response_code: "20005", response_summary: dashed },
    },
    {
      status: 201,
      body: { id: plain, status: "Authorized", approved: true, auth_code: plain, scheme_id: plain, reference: plain },
    },
    { status: 422, body: { request_id: plain, error_type: plain, error_codes: [plain, spaced] } },
    { status: 200, body: spaced },
  ]
  const answers = path.startsWith("/v1/") ? stripe : path === "/payments" ? checkout : adyen
  return answers[turn % answers.length]!
}

/** A provider of any kind that repeats the number of each payment for as long as it is asked about it. */
async function echo(): Promise<string> {
  let asked = 0
  let number = NUMBERS[0]!
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk: Buffer) => (body += chunk.toString()))
    request.on("end", () => {
      number = NUMBERS.find((candidate) => body.includes(candidate)) ?? number
      const path = (request.url ?? "").replace(/^\/v\d+\/payments$/, "/adyen").replace(/\?.*/, "")
      const answer = echoes(path, number, (asked += 1))
      response.writeHead(answer.status, { "content-type": "application/json", "x-echo": number })
      response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body))
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === "object" && address !== null)
  return `http://127.0.0.1:${address.port}`
}

/** Adyen's signature, over eight of the fields. */
function signed(secret: string, item: Json): Json {
  const { pspReference, originalReference, merchantAccountCode, merchantReference, amount, eventCode, success } = item
  const text = [
    pspReference,
    originalReference,
    merchantAccountCode,
    merchantReference,
    amount.value,
    amount.currency,
    eventCode,
    success,
  ]
  const hmacSignature = createHmac("sha256", Buffer.from(secret, "hex")).update(text.join(":")).digest("base64")
  const NotificationRequestItem = { ...item, additionalData: { ...item.additionalData, hmacSignature } }
  return { live: "false", notificationItems: [{ NotificationRequestItem }] }
}

test("a provider that echoes the card number wherever it can puts it nowhere of ours", async () => {
  const api = await startApi()
  const providers = await simulate(api, "stripe", "adyen", "checkout")
  const base_url = await echo()
  const said: string[] = []
  let keys = 0
  ok(await api.call("POST", "/v1/webhook-endpoints", { body: { url: await receiver() } }), 201)
  const accounts: Json[] = []
  for (const persona of ["stripe", "adyen", "checkout"] as const)
    accounts.push({ persona, ...(await providers.connect(persona, { base_url, verify: false })) })
  let attempt: Json
  for (const { id: account, persona } of accounts)
    for (let turn = 0; turn < 12; turn++) {
      keys += 1
      const number = NUMBERS[turn % NUMBERS.length]!
      const answer = await api.call("POST", "/v1/payments", {
        headers: { "idempotency-key": `echo-${keys}` },
        body: {
          account,
          amount: 1000,
          currency: "EUR",
          answer_within_ms: 1_000,
          payment_method: { type: "card", card: { ...card, number, cvc: number.startsWith("37") ? CVC : card.cvc } },
        },
      })
      said.push(answer.text)
      const payment = ok(answer, 201)
      if (persona === "adyen") attempt = { id: payment.attempts[0].id, number }
      for (const path of ["", "/transcripts", "/events"])
        said.push((await api.call("GET", `/v1/payments/${payment.id}${path}`)).text)
    }

  const { id: adyen, ready } = accounts[1]
  const url = new URL(ok(await api.call("GET", `/v1/accounts/${adyen}`)).webhook_url).pathname
  let delivered = 0
  for (const [index, number] of writings(attempt.number).entries())
    for (const pspReference of [`PSP${index}000000000000`, attempt.number]) {
      const item = {
        pspReference,
        originalReference: "",
        merchantAccountCode: ready.credentials["merchantAccount"],
        merchantReference: attempt.id,
        amount: { value: 1000, currency: "EUR" },
        eventCode: index === 1 ? "AUTHORISATION" : "CAPTURE_FAILED",
        success: "false",
        eventDate: "2026-11-22T10:00:00+01:00",
        reason: `refused: ${number}`,
        additionalData: { cardSummary: number, note: `a card ${number}`, refusalReasonRaw: `05 : ${number}` },
      }
      const answer = await api.call("POST", url, { key: null, body: signed(ready.webhookSecret, item) })
      assert.equal(answer.status, 200, answer.text)
      delivered += 1
    }
  await eventually("the webhooks are worked on", async () => {
    const { data } = ok(await api.call("GET", "/v1/inbound-webhooks", { query: { limit: "100" } }))
    said.push(JSON.stringify(data))
    return data.length > 0 && data.every((row: Json) => row.tries > 0) ? true : undefined
  })
  assert.ok(delivered === 6)
  for (const path of ["/v1/events?limit=100", "/v1/payments?limit=100"]) said.push((await api.call("GET", path)).text)

  const tables = await everyRow(api.place)
  assert.ok(tables.some(([where]) => where.startsWith("inbound_webhook_bodies")))
  for (const [where, text] of [
    ...tables,
    ...api.logged.map((line) => ["log", line] as const),
    ...said.map((text) => ["answer", text] as const),
    ...received.map((text) => ["webhook", text] as const),
  ])
    for (const [what, pattern] of patterns([])) assert.doesNotMatch(text, pattern, `${what} in ${where}`)
})

/** Every row of every table as text; bytes also as the text they may hold. */
async function everyRow(place: {
  readonly host: string
  readonly user: string
  readonly database: string
}): Promise<(readonly [string, string])[]> {
  const client = new Client(place)
  await client.connect()
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      "select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'",
    )
    const found: (readonly [string, string])[] = []
    for (const { name } of tables) {
      const { rows } = await client.query<Record<string, unknown>>(`select * from ${name}`)
      for (const row of rows) {
        const plain = JSON.stringify(row, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value))
        const bytes = Object.values(row).flatMap((value) =>
          value instanceof Uint8Array
            ? [
                Buffer.from(value).toString("latin1"),
                Buffer.from(value).toString("hex"),
                Buffer.from(value).toString("base64"),
              ]
            : [],
        )
        found.push([name, [plain, ...bytes].join("\n")])
      }
    }
    return found
  } finally {
    await client.end()
  }
}

function patterns(secrets: readonly string[]): readonly (readonly [string, RegExp])[] {
  const spaced = (digits: string): string => digits.split("").join("[ -]?")
  const quoted = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")
  return [
    ...NUMBERS.flatMap((number) => [
      ["a card number", new RegExp(spaced(number))] as const,
      [
        "a card number in base64",
        new RegExp(quoted(Buffer.from(number).toString("base64").replaceAll("=", ""))),
      ] as const,
      ["a card number in hex", new RegExp(Buffer.from(number).toString("hex"))] as const,
    ]),
    ["a CVC", new RegExp(`[":=]\\s*\\\\?"?${CVC}(?:\\\\?"|&|,|\\s|$)`)],
    ["a cryptogram", new RegExp(`${quoted(CRYPTOGRAM)}|${quoted(encodeURIComponent(CRYPTOGRAM))}`)],
    ["a CAVV", new RegExp(`${quoted(CAVV)}|${quoted(encodeURIComponent(CAVV))}`)],
    ...secrets.map((secret) => ["a credential", new RegExp(quoted(secret))] as const),
  ]
}
