// A reversal that succeeded and fails days later: the money is with the provider again, and nobody may forget it.

import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { accountAt, scripted, type Call, type Reply } from "../../testing/scripted.ts"
import type { Notice } from "../connectors/connector.ts"
import { connectors } from "../connectors/registry.ts"
import { violationOf } from "../core/invariant.ts"
import { amountsOf, isOpen, statusOf, type Operation, type Payment } from "../core/payment.ts"
import type { Account } from "./engine.ts"
import { apply } from "./receive.ts"

const DAY_MS = 86_400_000
type World = ReturnType<typeof scripted>

const states = ({ attempts }: Payment): readonly string[] => attempts.map(({ account, state }) => `${account} ${state}`)
const reversals = ({ operations }: Payment): readonly Operation[] => operations.filter((o) => o.kind === "reverse")

async function hear(world: World, account: Account, body: unknown): Promise<void> {
  const notices: readonly Notice[] = account.connector.webhook.decode({ headers: {}, body: JSON.stringify(body) })
  assert.ok(notices.length > 0)
  for (const notice of notices) {
    const applied = apply(world.engine, account, notice)
    await world.pass(3_000)
    assert.equal(await applied, "applied")
  }
}

describe("at Stripe, after another account was tried", () => {
  const first = accountAt("a", connectors.stripe, { onUnknown: "reverse_then_reroute" })
  const second = accountAt("b", connectors.stripe)
  const intent = (id: string, status: string, received = 0) => ({
    id,
    object: "payment_intent",
    status,
    amount: 1_000,
    currency: "eur",
    amount_received: received,
    amount_capturable: 0,
    capture_method: "automatic",
    metadata: {},
    latest_charge:
      received === 0
        ? null
        : {
            id: `ch_${id}`,
            object: "charge",
            captured: true,
            refunded: false,
            amount_captured: received,
            amount_refunded: 0,
            currency: "eur",
            status: "succeeded",
          },
  })
  const refund = (id: string, intentId: string, more: object = {}) => ({
    id,
    object: "refund",
    status: "succeeded",
    amount: 1_000,
    currency: "eur",
    payment_intent: intentId,
    balance_transaction: "txn_1",
    ...more,
  })

  /** The first account is silent and has charged, the second one takes `afterMs` to answer. */
  async function rerouted(onRefund: (count: number) => Reply | undefined, afterMs = 0) {
    let refunds = 0
    const world = scripted([first, second], ({ account, path, method }: Call): Reply => {
      const id = account === "a" ? "pi_aaaaaaaaaaaa" : "pi_bbbbbbbbbbbb"
      if (path === "/v1/payment_intents") return { body: intent(id, "requires_payment_method") }
      if (path.endsWith("/confirm"))
        return account === "a" ? "silence" : { body: intent(id, "succeeded", 1_000), afterMs }
      if (path === "/v1/refunds" && method === "POST") {
        refunds += 1
        return onRefund(refunds) ?? { body: refund(`re_${refunds}aaaaaaaaaaaa`, id) }
      }
      return { body: intent(id, "succeeded", 1_000) }
    })
    const { id } = world.pay({ capture: "automatic", answerWithinMs: 60_000 })
    for (let second = 0; second < 120; second++) await world.pass(1_000)
    assert.deepEqual(states(world.stored(id)), ["a reversed", "b held"])
    await world.pass(2 * DAY_MS)
    const { id: operation, attempt } = reversals(world.stored(id))[0] ?? assert.fail()
    const tell = (type: string, status: string): Promise<void> =>
      hear(world, first, {
        id: `evt_${type}`,
        object: "event",
        type,
        data: {
          object: refund("re_1aaaaaaaaaaaa", "pi_aaaaaaaaaaaa", {
            status,
            metadata: { orchestra_attempt: attempt, orchestra_operation: operation },
          }),
        },
      })
    return { world, id, tell }
  }

  test("its success that is told once more does not make it good, and the money stays owed", async () => {
    const busy = { error: { type: "invalid_request_error", code: "rate_limit", message: "busy" } }
    const { world, id, tell } = await rerouted((count) => (count > 1 ? { status: 429, body: busy } : undefined))
    await tell("refund.failed", "failed")
    assert.deepEqual(states(world.stored(id)), ["a held", "b held"])
    await tell("refund.created", "succeeded")
    const after = world.stored(id)
    assert.deepEqual(states(after), ["a held", "b held"])
    assert.equal(reversals(after).filter(isOpen).length, 1)
    assert.equal(violationOf(after), undefined)
  })

  test("what has stood meanwhile goes on standing, also where it was refunded", async () => {
    const { world, id, tell } = await rerouted(() => undefined, 30_000)
    const refunding = world.follow(id, { type: "refund" })
    await world.pass(5_000)
    assert.equal((await refunding).kind, "payment")
    await tell("refund.failed", "failed")
    await world.pass(3 * DAY_MS)
    const after = world.stored(id)
    assert.deepEqual(states(after), ["a reversed", "b held"])
    assert.deepEqual([amountsOf(after).captured, amountsOf(after).refunded], [1_000n, 1_000n])
  })
})

test("at Adyen it is owed anew where nobody had told that the money was taken", async () => {
  const account = accountAt("a", connectors.adyen)
  let modifications = 0
  const world = scripted([account], ({ path }) =>
    path.endsWith("/payments")
      ? "silence"
      : { status: 201, body: { pspReference: `MOD${(modifications += 1)}`, status: "received" } },
  )
  const { id } = world.pay({ capture: "automatic" })
  const until = async (count: number): Promise<void> => {
    for (let minute = 0; minute < 40 && modifications < count; minute++) await world.pass(60_000)
    assert.equal(modifications, count)
  }
  const tell = (item: object): Promise<void> =>
    hear(world, account, {
      notificationItems: [
        {
          NotificationRequestItem: {
            merchantAccountCode: "Shop",
            amount: { value: 1_000, currency: "EUR" },
            merchantReference: reversals(world.stored(id))[0]?.id,
            originalReference: "PSP1",
            ...item,
          },
        },
      ],
    })
  await until(1)
  // Told twice, before the next round is on its way: that one is still to be sent, and answered by nothing yet.
  for (let told = 0; told < 2; told++)
    await tell({ eventCode: "TECHNICAL_CANCEL", success: "false", pspReference: "MOD1" })
  assert.deepEqual(
    reversals(world.stored(id)).map(({ round }) => round),
    [1],
  )
  await until(2)
  await tell({ eventCode: "CANCEL_OR_REFUND", success: "true", pspReference: "MOD2" })
  assert.equal(statusOf(world.stored(id)), "failed")
  await tell({ eventCode: "REFUND_FAILED", success: "true", pspReference: "MOD2" })
  const after = world.stored(id)
  assert.deepEqual(states(after), ["a held"])
  assert.equal(reversals(after).filter(isOpen).length, 1)
  assert.equal(violationOf(after), undefined)
  await until(3)
})
