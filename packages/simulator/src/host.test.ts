// The host over real sockets: the weather as a merchant's HTTP client meets it, and the control API.
import assert from "node:assert/strict"
import { createServer, Agent, request as httpRequest } from "node:http"
import { connect, type AddressInfo } from "node:net"
import { after, beforeEach, test } from "node:test"
import { startSimulator } from "./simulator.ts"
import type { Fault, Weather } from "./weather.ts"

const simulator = await startSimulator({
  seed: "host",
  accounts: [
    { id: "acct", persona: "stripe", credentials: { secretKey: "sk_test_host", webhookSecret: "whsec_host" } },
  ],
})
const { url } = simulator.accounts()[0] ?? assert.fail()
after(() => simulator.close())
beforeEach(() => simulator.reset())

type Answer = { readonly status: number; readonly type: string; readonly body: string }
type Client = { readonly agent?: Agent; readonly giveUpMs?: number; readonly key?: string }
const form = "amount=2000&currency=eur&confirm=true&payment_method=pm_card_visa&allowed_payment_method_types[]=card"

/** A payment with nothing between us and the socket; answers the error's code when the connection fails. */
function pay({ agent, giveUpMs, key }: Client = {}): Promise<Answer | string> {
  return new Promise((resolve) => {
    const headers = { authorization: "Bearer sk_test_host", ...(key && { "idempotency-key": key }) }
    const options = { method: "POST", headers, agent: agent ?? false, ...(giveUpMs && { timeout: giveUpMs }) }
    const request = httpRequest(`${url}/v1/payment_intents`, options, (response) => {
      const chunks: Buffer[] = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers["content-type"] ?? "",
          body: Buffer.concat(chunks).toString(),
        }),
      )
    })
    request.on("timeout", () => request.destroy(Object.assign(new Error("gave up"), { code: "GAVE_UP" })))
    request.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    request.end(form)
  })
}
const answered = async (client?: Client): Promise<Answer> => {
  const answer = await pay(client)
  return typeof answer === "string" ? assert.fail(answer) : answer
}
const weather = (...faults: Fault[]) => simulator.setWeather("acct", { faults })
const charged = (): number => simulator.truth("acct").filter(({ captured }) => captured > 0n).length
const control = async (method: string, path: string, document?: unknown) => {
  const body = document === undefined ? undefined : JSON.stringify(document)
  const response = await fetch(`${simulator.controlUrl}${path}`, { method, ...(body !== undefined && { body }) })
  return { status: response.status, body: (await response.json()) as never }
}
/** Polls, since sockets close and late requests arrive in their own time. */
const until = async (holds: () => boolean): Promise<void> => {
  for (let tries = 0; tries < 200 && !holds(); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(holds())
}

test("in clear weather a payment is answered", async () => {
  assert.equal((await answered()).status, 200)
  assert.equal(charged(), 1)
})

test("a closed port refuses connections, and opens again on the same address", async () => {
  await weather({ type: "refused", probability: 1 })
  assert.equal(await pay(), "ECONNREFUSED")
  await weather()
  assert.equal((await answered()).status, 200)
})

test("a closed port also ends the connections that idle", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  await answered({ agent })
  await weather({ type: "refused", probability: 1 })
  assert.equal(typeof (await pay({ agent })), "string")
  await weather()
  agent.destroy()
})

test("a closed port also ends a connection whose request was under way", async () => {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  const text = new Promise<string>((resolve) => {
    let got = ""
    socket.on("data", (chunk) => (got += String(chunk))).on("close", () => resolve(got))
  })
  const body = "{}"
  socket.write(`POST /v1/payment_intents HTTP/1.1\r\nhost: ${hostname}\r\ncontent-length: ${body.length}\r\n\r\n`)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await weather({ type: "refused", probability: 1 })
  socket.write(body)
  assert.match(await text, /^HTTP\/1\.1 4/)
  await weather()
})

test("a port that closes for a window opens again by itself", async () => {
  await weather({ type: "refused", probability: 1, until: 60 })
  assert.equal(await pay(), "ECONNREFUSED")
  let answer = await pay()
  for (let tries = 0; tries < 6_000 && typeof answer === "string"; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    answer = await pay()
  }
  assert.ok(typeof answer === "object" && answer.status === 200)
})

test("a connection can be reset as soon as it is accepted", async () => {
  await weather({ type: "reset_at_accept", probability: 1 })
  assert.equal(await pay(), "ECONNRESET")
  assert.equal(charged(), 0)
})

test("a connection that idles can be reset under its next request", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  await weather({ type: "reset_idle", probability: 1, idleMs: 20 })
  await answered({ agent })
  const socket = Object.values(agent.freeSockets)[0]?.[0]
  assert.ok(socket)
  await until(() => socket.destroyed)
  agent.destroy()
})

test("a reset before handling moves no money, a reset after it does", async () => {
  await weather({ type: "reset_before", probability: 1 })
  assert.equal(await pay(), "ECONNRESET")
  assert.equal(charged(), 0)
  await weather({ type: "reset_after", probability: 1 })
  assert.equal(await pay(), "ECONNRESET")
  assert.equal(charged(), 1)
})

test("a hang before handling moves no money, a hang after it does", async () => {
  await weather({ type: "hang_before", probability: 1 })
  assert.equal(await pay({ giveUpMs: 50 }), "GAVE_UP")
  assert.equal(charged(), 0)
  await weather({ type: "hang_after", probability: 1 })
  assert.equal(await pay({ giveUpMs: 50 }), "GAVE_UP")
  assert.equal(charged(), 1)
})

test("a hang ends in a reset when the client has more patience", async () => {
  await weather({ type: "hang_before", probability: 1, holdMs: 30 })
  assert.equal(await pay(), "ECONNRESET")
})

test("a late request is handled only after the client gave up", async () => {
  await weather({ type: "late", probability: 1, delayMs: 30 })
  assert.equal(await pay({ giveUpMs: 50, key: "late" }), "GAVE_UP")
  assert.equal(charged(), 0)
  await until(() => charged() === 1)
})

test("a 500 before handling moves no money; a 500 after it does, and stands under its key", async () => {
  await weather({ type: "error_before", probability: 1, status: 503 })
  assert.equal((await answered()).status, 503)
  assert.equal(charged(), 0)
  await weather({ type: "error_after", probability: 1 })
  const first = await answered({ key: "k" })
  assert.match(first.body, /"type": "api_error"/)
  await weather()
  assert.equal((await answered({ key: "k" })).status, 500)
  assert.equal(charged(), 1)
})

test("a body that breaks off is an error of the connection, although the money has moved", async () => {
  await weather({ type: "truncated", probability: 1 })
  assert.equal(await pay(), "ECONNRESET")
  assert.equal(charged(), 1)
})

test("a proxy's page may stand in for the answer, with the request handled or not", async () => {
  await weather({ type: "foreign", probability: 1 })
  const page = await answered()
  assert.deepEqual([page.status, page.type], [502, "text/html"])
  assert.match(page.body, /502 Bad Gateway/)
  assert.equal(charged(), 0)
  await weather({ type: "foreign", probability: 1, handled: true, status: 504 })
  assert.equal((await answered()).status, 504)
  assert.equal(charged(), 1)
})

test("an address with too many slashes is only unknown", async () => {
  assert.equal((await fetch(`${url}//`, { headers: { authorization: "Bearer sk_test_host" } })).status, 404)
  assert.equal((await fetch(`${simulator.controlUrl}//`)).status, 200)
})

test("a request that is too large is refused before it is read", async () => {
  const response = await fetch(`${url}/v1/payment_intents`, { method: "POST", body: "a".repeat(300_000) })
  assert.equal(response.status, 413)
})

test("webhooks are posted to the account's address, and again until it takes them", async () => {
  const seen: string[] = []
  const merchant = createServer((message, reply) => {
    seen.push(String(message.headers["stripe-signature"]))
    reply.writeHead(seen.length <= 3 ? 500 : 200).end()
  })
  await new Promise<void>((resolve) => merchant.listen(0, "127.0.0.1", resolve))
  const { port } = merchant.address() as AddressInfo
  assert.equal((await control("PUT", "/accounts/acct/webhook", { url: `http://127.0.0.1:${port}/` })).status, 200)
  await answered()
  await until(() => simulator.account("acct")?.deliveries().delivered === 3)
  assert.deepEqual(simulator.account("acct")?.deliveries(), {
    delivered: 3,
    failedTries: 3,
    lost: 0,
    givenUp: 0,
    waiting: 0,
  })
  assert.match(seen[0] ?? "", /^t=\d+,v1=[0-9a-f]{64}$/)
  simulator.setWebhookUrl("acct", undefined)
  merchant.close()
  merchant.closeAllConnections()
})

test("the control API sets weather, and names what is wrong with it", async () => {
  const stormy: Weather = { faults: [{ type: "rate_limited", probability: 1, match: { operation: ["authorize"] } }] }
  assert.deepEqual(await control("PUT", "/accounts/acct/weather", stormy), { status: 200, body: stormy })
  assert.equal((await answered()).status, 429)
  const wrong = await control("PUT", "/accounts/acct/weather", { faults: [{ type: "rain", probability: 1 }] })
  assert.equal(wrong.status, 400)
  assert.match(JSON.stringify(wrong.body), /weather\.faults\[0\]\.type must be one of/)
  assert.equal((await answered()).status, 429, "wrong weather changes nothing")
})

test("the control API tells the truth in minor units as strings, and makes cardholders dispute", async () => {
  const { id } = JSON.parse((await answered()).body) as { id: string }
  const disputed = await control("POST", `/accounts/acct/charges/${id}/dispute`, { amount: "500" })
  assert.equal(disputed.status, 200)
  const truth = await control("GET", "/accounts/acct/truth")
  const [charge] = truth.body as { reference: string; captured: string; disputed: string }[]
  assert.deepEqual([charge?.reference, charge?.captured, charge?.disputed], [id, "2000", "500"])
  assert.deepEqual((await control("GET", "/truth")).body, truth.body)
  assert.equal((await control("POST", `/accounts/acct/charges/${id}/expire`)).status, 409)
  assert.equal((await control("GET", "/accounts/none/truth")).status, 404)
})

test("somebody at the provider's dashboard refunds, captures and voids, within what the charge allows", async () => {
  const byHand = (id: string, document: unknown) => control("POST", `/accounts/acct/charges/${id}/dashboard`, document)
  const { id } = JSON.parse((await answered()).body) as { id: string }
  const refunded = await byHand(id, { action: "refund", amount: "500" })
  assert.deepEqual([refunded.status, (refunded.body as { refunded: string }).refunded], [200, "500"])
  assert.equal((await byHand(id, { action: "refund", amount: 1501 })).status, 409)
  for (const action of ["capture", "void", "cancel_or_refund"]) assert.equal((await byHand(id, { action })).status, 409)
  assert.equal((await byHand("none", { action: "refund" })).status, 409)
  const wrong: readonly unknown[] = [
    {},
    { action: "expire" },
    { action: "refund", amount: "-1" },
    { action: "capture", final: 1 },
  ]
  for (const document of wrong) assert.equal((await byHand(id, document)).status, 400)
  const whole = await byHand(id, { action: "refund" })
  assert.equal((whole.body as { held: string }).held, "0")
  const disputed = JSON.parse((await answered()).body) as { id: string }
  assert.equal((await byHand(disputed.id, { action: "dispute", amount: 100 })).status, 200)
})

test("a reset forgets all money and begins the same history again", async () => {
  const idOf = async (): Promise<string> => (JSON.parse((await answered()).body) as { id: string }).id
  const first = await idOf()
  assert.equal((await control("POST", "/reset")).status, 200)
  assert.equal(charged(), 0)
  assert.equal(await idOf(), first)
  await control("POST", "/reset", { seed: "another" })
  assert.notEqual(await idOf(), first)
  await control("POST", "/reset", { seed: "host" })
})

test("the log tells what came in and what the weather did with it, without card data", async () => {
  await weather({ type: "hang_after", probability: 1, holdMs: 1 })
  const card = "payment_method_data[type]=card&payment_method_data[card][number]=4242424242424242"
  const body = `${card}&payment_method_data[card][cvc]=737&payment_method_data[card][exp_month]=1&amount=2000&confirm=true`
  const headers = { authorization: "Bearer sk_test_host" }
  await fetch(`${url}/v1/payment_intents`, { method: "POST", headers, body }).catch(() => undefined)
  const log = (await control("GET", "/requests?account=acct&limit=1")).body as Record<string, string>[]
  assert.equal(log[0]?.["operation"], "authorize")
  assert.deepEqual([log[0]?.["handled"], log[0]?.["answer"]], ["at_once", "silence"])
  assert.match(log[0]?.["body"] ?? "", /\[number\]=424242\*+4242&.*\[cvc\]=\*\*\*&/)
  assert.doesNotMatch(JSON.stringify(log), /4242424242424242|737/)
})

test("accounts can be added while running, each at its own address", async () => {
  const wrong = await control("POST", "/accounts", { persona: "paypal", webhook_url: "ftp://x", colour: "red" })
  assert.equal(wrong.status, 400)
  assert.match(JSON.stringify(wrong.body), /colour is not known.*persona must be one of stripe.*webhook_url must be/)
  const added = await control("POST", "/accounts", { persona: "stripe" })
  assert.equal(added.status, 201)
  const account = added.body as { id: string; url: string; credentials: { secretKey: string } }
  assert.equal(account.id, "stripe_1")
  const headers = { authorization: `Bearer ${account.credentials.secretKey}` }
  assert.equal((await fetch(`${account.url}/v1/account`, { headers })).status, 200)
  assert.equal((await fetch(`${url}/v1/account`, { headers })).status, 401, "keys are an account's own")
  assert.equal((await control("POST", "/accounts", { persona: "stripe", id: "stripe_1" })).status, 409)
})

test("the control API lists itself, and says what an address takes", async () => {
  assert.match(JSON.stringify((await control("GET", "/")).body), /PUT \/accounts\/:id\/weather/)
  assert.equal((await control("DELETE", "/accounts")).status, 405)
  assert.equal((await control("GET", "/nothing")).status, 404)
})
