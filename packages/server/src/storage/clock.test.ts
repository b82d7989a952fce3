import assert from "node:assert/strict"
import { test } from "node:test"
import { calibratedClock } from "./clock.ts"
import type { Database, Query } from "./database.ts"
import { freshDatabase } from "../../testing/pools.ts"

/** A database whose clock is `ahead` of ours and whose answers take `there` and `back`. */
function distantDatabase(local: { now: number }, ahead: () => number, delays: readonly (readonly [number, number])[]) {
  let asked = 0
  const query = (async () => {
    const [there, back] = delays[asked++ % delays.length] ?? [0, 0]
    local.now += there
    const now = local.now + ahead()
    local.now += back
    return [{ now }]
  }) as unknown as Query
  return { query, session: () => assert.fail(), close: async () => {} } satisfies Database
}

test("the offset is known to within half of the quickest answer's way", async () => {
  const local = { now: 1_000_000 }
  const database = distantDatabase(local, () => 5_000, [
    [90, 10],
    [2, 4],
    [40, 300],
  ])
  const clock = await calibratedClock(database, () => local.now)
  assert.ok(Math.abs(clock.offsetMs() - 5_000) <= 3, String(clock.offsetMs()))
  assert.ok(clock.errorMs() >= Math.abs(clock.offsetMs() - 5_000))
  assert.ok(Number.isInteger(clock.offsetMs()))
})

test("time does not shiver with the network, but follows a clock that was set", async () => {
  const local = { now: 0 }
  let ahead = 700
  const database = distantDatabase(local, () => ahead, [
    [5, 1],
    [1, 5],
    [9, 9],
  ])
  const clock = await calibratedClock(database, () => local.now)
  const first = clock.offsetMs()
  for (let i = 0; i < 7; i++) {
    await clock.calibrate()
    assert.equal(clock.offsetMs(), first)
  }
  ahead = -60_000
  await clock.calibrate()
  assert.ok(Math.abs(clock.offsetMs() + 60_000) <= 4)
})

test("against a real database the nodes' clocks agree", async () => {
  const database = (await freshDatabase()).open()
  const [right, wrong] = await Promise.all([
    calibratedClock(database, () => Date.now()),
    calibratedClock(database, () => Date.now() - 3_600_000),
  ])
  const difference = Math.abs(wrong.offsetMs() - right.offsetMs() - 3_600_000)
  assert.ok(difference <= right.errorMs() + wrong.errorMs() + 1, String(difference))
  await database.close()
})
