// Outbound webhooks: the sink that turns events into deliveries, and the deliverer that posts those that are due. Several
// processes may deliver; a claim decides who posts. A process that dies in between leaves a claim that runs out, so a
// message may arrive twice, never not at all: its id tells.

import type { MerchantId, WebhookEndpointId } from "../core/id.ts"
import { makeId } from "../core/id.ts"
import type { Secret } from "../core/secret.ts"
import type { Ports } from "../ports.ts"
import type { OutboxEvent } from "../storage/ledger/ledger.ts"
import type { DeliveryRows, DueDelivery } from "../storage/resources/deliveries.ts"
import { DELIVERY_DELAYS_MS, judge, tryOf, type DisableReason, type Tried } from "./delivery.ts"
import { createLanes, WIDTH, type Lanes, type Place } from "./delivery-lanes.ts"
import { runLoop, type Loop } from "./loop.ts"
import type { Sink } from "./relay.ts"
import { MAX_MESSAGE_BYTES, webhookMessage, type SigningSecret } from "./webhook-message.ts"
import { POST_TIMEOUT_MS, type WebhookPoster } from "./webhook-post.ts"

export type Deliverer = Ports & {
  readonly deliveries: DeliveryRows
  readonly poster: WebhookPoster
  /** Opens an endpoint's signing secret; throws when the vault cannot. */
  readonly openSecret: (merchant: MerchantId, endpoint: WebhookEndpointId, sealed: Uint8Array) => Secret<string>
}

/** Due deliveries read at once: more than there are places, since some of their endpoints are full. */
export const DELIVER_BATCH = 256
/** A claimed delivery is ours this long (ms): one try, and its record. */
export const DELIVERY_CLAIM_MS = POST_TIMEOUT_MS + 45_000
/** Rest when nothing is due (ms); a hint from the sink cuts it short. */
export const DELIVER_IDLE_MS = 500
const DELIVER_BACKOFF_MS = 10_000

/** `added` hears that there may be something to deliver. */
export const webhookSink = (deliveries: DeliveryRows, added: () => void = () => {}): Sink => ({
  name: "webhooks",
  accept: async (events) => {
    await deliveries.fanOut(events)
    added()
  },
})

/** Delivers until stopped; stopping waits for the posts under way. */
export function runDeliverer(deliverer: Deliverer): Loop {
  const lanes = createLanes()
  const posts = new Set<Promise<void>>()
  const loop = runLoop(deliverer, "deliverer", { idleMs: DELIVER_IDLE_MS, backoffMs: DELIVER_BACKOFF_MS }, async () => {
    const started = await startDue(deliverer, lanes, (post) => {
      posts.add(post)
      void post.finally(() => {
        posts.delete(post)
        // Its place is free.
        loop.wake()
      })
    })
    return started > 0
  })
  return {
    wake: () => loop.wake(),
    stop: async () => {
      await loop.stop()
      await Promise.all(posts)
    },
  }
}

/** Starts the posts that are due and have a place; answers how many. */
async function startDue(deliverer: Deliverer, lanes: Lanes, start: (post: Promise<void>) => void): Promise<number> {
  if (lanes.free() === 0) return 0
  const due = await deliverer.deliveries.due(DELIVER_BATCH, WIDTH.healthy, lanes.full().map(endpointOf))
  const entered = due.flatMap((delivery) => {
    const place = lanes.enter(nameOf(delivery))
    return place === undefined ? [] : [{ delivery, place }]
  })
  const claimed = await Promise.all(
    entered.map(async ({ delivery, place }) => {
      const ours = await deliverer.deliveries.claim(delivery, DELIVERY_CLAIM_MS).catch((error: unknown) => {
        deliverer.log.warn({ ...delivery.key, error: String(error) }, "a delivery could not be claimed")
        return false
      })
      if (ours) start(postAt(deliverer, delivery, place))
      else place.leave(undefined)
      return ours
    }),
  )
  return claimed.filter((ours) => ours).length
}

const nameOf = ({ key: { merchant, endpoint } }: DueDelivery): string => `${merchant} ${endpoint}`
function endpointOf(name: string): { readonly merchant: MerchantId; readonly endpoint: WebhookEndpointId } {
  const [merchant, endpoint] = name.split(" ")
  return { merchant: merchant as MerchantId, endpoint: endpoint as WebhookEndpointId }
}

async function postAt(deliverer: Deliverer, delivery: DueDelivery, place: Place): Promise<void> {
  let delivered: boolean | undefined
  try {
    delivered = await deliver(deliverer, delivery)
  } catch (error) {
    // The database went away: the claim runs out, and the delivery comes again.
    deliverer.log.error({ ...delivery.key, error: String(error) }, "a delivery could not be recorded; it comes again")
  } finally {
    place.leave(delivered)
  }
}

/** One try of a claimed delivery; whether the endpoint took it, undefined where it was not asked. */
async function deliver(deliverer: Deliverer, delivery: DueDelivery): Promise<boolean | undefined> {
  const { deliveries, clock, chance } = deliverer
  const at = clock.now()
  const tried = await post(deliverer, delivery, at)
  const { gone, ...verdict } = judge(tried, delivery.tries + 1, clock.now(), chance.random())
  await deliveries.record(delivery.key, { ...verdict, tried: tryOf(tried, at) })
  if (tried.kind === "unsent") return undefined
  if (verdict.state === "failed") await giveUp(deliverer, delivery, gone)
  return verdict.state === "delivered"
}

async function post(deliverer: Deliverer, { key, endpoint, event }: DueDelivery, now: number): Promise<Tried> {
  let secrets: readonly SigningSecret[]
  try {
    secrets = endpoint.secrets.map((sealed) => deliverer.openSecret(key.merchant, key.endpoint, sealed))
  } catch (error) {
    deliverer.log.error({ ...key, error: String(error) }, "an endpoint's secret does not open; nothing is sent to it")
    return { kind: "unsent", why: "secret_unreadable", durationMs: 0 }
  }
  const message = webhookMessage(event, secrets, now)
  if (Buffer.byteLength(message.body) > MAX_MESSAGE_BYTES)
    return { kind: "unsent", why: "message_too_large", durationMs: 0 }
  return deliverer.poster.post(endpoint.url, endpoint.mode, message)
}

/** Days of a failed delivery's tries: when nothing else got through in them, the endpoint is not coming back by itself. */
const LONGEST_DELIVERY_MS = DELIVERY_DELAYS_MS.reduce((sum, delay) => sum + delay, 0)

async function giveUp(deliverer: Deliverer, due: DueDelivery, gone: boolean): Promise<void> {
  const { deliveries, clock, log } = deliverer
  const { merchant, endpoint } = due.key
  // A replayed delivery is older than its tries.
  const since = Math.max(due.createdAt, clock.now() - LONGEST_DELIVERY_MS)
  if (!gone && (await deliveries.deliveredSince(merchant, endpoint, since))) return
  const event = disabledEvent(deliverer, due, gone ? "gone" : "failing")
  if (await deliveries.disable(merchant, endpoint, event))
    log.warn({ merchant, endpoint, gone }, "an endpoint was disabled")
}

function disabledEvent({ clock, chance }: Ports, { key, endpoint }: DueDelivery, reason: DisableReason): OutboxEvent {
  const at = clock.now()
  return {
    id: makeId("evt", at, chance.bytes(16)),
    merchant: key.merchant,
    sequence: 0,
    type: "webhook_endpoint.disabled",
    data: { webhook_endpoint: key.endpoint, mode: endpoint.mode, url: endpoint.url, reason },
    at,
  }
}
