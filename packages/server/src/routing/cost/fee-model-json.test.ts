import assert from "node:assert/strict"
import { test } from "node:test"
import { feeModelExamples } from "./fee-model-example.ts"
import { readFeeModel } from "./fee-model-json.ts"
import { feeModelToJson } from "./fee-model-text.ts"
import { FINE } from "./fine-amount.ts"

const model = (json: unknown) => {
  const read = readFeeModel(json)
  return read.kind === "model" ? read.model : assert.fail(JSON.stringify(read.problems))
}

for (const [name, json] of Object.entries(feeModelExamples))
  test(`the ${name} example is read, and what is written reads back as it was`, () => {
    const written: unknown = JSON.parse(JSON.stringify(feeModelToJson(model(json))))
    assert.deepEqual(model(written), model(json))
  })

test("amounts are exact in fractions of a minor unit", () => {
  const { fees } = model(feeModelExamples["interchange_plus"])
  assert.equal(fees[0]?.charge.fixed, (15n * FINE) / 10n)
})

const broken = (json: unknown): readonly string[] => {
  const read = readFeeModel(json)
  assert.equal(read.kind, "broken")
  const problems = read.kind === "broken" ? read.problems : []
  for (const { detail } of problems) assert.match(detail, /^(is|has|does|charges) /)
  return problems.map(({ at }) => at)
}
const good = {
  currency: "EUR",
  country: "DE",
  pricing: { kind: "blended", rates: [{ percent: "1.5", fixed: "0.25" }] },
}

test("what is wrong at the top is told with its place", () => {
  assert.deepEqual(broken(null), [""])
  assert.deepEqual(broken({ ...good, currency: "EURO" }), ["/currency"])
  assert.deepEqual(broken({ ...good, country: "Germany", fee: [] }), ["/fee", "/country"])
  assert.deepEqual(broken({ ...good, pricing: { kind: "flat" } }), ["/pricing/kind"])
  assert.deepEqual(broken({ ...good, least_per_payment: 0.25 }), ["/least_per_payment"])
  assert.deepEqual(broken({ ...good, monthly: { fixed: "1", maximum: "2" } }), ["/monthly/maximum"])
  assert.deepEqual(broken({ ...good, refund: {} }), ["/refund"])
})

test("a number is no amount, and neither is a percentage beyond a hundred", () => {
  const charge = (fields: object): readonly string[] => broken({ ...good, refund: fields })
  assert.deepEqual(charge({ percent: 1.5 }), ["/refund/percent"])
  assert.deepEqual(charge({ percent: "101" }), ["/refund/percent"])
  assert.deepEqual(charge({ fixed: "1e3" }), ["/refund/fixed"])
  assert.deepEqual(charge({ fixed: "-1" }), ["/refund/fixed"])
  assert.deepEqual(charge({ percent: "1", least: "2", most: "1" }), ["/refund/most"])
})

test("prices that leave payments without one, or rates that are never reached, are refused", () => {
  const rates = (list: readonly unknown[]): readonly string[] =>
    broken({ ...good, pricing: { kind: "blended", rates: list } })
  const narrow = { when: { networks: ["amex"] }, percent: "2" }
  const open = { percent: "1" }
  assert.deepEqual(rates([]), ["/pricing/rates"])
  assert.deepEqual(rates([narrow]), ["/pricing/rates"])
  assert.deepEqual(rates([open, narrow]), ["/pricing/rates/1"])
  assert.deepEqual(rates([{ when: { networks: ["vista"] }, percent: "2" }, open]), ["/pricing/rates/0/when/networks/0"])
  assert.deepEqual(rates([{ when: { network: ["visa"] }, percent: "2" }, open]).slice(0, 1), [
    "/pricing/rates/0/when/network",
  ])
  assert.deepEqual(rates([{ when: { networks: [] }, percent: "2" }, open]).slice(0, 1), [
    "/pricing/rates/0/when/networks",
  ])
})

test("tiers begin at 0 and rise, and what belongs to the other kind of pricing does not stand there", () => {
  const markup = (tiers: readonly unknown[]): readonly string[] =>
    broken({ ...good, pricing: { kind: "interchange_plus", markup: { applies: "part", tiers } } })
  assert.deepEqual(markup([{ from: "1", percent: "1" }]), ["/pricing/markup/tiers/0/from"])
  assert.deepEqual(
    markup([
      { from: "0", percent: "1" },
      { from: "0", percent: "1" },
    ]),
    ["/pricing/markup/tiers/1/from"],
  )
  assert.deepEqual(markup([{ from: "0.001", percent: "1" }]), ["/pricing/markup/tiers/0/from"])
  const mixed = { kind: "interchange_plus", markup: { percent: "1" }, rates: [] }
  assert.deepEqual(broken({ ...good, pricing: mixed }), ["/pricing/rates"])
  assert.deepEqual(
    broken({ ...good, pricing: { ...mixed, rates: undefined, scheme_fees: "guessed" } }).includes(
      "/pricing/scheme_fees",
    ),
    true,
  )
})

test("a fee has a name and something that it is charged on", () => {
  const fee = (fields: object): readonly string[] =>
    broken({ ...good, fees: [{ name: "x", on: ["payment"], fixed: "1", ...fields }] })
  assert.deepEqual(fee({ name: "" }), ["/fees/0/name"])
  assert.deepEqual(fee({ on: [] }), ["/fees/0/on"])
  assert.deepEqual(fee({ on: ["payout"] }), ["/fees/0/on/0"])
  assert.deepEqual(fee({ when: { three_ds: "yes" } }), ["/fees/0/when/three_ds"])
  assert.deepEqual(broken({ ...good, fees: [{ name: "x", on: ["payment"] }] }), ["/fees/0"])
})
