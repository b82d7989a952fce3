import assert from "node:assert/strict"
import { test } from "node:test"
import { binOf, passesLuhn } from "./bins.ts"
import { seededRandom } from "./chance.ts"
import { createIssuer, GENEROUS, type IssuerProfile } from "./issuer.ts"
import type { IssuerRequest } from "./persona.ts"

const request = (over: Partial<IssuerRequest> = {}): IssuerRequest => ({
  account: "a",
  pan: "4242424242424242",
  expiryMonth: 3,
  expiryYear: 2030,
  amount: 1000n,
  currency: "EUR",
  holderName: "Ada",
  initiator: "customer",
  ...over,
})
const cards = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `54${String(i * 7919).padStart(14, "0")}`)
const issuerWith = (profile: Partial<IssuerProfile>, seed = "s") =>
  createIssuer({ seed, random: seededRandom(seed), profileOf: () => ({ ...GENEROUS, ...profile }) })

test("the default issuer approves every card of a known network and checks what was typed", () => {
  const answer = issuerWith({})(request({ cvc: "123", addressLine: "1 High St", postcode: "N1" }))
  assert.deepEqual(answer, { responseCode: "00", approvedAmount: 1000n, avs: "Y", cvv: "M" })
  assert.equal(issuerWith({})(request({ pan: "9999999999999995" })).responseCode, "15")
})

test("the share of approvals is the profile's rate, whatever share of declines stands", () => {
  for (const standingShare of [0, 0.5, 1]) {
    const issuer = issuerWith({ approvalRate: 0.8, standingShare })
    const approved = cards(4000).filter((pan) => issuer(request({ pan })).responseCode === "00").length
    assert.ok(approved > 3080 && approved < 3320, `${approved} of 4000 with standing share ${standingShare}`)
  }
})

test("a standing decline is heard by every provider, a passing one may be approved elsewhere", () => {
  const standing = issuerWith({ approvalRate: 0.5, standingShare: 1 })
  const passing = issuerWith({ approvalRate: 0.5, standingShare: 0 })
  const recovered = (issuer: ReturnType<typeof issuerWith>): number =>
    cards(300).filter((pan) => {
      const first = issuer(request({ pan })).responseCode
      return first !== "00" && issuer(request({ pan, account: "b" })).responseCode === "00"
    }).length
  assert.equal(recovered(standing), 0)
  assert.ok(recovered(passing) > 30)
})

test("an account without money may have some the next day", () => {
  const clock = { now: 0 }
  const issuer = createIssuer({
    seed: "s",
    random: seededRandom("s"),
    now: () => clock.now,
    profileOf: () => ({ ...GENEROUS, approvalRate: 0.5, standingShare: 1 }),
  })
  const pan = cards(50).find((card) => issuer(request({ pan: card })).responseCode !== "00")
  assert.ok(pan)
  const answers = [1, 2, 3, 4, 5, 6, 7, 8].map((day) => {
    clock.now = day * 86_400_000
    return issuer(request({ pan })).responseCode
  })
  assert.ok(answers.includes("00"))
})

test("the first rule that matches card, country and amount decides", () => {
  const issuer = issuerWith({
    rules: [
      { match: { country: "FR", amountFrom: 500 }, approvalRate: 0 },
      { match: { country: "FR" }, approvalRate: 1 },
    ],
  })
  const french = "4000002500000003"
  assert.notEqual(issuer(request({ pan: french, amount: 500n })).responseCode, "00")
  assert.equal(issuer(request({ pan: french, amount: 499n })).responseCode, "00")
})

test("only Mastercard declines carry an advice code", () => {
  const issuer = issuerWith({
    approvalRate: 0,
    declines: [{ responseCode: "51", adviceCode: "02", weight: 1, standing: true }],
  })
  assert.equal(issuer(request({ pan: "5555555555554444" })).adviceCode, "02")
  assert.equal(issuer(request()).adviceCode, undefined)
})

test("the same seed and requests give the same answers", () => {
  const run = (seed: string): string =>
    cards(50)
      .map((pan) => issuerWith({ approvalRate: 0.5 }, seed)(request({ pan })).responseCode)
      .join()
  assert.equal(run("one"), run("one"))
  assert.notEqual(run("one"), run("two"))
})

test("published test numbers tell their network and country", () => {
  assert.deepEqual(binOf("4000002760000016")?.country, "DE")
  assert.deepEqual(binOf("378282246310005")?.network, "amex")
  assert.deepEqual(binOf("2223003122003222")?.network, "mastercard")
  assert.equal(binOf("0000000000000000"), undefined)
  assert.equal(passesLuhn("4242424242424242"), true)
  assert.equal(passesLuhn("4242424242424241"), false)
})
