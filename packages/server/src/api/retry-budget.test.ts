// What a merchant reads of retries: why an attempt followed, why none did, and what the schemes have left for the card.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, simulate, startApi, type Json } from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "stripe", "adyen")
const stripe = await providers.connect("stripe")
await providers.connect("adyen")
let keys = 0
const pay = async (number: string, change: Json = {}): Promise<Json> => {
  const body = {
    amount: 1999,
    currency: "EUR",
    payment_method: { type: "card", card: { ...card, number } },
    ...change,
  }
  return ok(
    await api.call("POST", "/v1/payments", { body, headers: { "idempotency-key": `retry-${(keys += 1)}` } }),
    201,
  )
}
const budgetOf = async (payment: Json): Promise<Json> =>
  ok(await api.call("GET", `/v1/payments/${payment.id}/retry_budget`))

test("a payment that was approved has used nothing of its card's budget", async () => {
  const paid = await pay(card.number)
  const budget = await budgetOf(paid)
  assert.deepEqual([budget.object, budget.payment, budget.network], ["retry_budget", paid.id, "visa"])
  assert.deepEqual([budget.declines, budget.allowed, budget.rule], [0, "yes", null])
  assert.deepEqual(
    budget.limits.map(({ rule, used, limit }: Json) => [rule, used, limit]),
    [["visa/reattempts-20", 0, 20]],
  )
  assert.equal(paid.retry_stopped, null)
  assert.equal(paid.next_retry, null)
})

test("declines of several payments use up one budget, and the payment says why no other attempt was made", async () => {
  const failed = await pay("4000000000009995", { account: stripe.id })
  assert.equal(failed.retry_stopped.after, failed.attempts[0].id)
  assert.match(failed.retry_stopped.why, /no account is eligible|insufficient_funds is retried/)
  const again = await pay("4000000000009995", { account: stripe.id })
  const budget = await budgetOf(again)
  assert.equal(budget.declines, 2)
  assert.equal(budget.fingerprint, again.payment_method.fingerprint)
  assert.equal(budget.limits[0].used, 2)
  assert.match(budget.limits[0].says, /30 days/)
  assert.match(budget.limits[0].next_free_at, /Z$/)
})

test("an attempt that followed another says which step of the plan it was, and what was asked", async () => {
  const failed = await pay("4000000000000119")
  const [first, second] = failed.attempts
  assert.equal(first.outcome.kind, "declined")
  assert.equal(first.follows, undefined)
  assert.equal(second?.follows.step, "(default)")
  assert.equal(second.follows.after, first.id)
  assert.equal(second.follows.limits[0].rule, "visa/reattempts-20")
  assert.equal(second.follows.limits[0].used, 1)
  const listed = ok(await api.call("GET", `/v1/payments/${failed.id}/attempts`)).data
  assert.deepEqual(listed[1].follows, second.follows)
})

test("somebody else's payment has no budget to be read", async () => {
  const other = `pay_${"0".repeat(26)}`
  assert.equal((await api.call("GET", `/v1/payments/${other}/retry_budget`)).status, 404)
})
