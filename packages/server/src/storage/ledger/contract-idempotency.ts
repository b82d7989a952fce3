// The ledger's contract: an idempotency key is taken once, whatever races for it.

import assert from "node:assert/strict"
import type { PaymentId } from "../../core/id.ts"
import type { It } from "./ledger-contract.ts"
import type { Committed } from "./ledger.ts"
import { AWKWARD, changing, inserting, sampleCard, sampleId, sampleKey, samplePayment } from "./sample.ts"

export function idempotency(it: It): void {
  it("a key is taken with the first commit and answered with a later one", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    const key = sampleKey(payment, AWKWARD)
    await ledger.commit(inserting(payment, { take: key }))
    assert.deepEqual(await ledger.idempotency(key), key)
    const response = { status: 201, body: `{"note":${JSON.stringify(AWKWARD)}}` }
    await ledger.commit(changing(payment, {}, { answer: { ...key, response } }))
    assert.deepEqual(await ledger.idempotency(key), { ...key, response })
  })

  it("a taken key writes nothing and tells who has it, with the answer once there is one", async ({ ledger, now }) => {
    const first = samplePayment(now())
    const key = sampleKey(first, "k")
    await ledger.commit(inserting(first, { take: key }))
    const second = samplePayment(now(), { merchant: first.merchant })
    const rival = inserting(second, {
      take: { ...key, payment: second.id, fingerprint: "other" },
      card: sampleCard(second, now()),
    })
    assert.deepEqual(await ledger.commit(rival), { kind: "taken", row: key })
    assert.equal(await ledger.load(second.merchant, second.id), undefined)
    assert.equal((await ledger.events(undefined, await ledger.horizon(), 100)).length, 1)

    const response = { status: 201, body: "{}" }
    await ledger.storeAnswer(key, response)
    assert.deepEqual(await ledger.commit(rival), { kind: "taken", row: { ...key, response } })
  })

  it("a key that is taken also stops a change of an existing payment", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    const key = sampleKey(payment, "confirm", { path: "/v1/payments/x/confirm" })
    await ledger.commit(inserting(payment, { take: key }))
    const change = changing(payment, { plan: { state: "over" } }, { take: key })
    assert.deepEqual(await ledger.commit(change), { kind: "taken", row: key })
    assert.deepEqual(await ledger.load(payment.merchant, payment.id), payment)
  })

  it("a key is taken by a change of an existing payment", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    await ledger.commit(inserting(payment))
    const key = sampleKey(payment, "capture", { path: "/v1/payments/x/captures" })
    const change = changing(payment, { plan: { state: "over" } }, { take: key })
    assert.deepEqual(await ledger.commit(change), { kind: "committed" })
    assert.deepEqual(await ledger.idempotency(key), key)
    assert.deepEqual(await ledger.load(payment.merchant, payment.id), change.payment)
  })

  it("merchant, mode, method and path keep equal keys apart", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    const key = sampleKey(payment, "k")
    await ledger.commit(inserting(payment, { take: key }))
    for (const other of [
      { mode: "live" as const },
      { method: "PUT" },
      { path: "/v1/refunds" },
      { merchant: sampleId("mer", now()) },
    ])
      assert.equal(await ledger.idempotency({ ...key, ...other }), undefined)
  })

  it("the first answer stays", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    const key = sampleKey(payment, "k")
    await ledger.commit(inserting(payment, { take: key }))
    await ledger.storeAnswer(key, { status: 201, body: "first" })
    await ledger.storeAnswer(key, { status: 202, body: "second" })
    await ledger.commit(changing(payment, {}, { answer: { ...key, response: { status: 203, body: "third" } } }))
    assert.deepEqual((await ledger.idempotency(key))?.response, { status: 201, body: "first" })
  })

  it("of twenty requests with one key exactly one pays, and all others learn of it", async ({ ledger, now }) => {
    const merchant = sampleId("mer", now())
    const rivals = Array.from({ length: 20 }, () => samplePayment(now(), { merchant }))
    const results = await Promise.all(
      rivals.map((payment) => ledger.commit(inserting(payment, { take: sampleKey(payment, "same") }))),
    )
    const winners = rivals.filter((_, i) => results[i]?.kind === "committed")
    assert.equal(winners.length, 1)
    for (const result of results) if (result.kind !== "committed") assert.equal(takenBy(result), winners[0]?.id)
    const stored = await Promise.all(rivals.map((payment) => ledger.load(merchant, payment.id)))
    assert.equal(stored.filter((payment) => payment !== undefined).length, 1)
  })
}

const takenBy = (result: Committed): PaymentId | undefined => (result.kind === "taken" ? result.row.payment : undefined)
