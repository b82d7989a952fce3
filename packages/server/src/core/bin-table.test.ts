import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { type BinRow, type BinTable, binTable, MAX_BIN_PROBLEMS } from "./bin-table.ts"
import type { CardFacts } from "./card-facts.ts"

const facts: readonly CardFacts[] = [{}, { funding: "credit" }, { funding: "debit" }, { issuer: "Meridian" }]
const lowOf = (digits: string): number => Number(digits.padEnd(8, "0"))
const highOf = (digits: string): number => Number(digits.padEnd(8, "9"))
const widthOf = ({ from, to }: BinRow): number => highOf(to) - lowOf(from)
const rows = (places: readonly (readonly [from: string, to: string])[], told: readonly number[]): readonly BinRow[] =>
  places.map(([from, to], index) => ({ line: index + 2, from, to, facts: facts[told[index]!]! }))
const tableOf = (all: readonly BinRow[]): BinTable => {
  const built = binTable(all)
  return built.kind === "table" ? built.table : assert.fail(JSON.stringify(built.problems))
}

/** Few digits, so that prefixes lie in each other and meet the numbers that are asked. */
const digit = fc.constantFrom("0", "1", "9")
const prefix = fc.array(digit, { minLength: 0, maxLength: 2 }).map((rest) => `4000${"19"}${rest.join("")}`)
const ends = fc.constantFrom(6, 7, 8).chain((length) => {
  const tail = fc.integer({ min: 0, max: 30 })
  return fc
    .tuple(tail, tail)
    .map(([a, b]) => [Math.min(a, b), Math.max(a, b)].map((one) => `40${String(one).padStart(length - 2, "0")}`))
    .map(([from, to]) => [from!, to!] as const)
})
const anyTold = fc.array(fc.nat(facts.length - 1), { minLength: 40, maxLength: 40 })

test("of prefixes that lie in each other the longest speaks for a number, as in a plain search through all of them", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(prefix, { maxLength: 12 }),
      anyTold,
      fc.array(digit, { minLength: 2, maxLength: 10 }),
      (prefixes, told, tail) => {
        const all = rows(
          prefixes.map((one) => [one, one] as const),
          told,
        )
        const number = `400019${tail.join("")}`
        const longest = all
          .filter(({ from }) => number.startsWith(from))
          .toSorted((a, b) => b.from.length - a.from.length)[0]
        assert.deepEqual(tableOf(all).factsOf(number), longest?.facts)
      },
    ),
    { numRuns: 2_000 },
  )
})

test("ranges are refused if and only if two of them hold the same numbers and neither is the narrower", () => {
  const clash = (a: BinRow, b: BinRow): boolean => {
    const [a1, a2, b1, b2] = [lowOf(a.from), highOf(a.to), lowOf(b.from), highOf(b.to)]
    const apart = a2 < b1 || b2 < a1
    const within = (a1 <= b1 && b2 <= a2) || (b1 <= a1 && a2 <= b2)
    return (a1 === b1 && a2 === b2) || !(apart || within)
  }
  let taken = 0
  fc.assert(
    fc.property(
      fc.array(ends, { maxLength: 5 }),
      anyTold,
      fc.integer({ min: 40_000_000, max: 40_003_300 }),
      (places, told, number) => {
        const all = rows(places, told)
        const wrong = all.some((a, index) => all.slice(index + 1).some((b) => clash(a, b)))
        const built = binTable(all)
        assert.equal(built.kind, wrong ? "refused" : "table")
        if (built.kind === "refused") return
        taken += 1
        const narrowest = all
          .filter(({ from, to }) => lowOf(from) <= number && number <= highOf(to))
          .toSorted((a, b) => widthOf(a) - widthOf(b))[0]
        assert.deepEqual(built.table.factsOf(`${number}00000000`), narrowest?.facts)
      },
    ),
    { numRuns: 5_000 },
  )
  assert.ok(taken > 500, `${taken} tables were taken`)
})

test("six or seven digits tell what all numbers that begin so have in common, and nothing where they differ", () => {
  fc.assert(
    fc.property(fc.uniqueArray(prefix, { maxLength: 8 }), anyTold, prefix, (prefixes, told, asked) => {
      const table = tableOf(
        rows(
          prefixes.map((one) => [one, one] as const),
          told,
        ),
      )
      const known = Array.from({ length: highOf(asked) - lowOf(asked) + 1 }, (_, index) =>
        table.factsOf(String(lowOf(asked) + index)),
      )
      const same = known.every((one) => one === known[0])
      assert.deepEqual(table.factsOf(asked), same ? known[0] : undefined)
    }),
  )
})

test("what clashes is said in the order of lines, with the line that it clashes with, and not without end", () => {
  const twice = binTable(
    rows(
      [
        ["400000", "400000"],
        ["410000", "410010"],
        ["410005", "410020"],
        ["400000", "400000"],
      ],
      [1, 1, 1, 2],
    ),
  )
  assert.deepEqual(twice, {
    kind: "refused",
    problems: [
      { line: 4, detail: "overlaps line 3, and neither lies within the other: which one holds cannot be told" },
      { line: 5, detail: "names the same numbers as line 2" },
    ],
    more: false,
  })
  const many = binTable(Array.from({ length: 50 }, (_, line) => ({ line, from: "400000", to: "400000", facts: {} })))
  assert.ok(many.kind === "refused" && many.problems.length === MAX_BIN_PROBLEMS && many.more)
})
