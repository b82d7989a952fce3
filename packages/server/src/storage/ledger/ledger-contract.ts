// What every ledger must do, as one suite: it runs on the in-memory store in simulated time and on a real PostgreSQL.
// A property of only one of them is tested beside it.

import assert from "node:assert/strict"
import { test } from "node:test"
import type { AccountId, PaymentId } from "../../core/id.ts"
import type { Payment } from "../../core/payment.ts"
import type { Commit, Committed, Ledger, LoggedEvent, Position } from "./ledger.ts"
import {
  AWKWARD,
  changing,
  inserting,
  sampleAttempt,
  sampleCard,
  sampleEvent,
  sampleId,
  sampleInbound,
  sampleKey,
  sampleOperation,
  samplePayment,
  sampleTranscript,
} from "./sample.ts"
import { secret } from "../../core/secret.ts"

export type LedgerUnderTest = {
  readonly ledger: Ledger
  /** Database time, as the store sees it. */
  readonly now: () => number
  readonly wait: (ms: number) => Promise<void>
  readonly close: () => Promise<void>
}

/** A lease that surely outlives a test, and one that surely does not outlive `wait(BRIEF_MS * 2)`. */
const LONG_MS = 600_000
const BRIEF_MS = 30

export function ledgerContract(name: string, create: () => Promise<LedgerUnderTest>): void {
  const it = (behaviour: string, body: (store: LedgerUnderTest) => Promise<void>): void =>
    void test(`${name}: ${behaviour}`, async () => {
      const store = await create()
      try {
        await body(store)
      } finally {
        await store.close()
      }
    })
  commits(it)
  idempotency(it)
  finding(it)
  recovery(it)
  outbox(it)
  inboundWebhooks(it)
}

type It = (behaviour: string, body: (store: LedgerUnderTest) => Promise<void>) => void

function commits(it: It): void {
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

function idempotency(it: It): void {
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

function finding(it: It): void {
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

function recovery(it: It): void {
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

function outbox(it: It): void {
  it("an event comes out as it went in, with its place", async ({ ledger, now }) => {
    const payment = samplePayment(now())
    const { payment: _payment, ...bare } = sampleEvent(payment, now(), {
      type: "account.changed",
      data: [1n, undefined, AWKWARD],
    })
    const event = sampleEvent(payment, now())
    await ledger.commit(inserting(payment, { events: [event, bare] }))
    const events = await ledger.events(undefined, await ledger.horizon(), 10)
    assert.deepEqual(
      events.map(({ position: _position, ...rest }) => rest),
      [event, bare].toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    )
    assert.deepEqual(
      events.map((e) => e.position.event),
      events.map((e) => e.id),
    )
  })

  it("pages follow each other without gap or overlap", async ({ ledger, now }) => {
    let payment = samplePayment(now())
    await ledger.commit(inserting(payment))
    for (let i = 0; i < 9; i++) {
      const change = changing(payment, {}, { events: [sampleEvent(payment, now()), sampleEvent(payment, now())] })
      await ledger.commit(change)
      payment = change.payment
    }
    const horizon = await ledger.horizon()
    const whole = await ledger.events(undefined, horizon, 100)
    assert.equal(whole.length, 19)
    const paged: LoggedEvent[] = []
    for (let after: Position | undefined; ;) {
      const page = await ledger.events(after, horizon, 4)
      paged.push(...page)
      if (page.length < 4) break
      after = page.at(-1)?.position
    }
    assert.deepEqual(paged, whole)
  })

  it("an event at or beyond the horizon is not told yet", async ({ ledger, now }) => {
    const early = await ledger.horizon()
    const payment = samplePayment(now())
    await ledger.commit(inserting(payment))
    assert.deepEqual(await ledger.events(undefined, early, 10), [])
    assert.equal((await ledger.events(undefined, await ledger.horizon(), 10)).length, 1)
  })

  it("a relay that reads up to the horizon while commits race sees every event once and in order", async ({
    ledger,
    now,
  }) => {
    const told: LoggedEvent[] = []
    let after: Position | undefined
    const read = async (): Promise<void> => {
      const horizon = await ledger.horizon()
      for (;;) {
        const page = await ledger.events(after, horizon, 7)
        told.push(...page)
        if (page.length === 0) return
        after = page.at(-1)?.position
      }
    }
    let writing = true
    const writers = Promise.all(
      Array.from({ length: 8 }, async () => {
        let payment = samplePayment(now())
        await ledger.commit(inserting(payment))
        for (let i = 0; i < 10; i++) {
          const change = changing(payment, {}, { events: [sampleEvent(payment, now()), sampleEvent(payment, now())] })
          await ledger.commit(change)
          payment = change.payment
        }
      }),
    ).finally(() => (writing = false))
    while (writing) await read()
    await writers
    await read()
    assert.equal(told.length, 8 * 21)
    assert.equal(new Set(told.map((e) => e.id)).size, told.length)
    for (let i = 1; i < told.length; i++) assert.ok(isBefore(told[i - 1]?.position, told[i]?.position))
    const sequences = Map.groupBy(told, (e) => e.payment)
    for (const events of sequences.values())
      assert.deepEqual(
        events.map((e) => e.sequence),
        events.map((e) => e.sequence).toSorted((a, b) => a - b),
      )
  })

  it("a lease has one holder, who may renew it, until its time is over", async ({ ledger, wait }) => {
    const taken = await Promise.all(["a", "b", "c", "d"].map((owner) => ledger.takeLease("facts", owner, LONG_MS)))
    assert.equal(taken.filter(Boolean).length, 1)
    const holder = ["a", "b", "c", "d"][taken.indexOf(true)] ?? ""
    assert.equal(await ledger.takeLease("facts", holder, BRIEF_MS), true)
    assert.equal(await ledger.takeLease("other", "z", LONG_MS), true)
    await wait(BRIEF_MS * 2)
    assert.equal(await ledger.takeLease("facts", "z", LONG_MS), true)
    assert.equal(await ledger.takeLease("facts", holder, LONG_MS), false)
  })

  it("only the lease's holder moves the cursor, and it survives a change of holder", async ({ ledger, wait }) => {
    const [first, second] = [
      { transaction: "7", event: "evt_a" },
      { transaction: "9007199254740993", event: "evt_b" },
    ]
    assert.equal(await ledger.cursor("facts"), undefined)
    assert.equal(await ledger.moveCursor("facts", "a", first), false)
    await ledger.takeLease("facts", "a", BRIEF_MS)
    assert.equal(await ledger.cursor("facts"), undefined)
    assert.equal(await ledger.moveCursor("facts", "a", first), true)
    await wait(BRIEF_MS * 2)
    await ledger.takeLease("facts", "b", LONG_MS)
    assert.deepEqual(await ledger.cursor("facts"), first)
    assert.equal(await ledger.moveCursor("facts", "a", second), false)
    assert.equal(await ledger.moveCursor("facts", "b", second), true)
    assert.deepEqual(await ledger.cursor("facts"), second)
  })
}

function inboundWebhooks(it: It): void {
  it("a redelivered webhook is stored once, and each account has its own", async ({ ledger, now }) => {
    const merchant = sampleId("mer", now())
    const [one, two] = [sampleId("acc", now()), sampleId("acc", now())]
    const redeliveries = await Promise.all(
      Array.from({ length: 6 }, () => ledger.storeInbound(sampleInbound(merchant, one, "evt_1", now()))),
    )
    assert.equal(redeliveries.filter(Boolean).length, 1)
    assert.equal(await ledger.storeInbound(sampleInbound(merchant, two, "evt_1", now())), true)
    assert.equal((await ledger.dueInbound(10, LONG_MS)).length, 2)
  })

  it("a stored webhook is handed out whole, to one claimer, oldest first", async ({ ledger, now }) => {
    const merchant = sampleId("mer", now())
    const account = sampleId("acc", now())
    const webhooks = [3, 1, 2].map((age) => sampleInbound(merchant, account, `evt_${age}`, now() - age * 10))
    for (const webhook of webhooks) await ledger.storeInbound(webhook)
    const [first] = await ledger.dueInbound(1, LONG_MS)
    assert.deepEqual(first, webhooks[0])
    const claimed = (await Promise.all([1, 2, 3].map(() => ledger.dueInbound(10, LONG_MS)))).flat()
    assert.deepEqual(claimed.map((w) => w.deduplication).toSorted(), ["evt_1", "evt_2"])
  })

  it("a claim that is not finished in time is handed out again, and the tries are counted", async ({
    ledger,
    now,
    wait,
  }) => {
    await ledger.storeInbound(sampleInbound(sampleId("mer", now()), sampleId("acc", now()), "e", now() - 1))
    assert.deepEqual(
      (await ledger.dueInbound(10, BRIEF_MS)).map((w) => w.tries),
      [0],
    )
    await wait(BRIEF_MS * 2)
    assert.deepEqual(
      (await ledger.dueInbound(10, LONG_MS)).map((w) => w.tries),
      [1],
    )
  })

  it("an unmatched webhook comes again when its time has come, a processed one never", async ({ ledger, now }) => {
    const merchant = sampleId("mer", now())
    const account = sampleId("acc", now())
    const webhooks = ["later", "now", "done"].map((name, i) => sampleInbound(merchant, account, name, now() - 30 + i))
    for (const webhook of webhooks) await ledger.storeInbound(webhook)
    const [later, soon, done] = await ledger.dueInbound(10, LONG_MS)
    assert.ok(later && soon && done)
    await ledger.finishInbound(merchant, later.id, "unmatched", now() + LONG_MS)
    await ledger.finishInbound(merchant, soon.id, "unmatched", now() - 1)
    await ledger.finishInbound(merchant, done.id, "processed", undefined)
    // A second, slower worker finishes the same one later: what is processed stays processed.
    await ledger.finishInbound(merchant, done.id, "failed", now() - 1)
    assert.deepEqual(
      (await ledger.dueInbound(10, LONG_MS)).map((w) => [w.deduplication, w.tries]),
      [["now", 1]],
    )
    assert.equal(await ledger.storeInbound(sampleInbound(merchant, account, "done", now())), false)
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

/** A payment whose only attempt is at this account. */
function paymentAt(account: AccountId, now: number, change: Partial<Payment>): Payment {
  const attempt = sampleAttempt(account, now)
  return samplePayment(now, { attempts: [attempt], operations: [sampleOperation(attempt)], ...change })
}

const takenBy = (result: Committed): PaymentId | undefined => (result.kind === "taken" ? result.row.payment : undefined)

const isBefore = (a: Position | undefined, b: Position | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  (BigInt(a.transaction) < BigInt(b.transaction) || (a.transaction === b.transaction && a.event < b.event))
