import assert from "node:assert/strict"
import { test } from "node:test"
import { backtest, type BacktestReport, certainly, type DraftDecision, type StoredDecision } from "./backtest.ts"
import { fixedChance } from "./fixed-chance.ts"
import { MAX_NAMES, OTHERS } from "./tally.ts"

type Context = { readonly country: string }
type Stored = StoredDecision<Context, readonly string[]>

async function* stored(count: number, explore: number): AsyncGenerator<Stored> {
  const die = fixedChance(11)
  for (let n = 0; n < count; n++) {
    const country = n % 4 === 0 ? "FR" : "DE"
    const account = die() < explore ? "b" : "a"
    const rate = account === "b" && country === "FR" ? 0.95 : 0.88
    yield {
      context: { country },
      candidates: ["a", "b"],
      rule: "all",
      segment: country,
      propensities: { a: 1 - explore, ...(explore === 0 ? {} : { b: explore }) },
      account,
      values: { approval: die() < rate ? 1 : 0, cost: account === "a" ? 0.01 : 0.02, latency: 600 + 400 * die() },
    }
  }
}
const draft = ({ country }: Context): DraftDecision => ({
  kind: "decided",
  rule: country === "FR" ? "France" : "all",
  propensities: certainly(country === "FR" ? "b" : "a"),
})

async function reportOf(
  records: AsyncIterable<Stored>,
  maxRecords: number,
  decide: (context: Context) => DraftDecision = draft,
): Promise<{ readonly report: BacktestReport; readonly progress: readonly number[] }> {
  const progress: number[] = []
  for await (const told of backtest(records, decide, { maxRecords, every: 1_000 })) {
    progress.push(told.records)
    if (told.kind === "done") return { report: told.report, progress }
  }
  return assert.fail("no report")
}

test("a draft is held against the records: exactly what moves, and what it would be worth", async () => {
  const { report, progress } = await reportOf(stored(8_000, 0.2), 100_000)
  assert.deepEqual(progress.slice(0, 3), [1_000, 2_000, 3_000])
  assert.deepEqual([report.records, report.isTruncated, report.withoutAccount], [8_000, false, 0])
  const { rerouting, offPolicy } = report
  // Of a quarter 0.8 go to b that went to a; of the rest 0.2 return to a.
  assert.ok(Math.abs(rerouting.moved - (2_000 * 0.8 + 6_000 * 0.2)) < 1e-6)
  assert.deepEqual(
    rerouting.rules.map(({ name, payments }) => [name, payments]),
    [
      ["all", 6_000],
      ["all → France", 2_000],
    ],
  )
  assert.deepEqual(
    rerouting.flows.map(({ name, moved }) => [name, Math.round(moved)]),
    [
      ["a → b", 1_600],
      ["b → a", 1_200],
    ],
  )
  assert.deepEqual(
    rerouting.accounts.map(({ name, after, before }) => [name, Math.round(after), Math.round(before)]),
    [
      ["a", 6_000, 6_400],
      ["b", 2_000, 1_600],
    ],
  )
  const { approval, cost } = offPolicy.estimates
  assert.ok(approval.kind === "estimate" && cost.kind === "estimate")
  const truth = 0.75 * 0.88 + 0.25 * 0.95
  assert.ok(approval.targetInterval.low < truth && truth < approval.targetInterval.high)
  assert.ok(Math.abs(cost.target - 0.0125) < 5e-4)
})

test("records without chance give counts of payments, and no estimate", async () => {
  const { report } = await reportOf(stored(1_000, 0), 100_000)
  assert.equal(report.rerouting.moved, 250)
  assert.deepEqual(
    report.rerouting.segments.map(({ name, payments, moved }) => [name, payments, moved]),
    [
      ["DE", 750, 0],
      ["FR", 250, 250],
    ],
  )
  const { approval } = report.offPolicy.estimates
  assert.ok(approval.kind === "cannot_tell" && approval.why === "never_logged")
})

test("it reads no more than its bound, and says so", async () => {
  const { report } = await reportOf(stored(5_000, 0.2), 1_500)
  assert.deepEqual([report.records, report.isTruncated], [1_500, true])
  assert.equal((await reportOf(stored(1_500, 0.2), 1_500)).report.isTruncated, false)
})

test("records that the draft cannot be asked about are counted by reason, and are in no other number", async () => {
  const { report } = await reportOf(stored(1_000, 0.2), 100_000, (context) =>
    context.country === "FR" ? { kind: "impossible", why: "no_inputs" } : draft(context),
  )
  assert.deepEqual(report.impossible, { no_inputs: 250 })
  assert.deepEqual([report.rerouting.payments, report.offPolicy.overlap.records], [750, 750])
})

test("a report names at most so many segments", async () => {
  const many = async function* (): AsyncGenerator<Stored> {
    let n = 0
    for await (const record of stored(MAX_NAMES + 50, 0.2)) yield { ...record, segment: `segment ${n++}` }
  }
  const { segments } = (await reportOf(many(), 100_000)).report.rerouting
  assert.equal(segments.length, MAX_NAMES + 1)
  assert.equal(segments.find(({ name }) => name === OTHERS)?.payments, 50)
})
