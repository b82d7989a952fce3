import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { FactGroup } from "./fact-query.ts"
import { answerOf, checkQuestion, queriesOf, type Asked, type Question } from "./question.ts"

const T = 1_800_057_600_000
const M = T / 60_000
const asked: Asked = { metrics: ["attempt_success"], groupBy: [], filter: [], from: T, to: T + 86_400_000 }

function question(more: Partial<Asked> = {}): Question {
  const checked = checkQuestion({ ...asked, ...more })
  assert.ok("question" in checked, JSON.stringify(checked))
  return checked.question
}
function errors(more: Partial<Asked>): readonly string[] {
  const checked = checkQuestion({ ...asked, ...more })
  return "errors" in checked ? checked.errors.map(({ pointer, detail }) => `${pointer} ${detail}`) : []
}
const group = (step: number, key: FactGroup["key"], sums: Record<string, number>, more: Partial<FactGroup> = {}) => ({
  step,
  key,
  sums: Object.fromEntries(Object.entries(sums).map(([name, value]) => [name, BigInt(value)])),
  times: {},
  ...more,
})

describe("a question", () => {
  test("is refused with every place that is wrong", () => {
    assert.deepEqual(
      errors({
        metrics: ["attempt_success", "nonsense", "payment_success"],
        groupBy: ["raw_code", "merchant"],
        filter: [
          { dimension: "ordinal", among: [1, 2] },
          { dimension: "network", among: ["visa", 7 as unknown as string] },
        ],
        from: T,
        to: T,
      }).map((line) => line.split(" ")[0]),
      ["#/metrics/1", "#/group_by/0", "#/group_by/1", "#/filter/0/dimension", "#/filter/1/values/1", "#/to"],
    )
  })

  test("about money needs one currency at a time", () => {
    const money = { metrics: ["attempt_success", "approved_value"] }
    assert.match(errors(money)[0]!, /^#\/metrics\/1 is money: group by currency/)
    assert.deepEqual(errors({ ...money, groupBy: ["currency"] }), [])
    assert.deepEqual(errors({ ...money, filter: [{ dimension: "currency", among: ["EUR"] }] }), [])
    assert.equal(errors({ ...money, filter: [{ dimension: "currency", among: ["EUR"], not: true }] }).length, 1)
  })

  test("has bounded ranges and steps, and comparisons that fall on its steps", () => {
    assert.match(errors({ to: T + 800 * 86_400_000 })[0]!, /^#\/from .*25 months/)
    assert.match(errors({ to: T + 3 * 86_400_000, granularity: "minute" })[0]!, /^#\/granularity .*4320 steps/)
    assert.match(errors({ to: T + 90_000, granularity: "hour", compare: "previous_period" })[0]!, /^#\/compare/)
    const { from, to } = question({ from: T + 1, to: T + 60_001 })
    assert.deepEqual([from - M, to - M], [0, 2])
  })

  test("asks each fact once, and once more for the comparison, always within what the key may see", () => {
    const own = [{ dimension: "merchant", among: ["mer_1"] }]
    const queries = queriesOf(
      question({ metrics: ["payment_success", "provider_time_p95", "attempts"], compare: "previous_day" }),
      own,
    )
    assert.deepEqual(
      queries.map(({ fact, from, to, filter }) => [fact, from - M, to - M, filter]),
      [
        ["payment", 0, 1_440, own],
        ["payment", -1_440, 0, own],
        ["attempt", 0, 1_440, own],
        ["attempt", -1_440, 0, own],
      ],
    )
    assert.deepEqual(queries[2]?.times, ["provider_time"])
  })
})

describe("an answer", () => {
  test("says value, count and interval, and beside them the earlier ones, also of groups that are gone", () => {
    const wanted = question({ groupBy: ["provider"], granularity: "hour", compare: "previous_day" })
    const rows = answerOf(
      wanted,
      [
        [group(M, ["adyen"], { attempts: 100, settled: 100, approved: 90, undecided: 0 })],
        [
          group(M - 1_440, ["adyen"], { attempts: 50, settled: 50, approved: 40, undecided: 0 }),
          group(M - 1_440, ["stripe"], { attempts: 10, settled: 10, approved: 9, undecided: 0 }),
        ],
      ],
      T + 2 * 86_400_000,
    )
    assert.deepEqual(
      rows.map(({ from, to, key, values, compared }) => [
        from - M,
        to - M,
        key[0],
        values["attempt_success"]?.value,
        values["attempt_success"]?.count,
        compared?.["attempt_success"]?.value,
      ]),
      [
        [0, 60, "adyen", 0.9, 100, 0.8],
        [0, 60, "stripe", undefined, 0, 0.9],
      ],
    )
    assert.ok(rows[0]!.values["attempt_success"]!.interval!.low < 0.9)
  })

  test("marks what is not all there yet, and what has no verdict yet", () => {
    const wanted = question({ granularity: "minute", to: T + 3 * 60_000 })
    const sums = { settled: 99, approved: 90 }
    const groups = [
      group(M, [], { ...sums, attempts: 100, undecided: 1 }),
      group(M + 1, [], { ...sums, attempts: 101, undecided: 2 }),
      group(M + 2, [], { ...sums, attempts: 99, undecided: 0 }),
    ]
    const marks = (until: number | undefined) => answerOf(wanted, [groups], until).map(({ immature }) => immature)
    assert.deepEqual(marks(T + 170_000), [false, true, true])
    assert.deepEqual(marks(T + 180_000), [false, true, false])
    assert.deepEqual(marks(undefined), [true, true, true])
  })

  test("takes shares of the whole of their own step", () => {
    const wanted = question({ metrics: ["decline_mix"], groupBy: ["reason"], granularity: "hour" })
    const rows = answerOf(
      wanted,
      [
        [
          group(M, ["a"], { attempts: 0, undecided: 0, declined: 30 }),
          group(M, ["b"], { attempts: 0, undecided: 0, declined: 10 }),
          group(M + 60, ["a"], { attempts: 0, undecided: 0, declined: 5 }),
        ],
      ],
      T,
    )
    assert.deepEqual(
      rows.map(({ values }) => values["decline_mix"]?.value),
      [0.75, 0.25, 1],
    )
  })

  test("weighs failures by the share of hours that had them", () => {
    const wanted = question({ metrics: ["error_weight"], groupBy: ["currency"] })
    assert.equal(queriesOf(wanted, [])[0]?.hoursOf, "failed")
    const sums = { attempts: 10, undecided: 0, failed: 4, failed_amount: 400 }
    const [row] = answerOf(wanted, [[group(M, ["EUR"], sums, { hours: 6 })]], T)
    assert.equal(row?.values["error_weight"]?.value, 100)
  })
})
