import assert from "node:assert/strict"
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { after, before, test } from "node:test"
import { Webhook } from "standardwebhooks"
import { makeId, type EventId, type MerchantId, type WebhookEndpointId } from "../core/id.ts"
import { secret, type Secret } from "../core/secret.ts"
import { systemPorts } from "../ports.ts"
import type { Database } from "../storage/database.ts"
import type { OutboxEvent } from "../storage/ledger/ledger.ts"
import { createPostgresLedger } from "../storage/ledger/postgres.ts"
import { inserting, sampleEvent, samplePayment } from "../storage/ledger/sample.ts"
import { freshDatabase } from "../../testing/pools.ts"
import { until } from "../../testing/wait.ts"
import { deliveryRows, listDeliveries, type DeliveryRow } from "../storage/resources/deliveries.ts"
import { createMerchant } from "../storage/resources/merchants.ts"
import {
  createWebhookEndpoint,
  findWebhookEndpoint,
  rotateWebhookSecret,
  updateWebhookEndpoint,
  type WebhookEndpoint,
} from "../storage/resources/webhook-endpoints.ts"
import { parseKeyRing } from "../vault/key-ring.ts"
import { createVault } from "../vault/vault.ts"
import { LIVE_RULES, TEST_RULES } from "./address-guard.ts"
import { runDeliverer, webhookSink, type Deliverer } from "./deliver.ts"
import { DELIVERY_DELAYS_MS } from "./delivery.ts"
import type { Loop } from "./loop.ts"
import { relayOnce, type Sink } from "./relay.ts"
import { replaySince } from "./replay.ts"
import { newSigningSecret } from "./webhook-message.ts"
import { createPoster, type WebhookPoster } from "./webhook-post.ts"

const logged: { readonly fields: object; readonly message: string }[] = []
const note = (fields: object, message: string): void => void logged.push({ fields, message })
const ports = systemPorts(() => 0, { info: () => {}, warn: note, error: note })
const key = (fill: number): string => Buffer.alloc(32, fill).toString("base64")
const vault = createVault(parseKeyRing(`k1:${key(1)},fingerprint:${key(2)}`), ports)

let database: Database
let poster: WebhookPoster
let deliverer: Deliverer
const running = new Set<Loop>()
const servers: Server[] = []

before(async () => {
  database = (await freshDatabase()).open()
  poster = createPoster({
    clock: ports.clock,
    resolve: async () => ["127.0.0.1"],
    rules: { live: LIVE_RULES, test: TEST_RULES },
  })
  deliverer = {
    ...ports,
    deliveries: deliveryRows(database),
    poster,
    openSecret: (merchant, endpoint, sealed) => textOf(vault.open("webhook_endpoints", merchant, endpoint, sealed)),
  }
})
after(async () => {
  for (const server of servers) server.closeAllConnections()
  for (const server of servers) server.close()
  await Promise.all([...running].map((loop) => loop.stop()))
  await poster.close()
  await database.close()
})

const textOf = (bytes: Secret<Uint8Array>): Secret<string> => secret(Buffer.from(bytes.reveal()).toString("utf8"))
const fresh = (): Uint8Array => ports.chance.bytes(16)

type Got = { readonly id: EventId; readonly headers: IncomingHttpHeaders; readonly body: string }
type Receiver = { readonly url: string; readonly got: Got[]; answer: (response: ServerResponse, got: Got) => void }

async function receiver(): Promise<Receiver> {
  const made: { -readonly [K in keyof Receiver]: Receiver[K] } = {
    url: "",
    got: [],
    answer: (response) => response.end(),
  }
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk) => (body += String(chunk)))
    request.on("end", () => {
      const got = { id: request.headers["webhook-id"] as EventId, headers: request.headers, body }
      made.got.push(got)
      made.answer(response, got)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  made.url = `http://hooks.example.test:${(server.address() as AddressInfo).port}/orchestra`
  return made
}
const saying =
  (status: number) =>
  (response: ServerResponse): void =>
    void response.writeHead(status).end(`status ${status}`)

async function merchantOf(): Promise<MerchantId> {
  const id = makeId("mer", Date.now(), fresh())
  await createMerchant(database, { id, name: "A shop", settings: {} })
  return id
}

type Made = { readonly endpoint: WebhookEndpoint; readonly key: Secret<string> }
async function endpointOf(merchant: MerchantId, url: string, change: Partial<WebhookEndpoint> = {}): Promise<Made> {
  const id = makeId("whe", Date.now(), fresh())
  const signing = newSigningSecret(ports.chance.bytes(32))
  const endpoint = await createWebhookEndpoint(
    database,
    {
      id,
      merchant,
      mode: "test",
      url,
      description: "",
      eventTypes: ["*"],
      apiVersion: "2026-11-01",
      state: "enabled",
      ...change,
    },
    sealed(merchant, id, signing),
  )
  return { endpoint, key: signing }
}
const sealed = (merchant: MerchantId, id: WebhookEndpointId, signing: Secret<string>) =>
  vault.seal("webhook_endpoints", merchant, id, secret(Buffer.from(signing.reveal())))

/** One payment with so many events, through the outbox into deliveries. */
async function happen(merchant: MerchantId, types: readonly string[], mode: "live" | "test" = "test") {
  const payment = samplePayment(Date.now(), { merchant, mode })
  const at = Date.now()
  const events = types.map((type): OutboxEvent => {
    const data = { payment: payment.id, status: "captured" }
    return sampleEvent(payment, at, { id: makeId("evt", at, fresh()), type, data })
  })
  await createPostgresLedger(database).commit(inserting(payment, { events, wakeAt: undefined }))
  await relay((seen) => events.every(({ id }) => seen.has(id)))
  return events
}

/** Until so much has been handed over: a transaction of another test on the same cluster holds the relay back. */
async function relay(enough: (seen: ReadonlySet<EventId>) => boolean | Promise<boolean>): Promise<void> {
  const ledger = createPostgresLedger(database)
  const seen = new Set<EventId>()
  const sink = webhookSink(deliverer.deliveries, () => running.forEach((loop) => loop.wake()))
  const noted: Sink = {
    ...sink,
    accept: async (heads) => {
      await sink.accept(heads)
      for (const { id } of heads) seen.add(id)
    },
  }
  const lease = { name: "webhooks", owner: "test", leaseMs: 60_000 }
  await until("the relay", async () => {
    await relayOnce({ ...ports, ledger }, [noted], lease)
    return enough(seen)
  })
}

function deliver(parts: Deliverer = deliverer): Loop {
  const loop = runDeliverer(parts)
  const stop = (): Promise<void> => loop.stop().finally(() => running.delete(handle))
  const handle = { wake: () => loop.wake(), stop }
  running.add(handle)
  return handle
}

const rowsOf = async ({ endpoint: { merchant, id } }: Made): Promise<readonly DeliveryRow[]> =>
  (await listDeliveries(database, { merchant, endpoint: id }, { limit: 100 })).rows
async function rowOf(made: Made): Promise<DeliveryRow> {
  const [row, second] = await rowsOf(made)
  assert(row !== undefined && second === undefined, "one delivery is expected")
  return row
}
const tried = (made: Made, tries: number): Promise<void> =>
  until(`${tries} tries`, async () => (await rowOf(made)).tries === tries)
const stateOf = async ({ endpoint: { merchant, id } }: Made): Promise<string | undefined> =>
  (await findWebhookEndpoint(database, merchant, id))?.state
const settled = (made: Made): Promise<void> =>
  until("all deliveries over", async () => (await rowsOf(made)).every((row) => row.state !== "pending"))

/** As if the schedule's wait were over. */
async function comeDue({ endpoint: { merchant, id } }: Made, tries?: number): Promise<void> {
  const text = `update deliveries set next_ms = now_ms(), tries = coalesce($3, tries)
    where merchant_id = $1 and endpoint_id = $2 and next_ms is not null`
  await database.query({ name: "come-due", text }, [merchant, id, tries ?? null])
  for (const loop of running) loop.wake()
}

test("an event reaches each endpoint of its merchant and mode that wants its type, once, and is verified there", async () => {
  const [merchant, stranger] = [await merchantOf(), await merchantOf()]
  const wanted = [await receiver(), await receiver(), await receiver()] as const
  const unwanted = await receiver()
  const [all, exact, group] = [
    await endpointOf(merchant, wanted[0].url),
    await endpointOf(merchant, wanted[1].url, { eventTypes: ["payment.captured"] }),
    await endpointOf(merchant, wanted[2].url, { eventTypes: ["payment.*", "refund.approved"] }),
  ]
  await endpointOf(merchant, unwanted.url, { eventTypes: ["refund.*"] })
  await endpointOf(merchant, unwanted.url, { mode: "live" })
  await endpointOf(merchant, unwanted.url, { state: "disabled" })
  await endpointOf(stranger, unwanted.url)
  const [event] = await happen(merchant, ["payment.captured"])
  // The relay may hand over the same events again.
  await deliverer.deliveries.fanOut([event ?? assert.fail()])
  const loop = deliver()
  for (const made of [all, exact, group]) await settled(made)
  await loop.stop()
  for (const [index, { key: signing }] of [all, exact, group].entries()) {
    const { got } = wanted[index] ?? assert.fail()
    assert.equal(got.length, 1)
    const message = got[0] ?? assert.fail()
    assert.equal(message.id, event?.id)
    const body = new Webhook(signing.reveal()).verify(message.body, message.headers as Record<string, string>)
    assert.deepEqual(body, {
      type: "payment.captured",
      timestamp: new Date(event?.at ?? 0).toISOString(),
      sequence: event?.sequence,
      data: event?.data,
    })
  }
  assert.equal(unwanted.got.length, 0)
  const row = await rowOf(all)
  assert.deepEqual([row.state, row.tries, row.nextAt], ["delivered", 1, undefined])
})

test("a failed try is in the log with its answer and comes again by schedule, under the same id", async () => {
  const merchant = await merchantOf()
  const shop = await receiver()
  shop.answer = saying(503)
  const made = await endpointOf(merchant, shop.url)
  await happen(merchant, ["payment.captured"])
  const loop = deliver()
  await tried(made, 1)
  const first = await rowOf(made)
  assert.deepEqual([first.state, first.log[0]?.status, first.log[0]?.answer], ["pending", 503, "status 503"])
  assert.ok((first.nextAt ?? 0) - (first.log[0]?.at ?? 0) >= (DELIVERY_DELAYS_MS[0] ?? 0))
  shop.answer = saying(200)
  await comeDue(made)
  await tried(made, 2)
  await loop.stop()
  const second = await rowOf(made)
  assert.equal(second.state, "delivered")
  assert.deepEqual(
    second.log.map((one) => one.status),
    [503, 200],
  )
  assert.equal(shop.got[0]?.id, shop.got[1]?.id)
})

test("410 disables the endpoint at once, whatever it took before, and tells the others; its deliveries wait until it is enabled", async () => {
  const merchant = await merchantOf()
  const [gone, other] = [await receiver(), await receiver()]
  const passed = (): Promise<boolean> =>
    rowsOf(leaving).then((rows) => rows.some((row) => row.event.type === "payment.late" && row.state === "delivered"))
  gone.answer = (response, { body }) => {
    if (body.includes("payment.captured")) void until("the other one", passed).then(() => saying(410)(response))
    else saying(200)(response)
  }
  const leaving = await endpointOf(merchant, gone.url, { eventTypes: ["payment.*"] })
  const watching = await endpointOf(merchant, other.url, { eventTypes: ["webhook_endpoint.disabled"] })
  const loop = deliver()
  await happen(merchant, ["payment.authorized"])
  await settled(leaving)
  await happen(merchant, ["payment.captured", "payment.late"])
  await until("disabled", async () => (await stateOf(leaving)) === "disabled")
  const row = (await rowsOf(leaving)).find((one) => one.event.type === "payment.captured")
  assert.equal(row?.state, "failed")
  await relay(async () => (await rowsOf(watching)).length > 0)
  await settled(watching)
  const body = JSON.parse(other.got[0]?.body ?? "") as { type: string; data: Record<string, unknown> }
  assert.equal(body.type, "webhook_endpoint.disabled")
  assert.deepEqual(body.data, {
    webhook_endpoint: leaving.endpoint.id,
    mode: "test",
    url: gone.url,
    reason: "gone",
  })
  gone.answer = saying(200)
  assert.ok(await deliverer.deliveries.replay(row?.key ?? assert.fail()))
  const { got } = gone
  await happen(merchant, ["payment.captured"])
  assert.equal(got.length, 3, "nothing is posted to a disabled endpoint")
  const stored = await findWebhookEndpoint(database, merchant, leaving.endpoint.id)
  await updateWebhookEndpoint(database, merchant, leaving.endpoint.id, stored?.version ?? 0, { state: "enabled" })
  loop.wake()
  await settled(leaving)
  await loop.stop()
  assert.equal(got.length, 4)
})

test("an endpoint to which nothing got through for all of a delivery's tries is disabled; one that works in between is not", async () => {
  const merchant = await merchantOf()
  const [dead, picky] = [await receiver(), await receiver()]
  dead.answer = saying(500)
  picky.answer = (response, { body }) => saying(body.includes("payment.odd") ? 500 : 200)(response)
  const given = await endpointOf(merchant, dead.url)
  const kept = await endpointOf(merchant, picky.url)
  await happen(merchant, ["payment.odd"])
  await happen(merchant, ["payment.captured"])
  const loop = deliver()
  await until("first tries", async () => {
    const rows = [...(await rowsOf(given)), ...(await rowsOf(kept))]
    return rows.length === 4 && rows.every((row) => row.tries === 1)
  })
  assert.equal(await stateOf(given), "enabled")
  for (const made of [given, kept]) await comeDue(made, DELIVERY_DELAYS_MS.length)
  await until("disabled", async () => (await stateOf(given)) === "disabled")
  await settled(kept)
  await loop.stop()
  assert.equal(await stateOf(kept), "enabled")
  assert.deepEqual((await rowsOf(kept)).map((row) => row.state).sort(), ["delivered", "failed"])
})

test("endpoints that never answer do not delay the others", async () => {
  const merchant = await merchantOf()
  const silent = await Promise.all([receiver(), receiver(), receiver()])
  for (const one of silent) one.answer = () => {}
  const hanging = await Promise.all(silent.map((one) => endpointOf(merchant, one.url)))
  const alive = await receiver()
  const made = await endpointOf(merchant, alive.url)
  await happen(
    merchant,
    Array.from({ length: 40 }, (_, n) => `payment.number_${n}`),
  )
  const loop = deliver()
  await settled(made)
  assert.equal(new Set(alive.got.map((one) => one.id)).size, 40)
  assert.deepEqual(
    silent.map((one) => one.got.length),
    [1, 1, 1],
    "an endpoint that was never heard of gets one post at a time",
  )
  for (const { endpoint } of hanging)
    await updateWebhookEndpoint(database, merchant, endpoint.id, endpoint.version, { state: "disabled" })
  for (const server of servers) server.closeAllConnections()
  await loop.stop()
})

test("during a rotation old and new secret sign, afterwards the new one alone", async () => {
  const merchant = await merchantOf()
  const shop = await receiver()
  const made = await endpointOf(merchant, shop.url)
  const { id } = made.endpoint
  const next = newSigningSecret(ports.chance.bytes(32))
  await rotateWebhookSecret(database, merchant, id, sealed(merchant, id, next), Date.now() + 3_600_000)
  await happen(merchant, ["payment.captured"])
  const loop = deliver()
  await settled(made)
  const verify = (signing: Secret<string>, { body, headers }: Got): unknown =>
    new Webhook(signing.reveal()).verify(body, headers as Record<string, string>)
  const during = shop.got[0] ?? assert.fail()
  verify(made.key, during)
  verify(next, during)
  const last = newSigningSecret(ports.chance.bytes(32))
  await rotateWebhookSecret(database, merchant, id, sealed(merchant, id, last), Date.now() - 1)
  await happen(merchant, ["payment.refunded"])
  await settled(made)
  await loop.stop()
  const afterwards = shop.got[1] ?? assert.fail()
  verify(last, afterwards)
  for (const old of [made.key, next]) assert.throws(() => verify(old, afterwards), /No matching signature/)
})

test("one delivery is sent again on request, and everything since a time, with the ids it had", async () => {
  const merchant = await merchantOf()
  const shop = await receiver()
  const made = await endpointOf(merchant, shop.url, { eventTypes: ["payment.captured"] })
  const events = await happen(merchant, ["payment.captured", "payment.authorized", "payment.captured"])
  const wanted = events.filter((event) => event.type === "payment.captured").map((event) => event.id)
  const loop = deliver()
  await settled(made)
  const [row] = await rowsOf(made)
  assert.ok(await deliverer.deliveries.replay(row?.key ?? assert.fail()))
  await until("three posts", () => shop.got.length === 3)
  await settled(made)
  assert.equal(shop.got.filter((one) => one.id === row?.key.event).length, 2)
  const { endpoint } = made
  const earlier = (events[0]?.at ?? 0) - 1
  assert.deepEqual(await replaySince(deliverer, merchant, endpoint.id, earlier), { replayed: 2, next: undefined })
  await until("five posts", () => shop.got.length === 5)
  await settled(made)
  await loop.stop()
  assert.deepEqual(
    shop.got
      .slice(3)
      .map((one) => one.id)
      .sort(),
    [...wanted].sort(),
  )
  assert.deepEqual(await replaySince(deliverer, merchant, endpoint.id, Date.now() + 60_000), {
    replayed: 0,
    next: undefined,
  })
  assert.equal(await deliverer.deliveries.replay({ ...(row?.key ?? assert.fail()), event: "evt_none" }), false)
})

test("an endpoint made after the events can be sent all of them", async () => {
  const merchant = await merchantOf()
  const events = await happen(merchant, ["payment.captured", "payment.refunded"])
  const shop = await receiver()
  const made = await endpointOf(merchant, shop.url)
  await replaySince(deliverer, merchant, made.endpoint.id, 0)
  const loop = deliver()
  await settled(made)
  await loop.stop()
  assert.deepEqual(shop.got.map((one) => one.id).sort(), events.map((event) => event.id).sort())
})

test("of several processes one posts each message", async () => {
  const merchant = await merchantOf()
  const shop = await receiver()
  const made = await endpointOf(merchant, shop.url)
  const events = await happen(
    merchant,
    Array.from({ length: 30 }, (_, n) => `payment.number_${n}`),
  )
  const loops = [deliver(), deliver(), deliver()]
  await settled(made)
  for (const loop of loops) await loop.stop()
  assert.equal(shop.got.length, events.length)
})

test("what a process had claimed when it died comes again when the claim has run out", async () => {
  const merchant = await merchantOf()
  const shop = await receiver()
  const made = await endpointOf(merchant, shop.url)
  await happen(merchant, ["payment.captured"])
  const [due] = await deliverer.deliveries.due(10, 10, [])
  assert.equal(due?.key.endpoint, made.endpoint.id)
  assert.ok(await deliverer.deliveries.claim(due, 60_000))
  assert.equal(await deliverer.deliveries.claim(due, 60_000), false)
  assert.deepEqual(await deliverer.deliveries.due(10, 10, []), [])
  await comeDue(made)
  const loop = deliver()
  await settled(made)
  await loop.stop()
  assert.equal(shop.got.length, 1)
})

test("an endpoint whose secret does not open is not posted to, keeps its deliveries, and is not to blame", async () => {
  const merchant = await merchantOf()
  const shop = await receiver()
  const made = await endpointOf(merchant, shop.url)
  await happen(merchant, ["payment.captured"])
  const loop = deliver({
    ...deliverer,
    openSecret: () => {
      throw new Error("the key is gone")
    },
  })
  await tried(made, 1)
  await comeDue(made, DELIVERY_DELAYS_MS.length)
  await until("the last try", async () => (await rowOf(made)).state === "failed")
  await loop.stop()
  assert.equal(shop.got.length, 0)
  assert.equal(await stateOf(made), "enabled")
  assert.deepEqual(
    (await rowOf(made)).log.map((one) => one.error),
    ["secret_unreadable", "secret_unreadable"],
  )
})

test("a live endpoint that leads inside is refused, and the log says so", async () => {
  const merchant = await merchantOf()
  const shop = await receiver()
  const made = await endpointOf(merchant, shop.url.replace("http:", "https:"), { mode: "live" })
  await happen(merchant, ["payment.captured"], "live")
  const loop = deliver()
  await tried(made, 1)
  await loop.stop()
  assert.equal(shop.got.length, 0)
  assert.equal((await rowOf(made)).log[0]?.error, "refused: address")
})
