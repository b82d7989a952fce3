import assert from "node:assert/strict"
import { test } from "node:test"
import { providers } from "./providers.ts"
import { compare, type Exchange, type RecordedRule } from "./recorded.ts"

const stripe = providers.find(({ id }) => id === "stripe")!

const intent = {
  id: "pi_1",
  object: "payment_intent",
  status: "succeeded",
  amount: 1999,
  amount_received: 1999,
  currency: "eur",
}
const authorize = (body: unknown, expected: Exchange["expected"], status = 200): Exchange => ({
  name: "one",
  operation: "authorize",
  input: {},
  response: { status, headers: {}, body: typeof body === "string" ? body : JSON.stringify(body) },
  expected,
})
const everything: RecordedRule = { key: "everything", reason: "", source: "", explains: () => true }
const verdict = (exchange: Exchange, ...rules: RecordedRule[]): unknown =>
  compare(stripe, [exchange], rules)[0]!.verdict

test("what both read alike agrees", () => {
  assert.deepEqual(verdict(authorize(intent, { success: true, kinds: ["approved"], reference: "x#pi_1" })), {
    kind: "agree",
  })
  const error = { error: { type: "card_error", code: "card_declined", decline_code: "insufficient_funds" } }
  const expected = { success: false, raw: ["insufficient_funds"], reasons: ["insufficient_funds"] } as const
  assert.deepEqual(verdict(authorize(error, expected, 402)), { kind: "agree" })
})

test("a difference is unexplained until a rule explains it", () => {
  const cut = authorize('{"id": "pi_1', { success: false })
  assert.equal((verdict(cut) as { kind: string }).kind, "unexplained")
  assert.deepEqual(verdict(cut, everything), { kind: "explained", rules: ["everything"] })
})

test("no rule can explain an approval of ours where the other reader says no", () => {
  const said = verdict(authorize(intent, { success: false }), everything) as { kind: string; detail: string }
  assert.equal(said.kind, "unexplained")
  assert.match(said.detail, /success: expected false, read approved/)
  assert.equal(
    (verdict(authorize(intent, { kinds: ["declined"] }), everything) as { kind: string }).kind,
    "unexplained",
  )
})

test("letters agree as they are or by what they stand for, and not otherwise", () => {
  const checks = { address_line1_check: "pass", address_postal_code_check: "pass", cvc_check: "pass" }
  const charge = { object: "charge", id: "ch_1", payment_method_details: { card: { checks } } }
  const read = (expected: Exchange["expected"]): unknown =>
    (verdict(authorize({ ...intent, latest_charge: charge }, expected)) as { kind: string }).kind
  assert.equal(read({ avs: "Y", cvv: "M" }), "agree")
  assert.equal(read({ avs: "N" }), "unexplained")
  assert.equal(read({ cvv: "N" }), "unexplained")
})
