// By simulation with fixed seeds, looked at after every unit: what is claimed of all times holds at all times.

import assert from "node:assert/strict"
import { test } from "node:test"
import { createBoundary } from "./boundary.ts"
import { differenceSequence, meanSequence, noDifference, noMean } from "./confidence-sequence.ts"
import { fixedChance } from "./fixed-chance.ts"

const RUNS = 200
const UNITS = 4_000
const ALPHA = 0.1
const range = { low: 0, high: 1 }

/** Of so many runs at chance ALPHA at most: four standard errors above it. */
const MOST = RUNS * ALPHA + 4 * Math.sqrt(RUNS * ALPHA * (1 - ALPHA))

for (const [what, share, chance] of [
  ["even arms", 0.5, () => 0.88],
  ["a small arm", 0.05, () => 0.9],
  [
    "approval that drifts and collapses for both",
    0.2,
    (n: number) => 0.85 + 0.1 * Math.sin(n / 500) - (n > 2_000 && n < 2_300 ? 0.7 : 0),
  ],
] as const)
  test(`two arms that are alike are stopped, ever, no more often than alpha: ${what}`, () => {
    const sequence = differenceSequence({ share, alpha: ALPHA, range })
    let stopped = 0
    for (let run = 0; run < RUNS; run++) {
      const die = fixedChance(run)
      let state = noDifference
      for (let n = 0; n < UNITS; n++) {
        const isTreated = die() < share
        state = sequence.observed(state, isTreated, die() < chance(n) ? 1 : 0)
        if (!sequence.isBelow(state, 0)) continue
        stopped += 1
        break
      }
    }
    assert.ok(stopped <= MOST, `${stopped} of ${RUNS}`)
  })

test("the interval of a difference holds the truth at every look, in at least 1 − alpha of runs", () => {
  const sequence = differenceSequence({ share: 0.3, alpha: ALPHA, range })
  let wrong = 0
  for (let run = 0; run < RUNS; run++) {
    const die = fixedChance(1_000 + run)
    let state = noDifference
    let isWrong = false
    for (let n = 1; n <= UNITS; n++) {
      const isTreated = die() < 0.3
      state = sequence.observed(state, isTreated, die() < (isTreated ? 0.82 : 0.88) ? 1 : 0)
      if (n % 50 !== 0) continue
      const { low, high } = sequence.interval(state)!
      if (low > -0.06 || high < -0.06) isWrong = true
    }
    if (isWrong) wrong += 1
  }
  assert.ok(wrong <= MOST, `${wrong} of ${RUNS}`)
})

test("a harm of five points is found, in every run, within some thousand payments", () => {
  const sequence = differenceSequence({ share: 0.5, alpha: 0.05, range })
  for (let run = 0; run < 20; run++) {
    const die = fixedChance(2_000 + run)
    let state = noDifference
    let n = 0
    while (n < 20_000 && !sequence.isBelow(state, -0.005)) {
      const isTreated = die() < 0.5
      state = sequence.observed(state, isTreated, die() < (isTreated ? 0.83 : 0.88) ? 1 : 0)
      n += 1
    }
    assert.ok(n < 20_000)
  }
})

test("values beyond the range are cut and counted, and the interval speaks of what was cut", () => {
  const sequence = differenceSequence({ share: 0.5, alpha: 0.05, range: { low: 0, high: 30_000 } })
  let state = noDifference
  const die = fixedChance(7)
  for (let n = 0; n < 5_000; n++) state = sequence.observed(state, die() < 0.5, n % 100 === 0 ? 90_000 : 800)
  assert.equal(state.cut, 50)
  const { low, high } = sequence.interval(state)!
  assert.ok(low < 0 && high > 0)
  assert.ok(state.control.sum / state.control.n <= 30_000)
})

test("the interval of a mean holds the truth at every look, whatever the distribution within its bounds", () => {
  const sequence = meanSequence({ alpha: ALPHA, range: { low: 0, high: 10 } })
  for (const draw of [
    (die: () => number) => (die() < 0.02 ? 10 : 0),
    (die: () => number) => Math.min(10, -Math.log(1 - die())),
  ]) {
    const probe = fixedChance(99)
    let truth = 0
    for (let i = 0; i < 400_000; i++) truth += draw(probe) / 400_000
    let wrong = 0
    for (let run = 0; run < RUNS; run++) {
      const die = fixedChance(3_000 + run)
      let state = noMean
      let isWrong = false
      for (let n = 1; n <= UNITS; n++) {
        state = sequence.observed(state, draw(die))
        if (n % 50 !== 0) continue
        const { low, high } = sequence.interval(state)!
        if (low > truth || high < truth) isWrong = true
      }
      if (isWrong) wrong += 1
    }
    assert.ok(wrong <= MOST, `${wrong} of ${RUNS}`)
  }
})

test("a boundary rises with the variance and falls with alpha, and both its questions agree", () => {
  const [strict, loose] = [0.01, 0.1].map((alpha) => createBoundary({ scale: 2, alpha, from: 20 }))
  let before = 0
  for (const variance of [0, 1, 10, 100, 1_000, 100_000]) {
    const at = loose!.at(variance)
    assert.ok(at > before && strict!.at(variance) > at)
    assert.ok(loose!.isPassed(at * 1.000_001, variance) && !loose!.isPassed(at * 0.999_999, variance))
    before = at
  }
})
