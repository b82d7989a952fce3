// A connector and its simulated provider, joined by real sockets: the engine's own transport on one side, the provider's
// port with its weather on the other, and a small server that takes the webhooks. The provider's clock runs fast, so that
// what takes it seconds takes tests milliseconds. Test support, not part of the server.

import assert from "node:assert/strict"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import { createServer, request as httpRequest } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { startSimulator, type TrueCharge, type Weather } from "@orchestra/simulator"
import type { Outcome } from "../core/outcome.ts"
import { secret } from "../core/secret.ts"
import { createTransport, type Limits } from "../engine/transport.ts"
import { systemPorts } from "../ports.ts"
import type { AccountConfig, AuthorizeInput, Connector, Field, Notice } from "./connector.ts"
import { codecOf } from "./contract-encode.ts"
import { type AnyInput, standardInput } from "./contract-input.ts"
import type { SampleOperation } from "./contract-sample.ts"
import { questionAbout, referenceOf } from "./contract-shop.ts"
import { nodeHmac } from "./contract-webhook.ts"

/** What a provider's test values are: `<id>/scenarios.json`. */
export type TestValues = {
  /** Settings of the account beyond the simulator's keys. */
  readonly settings?: Readonly<Record<string, string>>
  readonly cards: Readonly<
    Record<"approved" | "challenged", TestCard> & Record<"softDecline" | "hardDecline", Declined>
  >
}
export type TestCard = {
  readonly number: string
  readonly holderName?: string
  /** Where the provider decides by amount. */
  readonly amount?: string
}
type Declined = TestCard & { readonly reason: string }

/** A provider's second lasts that much less. */
const speed = 60
/** Nothing takes that long (ms): whoever waits longer waits for what never comes. */
const patienceMs = 20_000
const pollMs = 10

const limits: Limits = { connectMs: 5_000, totalMs: 10_000, notAfter: Infinity, keepAliveMs: 1_000, connections: 4 }

export type HttpShop = Awaited<ReturnType<typeof openHttpShop>>

export function readTestValues(connector: Connector): TestValues | undefined {
  const file = new URL(`./${connector.manifest.id}/scenarios.json`, import.meta.url)
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as TestValues) : undefined
}

export async function openHttpShop(connector: Connector, values: TestValues) {
  const { manifest } = connector
  const bornAt = Date.now()
  const now = (): number => bornAt + (Date.now() - bornAt) * speed
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const { clock } = systemPorts(() => 0, silent)
  const transport = createTransport(clock)
  const notices: Notice[] = []
  const troubles: unknown[] = []

  const receiver = createServer((message, reply) => {
    let body = ""
    message.setEncoding("utf8")
    message.on("data", (part: string) => (body += part))
    message.on("end", () => {
      const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, String(value)]))
      const verdict = connector.webhook.verify({ headers, body }, [ready.webhookSecret], now(), nodeHmac)
      if (verdict.kind === "genuine") notices.push(...connector.webhook.decode({ headers, body }))
      else troubles.push({ verdict, body })
      const { status, body: text } = connector.webhook.acknowledgement
      reply.writeHead(status).end(text)
    })
  }).listen(0, "127.0.0.1")
  await once(receiver, "listening")

  const persona = manifest.id as "stripe"
  const simulator = await startSimulator({ accounts: [{ id: "shop", persona }] }, fastPorts(now, troubles))
  const ready = simulator.accounts()[0]!
  simulator.setWebhookUrl("shop", `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`)

  const config: AccountConfig = {
    mode: "test",
    credentials: Object.fromEntries(
      Object.entries(named(manifest.credentials, ready.credentials)).map(([name, value]) => [name, secret(value)]),
    ),
    settings: { ...named(manifest.settings, ready.credentials), ...values.settings },
  }
  let payments = 0

  async function run(operation: SampleOperation, input: AnyInput, over = transport): Promise<Outcome> {
    const codec = codecOf(connector, operation)
    const sent = await over.send(ready.url, codec.encode(input, config), limits)
    if (sent.kind === "answered") return codec.decode(sent.response, input)
    return { kind: sent.kind === "sent" ? "unknown" : "not_sent", raw: { code: sent.code }, evidence: {} }
  }

  /** The input of a new payment, prepared where the connector does that. */
  async function begin(change: Partial<AuthorizeInput> = {}, card: TestCard = values.cards.approved) {
    const { reference: _standard, ...standard } = standardInput(connector, "authorize") as AuthorizeInput
    payments += 1
    const serial = String(payments).padStart(26, "0")
    const method = cardOf(standard, card)
    const amount = card.amount === undefined ? {} : { amount: { ...standard.amount, minor: BigInt(card.amount) } }
    const ids = { key: `key_${serial}`, attempt: `att_${serial}` }
    const input: AuthorizeInput = { ...standard, ...ids, threeDs: { mode: "none" }, method, ...amount, ...change }
    if (connector.codecs.prepare === undefined) return input
    const prepared = await run("prepare", { ...input, key: `${ids.key}p` })
    assert.equal(prepared.kind, "approved", `${prepared.raw.code}: ${prepared.raw.message}`)
    return { ...input, reference: referenceOf(prepared) }
  }

  return {
    connector,
    values,
    run: (operation: SampleOperation, input: AnyInput): Promise<Outcome> => run(operation, input),
    /** Over connections of its own: none is left from before. */
    async runAfresh(operation: SampleOperation, input: AnyInput): Promise<Outcome> {
      const fresh = createTransport(clock)
      try {
        return await run(operation, input, fresh)
      } finally {
        await fresh.close()
      }
    },
    begin,
    async pay(change: Partial<AuthorizeInput> = {}, card?: TestCard) {
      const input = await begin(change, card)
      return { input, outcome: await run("authorize", input) }
    },
    /** From now on, until other weather is set. */
    setWeather: (weather: Weather): Promise<boolean> => simulator.setWeather("shop", weather),
    /** Somebody at the provider's dashboard: over the simulator's control API. */
    async byHand(reference: string, deed: Readonly<Record<string, unknown>>): Promise<void> {
      const url = `${simulator.controlUrl}/accounts/shop/charges/${reference}/dashboard`
      const response = await fetch(url, { method: "POST", body: JSON.stringify(deed) })
      assert.equal(response.status, 200, await response.text())
    },
    /** What the provider would swear to about one payment. */
    truth: ({ attempt }: Pick<AuthorizeInput, "attempt">): readonly TrueCharge[] =>
      simulator.truth("shop").filter(({ merchantReference }) => merchantReference === attempt),
    /** Waits for the first notice that fits. */
    told: (fits: (notice: Notice) => boolean, what: string): Promise<Notice> =>
      until(
        () => notices.find(fits),
        what,
        () => notices.map(({ type }) => type).join(),
      ),
    eventually: (isSo: () => boolean, what: string): Promise<true> =>
      until(
        () => (isSo() ? true : undefined),
        what,
        () => "nothing",
      ),
    /** A verdict about an operation whose first answer was none, in the ways that the manifest says there are. */
    settle(kind: SettledKind, input: AnyInput, authorization: AuthorizeInput, first: Outcome): Promise<Outcome> {
      let outcome = first
      const { replay, inquiry } = manifest.operations[kind]!
      const isOpen = (): boolean => outcome.kind === "unknown" || outcome.kind === "pending"
      const ways: readonly (() => Outcome | Promise<Outcome>)[] = [
        () => notices.find((notice) => isVerdict(notice, kind, input))?.outcome ?? outcome,
        () => (outcome.kind === "unknown" && replay.stores === "all" ? run(kind, input) : outcome),
        async () => {
          const question = questionAbout(kind, authorization, kind === "authorize" ? {} : (input as object), outcome)
          const key = question.reference === undefined ? inquiry.byAttempt : inquiry.byReference
          const answer = key === "none" ? outcome : await run("inquire", question)
          // Not there yet is no verdict while the provider may lag behind.
          return answer.kind === "absent" ? outcome : answer
        },
      ]
      return until(
        async () => {
          for (const way of ways) if (isOpen()) outcome = keepReference(await way(), outcome)
          return isOpen() ? undefined : outcome
        },
        `a verdict about ${kind}`,
        () => outcome.raw.code,
      )
    },
    /** The customer at the bank's page: what the browser brings back from there. */
    async challenge(outcome: Outcome, deed: "authenticated" | "failed"): Promise<Readonly<Record<string, string>>> {
      assert.ok(outcome.kind === "action", `${outcome.kind}: ${outcome.raw.code} ${outcome.raw.message ?? ""}`)
      assert.equal((await browse("GET", outcome.action.url)).status, 200)
      const { location } = await browse("POST", outcome.action.url, `challenge=${deed}`)
      return Object.fromEntries(new URL(location ?? assert.fail("the page leads nowhere")).searchParams)
    },
    async close(): Promise<void> {
      await Promise.all([simulator.close(), transport.close()])
      receiver.closeAllConnections()
      receiver.close()
      assert.deepEqual(troubles, [], "every webhook is genuine, and the simulated provider never failed by itself")
    },
  }
}

type SettledKind = "authorize" | "capture" | "void" | "refund" | "increment"

const undecided: ReadonlySet<Outcome["kind"]> = new Set(["pending", "unknown", "action"])

/** The notice that decides an operation: by our id of it, or by the attempt where it has none of its own. */
export function isVerdict(notice: Notice, kind: SettledKind, input: AnyInput): boolean {
  if (notice.trust !== "signed" || undecided.has(notice.outcome.kind)) return false
  if (kind === "authorize") return notice.about === "authorize" && notice.attempt === input.attempt
  const operation = "operation" in input ? input.operation : undefined
  return (
    notice.operation === operation || (kind === "void" && notice.about === "void" && notice.attempt === input.attempt)
  )
}

const keepReference = (outcome: Outcome, before: Outcome): Outcome => ({
  ...outcome,
  evidence: { ...before.evidence, ...outcome.evidence },
})

function cardOf({ method }: AuthorizeInput, { number, holderName }: TestCard): AuthorizeInput["method"] {
  assert.equal(method.type, "card")
  const name = holderName === undefined ? {} : { holderName }
  // The security code that Adyen's test cards have; the others take any.
  return { ...method, number: secret(number), cvc: secret("737"), ...name }
}

/** The simulator's keys under the manifest's names: `api_key` is `apiKey`. */
function named(fields: readonly Field[], keys: Readonly<Record<string, string>>): Record<string, string> {
  const plain = (name: string): string => name.replaceAll("_", "").toLowerCase()
  return Object.fromEntries(
    fields.flatMap(({ name }) => {
      const found = Object.entries(keys).find(([key]) => plain(key) === plain(name))
      return found === undefined ? [] : [[name, found[1]]]
    }),
  )
}

/** The simulator's world with a fast clock. Timers keep no test alive. */
function fastPorts(now: () => number, troubles: unknown[]): NonNullable<Parameters<typeof startSimulator>[1]> {
  return {
    now,
    after: (ms, run) => {
      const timer = setTimeout(run, Math.min(ms / speed, 2 ** 31 - 1)).unref()
      return () => clearTimeout(timer)
    },
    complain: (error) => void troubles.push(error),
    post: async (url, headers, body) => {
      const response = await fetch(url, { method: "POST", headers, body }).catch(() => undefined)
      await response?.arrayBuffer()
      return response?.status
    },
  }
}

/** Polls until something is there. The patience is no expectation: it ends waiting for what never comes. */
async function until<T>(
  look: () => T | undefined | Promise<T | undefined>,
  what: string,
  seen: () => string,
): Promise<T> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    assert.ok(Date.now() < deadline, `waited in vain for ${what}; there was ${seen()}`)
    await sleep(pollMs)
  }
}

/** One request of a browser that follows nothing. */
async function browse(method: "GET" | "POST", url: string, body = ""): Promise<{ status?: number; location?: string }> {
  const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) }
  const request = httpRequest(url, { method, headers }).end(body)
  const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage]
  response.resume()
  const { statusCode: status, headers: answered } = response
  return {
    ...(status === undefined ? {} : { status }),
    ...(answered.location === undefined ? {} : { location: answered.location }),
  }
}
