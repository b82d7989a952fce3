// A merchant and its customers: they pay, wait, lose patience, try again with the same key, come back from 3DS or do not,
// capture twice at the same moment, refund too much, cancel while a payment is under way.

import { parseCurrency } from "../src/core/currency.ts"
import { makeId, type MerchantId, type PaymentId } from "../src/core/id.ts"
import type { Intent } from "../src/core/intent.ts"
import { amountsOf, statusOf, terminalStatuses, type Payment } from "../src/core/payment.ts"
import type { Request } from "../src/engine/change.ts"
import { secret } from "../src/core/secret.ts"
import { create, type Executed } from "../src/engine/execute.ts"
import { follow, type Command, type Followed } from "../src/engine/follow-up.ts"
import { LEASE_MARGIN_MS, repeat } from "../src/engine/idempotency.ts"
import type { MemoryLedger } from "../src/storage/ledger/memory.ts"
import { Broken } from "./judge.ts"
import type { LabPsp } from "./lab-psp.ts"
import type { Node } from "./node.ts"
import type { World } from "./world.ts"

export const MERCHANT = "mer_0" as MerchantId
/** A client gives up on one request after this (ms), and tries again with the same key. */
const CLIENT_PATIENCE_MS = 40_000
const CLIENT_TRIES = 40

export type Town = {
  readonly world: World
  readonly ledger: MemoryLedger
  readonly psps: readonly LabPsp[]
  nodes(): readonly Node[]
}

/** One customer's payment from beginning to end. */
export async function shop(town: Town, number: number): Promise<void> {
  const { world } = town
  const intent = drawIntent(world)
  const answer = await request(town, `create-${number}`, (node, asked) =>
    create(node.engine, {
      payment: newPayment(node, intent),
      confirm: true,
      secrets: { number: secret("4111111111111111") },
      request: asked,
    }),
  )
  if (answer === undefined) return
  const id = answer.payment as PaymentId
  if (world.chance(0.08)) void command(town, `early-cancel-${number}`, id, { type: "cancel" })
  await customer(town, id)
  await untilDecided(town, id)
  await backOffice(town, id, number)
}

function drawIntent(world: World): Intent {
  const currency = parseCurrency("EUR")!
  const byMerchant = world.chance(0.15)
  const onUnknown = world.pick([undefined, "wait", "reverse_then_reroute", "reverse_then_reroute"] as const)
  return {
    amount: { minor: world.chance(0.04) ? 0n : BigInt(world.int(2, 50_000)), currency },
    capture: world.chance(0.5) ? "automatic" : "manual",
    method: {
      type: "card",
      token: "tok_0",
      network: "visa",
      bin: "411111",
      last4: "1111",
      expiryMonth: 12,
      expiryYear: 2099,
      fingerprint: "f",
    },
    store: false,
    initiator: byMerchant
      ? { by: "merchant", purpose: "recurring", networkTransactionId: "ntx" }
      : { by: "customer", stored: "none" },
    threeDs: { mode: "automatic" },
    allowPartial: world.chance(0.4),
    answerWithinMs: world.pick([10_000, 25_000]),
    metadata: {},
    ...(onUnknown === undefined ? {} : { onUnknown }),
  }
}

function newPayment(node: Node, intent: Intent): Payment {
  const now = node.engine.clock.now()
  return {
    id: makeId("pay", now, node.engine.chance.bytes(16)),
    merchant: MERCHANT,
    mode: "test",
    version: 0,
    intent,
    requested: intent.amount.minor,
    attempts: [],
    operations: [],
    disputes: [],
    plan: { state: "idle" },
    createdAt: now,
    updatedAt: now,
  }
}

type Answer = { readonly payment: string; readonly status: string }
const render = (payment: Payment): { status: number; body: string } => ({
  status: 201,
  body: JSON.stringify({ payment: payment.id, status: statusOf(payment) } satisfies Answer),
})

/** One idempotent request, repeated over crashes and lost answers until it has one. */
async function request(
  town: Town,
  key: string,
  run: (node: Node, asked: Request) => Promise<Executed | Followed>,
): Promise<Answer | undefined> {
  const { world } = town
  let first: Answer | undefined
  const asked: Request = {
    row: { merchant: MERCHANT, mode: "test", method: "POST", path: "/", key, fingerprint: key },
    leaseMs: 25_000 + LEASE_MARGIN_MS,
    render,
  }
  for (let tries = 0; tries < CLIENT_TRIES; tries++) {
    const alive = town.nodes().filter((n) => n.alive)
    const node = alive.length === 0 ? undefined : world.pick(alive)
    const answer = node === undefined ? "nobody" : await patient(world, serve(node, asked, run))
    if (node === undefined || answer === "nobody" || answer === "in_flight" || answer === "error") {
      await world.sleep(world.int(500, 8_000))
      continue
    }
    if (answer === undefined) return undefined
    if (first !== undefined && first.payment !== answer.payment)
      throw new Broken(`key ${key} made two payments: ${first.payment} and ${answer.payment}`)
    // Some clients ask again although they have their answer.
    if (first === undefined && world.chance(0.3)) {
      first = answer
      await world.sleep(world.int(0, 60_000))
      continue
    }
    if (world.chance(0.1)) await probe(node, asked)
    return answer
  }
  if (first === undefined) throw new Broken(`the request with key ${key} was never answered`)
  return first
}

/** The same key with another body is another request, and is told so. */
async function probe(node: Node, asked: Request): Promise<void> {
  const row = await node.engine.ledger.idempotency(asked.row).catch(() => undefined)
  if (row === undefined) return
  const other: Request = { ...asked, row: { ...asked.row, fingerprint: "another body" } }
  const again = await repeat(node.engine, row, other)
  if (again.kind !== "mismatch") throw new Broken(`key ${asked.row.key} was answered to another body: ${again.kind}`)
}

async function serve(
  node: Node,
  asked: Request,
  run: (node: Node, asked: Request) => Promise<Executed | Followed>,
): Promise<Answer | "in_flight" | "error" | undefined> {
  try {
    const executed = await run(node, asked)
    if (executed.kind === "payment") return JSON.parse(render(executed.payment).body) as Answer
    if (executed.kind !== "taken") {
      // A refused repetition of a request that did run is answered from its key.
      const row = await node.engine.ledger.idempotency(asked.row)
      if (row === undefined) return undefined
      return await repeated(node, row, asked)
    }
    return await repeated(node, executed.row, asked)
  } catch (error) {
    if (error instanceof Broken) throw error
    return "error"
  }
}

async function repeated(node: Node, row: Parameters<typeof repeat>[1], asked: Request): Promise<Answer | "in_flight"> {
  const again = await repeat(node.engine, row, asked)
  if (again.kind === "mismatch") throw new Broken(`key ${row.key} was not known by its own body`)
  if (row.response !== undefined && again.kind !== "replayed")
    throw new Broken(`key ${row.key} has its answer, and got ${again.kind}`)
  if (again.kind === "in_flight") return "in_flight"
  return JSON.parse(again.kind === "replayed" ? again.response.body : render(again.payment).body) as Answer
}

const patient = <T>(world: World, work: Promise<T>): Promise<T | "nobody"> =>
  Promise.race([work, world.sleep(CLIENT_PATIENCE_MS).then(() => "nobody" as const)])

const command = (town: Town, key: string, id: PaymentId, what: Command): Promise<Answer | undefined> =>
  request(town, key, (node, asked) => follow(node.engine, MERCHANT, id, what, asked))

const stored = (town: Town, id: PaymentId): Payment | undefined =>
  town.ledger.contents.payments().find((p) => p.id === id)

/** The customer's part of 3DS: does it, fails it, or never comes back. */
async function customer(town: Town, id: PaymentId): Promise<void> {
  const { world } = town
  for (let rounds = 0; rounds < 40; rounds++) {
    const payment = stored(town, id)
    if (payment === undefined || terminalStatuses.has(statusOf(payment)) || statusOf(payment) === "authorized") return
    const attempt = payment.attempts.find((a) => a.state === "action")
    if (attempt?.action !== undefined) {
      const mood = world.random()
      if (mood < 0.25) return
      const reference = attempt.action.url.split("/").at(-1)!
      await world.sleep(world.int(1_000, 90_000))
      for (const psp of town.psps) psp.challenge(reference, mood < 0.75)
      // Some close the page and never return; the provider still tells.
      if (mood > 0.9 || (mood > 0.7 && mood < 0.75)) return
      await command(town, `complete-${id}-${rounds}`, id, { type: "complete", fields: { result: reference } })
      return
    }
    await world.sleep(2_000)
  }
}

async function untilDecided(town: Town, id: PaymentId): Promise<void> {
  for (let waited = 0; waited < 200; waited++) {
    const payment = stored(town, id)
    if (payment !== undefined && statusOf(payment) !== "processing" && statusOf(payment) !== "requires_action") return
    await town.world.sleep(waited < 60 ? 2_000 : 60_000)
  }
}

/** What the merchant does with its money, often twice and at the same time. */
async function backOffice(town: Town, id: PaymentId, number: number): Promise<void> {
  const { world } = town
  const payment = stored(town, id)
  if (payment === undefined) return
  const { authorized } = amountsOf(payment)
  if (statusOf(payment) === "authorized" && authorized > 0n) {
    const mood = world.random()
    if (mood < 0.15) await command(town, `cancel-${number}`, id, { type: "cancel" })
    else if (mood < 0.25) return
    else if (mood < 0.4)
      await command(town, `increment-${number}`, id, {
        type: "increment",
        amount: authorized + BigInt(world.int(1, 500)),
      })
    if (mood >= 0.25) {
      const amount = (): { amount: bigint; final: boolean } | Record<string, never> =>
        world.chance(0.5) ? { amount: 1n + (authorized * BigInt(world.int(1, 9))) / 10n, final: world.chance(0.2) } : {}
      await Promise.all(
        Array.from({ length: world.int(1, 3) }, (_, i) =>
          command(town, `capture-${number}-${i}`, id, { type: "capture", ...amount() }),
        ),
      )
      if (world.chance(0.2)) await command(town, `cancel-late-${number}`, id, { type: "cancel" })
    }
  }
  await world.sleep(world.int(0, 120_000))
  const then = stored(town, id)
  const captured = then === undefined ? 0n : amountsOf(then).captured
  if (captured > 0n && world.chance(0.6)) {
    await Promise.all(
      Array.from({ length: world.int(1, 3) }, (_, i) =>
        command(town, `refund-${number}-${i}`, id, {
          type: "refund",
          ...(world.chance(0.6) ? { amount: 1n + (captured * BigInt(world.int(1, 9))) / 10n } : {}),
        }),
      ),
    )
  }
}
