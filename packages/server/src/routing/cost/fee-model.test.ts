import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { type Charge, chargeFor, type Price, priceFor, type Tiers } from "./fee-model.ts"
import { FINE } from "./fine-amount.ts"

const percent = (text: bigint): bigint => text * 10_000n // hundredths of a percent

test("a charge is a share and a fixed amount, kept between its bounds", () => {
  const charge: Charge = { percent: percent(150n), fixed: 25n * FINE, least: 50n * FINE, most: 500n * FINE }
  assert.equal(chargeFor(charge, 10_000n), 175n * FINE)
  assert.equal(chargeFor(charge, 0n), 50n * FINE)
  assert.equal(chargeFor(charge, 1_000_000n), 500n * FINE)
  assert.equal(chargeFor({}, 10_000n), 0n)
})

const tiers: Tiers["tiers"] = [
  { from: 0n, charge: { percent: percent(200n), fixed: 10n * FINE } },
  { from: 10_000n, charge: { percent: percent(100n), fixed: 5n * FINE } },
  { from: 20_000n, charge: { percent: percent(50n) } },
]

test("a payment that crosses tiers is charged for each part in its own", () => {
  const price: Price = { applies: "part", tiers }
  assert.equal(priceFor(price, 1_000n, 0n), 30n * FINE)
  // 5,000 at 2 %, 10,000 at 1 %, 1,000 at 0.5 %; the fixed amount of the tier in which it begins.
  assert.equal(priceFor(price, 16_000n, 5_000n), (10n + 100n + 100n + 5n) * FINE)
  assert.equal(priceFor(price, 1_000n, 10_000n), 15n * FINE)
  assert.equal(priceFor(price, 1_000n, 99_000n), 5n * FINE)
})

test("or the whole of it is charged in the tier in which it begins", () => {
  const price: Price = { applies: "payment", tiers }
  assert.equal(priceFor(price, 16_000n, 5_000n), 330n * FINE)
  assert.equal(priceFor(price, 16_000n, 10_000n), 165n * FINE)
})

test("tiers that do not begin at 0 are a bug", () => {
  assert.throws(() => priceFor({ applies: "part", tiers: tiers.slice(1) }, 1n, 0n), RangeError)
})

test("charging part by part does not depend on how a month's volume is cut into payments, fixed amounts aside", () => {
  const bare: Price = {
    applies: "part",
    tiers: tiers.map(({ from, charge }) => ({ from, charge: { percent: charge.percent ?? 0n } })),
  }
  const amounts = fc.array(fc.bigInt({ min: 0n, max: 9_000n }), { maxLength: 10 })
  fc.assert(
    fc.property(amounts, fc.bigInt({ min: 0n, max: 30_000n }), (cuts, before) => {
      const whole = cuts.reduce((sum, cut) => sum + cut, 0n)
      let at = before
      let sum = 0n
      for (const cut of cuts) {
        sum += priceFor(bare, cut, at)
        at += cut
      }
      assert.equal(sum, priceFor(bare, whole, before))
    }),
  )
})
