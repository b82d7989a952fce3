import assert from "node:assert/strict"
import { test } from "node:test"
import { ledgerContract } from "./ledger-contract.ts"
import { createMemoryLedger, type MemoryOptions } from "./memory.ts"
import { changing, inserting, sampleEvent, samplePayment } from "./sample.ts"

/** Time that moves on only when nothing else is left to do. */
function simulatedTime(start: number) {
  let now = start
  let order = 0
  let pumping = false
  const sleepers: { at: number; order: number; wake: () => void }[] = []
  const pump = (): void => {
    sleepers.sort((a, b) => a.at - b.at || a.order - b.order)
    const next = sleepers.shift()
    pumping = sleepers.length > 0
    if (pumping) setImmediate(pump)
    if (next === undefined) return
    now = Math.max(now, next.at)
    next.wake()
  }
  return {
    now: () => now,
    sleep: (ms: number) =>
      new Promise<void>((wake) => {
        sleepers.push({ at: now + ms, order: order++, wake })
        if (!pumping) setImmediate(pump)
        pumping = true
      }),
  }
}

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function create(seed: number, options: MemoryOptions = {}) {
  const time = simulatedTime(1_764_000_000_000)
  const ledger = createMemoryLedger({ ...time, random: seeded(seed) }, options)
  return { ledger, now: time.now, wait: time.sleep, close: async () => {} }
}

ledgerContract("memory", async () => create(1))
ledgerContract("memory with late commits", async () => create(2, { slow: { probability: 0.3, latencyMs: 20 } }))

test("a later transaction can be visible before an earlier one, and is not told until the earlier ended", async () => {
  for (let seed = 0; ; seed++) {
    assert.ok(seed < 100, "no seed made a late commit")
    const { ledger, now, wait } = create(seed, { latencyMs: 1, slow: { probability: 0.5, latencyMs: 500 } })
    const commits = [1, 2].map(() => ledger.commit(inserting(samplePayment(now()))))
    while (ledger.contents.events().length === 0) await wait(1)
    const [visible, other] = ledger.contents.events()
    if (visible?.position.transaction === "2" && other === undefined) {
      const horizon = await ledger.horizon()
      if (horizon === "1") {
        assert.deepEqual(await ledger.events(undefined, horizon, 10), [])
        return
      }
    }
    await Promise.all(commits)
  }
})

test("the horizon never passes a transaction that is still running", async () => {
  for (let seed = 0; seed < 50; seed++) {
    const { ledger, now } = create(seed, { slow: { probability: 0.5, latencyMs: 50 } })
    const payments = Array.from({ length: 6 }, () => samplePayment(now()))
    const writing = Promise.all(payments.map((payment) => ledger.commit(inserting(payment))))
    for (let i = 0; i < 10; i++) {
      const horizon = await ledger.horizon()
      const final = await ledger.events(undefined, horizon, 100)
      await ledger.horizon()
      assert.deepEqual(await ledger.events(undefined, horizon, 100), final)
    }
    await writing
  }
})

test("a lost connection leaves both possible: it happened, or it did not", async () => {
  const seen = new Set<string>()
  for (let seed = 0; seed < 60; seed++) {
    const { ledger, now, wait } = create(seed, { losses: () => ({ before: 0.3, during: 0.3, after: 0.3 }) })
    const payment = samplePayment(now())
    const answer = await ledger.commit(inserting(payment)).then(
      () => "told",
      (error: NodeJS.ErrnoException) => error.code,
    )
    const atOnce = ledger.contents.payments().length
    await wait(100)
    seen.add(`${answer} ${atOnce} ${ledger.contents.payments().length}`)
  }
  // Never happened; happened unseen; happened after the caller had given up; happened and told.
  assert.deepEqual([...seen].toSorted(), ["ECONNRESET 0 0", "ECONNRESET 0 1", "ECONNRESET 1 1", "told 1 1"])
})

test("the same seed gives the same history", async () => {
  const history = async (): Promise<string> => {
    const { ledger, now } = create(7, {
      slow: { probability: 0.2, latencyMs: 40 },
      losses: () => ({ before: 0.1, during: 0.1, after: 0.1 }),
    })
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, async (_, i) => {
        const payment = samplePayment(now())
        await ledger.commit(inserting(payment, { events: [sampleEvent(payment, now(), { type: `first.${i}` })] }))
        const change = changing(payment, {}, { events: [sampleEvent(payment, now(), { type: `second.${i}` })] })
        return (await ledger.commit(change)).kind
      }),
    )
    const events = ledger.contents.events().map((e) => [e.position.transaction, e.type])
    return JSON.stringify([results.map((r) => r.status), events, now()])
  }
  assert.equal(await history(), await history())
})
