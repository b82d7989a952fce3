import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { type Currency, parseCurrency } from "../core/currency.ts"
import { type DeclineReason, declineReasons } from "../core/decline.ts"
import type { AccountId, AttemptId } from "../core/id.ts"
import { parseRfc3339 } from "../core/instant.ts"
import { money, type Money } from "../core/money.ts"
import type { Outcome } from "../core/outcome.ts"
import { hoursToMs } from "../core/scheme-rule.ts"
import { budgetOf, type CardBudget, evolve } from "./retry-budget.ts"
import { type Following, leadsOn, type RetrySituation, SHORTEST_LATER_MS, whatMayFollow } from "./retry-following.ts"
import { plainRetryPlan, type RetryPlan, type RetryStep } from "./retry-plan.ts"
import type { RetryTarget } from "./retry-target.ts"

const currency = (code: string): Currency => parseCurrency(code) ?? assert.fail(code)
const eur = (minor: bigint): Money => money(minor, currency("EUR"))
const now = parseRfc3339("2026-11-30T12:00:00Z") ?? assert.fail()
const sentAt = now - 800
const [one, two, three] = ["acc_one", "acc_two", "acc_three"] as [AccountId, AccountId, AccountId]

const target = (account: AccountId, provider: string, more: Partial<RetryTarget> = {}): RetryTarget => ({
  account,
  provider,
  answerMs: 8_000,
  card: true,
  networkToken: true,
  threeDs: true,
  merchantInitiated: true,
  descriptor: true,
  ...more,
})
const targets = [target(one, "stripe", { tried: true }), target(two, "adyen"), target(three, "checkout")]

const declined = (reason: DeclineReason, more: { networkCode?: string; adviceCode?: string } = {}): Outcome => ({
  kind: "declined",
  reason,
  raw: { code: reason, ...more },
  evidence: {},
})
const bare = (kind: "not_sent" | "absent" | "unknown" | "pending"): Outcome => ({
  kind,
  raw: { code: kind },
  evidence: {},
})
const rejected = (executed: "no" | "unknown"): Outcome => ({
  kind: "rejected",
  fault: "theirs",
  executed,
  reason: "rate_limited",
  raw: { code: "429" },
  evidence: {},
})
const approved: Outcome = { kind: "approved", effect: "authorized", amount: 1n, raw: { code: "ok" }, evidence: {} }
const action: Outcome = {
  kind: "action",
  action: { type: "redirect", method: "GET", url: "https://issuer.example" },
  raw: { code: "3ds" },
  evidence: {},
}

const step = (more: Partial<RetryStep>): RetryStep => ({
  name: "step",
  on: plainRetryPlan.steps[0]?.on ?? assert.fail(),
  times: 3,
  provider: "any",
  delaySeconds: [],
  shape: {},
  ...more,
})
const plan = (...steps: readonly Partial<RetryStep>[]): RetryPlan => ({
  maxRetries: 5,
  steps: steps.map((one, index) => step({ name: `step ${index}`, ...one })),
})
type Changes = Partial<Omit<RetrySituation, "last" | "payment">> & {
  readonly payment?: Partial<RetrySituation["payment"]>
}
const after = (outcome: Outcome, { payment, ...more }: Changes = {}): RetrySituation => ({
  plan: plainRetryPlan,
  payment: {
    region: "eea",
    crossing: "domestic",
    initiator: "customer",
    amount: eur(1000n),
    method: "card",
    credentials: ["card", "network_token"],
    updatedAccount: false,
    challenged: false,
    customerPresent: true,
    storedAgreement: false,
    ...payment,
  },
  last: { account: one, provider: "stripe", at: sentAt, outcome },
  taken: {},
  targets,
  budget: budgetOf("mastercard", []),
  errorRates: {},
  stakes: {},
  now,
  until: now + hoursToMs(24 * 60),
  ...more,
})
const retry = (following: Following): Extract<Following, { kind: "retry" }> =>
  following.kind === "retry" ? following : assert.fail(following.why)
const why = (following: Following): string =>
  following.kind === "stop" ? following.why : assert.fail(`retried at ${following.account}`)

test("what may hold money, or does, is followed by nothing, whatever the plan and the rules say", () => {
  for (const outcome of [bare("unknown"), bare("pending"), rejected("unknown"), approved, action])
    for (const plans of [plainRetryPlan, plan({ provider: "same" }), plan({ delaySeconds: [864_000] })]) {
      const following = whatMayFollow(after(outcome, { plan: plans }))
      assert.equal(following.kind, "stop", outcome.kind)
      const unknown = outcome.kind === "unknown" || outcome.kind === "rejected"
      assert.equal(why(following), unknown ? "the outcome is unknown" : outcome.kind)
      assert.equal(leadsOn(outcome), false, outcome.kind)
    }
})

test("the plain plan goes to the next account at once, exactly where the reason may pass elsewhere", () => {
  for (const reason of Object.keys(declineReasons) as DeclineReason[]) {
    const following = whatMayFollow(after(declined(reason)))
    assert.equal(following.kind === "retry", declineReasons[reason].retryElsewhere === "yes", reason)
    if (following.kind === "retry") assert.deepEqual([following.account, following.at], [two, now], reason)
  }
  for (const outcome of [bare("not_sent"), bare("absent"), rejected("no")])
    assert.equal(retry(whatMayFollow(after(outcome))).account, two)
})

test("an attempt that is being reversed is followed elsewhere, whatever the plan says, and the budget is heard", () => {
  const situation = after(bare("unknown"), { plan: plan() })
  const reversed = { ...situation, last: { ...situation.last, reversed: true } } as const
  assert.equal(why(whatMayFollow(situation)), "the outcome is unknown")
  assert.deepEqual([retry(whatMayFollow(reversed)).account, retry(whatMayFollow(reversed)).at], [two, now])
  assert.match(why(whatMayFollow({ ...reversed, budget: usedUp(10), until: now + 30_000 })), /too late/)
  // Nothing but an unknown outcome is let through by that word.
  const pending = { ...reversed, last: { ...reversed.last, outcome: bare("pending") } }
  assert.equal(why(whatMayFollow(pending)), "pending")
})

test("an account that was tried is tried again at once only by a step that stays there, after an hour by every step", () => {
  const alone = [target(one, "stripe", { tried: true }), target(two, "adyen", { tried: true })]
  const followed = (provider: RetryStep["provider"], delay: number) =>
    whatMayFollow(
      after(declined("reenter_transaction"), { targets: alone, plan: plan({ provider, delaySeconds: [delay] }) }),
    )
  for (const provider of ["any", "other"] as const) {
    assert.equal(followed(provider, 3_599).kind, "stop")
    assert.equal(retry(followed(provider, 3_600)).account, provider === "any" ? one : two)
  }
  assert.equal(retry(followed("same", 0)).account, one)
})

test("an attempt starts only with time for its answer; a step with a delay may wait where the payment may", () => {
  const soon = { until: now + 8_000, plan: plan({ delaySeconds: [] }) }
  assert.equal(whatMayFollow(after(declined("do_not_honor"), soon)).kind, "retry")
  assert.match(why(whatMayFollow(after(declined("do_not_honor"), { ...soon, until: now + 7_999 }))), /too late/)
  const day = { ...soon, plan: plan({ delaySeconds: [86_400] }) }
  assert.match(why(whatMayFollow(after(declined("do_not_honor"), day))), /too late/)
  const waits = { ...day, waitUntil: now + 86_400_000 }
  assert.equal(retry(whatMayFollow(after(declined("do_not_honor"), waits))).at, now + 86_400_000)
  // Nobody said that a step without a delay may wait.
  const full = { ...soon, budget: usedUp(10), waitUntil: now + hoursToMs(48) }
  assert.match(why(whatMayFollow(after(declined("do_not_honor"), full))), /used up until .* too late/)
})

test("no plan is milder than the schemes: a verdict of no or later never starts before its time", () => {
  const anyOutcome = fc.record({
    reason: fc.constantFrom<DeclineReason>("do_not_honor", "insufficient_funds", "issuer_unavailable", "stolen_card"),
    adviceCode: fc.constantFrom("01", "02", "03", "21", "24", "30", "40", "42", undefined),
    networkCode: fc.constantFrom("05", "51", "91", "41", "14"),
    delay: fc.integer({ min: 0, max: 2_000_000 }),
    provider: fc.constantFrom("same" as const, "other" as const, "any" as const),
  })
  const waits: Readonly<Record<string, number>> = { "02": 72, "24": 1, "30": 240 }
  fc.assert(
    fc.property(anyOutcome, ({ reason, adviceCode, networkCode, delay, provider }) => {
      const outcome = declined(reason, adviceCode === undefined ? { networkCode } : { networkCode, adviceCode })
      const following = whatMayFollow(after(outcome, { plan: plan({ delaySeconds: [delay], provider }) }))
      if (["03", "21", "40", "42"].includes(adviceCode ?? "")) assert.equal(following.kind, "stop")
      if (following.kind !== "retry") return
      assert.ok(following.at >= now + delay * 1000)
      assert.ok(following.at >= sentAt + hoursToMs(waits[adviceCode ?? ""] ?? 0))
    }),
  )
})

test("an issuer that advises never to try again is heard on every network", () => {
  const visa = after(declined("do_not_honor", { adviceCode: "03" }), { budget: budgetOf("visa", []) })
  assert.match(why(whatMayFollow(visa)), /never to try again \(03\)/)
})

test("a category 1 of Visa stops a decline whose reason would go on", () => {
  const situation = after(declined("do_not_honor", { networkCode: "57" }), { budget: budgetOf("visa", []) })
  const following = whatMayFollow(situation)
  assert.match(
    following.kind === "stop" ? (following.passedOver[0]?.why ?? "") : "",
    /category 1.*10 minor units of USD/,
  )
  assert.equal(whatMayFollow({ ...situation, budget: budgetOf("jcb", []) }).kind, "retry")
})

const usedUp = (count: number): CardBudget =>
  Array.from({ length: count }, (_, index) => ({
    id: `att_${index}` as AttemptId,
    at: sentAt - index * 1000,
    account: one,
    amount: eur(1000n),
    initiator: "customer" as const,
    result: "declined" as const,
    networkCode: "05",
  })).reduce(evolve, budgetOf("mastercard", []))

test("an exhausted budget moves the attempt to the moment at which it is free, or ends the plan", () => {
  const situation = after(declined("do_not_honor", { networkCode: "05" }), { budget: usedUp(10) })
  const free = sentAt - 9000 + hoursToMs(24)
  assert.equal(retry(whatMayFollow(situation)).at, free)
  const hurried = whatMayFollow({ ...situation, until: free - 1 })
  assert.match(hurried.kind === "stop" ? (hurried.passedOver[0]?.why ?? "") : "", /too late for the payment/)
  assert.equal(retry(whatMayFollow({ ...situation, budget: usedUp(9) })).at, now)
})

test("what a provider would not process is not sent there again as it was, and says nothing about others", () => {
  const refused = (reason: DeclineReason): Outcome => ({ ...rejected("no"), reason }) as Outcome
  const following = (reason: DeclineReason, provider: RetryStep["provider"], delay = 0): Following =>
    whatMayFollow(after(refused(reason), { plan: plan({ provider, delaySeconds: [delay] }) }))
  assert.match(why(following("invalid_credentials", "same", 7200)), /not retried here/)
  assert.match(why(following("rate_limited", "same")), /not within an hour/)
  assert.equal(retry(following("rate_limited", "same", 3600)).account, one)
  for (const reason of ["invalid_credentials", "rate_limited", "invalid_request"] as const)
    assert.equal(retry(following(reason, "other")).account, two)
})

test("after a challenge there is no silent other attempt", () => {
  const situation = after(declined("authentication_failed"), {
    payment: { challenged: true },
    plan: plan({ shape: { threeDs: "required" } }),
  })
  assert.match(why(whatMayFollow(situation)), /challenged/)
  assert.equal(whatMayFollow({ ...situation, payment: { ...situation.payment, challenged: false } }).kind, "retry")
})

test("a reason that wants a change goes on only with one that helps", () => {
  const required = declined("authentication_required", { networkCode: "65" })
  assert.equal(whatMayFollow(after(required, { plan: plan({}) })).kind, "stop")
  const shaped = plan({ shape: { threeDs: "required" }, provider: "same" })
  const following = retry(whatMayFollow(after(required, { plan: shaped })))
  assert.deepEqual([following.account, following.shape], [one, { threeDs: "required" }])
  const other = plan({ shape: { credential: "network_token" } })
  assert.equal(whatMayFollow(after(required, { plan: other })).kind, "stop")
  const away = after(required, { plan: shaped, payment: { customerPresent: false } })
  assert.match(why(whatMayFollow(away)), /needs the customer/)
})

test("a token's requirements are met by the card number, and an advice that asks for it is heard", () => {
  const token = { payment: { method: "network_token" } } as const
  const outcome = declined("token_requirements_not_met", { adviceCode: "04" })
  const asCard = plan({ shape: { credential: "card" }, provider: "same" })
  assert.equal(retry(whatMayFollow(after(outcome, { ...token, plan: asCard }))).account, one)
  // The reason alone would go on, but the advice asks for a change.
  const soft = declined("do_not_honor", { adviceCode: "04" })
  const unchanged = whatMayFollow(after(soft, { ...token, plan: plan({ provider: "other" }) }))
  assert.match(unchanged.kind === "stop" ? (unchanged.passedOver[0]?.why ?? "") : "", /changes nothing/)
  assert.equal(
    retry(whatMayFollow(after(soft, { ...token, plan: plan({ provider: "other", shape: { credential: "card" } }) })))
      .account,
    two,
  )
})

test("what may be tried later waits an hour at least", () => {
  const funds = declined("insufficient_funds", { networkCode: "51" })
  const waiting = (seconds: number): Following =>
    whatMayFollow(after(funds, { plan: plan({ delaySeconds: [seconds] }) }))
  assert.equal(waiting(0).kind, "stop")
  assert.equal(waiting(Math.floor((sentAt + SHORTEST_LATER_MS - now) / 1000) - 1).kind, "stop")
  assert.equal(retry(waiting(3600)).at, now + 3_600_000)
})

test("delays go by the times a step was taken, and the last one repeats", () => {
  const delayed = plan({ delaySeconds: [3600, 7200] })
  const at = (times: number): number =>
    retry(whatMayFollow(after(declined("insufficient_funds"), { plan: delayed, taken: { "step 0": times } }))).at
  assert.deepEqual([at(0), at(1), at(2)], [now + 3_600_000, now + 7_200_000, now + 7_200_000])
})

test("a step that was taken as often as it may be gives way to the next, and the plan has an end", () => {
  const two_steps = plan({ times: 1, provider: "other" }, { times: 1, provider: "same" })
  const outcome = declined("reenter_transaction")
  assert.equal(retry(whatMayFollow(after(outcome, { plan: two_steps }))).step, "step 0")
  const second = retry(whatMayFollow(after(outcome, { plan: two_steps, taken: { "step 0": 1 } })))
  assert.deepEqual([second.step, second.account], ["step 1", one])
  assert.match(second.passedOver[0]?.why ?? "", /taken 1 times/)
  assert.equal(whatMayFollow(after(outcome, { plan: two_steps, taken: { "step 0": 1, "step 1": 1 } })).kind, "stop")
  const over = after(outcome, { plan: { ...two_steps, maxRetries: 2 }, taken: { a: 1, b: 1 } })
  assert.match(why(whatMayFollow(over)), /allows 2 retries/)
})

test("a step is for its own ends and its own initiator", () => {
  const narrow = plan({ on: { reasons: ["do_not_honor"] }, initiator: "merchant" })
  assert.match(why(whatMayFollow(after(declined("do_not_honor"), { plan: narrow }))), /no step/)
  const merchant = { plan: narrow, payment: { initiator: "merchant" } } as const
  assert.equal(whatMayFollow(after(declined("do_not_honor"), merchant)).kind, "retry")
  assert.match(why(whatMayFollow(after(declined("generic_decline"), merchant))), /no step/)
  assert.match(why(whatMayFollow(after(bare("not_sent"), merchant))), /no step/)
})

test("another provider means another provider, not another account of the same one", () => {
  const sibling = target("acc_four" as AccountId, "stripe")
  const situation = after(declined("do_not_honor"), {
    plan: plan({ provider: "other" }),
    targets: [sibling, ...targets],
  })
  assert.equal(retry(whatMayFollow(situation)).account, two)
  const alone = whatMayFollow({ ...situation, targets: [sibling] })
  assert.match(why(alone), /goes to another provider, and none/)
  assert.match(why(whatMayFollow({ ...situation, targets: [] })), /none is eligible/)
})

test("steps start and providers are passed over by the rate at which they fail", () => {
  const rate = { atLeastBps: 2000, windowSeconds: 60, minimumAttempts: 10 }
  const observed = (attempts: number, technicalFailures: number) => [{ windowSeconds: 60, attempts, technicalFailures }]
  const onlyAbove = after(declined("do_not_honor"), { plan: plan({ onlyAbove: rate, provider: "other" }) })
  assert.match(why(whatMayFollow(onlyAbove)), /does not fail as often/)
  for (const [attempts, failures, goes] of [
    [10, 2, "retry"],
    [10, 1, "stop"],
    [9, 9, "stop"],
  ] as const)
    assert.equal(whatMayFollow({ ...onlyAbove, errorRates: { stripe: observed(attempts, failures) } }).kind, goes)
  const avoid = after(declined("do_not_honor"), {
    plan: plan({ avoidAbove: rate, provider: "other" }),
    errorRates: { adyen: observed(10, 5) },
  })
  const following = retry(whatMayFollow(avoid))
  assert.equal(following.account, three)
  assert.match(following.passedOver[0]?.why ?? "", /adyen fails too often/)
})

test("a new request to the same account waits until it is no duplicate there", () => {
  const slow = [target(one, "stripe", { duplicateWindowMs: 120_000 })]
  const situation = after(declined("reenter_transaction"), { plan: plan({ provider: "same" }), targets: slow })
  assert.equal(retry(whatMayFollow(situation)).at, sentAt + 120_000)
  // What never left is known nowhere.
  const unsent = after(bare("not_sent"), { plan: plan({ provider: "same" }), targets: slow })
  assert.equal(retry(whatMayFollow(unsent)).at, now)
})

test("a payment of the customer is flagged as the merchant's only under an agreement", () => {
  const flagged = plan({ shape: { merchantInitiated: true }, provider: "other" })
  const situation = after(declined("do_not_honor"), { plan: flagged })
  assert.match(why(whatMayFollow(situation)), /agreed to no payment/)
  const agreed = { ...situation, payment: { ...situation.payment, storedAgreement: true } }
  assert.equal(retry(whatMayFollow(agreed)).account, two)
})

test("flagged as the merchant's it is asked for as the merchant's", () => {
  const stopped = evolve(budgetOf("visa", []), {
    id: "att_stop" as AttemptId,
    at: now - hoursToMs(24),
    account: one,
    amount: eur(77n),
    initiator: "merchant",
    result: "declined",
    networkCode: "R1",
  })
  const shape = (merchantInitiated: boolean): Changes => ({
    budget: stopped,
    plan: plan({ provider: "other", shape: merchantInitiated ? { merchantInitiated: true } : {} }),
    payment: { storedAgreement: true },
  })
  const outcome = declined("do_not_honor", { networkCode: "05" })
  assert.equal(whatMayFollow(after(outcome, shape(false))).kind, "retry")
  assert.match(why(whatMayFollow(after(outcome, shape(true)))), /stop order/)
})

test("a provider's own token goes to no other account, and is not turned into a card", () => {
  const token = { payment: { method: "provider_token", credentials: [] } } as const
  const outcome = declined("reenter_transaction")
  const following = retry(whatMayFollow(after(outcome, { ...token, plan: plan({ provider: "same" }) })))
  assert.equal(following.account, one)
  assert.equal(whatMayFollow(after(outcome, { ...token, plan: plan({ provider: "other" }) })).kind, "stop")
  assert.match(
    why(whatMayFollow(after(outcome, { ...token, plan: plan({ shape: { credential: "card" } }) }))),
    /no number/,
  )
})

test("a credential that the payment does not have, and account data that nobody knows, are not sent", () => {
  const only = { payment: { credentials: ["card"] } } as const
  const outcome = declined("do_not_honor")
  const token = plan({ provider: "other", shape: { credential: "network_token" } })
  assert.match(why(whatMayFollow(after(outcome, { ...only, plan: token }))), /no network token/)
  const newer = plan({ provider: "other", shape: { updatedAccount: true } })
  assert.match(why(whatMayFollow(after(outcome, { ...only, plan: newer }))), /no newer data/)
  assert.equal(whatMayFollow(after(outcome, { plan: newer, payment: { updatedAccount: true } })).kind, "retry")
})

test("an account without the ability that a shape needs is passed over with the reason", () => {
  for (const [shape, lacking, pattern] of [
    [{ credential: "network_token" }, { networkToken: false }, /network token/],
    [{ threeDs: "required" }, { threeDs: false }, /3-D Secure/],
    [{ descriptor: "SHOP" }, { descriptor: false }, /descriptor/],
    [{ merchantInitiated: true }, { merchantInitiated: false }, /merchant-initiated/],
    [{}, { card: false }, /card's number/],
  ] as const) {
    const situation = after(declined("do_not_honor"), {
      plan: plan({ shape, provider: "other" }),
      payment: { storedAgreement: true },
      targets: [target(two, "adyen", lacking), target(three, "checkout")],
    })
    const following = retry(whatMayFollow(situation))
    assert.equal(following.account, three)
    assert.match(following.passedOver[0]?.why ?? "", pattern)
  }
})

test("an attempt that is not worth its cost is not made, and the next account is weighed by itself", () => {
  const stake = (fee: bigint) => ({ amount: eur(1000n), approvalPpm: 100_000, marginBps: 1000, fee: eur(fee) })
  const situation = after(declined("do_not_honor"), {
    plan: plan({ provider: "other" }),
    stakes: { [two]: stake(10n), [three]: stake(9n) },
  })
  const following = retry(whatMayFollow(situation))
  assert.equal(following.account, three)
  assert.equal(following.worth?.worthIt, true)
  const nowhere = whatMayFollow({ ...situation, stakes: { [two]: stake(10n), [three]: stake(10n) } })
  assert.ok(nowhere.kind === "stop" && nowhere.passedOver.every(({ why: reason }) => /expected to bring/.test(reason)))
})

test("without a card's budget no scheme is asked, and what the decline means still holds", () => {
  const { budget: _, ...situation } = after(declined("do_not_honor", { networkCode: "57" }))
  assert.equal(retry(whatMayFollow(situation)).verdict, undefined)
})
