import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { baselines } from "./baselines/policies.ts"
import { bestSingle, measure, oracleRate } from "./metrics.ts"
import { ours } from "./ours.ts"
import { attempt } from "./outcome.ts"
import { run } from "./run.ts"
import { chance, createWorld } from "./world.ts"

const world = createWorld({ name: "calibrated", volume: 60_000, seed: 1 })

describe("a world", () => {
  test("is its seed: the same payments, chances and outcomes every time", () => {
    const again = createWorld({ name: "calibrated", volume: 60_000, seed: 1 })
    assert.deepEqual(again.atMs, world.atMs)
    assert.deepEqual(again.paid, world.paid)
    for (let i = 0; i < 200; i++) assert.deepEqual(attempt(again, i, i % 4), attempt(world, i, i % 4))
    assert.notDeepEqual(createWorld({ name: "calibrated", volume: 60_000, seed: 2 }).paid, world.paid)
  })

  test("pays first attempts as often as the chances say", () => {
    for (let k = 0; k < world.providers; k++) {
      let paid = 0
      let expected = 0
      for (let i = 0; i < world.count; i++) {
        if (attempt(world, i, k).ending === "paid") paid += 1
        expected += chance(world, i, k)
      }
      // Four standard errors.
      assert.ok(Math.abs(paid - expected) < 4 * Math.sqrt(world.count * 0.11), `${paid} of ${expected}`)
    }
  })

  test("recovers elsewhere what the literature says of soft declines, and next to nothing of others", () => {
    const recovered = { soft: 0, other: 0 }
    const met = { soft: 0, other: 0 }
    for (let i = 0; i < world.count; i++) {
      const first = attempt(world, i, 0)
      if (first.ending !== "not_paid") continue
      const kind = first.previous === "soft_decline" ? "soft" : "other"
      met[kind] += 1
      if (attempt(world, i, 1).ending === "paid") recovered[kind] += 1
    }
    const soft = recovered.soft / met.soft
    assert.ok(soft > 0.15 && soft < 0.42, `${soft}`)
    assert.ok(recovered.other / met.other < 0.1)
    const share = met.soft / (met.soft + met.other)
    assert.ok(share > 0.2 && share < 0.4, `${share}`)
  })

  test("has its outages where its events say, and the adversary strikes the best provider most", () => {
    for (let i = 0; i < world.count; i += 7)
      for (let k = 0; k < world.providers; k++) {
        const index = world.outageAt[i * world.providers + k]!
        if (index < 0) continue
        const outage = world.events.outages[index]!
        assert.equal(outage.provider, k)
        assert.ok(world.atMs[i]! >= outage.fromMs && world.atMs[i]! < outage.untilMs)
      }
    const hostile = createWorld({ name: "adversarial", volume: 6_000, seed: 1 }).events.outages
    const most = Math.max(...[0, 1, 2, 3].map((k) => hostile.filter((o) => o.provider === k).length))
    assert.ok(most > hostile.length * 0.4)
  })
})

describe("the gym", () => {
  const single = bestSingle(world)
  const oracle = oracleRate(world)
  const measured = (policy: string): ReturnType<typeof measure> =>
    measure(world, run(world, policy === "orchestra" ? ours(world) : baselines[policy]!(world)), single.rate, oracle)

  test("measures what is known: the oracle has all the headroom, the best single provider none", () => {
    assert.ok(Math.abs(measured("oracle").headroom - 1) < 1e-9)
    assert.ok(Math.abs(measured("best_single").headroom) < 1e-9)
    assert.ok(measured("round_robin").headroom < 0)
    assert.ok(measured("segments_hindsight_outages_known").headroom > 0.6)
  })

  test("finds the router above the best single provider, within its exploration, and sending little into outages", () => {
    const metrics = measured("orchestra")
    assert.ok(metrics.approval_pp_vs_best_single > 0, `${metrics.approval_pp_vs_best_single} pp`)
    assert.ok(metrics.exploration_share <= 0.015)
    assert.ok(metrics.outage_share.hard < 0.06)
    assert.ok(metrics.retry_pp > 0.6)
  })

  test("runs every baseline on the same payments", () => {
    for (const policy of Object.keys(baselines)) {
      const { approval } = measured(policy)
      assert.ok(approval > 0.5 && approval <= oracle + 1e-9, `${policy}: ${approval}`)
    }
  })
})
