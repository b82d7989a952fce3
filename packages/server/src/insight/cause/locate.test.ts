import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { createRandom } from "../../../gym/random.ts"
import { cuboidsOf, MAX_CUBOIDS } from "./cuboids.ts"
import { leavesIn, leavesOf, MAX_LEAVES, namesOf, type Leaves } from "./leaves.ts"
import { locateDeviation, locateExcess } from "./locate-cause.ts"
import type { Located } from "./locate.ts"

/** Every combination of a1…, b1…, with values of a long tail and forecasts that are off by `noise`. */
function grid(sizes: readonly number[], noise: number, seed: number, hit: (values: readonly string[]) => number) {
  const random = createRandom(seed)
  const names = sizes.map((_, at) => String.fromCharCode(97 + at))
  const rows = sizes.reduce<readonly (readonly string[])[]>(
    (all, size, at) => all.flatMap((row) => Array.from({ length: size }, (_, i) => [...row, `${names[at]}${i + 1}`])),
    [[]],
  )
  const forecasts = Float64Array.from(rows, () => 100 * random.logNormal(1, 1))
  const values = Float64Array.from(rows, (row, leaf) =>
    Math.max(forecasts[leaf]! * (1 - hit(row)) * (1 + noise * random.normal()), 0),
  )
  return { leaves: leavesOf(names, rows), values, forecasts }
}

const named = (leaves: Leaves, { causes }: Located): readonly string[] =>
  causes.flatMap(({ elements }) => elements.map(({ element }) => JSON.stringify(namesOf(leaves, element)))).toSorted()

describe("the localiser", () => {
  test("finds what was planted, at every layer, whatever the noise", () => {
    const cases: readonly (readonly Readonly<Record<string, string>>[])[] = [
      [{ b: "b3" }],
      [{ a: "a1", c: "c2" }],
      [{ a: "a2", b: "b5", c: "c1" }],
      [{ a: "a4" }, { b: "b6", c: "c3" }],
    ]
    for (const [at, planted] of cases.entries())
      for (const noise of [0.01, 0.1]) {
        const hit = ([a, b, c]: readonly string[]): number =>
          planted.some((cause) => Object.entries(cause).every(([name, value]) => ({ a, b, c })[name] === value))
            ? 0.5
            : 0
        const { leaves, values, forecasts } = grid([6, 8, 5], noise, at + 1, hit)
        const expected = planted.map((cause) => JSON.stringify(cause)).toSorted()
        assert.deepEqual(named(leaves, locateDeviation(leaves, values, forecasts)), expected)
      }
  })

  test("means the children where half of a parent's fail, and calls them one cause", () => {
    // Three of six: their parent has more evidence than each of them, but less than all together.
    const hit = ([a, b]: readonly string[]): number => (b === "b2" && ["a1", "a3", "a4"].includes(a!) ? 0.6 : 0)
    const { leaves, values, forecasts } = grid([6, 8, 5], 0.02, 9, hit)
    const located = locateDeviation(leaves, values, forecasts)
    assert.deepEqual(
      named(leaves, located),
      ["a1", "a3", "a4"].map((a) => JSON.stringify({ a, b: "b2" })),
    )
    assert.equal(located.causes.length, 1)
  })

  test("finds nothing where there is nothing, as often as its significance promises", () => {
    let found = 0
    for (let seed = 1; seed <= 100; seed++) {
      const { leaves, values, forecasts } = grid([6, 8, 5], 0.1, seed, () => 0)
      if (locateDeviation(leaves, values, forecasts).causes.length > 0) found++
    }
    assert.ok(found <= 10, `${found} of 100`)
  })

  test("has no answer to an empty table, and none where nothing failed", () => {
    const empty = leavesOf(["a"], [])
    const none = new Float64Array(0)
    assert.deepEqual(locateExcess(empty, { n: none, f: none, n0: none, f0: none }).causes, [])
    const { leaves } = grid([3, 3], 0, 1, () => 0)
    const many = new Float64Array(9).fill(100)
    const zero = new Float64Array(9)
    const located = locateExcess(leaves, { n: many, f: zero, n0: many, f0: many.map(() => 10) })
    assert.deepEqual([located.causes, located.chance], [[], 1])
  })
})

describe("the cuboids of a table", () => {
  test("number every element that occurs, and map each leaf to its own", () => {
    const { leaves } = grid([3, 4, 2], 0, 1, () => 0)
    const cuboids = cuboidsOf(leaves)
    assert.equal(cuboids.length, 7)
    for (const { dimensions, elements, count, sample } of cuboids) {
      assert.equal(
        count,
        dimensions.reduce((product, at) => product * leaves.dimensions[at]!.values.length, 1),
      )
      for (let leaf = 0; leaf < leaves.size; leaf++)
        for (const at of dimensions)
          assert.equal(leaves.dimensions[at]!.codes[leaf], leaves.dimensions[at]!.codes[sample[elements[leaf]!]!])
    }
  })

  test("stay few where dimensions are many: three layers, and the rest by drilling down", () => {
    const names = Array.from({ length: 10 }, (_, at) => `d${at}`)
    const leaves = leavesOf(names, [names.map(() => "x"), names.map(() => "y")])
    assert.equal(cuboidsOf(leaves).length, 10 + 45 + 120)
    assert.ok(cuboidsOf(leaves).length <= MAX_CUBOIDS)
  })

  test("hold as many leaves as a table may have, and no more", () => {
    assert.throws(() => leavesOf(["a"], { length: MAX_LEAVES + 1 } as never), /at most/)
    const { leaves } = grid([3, 4], 0, 1, () => 0)
    assert.equal(leavesIn(leaves, []).length, 12)
    assert.equal(leavesIn(leaves, [{ dimension: 1, code: 2 }]).length, 3)
  })
})
