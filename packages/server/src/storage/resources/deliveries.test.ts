import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { setTimeout as sleep } from "node:timers/promises"
import type { MerchantId, WebhookEndpointId } from "../../core/id.ts"
import type { Database } from "../database.ts"
import type { OutboxEvent } from "../ledger/ledger.ts"
import { createPostgresLedger } from "../ledger/postgres.ts"
import { inserting, sampleEvent, sampleId, samplePayment } from "../ledger/sample.ts"
import { freshDatabase } from "../../../testing/pools.ts"
import { deliveryRows, type DeliveryRows, listDeliveries, MAX_LOGGED_TRIES } from "./deliveries.ts"
import { createMerchant } from "./merchants.ts"
import {
  createWebhookEndpoint,
  deleteWebhookEndpoint,
  findWebhookEndpoint,
  listWebhookEndpoints,
  rotateWebhookSecret,
  updateWebhookEndpoint,
  webhookSecrets,
  type WebhookEndpoint,
} from "./webhook-endpoints.ts"
import { useOwnCluster } from "../../../testing/database.ts"

useOwnCluster()

let database: Database
let deliveries: DeliveryRows
before(async () => {
  database = (await freshDatabase()).open()
  deliveries = deliveryRows(database)
})
after(() => database.close())

const LONG_MS = 600_000

async function newMerchant(): Promise<MerchantId> {
  const id = sampleId("mer", Date.now())
  await createMerchant(database, { id, name: "m", settings: {} })
  return id
}

function newEndpoint(merchant: MerchantId, change: Partial<WebhookEndpoint> = {}): Promise<WebhookEndpoint> {
  return createWebhookEndpoint(
    database,
    {
      id: sampleId("whe", Date.now()),
      merchant,
      mode: "test",
      url: "https://shop.example/hooks",
      description: "",
      eventTypes: ["*"],
      apiVersion: "2026-11-01",
      state: "enabled",
      ...change,
    },
    { keyId: "key-1", sealed: Uint8Array.of(1) },
  )
}

/** Events that were committed, of one payment each. */
async function newEvents(
  merchant: MerchantId,
  types: readonly string[],
  mode: "live" | "test" = "test",
): Promise<OutboxEvent[]> {
  const ledger = createPostgresLedger(database)
  const events: OutboxEvent[] = []
  for (const type of types) {
    const payment = samplePayment(Date.now(), { merchant, mode })
    const event = sampleEvent(payment, Date.now(), { type })
    await ledger.commit(inserting(payment, { events: [event] }))
    events.push(event)
  }
  return events
}

const dueAt = async (endpoint: WebhookEndpointId, limit = 1_000, perEndpoint = 1_000) =>
  (await deliveries.due(limit, perEndpoint, [])).filter((d) => d.key.endpoint === endpoint)

test("an event goes to each enabled endpoint of its merchant and mode that wants its type, once", async () => {
  const [merchant, other] = [await newMerchant(), await newMerchant()]
  const all = await newEndpoint(merchant)
  const some = await newEndpoint(merchant, { eventTypes: ["refund.*", "payment.captured"] })
  const live = await newEndpoint(merchant, { mode: "live" })
  const off = await newEndpoint(merchant, { state: "disabled" })
  const foreign = await newEndpoint(other)
  const events = await newEvents(merchant, ["payment.created", "payment.captured", "refund.succeeded", "refunds.other"])
  await deliveries.fanOut(events)
  await deliveries.fanOut(events)
  const types = async (endpoint: WebhookEndpoint) => (await dueAt(endpoint.id)).map((d) => d.event.type).toSorted()
  assert.deepEqual(await types(all), events.map((e) => e.type).toSorted())
  assert.deepEqual(await types(some), ["payment.captured", "refund.succeeded"])
  for (const none of [live, off, foreign]) assert.deepEqual(await types(none), [])
})

test("an event without a payment goes to the mode it names, or to both", async () => {
  const merchant = await newMerchant()
  const [live, sandbox] = [await newEndpoint(merchant, { mode: "live" }), await newEndpoint(merchant)]
  const payment = samplePayment(Date.now(), { merchant })
  const bare = ({ payment: _payment, ...event }: OutboxEvent): OutboxEvent => event
  const named = bare(sampleEvent(payment, Date.now(), { type: "a.b", data: { mode: "live" } }))
  const open = bare(sampleEvent(payment, Date.now(), { type: "c.d", data: {} }))
  await createPostgresLedger(database).commit(inserting(payment, { events: [named, open] }))
  await deliveries.fanOut([named, open])
  assert.deepEqual((await dueAt(live.id)).map((d) => d.event.type).toSorted(), ["a.b", "c.d"])
  assert.deepEqual(
    (await dueAt(sandbox.id)).map((d) => d.event.type),
    ["c.d"],
  )
})

test("a due delivery carries what posting it takes", async () => {
  const merchant = await newMerchant()
  const endpoint = await newEndpoint(merchant)
  const [event] = await newEvents(merchant, ["payment.created"])
  assert.ok(event)
  await deliveries.fanOut([event])
  await rotateWebhookSecret(
    database,
    merchant,
    endpoint.id,
    { keyId: "key-2", sealed: Uint8Array.of(2, 0) },
    Date.now() + LONG_MS,
  )
  const [due] = await dueAt(endpoint.id)
  assert.ok(due)
  assert.deepEqual(due.key, { merchant, event: event.id, endpoint: endpoint.id })
  assert.deepEqual(due.event, {
    id: event.id,
    type: event.type,
    at: event.at,
    sequence: event.sequence,
    data: event.data,
  })
  assert.deepEqual(due.endpoint, { url: endpoint.url, mode: "test", secrets: [Uint8Array.of(2, 0), Uint8Array.of(1)] })
  assert.equal(due.tries, 0)
})

test("an endpoint with much to deliver does not stand before the others", async () => {
  const merchant = await newMerchant()
  const busy = await newEndpoint(merchant)
  const events = await newEvents(
    merchant,
    Array.from({ length: 12 }, () => "payment.created"),
  )
  await deliveries.fanOut(events)
  const quiet = await newEndpoint(merchant)
  const late = await newEvents(merchant, ["payment.created"])
  await deliveries.fanOut(late)
  const ours = (await deliveries.due(1_000, 3, [])).filter((d) => d.key.merchant === merchant)
  assert.deepEqual(
    ours.map((d) => d.key.endpoint),
    [busy.id, busy.id, busy.id, quiet.id],
  )
  const without = await deliveries.due(1_000, 3, [{ merchant, endpoint: busy.id }])
  assert.deepEqual(
    without.filter((d) => d.key.merchant === merchant).map((d) => d.key.endpoint),
    [quiet.id],
  )
})

test("one claimer of many gets a delivery, and others do not see it meanwhile", async () => {
  const merchant = await newMerchant()
  const endpoint = await newEndpoint(merchant)
  await deliveries.fanOut(await newEvents(merchant, ["payment.created"]))
  const [due] = await dueAt(endpoint.id)
  assert.ok(due)
  const claims = await Promise.all(Array.from({ length: 6 }, () => deliveries.claim(due, LONG_MS)))
  assert.equal(claims.filter(Boolean).length, 1)
  assert.deepEqual(await dueAt(endpoint.id), [])
})

test("tries are counted and logged, up to a limit, and what got through is known", async () => {
  const merchant = await newMerchant()
  const endpoint = await newEndpoint(merchant)
  const [event] = await newEvents(merchant, ["payment.created"])
  assert.ok(event)
  await deliveries.fanOut([event])
  const key = { merchant, event: event.id, endpoint: endpoint.id }
  const started = Date.now()
  for (let i = 1; i <= MAX_LOGGED_TRIES + 5; i++)
    await deliveries.record(key, {
      state: "pending",
      nextAt: Date.now() - 1,
      tried: { at: i, durationMs: 5, error: "TIMEOUT" },
    })
  assert.equal((await dueAt(endpoint.id))[0]?.tries, MAX_LOGGED_TRIES + 5)
  assert.equal(await deliveries.deliveredSince(merchant, endpoint.id, 0), false)
  await deliveries.record(key, { state: "delivered", tried: { at: 99, durationMs: 5, status: 204, answer: "ok \0" } })
  assert.deepEqual(await dueAt(endpoint.id), [])
  assert.equal(await deliveries.deliveredSince(merchant, endpoint.id, started), true)
  assert.equal(await deliveries.deliveredSince(merchant, endpoint.id, Date.now() + LONG_MS), false)
  const [row] = (await listDeliveries(database, { merchant, endpoint: endpoint.id }, { limit: 10 })).rows
  assert.equal(row?.state, "delivered")
  assert.equal(row.log.length, MAX_LOGGED_TRIES)
  assert.deepEqual(row.log.at(-1), { at: 99, durationMs: 5, status: 204, answer: "ok \0" })
  assert.ok(row.deliveredAt !== undefined && row.deliveredAt >= started - 1_000)
  assert.deepEqual(
    (await listDeliveries(database, { merchant, endpoint: endpoint.id, state: "failed" }, { limit: 10 })).rows,
    [],
  )
})

test("a failed delivery is replayed with all its tries", async () => {
  const merchant = await newMerchant()
  const endpoint = await newEndpoint(merchant)
  const [event] = await newEvents(merchant, ["payment.created"])
  assert.ok(event)
  await deliveries.fanOut([event])
  const key = { merchant, event: event.id, endpoint: endpoint.id }
  await deliveries.record(key, { state: "failed", tried: { at: 1, durationMs: 1 } })
  assert.deepEqual(await dueAt(endpoint.id), [])
  assert.equal(await deliveries.replay(key), true)
  assert.deepEqual(
    (await dueAt(endpoint.id)).map((d) => d.tries),
    [0],
  )
  assert.equal(await deliveries.replay({ ...key, event: sampleId("evt", 0) }), false)
})

test("a replay from a time on takes every event the endpoint wants, page by page, also those it never had", async () => {
  const merchant = await newMerchant()
  const before = await newEvents(merchant, ["payment.created", "payment.captured", "payment.created"])
  await newEvents(merchant, ["payment.created"], "live")
  const endpoint = await newEndpoint(merchant, { eventTypes: ["payment.created"] })
  let replayed = 0
  let after: OutboxEvent["id"] | undefined
  for (let pages = 0; ; pages++) {
    assert.ok(pages < 10)
    const page = await deliveries.replayPage(merchant, endpoint.id, Date.now() - LONG_MS, after, 2)
    replayed += page.replayed
    if (page.last === undefined) break
    after = page.last
  }
  assert.equal(replayed, 2)
  const wanted = before.filter((e) => e.type === "payment.created").map((e) => e.id)
  assert.deepEqual((await dueAt(endpoint.id)).map((d) => d.event.id).toSorted(), wanted.toSorted())
  const none = await deliveries.replayPage(merchant, endpoint.id, Date.now() + LONG_MS, undefined, 10)
  assert.deepEqual(none, { replayed: 0, last: undefined })
})

test("disabling says so once, in the same transaction, and the endpoint's deliveries wait", async () => {
  const merchant = await newMerchant()
  const endpoint = await newEndpoint(merchant)
  await deliveries.fanOut(await newEvents(merchant, ["payment.created"]))
  const event = (): OutboxEvent => ({
    id: sampleId("evt", Date.now()),
    merchant,
    sequence: 0,
    type: "webhook_endpoint.disabled",
    data: { reason: "gone" },
    at: Date.now(),
  })
  const disabled = await Promise.all([event(), event()].map((e) => deliveries.disable(merchant, endpoint.id, e)))
  assert.equal(disabled.filter(Boolean).length, 1)
  const ledger = createPostgresLedger(database)
  // Transactions of other tests on this cluster hold the horizon back for a moment.
  let told: readonly OutboxEvent[] = []
  for (let tries = 0; tries < 1_200 && !told.some((e) => e.type === "webhook_endpoint.disabled"); tries++) {
    if (tries > 0) await sleep(50)
    told = (await ledger.events(undefined, await ledger.horizon(), 1_000)).filter((e) => e.merchant === merchant)
  }
  assert.equal(told.filter((e) => e.type === "webhook_endpoint.disabled").length, 1)
  assert.deepEqual(await dueAt(endpoint.id), [])
  const stored = await findWebhookEndpoint(database, merchant, endpoint.id)
  assert.deepEqual([stored?.state, stored?.disabledReason], ["disabled", "gone"])
  const enabled = await updateWebhookEndpoint(database, merchant, endpoint.id, 2, { state: "enabled" })
  assert.ok(enabled.kind === "edited" && enabled.row.disabledReason === undefined)
  assert.equal((await dueAt(endpoint.id)).length, 1)
})

test("an endpoint is edited on the version that was seen, listed, and deleted with what waits for it", async () => {
  const merchant = await newMerchant()
  const endpoint = await newEndpoint(merchant)
  await deliveries.fanOut(await newEvents(merchant, ["payment.created"]))
  const edit = await updateWebhookEndpoint(database, merchant, endpoint.id, 1, {
    url: "https://new.example",
    eventTypes: ["a.b"],
  })
  assert.ok(edit.kind === "edited" && edit.row.url === "https://new.example")
  assert.equal((await updateWebhookEndpoint(database, merchant, endpoint.id, 1, {})).kind, "stale")
  assert.deepEqual(await listWebhookEndpoints(database, merchant), [edit.row])
  assert.equal(await deleteWebhookEndpoint(database, merchant, endpoint.id), true)
  assert.equal(await deleteWebhookEndpoint(database, merchant, endpoint.id), false)
  assert.deepEqual(await dueAt(endpoint.id), [])
  assert.deepEqual(await webhookSecrets(database, merchant, endpoint.id), [])
})

test("after rotations the newest secret comes first, and those whose time is over are gone", async () => {
  const merchant = await newMerchant()
  const { id } = await newEndpoint(merchant)
  const rotate = (byte: number, until: number) =>
    rotateWebhookSecret(database, merchant, id, { keyId: "k", sealed: Uint8Array.of(byte) }, until)
  await rotate(2, Date.now() + LONG_MS)
  await rotate(3, Date.now() + LONG_MS * 2)
  assert.deepEqual(
    (await webhookSecrets(database, merchant, id)).map((s) => s.sealed[0]),
    [3, 2, 1],
  )
  await rotate(4, Date.now() - 1)
  assert.deepEqual(
    (await webhookSecrets(database, merchant, id)).map((s) => s.sealed[0]),
    [4],
  )
})
