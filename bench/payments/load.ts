// The load, from a process of its own over keep-alive connections. Closed loop: a number of customers who each pay again
// as soon as they are answered, which finds the throughput. Open loop: payments arrive at a rate whatever the server does
// (exponential gaps), and their time counts from when they should have started, so that a stall is seen by all it delays.

import { randomBytes } from "node:crypto"
import { Pool } from "undici"
import { serve } from "./worker.ts"

export type Target = {
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Each `{key}` becomes a word that no other request has. */
  readonly body: string
  /** What a right answer contains; any other one ends the benchmark. */
  readonly expect: string
}
export type Closed = { readonly target: Target; readonly customers: number; readonly ms: number }
export type Open = {
  readonly target: Target
  readonly perSecond: number
  readonly connections: number
  readonly ms: number
}
export type Timed = { readonly ms: number; readonly keys: readonly string[] }
export type Loaded = {
  readonly count: number
  readonly ms: number
  /** One entry per payment: its time, and under which idempotency keys the provider may have been asked. */
  readonly times: readonly Timed[]
}

/** Unanswered requests at most: a server that cannot keep up fails the benchmark, not the machine. */
const MAX_OPEN = 2_000
const REQUEST_MS = 30_000

/** Random, as idempotency keys are in the wild: they come to rest all over their index. Always 20 characters. */
const nextKey = (): string => `order-${randomBytes(7).toString("hex")}`

async function pay(pool: Pool, { path, headers, body, expect }: Target, read: boolean): Promise<readonly string[]> {
  const key = nextKey()
  const answer = await pool.request({
    method: "POST",
    path,
    headers: { ...headers, "idempotency-key": key },
    body: body.replaceAll("{key}", key),
  })
  const text = await answer.body.text()
  if (answer.statusCode >= 300 || !text.includes(expect)) throw new Error(`${answer.statusCode} ${text.slice(0, 800)}`)
  // Orchestra asks with the attempt's id, the proxy hands our own key on.
  return read ? [key, ...new Set(text.match(/\batt_[0-9a-z]{26}\b/g))] : []
}

const poolOf = (origin: string, connections: number): Pool =>
  new Pool(origin, { connections, pipelining: 1, allowH2: false, headersTimeout: REQUEST_MS, bodyTimeout: REQUEST_MS })

const commands = {
  closed: async ({ target, customers, ms }: Closed): Promise<Loaded> => {
    const pool = poolOf(target.origin, customers)
    const times: Timed[] = []
    const from = performance.now()
    let failure: unknown
    const customer = async (): Promise<void> => {
      while (failure === undefined && performance.now() - from < ms) {
        const start = performance.now()
        const keys = await pay(pool, target, false).catch((error: unknown) => {
          failure = error
          return []
        })
        times.push({ ms: performance.now() - start, keys })
      }
    }
    await Promise.all(Array.from({ length: customers }, customer))
    const took = performance.now() - from
    await pool.close()
    if (failure !== undefined) throw failure
    return { count: times.length, ms: took, times }
  },

  open: async ({ target, perSecond, connections, ms }: Open): Promise<Loaded> => {
    const pool = poolOf(target.origin, connections)
    const times: Timed[] = []
    const under = new Set<Promise<void>>()
    const from = performance.now()
    let failure: unknown
    let due = 0
    while (due < ms && failure === undefined) {
      const now = performance.now() - from
      for (; due <= now && due < ms; due += -Math.log(1 - Math.random()) * (1_000 / perSecond)) {
        if (under.size >= MAX_OPEN) throw new Error(`${MAX_OPEN} requests are unanswered at ${perSecond}/s`)
        const started = from + due
        const paying = pay(pool, target, true).then(
          (keys) => void times.push({ ms: performance.now() - started, keys }),
          (error: unknown) => void (failure = error),
        )
        under.add(paying)
        void paying.finally(() => under.delete(paying))
      }
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.min(due, ms) - (performance.now() - from))))
    }
    await Promise.all(under)
    const took = performance.now() - from
    await pool.close()
    if (failure !== undefined) throw failure
    return { count: times.length, ms: took, times }
  },
}
export type LoadCommands = typeof commands
serve(commands)
