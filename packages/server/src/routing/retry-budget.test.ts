import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { Network } from "../core/card.ts"
import { type Currency, parseCurrency } from "../core/currency.ts"
import type { AccountId, AttemptId } from "../core/id.ts"
import { parseRfc3339 } from "../core/instant.ts"
import { money } from "../core/money.ts"
import type { Outcome } from "../core/outcome.ts"
import { daysToMs, hoursToMs } from "../core/scheme-rule.ts"
import { judgeRetry } from "../core/scheme-rules.ts"
import { budgetFromJson, budgetToJson } from "./retry-budget-json.ts"
import {
  aged,
  BUDGET_FULL_RULE,
  type BudgetAttempt,
  budgetResult,
  type CardBudget,
  check,
  emptyBudget,
  evolve,
  longestWindowMs,
  MAX_BUDGET_ATTEMPTS,
  merge,
  type NextAttempt,
} from "./retry-budget.ts"

const currency = (code: string): Currency => parseCurrency(code) ?? assert.fail(code)
const now = parseRfc3339("2026-11-30T12:00:00Z") ?? assert.fail()
const eur = (minor: bigint) => money(minor, currency("EUR"))

const attempt = (number: number, more: Partial<BudgetAttempt> = {}): BudgetAttempt => ({
  id: `att_${number}` as AttemptId,
  at: now - number * 60_000,
  account: "acc_one" as AccountId,
  amount: eur(1000n),
  initiator: "customer",
  result: "declined",
  ...more,
})
const next: NextAttempt = {
  region: "eea",
  crossing: "domestic",
  initiator: "customer",
  amount: eur(1000n),
  last: { kind: "not_executed" },
}
const filled = (count: number, network: Network = "visa", more: Partial<BudgetAttempt> = {}): CardBudget =>
  Array.from({ length: count }, (_, index) => attempt(index, more)).reduce(evolve, emptyBudget(network, "fp"))

const anyAttempt: fc.Arbitrary<BudgetAttempt> = fc
  .record({
    number: fc.integer({ min: 0, max: 40 }),
    result: fc.constantFrom("unknown", "none", "declined"),
    account: fc.constantFrom("acc_one", "acc_two"),
    minor: fc.constantFrom(1000n, 2000n),
    code: fc.constantFrom("05", "51", "41", undefined),
  })
  .map(({ number, result, account, minor, code }) =>
    attempt(number, {
      // Days apart, so that some of them are out of every window.
      at: now - number * daysToMs(2),
      result,
      account: account as AccountId,
      amount: eur(minor),
      ...(code === undefined ? {} : { networkCode: code }),
    }),
  )
const anyAttempts = fc.array(anyAttempt, { maxLength: 50 })
const budgetOf = (attempts: readonly BudgetAttempt[]): CardBudget => attempts.reduce(evolve, emptyBudget("visa", "fp"))

test("attempts through all providers use up one budget", () => {
  const both = Array.from({ length: 20 }, (_, index) => attempt(index, { account: `acc_${index % 2}` as AccountId }))
  const verdict = check(budgetOf(both), next, now)
  assert.equal(verdict.allowed, "later")
  assert.deepEqual(
    verdict.limits.map(({ used, limit }) => [used, limit]),
    [[20, 20]],
  )
  assert.equal(verdict.predictedFee?.minor, 10n)
})

test("recording order and repetition do not matter", () => {
  fc.assert(
    fc.property(anyAttempts, anyAttempts, (few, more) => {
      assert.deepEqual(budgetOf([...few, ...more]), budgetOf([...more, ...few, ...few]))
    }),
  )
})

test("copies merge in any order, any number of times, into the same", () => {
  fc.assert(
    fc.property(anyAttempts, anyAttempts, anyAttempts, (a, b, c) => {
      const [x, y, z] = [budgetOf(a), budgetOf(b), budgetOf(c)]
      assert.deepEqual(merge(x, y), merge(y, x))
      assert.deepEqual(merge(merge(x, y), z), merge(x, merge(y, z)))
      assert.deepEqual(merge(x, x), x)
      assert.deepEqual(merge(x, y), budgetOf([...a, ...b]))
    }),
  )
})

test("merging holds beyond the bound too", () => {
  const crowd = (from: number, count: number): CardBudget =>
    budgetOf(Array.from({ length: count }, (_, index) => attempt(from + index)))
  const [a, b, c] = [crowd(0, 200), crowd(150, 200), crowd(500, 100)]
  assert.deepEqual(merge(merge(a, b), c), merge(a, merge(c, b)))
  assert.equal(merge(a, b).attempts.length, MAX_BUDGET_ATTEMPTS)
})

test("budgets of two cards do not merge", () => {
  assert.throws(() => merge(emptyBudget("visa", "a"), emptyBudget("visa", "b")), TypeError)
  assert.throws(() => merge(emptyBudget("visa", "a"), emptyBudget("mastercard", "a")), TypeError)
})

test("what was settled replaces unknown, whichever comes first; an approval takes the count back", () => {
  const unknown = attempt(1, { result: "unknown" })
  for (const settled of [attempt(1, { result: "none" }), attempt(1, { networkCode: "51" })]) {
    assert.deepEqual(budgetOf([unknown, settled]).attempts, [settled])
    assert.deepEqual(budgetOf([settled, unknown]).attempts, [settled])
  }
  const used = (budget: CardBudget): number | undefined => check(budget, next, now).limits[0]?.used
  assert.equal(used(budgetOf([unknown])), 1)
  assert.equal(used(budgetOf([unknown, attempt(1, { result: "none" })])), 0)
})

test("a decline leaves its window at the edge, not a millisecond before", () => {
  for (const [network, limit, window] of [
    ["visa", 20, daysToMs(30)],
    ["mastercard", 10, hoursToMs(24)],
    ["jcb", 10, hoursToMs(24)],
  ] as const) {
    const oldest = now - window
    const budget = Array.from({ length: limit }, (_, index) => attempt(index, { at: oldest + index })).reduce(
      evolve,
      emptyBudget(network, "fp"),
    )
    const before = check(budget, next, now - 1)
    assert.equal(before.allowed, "later", network)
    assert.equal(before.from, now, network)
    assert.equal(check(budget, next, now).allowed, "yes", network)
  }
})

test("who asks before each attempt never has more in any window than a limit allows", () => {
  const times = fc.array(fc.integer({ min: 1, max: hoursToMs(30) }), { minLength: 30, maxLength: 80 })
  const settings = fc.record({
    network: fc.constantFrom<Network>("visa", "mastercard", "amex", "elo"),
    region: fc.constantFrom("us", "brazil", "eea"),
  })
  fc.assert(
    fc.property(times, settings, (gaps, { network, region }) => {
      let budget = emptyBudget(network, "fp")
      let at = now - daysToMs(90)
      const sent: number[] = []
      for (const [index, gap] of gaps.entries()) {
        at += gap
        if (check(budget, { ...next, region }, at).allowed !== "yes") continue
        budget = evolve(budget, attempt(index, { at, account: `acc_${index % 3}` as AccountId }))
        sent.push(at)
        for (const { used, limit, rule } of check(budget, { ...next, region }, at).limits)
          assert.ok(used <= limit, `${rule} ${used}`)
      }
      const most = network === "visa" ? 20 : network === "mastercard" ? 35 : 15
      for (const end of sent) assert.ok(sent.filter((time) => time <= end && end - time < daysToMs(30)).length <= most)
    }),
    { numRuns: 60 },
  )
})

test("what is aged out answers no question differently", () => {
  fc.assert(
    fc.property(anyAttempts, fc.integer({ min: 0, max: 800 }), (attempts, days) => {
      const later = now + daysToMs(days)
      const budget = budgetOf(attempts)
      assert.deepEqual(check(aged(budget, later), next, later), check(budget, next, later))
    }),
  )
})

test("a budget agrees with the schemes' own question", () => {
  fc.assert(
    fc.property(anyAttempts, (attempts) => {
      const budget = budgetOf(attempts)
      const history = budget.attempts
        .filter(({ result }) => result !== "none")
        .map(({ at, amount, initiator, networkCode }) => ({
          at,
          amount,
          initiator,
          ...(networkCode === undefined ? {} : { networkCode }),
        }))
      assert.deepEqual(check(budget, next, now), judgeRetry({ ...next, network: "visa", history, at: now }))
    }),
  )
})

test("a budget holds its bound, and a full one allows nothing until it counts everything again", () => {
  const other = { amount: eur(7n) }
  const crowded = filled(MAX_BUDGET_ATTEMPTS + 50, "visa", other)
  assert.equal(crowded.attempts.length, MAX_BUDGET_ATTEMPTS)
  const verdict = check(crowded, next, now)
  assert.equal(verdict.allowed, "later")
  assert.equal(verdict.rule, BUDGET_FULL_RULE)
  const oldest = crowded.attempts[0]?.at ?? assert.fail()
  assert.equal(verdict.from, oldest + longestWindowMs)
  assert.equal(check(crowded, next, oldest + longestWindowMs).allowed, "yes")
  assert.equal(check(filled(MAX_BUDGET_ATTEMPTS - 1, "visa", other), next, now).allowed, "yes")
})

test("a full budget keeps the newest, and only adds to what the schemes say", () => {
  const crowded = filled(MAX_BUDGET_ATTEMPTS + 50, "mastercard", { amount: eur(7n) })
  assert.equal(crowded.attempts.at(-1)?.at, now)
  assert.equal(crowded.attempts[0]?.at, now - (MAX_BUDGET_ATTEMPTS - 1) * 60_000)
  const freeAt = (crowded.attempts[0]?.at ?? assert.fail()) + longestWindowMs
  const waits = evolve(crowded, attempt(0, { id: "att_wait" as AttemptId, at: freeAt - 1000, adviceCode: "30" }))
  assert.equal(check(waits, next, freeAt - 1000).from, freeAt - 1000 + hoursToMs(240))
  const stopped = check(crowded, { ...next, last: { kind: "unknown" } }, now)
  assert.deepEqual([stopped.allowed, stopped.from], ["no", undefined])
})

test("codes that are no scheme's are not kept", () => {
  const { attempts } = budgetOf([attempt(1, { networkCode: "insufficient_funds", adviceCode: "24" })])
  assert.deepEqual(attempts, [attempt(1, { adviceCode: "24" })])
})

test("each kind of outcome says what it means for the budget", () => {
  const raw = { code: "x", networkCode: "51", adviceCode: "02" }
  const bare = (kind: "pending" | "unknown" | "not_sent" | "absent"): Outcome => ({ kind, raw, evidence: {} })
  assert.deepEqual(budgetResult({ kind: "declined", reason: "insufficient_funds", raw, evidence: {} }, false), {
    result: "declined",
    reason: "insufficient_funds",
    networkCode: "51",
    adviceCode: "02",
  })
  const rejected = (executed: "no" | "unknown"): Outcome => ({
    kind: "rejected",
    fault: "theirs",
    executed,
    reason: "rate_limited",
    raw,
    evidence: {},
  })
  assert.deepEqual(budgetResult(bare("unknown"), false), { result: "unknown" })
  assert.deepEqual(budgetResult(rejected("unknown"), false), { result: "unknown" })
  const approved: Outcome = { kind: "approved", effect: "captured", amount: 1n, raw, evidence: {} }
  for (const outcome of [approved, bare("not_sent"), bare("absent"), rejected("no")]) {
    assert.equal(budgetResult(outcome, false), undefined, outcome.kind)
    assert.deepEqual(budgetResult(outcome, true), { result: "none" }, outcome.kind)
  }
  assert.equal(budgetResult(bare("pending"), true), undefined)
})

test("a budget comes back from JSON as it was", () => {
  fc.assert(
    fc.property(anyAttempts, (attempts) => {
      const budget = budgetOf(attempts)
      const text = JSON.stringify(budgetToJson(budget))
      assert.deepEqual(budgetFromJson(JSON.parse(text)), { kind: "budget", budget })
    }),
  )
})

test("a broken budget names the place, and is never an empty one", () => {
  const good = budgetToJson(budgetOf([attempt(1, { networkCode: "51", adviceCode: "02", reason: "do_not_honor" })]))
  const [first] = good.attempts
  const broken: readonly (readonly [unknown, string])[] = [
    [null, ""],
    [{ ...good, network: "vista" }, "/network"],
    [{ ...good, fingerprint: 1 }, "/fingerprint"],
    [{ ...good, attempts: {} }, "/attempts"],
    [{ ...good, attempts: Array.from({ length: MAX_BUDGET_ATTEMPTS + 1 }, () => first) }, "/attempts"],
    [{ ...good, attempts: [first, 7] }, "/attempts/1"],
    ...(
      [
        ["id", "pay_1"],
        ["at", "yesterday"],
        ["account", ""],
        ["amount", { amount: 1.5, currency: "EUR" }],
        ["amount", { amount: 1, currency: "EURO" }],
        ["initiator", "bank"],
        ["result", "maybe"],
        ["network_code", "123456789"],
        ["advice_code", 3],
        ["reason", "because"],
      ] as const
    ).map(([field, value]) => [{ ...good, attempts: [{ ...first, [field]: value }] }, `/attempts/0/${field}`] as const),
  ]
  for (const [json, at] of broken) {
    const read = budgetFromJson(json)
    assert.equal(read.kind, "broken", at)
    assert.equal(read.kind === "broken" ? read.at : undefined, at)
  }
})
