// The ledger's contract: what is counted of a card.

import assert from "node:assert/strict"
import { MAX_BUDGET_ATTEMPTS, type BudgetKey, type CardAttempt } from "../../core/card-attempt.ts"
import type { Payment } from "../../core/payment.ts"
import type { It } from "./ledger-contract.ts"
import type { Commit } from "./ledger.ts"
import { AWKWARD, changing, inserting, sampleAttempt, sampleId, samplePayment } from "./sample.ts"

const keyOf = ({ merchant, mode }: Payment, change: Partial<BudgetKey> = {}): BudgetKey => ({
  merchant,
  mode,
  network: "visa",
  fingerprint: "f1",
  ...change,
})

const rowOf = (payment: Payment, index = 0, change: Partial<CardAttempt> = {}): CardAttempt => ({
  id: payment.attempts[index]!.id,
  at: payment.createdAt,
  account: payment.attempts[index]!.account,
  amount: payment.intent.amount,
  initiator: "customer",
  result: "declined",
  ...change,
})

const counting = (payment: Payment, rows: readonly CardAttempt[], key = keyOf(payment)): Partial<Commit> => ({
  cardAttempts: { key, rows },
})

export function budgets(it: It): void {
  it("a card of which nothing is counted has no attempts", async ({ ledger, now }) => {
    assert.deepEqual(await ledger.cardAttempts(keyOf(samplePayment(now()))), [])
  })

  it("what a commit counts of a card is read back, deeply equal", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    const row = rowOf(payment, 0, { networkCode: "51", adviceCode: "02", reason: "insufficient_funds" })
    await ledger.commit(inserting(payment, counting(payment, [row])))
    assert.deepEqual(await ledger.cardAttempts(keyOf(payment)), [row])
  })

  it("an unknown becomes what it turned out to be, in one row; a decline stays one", async ({ ledger, now }) => {
    for (const settled of ["none", "declined"] as const) {
      let payment = samplePayment(now())
      await ledger.commit(inserting(payment, counting(payment, [rowOf(payment, 0, { result: "unknown" })])))
      for (const result of [settled, "unknown"] as const) {
        const row = rowOf(payment, 0, { result, ...(result === "declined" ? { networkCode: "05" } : {}) })
        const commit = changing(payment, {}, counting(payment, [row]))
        assert.deepEqual(await ledger.commit(commit), { kind: "committed" })
        payment = commit.payment
        if (result === settled) assert.deepEqual(await ledger.cardAttempts(keyOf(payment)), [row])
      }
      const [row] = await ledger.cardAttempts(keyOf(payment))
      assert.equal(row?.result, settled === "declined" ? "declined" : "unknown")
    }
  })

  it("cards are told apart by merchant, mode, network and number", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    await ledger.commit(inserting(payment, counting(payment, [rowOf(payment)])))
    for (const other of [
      { merchant: sampleId("mer", now()) },
      { mode: "live" },
      { network: "mastercard" },
      { fingerprint: "f2" },
      { fingerprint: AWKWARD },
    ] as const)
      assert.deepEqual(await ledger.cardAttempts(keyOf(payment, other)), [])
  })

  it("a commit that is refused counts nothing", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    await ledger.commit(inserting(payment))
    await ledger.commit(changing(payment, {}))
    const stale = changing(payment, {}, counting(payment, [rowOf(payment)]))
    assert.deepEqual(await ledger.commit(stale), { kind: "conflict" })
    assert.deepEqual(await ledger.cardAttempts(keyOf(payment)), [])
  })

  it("commits of several payments with one card at the same moment count all of them", async ({ ledger, now }) => {
    const merchant = sampleId("mer", now())
    const payments = Array.from({ length: 20 }, () => samplePayment(now(), { merchant }))
    await Promise.all(
      payments.map((payment, i) =>
        ledger.commit(inserting(payment, i % 3 === 0 ? {} : counting(payment, [rowOf(payment)]))),
      ),
    )
    const counted = await ledger.cardAttempts(keyOf(payments[0]!))
    assert.deepEqual(
      counted.map(({ id }) => id).toSorted(),
      payments.flatMap((payment, i) => (i % 3 === 0 ? [] : [payment.attempts[0]!.id])).toSorted(),
    )
  })

  it("of more attempts than a budget holds the newest are read, the oldest of them first", async ({ ledger, now }) => {
    const sample = samplePayment(now())
    const attempts = Array.from({ length: MAX_BUDGET_ATTEMPTS + 10 }, (_, i) =>
      sampleAttempt(sampleId("acc", now()), now(), { ordinal: i + 1 }),
    )
    const payment = { ...sample, attempts, operations: [] }
    const rows = attempts.map((_, i) => rowOf(payment, i, { at: payment.createdAt + i }))
    await ledger.commit(inserting(payment, counting(payment, rows.toReversed())))
    assert.deepEqual(await ledger.cardAttempts(keyOf(payment)), rows.slice(10))
  })

  it("what is counted belongs to the payment and its merchant", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    const bug = { code: "ERR_ASSERTION" }
    const foreign = keyOf(payment, { merchant: sampleId("mer", now()) })
    await assert.rejects(ledger.commit(inserting(payment, counting(payment, [rowOf(payment)], foreign))), bug)
    const other = rowOf(samplePayment(now()))
    await assert.rejects(ledger.commit(inserting(payment, counting(payment, [other]))), bug)
  })
}
