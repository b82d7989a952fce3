import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { CustomerId, ExperimentId, PaymentId, PolicyId } from "../core/id.ts"
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

const armed = (unit: "payment" | "customer") => ({
  active,
  experiment: {
    salt: "exp_1",
    unit,
    arms: [0.2, 0.3, 0.5].map((share, index) => ({
      name: `arm ${index}`,
      share,
      policy: {
        ...version(index + 1),
        share: { of: "arm" as const, bps: share * 10_000, experiment: "exp_1" as ExperimentId, arm: `arm ${index}` },
      },
    })),
  },
})

test("a payment meets the same arm of an experiment each time, by the shares, and its policy says which arm it is", () => {
  const versions = armed("payment")
  const met = payments.map((payment) => versionFor(versions, payment))
  for (const [index, payment] of payments.entries()) assert.equal(versionFor(versions, payment), met[index])
  for (const [index, { share, policy }] of versions.experiment.arms.entries()) {
    const own = met.filter((one) => one === policy)
    assert.ok(Math.abs(own.length - payments.length * share) < 5 * Math.sqrt(payments.length * share * (1 - share)))
    assert.deepEqual(own[0]?.share?.of === "arm" && own[0].share.arm, `arm ${index}`)
  }
})

test("a customer's payments all meet one arm, and those without a customer meet the version in force", () => {
  const versions = armed("customer")
  const customers = Array.from({ length: 50 }, (_, i) => `cus_${i}` as CustomerId)
  for (const customer of customers)
    assert.equal(new Set(payments.slice(0, 20).map((payment) => versionFor(versions, payment, customer))).size, 1)
  assert.equal(new Set(customers.map((customer) => versionFor(versions, payments[0]!, customer))).size, 3)
  assert.equal(versionFor(versions, payments[0]!), active)
})
