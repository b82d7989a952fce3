import assert from "node:assert/strict"
import { test } from "node:test"
import { accountAt } from "../../testing/scripted.ts"
import type { MerchantId } from "../core/id.ts"
import { createReadings, MAX_AT_ONCE, type ReadingEngine } from "./harmless-read.ts"

test("however many accounts never answer, everybody is asked in turn, and one that cannot be asked holds up nobody", async () => {
  const accounts = Array.from({ length: 2 * MAX_AT_ONCE }, (_, i) => accountAt(`acc_${i}`))
  const asked: string[] = []
  let now = 1_000
  const came: string[] = []
  const engine = {
    transport: {
      send: (origin: string) => {
        asked.push(origin)
        if (origin === accounts[0]!.origin) throw new TypeError("a bug")
        return Promise.resolve({ kind: "not_sent", code: "ETIMEDOUT" })
      },
    },
    clock: { now: () => now },
    log: { error: () => {} },
    directory: { account: (id: string) => accounts.find((account) => account.id === id) },
    // What never answers is wanted again before the others had their turn.
    signals: { shelves: () => [{ signals: { wantsRead: () => accounts.map(({ id }) => id) } }] },
    sharing: {
      readCame: ({ account }: { account: string }) => void came.push(account),
      isSick: () => false,
      sickAt: () => [],
    },
  } as unknown as ReadingEngine
  const read = createReadings(engine)
  for (let steps = 0; steps < 2; steps++) {
    assert.equal(await read(), true)
    now += 15_000
  }
  assert.equal(new Set(asked).size, accounts.length)
  assert.equal(came.length, accounts.length - 1)
})

test("a sick node asks any provider, as those that did not answer may be down themselves", async () => {
  const [down, well] = [accountAt("acc_down"), accountAt("acc_well", undefined, { merchant: "mer_1" as MerchantId })]
  const came: [string, boolean][] = []
  const engine = {
    transport: {
      send: (origin: string) =>
        Promise.resolve(
          origin === down.origin
            ? { kind: "not_sent", code: "ECONNREFUSED" }
            : { kind: "answered", response: { status: 200, headers: {}, body: "{}" } },
        ),
    },
    clock: { now: () => 1_000 },
    directory: { account: (id: string) => [down, well].find((account) => account.id === id) },
    signals: { shelves: () => [{ accounts: [well], signals: { wantsRead: () => [] } }] },
    sharing: {
      readCame: ({ account }: { account: string }, _ok: boolean, answered: boolean) =>
        void came.push([account, answered]),
      isSick: () => true,
      sickAt: () => [down.id],
    },
  } as unknown as ReadingEngine
  await createReadings(engine)()
  assert.deepEqual(Object.fromEntries(came), { acc_down: false, acc_well: true })
})

test("a provider that refuses the key is up: a key that may pay and not read must come back, too", async () => {
  const account = accountAt("acc_a")
  const upAt = async (status: number): Promise<boolean | undefined> => {
    let up: boolean | undefined
    const engine = {
      transport: {
        send: () => Promise.resolve({ kind: "answered", response: { status, headers: {}, body: "{}" } }),
      },
      clock: { now: () => 1_000 },
      directory: { account: () => account },
      signals: { shelves: () => [{ signals: { wantsRead: () => [account.id] } }] },
      sharing: { readCame: (_owner: unknown, ok: boolean) => void (up = ok), isSick: () => false, sickAt: () => [] },
    } as unknown as ReadingEngine
    await createReadings(engine)()
    return up
  }
  assert.deepEqual(await Promise.all([401, 403, 429, 500].map(upAt)), [true, true, false, false])
})
