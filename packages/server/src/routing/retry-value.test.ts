import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { type Currency, parseCurrency } from "../core/currency.ts"
import { money, type Money } from "../core/money.ts"
import { MILLION, type RetryStakes, retryWorth } from "./retry-value.ts"

const currency = (code: string): Currency => parseCurrency(code) ?? assert.fail(code)
const usd = (minor: bigint): Money => money(minor, currency("USD"))
const stakes = (more: Partial<RetryStakes> = {}): RetryStakes => ({
  amount: usd(6000n),
  approvalPpm: 100_000,
  marginBps: 2000,
  fee: usd(10n),
  ...more,
})

test("a 60 dollar sale with a margin of 20 % and a fee of 0.10 breaks even at 0.83 %", () => {
  assert.equal(retryWorth(stakes()).breakEvenPpm, 8334)
  assert.equal(retryWorth(stakes({ approvalPpm: 8333 })).worthIt, false)
  assert.equal(retryWorth(stakes({ approvalPpm: 8334 })).worthIt, true)
})

test("what costs as much as it brings is not worth it", () => {
  // 1 000 × 10 % × 50 % = 50
  const even = stakes({ amount: usd(1000n), marginBps: 1000, approvalPpm: 500_000, fee: usd(50n) })
  assert.equal(retryWorth(even).worthIt, false)
  assert.equal(retryWorth({ ...even, fee: usd(49n) }).worthIt, true)
})

test("penalty and waiting count like the fee", () => {
  assert.deepEqual(retryWorth(stakes({ schemePenalty: usd(50n), latencyCost: usd(3n) })).cost, usd(63n))
})

const anyStakes = fc.record({
  amount: fc.bigInt({ min: 0n, max: 10n ** 11n }).map(usd),
  approvalPpm: fc.integer({ min: 0, max: MILLION }),
  marginBps: fc.integer({ min: 0, max: 10_000 }),
  fee: fc.bigInt({ min: 0n, max: 10_000n }).map(usd),
})

test("the break-even is exactly where the verdict turns", () => {
  fc.assert(
    fc.property(anyStakes, (values) => {
      const { worthIt, breakEvenPpm } = retryWorth(values)
      assert.equal(worthIt, values.approvalPpm >= breakEvenPpm)
    }),
  )
})

test("more chance never makes it less worth, more cost never more", () => {
  fc.assert(
    fc.property(
      anyStakes,
      fc.integer({ min: 0, max: MILLION }),
      fc.bigInt({ min: 0n, max: 1000n }),
      (values, chance, extra) => {
        if (!retryWorth(values).worthIt) {
          assert.ok(!retryWorth({ ...values, approvalPpm: Math.min(chance, values.approvalPpm) }).worthIt)
          assert.ok(!retryWorth({ ...values, schemePenalty: usd(extra) }).worthIt)
        }
      },
    ),
  )
})

test("currencies do not mix, and chances are whole and within bounds", () => {
  assert.throws(() => retryWorth(stakes({ schemePenalty: money(50n, currency("EUR")) })), TypeError)
  for (const approvalPpm of [0.5, -1, MILLION + 1, Number.NaN])
    assert.throws(() => retryWorth(stakes({ approvalPpm })), RangeError)
})
