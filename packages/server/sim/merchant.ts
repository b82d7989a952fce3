// A merchant: pays with cards, tokens and stored agreements, confirms now or later or never, cancels before it was
// answered, captures twice at the same moment or too late, refunds too much, at once or days later.

import { parseCurrency } from "../src/core/currency.ts"
import { makeId, type AccountId, type MerchantId, type PaymentId } from "../src/core/id.ts"
import type { Initiator, Intent, Method } from "../src/core/intent.ts"
import { amountsOf, statusOf, terminalStatuses, type Payment } from "../src/core/payment.ts"
import { secret } from "../src/core/secret.ts"
import type { Secrets } from "../src/engine/engine.ts"
import { confirm, create } from "../src/engine/execute.ts"
import { follow, type Command } from "../src/engine/follow-up.ts"
import type { MemoryLedger } from "../src/storage/ledger/memory.ts"
import type { Accounts } from "./accounts.ts"
import type { Answer, Client } from "./client.ts"
import type { LabPsp } from "./lab-psp.ts"
import type { Node } from "./node.ts"
import type { World } from "./world.ts"

export const MERCHANT = "mer_0" as MerchantId
/** The fingerprint of the card that several customers of a world pay with, and what they mostly buy. */
export const SHARED_CARD = "f"
export const USUAL_AMOUNT = 1_000n

/** As the vault would keep it. */
export const numberOf = (fingerprint: string) =>
  secret(fingerprint === SHARED_CARD ? "4111111111111111" : `40000000000000${fingerprint.slice(1).padStart(2, "0")}`)

export type Town = {
  readonly world: World
  readonly ledger: MemoryLedger
  readonly psps: readonly LabPsp[]
  readonly accounts: Accounts
  readonly client: Client
  /** How often a customer who has paid at the provider's page closes it instead of coming back. */
  readonly closing: number
  /** Work that nobody waits for. */
  readonly aside: (work: Promise<unknown>) => void
}

/** What one customer's payment is made of. */
type Order = { readonly intent: Intent; readonly secrets: Secrets; readonly sourceAccount?: AccountId }

/** One customer's payment from beginning to end. */
export async function shop(town: Town, number: number): Promise<void> {
  const { world } = town
  const order = drawOrder(town, number)
  if (world.chance(0.12)) town.aside(cancelEarly(town, number))
  const id = world.chance(0.2) ? await twoSteps(town, order, number) : await atOnce(town, order, number)
  if (id === undefined) return
  if (world.chance(0.08)) town.aside(command(town, `early-cancel-${number}`, id, { type: "cancel" }))
  await customer(town, id)
  await untilDecided(town, id)
  await backOffice(town, id, number)
}

const paymentOf = (answer: Answer | undefined): PaymentId | undefined => answer?.payment as PaymentId | undefined

const atOnce = async (town: Town, order: Order, number: number): Promise<PaymentId | undefined> =>
  paymentOf(
    await town.client.request(`create-${number}`, (node, request) =>
      create(node.engine, { ...order, payment: newPayment(node, order.intent), confirm: true, request }),
    ),
  )

/** Created now, confirmed later, or never. */
async function twoSteps(town: Town, order: Order, number: number): Promise<PaymentId | undefined> {
  const { world, ledger, client } = town
  const id = paymentOf(
    await client.request(`create-${number}`, (node, request) =>
      create(node.engine, { ...order, payment: newPayment(node, order.intent), confirm: false, request }),
    ),
  )
  if (id === undefined) return undefined
  if (world.chance(0.2)) {
    world.note("payment never confirmed")
    return undefined
  }
  await world.sleep(world.int(0, 20_000))
  world.note("confirm of its own")
  await client.request(`confirm-${number}`, async (node, request) => {
    const known = await node.engine.ledger.load(MERCHANT, id)
    return known === undefined
      ? { kind: "not_found" }
      : confirm(node.engine, known, { ...order, intent: known.intent, request })
  })
  return ledger.contents.payments().some((p) => p.id === id) ? id : undefined
}

/** Cancels as soon as the payment can be seen, whatever its first request is still doing. */
async function cancelEarly(town: Town, number: number): Promise<void> {
  const { world, ledger } = town
  for (let looked = 0; looked < 400; looked++) {
    const seen = ledger.contents.payments().find((p) => p.intent.metadata["order"] === String(number))
    if (seen !== undefined) {
      await world.sleep(world.chance(0.5) ? world.int(0, 50) : world.int(0, 5_000))
      if (!town.client.told.has(`create-${number}`)) world.note("cancel before the create was answered")
      await command(town, `first-cancel-${number}`, seen.id, { type: "cancel" })
      return
    }
    await world.sleep(looked < 200 ? 20 : 500)
  }
}

function drawOrder({ world, accounts }: Town, number: number): Order {
  const currency = parseCurrency("EUR")!
  const onUnknown = world.pick([undefined, "wait", "reverse_then_reroute", "reverse_then_reroute"] as const)
  const own = world.pick(accounts.accounts(MERCHANT)).id
  const network = world.pick(["visa", "mastercard"] as const)
  const { initiator, sourceAccount } = drawInitiator(world, own, network)
  const { method, secrets } = drawMethod(world, own, network, initiator, number)
  const source = sourceAccount === undefined ? {} : { source: sourceAccount }
  return {
    secrets,
    ...(sourceAccount === undefined ? {} : { sourceAccount }),
    intent: {
      amount: { minor: drawAmount(world, number), currency },
      capture: world.chance(0.5) ? "automatic" : "manual",
      method,
      store: false,
      initiator,
      threeDs: { mode: "automatic" },
      allowPartial: world.chance(0.4),
      answerWithinMs: world.pick([10_000, 25_000]),
      metadata: { order: String(number), ...source },
      ...(onUnknown === undefined ? {} : { onUnknown }),
    },
  }
}

function drawAmount(world: World, number: number): bigint {
  if (world.chance(0.04)) return 0n
  const minor = BigInt(world.int(2, 50_000))
  return number % 3 === 0 ? USUAL_AMOUNT : minor
}

function drawInitiator(
  world: World,
  own: AccountId,
  network: "visa" | "mastercard",
): { readonly initiator: Initiator; readonly sourceAccount?: AccountId } {
  if (!world.chance(0.15)) return { initiator: { by: "customer", stored: "none" } }
  world.note("merchant-initiated payment")
  if (world.chance(0.6))
    return { initiator: { by: "merchant", purpose: "recurring", networkTransactionId: networkTransactionIds[network] } }
  world.note("merchant-initiated payment at its source only")
  return { initiator: { by: "merchant", purpose: "recurring" }, sourceAccount: own }
}

const networkTransactionIds = { visa: "123456789012345", mastercard: "MCC1234561231" } as const

function drawMethod(
  world: World,
  own: AccountId,
  network: "visa" | "mastercard",
  initiator: Initiator,
  number: number,
): { readonly method: Method; readonly secrets: Secrets } {
  const card = {
    token: "tok_0" as const,
    network,
    bin: "411111",
    last4: "1111",
    expiryMonth: 12,
    expiryYear: 2099,
    fingerprint: number % 2 === 0 ? SHARED_CARD : `f${number}`,
  }
  const digits = numberOf(card.fingerprint)
  const mood = world.random()
  if (mood < 0.08) {
    world.note("provider token")
    return { method: { type: "provider_token", account: own, token: `tok-${own}`, network: "visa" }, secrets: {} }
  }
  if (mood < 0.2 && initiator.by === "customer") {
    world.note("network token with cryptogram")
    return {
      method: { type: "network_token", ...card, hasCryptogram: true },
      secrets: { number: digits, cryptogram: secret(`cryptogram-${number}`) },
    }
  }
  return { method: { type: "card", ...card }, secrets: { number: digits } }
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

const command = (town: Town, key: string, id: PaymentId, what: Command): Promise<Answer | undefined> =>
  town.client.request(key, (node, asked) => follow(node.engine, MERCHANT, id, what, asked))

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
      if (mood < 0.25) {
        world.note("customer never came back")
        return
      }
      const reference = attempt.action.url.split("/").at(-1)!
      await world.sleep(world.int(1_000, 90_000))
      for (const psp of town.psps) psp.challenge(reference, mood < 0.75)
      // Some close the page and never return; the provider still tells.
      if (world.chance(town.closing)) {
        if (mood < 0.75) world.note("customer paid and closed the page")
        return
      }
      world.note("customer came back")
      const result = drawResult(town, reference)
      const back = (i: number): Promise<unknown> =>
        command(town, `complete-${id}-${rounds}-${i}`, id, { type: "complete", fields: { result } })
      // A browser that sends its form twice.
      await Promise.all(Array.from({ length: world.chance(0.2) ? 2 : 1 }, (_, i) => back(i)))
      return
    }
    await world.sleep(2_000)
  }
}

/** What the browser brings: the provider's word, or that of another customer's payment. */
function drawResult({ world, psps }: Town, reference: string): string {
  const others = psps.flatMap((p) => p.charges.map((c) => c.reference)).filter((r) => r !== reference)
  if (others.length === 0 || !world.chance(0.2)) return reference
  world.note("customer swapped the fields of a redirect")
  return world.pick(others)
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
  if (statusOf(payment) === "authorized") await fulfil(town, payment, authorized, number)
  await world.sleep(world.chance(0.2) ? world.int(0, 2 * 86_400_000) : world.int(0, 120_000))
  const then = stored(town, id)
  const captured = then === undefined ? 0n : amountsOf(then).captured
  if (captured <= 0n || !world.chance(0.6)) return
  if (then !== undefined && world.now > then.createdAt + 86_400_000) world.note("refund days later")
  await Promise.all(
    Array.from({ length: world.int(1, 3) }, (_, i) =>
      command(town, `refund-${number}-${i}`, id, {
        type: "refund",
        ...(world.chance(0.6) ? { amount: 1n + (captured * BigInt(world.int(1, 9))) / 10n } : {}),
      }),
    ),
  )
}

async function fulfil(town: Town, { id, authorizedUntil }: Payment, authorized: bigint, number: number): Promise<void> {
  const { world } = town
  const mood = world.random()
  if (mood < 0.15) {
    world.note("cancel of what is authorized")
    await command(town, `cancel-${number}`, id, { type: "cancel" })
    return
  }
  if (mood < 0.2) return
  if (mood < 0.35 && authorized > 0n)
    await command(town, `increment-${number}`, id, {
      type: "increment",
      amount: authorized + BigInt(world.int(1, 500)),
    })
  // The parcel is packed later, sometimes too late.
  if (mood > 0.85 && authorizedUntil !== undefined) {
    await world.sleep(Math.max(0, authorizedUntil - world.now + world.int(-30_000, 60_000)))
    if (world.now > authorizedUntil) world.note("capture after the authorization ran out")
  }
  const amount = (): { amount: bigint; final: boolean } | Record<string, never> =>
    world.chance(0.5) ? { amount: 1n + (authorized * BigInt(world.int(1, 9))) / 10n, final: world.chance(0.3) } : {}
  const commands: Promise<unknown>[] = Array.from({ length: world.int(1, 3) }, async (_, i) => {
    if (i > 0) await world.sleep(world.pick([0, 0, 500, 3_000]))
    await command(town, `capture-${number}-${i}`, id, { type: "capture", ...amount() })
  })
  // Somebody else at the merchant's changes their mind at the same moment.
  if (world.chance(0.15))
    commands.push(
      world.sleep(world.int(0, 2_000)).then(() => command(town, `cancel-beside-${number}`, id, { type: "cancel" })),
    )
  if (world.chance(0.15))
    commands.push(
      world
        .sleep(world.int(0, 2_000))
        .then(() => command(town, `increment-beside-${number}`, id, { type: "increment", amount: authorized + 700n })),
    )
  await Promise.all(commands)
  if (world.chance(0.2)) await command(town, `cancel-late-${number}`, id, { type: "cancel" })
}
