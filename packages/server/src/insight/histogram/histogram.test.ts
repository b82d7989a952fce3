import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import {
  bucketOf,
  countOf,
  fromRows,
  histogramOf,
  MAX_BUCKET,
  MAX_MS,
  merge,
  quantileInterval,
  quantileOf,
  RELATIVE_ERROR,
  rowsOf,
  valueOf,
  ZERO_BUCKET,
} from "./histogram.ts"

const within = (estimate: number, truth: number): boolean =>
  Math.abs(estimate - truth) <= truth * RELATIVE_ERROR * (1 + 1e-9)

const times = fc.array(fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 15_000, max: 30_000 })), {
  minLength: 1,
  maxLength: 400,
})

describe("a histogram", () => {
  test("is off by at most 1 % at every quantile, whatever the times", () => {
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), (all, q) => {
        const sorted = all.toSorted((a, b) => a - b)
        assert.ok(within(quantileOf(histogramOf(all), q)!, sorted[Math.floor(q * (all.length - 1))]!))
      }),
    )
  })

  test("is off by at most 1 % where one in a hundred is a timeout", () => {
    const all = Array.from({ length: 100_000 }, (_, i) =>
      i % 100 === 7 ? 15_000 + (i % 15_000) : 180 + ((i * 7_919) % 900),
    )
    const sorted = all.toSorted((a, b) => a - b)
    const histogram = histogramOf(all)
    for (let q = 0; q <= 1_000; q++) {
      const truth = sorted[Math.floor((q / 1_000) * (all.length - 1))]!
      assert.ok(within(quantileOf(histogram, q / 1_000)!, truth), `p${q / 10}`)
    }
  })

  test("merges exactly, in any order and through its rows", () => {
    fc.assert(
      fc.property(fc.array(times, { maxLength: 6 }), (parts) => {
        const whole = rowsOf(histogramOf(parts.flat()))
        assert.deepEqual(rowsOf(merge(parts.map(histogramOf))), whole)
        assert.deepEqual(rowsOf(merge(parts.toReversed().map((part) => fromRows(rowsOf(histogramOf(part)))))), whole)
      }),
    )
  })

  test("forgets what is subtracted again", () => {
    const before = histogramOf([120, 120, 30_000])
    const correction = fromRows([
      [bucketOf(30_000), -1],
      [bucketOf(240), 1],
    ])
    assert.deepEqual(rowsOf(merge([before, correction])), rowsOf(histogramOf([120, 120, 240])))
    assert.throws(
      () =>
        quantileOf(
          fromRows([
            [5, -1],
            [6, 2],
          ]),
          0,
        ),
      /fewer than none/,
    )
  })

  test("is bounded: nothing takes longer than its last bucket", () => {
    assert.ok(MAX_BUCKET < 1_100)
    assert.equal(bucketOf(Number.MAX_VALUE), MAX_BUCKET)
    assert.ok(within(valueOf(MAX_BUCKET), MAX_MS))
    assert.equal(valueOf(bucketOf(0)), 0)
    assert.equal(bucketOf(0.4), ZERO_BUCKET)
    for (let ms = 1; ms < 200_000; ms += 17) assert.ok(within(valueOf(bucketOf(ms)), ms), `${ms} ms`)
    assert.throws(() => bucketOf(-1), /not negative/)
    assert.throws(() => bucketOf(Number.NaN), /not negative/)
  })

  test("has no quantile where there is nothing, and says where the true one lies where there is something", () => {
    assert.equal(quantileOf(new Map(), 0.5), undefined)
    assert.equal(quantileInterval(new Map(), 0.5, 0.95), undefined)
    const [low, high] = quantileInterval(histogramOf(Array.from({ length: 1_000 }, (_, i) => i + 1)), 0.5, 0.95)!
    assert.ok(low > 450 && low < 500 && high > 500 && high < 550, `${low} ${high}`)
    assert.equal(countOf(histogramOf([1, 2, 3])), 3)
  })
})
