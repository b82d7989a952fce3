// The ledger's contract: what a commit writes, and when it writes nothing.

import assert from "node:assert/strict"
import type { Payment } from "../../core/payment.ts"
import { secret } from "../../core/secret.ts"
import type { It } from "./ledger-contract.ts"
import type { Commit } from "./ledger.ts"
import {
  AWKWARD,
  changing,
  inserting,
  sampleAttempt,
  sampleCard,
  sampleEvent,
  sampleId,
  sampleKey,
  sampleOperation,
  samplePayment,
  sampleTranscript,
} from "./sample.ts"

export function commits(it: It): void {
  it("what was committed is loaded, deeply equal", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    assert.deepEqual(await ledger.commit(inserting(payment)), { kind: "committed" })
    assert.deepEqual(await ledger.load(payment.merchant, payment.id), payment)
  })

  it("a payment before its confirmation has neither attempts nor a method", async ({ ledger, now }) => {
    const sample = samplePayment(now())
    const { method: _method, ...intent } = sample.intent
    const payment: Payment = { ...sample, intent, attempts: [], operations: [], plan: { state: "idle" } }
    await ledger.commit(inserting(payment))
    assert.deepEqual(await ledger.load(payment.merchant, payment.id), payment)
  })

  it("bigints beyond 2^53, every outcome and every optional field survive", async ({ ledger, now }) => {
    const before = samplePayment(now())
    await ledger.commit(inserting(before))
    const after = settled(before, now())
    await ledger.commit(changing(before, after))
    const loaded = await ledger.load(before.merchant, before.id)
    assert.deepEqual(loaded, { ...before, ...after, version: 2 })
    assert.equal(loaded?.attempts[0]?.authorized, 2n ** 63n - 1n)
  })

  it("an undefined field in a stored decision stays apart from an absent one", async ({ ledger, now }) => {
    const sample = samplePayment(now())
    const [attempt] = sample.attempts
    assert.ok(attempt)
    const decision = { a: undefined, list: [undefined, null, {}, { b: undefined }], deep: { $bigint: "1", n: 1n } }
    const payment = { ...sample, attempts: [{ ...attempt, decision }] }
    await ledger.commit(inserting(payment))
    assert.deepEqual((await ledger.load(payment.merchant, payment.id))?.attempts[0]?.decision, decision)
  })

  it("numbers of every size survive in a stored decision", async ({ ledger, now }) => {
    const sample = samplePayment(now())
    const [attempt] = sample.attempts
    assert.ok(attempt)
    const decision = [5e-324, Number.MAX_VALUE, 1e-7, 0.1 + 0.2, 2 ** 53, -0, Number.NaN, -Infinity, 10n ** 40n]
    await ledger.commit(
      inserting({ ...sample, attempts: [{ ...attempt, decision }] }, { attempts: [{ ...attempt, decision }] }),
    )
    assert.deepEqual((await ledger.load(sample.merchant, sample.id))?.attempts[0]?.decision, decision)
  })

  it("attempts and operations keep the order in which they were added", async ({ ledger, now }) => {
    let payment = samplePayment(now())
    await ledger.commit(inserting(payment))
    for (let ordinal = 2; ordinal <= 12; ordinal++) {
      // Ids of one millisecond sort by chance, here against the order of adding.
      const added = sampleAttempt(sampleId("acc", now()), now(), { ordinal, id: sampleId("att", now() - ordinal) })
      const operations = [sampleOperation(added), sampleOperation(added, { kind: "reverse", state: "owed" })]
      const commit = changing(payment, {
        attempts: [...payment.attempts, added],
        operations: [...payment.operations, ...operations],
      })
      assert.deepEqual(await ledger.commit(commit), { kind: "committed" })
      payment = commit.payment
    }
    assert.deepEqual(await ledger.load(payment.merchant, payment.id), payment)
  })

  it("a commit against a version that has moved changes nothing at all", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    await ledger.commit(inserting(payment))
    const winner = changing(payment, { plan: { state: "over" } })
    assert.deepEqual(await ledger.commit(winner), { kind: "committed" })
    const stale = changing(payment, settled(payment, now()), {
      take: sampleKey(payment, "stale"),
      card: sampleCard(payment, now()),
      transcripts: [sampleTranscript(payment, now())],
      wakeAt: now(),
    })
    assert.deepEqual(await ledger.commit(stale), { kind: "conflict" })
    assert.deepEqual(await ledger.load(payment.merchant, payment.id), winner.payment)
    assert.equal(await ledger.idempotency(sampleKey(payment, "stale")), undefined)
    assert.deepEqual(await ledger.due(10, 10), [])
    const events = await ledger.events(undefined, await ledger.horizon(), 100)
    assert.deepEqual(
      events.map((e) => e.sequence),
      [1, 2],
    )
  })

  it("a payment that exists is not inserted again, and its key stays free", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    await ledger.commit(inserting(payment))
    const again = inserting(payment, { take: sampleKey(payment, "k"), events: [sampleEvent(payment, now())] })
    assert.deepEqual(await ledger.commit(again), { kind: "conflict" })
    assert.equal(await ledger.idempotency(sampleKey(payment, "k")), undefined)
    assert.equal((await ledger.events(undefined, await ledger.horizon(), 100)).length, 1)
  })

  it("a payment that does not exist cannot be changed", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    assert.deepEqual(await ledger.commit(changing(payment, {})), { kind: "conflict" })
    assert.equal(await ledger.load(payment.merchant, payment.id), undefined)
  })

  it("of twenty concurrent commits on one version exactly one wins, and only its events are told", async ({
    ledger,
    now,
  }) => {
    const payment = samplePayment(now())
    await ledger.commit(inserting(payment))
    const rivals = Array.from({ length: 20 }, (_, i) =>
      changing(
        payment,
        { plan: { state: "over", owner: `node-${i}` } },
        { events: [sampleEvent(payment, now(), { type: `won.${i}` })] },
      ),
    )
    const results = await Promise.all(rivals.map((rival) => ledger.commit(rival)))
    assert.equal(results.filter((r) => r.kind === "committed").length, 1)
    assert.equal(results.filter((r) => r.kind === "conflict").length, 19)
    const winner = results.findIndex((r) => r.kind === "committed")
    assert.equal((await ledger.load(payment.merchant, payment.id))?.plan.owner, `node-${winner}`)
    const events = await ledger.events(undefined, await ledger.horizon(), 100)
    assert.deepEqual(
      events.slice(1).map((e) => e.type),
      [`won.${winner}`],
    )
  })

  it("another merchant's payment is not found, not even by its id", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    await ledger.commit(inserting(payment))
    assert.equal(await ledger.load(sampleId("mer", now()), payment.id), undefined)
  })

  it("a caller that changes its value after the commit changes nothing in the store", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    const metadata: Record<string, string> = { a: "1" }
    await ledger.commit(inserting({ ...payment, intent: { ...payment.intent, metadata } }))
    metadata["a"] = "2"
    const first = await ledger.load(payment.merchant, payment.id)
    assert.deepEqual(first?.intent.metadata, { a: "1" })
  })

  for (const [where, spoil] of [
    ["the intent", (p) => inserting({ ...p, intent: { ...p.intent, metadata: { cvc: secret("123") as never } } })],
    ["a decision", (p) => inserting({ ...p, attempts: p.attempts.map((a) => ({ ...a, decision: [secret(1)] })) })],
    ["an event", (p) => inserting(p, { events: [sampleEvent(p, p.createdAt, { data: { deep: [secret("x")] } })] })],
  ] as const satisfies readonly (readonly [string, (p: Payment) => Commit])[])
    it(`a secret in ${where} is a bug that asserts before anything is written`, async ({ ledger, now }) => {
      const payment = samplePayment(now())
      const commit = spoil(payment)
      await assert.rejects(
        ledger.commit({ ...commit, attempts: commit.payment.attempts }),
        (error: Error & { code?: string }) => error.code === "ERR_ASSERTION",
      )
      assert.equal(await ledger.load(payment.merchant, payment.id), undefined)
    })

  it("a commit must move the version by one and stay within one merchant", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    const bug = { code: "ERR_ASSERTION" }
    await assert.rejects(ledger.commit(inserting({ ...payment, version: 3 }, { expected: 1 })), bug)
    const foreign = sampleEvent({ ...payment, merchant: sampleId("mer", now()) }, now())
    await assert.rejects(ledger.commit(inserting(payment, { events: [foreign] })), bug)
  })
}

/** The sample with an outcome of every awkward kind: what a commit after the provider's answer looks like. */
function settled(before: Payment, now: number): Partial<Payment> {
  const [attempt] = before.attempts
  const [operation] = before.operations
  assert.ok(attempt && operation)
  const evidence = {
    reference: "pi_1",
    networkTransactionId: "123",
    checks: { line: "pass", postcode: "unchecked", name: "fail", code: "unavailable", rawAvs: "Y" },
    providerToken: { token: "pm_1", customer: "cus_1" },
    threeDs: { liabilityShifted: true },
  } as const
  const outcome = {
    kind: "approved",
    effect: "authorized",
    amount: 2n ** 63n - 1n,
    raw: { code: AWKWARD, message: AWKWARD, networkCode: "00" },
    evidence,
  } as const
  const { checkAt: _checkAt, ...closed } = operation
  return {
    requested: 2n ** 63n - 1n,
    attempts: [
      { ...attempt, state: "held", reference: "pi_1", authorized: 2n ** 63n - 1n, outcome, evidence, settledAt: now },
    ],
    operations: [
      { ...closed, state: "succeeded", outcome, settledAt: now },
      sampleOperation(attempt, {
        kind: "refund",
        state: "failed",
        outcome: { kind: "declined", reason: "insufficient_funds", raw: { code: "51" }, evidence: {} },
      }),
      sampleOperation(attempt, { kind: "reverse", outcome: { kind: "unknown", raw: { code: "" }, evidence: {} } }),
    ],
    disputes: [
      { id: sampleId("dsp", now), reference: "dp_1", stage: "opened", amount: 5n, at: now, dueAt: "2026-02-01" },
    ],
    ending: { as: "canceled", at: now, reason: AWKWARD },
    failure: { reason: "insufficient_funds", raw: { code: "51", adviceCode: "01" }, attempt: attempt.id },
    authorizedUntil: now + 1,
    updatedAt: now,
  }
}
