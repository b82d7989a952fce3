// The ledger's contract: finding payments, by what providers call them and by when somebody has to look.

import assert from "node:assert/strict"
import type { AccountId } from "../../core/id.ts"
import type { Payment } from "../../core/payment.ts"
import type { It } from "./ledger-contract.ts"
import type { Ledger } from "./ledger.ts"
import {
  BRIEF_MS,
  LONG_MS,
  changing,
  inserting,
  sampleAttempt,
  sampleId,
  sampleOperation,
  samplePayment,
} from "./sample.ts"

export function finding(it: It): void {
  it("a payment is found by attempt, by operation and by the provider's references", async ({ ledger, now }) => {
    const before = samplePayment(now())
    await ledger.commit(inserting(before))
    const [attempt] = before.attempts
    const [operation] = before.operations
    assert.ok(attempt && operation)
    const place = { merchant: before.merchant, payment: before.id }
    const find = (keys: Parameters<Ledger["find"]>[2]): ReturnType<Ledger["find"]> =>
      ledger.find(before.merchant, attempt.account, keys)
    assert.deepEqual(await find({ attempt: attempt.id, references: [] }), place)
    assert.deepEqual(await find({ operation: operation.id, references: [] }), place)
    assert.equal(await find({ references: ["pi_1"] }), undefined)

    const capture = sampleOperation(attempt, { kind: "capture", reference: "ch_1" })
    await ledger.commit(
      changing(before, { attempts: [{ ...attempt, reference: "pi_1" }], operations: [operation, capture] }),
    )
    assert.deepEqual(await find({ references: ["pi_1"] }), place)
    assert.deepEqual(await find({ references: ["nobody", "ch_1"] }), place)
    assert.deepEqual(await find({ attempt: "att_nobody", operation: capture.id, references: [] }), place)
    assert.equal(await find({ attempt: "att_nobody", operation: "op_nobody", references: ["nobody"] }), undefined)
  })

  it("an id or a reference counts only at its own account and merchant", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    const [attempt] = payment.attempts
    const [operation] = payment.operations
    assert.ok(attempt && operation)
    await ledger.commit(
      inserting(
        { ...payment, attempts: [{ ...attempt, reference: "pi_1" }] },
        { attempts: [{ ...attempt, reference: "pi_1" }] },
      ),
    )
    const keys = { attempt: attempt.id, operation: operation.id, references: ["pi_1"] }
    assert.equal(await ledger.find(payment.merchant, sampleId("acc", now()), keys), undefined)
    assert.equal(await ledger.find(sampleId("mer", now()), attempt.account, keys), undefined)
    assert.ok(await ledger.find(payment.merchant, attempt.account, keys))
  })

  it("our own ids count before references, and of two payments with one reference the first has it", async ({
    ledger,
    now,
  }) => {
    const merchant = sampleId("mer", now())
    const account = sampleId("acc", now())
    const [first, second] = [1, 2].map(() => {
      const attempt = sampleAttempt(account, now(), { reference: "shared" })
      return samplePayment(now(), { merchant, attempts: [attempt], operations: [sampleOperation(attempt)] })
    })
    assert.ok(first && second)
    await ledger.commit(inserting(first))
    await ledger.commit(inserting(second))
    const find = (keys: Parameters<Ledger["find"]>[2]) => ledger.find(merchant, account, keys)
    assert.equal((await find({ references: ["shared"] }))?.payment, first.id)
    assert.equal((await find({ attempt: second.attempts[0]?.id ?? "", references: ["shared"] }))?.payment, second.id)
  })
}

export function recovery(it: It): void {
  it("payments are due by time, and at rest or in the future they are not", async ({ ledger, now }) => {
    const at = now()
    const [late, early, rest, future] = [1, 2, 3, 4].map(() => samplePayment(at))
    assert.ok(late && early && rest && future)
    await ledger.commit(inserting(late, { wakeAt: at - 10 }))
    await ledger.commit(inserting(early, { wakeAt: at - 20 }))
    await ledger.commit(inserting(rest, { wakeAt: undefined }))
    await ledger.commit(inserting(future, { wakeAt: at + LONG_MS }))
    const due = await ledger.due(10, 10)
    assert.deepEqual(due, [
      { merchant: early.merchant, payment: early.id, account: early.attempts[0]?.account, wakeAt: at - 20 },
      { merchant: late.merchant, payment: late.id, account: late.attempts[0]?.account, wakeAt: at - 10 },
    ])
    assert.deepEqual(
      (await ledger.due(1, 10)).map((d) => d.payment),
      [early.id],
    )
  })

  it("a busy account takes only its share, however old its payments are", async ({ ledger, now }) => {
    const at = now()
    const merchant = sampleId("mer", at)
    const busy = sampleId("acc", at)
    for (let i = 0; i < 7; i++)
      await ledger.commit(inserting(paymentAt(busy, at, { merchant }), { wakeAt: at - 1_000 + i }))
    const other = paymentAt(sampleId("acc", at), at, { merchant })
    await ledger.commit(inserting(other, { wakeAt: at - 5 }))
    const asked = samplePayment(at, { merchant, attempts: [], operations: [] })
    const unasked = samplePayment(at, { merchant, attempts: [], operations: [] })
    await ledger.commit(inserting(asked, { wakeAt: at - 4 }))
    await ledger.commit(inserting(unasked, { wakeAt: at - 3 }))
    const due = await ledger.due(100, 3)
    assert.deepEqual(
      due.map((d) => d.wakeAt),
      [at - 1_000, at - 999, at - 998, at - 5, at - 4, at - 3],
    )
    assert.deepEqual(due.map((d) => d.account).slice(3), [other.attempts[0]?.account, undefined, undefined])
  })

  it("a later commit moves the time, or lays the payment to rest", async ({ ledger, now }) => {
    const at = now()
    const payment = samplePayment(at)
    await ledger.commit(inserting(payment, { wakeAt: at - 10 }))
    const second = changing(payment, {}, { wakeAt: at + LONG_MS })
    await ledger.commit(second)
    assert.deepEqual(await ledger.due(10, 10), [])
    const third = changing(second.payment, {}, { wakeAt: at - 5 })
    await ledger.commit(third)
    assert.deepEqual(
      (await ledger.due(10, 10)).map((d) => d.wakeAt),
      [at - 5],
    )
    await ledger.commit(changing(third.payment, {}, { wakeAt: undefined }))
    assert.deepEqual(await ledger.due(10, 10), [])
  })

  it("one of many claims a due payment, it is hidden for the lease, and its version does not move", async ({
    ledger,
    now,
    wait,
  }) => {
    const payment = samplePayment(now())
    await ledger.commit(inserting(payment, { wakeAt: now() - 10 }))
    const [due] = await ledger.due(10, 10)
    assert.ok(due)
    const claims = await Promise.all(Array.from({ length: 8 }, () => ledger.claim(due, BRIEF_MS)))
    assert.equal(claims.filter(Boolean).length, 1)
    assert.equal((await ledger.load(payment.merchant, payment.id))?.version, 1)
    await wait(BRIEF_MS * 2)
    const [again] = await ledger.due(10, 10)
    assert.equal(again?.payment, payment.id)
    assert.ok(again && (await ledger.claim(again, LONG_MS)))
    assert.deepEqual(await ledger.due(10, 10), [])
  })

  it("a payment that was committed since is not claimed", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    await ledger.commit(inserting(payment, { wakeAt: now() - 10 }))
    const [due] = await ledger.due(10, 10)
    assert.ok(due)
    await ledger.commit(changing(payment, {}, { wakeAt: now() - 5 }))
    assert.equal(await ledger.claim(due, LONG_MS), false)
    assert.equal((await ledger.due(10, 10)).length, 1)
  })
}

/** A payment whose only attempt is at this account. */
function paymentAt(account: AccountId, now: number, change: Partial<Payment>): Payment {
  const attempt = sampleAttempt(account, now)
  return samplePayment(now, { attempts: [attempt], operations: [sampleOperation(attempt)], ...change })
}
