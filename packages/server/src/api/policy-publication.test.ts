// A version that is published to a share of the payments, promoted, withdrawn; and what rules do to payments.

import assert from "node:assert/strict"
import { test } from "node:test"
import { card, ok, simulate, startApi, type Answer, type Json } from "../../testing/api.ts"

const api = await startApi({ role: "api" })
const providers = await simulate(api, "stripe", "adyen")
const stripe = (await providers.connect("stripe")).id
const adyen = (await providers.connect("adyen")).id
const to = (account: string): Json => ({
  name: "all",
  when: "true",
  strategy: { kind: "ordered", accounts: [account] },
})
let keys = 0
const pay = async (more: Json = {}): Promise<Json> => {
  const headers = { "idempotency-key": `key-${(keys += 1)}` }
  const body = { amount: 100, currency: "EUR", payment_method: { type: "card", card }, ...more }
  return ok(await api.call("POST", "/v1/payments", { headers, body }), 201)
}
const policyOf = async (...versions: readonly Json[]): Promise<string> => {
  const [first, ...others] = versions
  const { policy } = ok(await api.call("POST", "/v1/policies", { body: { name: "Order", rules: first } }), 201)
  for (const rules of others) ok(await api.call("POST", `/v1/policies/${policy.id}/versions`, { body: { rules } }), 201)
  return policy.id
}
const act = async (id: string, verb: string, body?: Json): Promise<Answer> => {
  const { version } = ok(await api.call("GET", `/v1/policies/${id}`))
  const headers = { "if-match": `"${version}"` }
  return api.call("POST", `/v1/policies/${id}/${verb}`, body === undefined ? { headers } : { headers, body })
}

test("a share of the payments meets the new version, and every decision says which version it met by which share", async () => {
  const id = await policyOf([to(stripe)], [to(adyen)])
  ok(await act(id, "publish", { version: 1 }))
  const shared = ok(await act(id, "publish", { version: 2, share_bps: 5_000 }))
  assert.deepEqual([shared.active_version, shared.candidate], [1, { version: 2, share_bps: 5_000 }])
  const met = new Set<number>()
  for (let i = 0; i < 40 && met.size < 2; i++) {
    const { attempts } = await pay()
    const { version, share } = attempts[0].decision.policy
    met.add(version)
    assert.deepEqual(share, { of: version === 2 ? "candidate" : "active", bps: 5_000 })
    assert.equal(attempts[0].account, version === 2 ? adyen : stripe)
  }
  assert.deepEqual(
    [...met].toSorted((a, b) => a - b),
    [1, 2],
  )
  assert.equal(ok(await act(id, "withdraw", {})).candidate, null)
  const alone = (await pay()).attempts[0].decision.policy
  assert.deepEqual([alone.version, alone.share], [1, undefined])
  ok(await act(id, "publish", { version: 2, share_bps: 1 }))
  const promoted = ok(await act(id, "publish", { version: 2 }))
  assert.deepEqual([promoted.active_version, promoted.candidate], [2, null])
  assert.equal((await pay()).attempts[0].account, adyen)
})

test("a share needs a version in force beside it, a version that is there, and the ETag that was read", async () => {
  const id = await policyOf([to(stripe)], [to(adyen)])
  const refused = await act(id, "publish", { version: 2, share_bps: 100 })
  assert.equal(refused.body.errors[0].pointer, "#/share_bps")
  ok(await act(id, "publish", { version: 1 }))
  assert.equal((await act(id, "publish", { version: 1, share_bps: 100 })).body.errors[0].pointer, "#/version")
  assert.equal((await act(id, "publish", { version: 7, share_bps: 100 })).status, 404)
  const body = { version: 2, share_bps: 100 }
  assert.equal((await api.call("POST", `/v1/policies/${id}/publish`, { body })).status, 428)
  assert.equal((await api.call("POST", `/v1/policies/${id}/withdraw`, { body: {} })).status, 428)
  const headers = { "if-match": '"1"' }
  assert.equal((await api.call("POST", `/v1/policies/${id}/publish`, { body, headers })).status, 412)
  assert.equal((await api.call("POST", `/v1/policies/${id}/withdraw`, { headers, body: {} })).status, 412)
  const { version } = ok(await act(id, "withdraw", {}))
  assert.equal(version, ok(await api.call("GET", `/v1/policies/${id}`)).version)
})

test("a rule that declines ends the payment before any attempt, and says by which rule", async () => {
  const decline = {
    name: "gifts to nowhere",
    when: 'metadata.cart == "gift" && shipping.country == "AQ"',
    strategy: { kind: "decline", reason: "nobody delivers there" },
  }
  const id = await policyOf([decline, to(stripe)])
  ok(await act(id, "publish", { version: 1 }))
  const shipping = { address: { country: "AQ" } }
  const declined = await pay({ metadata: { cart: "gift" }, shipping })
  assert.deepEqual([declined.status, declined.attempts], ["failed", []])
  assert.equal(declined.failure.reason, "declined_by_policy")
  assert.equal(
    declined.failure.raw.message,
    `Rule "gifts to nowhere" of policy ${id} (version 1) declines it: nobody delivers there`,
  )
  assert.equal((await pay({ metadata: { cart: "own" }, shipping })).status, "captured")
  assert.equal((await pay({ shipping })).status, "captured", "unknown is no match")
})

test("a decision keeps of the payment's metadata what the policy asks for, and no more", async () => {
  const id = await policyOf([{ ...to(adyen), name: "gold", when: 'metadata.tier == "gold"' }, to(stripe)])
  ok(await act(id, "publish", { version: 1 }))
  const paid = await pay({ metadata: { tier: "gold", note: "private" } })
  const [attempt] = ok(await api.call("GET", `/v1/payments/${paid.id}/attempts`)).data
  assert.equal(attempt.account, adyen)
  assert.deepEqual(attempt.decision.inputs.context.metadata, { tier: "gold" })
})

test("a rule that requires 3-D Secure has it asked for at the provider", async () => {
  const id = await policyOf([{ ...to(stripe), require_three_ds: true }])
  ok(await act(id, "publish", { version: 1 }))
  const asked = await pay({ return_url: "https://shop.example.com/thanks" })
  assert.equal(asked.attempts[0].decision.threeDs, "required")
  const left = await pay({ three_ds: { mode: "none" } })
  assert.equal(left.attempts[0].decision.threeDs, "left")
  assert.equal(left.status, "captured")
})
