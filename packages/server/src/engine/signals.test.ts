import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { accountAt, MERCHANT, scripted } from "../../testing/scripted.ts"
import type { CardId, MerchantId, PolicyId } from "../core/id.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import { plainRetryPlan, type RetryPlan } from "../routing/retry-plan.ts"
import { createRoutingSignals, MAX_SHELVES } from "./signals.ts"

const card = {
  type: "card",
  token: "card_0" as CardId,
  network: "visa",
  bin: "411111",
  last4: "1111",
  expiryMonth: 12,
  expiryYear: 2099,
} as const

describe("what routing has learned", () => {
  test("fails no payment, whatever is wrong with it", async () => {
    const fees = {
      get currency(): never {
        throw new TypeError("a bug")
      },
    }
    const accounts = [accountAt("acc_a", undefined, { fees: fees as never }), accountAt("acc_b")]
    const strategy = { kind: "optimize", accounts: ["acc_a", "acc_b"], objective: { kind: "approval" } } as const
    const town = scripted(accounts, () => "refused", {
      id: "pol_0" as PolicyId,
      version: 1,
      rules: [{ name: "all", when: { all: [] }, strategy: strategy as never }],
    })
    const { id, answer } = town.pay()
    await town.pass(1_000)
    await answer
    assert.equal(town.stored(id).attempts[0]?.account, "acc_a")
    assert.deepEqual(town.errors, ["routing could not use what it has learned"])
  })

  test("blames no account for one empty card that is tried again and again, but for many cards it does", async () => {
    const GOOD = 40
    const stateAfter = async (fingerprintOf: (payment: number) => string): Promise<string> => {
      const accounts = [accountAt("acc_a"), accountAt("acc_b")]
      const refused = {
        resultCode: "Refused",
        pspReference: "P1",
        refusalReason: "Not enough balance",
        refusalReasonCode: "12",
      }
      const approved = { resultCode: "Authorised", pspReference: "P1" }
      const town = scripted(accounts, (_call, calls) => ({ body: calls.length < GOOD ? approved : refused }))
      for (let payment = 0; payment < 3 * GOOD; payment++) {
        const method = { ...card, fingerprint: payment < GOOD ? `good ${payment}` : fingerprintOf(payment) }
        town.pay({ method })
        await town.pass(2_000)
      }
      const { signals } = town.engine.signals.shelfOf({ merchant: MERCHANT, mode: "test" })
      return signals.overall("acc_a", town.engine.clock.now())!.state
    }
    assert.equal(await stateAfter(() => "the same"), "healthy")
    assert.equal(await stateAfter((payment) => `card ${payment}`), "ejected")
  })

  test("lets no payment carry a probe whose rule would not go on to another account", async () => {
    const reroutable = async (retry?: RetryPlan): Promise<boolean> => {
      const [first, second] = [accountAt("acc_a"), accountAt("acc_b")]
      const rule = {
        name: "all",
        when: { all: [] },
        strategy: { kind: "ordered", accounts: [first.id, second.id] },
      } as const
      const town = scripted([first, second], () => "refused", {
        id: "pol_0" as PolicyId,
        version: 1,
        rules: [retry === undefined ? rule : { ...rule, retry }],
      })
      const { id } = town.pay()
      await town.pass(1_000)
      return (town.stored(id).attempts[0]!.decision as DecisionRecord).inputs.readings.reroutable
    }
    const [step] = plainRetryPlan.steps
    assert.equal(await reroutable(), true)
    assert.equal(await reroutable({ ...plainRetryPlan, maxRetries: 0 }), false)
    assert.equal(await reroutable({ maxRetries: 5, steps: [{ ...step!, provider: "same" }] }), false)
    assert.equal(await reroutable({ maxRetries: 5, steps: [{ ...step!, on: { reasons: ["do_not_honor"] } }] }), false)
  })

  test("is forgotten of whom nobody has asked for longest", () => {
    const { engine } = scripted([], () => "refused")
    const signals = createRoutingSignals(engine)
    const shelfOf = (number: number) => signals.shelfOf({ merchant: `mer_${number}` as MerchantId, mode: "live" })
    const [first, second] = [shelfOf(0), shelfOf(1)]
    for (let i = 2; i < MAX_SHELVES; i++) shelfOf(i)
    assert.equal(shelfOf(0), first)
    shelfOf(MAX_SHELVES)
    assert.equal(signals.shelves().length, MAX_SHELVES)
    assert.equal(shelfOf(0), first, "asked for again and again")
    assert.notEqual(shelfOf(1), second)
  })
})
