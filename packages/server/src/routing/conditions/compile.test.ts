import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { compileFirst, compileTrue } from "./compile.ts"
import { condition, context } from "../../../testing/conditions.ts"
import type { Condition } from "./condition.ts"
import { truthOf } from "./truth.ts"
import { wallTime } from "./zone-clock.ts"

describe("compiled conditions", () => {
  test("are true of the payments of which the tree is true", () => {
    fc.assert(
      fc.property(condition, context, (tree, payment) => {
        assert.equal(compileTrue(tree)(payment), truthOf(tree, payment) === true)
      }),
      { numRuns: 5_000 },
    )
  })

  test("behind the index find the first rule that a reading in order finds", () => {
    const equality = fc.oneof(
      fc.constantFrom("EUR", "USD", "JPY").map((value): Condition => ({ field: "currency", op: "equals", value })),
      fc.constantFrom("visa", "amex").map((value): Condition => ({ field: "card.network", op: "equals", value })),
      fc
        .subarray(["DE", "FR", "AT"], { minLength: 1 })
        .map((value): Condition => ({ field: "card.country", op: "in", value })),
    )
    const rule = fc.oneof(
      fc.array(fc.oneof(equality, condition), { maxLength: 4 }).map((all): Condition => ({ all })),
      fc.array(equality, { maxLength: 3 }).map((any): Condition => ({ any })),
    )
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 80 }), fc.array(context, { maxLength: 5 }), (rules, payments) => {
        const first = compileFirst(rules)
        for (const payment of payments)
          assert.equal(
            first(payment),
            rules.findIndex((one) => truthOf(one, payment) === true),
          )
      }),
      { numRuns: 1_000 },
    )
  })
})

test("the hour and the day are those of the place, over the changes of summer time", () => {
  const at = (text: string): number => Date.parse(text)
  assert.deepEqual(wallTime("Europe/Berlin", at("2026-03-29T00:59:59Z")), { hour: 1, day: 0 })
  assert.deepEqual(wallTime("Europe/Berlin", at("2026-03-29T01:00:00Z")), { hour: 3, day: 0 })
  assert.deepEqual(wallTime("Asia/Kolkata", at("2026-03-28T18:29:59Z")), { hour: 23, day: 6 })
  assert.deepEqual(wallTime("Asia/Kolkata", at("2026-03-28T18:30:00Z")), { hour: 0, day: 0 })
  assert.deepEqual(wallTime("Asia/Kathmandu", at("2026-03-28T18:15:00Z")), { hour: 0, day: 0 })
})
