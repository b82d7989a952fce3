// What leads to another account and what must not, told step by step. The simulation looks for the rest.

import assert from "node:assert/strict"
import { describe, test } from "node:test"
import type { Connector } from "../connectors/connector.ts"
import { connectors } from "../connectors/registry.ts"
import { secret } from "../core/secret.ts"
import { statusOf } from "../core/payment.ts"
import { accountAt, scripted, type Call } from "../../testing/scripted.ts"

const authorised = { body: { pspReference: "PSP", resultCode: "Authorised" } }
const refused = {
  body: { pspReference: "PSP", resultCode: "Refused", refusalReasonCode: "9", refusalReason: "Issuer Unavailable" },
}
const tried = (calls: readonly Call[]): readonly string[] => calls.map((call) => call.account)
const token = {
  type: "network_token",
  token: "card_0",
  network: "visa",
  bin: "411111",
  last4: "1111",
  expiryMonth: 12,
  expiryYear: 2099,
  fingerprint: "f",
  hasCryptogram: true,
} as never

describe("a connector with a bug", () => {
  const { adyen } = connectors
  const withAuthorize = (bug: Partial<typeof adyen.codecs.authorize>): Connector => ({
    ...adyen,
    codecs: { ...adyen.codecs, authorize: { ...adyen.codecs.authorize, ...bug } },
  })

  test("in reading the answer has not proven that nothing was charged: no other account is tried", async () => {
    const broken = withAuthorize({
      decode: () => {
        throw new TypeError("cannot read properties of undefined")
      },
    })
    const world = scripted([accountAt("first", broken), accountAt("second")], () => authorised)
    const { id } = world.pay()
    await world.pass(60_000)
    assert.deepEqual([...new Set(tried(world.calls))], ["first"])
    assert.equal(statusOf(world.stored(id)), "processing")
    assert.ok(world.errors.includes("an answer could not be decoded; its outcome is unknown"))
  })

  test("in writing the request has sent nothing: another account is tried", async () => {
    const broken = withAuthorize({
      encode: () => {
        throw new RangeError("not exact at this provider")
      },
    })
    const world = scripted([accountAt("first", broken), accountAt("second")], () => authorised)
    const { id } = world.pay()
    await world.pass(60_000)
    assert.deepEqual(tried(world.calls), ["second"])
    assert.equal(statusOf(world.stored(id)), "authorized")
  })

  test("in scrubbing costs the transcript and not the payment", async () => {
    const broken = {
      ...adyen,
      scrub: () => {
        throw new Error("no")
      },
    }
    const world = scripted([accountAt("first", broken)], () => authorised)
    const { id } = world.pay()
    await world.pass(1_000)
    assert.equal(statusOf(world.stored(id)), "authorized")
    assert.ok(!JSON.stringify(world.ledger.contents.transcripts()).includes("resultCode"))
  })
})

describe("a cryptogram", () => {
  test("that was sent is spent: no other account is tried, and the payment says why", async () => {
    const world = scripted([accountAt("first"), accountAt("second")], () => refused)
    const { id } = world.pay({ method: token }, { cryptogram: secret("AAAA") })
    await world.pass(60_000)
    const payment = world.stored(id)
    assert.deepEqual(tried(world.calls), ["first"])
    assert.equal(statusOf(payment), "failed")
    assert.deepEqual(payment.plan.skipped, [{ account: "second", reason: "cryptogram_spent" }])
  })

  test("that never left is as good as before", async () => {
    const world = scripted([accountAt("first"), accountAt("second")], ({ account }) =>
      account === "first" ? "refused" : authorised,
    )
    const { id } = world.pay({ method: token }, { cryptogram: secret("AAAA") })
    await world.pass(60_000)
    assert.deepEqual(tried(world.calls), ["second"])
    assert.equal(statusOf(world.stored(id)), "authorized")
  })

  test("of a 3DS result that this process does not hold is never left out silently", async () => {
    const world = scripted([accountAt("first")], () => authorised)
    const { id } = world.pay({
      threeDs: {
        mode: "external",
        version: "2.2.0",
        eci: "05",
        dsTransactionId: "c4e59ceb-a382-4d6a-bc87-385d591fa09d",
      },
    })
    await world.pass(60_000)
    const payment = world.stored(id)
    assert.deepEqual(world.calls, [])
    assert.equal(statusOf(payment), "failed")
    assert.equal(payment.failure?.raw?.code, "cryptogram_gone")
  })
})

test("a payment that failed says why, also when its verdict came long after its plan was over", async () => {
  const world = scripted([accountAt("first", connectors.checkout)], ({ method }) =>
    method === "POST" ? "silence" : { body: { limit: 10, skip: 0, total_count: 0, data: [] } },
  )
  const { id } = world.pay()
  await world.pass(3 * 86_400_000, 60_000)
  const payment = world.stored(id)
  assert.equal(statusOf(payment), "failed")
  assert.equal(payment.failure?.reason, "never_arrived")
})

describe("a provider that does not answer", () => {
  const silent = (onUnknown?: "reverse_then_reroute") =>
    scripted(
      [accountAt("first"), accountAt("second")],
      ({ account }) => (account === "first" ? "silence" : authorised),
      {
        id: "pol_0" as never,
        version: 1,
        rules: [
          {
            name: "all",
            when: { all: [] },
            strategy: { kind: "ordered", accounts: ["first", "second"] },
            ...(onUnknown === undefined ? {} : { onUnknown }),
          },
        ],
      },
    )

  test("is waited for, unless the rule says to reverse and go on", async () => {
    const waiting = silent()
    const first = waiting.pay()
    await waiting.pass(30_000)
    assert.deepEqual([...new Set(tried(waiting.calls))], ["first"])
    assert.equal(statusOf(waiting.stored(first.id)), "processing")

    const going = silent("reverse_then_reroute")
    const second = going.pay()
    await going.pass(30_000)
    assert.ok(tried(going.calls).includes("second"))
    assert.equal(statusOf(going.stored(second.id)), "authorized")
    assert.ok(going.stored(second.id).operations.some((o) => o.kind === "reverse"))
  })

  test("is waited for all the same where the payment asks for it", async () => {
    const world = silent("reverse_then_reroute")
    const { id } = world.pay({ onUnknown: "wait" })
    await world.pass(30_000)
    assert.deepEqual([...new Set(tried(world.calls))], ["first"])
    assert.equal(statusOf(world.stored(id)), "processing")
  })
})

test("a request that is refused with a code that no table knows may have been processed: no other account is tried", async () => {
  for (const body of [
    { error_type: "processing_error" },
    { error_type: "processing_error", error_codes: [] },
    { error_type: "processing_error", error_codes: ["acquirer_response_timeout"] },
    { error_type: "request_invalid", error_codes: ["card_expired", "unknown_error"] },
  ]) {
    const world = scripted([accountAt("first", connectors.checkout), accountAt("second")], ({ account, method }) => {
      if (account === "second") return authorised
      return method === "POST" ? { status: 422, body } : { body: { data: [] } }
    })
    const { id } = world.pay()
    await world.pass(30_000)
    assert.deepEqual([...new Set(tried(world.calls))], ["first"], JSON.stringify(body))
    assert.equal(statusOf(world.stored(id)), "processing")
  }
})

test("an address of the merchant's own choice is called only through the guard", async () => {
  const world = scripted([accountAt("shop", connectors.adyen, { guarded: true })], () => authorised)
  const { send } = world.engine.transport
  const guarded: unknown[] = []
  world.engine.transport.send = (origin, request, limits) => {
    guarded.push(limits.guarded)
    return send(origin, request, limits)
  }
  world.pay()
  await world.pass(2_000)
  assert.deepEqual(guarded, [true])
})
