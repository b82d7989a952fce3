import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createRandom } from "../../../gym/random.ts"
import { DEFAULT_BUDGET, MINUTES_PER_WEEK, thresholdOf } from "./budget.ts"
import { accumulate, dispersionOf, failureNats, LESS, volumeNats, WEIGHTS, WORSE } from "./evidence.ts"
import { createFleet, MAX_SLICES, type Alarm, type Slice } from "./fleet.ts"

const DAY = 1_440
const WARM = 14 * DAY

/** A fleet with two quiet weeks behind it, and how minutes go on. */
function watched(slices: readonly Slice[], n: number, rate: number, seed = 1) {
  const random = createRandom(seed)
  const fleet = createFleet(slices, { rate })
  const draw = (p: number): number => {
    let k = 0
    for (let i = 0; i < n; i++) if (random.next() < p) k++
    return k
  }
  let minute = 0
  const alarms: Alarm[] = []
  const pass = (minutes: number, rateOf: (slice: number) => number = () => rate): void => {
    for (const end = minute + minutes; minute < end; minute++)
      for (const slice of slices.keys()) {
        const told = fleet.observe(slice, minute, n, draw(rateOf(slice)))
        if (told !== undefined) alarms.push(told)
      }
  }
  pass(WARM)
  alarms.length = 0
  return { fleet, pass, alarms, now: () => minute }
}

describe("the evidence", () => {
  test("is worth no more than one on average where nothing has changed, with and without overdispersion", () => {
    // Exactly, over the binomial distribution: E[Λ] = 1, and E[Λ^(1/φ)] ≤ 1 by Jensen.
    const [n, q] = [12, 0.1]
    const choose = (k: number): number =>
      Array.from({ length: k }, (_, i) => (n - i) / (i + 1)).reduce((x, y) => x * y, 1)
    for (const rho of [0, 0.02])
      for (const worse of WORSE) {
        let mean = 0
        for (let k = 0; k <= n; k++)
          mean +=
            choose(k) * q ** k * (1 - q) ** (n - k) * Math.exp(failureNats(worse, k, n, q, dispersionOf(n, q, rho, 0)))
        assert.ok(rho === 0 ? Math.abs(mean - 1) < 1e-9 : mean <= 1, `${worse}: ${mean}`)
      }
  })

  test("speaks for the size of worse that is there, and against it where all is well", () => {
    assert.ok(failureNats(2, 30, 100, 0.1, 1) > 0)
    assert.ok(failureNats(2, 10, 100, 0.1, 1) < 0)
    assert.ok(
      failureNats(2, 30, 100, 0.1, dispersionOf(100, 0.1, 0.03, 0)) < failureNats(2, 30, 100, 0.1, 1),
      "less where rates move by themselves",
    )
    for (const less of LESS) assert.ok(volumeNats(less, 100, 100, 0.1) < 0)
    assert.ok(volumeNats(0.4, 40, 100, 0.1) > 0)
  })

  test("stays finite whatever comes", () => {
    let evidence = 0
    for (let i = 0; i < 10_000; i++) evidence = accumulate(evidence, failureNats(8, 1e6, 1e6, 0.001, 1))
    assert.ok(Number.isFinite(evidence))
    assert.ok(Math.abs(WEIGHTS.reduce((x, y) => x + y, 0) - 1) < 1e-12)
  })
})

describe("the budget", () => {
  test("is spent by all slices together, whichever layers there are", () => {
    for (const slices of [
      [1, 30, 200, 900],
      [1, 0, 0, 0],
      [0, 12, 40, 0],
    ]) {
      const alarmsPerWeek = slices.reduce(
        (sum, count, layer) => (count === 0 ? sum : sum + (count * MINUTES_PER_WEEK) / thresholdOf(layer, slices)),
        0,
      )
      assert.ok(Math.abs(alarmsPerWeek - DEFAULT_BUDGET) < 1e-9)
    }
  })
})

describe("a fleet", () => {
  test("alarms at an outage within minutes, dates its onset, and says when it is over", () => {
    const { pass, alarms, now } = watched([{ name: "all", fixed: 0 }], 40, 0.1)
    const start = now()
    pass(30, () => 0.6)
    pass(240)
    const [alarm, recovery] = alarms
    assert.ok(alarm?.kind === "alarm" && alarm.minute - start < 5)
    assert.ok(alarm.onset <= start && alarm.onset > start - 15, `${start - alarm.onset} min early`)
    assert.ok(alarm.observed > 0.25 && Math.abs(alarm.usual - 0.1) < 0.02)
    assert.ok(alarm.evidence >= alarm.threshold)
    assert.ok(recovery?.kind === "recovery" && recovery.minute - (start + 30) < 30)
    assert.equal(alarms.length, 2)
  })

  test("alarms for the slice that fails and not for the others", () => {
    const slices = Array.from({ length: 20 }, (_, at): Slice => ({ name: `provider ${at}`, fixed: 1, profile: 0 }))
    const { pass, alarms, fleet } = watched(slices, 20, 0.1)
    pass(60, (slice) => (slice === 7 ? 0.4 : 0.1))
    assert.deepEqual([...new Set(alarms.map(({ slice }) => slice))], [7])
    assert.ok(fleet.isAlarmed(7) && !fleet.isAlarmed(6))
  })

  test("does not take an outage for usual, and takes for usual what has lasted for weeks", () => {
    const { pass, fleet, now, alarms } = watched([{ name: "all", fixed: 0 }], 40, 0.1)
    pass(6 * 60, () => 0.3)
    assert.ok(fleet.usual(0, now()).rate < 0.12)
    pass(60 * DAY, () => 0.3)
    assert.ok(fleet.usual(0, now()).rate > 0.2, `${fleet.usual(0, now()).rate}`)
    assert.equal(alarms[0]?.kind, "alarm")
  })

  test("raises no alarm for a slice that it has not known for a week", () => {
    const fleet = createFleet([{ name: "new", fixed: 0 }], { rate: 0.01 })
    for (let minute = 0; minute < 6 * DAY; minute++) assert.equal(fleet.observe(0, minute, 50, 40), undefined)
  })

  test("is bounded: thousands of slices are less than two megabytes, and more are refused", () => {
    const slices = (count: number): Slice[] =>
      Array.from({ length: count }, (_, at) => ({ name: String(at), fixed: 2 }))
    assert.ok(createFleet(slices(MAX_SLICES)).bytes <= 2_000_000)
    assert.throws(() => createFleet(slices(MAX_SLICES + 1)), /at most 5000/)
    assert.throws(() => createFleet(slices(1)).observe(0, 0, 1, 2), /2 of 1/)
  })
})
