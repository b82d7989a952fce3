// Gentle, lifelike sample traffic for the simulated providers: a payment every few seconds through the public API, mostly
// paid, sometimes declined, refunded or canceled, so that there is something to look at from the first minute.

import type { Chance, Clock, Log } from "../ports.ts"
import { runLoop, type Loop } from "../engine/loop.ts"
import { request } from "undici"

/** Between two sample payments, shortest and longest (ms). */
const PAUSE_MS = [1_500, 6_000] as const
const REQUEST_MS = 30_000

type Shop = {
  readonly url: string
  readonly apiKey: string
  readonly clock: Clock
  readonly chance: Chance
  readonly log: Log
}

const cards = [
  { number: "4242424242424242", weight: 6, currency: "EUR" },
  { number: "5555555555554444", weight: 4, currency: "EUR" },
  { number: "4111111111111111", weight: 4, currency: "USD" },
  { number: "378282246310005", weight: 1, currency: "USD" },
  { number: "5436031030606378", weight: 2, currency: "GBP" },
  { number: "4000000000000002", weight: 1, currency: "EUR" },
] as const

export function runTraffic(shop: Shop): Loop {
  const { clock, chance, log } = shop
  return runLoop({ clock, chance, log }, "sample traffic", { idleMs: 0, backoffMs: 30_000 }, async () => {
    await clock.sleep(PAUSE_MS[0] + chance.random() * (PAUSE_MS[1] - PAUSE_MS[0]))
    await visit(shop)
    return true
  })
}

/** One customer's visit, and what the back office makes of it. */
async function visit(shop: Shop): Promise<void> {
  const { chance } = shop
  const card = pick(chance, cards)
  const manual = chance.random() < 0.3
  const payment = await post(shop, "/v1/payments", {
    // Prices end in .99 or .00 more often than not.
    amount: (1 + Math.floor(chance.random() ** 2 * 180)) * 100 - (chance.random() < 0.6 ? 1 : 0),
    currency: card.currency,
    capture_method: manual ? "manual" : "automatic",
    payment_method: {
      type: "card",
      card: {
        number: card.number,
        expiry_month: 3,
        expiry_year: 2030,
        cvc: card.number.startsWith("3") ? "1234" : "123",
        holder_name: pick(chance, names).name,
      },
    },
    description: "Sample traffic",
    metadata: { sample: "true" },
  })
  if (payment?.status === "authorized") {
    await shop.clock.sleep(2_000 + chance.random() * 5_000)
    await post(shop, `/v1/payments/${payment.id}/${chance.random() < 0.9 ? "capture" : "cancel"}`, {})
  } else if (payment?.status === "captured" && chance.random() < 0.08) {
    await shop.clock.sleep(3_000 + chance.random() * 5_000)
    await post(shop, `/v1/payments/${payment.id}/refund`, { reason: "sample" })
  }
}

const names = [
  { name: "Ada Lovelace", weight: 1 },
  { name: "Grace Hopper", weight: 1 },
  { name: "Edsger Dijkstra", weight: 1 },
  { name: "Barbara Liskov", weight: 1 },
] as const

async function post(
  { url, apiKey, chance }: Shop,
  path: string,
  body: object,
): Promise<{ readonly id: string; readonly status: string } | undefined> {
  const answer = await request(url + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${apiKey}`,
      "content-type": "application/json",
      "idempotency-key": `sample-${Buffer.from(chance.bytes(12)).toString("hex")}`,
    },
    body: JSON.stringify(body),
    headersTimeout: REQUEST_MS,
    bodyTimeout: REQUEST_MS,
  })
  const text = await answer.body.text()
  return answer.statusCode < 300 ? (JSON.parse(text) as { id: string; status: string }) : undefined
}

function pick<T extends { readonly weight: number }>(chance: Chance, items: readonly T[]): T {
  let left = chance.random() * items.reduce((sum, item) => sum + item.weight, 0)
  return items.find((item) => (left -= item.weight) < 0) ?? items[0]!
}
