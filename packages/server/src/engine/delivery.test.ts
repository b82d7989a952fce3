import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { DELIVERY_DELAYS_MS, DELIVERY_JITTER, judge, MAX_RETRY_AFTER_MS, tryOf } from "./delivery.ts"
import type { Posted } from "./webhook-post.ts"

const answered = (status: number, retryAfterMs?: number): Posted => ({
  kind: "answered",
  status,
  answer: "",
  durationMs: 5,
  ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
})
const silence: Posted = { kind: "failed", code: "TIMEOUT", durationMs: 15_000 }
const HOUR = 3_600_000

test("a delivery is tried ten times over a little more than three days", () => {
  assert.equal(DELIVERY_DELAYS_MS.length, 9)
  const total = DELIVERY_DELAYS_MS.reduce((sum, delay) => sum + delay, 0)
  assert.ok(total >= 72 * HOUR && total <= 80 * HOUR)
  assert.deepEqual(
    [...DELIVERY_DELAYS_MS].sort((a, b) => a - b),
    DELIVERY_DELAYS_MS,
  )
})

test("only a status from 200 to 299 is a delivery; the rest is tried again, redirects and refusals too", () => {
  for (let status = 200; status < 600; status++) {
    const verdict = judge(answered(status), 1, 0, 0)
    const state = status < 300 ? "delivered" : status === 410 ? "failed" : "pending"
    assert.equal(verdict.state, state, String(status))
    assert.equal(verdict.gone, status === 410)
  }
  assert.equal(judge(silence, 1, 0, 0).state, "pending")
  assert.equal(judge({ kind: "refused", why: "address", durationMs: 0 }, 1, 0, 0).state, "pending")
})

test("each failed try waits longer than the last, spread by chance, until none is left", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (random) => {
      for (const [index, delay] of DELIVERY_DELAYS_MS.entries()) {
        const { state, nextAt } = judge(silence, index + 1, 1_000_000, random)
        assert.equal(state, "pending")
        const waited = (nextAt ?? 0) - 1_000_000
        assert.ok(waited >= delay && waited <= Math.ceil(delay * (1 + DELIVERY_JITTER)), `${waited} for ${delay}`)
      }
      const last = judge(silence, DELIVERY_DELAYS_MS.length + 1, 0, random)
      assert.deepEqual(last, { state: "failed", gone: false })
    }),
  )
})

test("a receiver that asks for time gets it, up to a limit, and never less than the schedule", () => {
  assert.equal(judge(answered(429, 120_000), 1, 0, 0).nextAt, 120_000)
  assert.equal(judge(answered(503, 1_000), 2, 0, 0).nextAt, DELIVERY_DELAYS_MS[1])
  assert.equal(judge(answered(503, 999_999_000), 1, 0, 0).nextAt, MAX_RETRY_AFTER_MS)
})

test("what cannot be sent at all is not tried again; what a key is missing for is", () => {
  assert.equal(judge({ kind: "unsent", why: "message_too_large", durationMs: 0 }, 1, 0, 0).state, "failed")
  assert.equal(judge({ kind: "unsent", why: "secret_unreadable", durationMs: 0 }, 1, 0, 0).state, "pending")
})

test("the log tells the status or the reason there was none", () => {
  assert.deepEqual(tryOf({ ...answered(500), answer: "oops" } as Posted, 7), {
    at: 7,
    durationMs: 5,
    status: 500,
    answer: "oops",
  })
  assert.deepEqual(tryOf(silence, 7), { at: 7, durationMs: 15_000, error: "TIMEOUT" })
  assert.deepEqual(tryOf({ kind: "refused", why: "scheme", durationMs: 0 }, 7), {
    at: 7,
    durationMs: 0,
    error: "refused: scheme",
  })
})
