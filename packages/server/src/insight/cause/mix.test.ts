import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { splitChange, type Group } from "./mix.ts"

const group = fc
  .tuple(
    fc.nat(5_000),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat(5_000),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .map(([n0, p0, n1, p1]): Group => ({ name: "g", n0, k0: Math.round(n0 * p0), n1, k1: Math.round(n1 * p1) }))
const groups = fc
  .array(group, { minLength: 1, maxLength: 12 })
  .filter((all) => all.some(({ n0 }) => n0 > 0) && all.some(({ n1 }) => n1 > 0))

const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`)

describe("the split of a change", () => {
  test("adds up exactly, in the whole and by group", () => {
    fc.assert(
      fc.property(groups, (all) => {
        const { change, mix, rate, groups: parts } = splitChange(all)!
        near(mix.value + rate.value, change)
        near(
          parts.reduce((sum, part) => sum + part.mix, 0),
          mix.value,
        )
        near(
          parts.reduce((sum, part) => sum + part.rate.value, 0),
          rate.value,
        )
      }),
    )
  })

  test("is the same backwards, with the other sign", () => {
    fc.assert(
      fc.property(groups, (all) => {
        const back = all.map(({ name, n0, k0, n1, k1 }) => ({ name, n0: n1, k0: k1, n1: n0, k1: k0 }))
        near(splitChange(all)!.mix.value, -splitChange(back)!.mix.value)
        near(splitChange(all)!.rate.value, -splitChange(back)!.rate.value)
      }),
    )
  })

  test("calls it mix where rates stay, and rate where the mix stays", () => {
    const mixed = splitChange([
      { name: "good", n0: 800, k0: 720, n1: 200, k1: 180 },
      { name: "bad", n0: 200, k0: 100, n1: 800, k1: 400 },
    ])!
    near(mixed.rate.value, 0)
    near(mixed.mix.value, -0.24)
    assert.ok(mixed.mix.interval.high < 0)
    const worse = splitChange([
      { name: "a", n0: 500, k0: 450, n1: 500, k1: 400 },
      { name: "b", n0: 500, k0: 250, n1: 500, k1: 250 },
    ])!
    near(worse.mix.value, 0)
    near(worse.rate.value, -0.05)
    assert.equal(worse.groups[0]?.name, "a")
  })

  test("counts a group that is new as mix, and has no answer without traffic", () => {
    const { mix, rate } = splitChange([
      { name: "old", n0: 100, k0: 90, n1: 100, k1: 90 },
      { name: "new", n0: 0, k0: 0, n1: 100, k1: 10 },
    ])!
    near(rate.value, 0)
    near(mix.value, 0.5 - 0.9)
    assert.equal(splitChange([{ name: "a", n0: 0, k0: 0, n1: 5, k1: 5 }]), undefined)
  })
})
