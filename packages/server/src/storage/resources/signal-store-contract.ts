// What every store of signals must do, as one suite: it runs on the simulation's store and on a real PostgreSQL.

import assert from "node:assert/strict"
import { test } from "node:test"
import { makeId, type AccountId, type MerchantId } from "../../core/id.ts"
import {
  HEALTH_SETTLES_MS,
  type HealthNote,
  type SignalBatch,
  type SignalStore,
  type StoredBatch,
} from "./signal-store.ts"

export type StoreUnderTest = { readonly store: SignalStore; readonly close: () => Promise<void> }

const merchant = "mer_0" as MerchantId
const account = "acc_a" as AccountId
const owner = { merchant, mode: "test" } as const
const T = 1_800_000_000_000

export function signalStoreContract(name: string, create: () => Promise<StoreUnderTest>): void {
  const it = (behaviour: string, body: (store: SignalStore) => Promise<void>): void =>
    void test(`${name}: ${behaviour}`, async () => {
      const { store, close } = await create()
      try {
        await body(store)
      } finally {
        await close()
      }
    })

  let made = 0
  const bytes = (): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => (i === 15 ? (made += 1) : i))
  const batch = (at: number, more: Partial<SignalBatch> = {}): SignalBatch => ({
    ...owner,
    id: makeId("sig", at, bytes()),
    node: "n0",
    at,
    observations: 2,
    document: { list: [1, "two", null] },
    volumes: [],
    ...more,
  })
  const bare = ({ volumes: _volumes, ...rest }: SignalBatch): Omit<SignalBatch, "volumes"> => rest
  const plain = ({ transaction: _transaction, ...rest }: StoredBatch): Omit<StoredBatch, "transaction"> => rest
  const note = (from: string, to: string, at: number, more: Partial<HealthNote> = {}): HealthNote => ({
    ...owner,
    id: makeId("rch", at, bytes()),
    account,
    scope: "all",
    from,
    to,
    at,
    document: { why: "threshold" },
    ...more,
  })

  it("a batch comes out as it went in, after the place where one began to read, and only once", async (store) => {
    await store.write([batch(T)])
    const end = await store.end()
    assert.deepEqual(await store.after(end, 10), [])
    const [one, two] = [batch(T + 1), batch(T + 2, { mode: "live", node: "n1" })]
    await store.write([one])
    await store.write([two])
    const found = await store.after(end, 10)
    assert.deepEqual(found.map(plain), [one, two].map(bare))
    const { transaction, id } = found[0]!
    assert.deepEqual((await store.after({ transaction, id }, 10)).map(plain), [bare(two)])
    assert.equal((await store.after(end, 1)).length, 1)
  })

  it("readers that follow the log while batches race see each of them once", async (store) => {
    let place = await store.end()
    const seen: string[] = []
    const read = async (): Promise<void> => {
      for (;;) {
        const page = await store.after(place, 3)
        seen.push(...page.map(({ id }) => id))
        const last = page.at(-1)
        if (last === undefined) return
        place = { transaction: last.transaction, id: last.id }
      }
    }
    let writing = true
    const writers = Promise.all(
      Array.from({ length: 6 }, async (_, writer) => {
        for (let i = 0; i < 10; i++) await store.write([batch(T + i, { node: `n${writer}` })])
      }),
    ).finally(() => (writing = false))
    while (writing) await read()
    await writers
    await read()
    assert.equal(seen.length, 60)
    assert.equal(new Set(seen).size, 60)
  })

  it("a batch that is written again adds nothing, neither itself nor its volumes", async (store) => {
    const end = await store.end()
    const volumes = [{ account, month: "2026-12", payments: 3, amount: 120.5 }]
    const one = batch(T, { volumes })
    await store.write([one])
    await store.write([one, batch(T + 1, { volumes })])
    assert.equal((await store.after(end, 10)).length, 2)
    assert.deepEqual(await store.volumes(owner, "2026-12"), [{ account, month: "2026-12", payments: 6, amount: 241 }])
    assert.deepEqual(await store.volumes(owner, "2027-01"), [])
    assert.deepEqual(await store.volumes({ merchant, mode: "live" }, "2026-12"), [])
  })

  it("the recent batches of one merchant and mode are read backwards, page by page", async (store) => {
    const batches = [0, 1, 2, 3, 4].map((i) => batch(T + i * 1_000))
    await store.write([...batches, batch(T, { mode: "live" }), batch(T, { merchant: "mer_1" as MerchantId })])
    const first = await store.recent(owner, T + 1_000, undefined, 3)
    assert.deepEqual(
      first.map(plain),
      [4, 3, 2].map((i) => bare(batches[i]!)),
    )
    const rest = await store.recent(owner, T + 1_000, first.at(-1)!.id, 3)
    assert.deepEqual(rest.map(plain), [bare(batches[1]!)])
  })

  it("owners are those with batches since then", async (store) => {
    const other = "mer_1" as MerchantId
    await store.write([batch(T), batch(T + 10), batch(T + 10, { mode: "live" }), batch(T - 1, { merchant: other })])
    const found = (await store.owners(T, 10)).map((one) => `${one.merchant} ${one.mode}`).toSorted()
    assert.deepEqual(found, ["mer_0 live", "mer_0 test"])
    assert.equal((await store.owners(T - 1, 10)).length, 3)
    assert.equal((await store.owners(T - 1, 2)).length, 2)
  })

  it("of several nodes that come to one conclusion, one makes a change of it", async (store) => {
    assert.deepEqual(
      (await Promise.all([0, 1, 2].map((ms) => store.noteHealth(note("healthy", "suspect", T + ms))))).filter(Boolean)
        .length,
      1,
    )
    assert.equal(await store.noteHealth(note("suspect", "ejected", T + 100)), true)
    // A node that lags behind tells the old story.
    assert.equal(await store.noteHealth(note("healthy", "suspect", T + 200)), false)
    assert.equal(await store.noteHealth(note("suspect", "ejected", T + 201)), false)
    assert.equal(await store.noteHealth(note("healthy", "suspect", T + 300, { scope: "country:DE" })), true)
    const states = await store.health(owner)
    assert.deepEqual(
      states.map(({ scope, state }) => [scope, state]),
      [
        ["all", "ejected"],
        ["country:DE", "suspect"],
      ],
    )
    const { rows, next } = await store.changes(owner, { limit: 2 })
    assert.deepEqual(
      rows.map(({ scope, from, to }) => [scope, from, to]),
      [
        ["country:DE", "healthy", "suspect"],
        ["all", "suspect", "ejected"],
      ],
    )
    const rest = await store.changes(owner, { limit: 2, cursor: next! })
    assert.deepEqual(
      rest.rows.map(({ to, document }) => [to, document]),
      [["suspect", { why: "threshold" }]],
    )
    assert.equal(rest.next, undefined)
  })

  it("what was told long ago is no hindrance to a node that knows another past", async (store) => {
    assert.equal(await store.noteHealth(note("suspect", "ejected", T)), false, "and nothing comes from nowhere")
    await store.noteHealth(note("healthy", "suspect", T))
    assert.equal(await store.noteHealth(note("returning", "ejected", T + 1)), false)
    assert.equal(await store.noteHealth(note("returning", "ejected", T + HEALTH_SETTLES_MS + 1)), true)
  })
}
