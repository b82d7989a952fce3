import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { codeShifts, faultShares, type CodeCount } from "./code-shift.ts"

const codes: readonly CodeCount[] = [
  { code: "05", fault: "issuer", before: 400, now: 100 },
  { code: "51", fault: "customer", before: 800, now: 205 },
  { code: "91", fault: "issuer", before: 8, now: 120 },
  { code: "1A", fault: "issuer", before: 0, now: 30 },
]
const attempts = { before: 10_000, now: 2_500 }

describe("the shift of codes", () => {
  test("names the codes that came more often, strongest first, and those never seen before", () => {
    const shifts = codeShifts(codes, attempts)
    assert.deepEqual(
      shifts.map(({ code, isNew }) => [code, isNew]),
      [
        ["91", false],
        ["1A", true],
      ],
    )
    assert.ok(Math.abs(shifts[0]!.excess - 118) < 1)
    assert.deepEqual(
      [...faultShares(shifts)].map(([fault]) => fault),
      ["issuer"],
    )
  })

  test("names none where the same codes came as often as ever", () => {
    assert.deepEqual(codeShifts([{ code: "05", fault: "issuer", before: 400, now: 108 }], attempts), [])
    assert.deepEqual(codeShifts(codes, { before: 0, now: 10 }), [])
  })
})
