// One order from beginning to end: what the customer and the merchant's back office do. The script is drawn from the
// order's own dice; how it goes depends on what the servers answer.

import { setTimeout as sleep } from "node:timers/promises"
import { request } from "undici"
import type { Client } from "./client.ts"
import type { Dice } from "./dice.ts"
import type { Shown } from "./journal.ts"

export type Order = {
  readonly number: number
  readonly dice: Dice
  /** Ids of accounts that a payment may be pinned to. */
  readonly accounts: readonly [string, ...string[]]
}

/** A payment that is still processing is looked at so often, after growing waits (ms). */
const LOOKS_MS: readonly number[] = [300, 700, 1_500, 3_000, 5_000]
const PAGE_TRIES = 15
const PAGE_PAUSE_MS = 700
const PAGE_MS = 30_000

const cards: readonly (readonly [weight: number, card: { readonly number: string; readonly cvc: string }])[] = [
  [6, { number: "4242424242424242", cvc: "737" }],
  [4, { number: "5555555555554444", cvc: "737" }],
  [4, { number: "4111111111111111", cvc: "737" }],
  [2, { number: "5436031030606378", cvc: "737" }],
  [1, { number: "378282246310005", cvc: "7373" }],
  [1, { number: "4000000000000002", cvc: "737" }],
]
const currencies = [
  [5, "EUR"],
  [3, "USD"],
  [2, "GBP"],
  [1, "SEK"],
  [1, "PLN"],
  [1, "JPY"],
] as const

export async function serve(client: Client, order: Order): Promise<void> {
  const { dice, number } = order
  const created = await create(client, order)
  if (created === undefined) return
  const paid = await throughAction(client, order, await settled(client, number, created))
  if (paid === undefined) return
  // Now and then the merchant changes its mind while nobody knows yet how it ends.
  if (paid.status === "processing" && dice.chance(0.3)) return void (await cancel(client, order, paid))
  if (paid.status === "authorized") await afterAuthorization(client, order, paid)
  else if (paid.status === "captured") await afterCapture(client, order, paid)
}

async function create(client: Client, order: Order): Promise<Shown | undefined> {
  const { dice, number } = order
  const card = dice.weighted(cards)
  const later = dice.chance(0.04)
  const method = {
    payment_method: {
      type: "card",
      card: { ...card, expiry_month: 3, expiry_year: 2030, holder_name: "Chaos Customer" },
    },
  }
  const wait = dice.weighted([
    [3, 4_000],
    [4, 25_000],
    [3, 40_000],
  ])
  const threeDs = dice.chance(0.12)
  const asked = await client.ask({
    order: number,
    what: "create",
    path: "/v1/payments",
    key: `order-${number}`,
    ...manners(dice),
    body: {
      amount: dice.int(100, 9_900) * dice.pick([1, 1, 10]),
      currency: dice.weighted(currencies),
      capture_method: dice.chance(0.5) ? "automatic" : "manual",
      merchant_reference: `order-${number}`,
      metadata: { order: String(number) },
      return_url: "http://127.0.0.1:9/thanks",
      three_ds: { mode: threeDs ? "required" : dice.chance(0.5) ? "none" : "automatic" },
      ...(dice.chance(0.1) ? { allow_partial: true } : {}),
      ...(dice.chance(0.4) ? { on_unknown: dice.pick(["wait", "reverse_then_reroute"]) } : {}),
      ...(dice.chance(0.15) ? { account: dice.pick(order.accounts) } : {}),
      ...(later ? { confirm: false } : method),
      answer_within_ms: wait,
    },
  })
  if (asked.kind !== "acknowledged") return undefined
  if (!later || dice.chance(0.1)) return asked.payment
  const confirmed = await client.ask({
    order: number,
    what: "confirm",
    path: `/v1/payments/${asked.payment.id}/confirm`,
    key: `confirm-${number}`,
    ...manners(dice),
    body: { ...method, answer_within_ms: wait },
  })
  return confirmed.kind === "acknowledged" ? confirmed.payment : undefined
}

/** How a request is sent: some twice at once, some by a client that dies and comes back. */
const manners = (dice: Dice): { readonly twice?: boolean; readonly hangUpMs?: number } => ({
  ...(dice.chance(0.05) ? { twice: true } : {}),
  ...(dice.chance(0.04) ? { hangUpMs: dice.int(1, 400) } : {}),
})

/** A payment that is processing may end within some seconds; if not, life goes on. */
async function settled(client: Client, number: number, payment: Shown): Promise<Shown> {
  let known = payment
  for (const pause of LOOKS_MS) {
    const moving = known.status === "processing" || known.amounts.capturing > 0 || known.amounts.refunding > 0
    if (!moving) break
    await sleep(pause)
    known = (await client.read(number, known.id)) ?? known
  }
  return known
}

/** The customer at the bank's page: authenticates, fails, gives up, or never comes back; the merchant may cancel. */
async function throughAction(client: Client, order: Order, payment: Shown): Promise<Shown | undefined> {
  const { dice, number } = order
  if (payment.status !== "requires_action" || payment.action === null) return payment
  if (dice.chance(0.15)) return undefined
  if (dice.chance(0.08)) return void (await cancel(client, order, payment))
  const deed = dice.weighted([
    [8, "authenticated"],
    [1, "failed"],
    [1, "abandoned"],
  ])
  await sleep(dice.int(50, 1_500))
  const location = await visit(payment.action.url, "POST", `challenge=${deed}`)
  // The window is closed right after the bank's page: only webhooks or questions tell how it went.
  if (location === undefined || dice.chance(0.1)) return undefined
  // The browser comes to our own page, or the merchant's server brings what the browser carried.
  if (dice.chance(0.5)) {
    await visit(location, "GET")
    return settled(client, number, (await client.read(number, payment.id)) ?? payment)
  }
  const back = await client.ask({
    order: number,
    what: "complete",
    path: `/v1/payments/${payment.id}/complete`,
    key: `complete-${number}`,
    ...manners(dice),
    body: { fields: Object.fromEntries(new URL(location).searchParams) },
  })
  if (back.kind === "acknowledged") return settled(client, number, back.payment)
  return client.read(number, payment.id)
}

/** Where a page sends the browser on; the customer reloads what does not answer. */
async function visit(url: string, method: "GET" | "POST", form?: string): Promise<string | undefined> {
  for (let tries = 0; tries < PAGE_TRIES; tries++) {
    try {
      const answer = await request(url, {
        method,
        headers: form === undefined ? {} : { "content-type": "application/x-www-form-urlencoded" },
        body: form ?? null,
        headersTimeout: PAGE_MS,
        bodyTimeout: PAGE_MS,
      })
      await answer.body.dump()
      const { location } = answer.headers
      if (answer.statusCode < 500) return typeof location === "string" ? location : undefined
    } catch {
      // The provider's port is closed by the weather, or our server was killed.
    }
    await sleep(PAGE_PAUSE_MS)
  }
  return undefined
}

async function afterAuthorization(client: Client, order: Order, payment: Shown): Promise<void> {
  const { dice } = order
  const held = payment.amounts.authorized
  const part = Math.max(1, Math.floor(held * dice.pick([0.25, 0.5, 0.9])))
  const plan = dice.weighted([
    [6, "whole"],
    [3, "part"],
    [2, "parts"],
    [3, "twice"],
    [1, "too_much"],
    [3, "cancel"],
    [2, "capture_and_cancel"],
    [1, "leave"],
  ] as const)
  switch (plan) {
    case "whole":
      return afterCapture(client, order, await capture(client, order, payment, 1))
    case "part":
      return afterCapture(client, order, await capture(client, order, payment, 1, { amount: part, final: true }))
    case "parts": {
      // Not every provider takes captures in parts: then the first is refused and all of it is captured.
      const first = await capture(client, order, payment, 1, { amount: part, final: false })
      return afterCapture(client, order, await capture(client, order, first ?? payment, 2))
    }
    case "twice": {
      const both = await Promise.all([capture(client, order, payment, 1), capture(client, order, payment, 2)])
      return afterCapture(client, order, both[0] ?? both[1])
    }
    case "too_much":
      await capture(client, order, payment, 1, { amount: held + 1 })
      return afterCapture(client, order, await capture(client, order, payment, 2))
    case "cancel":
      return void (await cancel(client, order, payment))
    case "capture_and_cancel":
      return void (await Promise.all([capture(client, order, payment, 1), cancel(client, order, payment)]))
    case "leave":
      return
    default:
      return plan satisfies never
  }
}

async function afterCapture(client: Client, order: Order, payment: Shown | undefined): Promise<void> {
  if (payment === undefined) return
  const { dice } = order
  const taken = payment.amounts.captured
  if (taken === 0) return
  const plan = dice.weighted([
    [8, "keep"],
    [3, "all"],
    [2, "part"],
    [3, "at_once"],
    [2, "one_by_one"],
    [1, "too_much"],
  ] as const)
  const part = (share: number): number => Math.max(1, Math.floor(taken * share))
  switch (plan) {
    case "keep":
      return
    case "all":
      return void (await refund(client, order, payment, 1))
    case "part":
      return void (await refund(client, order, payment, 1, part(0.3)))
    case "at_once":
      // Two of 60 % at the same moment: at most one may go through.
      return void (await Promise.all([1, 2].map((n) => refund(client, order, payment, n, part(0.6)))))
    case "one_by_one":
      for (const n of [1, 2, 3]) await refund(client, order, payment, n, part(0.4))
      return
    case "too_much":
      return void (await refund(client, order, payment, 1, taken + 1))
    default:
      return plan satisfies never
  }
}

async function capture(
  client: Client,
  { number, dice }: Order,
  payment: Shown,
  n: number,
  body: { readonly amount?: number; readonly final?: boolean } = {},
): Promise<Shown | undefined> {
  const answered = await client.ask({
    order: number,
    what: "capture",
    path: `/v1/payments/${payment.id}/capture`,
    key: `capture-${number}-${n}`,
    ...manners(dice),
    ...(body.amount === undefined ? {} : { amount: body.amount }),
    body,
  })
  return answered.kind === "acknowledged" ? settled(client, number, answered.payment) : undefined
}

async function refund(client: Client, { number, dice }: Order, payment: Shown, n: number, amount?: number) {
  const key = `refund-${number}-${n}`
  return client.ask({
    order: number,
    what: "refund",
    path: `/v1/payments/${payment.id}/refund`,
    key,
    ...manners(dice),
    ...(amount === undefined ? {} : { amount }),
    // The reason comes back with the operation: it tells which wish an operation fulfils.
    body: { reason: key, ...(amount === undefined ? {} : { amount }) },
  })
}

const cancel = (client: Client, { number, dice }: Order, payment: Shown) =>
  client.ask({
    order: number,
    what: "cancel",
    path: `/v1/payments/${payment.id}/cancel`,
    key: `cancel-${number}`,
    ...manners(dice),
    body: { reason: "changed my mind" },
  })
