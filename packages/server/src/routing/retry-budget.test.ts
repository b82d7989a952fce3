import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { type CardAttempt, MAX_BUDGET_ATTEMPTS } from "../core/card-attempt.ts"
import type { Network } from "../core/card.ts"
import { type Currency, parseCurrency } from "../core/currency.ts"
import type { AccountId, AttemptId } from "../core/id.ts"
import { parseRfc3339 } from "../core/instant.ts"
import { money } from "../core/money.ts"
import { daysToMs, hoursToMs } from "../core/scheme-rule.ts"
import { judgeRetry } from "../core/scheme-rules.ts"
import {
  BUDGET_FULL_RULE,
  budgetOf as budgetOfNetwork,
  type CardBudget,
  check,
  evolve,
  longestWindowMs,
  type NextAttempt,
} from "./retry-budget.ts"

const currency = (code: string): Currency => parseCurrency(code) ?? assert.fail(code)
const now = parseRfc3339("2026-11-30T12:00:00Z") ?? assert.fail()
const eur = (minor: bigint) => money(minor, currency("EUR"))

const attempt = (number: number, more: Partial<CardAttempt> = {}): CardAttempt => ({
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
const filled = (count: number, network: Network = "visa", more: Partial<CardAttempt> = {}): CardBudget =>
  budgetOfNetwork(
    network,
    Array.from({ length: count }, (_, index) => attempt(index, more)),
  )

const anyAttempt: fc.Arbitrary<CardAttempt> = fc
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
const budgetOf = (attempts: readonly CardAttempt[]): CardBudget => budgetOfNetwork("visa", attempts)

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
      const counts = (budget: CardBudget) => budget.attempts.map(({ id, at, result }) => [id, at, result])
      assert.deepEqual(counts(budgetOf([...few, ...more])), counts(budgetOf([...more, ...few, ...few])))
      assert.deepEqual(counts(few.reduce(evolve, budgetOf(more))), counts(budgetOf([...few, ...more])))
    }),
  )
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
    const budget = budgetOfNetwork(
      network,
      Array.from({ length: limit }, (_, index) => attempt(index, { at: oldest + index })),
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
      let budget = budgetOfNetwork(network, [])
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
