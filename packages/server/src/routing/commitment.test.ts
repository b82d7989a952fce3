import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createCommitments, type Commitment } from "./commitment.ts"
import { diceAt } from "./signals/dice.ts"

const PAYMENTS = 100_000
const PERIOD_MS = PAYMENTS * 1_000

/** A period of payments whose best account varies; account 0 is best by a point on average. */
function serve(owed: readonly (Commitment | undefined)[]) {
  const commitments = createCommitments(owed, 0, PERIOD_MS)
  const shares = new Float64Array(owed.length)
  let lost = 0
  for (let i = 0; i < PAYMENTS; i++) {
    const worth = owed.map((_, k) => 0.88 - 0.01 * k + 0.03 * (diceAt(k, i) - 0.5))
    const open = owed.map((_, k) => k).filter((k) => !commitments.isCapped(k))
    const value = (k: number): number => worth[k]! + commitments.priceOf(k)
    const chosen = open.reduce((best, k) => (value(k) > value(best) ? k : best))
    lost += Math.max(...worth) - worth[chosen]!
    shares[chosen]! += 1 / PAYMENTS
    commitments.observe(open, chosen, 50, i * 1_000)
  }
  return { commitments, shares, lost: lost / PAYMENTS }
}

describe("a commitment", () => {
  test("of volume is met, and costs little", () => {
    const { commitments, lost } = serve([undefined, { minVolume: 40_000 }])
    const bare = serve([undefined, undefined])
    assert.ok(commitments.volumeOf(1) >= 0.995 * 40_000, `${commitments.volumeOf(1)}`)
    assert.ok(commitments.volumeOf(1) <= 1.05 * 40_000, "and not by far too much")
    assert.ok(lost - bare.lost < 0.005)
  })

  test("that is met anyway has no price", () => {
    const { commitments } = serve([{ minShare: 0.3 }, undefined])
    assert.ok(commitments.priceOf(0) < 0.002)
  })

  test("of amounts stands verifications of 0, which may come before anything else in a month", () => {
    const commitments = createCommitments([{ minShare: 0.5, unit: "amount" }, undefined], 0, PERIOD_MS)
    for (const amount of [0, 0, 20, 0]) commitments.observe([0, 1], 1, amount, 1_000)
    assert.ok(commitments.priceOf(0) > 0 && commitments.priceOf(0) < 0.01, `${commitments.priceOf(0)}`)
  })

  test("of shares holds floor and ceiling", () => {
    const { shares } = serve([{ maxShare: 0.5 }, undefined, { minShare: 0.2 }])
    assert.ok(shares[0]! < 0.51 && shares[0]! > 0.45, `${shares[0]}`)
    assert.ok(shares[2]! > 0.195 && shares[2]! < 0.22, `${shares[2]}`)
  })

  test("of a cap is never passed", () => {
    const { commitments } = serve([{ maxVolume: 20_000 }, undefined])
    assert.ok(commitments.volumeOf(0) <= 20_000)
    assert.ok(commitments.volumeOf(0) > 0.97 * 20_000)
  })
})
