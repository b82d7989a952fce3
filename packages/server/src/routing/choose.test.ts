import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { choose, type ChoiceInput, type Scored } from "./choose.ts"
import { diceAt } from "./signals/dice.ts"

const states = ["healthy", "suspect", "ejected", "probing", "returning"] as const
const scored = (account: string, more: Partial<Scored> = {}): Scored => ({
  account,
  paid: 0.9,
  paidLow: 0.88,
  paidHigh: 0.92,
  n: 100,
  cost: 0,
  latencyMs: 800,
  latencyPrice: 0,
  commitmentPrice: 0,
  state: "healthy",
  healthFactor: 1,
  healthShare: 1,
  probeDue: false,
  score: 0.9,
  benefit: 0,
  ...more,
})
const input = (accounts: readonly Scored[], more: Partial<ChoiceInput> = {}): ChoiceInput => ({
  accounts,
  exploration: 0,
  mayProbe: false,
  dice: { pick: 0.5, admission: 0.5 },
  ...more,
})
const unit = fc.double({ min: 0, max: 1 - 1e-9, noNaN: true })
const anyInput: fc.Arbitrary<ChoiceInput> = fc.record({
  accounts: fc.array(
    fc
      .record({
        score: unit,
        benefit: fc.double({ min: -0.1, max: 0.1, noNaN: true }),
        state: fc.constantFrom(...states),
        probeDue: fc.boolean(),
      })
      .map(({ state, ...rest }) =>
        scored("acc", {
          ...rest,
          state,
          healthShare: state === "ejected" || state === "probing" ? 0 : state === "returning" ? 0.25 : 1,
        }),
      ),
    { maxLength: 8 },
  ),
  exploration: fc.double({ min: 0, max: 0.2, noNaN: true }),
  mayProbe: fc.boolean(),
  dice: fc.record({ pick: unit, admission: unit }),
})

describe("a choice", () => {
  test("is the same when its record is replayed from JSON", () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        assert.deepEqual(choose(JSON.parse(JSON.stringify(given)) as ChoiceInput), choose(given))
      }),
    )
  })

  test("orders every account once, and its propensities sum to one", () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const { order, propensities } = choose(given)
        assert.deepEqual(
          order.toSorted((a, b) => a - b),
          given.accounts.map((_, i) => i),
        )
        if (given.accounts.length === 0) return
        const sum = propensities.reduce((total, p) => total + p, 0)
        assert.ok(Math.abs(sum - 1) < 1e-9, `${sum}`)
      }),
    )
  })

  test("loses no chance to a benefit that is next to nothing", () => {
    const accounts = [scored("a", { score: 1e-9 }), scored("b", { score: 0, benefit: 5e-324 })]
    const { propensities } = choose({ accounts, exploration: 1e-9, mayProbe: false, dice: { pick: 0, admission: 0 } })
    assert.deepEqual(propensities, [1 - 1e-9, 1e-9])
  })

  test("never goes first where its propensity is zero", () => {
    fc.assert(
      fc.property(anyInput, (given) => {
        const { order, propensities } = choose(given)
        if (order.length > 0) assert.ok(propensities[order[0]!]! > 0)
      }),
    )
  })

  test("comes out as often as its propensities say, those that return included", () => {
    const accounts = [
      scored("a", { score: 0.9 }),
      scored("b", { score: 0.95, state: "returning", healthShare: 0.25, benefit: 0 }),
      scored("c", { score: 0.89, benefit: 0.02 }),
    ]
    const counts = [0, 0, 0]
    for (let i = 0; i < 40_000; i++) {
      const dice = { pick: diceAt(1, i), admission: diceAt(2, i) }
      counts[choose(input(accounts, { exploration: 0.1, dice })).order[0]!]! += 1
    }
    const { propensities } = choose(input(accounts, { exploration: 0.1 }))
    for (let i = 0; i < 3; i++) assert.ok(Math.abs(counts[i]! / 40_000 - propensities[i]!) < 0.01)
  })

  test("explores only where the gap's interval does not exclude benefit", () => {
    const accounts = [
      scored("a", { score: 0.9 }),
      scored("b", { score: 0.8, benefit: -0.01 }),
      scored("c", { score: 0.88, benefit: 0.01 }),
    ]
    assert.deepEqual(choose(input(accounts, { exploration: 0.1 })).propensities, [0.9, 0, 0.1])
    const settled = accounts.map((a) => ({ ...a, benefit: Math.min(0, a.benefit) }))
    assert.deepEqual(choose(input(settled, { exploration: 0.1 })).propensities, [1, 0, 0])
  })

  test("leaves out who is ejected, but never the last one", () => {
    const out = { state: "ejected", healthShare: 0 } as const
    assert.deepEqual(choose(input([scored("a", { score: 0.9, ...out }), scored("b", { score: 0.5 })])).order, [1, 0])
    const none = choose(input([scored("a", { score: 0.4, ...out }), scored("b", { score: 0.5, ...out })]))
    assert.deepEqual([none.order, none.reason], [[1, 0], "none_healthy"])
  })

  test("probes only with a payment that may", () => {
    const accounts = [scored("a"), scored("b", { state: "probing", healthShare: 0, probeDue: true, score: 0.5 })]
    assert.equal(choose(input(accounts, { mayProbe: true })).reason, "probe")
    assert.deepEqual(choose(input(accounts)).order, [0, 1])
  })

  test("shares evenly between equals, so that the first in a list has no privilege", () => {
    assert.deepEqual(choose(input([scored("a"), scored("b")])).propensities, [0.5, 0.5])
  })
})
