import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { accountAt, scripted } from "../../testing/scripted.ts"
import type { MerchantId, PolicyId } from "../core/id.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import { plainRetryPlan, type RetryPlan } from "../routing/retry-plan.ts"
import { createRoutingSignals, MAX_SHELVES } from "./signals.ts"

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
