// Time, chance and speech come into the house only here. The simulation hands in its own; `systemPorts` are the real
// ones, and besides main.ts the only code that may touch them.

import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"

/** All times are milliseconds since the epoch in database time: one clock for all nodes. */
export type Clock = {
  now(): number
  sleep(ms: number): Promise<void>
  /** Runs `then` once after `ms`; the returned function cancels it. */
  after(ms: number, then: () => void): () => void
}

export type Chance = {
  /** In [0, 1). */
  random(): number
  bytes(count: number): Uint8Array
}

export type Log = {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type Ports = { readonly clock: Clock; readonly chance: Chance; readonly log: Log }

/** The machine's clock, shifted by `offsetMs()` onto the database's, and the kernel's randomness. */
export function systemPorts(offsetMs: () => number, log: Log): Ports {
  return {
    clock: {
      now: () => Date.now() + offsetMs(),
      sleep: (ms) => sleep(ms),
      after: (ms, then) => {
        const timer = setTimeout(then, ms)
        return () => clearTimeout(timer)
      },
    },
    chance: {
      // 53 random bits, the most a double in [0, 1) can hold.
      random: () => Number(randomBytes(8).readBigUInt64BE() >> 11n) / 2 ** 53,
      bytes: (count) => pooledBytes(count),
    },
    log,
  }
}

// One system call for many ids: randomBytes costs about 1 µs a call, mostly the call.
const POOL_BYTES = 4_096
let pool = Buffer.alloc(0)
let used = 0
function pooledBytes(count: number): Uint8Array {
  if (count > POOL_BYTES) return randomBytes(count)
  if (used + count > pool.length) {
    pool = randomBytes(POOL_BYTES)
    used = 0
  }
  used += count
  return pool.subarray(used - count, used)
}
