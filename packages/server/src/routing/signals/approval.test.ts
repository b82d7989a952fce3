import assert from "node:assert/strict"
import { test } from "node:test"
import { createApproval, sigmoid } from "./approval.ts"
import { diceAt } from "./dice.ts"
import type { Situation } from "./observation.ts"

const first: Situation = {
  network: "visa",
  country: "DE",
  issuer: "bank",
  method: "card",
  operation: "authorize",
  attempt: 1,
}

test("a fallback account is not blamed for cards that were declined before", () => {
  const approval = createApproval(2)
  let at = 0
  const die = (): number => diceAt(1, at++)
  const retry: Situation = { ...first, attempt: 2, previous: "soft_decline" }
  for (let i = 0; i < 4_000; i++) {
    approval.observe(first, i % 2, die() < 0.88, i)
    // All retries go to account 1, and most fail.
    approval.observe(retry, 1, die() < 0.24, i)
  }
  const { logit } = approval.read(first)
  assert.ok(Math.abs(sigmoid(logit[0]!) - sigmoid(logit[1]!)) < 0.02)
  assert.ok(Math.abs(sigmoid(approval.read(retry).logit[1]!) - 0.24) < 0.08, "and the retry's own chance is learned")
})

test("after a technical failure a card is as good as before, and its outcome counts", () => {
  const approval = createApproval(2)
  for (let i = 0; i < 200; i++) approval.observe({ ...first, attempt: 2, previous: "technical" }, 0, false, i)
  assert.ok(sigmoid(approval.read(first).logit[0]!) < 0.5)
})

test("an unknown issuer is read from its segment, and says so", () => {
  const approval = createApproval(2)
  for (let i = 0; i < 2_000; i++) approval.observe(first, i % 2, i % 20 !== 0, i)
  assert.equal(approval.read(first).level, "issuer")
  const other = approval.read({ ...first, issuer: "unheard of" })
  assert.equal(other.level, "segment")
  assert.ok(sigmoid(other.logit[0]!) > 0.85)
})

test("what a challenge costs is learned apart from accounts", () => {
  const approval = createApproval(2)
  let at = 0
  for (let i = 0; i < 20_000; i++) {
    const challenged = i % 4 === 0
    const situation = challenged ? { ...first, operation: "authorize_3ds" } : first
    approval.observe(situation, (i >> 2) % 2, diceAt(2, at++) < (challenged ? 0.7 : 0.9), i)
  }
  const plain = sigmoid(approval.read(first).logit[0]!)
  const challenge = sigmoid(approval.read({ ...first, operation: "authorize_3ds" }).logit[0]!)
  assert.ok(Math.abs(plain - 0.9) < 0.02 && Math.abs(challenge - 0.7) < 0.04, `${plain} and ${challenge}`)
})
