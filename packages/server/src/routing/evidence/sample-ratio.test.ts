import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { armOf, unitDie } from "./assignment.ts"
import { fixedChance } from "./fixed-chance.ts"
import { sampleRatio } from "./sample-ratio.ts"

const RUNS = 300
const UNITS = 3_000

test("arms that are filled as they should be raise no alarm, however often one looks", () => {
  const alpha = 0.1
  for (const shares of [
    [0.5, 0.5],
    [0.9, 0.1],
    [0.4, 0.3, 0.3],
  ]) {
    let alarms = 0
    for (let run = 0; run < RUNS; run++) {
      const die = fixedChance(run)
      const counts = shares.map(() => 0)
      for (let n = 0; n < UNITS; n++) {
        let left = die()
        const arm = shares.findIndex((share) => (left -= share) < 0)
        counts[arm < 0 ? 0 : arm]! += 1
        if (!sampleRatio(counts, shares, alpha).isBroken) continue
        alarms += 1
        break
      }
    }
    assert.ok(alarms <= RUNS * alpha + 4 * Math.sqrt(RUNS * alpha * (1 - alpha)), `${alarms} of ${RUNS}`)
  }
})

test("an arm that loses a tenth of its units is found within ten thousand", () => {
  for (let run = 0; run < 20; run++) {
    const die = fixedChance(500 + run)
    const counts = [0, 0]
    for (let n = 0; n < 15_000; n++) {
      const arm = die() < 0.5 ? 0 : 1
      if (arm === 0 || die() >= 0.1) counts[arm]! += 1
    }
    assert.ok(sampleRatio(counts, [0.5, 0.5]).isBroken)
  }
})

test("the evidence is that of the counts alone, in whichever order they came", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(10_000), (a, b) => {
      const one = sampleRatio([a, b], [0.5, 0.5]).logEvidence
      return Math.abs(one - sampleRatio([b, a], [0.5, 0.5]).logEvidence) < 1e-6 && (a + b > 0 || Math.abs(one) < 1e-9)
    }),
  )
})

test("a unit stays in its arm, arms are filled by their shares, and salts split independently", () => {
  const arms = [
    { name: "a", share: 0.7 },
    { name: "b", share: 0.3 },
  ]
  const counts = [0, 0, 0, 0]
  for (let unit = 0; unit < 20_000; unit++) {
    const [one, other] = [armOf(arms, "x", `pay_${unit}`), armOf(arms, "y", `pay_${unit}`)]
    assert.equal(armOf(arms, "x", `pay_${unit}`), one)
    counts[2 * one + other]! += 1
  }
  for (const [at, share] of [0.49, 0.21, 0.21, 0.09].entries())
    assert.ok(Math.abs(counts[at]! / 20_000 - share) < 0.015, counts.join())
  assert.notEqual(unitDie("a", "bc"), unitDie("ab", "c"))
})
