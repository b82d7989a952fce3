import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { poisson, ratio, wilson } from "./interval.ts"
import { normalQuantile, normalTail } from "./normal.ts"

const near = (a: number, b: number, by: number): void => assert.ok(Math.abs(a - b) <= by, `${a} is not ${b} ± ${by}`)

describe("the normal distribution", () => {
  test("has the quantiles of the tables", () => {
    for (const [p, z] of [
      [0.5, 0],
      [0.975, 1.959964],
      [0.995, 2.575829],
      [0.001, -3.090232],
    ] as const)
      near(normalQuantile(p), z, 1e-6)
  })
  test("its tail and its quantile undo each other", () => {
    for (const p of [0.001, 0.2, 0.5, 0.9, 0.9999]) near(normalTail(normalQuantile(p)), 1 - p, 1e-6)
  })
})

describe("an interval", () => {
  test("of a proportion is Wilson's", () => {
    // Brown, Cai, DasGupta 2001: 0 of 10 gives (0, 0.2775).
    const none = wilson(0, 10)!
    assert.equal(none.low, 0)
    near(none.high, 0.2775, 1e-4)
    const some = wilson(81, 263)!
    near(some.low, 0.2553, 1e-3)
    near(some.high, 0.3662, 1e-3)
    assert.equal(wilson(0, 0), undefined)
  })

  test("of a proportion holds k/n and lies in 0..1", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
        const k = Math.round(n * share)
        const { low, high } = wilson(k, n)!
        assert.ok(low >= 0 && high <= 1 && low <= k / n + 1e-12 && high >= k / n - 1e-12)
      }),
    )
  })

  test("of a count is Garwood's", () => {
    near(poisson(0).high, 3.689, 0.1)
    near(poisson(10).low, 4.795, 0.05)
    near(poisson(10).high, 18.39, 0.05)
    assert.equal(poisson(0).low, 0)
  })

  test("of a ratio with y = 1 is that of a mean", () => {
    const values = [3, 5, 8, 9, 15]
    const sum = (f: (v: number) => number): number => values.reduce((total, v) => total + f(v), 0)
    const { low, high } = ratio({ n: 5, x: sum((v) => v), xx: sum((v) => v * v), y: 5, yy: 5, xy: sum((v) => v) })!
    const deviation = Math.sqrt(sum((v) => (v - 8) ** 2) / 4)
    near((low + high) / 2, 8, 1e-9)
    near((high - low) / 2, (1.959964 * deviation) / Math.sqrt(5), 1e-6)
    assert.equal(ratio({ n: 1, x: 1, xx: 1, y: 1, yy: 1, xy: 1 }), undefined)
  })
})
