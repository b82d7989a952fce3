import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { createMoneyLedger, type Entry } from "./money-ledger.ts"

function ledgerAt(start = 0, maxCharges?: number) {
  const clock = { now: start }
  const ledger = createMoneyLedger("acct", () => clock.now, maxCharges)
  ledger.open({ reference: "c", merchantReference: "order", currency: "eur" })
  return { clock, ledger }
}

function value<T>(entry: Entry<T>): T {
  assert.ok(entry.ok, "expected the entry to be booked")
  return entry.value
}

test("a capture of a part that is final releases the rest of the hold", () => {
  const { ledger } = ledgerAt()
  value(ledger.authorize("c", 1000n))
  value(ledger.capture("c", "cap", 400n))
  const charge = ledger.get("c")
  assert.equal(charge?.state, "captured")
  assert.equal(charge?.held, 400n)
  assert.deepEqual(ledger.capture("c", "cap2", 1n), { ok: false, refusal: "wrong_state" })
})

test("captures that are not final keep the rest of the hold until it is voided", () => {
  const { ledger } = ledgerAt()
  value(ledger.authorize("c", 1000n))
  value(ledger.capture("c", "cap1", 300n, false))
  value(ledger.capture("c", "cap2", 200n, false))
  assert.equal(ledger.get("c")?.held, 1000n)
  assert.equal(value(ledger.void("c")).state, "captured")
  assert.equal(ledger.get("c")?.held, 500n)
})

test("an accepted capture reserves its amount, moves money when it finishes, and gives the hold back when it fails", () => {
  const { ledger } = ledgerAt()
  value(ledger.authorize("c", 1000n))
  value(ledger.startCapture("c", "cap1", 700n))
  assert.deepEqual(ledger.startCapture("c", "cap2", 400n), { ok: false, refusal: "exceeds_authorized" })
  assert.equal(ledger.get("c")?.captured, 0n)
  value(ledger.finish("cap1", "failed"))
  assert.equal(ledger.get("c")?.capturable, 1000n)
  value(ledger.startCapture("c", "cap3", 1000n))
  value(ledger.finish("cap3", "succeeded"))
  assert.equal(ledger.get("c")?.state, "captured")
  assert.deepEqual(ledger.finish("cap3", "failed"), { ok: false, refusal: "already_finished" })
})

test("a refund that bounces after it succeeded leaves the money taken", () => {
  const { ledger } = ledgerAt()
  value(ledger.authorize("c", 1000n))
  value(ledger.capture("c", "cap", 1000n))
  value(ledger.refund("c", "re", 1000n))
  assert.equal(ledger.get("c")?.held, 0n)
  value(ledger.revoke("re"))
  assert.equal(ledger.get("c")?.held, 1000n)
})

test("a hold ends by itself at the end of its validity, and an increment may prolong it", () => {
  const { ledger, clock } = ledgerAt()
  value(ledger.authorize("c", 1000n, 100))
  clock.now = 99
  value(ledger.increment("c", 500n, 200))
  clock.now = 199
  assert.equal(ledger.get("c")?.held, 1500n)
  value(ledger.increment("c", 0n, 300))
  assert.equal(ledger.increment("c", 0n).ok, false)
  clock.now = 299
  assert.equal(ledger.get("c")?.held, 1500n)
  clock.now = 300
  assert.equal(ledger.get("c")?.state, "expired")
  assert.equal(ledger.truth()[0]?.held, 0n)
})

test("a declined reference may be tried again, an approved one may not", () => {
  const { ledger } = ledgerAt()
  value(ledger.decline("c"))
  value(ledger.authorize("c", 5n))
  assert.deepEqual(ledger.authorize("c", 5n), { ok: false, refusal: "wrong_state" })
})

test("the oldest charges are forgotten once the ledger is full", () => {
  const { ledger } = ledgerAt(0, 2)
  ledger.open({ reference: "d", merchantReference: "", currency: "EUR" })
  ledger.open({ reference: "e", merchantReference: "", currency: "EUR" })
  assert.deepEqual(
    ledger.truth().map((charge) => charge.reference),
    ["d", "e"],
  )
})

test("whatever is asked in whatever order, captures stay within the hold and refunds within the captures", () => {
  const amount = fc.bigInt({ min: -5n, max: 60n })
  const step = fc.oneof(
    fc.record({ type: fc.constantFrom("authorize", "increment", "refund", "startRefund", "dispute"), amount }),
    fc.record({ type: fc.constantFrom("capture", "startCapture"), amount, final: fc.boolean() }),
    fc.record({ type: fc.constantFrom("void", "expire", "decline", "awaitAction") }),
    fc.record({ type: fc.constantFrom("finish", "revoke"), index: fc.nat(12), good: fc.boolean() }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { ledger } = ledgerAt()
      const final = new Set<string>()
      for (const [index, each] of steps.entries()) {
        const id = `op${index}`
        if ("index" in each) {
          if (each.type === "finish") ledger.finish(`op${each.index}`, each.good ? "succeeded" : "failed")
          else ledger.revoke(`op${each.index}`)
        } else if ("final" in each) ledger[each.type as "capture"]("c", id, each.amount, each.final)
        else if ("amount" in each) {
          if (each.type === "authorize" || each.type === "increment") ledger[each.type]("c", each.amount)
          else ledger[each.type as "refund"]("c", id, each.amount)
        } else ledger[each.type as "void"]("c")
        const charge = ledger.get("c")
        assert.ok(charge)
        assert.ok(charge.captured + charge.capturePending <= charge.authorized)
        assert.ok(charge.capturable >= 0n && charge.refundable >= 0n && charge.held >= 0n)
        if (["voided", "expired"].includes(charge.state)) {
          assert.equal(charge.held, 0n)
          final.add(charge.state)
        }
        for (const end of final) assert.equal(charge.state, end, "a final state never changes")
      }
    }),
  )
})
