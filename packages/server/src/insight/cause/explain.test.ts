import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { attemptsOf, type Place } from "../../../testing/attempts.ts"
import { explain, type Answer } from "./explain.ts"

const ATTEMPTS = 12_000

const where = ({ slices }: Answer): Readonly<Record<string, string>> | undefined => slices[0]?.where[0]
const failing =
  (test: (place: Place) => boolean, odds = 6) =>
  (place: Place): number =>
    test(place) ? odds : 1

describe("the answer to why approvals are down", () => {
  test("names the provider where one provider fails, shown by the same cards elsewhere", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const answer = explain(attemptsOf({ seed, attempts: ATTEMPTS, odds: failing((p) => p.provider === "adyen") }))
      assert.equal(answer.conclusion, "slices", `seed ${seed}`)
      assert.deepEqual(where(answer), { provider: "adyen" }, `seed ${seed}`)
      assert.deepEqual([answer.slices[0]?.verdict.fault, answer.slices[0]?.verdict.certainty], ["provider", "shown"])
      assert.ok(answer.slices[0]!.shareOfExcess > 0.8 && answer.slices[0]!.lost > 500)
    }
  })

  test("names the provider for one network in one country", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const hit = (p: Place): boolean => p.provider === "stripe" && p.network === "visa" && p.card_country === "BR"
      const answer = explain(attemptsOf({ seed, attempts: 30_000, odds: failing(hit, 12) }))
      assert.deepEqual(where(answer), { provider: "stripe", network: "visa", card_country: "BR" }, `seed ${seed}`)
      assert.equal(answer.slices[0]?.verdict.fault, "provider", `seed ${seed}`)
    }
  })

  test("names the issuer, though nine tenths of its traffic go through one provider", () => {
    const own = "bank_DE_1"
    for (let seed = 1; seed <= 10; seed++) {
      const answer = explain(
        attemptsOf({
          seed,
          attempts: 30_000,
          odds: failing((p) => p.issuer === own, 12),
          shares: (p) => (p.issuer === own ? (p.provider === "checkout" ? 18 : 1) : 1),
        }),
      )
      const { verdict } = answer.slices[0]!
      assert.equal(verdict.fault, "issuer", `seed ${seed}: ${JSON.stringify(answer.slices)}`)
    }
  })

  test("blames nobody where a mix shift alone took the rate down", () => {
    let blamed = 0
    for (let seed = 1; seed <= 20; seed++) {
      const answer = explain(
        attemptsOf({ seed, attempts: ATTEMPTS, shares: (p, now) => (now && p.provider === "stripe" ? 4 : 1) }),
      )
      if (answer.slices.length > 0) blamed++
    }
    assert.ok(blamed <= 1, `${blamed} of 20`)
  })

  test("says that nothing is significant where nothing is", () => {
    let found = 0
    for (let seed = 100; seed < 160; seed++) {
      const answer = explain(attemptsOf({ seed, attempts: ATTEMPTS }))
      if (answer.conclusion === "slices" || answer.conclusion === "outside") found++
    }
    assert.ok(found <= 5, `${found} of 60`)
  })

  test("says that the cause lies outside where everything fails alike", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const answer = explain(attemptsOf({ seed, attempts: ATTEMPTS, odds: () => 4 }))
      assert.equal(answer.conclusion, "outside", `seed ${seed}`)
      assert.equal(answer.outside?.fault, "outside")
      const coded = explain({
        ...attemptsOf({ seed, attempts: ATTEMPTS, odds: () => 4 }),
        codes: () => new Map([["network", 0.9]]),
      })
      assert.equal(coded.outside?.fault, "network")
    }
  })

  test("blames the merchant's set-up where one provider declines with its codes", () => {
    const answer = explain({
      ...attemptsOf({ seed: 3, attempts: ATTEMPTS, odds: failing((p) => p.provider === "adyen") }),
      codes: () => new Map([["merchant", 0.95]]),
    })
    assert.equal(answer.slices[0]?.verdict.fault, "merchant")
  })

  test("does not choose between provider and issuer where no other provider carries the cards", () => {
    const answer = explain(
      attemptsOf({
        seed: 5,
        attempts: 30_000,
        odds: failing((p) => p.provider === "adyen" && p.card_country === "US", 12),
        shares: (p) => (p.card_country === "US" ? (p.provider === "adyen" ? 1 : 0) : 1),
      }),
    )
    assert.ok(["cannot_tell", "issuer"].includes(answer.slices[0]!.verdict.fault))
    assert.notEqual(answer.slices[0]!.verdict.certainty, "shown")
  })
})
