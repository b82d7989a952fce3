// Nodes that share what they learn, on the simulation's store in simulated time: step by step, without loops.

import assert from "node:assert/strict"
import { describe, test } from "node:test"
import { accountAt, MERCHANT } from "../../testing/scripted.ts"
import { World } from "../../sim/world.ts"
import { connectors } from "../connectors/registry.ts"
import { parseCurrency } from "../core/currency.ts"
import { makeId, type AccountId, type MerchantId, type PolicyId, type SignalBatchId } from "../core/id.ts"
import type { Payment } from "../core/payment.ts"
import type { Outcome } from "../core/outcome.ts"
import type { Policy } from "../routing/policy.ts"
import { createMemorySignals } from "../storage/resources/signal-store-memory.ts"
import type { SignalStore } from "../storage/resources/signal-store.ts"
import type { Account, Directory } from "./engine.ts"
import { readSignalDocument } from "./signal-document.ts"
import { createSignalSharing, MAX_BUFFERED, START_MS } from "./signal-sharing.ts"
import { createRoutingSignals } from "./signals.ts"

const owner = { merchant: MERCHANT, mode: "test" } as const

function town(policy?: Policy) {
  const world = new World(1)
  let lost = false
  const store = createMemorySignals(
    { now: () => world.now, random: world.random, sleep: (ms) => world.sleep(ms) },
    () => ({
      before: lost ? 1 : 0,
      during: 0,
      after: 0,
    }),
  )
  let accounts: readonly Account[] = [accountAt("acc_a", connectors.adyen), accountAt("acc_b", connectors.checkout)]
  const directory: Directory = {
    account: (id) => accounts.find((account) => account.id === id),
    accounts: () => accounts,
    policy: () => policy,
    activePolicy: () => policy,
    shadow: () => undefined,
  }
  const errors: string[] = []
  const ports = {
    clock: {
      now: () => world.now,
      sleep: (ms: number) => world.sleep(ms),
      after: (ms: number, then: () => void) => world.after(ms, then),
    },
    chance: { random: world.random, bytes: (count: number) => world.bytes(count) },
    log: { info: () => {}, warn: () => {}, error: (_fields: object, message: string) => void errors.push(message) },
  }
  /** Lets simulated time pass until it is done. */
  const during = async <T>(work: Promise<T>): Promise<T> => {
    let done = false
    const ended = work.finally(() => (done = true))
    ended.catch(() => {})
    for (let steps = 0; !done && steps < 10_000; steps++) await world.run(world.now + 10)
    return ended
  }
  const node = (name: string, at: SignalStore = store) => {
    const signals = createRoutingSignals({ ...ports, directory })
    const sharing = createSignalSharing({ ...ports, node: name, store: at, directory, signals })
    return { signals, sharing, start: () => during(sharing.start()), share: () => during(sharing.write()) }
  }
  return {
    world,
    store,
    errors,
    during,
    node,
    loseDatabase: (away: boolean) => void (lost = away),
    addAccount: (id: string) => void (accounts = [...accounts, accountAt(id)]),
    /** One payment's first attempt, as two commits. */
    attempt: (at: ReturnType<typeof node>, account: string, outcome: Outcome): void => {
      const made = attempted(world, account)
      at.signals.committed(undefined, made)
      const [attempt] = made.attempts
      at.signals.committed(made, {
        ...made,
        attempts: [{ ...attempt!, state: outcome.kind === "approved" ? "held" : "not_sent", outcome }],
      })
    },
  }
}

function attempted(world: World, account: string): Payment {
  const amount = { minor: 1_000n, currency: parseCurrency("EUR")! }
  return {
    id: makeId("pay", world.now, world.bytes(16)),
    ...owner,
    version: 1,
    intent: {
      amount,
      capture: "manual",
      store: false,
      initiator: { by: "customer", stored: "none" },
      threeDs: { mode: "automatic" },
      allowPartial: false,
      answerWithinMs: 25_000,
      metadata: {},
    },
    requested: amount.minor,
    attempts: [
      {
        id: makeId("att", world.now, world.bytes(16)),
        ordinal: 1,
        account: account as AccountId,
        connector: "adyen",
        state: "open",
        startedAt: world.now,
        authorized: 0n,
        captured: 0n,
        refunded: 0n,
        released: false,
        evidence: {},
        decision: { chosen: ["acc_a", "acc_b"] },
      },
    ],
    operations: [],
    disputes: [],
    plan: { state: "running" },
    createdAt: world.now,
    updatedAt: world.now,
  }
}

const raw = { code: "x" }
const down: Outcome = { kind: "not_sent", raw: { code: "ECONNREFUSED" }, evidence: {} }
const paid: Outcome = { kind: "approved", effect: "authorized", amount: 1_000n, raw, evidence: {} }
type Node = ReturnType<ReturnType<typeof town>["node"]>
const stateOf = (node: Node, account: string, world: World): string | undefined =>
  node.signals.shelfOf(owner).signals.overall(account, world.now)?.state

describe("nodes that share what they learn", () => {
  test("know of an account that is down by another's attempts alone, and one of them notes it", async () => {
    const { world, node, during, store, attempt } = town()
    const [one, two] = [node("one"), node("two")]
    await one.start()
    await two.start()
    for (let i = 0; i < 30; i++) attempt(one, "acc_b", paid)
    for (let i = 0; i < 6; i++) attempt(one, "acc_a", down)
    assert.equal(stateOf(one, "acc_a", world), "ejected")
    assert.equal(stateOf(two, "acc_a", world), "healthy")
    await one.share()
    await during(two.sharing.catchUp())
    assert.equal(stateOf(two, "acc_a", world), "ejected")
    await two.share()
    const ejections = store.contents.changes().filter(({ to }) => to === "ejected")
    assert.equal(ejections.length, 1)
    assert.equal(ejections[0]?.event?.type, "account.ejected")
    // What comes back by the log is one's own.
    const before = JSON.stringify(one.signals.shelfOf(owner).signals.overall("acc_a", world.now))
    await during(one.sharing.catchUp())
    assert.equal(JSON.stringify(one.signals.shelfOf(owner).signals.overall("acc_a", world.now)), before)
  })

  test("know after a restart what was learned before, and take in nothing twice", async () => {
    const { world, node, during, attempt } = town()
    const one = node("one")
    await one.start()
    for (let i = 0; i < 40; i++) attempt(one, i % 2 === 0 ? "acc_a" : "acc_b", i % 2 === 0 ? down : paid)
    await one.share()
    const again = node("again")
    await again.start()
    assert.equal(stateOf(again, "acc_a", world), "ejected")
    assert.equal(again.sharing.counts().replayed, 40)
    const rates = (): unknown => again.signals.live(MERCHANT, "test", ["acc_b" as AccountId])
    const before = JSON.stringify(rates())
    await during(again.sharing.catchUp())
    assert.equal(JSON.stringify(rates()), before)
  })

  test("lose nothing to a database that is away for a while, and tell it once", async () => {
    const { node, during, store, attempt, loseDatabase } = town()
    const one = node("one")
    await one.start()
    attempt(one, "acc_a", paid)
    loseDatabase(true)
    await assert.rejects(during(one.sharing.write()))
    attempt(one, "acc_a", paid)
    await assert.rejects(during(one.sharing.write()))
    loseDatabase(false)
    await one.share()
    await one.share()
    const told = store.contents.batches().reduce((sum, batch) => sum + batch.observations, 0)
    assert.equal(told, 2)
    assert.deepEqual(
      store.contents.volumes().map(({ account, payments }) => [account, payments]),
      [["acc_a", 2]],
    )
    assert.equal(one.sharing.counts().dropped, 0)
  })

  test("drop the oldest, and count it, where the database is away for too long", async () => {
    const { node, attempt } = town()
    const one = node("one")
    for (let i = 0; i < MAX_BUFFERED + 10; i++) attempt(one, "acc_a", paid)
    assert.ok(one.sharing.counts().dropped > 0)
  })

  test("learn anew with what is not written yet", async () => {
    const { world, node, during, attempt, addAccount } = town()
    const one = node("one")
    await one.start()
    for (let i = 0; i < 10; i++) attempt(one, "acc_b", paid)
    for (let i = 0; i < 5; i++) attempt(one, "acc_a", down)
    addAccount("acc_c")
    one.signals.shelfOf(owner)
    await during(one.sharing.renew())
    assert.equal(one.signals.shelfOf(owner).signals.knows("acc_c"), true)
    assert.equal(stateOf(one, "acc_a", world), "ejected")
  })

  test("learn anew for a new account while the old signals serve", async () => {
    const { world, node, during, attempt, addAccount } = town()
    const one = node("one")
    await one.start()
    for (let i = 0; i < 20; i++) attempt(one, "acc_a", down)
    await one.share()
    addAccount("acc_c")
    const old = one.signals.shelfOf(owner).signals
    assert.equal(old.knows("acc_c"), false)
    assert.equal(stateOf(one, "acc_a", world), "ejected")
    const renewing = one.sharing.renew()
    attempt(one, "acc_b", paid)
    await during(renewing)
    const made = one.signals.shelfOf(owner).signals
    assert.notEqual(made, old)
    assert.equal(made.knows("acc_c"), true)
    assert.equal(stateOf(one, "acc_a", world), "ejected")
  })
})

test("a batch that cannot be taken in is counted, and holds up none behind it", async () => {
  const { node, during, store, attempt, errors } = town()
  const [one, two] = [node("one"), node("two")]
  await one.start()
  await two.start()
  await during(
    store.write([
      { ...owner, id: "sig_0" as SignalBatchId, node: "x", at: 0, observations: 1, document: null, volumes: [] },
    ]),
  )
  for (let i = 0; i < 30; i++) attempt(one, "acc_a", paid)
  await one.share()
  await during(two.sharing.catchUp())
  assert.equal(two.sharing.counts().unreadable, 1)
  assert.equal(two.signals.live(MERCHANT, "test", ["acc_a" as AccountId])["acc_a"]?.successRate, 1)
  assert.deepEqual(errors, ["a batch of signals could not be taken in"])
})

test("a node serves after a minute, and reads what is left of the past beside it", async () => {
  const { world, node, during, store, attempt } = town()
  const one = node("one")
  await one.start()
  for (let i = 0; i < 10; i++) attempt(one, "acc_a", paid)
  await one.share()
  const owners = [{ ...owner, merchant: "mer_1" as MerchantId }, owner]
  const slow: typeof store = {
    ...store,
    owners: () => Promise.resolve(owners),
    recent: async (...asked) => {
      await world.sleep(START_MS)
      return store.recent(...asked)
    },
  }
  const two = node("two", slow)
  await two.start()
  assert.equal(two.sharing.counts().replayed, 0)
  assert.ok(two.sharing.counts().replayMs < 2 * START_MS)
  assert.equal(await during(two.sharing.renew()), true)
  assert.equal(two.sharing.counts().replayed, 10)
})

describe("a node that no provider answers", () => {
  test("is not one whose providers refuse what it sends, be it before money could move", async () => {
    const { node, attempt } = town()
    const one = node("one")
    await one.start()
    const refused: Outcome = {
      kind: "rejected",
      fault: "theirs",
      reason: "provider_error",
      executed: "no",
      raw,
      evidence: {},
    }
    for (let i = 0; i < 12; i++) attempt(one, i % 2 === 0 ? "acc_a" : "acc_b", refused)
    assert.equal(one.sharing.isSick(), false)
  })

  test("blames nobody, shares nothing, says so once, and is well again with the first answer", async () => {
    const { world, node, store, errors, attempt } = town()
    const one = node("one")
    await one.start()
    for (let i = 0; i < 12; i++) attempt(one, i % 2 === 0 ? "acc_a" : "acc_b", down)
    assert.equal(one.sharing.isSick(), true)
    assert.deepEqual(errors, ["no provider answers this node: it takes no traffic and shares nothing"])
    assert.notEqual(stateOf(one, "acc_a", world), "ejected")
    await one.share()
    const before = store.contents.batches().length
    attempt(one, "acc_a", down)
    await one.share()
    const told = store.contents.batches().slice(before)
    assert.equal(told.flatMap(({ document }) => readSignalDocument(document)?.observations ?? []).length, 0)
    one.sharing.readCame({ ...owner, account: "acc_b" as AccountId }, true, true)
    assert.equal(one.sharing.isSick(), false)
  })
})

test("a cap is known on every node, and after a restart", async () => {
  const policy: Policy = {
    id: "pol_0" as PolicyId,
    version: 1,
    rules: [{ name: "all", when: { all: [] }, strategy: { kind: "ordered", accounts: ["acc_a", "acc_b"] } }],
    commitments: [{ account: "acc_a" as AccountId, maxVolume: 3 }],
  }
  const { node, during, attempt } = town(policy)
  const [one, two] = [node("one"), node("two")]
  await one.start()
  await two.start()
  for (let i = 0; i < 3; i++) attempt(one, "acc_a", paid)
  assert.deepEqual(one.signals.capped(MERCHANT, "test"), ["acc_a"])
  assert.deepEqual(two.signals.capped(MERCHANT, "test"), [])
  await one.share()
  await during(two.sharing.catchUp())
  assert.deepEqual(two.signals.capped(MERCHANT, "test"), ["acc_a"])
  const again = node("again")
  await again.start()
  assert.deepEqual(again.signals.capped(MERCHANT, "test"), ["acc_a"])
  assert.deepEqual(again.signals.live(MERCHANT, "test", ["acc_a" as AccountId])["acc_a"]?.capLeft, 0)
})
