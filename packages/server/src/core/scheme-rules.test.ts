import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import type { CardRegion } from "./card-region.ts"
import { type Currency, parseCurrency } from "./currency.ts"
import { parseRfc3339 } from "./instant.ts"
import { money, type Money } from "./money.ts"
import { daysToMs, hoursToMs } from "./scheme-rule.ts"
import { judgeRetry, type PastDecline, type RetryQuestion, UNKNOWN_OUTCOME_RULE } from "./scheme-rules.ts"
import { schemeLimits } from "./scheme-rules-table.ts"

const currency = (code: string): Currency => parseCurrency(code) ?? assert.fail(code)
const usd = (minor: bigint): Money => money(minor, currency("USD"))
const on = (text: string): number => parseRfc3339(text) ?? assert.fail(text)
const today = on("2026-11-30T12:00:00Z")

const past = (at: number, more: Partial<PastDecline> = {}): PastDecline => ({
  at,
  amount: usd(1000n),
  initiator: "customer",
  networkCode: "51",
  ...more,
})
/** A question about the newest of the given declines. */
const asked = (history: readonly PastDecline[], more: Partial<RetryQuestion> = {}): RetryQuestion => {
  const last = history.toSorted((a, b) => b.at - a.at)[0]
  return {
    network: "visa",
    region: "us",
    crossing: "domestic",
    initiator: "customer",
    amount: usd(1000n),
    last: last === undefined ? { kind: "none" } : { ...last, kind: "declined" },
    history,
    at: today,
    ...more,
  }
}
const many = (count: number, until: number, stepMs: number, more: Partial<PastDecline> = {}): readonly PastDecline[] =>
  Array.from({ length: count }, (_, index) => past(until - index * stepMs, more))

test("nothing follows an unknown outcome, whatever the network, the region and the day", () => {
  for (const network of ["visa", "mastercard", "amex", "elo", "rupay"] as const)
    for (const at of [on("2019-06-01T00:00:00Z"), today]) {
      const verdict = judgeRetry(asked([], { network, at, last: { kind: "unknown" } }))
      assert.equal(verdict.allowed, "no")
      assert.equal(verdict.rule, UNKNOWN_OUTCOME_RULE)
    }
})

test("an ordinary decline may be tried again, and says how much of the budget is used", () => {
  const verdict = judgeRetry(asked([past(today)]))
  assert.equal(verdict.allowed, "yes")
  assert.equal(verdict.predictedFee, undefined)
  assert.deepEqual(
    verdict.limits.map(({ rule, used, limit }) => [rule, used, limit]),
    [["visa/reattempts-20", 1, 20]],
  )
})

test("a Visa category 1 is never tried again, and the fee of an attempt made all the same is told", () => {
  for (const networkCode of ["04", "07", "12", "14", "15", "41", "43", "46", "57", "R0", "R1", "R3"]) {
    const domestic = judgeRetry(asked([past(today, { networkCode })]))
    assert.equal(domestic.allowed, "no", networkCode)
    assert.deepEqual(domestic.predictedFee, usd(10n))
    assert.ok(domestic.sources.length > 0)
    const { crossing: _, ...unknownCrossing } = asked([past(today, { networkCode })])
    assert.deepEqual(judgeRetry(unknownCrossing).predictedFee, usd(25n), "an unknown border counts as the dearest")
  }
})

test("between regions Visa's fee is the one of its day", () => {
  const fee = (at: number): Money | undefined =>
    judgeRetry(asked([past(at, { networkCode: "41" })], { at, crossing: "inter" })).predictedFee
  assert.equal(fee(on("2022-03-31T23:59:59Z")), undefined)
  assert.deepEqual(fee(on("2026-04-24T23:59:59Z")), usd(15n))
  assert.deepEqual(fee(on("2026-04-25T00:00:00Z")), usd(25n))
})

test("Visa's limit is 15 until 2025-05-24 and 20 from 2025-05-25 on", () => {
  for (const [day, allowed] of [
    ["2025-05-24T23:59:59Z", 15],
    ["2025-05-25T00:00:00Z", 20],
  ] as const) {
    const at = on(day)
    assert.equal(judgeRetry(asked(many(allowed - 1, at, hoursToMs(1)), { at })).allowed, "yes", day)
    const over = judgeRetry(asked(many(allowed, at, hoursToMs(1)), { at }))
    assert.equal(over.allowed, "later", day)
    assert.equal(over.from, at - hoursToMs(allowed - 1) + daysToMs(30), "when the oldest leaves the window")
    assert.deepEqual(over.predictedFee, usd(10n))
  }
})

test("Visa counts customer and merchant apart only since 2025-05-25, and amounts apart always", () => {
  const mixed = (at: number): readonly PastDecline[] => [
    ...many(10, at, hoursToMs(1)),
    ...many(10, at - 1, hoursToMs(1), { initiator: "merchant" }),
  ]
  const before = on("2025-05-01T00:00:00Z")
  assert.equal(judgeRetry(asked(mixed(before), { at: before })).allowed, "later")
  assert.equal(judgeRetry(asked(mixed(today))).allowed, "yes")
  assert.equal(judgeRetry(asked(many(40, today, hoursToMs(1), { amount: usd(999n) }))).allowed, "yes")
  const inEuros = money(1000n, currency("EUR"))
  assert.equal(judgeRetry(asked(many(40, today, hoursToMs(1), { amount: inEuros }))).allowed, "yes")
})

test("a code counts by the category of its own day", () => {
  const early = on("2023-04-30T00:00:00Z")
  const moved = [past(early, { networkCode: "62" })]
  assert.equal(judgeRetry(asked(moved, { at: early })).allowed, "no")
  const late = on("2023-05-01T00:00:00Z")
  assert.equal(judgeRetry(asked([past(late, { networkCode: "62" })], { at: late })).allowed, "yes")
})

test("a category 1 of an earlier payment holds the card back for 30 days, and its amount for a year", () => {
  const lost = (days: number): readonly PastDecline[] => [past(today - daysToMs(days), { networkCode: "41" })]
  const other = { amount: usd(5n), last: { kind: "none" } } as const
  const same = { last: { kind: "none" } } as const
  assert.equal(judgeRetry(asked(lost(29), other)).allowed, "no")
  assert.equal(judgeRetry(asked(lost(30), other)).allowed, "yes")
  assert.equal(judgeRetry(asked(lost(364), same)).allowed, "no")
  assert.equal(judgeRetry(asked(lost(365), same)).allowed, "yes")
})

test("a cardholder's stop order holds back the merchant's payments, not the cardholder's own", () => {
  const stopped = [past(today - daysToMs(1), { networkCode: "R1", initiator: "merchant" })]
  const next = { amount: usd(5n), last: { kind: "none" } } as const
  assert.equal(judgeRetry(asked(stopped, { ...next, initiator: "merchant" })).allowed, "no")
  assert.equal(judgeRetry(asked(stopped, { ...next, initiator: "customer" })).allowed, "yes")
})

test("the fourth stop order costs Visa's own fee beside the other", () => {
  const orders = (count: number): readonly PastDecline[] => many(count, today, hoursToMs(1), { networkCode: "R0" })
  assert.deepEqual(judgeRetry(asked(orders(2))).predictedFee, usd(10n))
  assert.deepEqual(judgeRetry(asked(orders(3))).predictedFee, usd(110n))
})

const mastercard = (history: readonly PastDecline[], region: CardRegion = "us", at = today): RetryQuestion =>
  asked(history, { network: "mastercard", region, at })

test("Mastercard allows ten declines a day with a card, whatever the amount", () => {
  const mixed = (count: number): readonly PastDecline[] =>
    Array.from({ length: count }, (_, index) => past(today - index * 1000, { amount: usd(BigInt(index + 1)) }))
  assert.equal(judgeRetry(mastercard(mixed(9))).allowed, "yes")
  const over = judgeRetry(mastercard(mixed(10)))
  assert.equal(over.allowed, "later")
  assert.equal(over.from, today - 9000 + hoursToMs(24))
  assert.deepEqual(over.predictedFee, usd(50n))
})

test("Mastercard allows seven a day in Brazil since February 2023, billed in reais", () => {
  const seven = many(7, today, 1000)
  assert.equal(judgeRetry(mastercard(seven, "eea")).allowed, "yes")
  const over = judgeRetry(mastercard(seven, "brazil"))
  assert.equal(over.allowed, "later")
  assert.deepEqual(over.predictedFee, money(200n, currency("BRL")))
  const january = on("2023-01-31T00:00:00Z")
  assert.equal(judgeRetry(mastercard(many(7, january, 1000), "brazil", january)).allowed, "yes")
})

test("Mastercard allows 35 declines in 30 days, in Canada since April 2024 only", () => {
  const at = on("2024-03-31T23:00:00Z")
  const spread = many(35, at, hoursToMs(20))
  assert.equal(judgeRetry(mastercard(spread, "us", at)).allowed, "later")
  assert.equal(judgeRetry(mastercard(spread, "canada", at)).allowed, "yes")
  const april = on("2024-04-01T00:00:00Z")
  assert.equal(judgeRetry(mastercard(many(35, april, hoursToMs(20)), "canada", april)).allowed, "later")
})

test("Mastercard's fee for the excess rises by its dates", () => {
  const fee = (day: string, region: CardRegion): Money | undefined => {
    const at = on(`${day}T00:00:00Z`)
    return judgeRetry(mastercard(many(20, at, 1000), region, at)).predictedFee
  }
  assert.deepEqual(fee("2020-01-01", "us"), usd(10n))
  assert.deepEqual(fee("2022-12-31", "us"), usd(10n))
  assert.deepEqual(fee("2023-01-01", "us"), usd(15n))
  assert.deepEqual(fee("2024-01-01", "us"), usd(30n))
  assert.deepEqual(fee("2025-01-01", "us"), usd(50n))
  assert.deepEqual(fee("2024-04-01", "canada"), usd(50n))
  assert.deepEqual(fee("2026-01-01", "eea"), money(55n, currency("EUR")))
})

test("advice never to try again stops the payment for ever and its amount for 30 days", () => {
  for (const adviceCode of ["03", "21"]) {
    const told = (days: number): readonly PastDecline[] => [past(today - daysToMs(days), { adviceCode })]
    const own = judgeRetry(mastercard(told(400)))
    assert.equal(own.allowed, "no", adviceCode)
    assert.deepEqual(own.predictedFee, usd(50n))
    const later = (days: number, amount: Money): string =>
      judgeRetry({ ...mastercard(told(days)), amount, last: { kind: "none" } }).allowed
    assert.equal(later(29, usd(1000n)), "no")
    assert.equal(later(30, usd(1000n)), "yes")
    assert.equal(later(1, usd(7n)), "yes")
  }
  for (const adviceCode of ["40", "42", "99"])
    assert.equal(judgeRetry(mastercard([past(today, { adviceCode })])).allowed, "no", adviceCode)
})

test("advice with a time is kept to the moment, and advice with a change asks for it", () => {
  for (const [adviceCode, hours] of Object.entries({ "02": 72, "24": 1, "25": 24, "26": 48, "30": 240 })) {
    const at = today
    const told = [past(at, { adviceCode })]
    const verdict = judgeRetry(mastercard(told))
    assert.equal(verdict.allowed, "later", adviceCode)
    assert.equal(verdict.from, at + hoursToMs(hours))
    assert.equal(judgeRetry({ ...mastercard(told), at: at + hoursToMs(hours) }).allowed, "yes")
  }
  const changed = judgeRetry(mastercard([past(today, { adviceCode: "04" })]))
  assert.equal(changed.allowed, "yes")
  assert.deepEqual(changed.onlyWith, ["card_number", "fresh_cryptogram", "new_card"])
})

test("of several waits the longest counts, and of several fees the dearest", () => {
  const crowded = [...many(10, today, 1000), past(today, { adviceCode: "30" })]
  assert.equal(judgeRetry(mastercard(crowded)).from, today + hoursToMs(240))
  const orders = [...many(17, today - 1, 1000), ...many(3, today, 1, { networkCode: "R0" })]
  const verdict = judgeRetry(asked(orders))
  assert.deepEqual(verdict.predictedFee, usd(110n))
  assert.equal(verdict.findings.filter(({ allowed }) => allowed === "later").length, 1)
})

test("advice codes mean nothing on another network", () => {
  assert.equal(judgeRetry(asked([past(today, { adviceCode: "03" })])).allowed, "yes")
})

test("a scheme without a published rule has our own ceiling, which says that it is ours", () => {
  for (const network of ["amex", "discover", "jcb", "unionpay"] as const) {
    assert.equal(judgeRetry(asked(many(9, today, 1000), { network })).allowed, "yes", network)
    const over = judgeRetry(asked(many(10, today, 1000), { network }))
    assert.equal(over.allowed, "later", network)
    assert.equal(over.certainty, "assumed")
    assert.equal(over.predictedFee, undefined)
  }
})

test("a reason that gives the card up is a stop on every network", () => {
  for (const network of ["visa", "mastercard", "amex", "jcb"] as const)
    assert.equal(
      judgeRetry(asked([past(today, { networkCode: "05", reason: "stolen_card" })], { network })).allowed,
      "no",
    )
})

const anyPast = fc
  .record({
    at: fc.integer({ min: today - daysToMs(70), max: today }),
    amount: fc.constantFrom(usd(1000n), usd(2000n)),
    initiator: fc.constantFrom("customer", "merchant"),
    networkCode: fc.constantFrom("05", "51", "91", "54", "41"),
    adviceCode: fc.option(fc.constantFrom("01", "02", "03", "24", "30"), { nil: undefined }),
  })
  .map(({ adviceCode, ...rest }): PastDecline => (adviceCode === undefined ? rest : { ...rest, adviceCode }))
const anyNetwork = fc.constantFrom("visa", "mastercard", "amex", "elo", "rupay")
const anyRegion = fc.constantFrom<CardRegion>("us", "canada", "brazil", "eea", "uk", "elsewhere")

test("the order in which declines are remembered does not matter", () => {
  fc.assert(
    fc.property(fc.array(anyPast, { maxLength: 60 }), anyNetwork, anyRegion, (history, network, region) => {
      const question = asked(history, { network, region, last: { kind: "not_executed" } })
      assert.deepEqual(judgeRetry({ ...question, history: history.toReversed() }).allowed, judgeRetry(question).allowed)
      assert.deepEqual(judgeRetry({ ...question, history: history.toReversed() }).from, judgeRetry(question).from)
    }),
  )
})

test("one more decline never makes a verdict milder", () => {
  const rank = { yes: 0, later: 1, no: 2 } as const
  fc.assert(
    fc.property(
      fc.array(anyPast, { maxLength: 60 }),
      anyPast,
      anyNetwork,
      anyRegion,
      (history, more, network, region) => {
        const question = asked(history, { network, region, last: { kind: "not_executed" } })
        const [few, many] = [judgeRetry(question), judgeRetry({ ...question, history: [...history, more] })]
        assert.ok(rank[many.allowed] >= rank[few.allowed])
        assert.ok(many.allowed !== "later" || (many.from ?? 0) >= (few.from ?? 0))
      },
    ),
  )
})

test("no run of attempts that asks first ever has more declines in a window than its limit", () => {
  const steps = fc.array(fc.integer({ min: 1, max: hoursToMs(40) }), { minLength: 40, maxLength: 90 })
  fc.assert(
    fc.property(steps, anyNetwork, anyRegion, (gaps, network, region) => {
      const history: PastDecline[] = []
      let at = today - daysToMs(60)
      for (const gap of gaps) {
        at += gap
        const verdict = judgeRetry(asked(history, { network, region, at, last: { kind: "not_executed" } }))
        if (verdict.allowed === "later") {
          assert.ok(verdict.from !== undefined && verdict.from > at)
          continue
        }
        history.push(past(at, { networkCode: "05" }))
        for (const { used, limit } of judgeRetry(asked(history, { network, region, at })).limits)
          assert.ok(used <= limit)
      }
    }),
    { numRuns: 50 },
  )
})

test("a verdict of later turns at its moment, not before", () => {
  for (const rule of schemeLimits.filter((row) => row.until === undefined)) {
    const network = ({ visa: "visa", mastercard: "mastercard", elo: "elo", amex: "amex" } as const)[
      rule.schemes[0] as "visa"
    ]
    const region = rule.regions?.[0] ?? "us"
    // Far enough apart that only this limit is reached.
    const step = rule.windowHours > 24 ? hoursToMs(rule.windowHours) / (rule.declines + 1) : 60_000
    const history = many(rule.declines, today, Math.floor(step), { networkCode: "05" })
    const question = asked(history, { network, region, last: { kind: "not_executed" } })
    const { from = assert.fail(rule.id), rule: decisive } = judgeRetry(question)
    assert.equal(decisive, rule.id)
    assert.equal(judgeRetry({ ...question, at: from - 1 }).allowed, "later", rule.id)
    assert.equal(judgeRetry({ ...question, at: from }).allowed, "yes", rule.id)
  }
})
