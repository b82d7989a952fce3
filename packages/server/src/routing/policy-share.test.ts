import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { PaymentId, PolicyId } from "../core/id.ts"
import { versionFor } from "./policy-share.ts"
import type { Policy } from "./policy.ts"

const version = (number: number): Policy => ({ id: "pol_1" as PolicyId, version: number, rules: [] })
const active = version(1)
const candidate = version(2)
const at = (bps: number) => ({ active, candidate, candidateBps: bps })
const payments = Array.from({ length: 20_000 }, (_, i) => `pay_${i}` as PaymentId)

test("the version in force decides alone where no other stands beside it", () => {
  assert.equal(versionFor({ active }, payments[0]!), active)
})

test("a payment meets the same version each time, and keeps the new one while its share grows", () => {
  const bps = fc.integer({ min: 1, max: 9_999 })
  fc.assert(
    fc.property(fc.constantFrom(...payments), bps, bps, (payment, one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)]
      const versions = at(less)
      const met = versionFor(versions, payment)
      assert.equal(versionFor(versions, payment), met, "one value, so that it is compiled once")
      if (met.version === 2) assert.equal(versionFor(at(more), payment).version, 2)
      const share = met.version === 2 ? { of: "candidate", bps: less } : { of: "active", bps: 10_000 - less }
      assert.deepEqual(met.share, share)
    }),
  )
})

test("the share that is asked for is the share that comes", () => {
  for (const bps of [100, 2_500, 9_000]) {
    const met = payments.filter((payment) => versionFor(at(bps), payment).version === 2).length
    const expected = (payments.length * bps) / 10_000
    const deviation = Math.sqrt(expected * (1 - bps / 10_000))
    assert.ok(Math.abs(met - expected) < 5 * deviation, `${met} payments instead of ${expected}`)
  }
})
