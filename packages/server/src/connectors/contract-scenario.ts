// Histories that every connector lives through against its simulated provider, which others wrote from the same
// documents. What the connector reports, by answer, inquiry or webhook, has to be what the provider would swear to:
//
//   connectorScenarios(stripe, { persona: "stripe", config: (keys) => ({ ... }), webhookSecret: (keys) => keys["..."]! })
//
// Test support, not part of the server.

import assert from "node:assert/strict"
import { describe, test } from "node:test"
import fc from "fast-check"
import { parseCurrency } from "../core/currency.ts"
import { declineReasons } from "../core/decline.ts"
import { type Money, money } from "../core/money.ts"
import type { Outcome } from "../core/outcome.ts"
import { secret } from "../core/secret.ts"
import { providerAmount } from "./amount.ts"
import type { Connector, Input, Notice } from "./connector.ts"
import { expressible, standard } from "./contract-input.ts"
import { history } from "./contract-history.ts"
import { openShop, questionAbout, referenceOf, type Shop, soonMs, type Stand } from "./contract-shop.ts"

const euro = (minor: bigint): Money => money(minor, parseCurrency("EUR")!)
const dayMs = 86_400_000

export function connectorScenarios(connector: Connector, stand: Stand): void {
  const { manifest } = connector
  const canAsk = manifest.operations.authorize?.inquiry.byReference !== "none"
  const scenario = (name: string, run: () => void): void => void test(name, run)

  describe(`${manifest.id}: against the simulated provider`, () => {
    scenario("an automatic payment is captured, by its answer, the webhooks, an inquiry and in truth", () => {
      const shop = openShop(connector, stand)
      const { input, outcome } = shop.pay()
      assertMoved(outcome, ["authorized", "captured"], 1999n)
      const told = shop.wait(soonMs)
      assertTold(told, input.attempt, referenceOf(outcome))
      assert.ok(told.some((notice) => notice.trust === "signed" && isMoved(notice.outcome, 1999n)))
      if (canAsk) assertMoved(shop.run("inquire", questionAbout("authorize", input, {}, outcome)), ["captured"], 1999n)
      assertTruth(shop, { authorized: 1999n, captured: 1999n, refunded: 0n })
    })

    scenario("a held payment is captured in part, and refunded in two parts", () => {
      const shop = openShop(connector, stand)
      const book = history(shop, shop.pay({ capture: "manual" }))
      book.capture(1500n)
      book.refund(500n)
      book.refund(1000n)
      assert.deepEqual(book.state(), { authorized: 1999n, captured: 1500n, refunded: 1500n, ended: true })
      assertTruth(shop, { captured: 1500n, refunded: 1500n, held: 0n })
    })

    scenario("a held payment is voided", () => {
      const shop = openShop(connector, stand)
      const book = history(shop, shop.pay({ capture: "manual" }))
      book.void()
      assert.equal(book.state().ended, true)
      assertTruth(shop, { captured: 0n, held: 0n })
    })

    scenario(
      "whatever is done in whatever order, by us or by hand, and whichever answers are lost, the books agree",
      () => {
        const step = fc.record({
          kind: fc.constantFrom("capture", "capture", "refund", "refund", "void", "increment"),
          // Halves, all, and more than there is.
          share: fc.constantFrom([1n, 2n], [1n, 1n], [3n, 2n]),
          fate: fc.constantFrom("answered", "answered", "lost", "failed"),
          final: fc.boolean(),
          // By the merchant's system, or by somebody at the provider's dashboard.
          byHand: fc.constantFrom(false, false, true),
        })
        const run = fc.record({
          capture: fc.constantFrom("automatic", "manual"),
          steps: fc.array(step, { maxLength: 6 }),
        })
        fc.assert(
          fc.property(run, ({ capture, steps }) => {
            const shop = openShop(connector, stand)
            const book = history(shop, shop.pay({ capture }))
            for (const { kind, share, fate, final, byHand } of steps)
              if (byHand && kind !== "increment") book.byHand(kind, share, final, fate === "answered")
              else book.attempt(kind, share, fate, final)
            const { authorized, captured, refunded } = book.state()
            assertTruth(shop, { authorized, captured, refunded })
          }),
          { numRuns: 60 },
        )
      },
    )

    scenario("what the state forbids is refused, and changes nothing", () => {
      const shop = openShop(connector, stand)
      const book = history(shop, shop.pay({ capture: "manual" }))
      book.void()
      for (const attempt of [() => book.capture(1999n), () => book.refund(1999n), () => book.void()]) attempt()
      assert.deepEqual(book.state(), { authorized: 1999n, captured: 0n, refunded: 0n, ended: true })
      assertTruth(shop, { captured: 0n, refunded: 0n, held: 0n })
    })

    if (connector.codecs.increment !== undefined)
      scenario("an authorization is raised before it is captured, where the card allows it", () => {
        const shop = openShop(connector, stand)
        const book = history(shop, shop.pay({ capture: "manual" }))
        book.increment(2500n)
        const { authorized } = book.state()
        book.capture(authorized)
        assertTruth(shop, { authorized, captured: authorized })
      })

    scenario("the same key brings the same outcome and no second payment", () => {
      const shop = openShop(connector, stand)
      const { input, outcome } = shop.pay()
      assert.deepEqual(shop.run("authorize", input), outcome)
      shop.wait(soonMs)
      assert.deepEqual(shop.run("authorize", input), outcome)
      assert.equal(shop.truth().filter(({ held }) => held > 0n).length, 1)
    })

    for (const [responseCode, reason] of [
      ["51", "insufficient_funds"],
      ["54", "expired_card"],
      ["43", "stolen_card"],
      ["05", "do_not_honor"],
    ] as const)
      scenario(
        `a decline with response code ${responseCode} is one everywhere, and its reason is ${reason} or says nothing`,
        () => {
          const shop = openShop(connector, stand, () => ({ responseCode }))
          const { input, outcome } = shop.pay()
          const verdicts = [outcome]
          for (const notice of shop.wait(soonMs)) if (notice.about === "authorize") verdicts.push(notice.outcome)
          if (canAsk) verdicts.push(shop.run("inquire", questionAbout("authorize", input, {}, outcome)))
          for (const verdict of verdicts) {
            assert.equal(verdict.kind, "declined")
            const same = verdict.reason === reason || declineReasons[verdict.reason].category === "issuer_policy"
            assert.ok(same, verdict.reason)
          }
          assertTruth(shop, { captured: 0n, held: 0n })
        },
      )

    for (const [deed, kinds] of [
      ["authenticated", ["approved"]],
      ["failed", ["declined"]],
      ["abandoned", ["action", "pending", "declined", "unknown"]],
    ] as const)
      scenario(`a customer who is sent to the bank and ${deed} ends as the provider sees it`, () => {
        const shop = openShop(connector, stand)
        const { input, outcome } = shop.pay({ capture: "manual", threeDs: { mode: "required" } })
        const fields = shop.challenge(outcome, deed)
        const { reference } = outcome.evidence
        const completed =
          manifest.completion === "inquiry"
            ? shop.run("inquire", questionAbout("authorize", input, {}, outcome))
            : shop.run("complete", {
                key: `${input.key}c`,
                attempt: input.attempt,
                amount: input.amount,
                capture: input.capture,
                fields,
                ...(reference === undefined ? {} : { reference }),
              })
        assert.ok(
          kinds.some((kind) => kind === completed.kind),
          completed.kind,
        )
        if (deed === "authenticated") assertMoved(completed, ["authorized"], 1999n)
        assertTruth(shop, { held: deed === "authenticated" ? 1999n : 0n })
      })

    scenario("amounts arrive exactly in currencies of every number of digits", () => {
      const codes = [
        "EUR",
        "JPY",
        "KWD",
        "CLP",
        ...Object.keys(manifest.exponents),
        ...Object.keys(manifest.steps ?? {}),
      ]
      for (const code of new Set(codes)) {
        const currency = parseCurrency(code)
        if (currency === undefined) continue
        if (manifest.currencies !== "all" && !manifest.currencies.includes(currency)) continue
        const amount = expressible(manifest, 123_450n, currency)
        const shop = openShop(connector, stand)
        const { outcome } = shop.pay({ amount, capture: "manual" })
        assertMoved(outcome, ["authorized"], amount.minor)
        const [charge] = shop.truth()
        const expected = stand.truthInProviderUnits ? providerAmount(manifest, amount) : amount.minor
        assert.deepEqual([charge?.authorized, charge?.currency.toUpperCase()], [expected, code])
      }
    })

    if (manifest.features.partialApproval)
      scenario("a smaller authorization is booked with what was authorized", () => {
        const shop = openShop(connector, stand, ({ amount }) => ({ responseCode: "10", approvedAmount: amount / 2n }))
        assertMoved(shop.pay({ capture: "manual", allowPartial: true }).outcome, ["authorized"], 999n)
        assertTruth(shop, { authorized: 999n, held: 999n })
      })

    if (manifest.features.zeroAmount)
      scenario("a card is verified without an amount", () => {
        const shop = openShop(connector, stand)
        assertMoved(shop.pay({ amount: euro(0n) }).outcome, ["verified"], 0n)
        assert.ok(shop.truth().every(({ held }) => held === 0n))
      })

    scenario(
      "an authorization whose answer was lost is found, or undone by our own reference, and nothing is left",
      () => {
        for (const fate of ["lost", "failed"] as const) {
          const shop = openShop(connector, stand)
          const { input, outcome } = shop.pay({ capture: "manual" }, fate)
          assert.equal(outcome.kind, "unknown", fate)
          assertTruth(shop, { held: 1999n })
          const told = shop.wait(10 * soonMs)
          const found = canAsk ? shop.run("inquire", questionAbout("authorize", input)) : told[0]?.outcome
          if (found?.kind === "approved") assertMoved(found, ["authorized"], 1999n)
          const reference = found?.evidence.reference
          const reversal: Input["reverse"] = {
            key: "key_reverse",
            attempt: input.attempt,
            operation: standard.operation,
            amount: input.amount,
            authorized: input.amount,
            captured: euro(0n),
            ...(manifest.reverse.byAttempt || reference === undefined ? {} : { reference }),
          }
          const undone = shop.run("reverse", reversal)
          assert.ok(
            ["approved", "pending"].includes(undone.kind),
            `${fate}: ${undone.kind} ${undone.raw.code} ${undone.raw.message}`,
          )
          shop.wait(soonMs)
          assertTruth(shop, { held: 0n })
        }
      },
    )

    scenario("a provider that refuses because of too many requests has done nothing", () => {
      const shop = openShop(connector, stand)
      const { outcome } = shop.pay({}, "throttled")
      assert.equal(outcome.kind, "rejected")
      assert.deepEqual([outcome.executed, outcome.fault, outcome.reason], ["no", "theirs", "rate_limited"])
      assertTruth(shop, { held: 0n })
    })

    scenario("wrong credentials are the account's fault, and nothing was done", () => {
      const { config, ...shop } = openShop(connector, stand)
      const wrong = {
        ...config,
        credentials: Object.fromEntries(
          Object.entries(config.credentials).map(([name, value]) => [name, secret(turned(value.reveal()))]),
        ),
      }
      const first = connector.codecs.prepare === undefined ? "authorize" : "prepare"
      const { reference: _reference, ...input } = shop.pay().input
      const codec = connector.codecs[first]!
      const response = shop.carry(codec.encode({ ...input, key: "key_wrong" }, wrong))
      const outcome = codec.decode(response!, input)
      assert.equal(outcome.kind, "rejected")
      assert.deepEqual([outcome.executed, outcome.fault, outcome.reason], ["no", "ours", "invalid_credentials"])
      const { verifyCredentials } = connector
      if (verifyCredentials === undefined) return
      assert.equal(verifyCredentials.decode(shop.carry(verifyCredentials.encode(config))!).ok, true)
      assert.equal(verifyCredentials.decode(shop.carry(verifyCredentials.encode(wrong))!).ok, false)
    })

    scenario("a dispute is told with its amount, its stage and the payment", () => {
      const shop = openShop(connector, stand)
      const { input, outcome } = shop.pay()
      shop.wait(soonMs)
      assert.ok(shop.persona.befall(referenceOf(outcome), { type: "dispute", amount: 500n }))
      const told = shop.wait(soonMs).filter(({ about }) => about === "dispute")
      assert.ok(told.length > 0)
      assertTold(told, input.attempt, referenceOf(outcome))
      for (const { dispute } of told) assert.equal(dispute?.amount, 500n)
      assert.ok(told.some(({ dispute }) => dispute?.stage === "opened"))
    })

    scenario("an authorization that ran out is told, and holds nothing", () => {
      const shop = openShop(connector, stand)
      const { input, outcome } = shop.pay({ capture: "manual" })
      shop.wait(soonMs)
      assert.ok(shop.persona.befall(referenceOf(outcome), { type: "expire" }))
      const told = shop.wait(soonMs)
      assertTold(told, input.attempt, referenceOf(outcome))
      assert.ok(
        told.some(({ about }) => about === "expire"),
        told.map(({ type }) => type).join(),
      )
      if (canAsk) assertMoved(shop.run("inquire", questionAbout("authorize", input, {}, outcome)), ["voided"], 0n)
      assertTruth(shop, { held: 0n })
    })

    scenario("an authorization that nobody captures ends by itself within the time that the manifest says", () => {
      const shop = openShop(connector, stand)
      shop.pay({ capture: "manual" })
      shop.wait((manifest.authorizationMs ?? 40 * dayMs) + dayMs)
      assertTruth(shop, { held: 0n })
    })
  })
}

/** A credential of the same shape that is somebody else's. */
const turned = (text: string): string => `${text.slice(0, -4)}${text.endsWith("zzzz") ? "yyyy" : "zzzz"}`

const isMoved = (outcome: Outcome, amount: bigint): boolean => outcome.kind === "approved" && outcome.amount === amount

function assertMoved(outcome: Outcome, effects: readonly string[], amount: bigint): void {
  assert.equal(outcome.kind, "approved", `${outcome.kind}: ${outcome.raw.code} ${outcome.raw.message ?? ""}`)
  assert.ok(effects.includes(outcome.effect), outcome.effect)
  assert.equal(outcome.amount, amount)
}

// Whoever receives a notice has to find the payment by it.
function assertTold(notices: readonly Notice[], attempt: string, reference: string): void {
  for (const notice of notices)
    assert.ok(notice.attempt === attempt || notice.reference === reference, `${notice.type} names no payment of ours`)
}

function assertTruth(
  shop: Shop,
  expected: Readonly<Partial<Record<"authorized" | "captured" | "refunded" | "held", bigint>>>,
): void {
  const charges = shop.truth()
  for (const [name, amount] of Object.entries(expected)) {
    const sum = charges.reduce((total, charge) => total + charge[name as keyof typeof expected]!, 0n)
    assert.equal(sum, amount, `in truth ${name}: ${sum}`)
  }
}
