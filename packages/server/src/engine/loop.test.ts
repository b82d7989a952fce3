import assert from "node:assert/strict"
import { test } from "node:test"
import type { Ports } from "../ports.ts"
import { runLoop } from "./loop.ts"

/** A clock that only moves when it is told to, and knows what is waited for. */
function handClock(): { readonly ports: Ports; readonly rests: number[]; readonly pass: () => Promise<void> } {
  const rests: number[] = []
  let waiting: (() => void) | undefined
  const ports: Ports = {
    clock: {
      now: () => 0,
      sleep: async () => {},
      after: (ms, then) => {
        rests.push(ms)
        waiting = then
        return () => {
          if (waiting === then) waiting = undefined
        }
      },
    },
    chance: { random: () => 0, bytes: (count) => new Uint8Array(count) },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  }
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  return {
    ports,
    rests,
    pass: async () => {
      await settled()
      waiting?.()
      await settled()
    },
  }
}
const times = { idleMs: 100, backoffMs: 1_000 }

test("a loop goes on at once while there is more, and rests when there is not", async () => {
  const { ports, rests, pass } = handClock()
  const answers = [true, true, false, false]
  let steps = 0
  const loop = runLoop(ports, "test", times, async () => answers[steps++] ?? false)
  await pass()
  assert.deepEqual([steps, rests], [4, [100, 100]])
  await loop.stop()
})

test("a hint ends the rest, and one that comes during a step prevents it", async () => {
  const { ports, rests } = handClock()
  let steps = 0
  let hint = (): void => {}
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const loop = runLoop(ports, "test", times, async () => {
    steps += 1
    if (steps === 2) hint()
    return false
  })
  hint = () => loop.wake()
  await settled()
  assert.deepEqual([steps, rests], [1, [100]])
  loop.wake()
  await settled()
  assert.deepEqual([steps, rests], [3, [100, 100]])
  await loop.stop()
})

test("a failing step is tried again, later each time up to a limit, and hints do not hurry it", async () => {
  const { ports, rests, pass } = handClock()
  let steps = 0
  const loop = runLoop(ports, "test", times, async () => {
    steps += 1
    if (steps <= 6) throw new Error("the database is away")
    return false
  })
  for (let n = 0; n < 6; n++) {
    loop.wake()
    await pass()
  }
  assert.deepEqual(rests, [200, 400, 800, 1_000, 1_000, 1_000, 100])
  await loop.stop()
})

test("stopping waits for the step under way and starts no other", async () => {
  const { ports } = handClock()
  let steps = 0
  let finish = (): void => {}
  const loop = runLoop(ports, "test", times, () => {
    steps += 1
    return new Promise((resolve) => {
      finish = () => resolve(true)
    })
  })
  let stopped = false
  const stopping = loop.stop().then(() => (stopped = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(stopped, false)
  finish()
  await stopping
  assert.equal(steps, 1)
})
