// The feed under crashes that a process cannot choose: before and after the commit of a batch, and while facts are built.
// The engine and its payments are real, in simulated time; the store is DuckDB.

import assert from "node:assert/strict"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { setTimeout as soon } from "node:timers/promises"
import fc from "fast-check"
import { accountAt, MERCHANT, scripted, type Reply, type Scripted } from "../../testing/scripted.ts"
import type { PaymentId } from "../core/id.ts"
import type { Fact, FactName } from "../insight/facts.ts"
import { openDuckFacts } from "../storage/facts/duckdb.ts"
import type { FactStore } from "../storage/facts/fact-store.ts"
import { buildFacts, feedOnce, type FactFeed, type PaymentSource } from "./fact-feed.ts"

const dir = mkdtempSync(join(tmpdir(), "feed-"))
const [store, anew] = await Promise.all(["one", "two"].map((name) => openDuckFacts({ dir: join(dir, name) })))
after(async () => {
  await store!.close()
  await anew!.close()
  rmSync(dir, { recursive: true, force: true })
})

const authorised: Reply = { body: { pspReference: "PSP", resultCode: "Authorised" } }
const refused: Reply = {
  body: { pspReference: "PSP", resultCode: "Refused", refusalReasonCode: "9", refusalReason: "no" },
}

/** All of the world's payments. */
function sourceOf({ ledger }: Scripted): PaymentSource {
  const all = () =>
    ledger.contents
      .payments()
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((payment) => ({
        payment,
        calls: ledger.contents
          .transcripts()
          .filter(({ operation }) => payment.operations.some(({ id }) => id === operation))
          .map(({ operation, durationMs }) => ({ operation: operation as string, durationMs })),
      }))
  return {
    load: (keys) => Promise.resolve(all().filter(({ payment }) => keys.some((key) => key.payment === payment.id))),
    next: (key, limit) =>
      Promise.resolve(
        all()
          .filter(({ payment }) => key === undefined || payment.id > key.payment)
          .slice(0, limit),
      ),
    estimate: () => Promise.resolve(all().length),
  }
}
const feedOf = (world: Scripted, into: FactStore): FactFeed => ({
  ...world.engine,
  store: into,
  payments: sourceOf(world),
})

const replies = fc.constantFrom<Reply>(authorised, refused, "silence", "refused")
const crashes = fc.constantFrom("none", "before", "after")

test("whatever crashes, and however often a batch comes again, the facts are those of the payments", async () => {
  await fc.assert(
    fc.asyncProperty(
      replies,
      replies,
      fc.array(crashes, { minLength: 4, maxLength: 8 }),
      async (first, second, plan) => {
        const world = scripted([accountAt("first"), accountAt("second")], ({ account }) =>
          account === "first" ? first : second,
        )
        await store!.clear()
        for (const crash of plan) {
          world.pay()
          await world.pass(crash === "none" ? 40_000 : 200, 10_000)
          await fed(world, crashing(store!, crash)).catch((error: unknown) => assert.match(String(error), /crash/))
        }
        await world.pass(40 * 86_400_000, 3_600_000)
        await fed(world, store!)
        await inTime(world, () => buildFacts(feedOf(world, anew!), () => {}))
        const ids = world.ledger.contents.payments().map(({ id }) => id)
        assert.equal(ids.length, plan.length)
        assert.deepEqual(await told(store!, ids), await told(anew!, ids))
        for (const fact of ["attempt", "payment"] as const)
          assert.deepEqual(await totals(store!, fact), await totals(anew!, fact))
      },
    ),
    { numRuns: 8 },
  )
})

test("a build that is stopped half-way leaves no cursor, and the next one is whole", async () => {
  const world = scripted([accountAt("first")], () => authorised)
  for (let i = 0; i < 3; i++) world.pay()
  await world.pass(60_000)
  await fed(world, store!)
  let looks = 0
  const built = (isStopping?: () => boolean) =>
    inTime(world, () => buildFacts(feedOf(world, store!), () => {}, isStopping))
  assert.equal(await built(() => (looks += 1) > 1), false)
  assert.equal(await store!.cursor(), undefined)
  assert.equal(await built(), true)
  assert.notEqual(await store!.cursor(), undefined)
  assert.equal((await inTime(world, () => feedOnce(feedOf(world, store!)))).rows, 0, "nothing is new after a build")
  assert.equal((await store!.current(world.ledger.contents.payments().map(({ id }) => id))).size, 3)
})

/** The log read to its end. */
async function fed(world: Scripted, into: FactStore): Promise<void> {
  const feed = feedOf(world, into)
  await inTime(world, async () => {
    while ((await feedOnce(feed)).full);
  })
}

/** The ledger's answers take simulated time, the store's real time: both go on until the work is done. */
async function inTime<T>({ world }: Scripted, work: () => Promise<T>): Promise<T> {
  let done = false
  const result = work().finally(() => (done = true))
  result.catch(() => {})
  while (!done) {
    await world.run(world.now + 5)
    await soon(1)
  }
  return result
}

function crashing(into: FactStore, when: "none" | "before" | "after"): FactStore {
  return {
    ...into,
    append: async (rows, cursor) => {
      if (when === "before") throw new Error("crash before the commit")
      await into.append(rows, cursor)
      if (when === "after") throw new Error("crash after the commit")
    },
  }
}

const versionless = ({ version: _version, ...fact }: Fact<FactName>) => fact

async function told(from: FactStore, ids: readonly PaymentId[]) {
  const current = await from.current(ids)
  return ids.map((id) => {
    const facts = current.get(id)
    return facts === undefined ? undefined : [...facts.attempts, facts.payment].map(versionless)
  })
}

async function totals(from: FactStore, fact: FactName) {
  const settled = fact === "attempt" ? ["attempts", "settled", "approved"] : ["payments", "settled", "approved"]
  return from.sums({
    fact,
    sums: [...settled, "amount", "approved_amount"],
    times: fact === "attempt" ? ["provider_time", "settle_time"] : ["authorization_time"],
    groupBy: ["account", "fault"],
    filter: [{ dimension: "merchant", among: [MERCHANT] }],
    from: 0,
    to: 100_000_000,
    step: 60,
  })
}
