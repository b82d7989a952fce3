// The ledger's contract: the event log, its horizon, and the leases and cursors of those who read it.

import assert from "node:assert/strict"
import type { It } from "./ledger-contract.ts"
import type { LoggedEvent, Position } from "./ledger.ts"
import { AWKWARD, BRIEF_MS, LONG_MS, changing, inserting, sampleEvent, samplePayment } from "./sample.ts"

export function outbox(it: It): void {
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

  it("heads are the same events in the same order; only what belongs to no payment has its data", async ({
    ledger,
    now,
  }) => {
    const payment = samplePayment(now())
    const { payment: _payment, ...bare } = sampleEvent(payment, now(), {
      type: "account.changed",
      data: [1n, undefined],
    })
    await ledger.commit(
      inserting(payment, { events: [sampleEvent(payment, now()), bare, sampleEvent(payment, now())] }),
    )
    const horizon = await ledger.horizon()
    const events = await ledger.events(undefined, horizon, 10)
    assert.equal(events.length, 3)
    const heads = events.map((event) => {
      const { data: _data, ...head } = event
      return event.payment === undefined ? event : head
    })
    assert.deepEqual(await ledger.eventHeads(undefined, horizon, 10), heads)
    assert.deepEqual(await ledger.eventHeads(heads[0]?.position, horizon, 1), heads.slice(1, 2))
    assert.deepEqual(await ledger.eventHeads(undefined, events[0]?.position.transaction ?? "", 10), [])
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

const isBefore = (a: Position | undefined, b: Position | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  (BigInt(a.transaction) < BigInt(b.transaction) || (a.transaction === b.transaction && a.event < b.event))
