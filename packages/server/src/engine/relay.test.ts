import assert from "node:assert/strict"
import { test } from "node:test"
import { World } from "../../sim/world.ts"
import type { EventHead } from "../storage/ledger/ledger.ts"
import { createMemoryLedger, type MemoryLedger, type MemoryOptions } from "../storage/ledger/memory.ts"
import { changing, inserting, sampleEvent, samplePayment } from "../storage/ledger/sample.ts"
import { RELAY_BATCH, relayOnce, runRelay, type RelayEngine, type RelayLease, type Sink } from "./relay.ts"

const silent = { info: () => {}, warn: () => {}, error: () => {} }

function worldOf(
  seed: number,
  options: MemoryOptions = {},
): { readonly world: World; readonly ledger: MemoryLedger; readonly engine: RelayEngine } {
  const world = new World(seed)
  const clock = {
    now: () => world.now,
    sleep: (ms: number) => world.sleep(ms),
    after: (ms: number, then: () => void) => world.after(ms, then),
  }
  const ledger = createMemoryLedger({ ...clock, random: world.random }, options)
  const chance = { random: world.random, bytes: (count: number) => world.bytes(count) }
  return { world, ledger, engine: { clock, chance, log: silent, ledger } }
}

const leaseOf = (owner: string, leaseMs = 5_000): RelayLease => ({ name: "outbox", owner, leaseMs })

/** Remembers what it was given, in the order of its first arrival. */
function memorySink(name: string, before: () => Promise<void> = async () => {}) {
  const order: EventHead[] = []
  const times = new Map<string, number>()
  const sink: Sink = {
    name,
    accept: async (events) => {
      await before()
      for (const event of events) {
        if (!times.has(event.id)) order.push(event)
        times.set(event.id, (times.get(event.id) ?? 0) + 1)
      }
    },
  }
  return { sink, order, times }
}

/** Commits payments and changes of them, some of which come late. */
async function trade(world: World, ledger: MemoryLedger, payments: number): Promise<void> {
  const one = async (): Promise<void> => {
    await world.sleep(world.int(0, 20_000))
    const payment = samplePayment(world.now)
    const commit = async (value: Parameters<MemoryLedger["commit"]>[0]): Promise<void> => {
      for (;;) {
        try {
          await ledger.commit(value)
          return
        } catch {
          await world.sleep(10)
        }
      }
    }
    await commit(inserting(payment, { events: [sampleEvent(payment, world.now), sampleEvent(payment, world.now)] }))
    await world.sleep(world.int(0, 200))
    await commit(changing(payment, { updatedAt: world.now }))
  }
  await Promise.all(Array.from({ length: payments }, one))
}

const storms: readonly MemoryOptions[] = [
  {},
  { slow: { probability: 0.2, latencyMs: 3_000 } },
  {
    slow: { probability: 0.2, latencyMs: 500 },
    losses: () => ({ before: 0.05, during: 0.05, after: 0.05 }),
  },
]
for (const [index, options] of storms.entries())
  test(`no event is skipped, with two nodes, late commits, failing sinks and lost connections (weather ${index})`, async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const { world, ledger, engine } = worldOf(seed, options)
      const shaky = async (): Promise<void> => {
        await world.sleep(world.int(0, world.chance(0.05) ? 8_000 : 50))
        if (world.chance(0.1)) throw new Error("the sink is away")
      }
      const one = memorySink("one", shaky)
      const two = memorySink("two", shaky)
      const relays = ["a", "b"].map((owner) => runRelay(engine, [one.sink, two.sink], leaseOf(owner)))
      const trading = trade(world, ledger, 40)
      await world.run(world.now + 300_000)
      await trading
      for (const relay of relays) void relay.stop()
      const all = ledger.contents.events().map((event) => event.id)
      assert.ok(all.length >= 120)
      for (const { times } of [one, two])
        assert.deepEqual(
          all.filter((id) => !times.has(id)),
          [],
          `seed ${seed}`,
        )
    }
  })

test("one node hands events over in log order, also when some commit late", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { world, ledger, engine } = worldOf(seed, { slow: { probability: 0.3, latencyMs: 2_000 } })
    const { sink, order } = memorySink("one")
    const relay = runRelay(engine, [sink], leaseOf("a"))
    const trading = trade(world, ledger, 40)
    await world.run(world.now + 60_000)
    await trading
    void relay.stop()
    assert.deepEqual(
      order.map((event) => event.id),
      ledger.contents.events().map((event) => event.id),
      `seed ${seed}`,
    )
  }
})

/** Runs the world until the work is done, and gives its result. */
async function done<T>(world: World, work: Promise<T>): Promise<T> {
  await world.run(world.now + 600_000)
  return work
}

async function withEvents(seed: number, count: number) {
  const made = worldOf(seed)
  const payment = samplePayment(made.world.now)
  const events = Array.from({ length: count }, () => sampleEvent(payment, made.world.now))
  await done(made.world, made.ledger.commit(inserting(payment, { events })))
  return made
}

test("while a sink fails the cursor stays, and the others see the same events again", async () => {
  const { world, engine, ledger } = await withEvents(1, 3)
  let healthy = false
  const good = memorySink("good")
  const bad = memorySink("bad", async () => {
    if (!healthy) throw new Error("away")
  })
  const relay = (): Promise<number> => done(world, relayOnce(engine, [good.sink, bad.sink], leaseOf("a", 60_000)))
  const refused = assert.rejects(relayOnce(engine, [good.sink, bad.sink], leaseOf("a", 60_000)), /sink bad failed/)
  await world.run(world.now + 1_000)
  await refused
  assert.equal(await done(world, ledger.cursor("outbox")), undefined)
  healthy = true
  assert.equal(await relay(), 3)
  assert.deepEqual([...good.times.values()], [2, 2, 2])
  assert.deepEqual([...bad.times.values()], [1, 1, 1])
  assert.equal(await relay(), 0)
})

test("a batch is bounded, and the rest follows", async () => {
  const { world, engine } = await withEvents(1, RELAY_BATCH + 5)
  const { sink, order } = memorySink("one")
  assert.equal(await done(world, relayOnce(engine, [sink], leaseOf("a", 3_600_000))), RELAY_BATCH)
  assert.equal(order.length, RELAY_BATCH)
  assert.equal(await done(world, relayOnce(engine, [sink], leaseOf("a", 3_600_000))), 5)
})

test("a node without the lease reads nothing, and takes over when it has run out", async () => {
  const { world, engine, ledger } = await withEvents(1, 2)
  const { sink, order } = memorySink("one")
  assert.equal(await done(world, ledger.takeLease("outbox", "a", 1_000_000)), true)
  assert.equal(await done(world, relayOnce(engine, [sink], leaseOf("b"))), 0)
  assert.equal(order.length, 0)
  await world.run(world.now + 1_000_000)
  assert.equal(await done(world, relayOnce(engine, [sink], leaseOf("b"))), 2)
})

test("a node that lost its lease while its sink was slow does not move the cursor back", async () => {
  const { world, engine, ledger } = await withEvents(1, 2)
  const slow = memorySink("slow", () => world.sleep(60_000))
  const late = relayOnce(engine, [slow.sink], leaseOf("a", 1_000))
  await world.run(world.now + 10_000)
  const quick = memorySink("quick")
  const taken = relayOnce(engine, [quick.sink], leaseOf("b", 1_000_000))
  await world.run(world.now + 10_000)
  assert.equal(await taken, 2)
  const cursor = ledger.cursor("outbox")
  await world.run(world.now + 600_000)
  assert.equal(await late, 0)
  assert.deepEqual(await done(world, ledger.cursor("outbox")), await cursor)
})

test("a hint makes the relay look at once", async () => {
  const { world, engine, ledger } = worldOf(1)
  const { sink, order } = memorySink("one")
  const relay = runRelay(engine, [sink], leaseOf("a", 10_000_000), 3_600_000)
  await world.run(world.now + 1_000)
  const payment = samplePayment(world.now)
  const committed = ledger.commit(inserting(payment))
  await world.run(world.now + 1_000)
  await committed
  assert.equal(order.length, 0)
  relay.wake()
  await new Promise((resolve) => setImmediate(resolve))
  await world.run(world.now + 1_000)
  assert.equal(order.length, 1)
  void relay.stop()
})

test("a relay that finds nothing renews its lease, but not at every look, and another node takes over when it stops", async () => {
  const { world, engine } = worldOf(1)
  let taken = 0
  const ledger: RelayEngine["ledger"] = {
    ...engine.ledger,
    takeLease: (...lease) => {
      taken += 1
      return engine.ledger.takeLease(...lease)
    },
  }
  const { sink } = memorySink("one")
  const relay = runRelay({ ...engine, ledger }, [sink], leaseOf("a", 10_000), 100)
  await world.run(world.now + 60_000)
  assert.equal(taken, 12)
  assert.equal(await done(world, engine.ledger.takeLease("outbox", "b", 1)), false)
  void relay.stop()
  await world.run(world.now + 600_000)
  assert.equal(await done(world, engine.ledger.takeLease("outbox", "b", 1)), true)
})
