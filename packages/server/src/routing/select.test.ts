import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { NOTHING_READ, rounded, type AccountReading, type Readings } from "./readings.ts"
import { select, type Nature } from "./select.ts"
import type { Strategy } from "./strategy.ts"
import { diceAt } from "./signals/dice.ts"

const ids = ["acc_a", "acc_b", "acc_c", "acc_d"] as const
const customer: Nature = { initiator: "customer", pinned: false }

const health: fc.Arbitrary<AccountReading> = fc.constantFrom(
  { state: "healthy", share: 1, probeDue: false },
  { state: "healthy", share: 1, probeDue: false },
  { state: "suspect", share: 1, probeDue: false },
  { state: "returning", share: 0.25, probeDue: false },
  { state: "returning", share: 0.5, probeDue: false },
  { state: "probing", share: 0, probeDue: true },
  { state: "probing", share: 0, probeDue: false },
  { state: "ejected", share: 0, probeDue: false },
)
const reading: fc.Arbitrary<AccountReading> = fc
  .tuple(health, fc.double({ min: -1, max: 4, noNaN: true }), fc.double({ min: 0, max: 0.5, noNaN: true }))
  .map(([state, logit, gap]) => ({
    ...state,
    worth: { logit, sd: 0.2, n: 10, gap, factor: 1, latencyMs: 900, price: 0 },
  }))
const strategy: fc.Arbitrary<Strategy> = fc.oneof(
  fc.constant<Strategy>({ kind: "ordered", accounts: ids }),
  fc.tuple(...ids.map(() => fc.integer({ min: -70, max: 70 }))).map((shares): Strategy => ({
    kind: "split",
    shares: ids.map((account, i) => ({ account, share: Math.max(0, shares[i]!) })),
  })),
  fc.constant<Strategy>({ kind: "optimize", accounts: ids, objective: { kind: "approval" } }),
)
const readings: fc.Arbitrary<Readings> = fc
  .tuple(reading, reading, reading, reading, fc.nat(1_000_000), fc.integer({ min: 1, max: 2 }))
  .map(([a, b, c, d, seed, attempt]) =>
    rounded({
      ...NOTHING_READ,
      attempt,
      dice: { split: diceAt(1, seed), pick: diceAt(2, seed), admission: diceAt(3, seed) },
      exploration: { share: 0.015, tokens: 40, usual: 0.01, seen: 100 },
      accounts: { acc_a: a, acc_b: b, acc_c: c, acc_d: d },
    }),
  )

describe("a strategy applied to what was read", () => {
  test("orders every account once, and says with what chance each could have been first", () => {
    fc.assert(
      fc.property(strategy, readings, (rule, read) => {
        const { order, propensities } = select(rule, ids, read, customer)
        assert.deepEqual(order.toSorted(), [...ids])
        const sum = Object.values(propensities).reduce((total, chance) => total + chance, 0)
        assert.ok(Math.abs(sum - 1) < 1e-9, `${sum}`)
        assert.ok((propensities[order[0]!] ?? 0) > 0, "what happened had a chance to")
      }),
      { numRuns: 1_000 },
    )
  })

  test("those chances are how often each is first, over all dice", () => {
    fc.assert(
      fc.property(strategy, readings, (rule, read) => {
        const { propensities } = select(rule, ids, read, customer)
        const counts: Record<string, number> = {}
        const throws = 4_000
        for (let i = 0; i < throws; i++) {
          const dice = { split: diceAt(4, i), pick: diceAt(5, i), admission: diceAt(6, i) }
          const [first] = select(rule, ids, { ...read, dice }, customer).order
          counts[first!] = (counts[first!] ?? 0) + 1 / throws
        }
        for (const id of ids)
          assert.ok(Math.abs((counts[id] ?? 0) - (propensities[id] ?? 0)) < 0.05, `${id}: ${counts[id]}`)
      }),
      { numRuns: 60 },
    )
  })

  test("who is out is never first while another one is well, but as a probe that says so", () => {
    fc.assert(
      fc.property(strategy, readings, (rule, read) => {
        const { order, reason } = select(rule, ids, read, customer)
        const stateOf = (id: string): string => read.accounts[id]!.state
        const isOut = stateOf(order[0]!) === "ejected" || stateOf(order[0]!) === "probing"
        if (isOut && ids.some((id) => stateOf(id) === "healthy")) assert.equal(reason, "probe")
      }),
      { numRuns: 1_000 },
    )
  })

  test("nothing is tried out with retries, the merchant's own, pinned, large or challenged payments", () => {
    const delicate = fc.constantFrom<readonly [Partial<Readings>, Nature]>(
      [{ attempt: 2 }, customer],
      [{}, { initiator: "merchant", pinned: false }],
      [{}, { initiator: "customer", pinned: true }],
      [{ highValue: true }, customer],
      [{ challenged: true }, customer],
    )
    fc.assert(
      fc.property(strategy, readings, delicate, (rule, read, [more, nature]) => {
        const { reason, exploration = 0 } = select(rule, ids, { ...read, ...more }, nature)
        assert.ok(reason !== "explore" && reason !== "probe", reason)
        assert.equal(exploration, 0)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe("by the rule's own order", () => {
  const ordered: Strategy = { kind: "ordered", accounts: ids }
  const read = (states: Readonly<Record<string, AccountReading>>, admission = 0.4): Readings => ({
    ...NOTHING_READ,
    dice: { split: 0, pick: 0, admission },
    accounts: states,
  })

  test("an account that returns gets its share, and its place is taken by the next", () => {
    const states = { acc_a: { state: "returning", share: 0.25, probeDue: false } } as const
    assert.equal(select(ordered, ids, read(states, 0.2), customer).order[0], "acc_a")
    const without = select(ordered, ids, read(states, 0.3), customer)
    assert.deepEqual(without.order, ["acc_b", "acc_c", "acc_d", "acc_a"])
    assert.deepEqual(without.propensities, { acc_a: 0.25, acc_b: 0.75 })
  })

  test("a probe rides only where the account would come first if it were well", () => {
    const due = { state: "probing", share: 0, probeDue: true } as const
    const first = select(ordered, ids, read({ acc_a: due }), customer)
    assert.deepEqual([first.reason, first.order[0]], ["probe", "acc_a"])
    const second = select(ordered, ids, read({ acc_b: due }), customer)
    assert.deepEqual([second.reason, second.order], ["ordered", ["acc_a", "acc_c", "acc_d", "acc_b"]])
  })

  test("with nobody open, those that are nearest to well come first", () => {
    const out = (state: AccountReading["state"]): AccountReading => ({ state, share: 0, probeDue: false })
    const states = { acc_a: out("ejected"), acc_b: out("probing"), acc_c: out("ejected"), acc_d: out("ejected") }
    const { order, reason } = select(ordered, ids, read(states), customer)
    assert.deepEqual([reason, order], ["none_healthy", ["acc_b", "acc_a", "acc_c", "acc_d"]])
  })
})

test("a share of 0 is the last resort, and never nobody", () => {
  const strategy: Strategy = {
    kind: "split",
    shares: [
      { account: "acc_a", share: 0 },
      { account: "acc_b", share: 1 },
      { account: "acc_c", share: 0 },
    ],
  }
  const three = ["acc_a", "acc_b", "acc_c"]
  const first = (eligible: readonly string[], accounts: Readings["accounts"] = {}) =>
    select(strategy, eligible, { ...NOTHING_READ, accounts }, customer).order[0]
  assert.equal(first(three), "acc_b")
  assert.equal(first(three, { acc_b: { state: "ejected", share: 0, probeDue: false } }), "acc_a")
  assert.equal(first(["acc_a", "acc_c"]), "acc_a", "where the only one with a share cannot serve the payment")
})

test("a split is sticky: one payment's die leads to one account, whatever the others do", () => {
  const split: Strategy = {
    kind: "split",
    shares: [
      { account: "acc_a", share: 3 },
      { account: "acc_b", share: 1 },
    ],
  }
  const at = (die: number): string | undefined =>
    select(split, ["acc_a", "acc_b"], { ...NOTHING_READ, dice: { split: die, pick: 0.9, admission: 0.1 } }, customer)
      .order[0]
  assert.deepEqual([at(0), at(0.74), at(0.75), at(0.999)], ["acc_a", "acc_a", "acc_b", "acc_b"])
})
