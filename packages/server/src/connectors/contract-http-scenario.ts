// What every connector has to live through over real HTTP against its simulated provider, one payment a scenario: the
// answer, the webhook and an inquiry tell the same facts, and they are what the provider would swear to. Histories in
// any order stand in contract-scenario.ts; here the sockets, the weather and the bank's page are real. Test support.

import assert from "node:assert/strict"
import { after, before, describe, test } from "node:test"
import type { Weather } from "@orchestra/simulator"
import { declineReasons } from "../core/decline.ts"
import { money } from "../core/money.ts"
import type { Effect, Outcome } from "../core/outcome.ts"
import type { AuthorizeInput, Connector, Input, Notice } from "./connector.ts"
import { type HttpShop, isVerdict, openHttpShop, type TestValues } from "./contract-http.ts"
import { questionAbout, referenceOf } from "./contract-shop.ts"

type Paid = Awaited<ReturnType<HttpShop["pay"]>>
type FollowUp = "capture" | "void" | "refund" | "increment"

const effects = {
  capture: "captured",
  void: "voided",
  refund: "refunded",
  increment: "incremented",
} as const satisfies Record<FollowUp, Effect>

/** Weather in which the provider does what it was asked, and we do not hear of it. */
const lostAnswers = {
  "a 500 after the work": { type: "error_after" },
  "a reset connection": { type: "reset_after" },
  "a body that breaks off": { type: "truncated" },
  "a proxy's own page": { type: "foreign", handled: true },
} as const

type Fault = NonNullable<Weather["faults"]>[number]
type FaultKind = (typeof lostAnswers)[keyof typeof lostAnswers] | { readonly type: "rate_limited" }

const always = (fault: FaultKind, operation: "authorize" | "capture" | "refund"): Weather => ({
  faults: [{ probability: 1, match: { operation: [operation] }, ...fault } satisfies Fault],
})

export function httpScenarios(connector: Connector, values: TestValues): void {
  const { manifest } = connector
  const { features, operations } = manifest
  const canAsk = operations.authorize?.inquiry.byReference !== "none"

  describe(`${manifest.id}: over HTTP`, () => {
    let shop: HttpShop
    let serial = 0
    before(async () => {
      shop = await openHttpShop(connector, values)
    })
    after(() => shop.close())

    const scenario = (name: string, run: () => Promise<void>): void =>
      void test(name, async () => {
        await shop.setWeather({})
        await run()
      })

    /** A follow-up with its verdict, by its answer or whatever settles it, and the webhook that tells the same. */
    async function follow(kind: FollowUp, paid: Paid, minor: bigint, before: Before = {}): Promise<Outcome> {
      const input = followUp(kind, paid, minor, before)
      const first = await shop.run(kind, input)
      const outcome = await shop.settle(kind, input, paid.input, first)
      assertMoved(outcome, effects[kind], kind === "void" ? 0n : minor)
      return outcome
    }

    type Before = { readonly captured?: bigint; readonly authorized?: bigint; readonly final?: boolean }
    function followUp(kind: FollowUp, { input, outcome }: Paid, minor: bigint, before: Before): Input["capture"] {
      serial += 1
      const { currency, minor: all } = input.amount
      return {
        key: `key_follow_${serial}`,
        attempt: input.attempt,
        operation: `op_${String(serial).padStart(26, "0")}`,
        reference: referenceOf(outcome),
        amount: money(minor, currency),
        authorized: money(before.authorized ?? all, currency),
        captured: money(before.captured ?? (kind === "refund" ? all : 0n), currency),
        final: before.final ?? true,
      }
    }

    /** The authorization's own webhook, which tells what the answer told. */
    const toldOf = (input: AuthorizeInput): Promise<{ readonly outcome: Outcome }> =>
      shop.told((notice) => isVerdict(notice, "authorize", input), "the authorization's webhook")

    function assertTruth(
      paid: Pick<Paid, "input">,
      expected: Partial<Record<"authorized" | "captured" | "refunded" | "held", bigint>>,
    ): void {
      const charges = shop.truth(paid.input)
      for (const [name, amount] of Object.entries(expected)) {
        const sum = charges.reduce((total, charge) => total + charge[name as keyof typeof expected]!, 0n)
        assert.equal(sum, amount, `in truth ${name}: ${sum}`)
      }
    }

    for (const capture of ["automatic", "manual"] as const)
      scenario(`${capture}: answer, webhook and inquiry agree, and the provider with them`, async () => {
        const paid = await shop.pay({ capture })
        const effect = capture === "automatic" ? "captured" : "authorized"
        assertMoved(paid.outcome, effect, 1999n)
        const { outcome: told } = await toldOf(paid.input)
        assert.ok(told.kind === "approved" && ["authorized", effect].includes(told.effect))
        assert.equal(told.amount, 1999n)
        if (canAsk)
          assertMoved(
            await shop.run("inquire", questionAbout("authorize", paid.input, {}, paid.outcome)),
            effect,
            1999n,
          )
        assertTruth(paid, { authorized: 1999n, held: 1999n })
      })

    for (const [name, retries] of [
      ["softDecline", ["yes", "later"]],
      ["hardDecline", ["no"]],
    ] as const)
      scenario(`${name}: the answer's reason says whether to try again, and the webhook says the same`, async () => {
        const card = values.cards[name]
        const paid = await shop.pay({}, card)
        assert.equal(paid.outcome.kind, "declined", paid.outcome.raw.code)
        assert.equal(paid.outcome.reason, card.reason)
        assert.ok(
          retries.some((retry) => retry === declineReasons[card.reason as keyof typeof declineReasons].retryHere),
        )
        const { outcome: told } = await toldOf(paid.input)
        assert.deepEqual([told.kind, "reason" in told && told.reason], ["declined", card.reason])
        assertTruth(paid, { held: 0n, captured: 0n })
      })

    for (const [deed, kind, held] of [
      ["authenticated", "approved", 1999n],
      ["failed", "declined", 0n],
    ] as const)
      scenario(
        `3-D Secure: a customer who ${deed === "failed" ? "fails" : "passes"} at the bank's page ends ${kind}`,
        async () => {
          const asked = { capture: "manual", threeDs: { mode: "required" } } as const
          const paid = await shop.pay(asked, values.cards.challenged)
          const fields = await shop.challenge(paid.outcome, deed)
          const { key, attempt, amount, capture } = paid.input
          const { reference } = paid.outcome.evidence
          const known = reference === undefined ? {} : { reference }
          const completed =
            manifest.completion === "inquiry"
              ? await shop.run("inquire", questionAbout("authorize", paid.input, {}, paid.outcome))
              : await shop.run("complete", { key: `${key}c`, attempt, amount, capture, fields, ...known })
          assert.equal(completed.kind, kind, completed.raw.code)
          const { outcome: told } = await toldOf(paid.input)
          assert.equal(told.kind, kind)
          assertTruth(paid, { held })
        },
      )

    scenario("a full capture takes everything, and its webhook carries our id", async () => {
      const paid = await shop.pay({ capture: "manual" })
      const input = followUp("capture", paid, 1999n, {})
      const outcome = await shop.settle("capture", input, paid.input, await shop.run("capture", input))
      assertMoved(outcome, "captured", 1999n)
      const notice = await shop.told((one) => isVerdict(one, "capture", input), "the capture's webhook")
      assertMoved(notice.outcome, "captured", 1999n)
      assertTruth(paid, { captured: 1999n })
    })

    if (features.partialCapture)
      scenario("a final capture of a part releases the rest", async () => {
        const paid = await shop.pay({ capture: "manual" })
        await follow("capture", paid, 1500n)
        assertTruth(paid, { captured: 1500n, held: 1500n })
      })

    if (features.multipleCaptures)
      scenario("several captures add up, and the last one ends it", async () => {
        const paid = await shop.pay({ capture: "manual" })
        await follow("capture", paid, 500n, { final: false })
        await follow("capture", paid, 700n, { captured: 500n, final: false })
        assertTruth(paid, { captured: 1200n, held: 1999n })
        await follow("capture", paid, 799n, { captured: 1200n })
        assertTruth(paid, { captured: 1999n, held: 1999n })
      })

    scenario("a void gives the hold back", async () => {
      const paid = await shop.pay({ capture: "manual" })
      await follow("void", paid, 1999n)
      assertTruth(paid, { held: 0n, captured: 0n })
    })

    if (features.multipleRefunds)
      scenario("refunds of parts add up, and one too many is refused", async () => {
        const paid = await shop.pay()
        await toldOf(paid.input)
        await untilCaptured(paid)
        await follow("refund", paid, 500n)
        await follow("refund", paid, 1499n)
        assertTruth(paid, { refunded: 1999n, held: 0n })
        const input = followUp("refund", paid, 1n, {})
        const more = await shop.settle("refund", input, paid.input, await shop.run("refund", input))
        assert.ok(more.kind === "rejected" || more.kind === "declined", more.kind)
        assertTruth(paid, { refunded: 1999n })
      })

    if (operations.increment !== undefined)
      scenario("an increment raises what may be captured", async () => {
        const paid = await shop.pay({ capture: "manual" })
        await follow("increment", paid, 2600n)
        assertTruth(paid, { authorized: 2600n, held: 2600n })
        await follow("capture", paid, 2600n, { authorized: 2600n })
        assertTruth(paid, { captured: 2600n })
      })

    if (features.zeroAmount)
      scenario("a card is verified without an amount", async () => {
        const base = await shop.begin()
        const paid = await shop.pay({ amount: money(0n, base.amount.currency) })
        assertMoved(paid.outcome, "verified", 0n)
        assertTruth(paid, { held: 0n })
      })

    if (features.partialApproval)
      scenario("a partial approval is booked with what was approved", async () => {
        await shop.setWeather({ issuer: { partialRate: 1 } })
        const paid = await shop.pay({ capture: "manual", allowPartial: true })
        assertMoved(paid.outcome, "authorized", 999n)
        const { outcome: told } = await toldOf(paid.input)
        assert.equal(told.kind === "approved" && told.amount, 999n)
        assertTruth(paid, { authorized: 999n, held: 999n })
      })

    if (features.merchantInitiated)
      scenario("a card that was stored with the customer's consent is charged later without the customer", async () => {
        const purpose = "unscheduled"
        const customer = { id: "customer_0042", email: "ann@example.com" }
        const first = { store: true, customer, initiator: { by: "customer", stored: "first", purpose } } as const
        const agreed = await shop.pay(first)
        assertMoved(agreed.outcome, "captured", 1999n)
        const { networkTransactionId, providerToken } = agreed.outcome.evidence
        assert.ok(networkTransactionId !== undefined, "the network's id is what later payments refer to")
        const later = {
          customer,
          initiator: { by: "merchant", purpose, networkTransactionId },
          threeDs: { mode: "none" },
        } as const
        const { method } = agreed.input
        assert.equal(method.type, "card")
        const { cvc: _typed, ...stored } = method
        assertMoved((await shop.pay({ ...later, method: stored })).outcome, "captured", 1999n)
        if (providerToken === undefined) return
        const byToken = await shop.pay({ ...later, method: { type: "provider_token", ...providerToken } })
        assertMoved(byToken.outcome, "captured", 1999n)
      })

    scenario(
      "a part that is captured by hand is told with its amount, and that nothing more can be captured",
      async () => {
        const paid = await shop.pay({ capture: "manual" })
        await toldOf(paid.input)
        await shop.byHand(referenceOf(paid.outcome), { action: "capture", amount: "1500" })
        const notice = await toldByHand(paid, "capture")
        assertMoved(notice.outcome, "captured", 1500n)
        assert.equal(notice.final, true)
        assert.ok(notice.operationReference !== undefined || notice.sum === true, "it can be told apart from others")
        await untilTruth(paid, "held", 1500n)
      },
    )

    scenario("refunds by hand are told one by one, beside those of ours", async () => {
      const paid = await shop.pay()
      await toldOf(paid.input)
      await untilCaptured(paid)
      const ours = followUp("refund", paid, 100n, {})
      assertMoved(await shop.settle("refund", ours, paid.input, await shop.run("refund", ours)), "refunded", 100n)
      const references = new Set<string>()
      for (const amount of [500n, 300n]) {
        await shop.byHand(referenceOf(paid.outcome), { action: "refund", amount: String(amount) })
        const notice = await shop.told(
          (one) =>
            isByHand(one, paid, "refund") &&
            one.outcome.kind === "approved" &&
            !references.has(one.operationReference ?? ""),
          `the refund of ${amount} by hand`,
        )
        assertMoved(notice.outcome, "refunded", amount)
        references.add(notice.operationReference ?? assert.fail("a refund has a reference of its own"))
      }
      await shop.eventually(() => shop.truth(paid.input)[0]?.refunded === 900n, "900 refunded in truth")
    })

    scenario("a void by hand is told", async () => {
      const paid = await shop.pay({ capture: "manual" })
      await toldOf(paid.input)
      await shop.byHand(referenceOf(paid.outcome), { action: "void" })
      assertMoved((await toldByHand(paid, "void")).outcome, "voided", 0n)
      await untilTruth(paid, "held", 0n)
    })

    if (features.multipleCaptures)
      for (const [deed, amount] of [
        ["captures", 799n],
        ["releases", 0n],
      ] as const)
        scenario(`what a capture of ours has left, and somebody ${deed} by hand, is told apart from it`, async () => {
          const paid = await shop.pay({ capture: "manual" })
          const ours = followUp("capture", paid, 1200n, { final: false })
          const first = await shop.run("capture", ours)
          assertMoved(await shop.settle("capture", ours, paid.input, first), "captured", 1200n)
          await shop.byHand(referenceOf(paid.outcome), { action: deed === "captures" ? "capture" : "void" })
          const notice = await shop.told(
            (one) =>
              deed === "captures"
                ? isByHand(one, paid, "capture")
                : isByHand(one, paid, "void") || isByHand(one, paid, "expire"),
            `what somebody ${deed} by hand`,
          )
          assertMoved(notice.outcome, deed === "captures" ? "captured" : "voided", amount)
          const own = await shop.told((one) => isVerdict(one, "capture", ours), "our capture's own webhook")
          assertMoved(own.outcome, "captured", 1200n)
          await untilTruth(paid, "held", 1200n + amount)
        })

    if (manifest.id === "adyen")
      for (const capture of ["manual", "automatic"] as const)
        scenario(`a cancel or refund by hand of a payment with ${capture} capture leaves nothing`, async () => {
          const paid = await shop.pay({ capture })
          await toldOf(paid.input)
          if (capture === "automatic") await untilCaptured(paid)
          await shop.byHand(referenceOf(paid.outcome), { action: "cancel_or_refund" })
          assertMoved((await toldByHand(paid, "reverse")).outcome, "voided", 0n)
          await untilTruth(paid, "held", 0n)
        })

    scenario("a dispute is told with its amount and the payment", async () => {
      const paid = await shop.pay()
      await untilCaptured(paid)
      await shop.byHand(referenceOf(paid.outcome), { action: "dispute", amount: "700" })
      const { dispute } = await shop.told(
        (one) => isAbout(one, paid) && one.dispute?.stage === "opened",
        "the dispute's webhook",
      )
      assert.equal(dispute?.amount, 700n)
    })

    scenario("the same request sent twice is one payment with one outcome", async () => {
      const input = await shop.begin({ capture: "manual" })
      const first = await shop.run("authorize", input)
      const second = await shop.run("authorize", input)
      assert.deepEqual(second, first)
      assertTruth({ input }, { held: 1999n })
    })

    for (const [name, fault] of Object.entries(lostAnswers))
      scenario(
        `an authorization that is answered by ${name} is unknown first, and then settled as what it was`,
        async () => {
          const input = await shop.begin({ capture: "manual" })
          await shop.setWeather(always(fault, "authorize"))
          const first = await shop.run("authorize", input)
          await shop.setWeather({})
          assert.equal(first.kind, "unknown", first.raw.code)
          assertTruth({ input }, { held: 1999n })
          const settled = await shop.settle("authorize", input, input, first)
          assertMoved(settled, "authorized", 1999n)
          assertTruth({ input }, { held: 1999n })
        },
      )

    for (const kind of ["capture", "refund"] as const)
      scenario(`a ${kind} whose answer is lost happens once, and is found`, async () => {
        const paid = await shop.pay({ capture: kind === "capture" ? "manual" : "automatic" })
        if (kind === "refund") await untilCaptured(paid)
        const input = followUp(kind, paid, 700n, {})
        await shop.setWeather(always(lostAnswers["a 500 after the work"], kind))
        const first = await shop.run(kind, input)
        await shop.setWeather({})
        assert.equal(first.kind, "unknown", first.raw.code)
        assertMoved(await shop.settle(kind, input, paid.input, first), effects[kind], 700n)
        assertTruth(paid, kind === "capture" ? { captured: 700n } : { refunded: 700n })
      })

    scenario("what the provider refuses to take now was not done", async () => {
      const input = await shop.begin()
      await shop.setWeather(always({ type: "rate_limited" }, "authorize"))
      const outcome = await shop.run("authorize", input)
      assert.equal(outcome.kind, "rejected", outcome.raw.code)
      assert.deepEqual([outcome.executed, outcome.fault], ["no", "theirs"])
      assertTruth({ input }, { held: 0n })
    })

    scenario("what never left is known to have never left", async () => {
      const input = await shop.begin()
      await shop.setWeather({ faults: [{ type: "refused", probability: 1 }] })
      const outcome = await shop.runAfresh("authorize", input)
      await shop.setWeather({})
      assert.equal(outcome.kind, "not_sent", outcome.raw.code)
      assertTruth({ input }, { held: 0n })
    })

    for (const capture of ["manual", "automatic"] as const)
      for (const [by, declared] of [
        ["the provider's reference", manifest.reverse.byReference],
        ["our reference", manifest.reverse.byAttempt && capture === "manual"],
      ] as const)
        if (declared)
          scenario(`a payment with ${capture} capture is reversed by ${by}, and nothing is left`, async () => {
            const paid = await shop.pay({ capture })
            if (capture === "automatic") await untilCaptured(paid)
            const { reference, ...rest } = followUp("void", paid, 1999n, {
              captured: capture === "automatic" ? 1999n : 0n,
            })
            const known = by === "our reference" ? {} : { reference }
            const outcome = await shop.run("reverse", { ...rest, ...known } as Input["reverse"])
            assert.ok(outcome.kind === "approved" || outcome.kind === "pending", `${outcome.kind}: ${outcome.raw.code}`)
            await untilTruth(paid, "held", 0n)
            if (outcome.kind === "approved") return
            // By our id of the operation, or by the provider's, which the answer told.
            const isTold = (one: Notice): boolean =>
              one.about === "reverse" &&
              (one.operation === rest.operation || one.operationReference === outcome.evidence.reference)
            assert.equal((await shop.told(isTold, "the reversal's webhook")).outcome.kind, "approved")
          })

    const isAbout = ({ attempt, reference }: Notice, { input, outcome }: Paid): boolean =>
      attempt === input.attempt || reference === outcome.evidence.reference

    /** A fact without an operation of ours. */
    const isByHand = (notice: Notice, paid: Paid, about: Notice["about"]): boolean =>
      notice.about === about && notice.operation === undefined && notice.trust === "signed" && isAbout(notice, paid)

    const toldByHand = (paid: Paid, about: Notice["about"]): Promise<Notice> =>
      shop.told((notice) => isByHand(notice, paid, about), `the ${about} by hand`)

    /** The provider captures by itself, some at once and some moments later. */
    const untilCaptured = (paid: Paid): Promise<void> => untilTruth(paid, "captured", 1999n)

    async function untilTruth(paid: Paid, name: "captured" | "held", amount: bigint): Promise<void> {
      await shop.eventually(
        () => shop.truth(paid.input).reduce((sum, charge) => sum + charge[name], 0n) === amount,
        `${amount} ${name} in truth`,
      )
    }
  })
}

function assertMoved(outcome: Outcome, effect: Effect, amount: bigint): void {
  assert.equal(outcome.kind, "approved", `${outcome.kind}: ${outcome.raw.code} ${outcome.raw.message ?? ""}`)
  assert.deepEqual([outcome.effect, outcome.amount], [effect, amount])
}
