// Retries of real payments: what the plan asks for, what the card's budget lets through, and what is told of it afterwards.

import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { accountAt, MERCHANT, scripted, type Call, type Reply } from "../../testing/scripted.ts"
import { connectors } from "../connectors/registry.ts"
import type { BudgetKey } from "../core/card-attempt.ts"
import type { AccountId, AttemptId } from "../core/id.ts"
import { statusOf, type Payment } from "../core/payment.ts"
import type { Policy } from "../routing/policy.ts"
import { plainRetryPlan, type RetryPlan, type RetryStep } from "../routing/retry-plan.ts"
import type { Account } from "./engine.ts"
import { resume } from "./resume.ts"

const authorised: Reply = { body: { pspReference: "PSP", resultCode: "Authorised" } }
/** As Adyen says it, with what the network answered. */
const refused = (code: string, reason: string, network = ""): Reply => ({
  body: {
    pspReference: "PSP",
    resultCode: "Refused",
    refusalReasonCode: code,
    refusalReason: reason,
    additionalData: { refusalReasonRaw: network },
  },
})
const unavailable = refused("9", "Issuer Unavailable", "91 : Issuer unavailable")
const honours = refused("2", "Refused", "05 : Do not honor")

const step = (more: Partial<RetryStep>): RetryStep => ({
  name: "again",
  on: plainRetryPlan.steps[0]!.on,
  times: 3,
  provider: "any",
  delaySeconds: [],
  shape: {},
  ...more,
})
const planned = (...steps: readonly Partial<RetryStep>[]): RetryPlan => ({
  maxRetries: 5,
  steps: steps.map((one, index) => step({ name: `step ${index}`, ...one })),
})
const policy = (retry: RetryPlan, accounts: readonly string[] = ["first", "second"]): Policy => ({
  id: "pol_0" as never,
  version: 1,
  rules: [{ name: "all", when: { all: [] }, strategy: { kind: "ordered", accounts }, retry }],
})
const world = (
  reply: (call: Call, calls: readonly Call[]) => Reply,
  retry?: RetryPlan,
  accounts: readonly Account[] = [accountAt("first"), accountAt("second")],
) =>
  scripted(
    accounts,
    reply,
    retry === undefined
      ? undefined
      : policy(
          retry,
          accounts.map(({ id }) => id),
        ),
  )
const tried = (payment: Payment): readonly string[] => payment.attempts.map(({ account }) => account)
const card = (network: BudgetKey["network"] = "visa"): BudgetKey => ({
  merchant: MERCHANT,
  mode: "test",
  network,
  fingerprint: "f",
})
const bodyOf = (call: Call | undefined) => JSON.parse(call?.body ?? "{}") as Record<string, never>

describe("a provider that cannot be reached", () => {
  const unreachable = ({ account }: Call): Reply => (account === "first" ? "refused" : authorised)
  const declines: Partial<RetryStep> = { on: { categories: ["insufficient_funds"] }, provider: "other" }

  test("costs no payment whose plan only says what follows declines", async () => {
    const going = world(unreachable, { ...planned(declines), maxRetries: 1 })
    const { id } = going.pay()
    await going.pass(5_000)
    assert.equal(statusOf(going.stored(id)), "authorized")
    assert.equal(going.stored(id).attempts[1]?.follows?.step, "(default)")
  })

  test("ends the payment where the plan wants no retries", async () => {
    const going = world(unreachable, { ...planned(declines), maxRetries: 0 })
    const { id } = going.pay()
    await going.pass(5_000)
    assert.equal(statusOf(going.stored(id)), "failed")
    assert.match(going.stored(id).plan.stopped?.why ?? "", /allows 0 retries/)
  })
})

describe("a card's budget", () => {
  test("has the declines of all accounts, and nothing of a payment that was approved at once", async () => {
    const going = world(({ account }) => (account === "first" ? unavailable : honours))
    const { id } = going.pay()
    await going.pass(5_000)
    const payment = going.stored(id)
    assert.deepEqual(tried(payment), ["first", "second"])
    assert.deepEqual(
      going.ledger.contents
        .cardAttempts(card())
        .map(({ id: attempt, at, account, result, networkCode, reason }) => [
          attempt,
          at,
          account,
          result,
          networkCode,
          reason,
        ]),
      payment.attempts.map(
        ({ id: attempt, startedAt, account }: { id: string; startedAt: number; account: string }) => [
          attempt,
          startedAt,
          account,
          "declined",
          account === "first" ? "91" : "05",
          account === "first" ? "issuer_unavailable" : "do_not_honor",
        ],
      ),
    )
    const quiet = world(() => authorised)
    quiet.pay()
    await quiet.pass(5_000)
    assert.deepEqual(quiet.ledger.contents.cardAttempts(card()), [])
  })

  test("that is used up holds back the next attempt, and the payment says by which rule", async () => {
    const going = world(({ account }) => (account === "first" ? unavailable : authorised))
    await useUp(going, 20)
    const { id } = going.pay()
    await going.pass(5_000)
    const payment = going.stored(id)
    assert.deepEqual(tried(payment), ["first"])
    assert.equal(payment.closed?.as, "failed")
    const { stopped } = payment.plan
    assert.match(stopped?.why ?? "", /used up until .* too late for the payment/)
    assert.equal(stopped?.after, payment.attempts[0]!.id)
    assert.equal(stopped?.passedOver[0]?.rule, "visa/reattempts-20")
    assert.equal(stopped?.passedOver[0]?.account, "second")
    assert.deepEqual(
      stopped?.limits.map(({ rule, used, limit }) => [rule, used, limit]),
      [["visa/reattempts-20", 21, 20]],
    )
  })

  test("counts an unknown until it is settled, whoever settles it", async () => {
    const going = world(() => "silence", undefined, [accountAt("first", connectors.checkout)])
    going.pay()
    await going.pass(120_000)
    assert.deepEqual(results(going), ["unknown"])
    // Recovery finds that it never arrived.
    const found = world(
      ({ method }) => (method === "POST" ? "silence" : { body: { limit: 10, skip: 0, total_count: 0, data: [] } }),
      undefined,
      [accountAt("first", connectors.checkout)],
    )
    found.pay()
    await found.pass(3 * 86_400_000, 60_000)
    assert.deepEqual(results(found), ["none"])
  })

  test("is asked before a payment is taken elsewhere while its reversal is on its way", async () => {
    const reply = ({ account }: Call): Reply => (account === "first" ? "silence" : authorised)
    const free = world(reply)
    const first = free.pay({ onUnknown: "reverse_then_reroute" })
    await free.pass(30_000)
    assert.deepEqual(tried(free.stored(first.id)), ["first", "second"])
    assert.equal(free.stored(first.id).attempts[1]?.follows?.step, "reverse_then_reroute")
    const full = world(reply)
    await useUp(full, 20)
    const second = full.pay({ onUnknown: "reverse_then_reroute" })
    await full.pass(30_000)
    assert.deepEqual(tried(full.stored(second.id)), ["first"])
    assert.equal(statusOf(full.stored(second.id)), "processing")
    const { stopped } = full.stored(second.id).plan
    assert.match(stopped?.why ?? "", /used up/)
    assert.deepEqual(
      stopped?.passedOver.map(({ step, account, rule }) => [step, account, rule]),
      [["reverse_then_reroute", "second", "visa/reattempts-20"]],
    )
  })

  test("that cannot be read is never taken for an empty one", async () => {
    const going = world(({ account }) => (account === "first" ? unavailable : authorised))
    going.ledger.cardAttempts = () => Promise.reject(new Error("connection lost"))
    const { id } = going.pay()
    await going.pass(120_000)
    const payment = going.stored(id)
    assert.deepEqual(tried(payment), ["first"])
    assert.match(payment.plan.stopped?.why ?? "", /could not be read/)
  })

  test("is read once for an attempt that follows, and not at all where nothing could", async () => {
    for (const [reply, reads] of [
      [authorised, 0],
      [refused("5", "Blocked Card"), 0],
      [unavailable, 1],
    ] as const) {
      const going = world(({ account }) => (account === "first" ? reply : authorised))
      let count = 0
      const { cardAttempts } = going.ledger
      going.ledger.cardAttempts = (key) => {
        count += 1
        return cardAttempts(key)
      }
      going.pay()
      await going.pass(5_000)
      assert.equal(count, reads, JSON.stringify(reply))
    }
  })
})

describe("a retry plan", () => {
  test("that stays with an account tries it again, once and shaped as it says", async () => {
    const retry = planned({ provider: "same", times: 1, shape: { threeDs: "none", descriptor: "SHOP AGAIN" } })
    const again = refused("2", "Refused", "19 : Re-enter transaction")
    const going = world((_call, calls) => (calls.length === 0 ? again : authorised), retry)
    const { id } = going.pay()
    await going.pass(5_000)
    const payment = going.stored(id)
    const [first, second] = payment.attempts
    assert.deepEqual(tried(payment), ["first", "first"])
    assert.deepEqual(second?.shape, { threeDs: "none", descriptor: "SHOP AGAIN" })
    assert.equal(second?.follows?.step, "step 0")
    assert.equal(second?.follows?.after, first!.id)
    assert.equal(bodyOf(going.calls[1])["shopperStatement"], "SHOP AGAIN")
    assert.notEqual(bodyOf(going.calls[0])["reference"], bodyOf(going.calls[1])["reference"])
  })

  test("may do without the 3-D Secure that its rule requires", async () => {
    const retry = planned({ provider: "same", times: 1, shape: { threeDs: "none" } })
    const again = refused("2", "Refused", "19 : Re-enter transaction")
    const [rule] = policy(retry, ["first"]).rules
    const rules = { ...policy(retry), rules: [{ ...rule!, requireThreeDs: true as const }] }
    const asked = async (by: Policy): Promise<readonly unknown[]> => {
      const going = scripted([accountAt("first")], (_call, calls) => (calls.length === 0 ? again : authorised), by)
      going.pay()
      await going.pass(5_000)
      return going.calls.map((call) => bodyOf(call)["authenticationData"])
    }
    const [required, left] = await asked(rules)
    const [, never] = await asked({ ...rules, rules: [rule!] })
    assert.notDeepEqual(required, never, "the rule's word on the first attempt")
    assert.deepEqual(left, never, "the step's word on the second")
  })

  test("waits within the answer's time, and the payment is processing meanwhile", async () => {
    const going = world(
      ({ account }) => (account === "first" ? unavailable : authorised),
      planned({ provider: "other", delaySeconds: [10] }),
      [accountAt("first"), accountAt("second", connectors.checkout)],
    )
    const { id } = going.pay()
    await going.pass(8_000)
    assert.equal(statusOf(going.stored(id)), "processing")
    assert.deepEqual(tried(going.stored(id)), ["first"])
    await going.pass(4_000)
    assert.deepEqual(tried(going.stored(id)), ["first", "second"])
  })

  test("that would start too late for the answer ends the payment, and says so", async () => {
    const going = world(
      ({ account }) => (account === "first" ? unavailable : authorised),
      planned({ delaySeconds: [20] }),
    )
    const { id } = going.pay()
    await going.pass(5_000)
    assert.equal(statusOf(going.stored(id)), "failed")
    assert.match(going.stored(id).plan.stopped?.why ?? "", /too late for the payment/)
  })

  test("whose wait is ended by a cancel makes no other attempt", async () => {
    const going = world(
      ({ account }) => (account === "first" ? unavailable : authorised),
      planned({ delaySeconds: [10] }),
    )
    const { id } = going.pay()
    await going.pass(3_000)
    void going.follow(id, { type: "cancel" })
    await going.pass(60_000)
    assert.deepEqual(tried(going.stored(id)), ["first"])
    assert.equal(statusOf(going.stored(id)), "canceled")
  })

  test("asks the budget anew when its wait is over", async () => {
    const going = world(
      ({ account }) => (account === "first" ? unavailable : authorised),
      planned({ delaySeconds: [10] }),
    )
    const { id } = going.pay()
    await going.pass(3_000)
    await useUp(going, 20)
    await going.pass(20_000)
    assert.deepEqual(tried(going.stored(id)), ["first"])
    assert.match(going.stored(id).plan.stopped?.why ?? "", /used up/)
  })

  test("avoids a provider that fails too often, as this process has seen it", async () => {
    const rate = { atLeastBps: 5_000, windowSeconds: 60, minimumAttempts: 3 }
    const going = world(
      ({ account }) => (account === "first" ? unavailable : account === "second" ? "refused" : authorised),
      planned({ provider: "other", avoidAbove: rate }, { provider: "other" }),
      [accountAt("first"), accountAt("second", connectors.checkout)],
    )
    for (let i = 0; i < 3; i++) {
      going.pay({ pinnedAccount: "second" as AccountId })
      await going.pass(1_000)
    }
    const { id } = going.pay()
    await going.pass(5_000)
    const second = going.stored(id).attempts[1]
    assert.equal(second?.follows?.step, "step 1")
    assert.match(second?.follows?.passedOver[0]?.why ?? "", /checkout fails too often/)
  })

  test("of a credential that the payment does not have is passed over, and what was decided stays bounded", async () => {
    const many = Array.from({ length: 16 }, () => ({ shape: { credential: "network_token" as const } }))
    const accounts = [accountAt("first"), accountAt("second")]
    const going = world(() => unavailable, planned(...many, ...many.slice(0, 8)), accounts)
    const { id } = going.pay()
    await going.pass(5_000)
    const { stopped } = going.stored(id).plan
    assert.equal(stopped?.why, "the payment has no network token to be sent")
    assert.deepEqual([stopped?.passedOver.length, stopped?.omitted], [20, 4])
  })
})

describe("a retry for another day", () => {
  const recurring = {
    initiator: { by: "merchant", purpose: "recurring", networkTransactionId: "123456789012345" },
  } as const
  const funds = refused("12", "Not enough balance", "51 : Insufficient funds")
  const payday = planned({
    on: { categories: ["insufficient_funds"] },
    initiator: "merchant",
    times: 2,
    delaySeconds: [86_400, 172_800],
  })
  const DAY = 86_400_000

  test("waits as a row, is answered as processing, and starts when it is due", async () => {
    const going = world((_call, calls) => (calls.length === 0 ? funds : authorised), payday)
    const began = going.world.now
    const { id, answer } = going.pay(recurring)
    await going.pass(10_000)
    const waiting = going.stored(id)
    assert.equal((await answer).kind, "payment")
    assert.equal(statusOf(waiting), "processing")
    assert.equal(waiting.plan.state, "waiting")
    assert.equal(waiting.plan.waits?.step, "step 0")
    assert.ok((waiting.plan.waits?.until ?? 0) >= began + DAY)
    assert.deepEqual(
      going.ledger.contents.wakes().map(({ wakeAt }) => wakeAt),
      [waiting.plan.waits?.until],
    )
    await going.pass(DAY - 20_000, 60_000)
    assert.equal(going.calls.length, 1)
    // Up to an hour later, so that many do not come together.
    await going.pass(3_700_000, 60_000)
    const payment = going.stored(id)
    assert.equal(statusOf(payment), "authorized")
    assert.deepEqual(tried(payment), ["first", "second"])
    assert.equal(payment.attempts[1]?.follows?.step, "step 0")
    assert.equal(payment.plan.waits, undefined)
    const told = going.ledger.contents.events().filter(({ type }) => type === "payment.retry_scheduled")
    assert.equal(told.length, 1)
  })

  test("comes back to the same accounts, as often as the plan says, and then the payment fails", async () => {
    const going = world(() => funds, payday, [accountAt("first")])
    const { id } = going.pay(recurring)
    await going.pass(5 * DAY, 600_000)
    const payment = going.stored(id)
    assert.deepEqual(tried(payment), ["first", "first", "first"])
    assert.deepEqual(
      payment.attempts
        .slice(1)
        .map(({ startedAt }, i) => Math.round((startedAt - payment.attempts[i]!.startedAt) / DAY)),
      [1, 2],
    )
    assert.equal(payment.failure?.reason, "insufficient_funds")
    assert.match(payment.plan.stopped?.why ?? "", /taken 2 times/)
    assert.deepEqual(results(going), ["declined", "declined", "declined"])
  })

  test("is never made after a cancel", async () => {
    const going = world(() => funds, payday)
    const { id } = going.pay(recurring)
    await going.pass(10_000)
    void going.follow(id, { type: "cancel" })
    await going.pass(3 * DAY, 600_000)
    assert.equal(statusOf(going.stored(id)), "canceled")
    assert.equal(going.calls.length, 1)
    assert.deepEqual(going.ledger.contents.wakes(), [])
  })

  test("is not made where the account takes it no more, or the budget is used up by then", async () => {
    const only = [accountAt("first")] as Account[]
    const going = world(() => funds, payday, only)
    const { id } = going.pay(recurring)
    await going.pass(10_000)
    only[0] = { ...only[0]!, state: "draining" }
    await going.pass(2 * DAY, 600_000)
    assert.equal(going.stored(id).closed?.as, "failed")
    assert.deepEqual(going.stored(id).plan.skipped, [{ account: "first", reason: "draining" }])

    const full = world(() => funds, payday)
    const other = full.pay(recurring)
    await full.pass(10_000)
    await useUp(full, 20, "merchant")
    await full.pass(2 * DAY, 600_000)
    assert.equal(full.stored(other.id).attempts.length, 1)
    assert.match(full.stored(other.id).plan.stopped?.why ?? "", /used up/)
  })

  test("is not for a customer who is there, nor for what needs what was not stored", async () => {
    for (const intent of [
      {},
      { ...recurring, threeDs: { mode: "external", version: "2.2.0", eci: "05", dsTransactionId: "x" } },
    ] as const) {
      const going = world(() => funds, planned({ on: { categories: ["insufficient_funds"] }, delaySeconds: [86_400] }))
      const { id } = going.pay(intent)
      await going.pass(30_000)
      assert.equal(statusOf(going.stored(id)), "failed")
    }
  })

  test("is started once, however many nodes come to it", async () => {
    const going = world((_call, calls) => (calls.length === 0 ? funds : authorised), payday)
    const { id } = going.pay(recurring)
    await going.pass(10_000)
    const waiting = going.stored(id)
    for (const node of ["a", "b", "c"])
      going.world.after(
        waiting.plan.waits!.until - going.world.now,
        () => void resume({ ...going.engine, node }, waiting),
      )
    await going.world.run(waiting.plan.waits!.until + 60_000)
    assert.equal(going.calls.length, 2)
    assert.equal(statusOf(going.stored(id)), "authorized")
  })
})

const results = (going: ReturnType<typeof world>): readonly string[] =>
  going.ledger.contents.cardAttempts(card()).map(({ result }) => result)

/** Earlier declines of the same amount with the same card, of another payment of the merchant. */
async function useUp(
  going: ReturnType<typeof world>,
  count: number,
  initiator: "customer" | "merchant" = "customer",
): Promise<void> {
  const { cardAttempts } = going.ledger
  const at = going.world.now - 86_400_000 * 2
  going.ledger.cardAttempts = async (key) => {
    const own = await cardAttempts(key)
    const amount = { minor: 1_000n, currency: "EUR" as never }
    return [
      ...Array.from({ length: count }, (_, i) => ({
        id: `att_${i}` as AttemptId,
        at: at + i,
        account: "acc_0" as AccountId,
        amount,
        initiator,
        result: "declined" as const,
        networkCode: "05",
      })),
      ...own,
    ]
  }
}
