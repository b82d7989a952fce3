import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { choose, type ChoiceInput } from "./choose.ts"
import { createRouter, type RouteContext, type RouteRule } from "./router.ts"
import type { Strategy } from "./strategy.ts"
import { diceAt } from "./signals/dice.ts"
import type { Ending } from "./signals/observation.ts"

const ids = ["acc_a", "acc_b", "acc_c"] as const
const optimize = (more: Partial<Extract<Strategy, { kind: "optimize" }>> = {}): readonly RouteRule[] => [
  { matches: () => true, strategy: { kind: "optimize", accounts: ids, objective: { kind: "approval" }, ...more } },
]
const accounts = ids.map((id) => ({ id }))
const context = (n: number, more: Partial<RouteContext> = {}): RouteContext => ({
  payment: `pay_${n}`,
  network: "visa",
  country: "DE",
  issuer: `bank ${n % 5}`,
  method: "card",
  operation: "authorize",
  attempt: 1,
  amount: 50,
  initiator: "customer",
  ...more,
})

/** Serves payments whose chance depends on the account, and returns how many went where. */
function serve(
  router: ReturnType<typeof createRouter>,
  from: number,
  count: number,
  chances: Readonly<Record<string, number>>,
) {
  const went: Record<string, number> = {}
  for (let i = from; i < from + count; i++) {
    const now = i * 2_000
    const account = router.decide(context(i), now).order[0]!
    went[account] = (went[account] ?? 0) + 1
    const ending: Ending = diceAt(7, i) < chances[account]! ? "paid" : "not_paid"
    router.observe({ ...context(i), account, ending, latencyMs: 800 }, now + 800)
  }
  return went
}

describe("the router", () => {
  test("learns which account is paid more often, and goes there", () => {
    const router = createRouter({ accounts, policy: optimize(), seed: 1 })
    const chances = { acc_a: 0.8, acc_b: 0.92, acc_c: 0.78 }
    serve(router, 0, 6_000, chances)
    const went = serve(router, 6_000, 2_000, chances)
    assert.ok(went["acc_b"]! > 1_900, JSON.stringify(went))
  })

  test("leaves an account that is down within five payments, and returns when it is up", () => {
    const router = createRouter({ accounts, policy: optimize({ exploration: 0 }), seed: 1 })
    const chances = { acc_a: 0.8, acc_b: 0.95, acc_c: 0.8 }
    serve(router, 0, 6_000, chances)
    let lost = 0
    for (let i = 6_000; i < 6_200; i++) {
      const account = router.decide(context(i), i * 2_000).order[0]!
      if (account === "acc_b") lost += 1
      const ending = account === "acc_b" ? "technical" : "paid"
      router.observe({ ...context(i), account, ending }, i * 2_000 + 500)
      if (i === 6_050) assert.ok(lost <= 5, `${lost} payments`)
    }
    assert.ok(lost <= 12, `${lost} payments in seven minutes`)
    serve(router, 6_200, 2_000, chances)
    assert.ok(serve(router, 8_200, 500, chances)["acc_b"]! > 400)
    assert.ok(router.takeChanges().length > 0)
  })

  test("makes the same decisions from the same history, and each replays from its record", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1_000 }),
        fc.array(fc.constantFrom<Ending>("paid", "not_paid", "technical", "issuer_technical"), { maxLength: 200 }),
        (seed, endings) => {
          const routers = [0, 1].map(() => createRouter({ accounts, policy: optimize(), seed }))
          endings.forEach((ending, i) => {
            const [one, two] = routers.map((router) => {
              const decision = router.decide(context(i), i * 1_000)
              router.observe({ ...context(i), account: decision.order[0]!, ending, latencyMs: 500 }, i * 1_000 + 500)
              return decision
            })
            assert.deepEqual(one, two)
            const replayed = choose(JSON.parse(JSON.stringify(one!.input)) as ChoiceInput)
            assert.deepEqual(
              replayed.order.map((k) => one!.input!.accounts[k]!.account),
              one!.order,
            )
          })
        },
      ),
      { numRuns: 40 },
    )
  })

  test("never experiments with retries, merchant's own, pinned, large or challenged payments", () => {
    const router = createRouter({ accounts, policy: optimize({ exploration: 0.5 }), seed: 1 })
    serve(router, 0, 300, { acc_a: 0.88, acc_b: 0.88, acc_c: 0.88 })
    const delicate: readonly Partial<RouteContext>[] = [
      { attempt: 2, previous: "soft_decline", tried: ["acc_a"] },
      { initiator: "merchant" },
      { pinned: true },
      { amount: 5_000 },
      { challenged: true },
    ]
    for (const more of delicate)
      for (let i = 0; i < 50; i++) assert.equal(router.decide(context(1_000 + i, more), 700_000).input!.exploration, 0)
    assert.ok(router.decide(context(2_000), 700_000).input!.exploration > 0, "and does with an ordinary one")
  })

  test("goes where a retry was not, and only where the payment can be served", () => {
    const router = createRouter({ accounts, policy: optimize(), seed: 1 })
    const decision = router.decide(context(1, { attempt: 2, tried: ["acc_a"], eligible: ["acc_a", "acc_c"] }), 0)
    assert.deepEqual(decision.order, ["acc_c"])
  })

  test("weighs cost and waiting where expected value is asked for", () => {
    const dear = [
      { id: "acc_a", cost: () => 0.03 },
      { id: "acc_b", cost: () => 0.005 },
      { id: "acc_c", cost: () => 0.03 },
    ]
    const objective = { kind: "expected_value", margin: 0.2, perSecond: 0.0001 } as const
    const router = createRouter({ accounts: dear, policy: optimize({ objective, exploration: 0 }), seed: 1 })
    const went = serve(router, 0, 3_000, { acc_a: 0.9, acc_b: 0.88, acc_c: 0.9 })
    assert.ok(went["acc_b"]! > 2_800, JSON.stringify(went))
    const { input } = router.decide(context(9_000), 9_000_000)
    for (const one of input!.accounts)
      assert.ok(
        Math.abs(one.paid * one.healthFactor * 0.2 - one.cost - one.latencyPrice + one.commitmentPrice - one.score) <
          1e-12,
        "the score is the sum of its parts",
      )
  })
})

describe("other strategies", () => {
  test("split by the payment's hash: the same payment always goes the same way, all together as asked", () => {
    const shares = [
      { account: "acc_a", share: 70 },
      { account: "acc_b", share: 30 },
    ]
    const router = createRouter({
      accounts,
      policy: [{ matches: () => true, strategy: { kind: "split", shares } }],
      seed: 3,
    })
    let first = 0
    for (let i = 0; i < 10_000; i++) {
      const { order } = router.decide(context(i), i)
      assert.deepEqual(order, router.decide(context(i), i + 1).order)
      if (order[0] === "acc_a") first += 1
    }
    assert.ok(Math.abs(first / 10_000 - 0.7) < 0.02)
  })

  test("ordered puts who is ejected last, and keeps the last one", () => {
    const strategy: Strategy = { kind: "ordered", accounts: ["acc_a", "acc_b"] }
    const router = createRouter({ accounts, policy: [{ matches: () => true, strategy }], seed: 1 })
    const fail = (account: string, from: number): void => {
      for (let i = from; i < from + 6; i++) router.observe({ ...context(i), account, ending: "technical" }, i * 1_000)
    }
    for (let i = 0; i < 50; i++) router.observe({ ...context(i), account: "acc_b", ending: "paid" }, i * 1_000)
    fail("acc_a", 50)
    assert.deepEqual(router.decide(context(60), 60_000).order, ["acc_b", "acc_a"])
    assert.deepEqual(router.decide(context(61, { eligible: ["acc_a"] }), 60_000).order, ["acc_a"])
  })

  test("ordered keeps the rule's order, first match wins, and no match chooses nothing", () => {
    const policy: readonly RouteRule[] = [
      { matches: (c) => c.country === "FR", strategy: { kind: "ordered", accounts: ["acc_c", "acc_a"] } },
      { matches: (c) => c.country === "DE", strategy: { kind: "ordered", accounts: ["acc_b"] } },
    ]
    const router = createRouter({ accounts, policy, seed: 1 })
    assert.deepEqual(router.decide(context(1, { country: "FR" }), 0).order, ["acc_c", "acc_a"])
    assert.equal(router.decide(context(1), 0).rule, 1)
    assert.deepEqual(router.decide(context(1, { country: "GB" }), 0).order, [])
  })
})
