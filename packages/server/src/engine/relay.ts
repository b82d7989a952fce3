// The outbox relay: hands every event to every sink, at least once and in log order, on one node at a time. It reads only
// below the horizon, so an event whose transaction commits late is never skipped, and moves its cursor only after all
// sinks have accepted. Sinks are idempotent: after a crash, or when a slow node lost its lease, they see events again.
//
// Sinks of one relay fail together. A sink that may be down alone (the facts store) gets a relay of its own: another
// lease name is another cursor.

import type { EventHead } from "../storage/ledger/ledger.ts"
import type { Engine } from "./engine.ts"
import { runLoop, type Loop } from "./loop.ts"

export type Sink = {
  readonly name: string
  /** Resolves when the events are stored for good. The same events may come again, alone or among others. */
  accept(events: readonly EventHead[]): Promise<void>
}

export type RelayLease = {
  /** Names lease and cursor. */
  readonly name: string
  /** This process; two owners never hold one lease at a time. */
  readonly owner: string
  readonly leaseMs: number
}

export type RelayEngine = Pick<Engine, "ledger" | "clock" | "chance" | "log">

/** Events handed over at once. A batch costs three small commits of its own, a payment makes five events. */
export const RELAY_BATCH = 500
/** Long enough for a slow batch, short enough that another node takes over soon (ms). */
export const RELAY_LEASE_MS = 15_000
/** Rest when the log is read to its end (ms); a wake-up hint cuts it short. */
export const RELAY_IDLE_MS = 200
/** Longest rest after failures (ms). */
export const RELAY_BACKOFF_MS = 10_000

/** One batch; answers how many events every sink has accepted. 0 also where another node holds the lease. */
export async function relayOnce(engine: RelayEngine, sinks: readonly Sink[], lease: RelayLease): Promise<number> {
  if (!(await engine.ledger.takeLease(lease.name, lease.owner, lease.leaseMs))) return 0
  return (await relayBatch(engine, sinks, lease)) ?? 0
}

/** Under a lease that we hold; undefined when it turns out to have gone. */
async function relayBatch(
  { ledger, log }: RelayEngine,
  sinks: readonly Sink[],
  { name, owner }: RelayLease,
): Promise<number | undefined> {
  // Before the cursor and before the events: what commits after this is below a later horizon.
  const horizon = await ledger.horizon()
  const events = await ledger.eventHeads(await ledger.cursor(name), horizon, RELAY_BATCH)
  const last = events.at(-1)
  if (last === undefined) return 0
  // All of them, to the end, also when one fails: a sink must not still be at work on a batch when it comes again.
  const results = await Promise.allSettled(sinks.map((sink) => sink.accept(events)))
  for (const [index, result] of results.entries())
    if (result.status === "rejected") throw new Error(`sink ${sinks[index]?.name} failed`, { cause: result.reason })
  if (await ledger.moveCursor(name, owner, last.position)) return events.length
  log.warn(
    { relay: name, owner, events: events.length },
    "the relay's lease went to another node; it goes on from there",
  )
  return undefined
}

/** Relays until stopped. `wake` when an event was committed here: it is a hint, and may be lost. */
export function runRelay(
  engine: RelayEngine,
  sinks: readonly Sink[],
  lease: RelayLease,
  idleMs: number = RELAY_IDLE_MS,
): Loop {
  // Taken anew only when half of it is over: a lease is a commit, and there are looks that find nothing all day long.
  let renewAt = Number.NEGATIVE_INFINITY
  return runLoop(engine, `relay ${lease.name}`, { idleMs, backoffMs: RELAY_BACKOFF_MS }, async () => {
    const now = engine.clock.now()
    if (now >= renewAt) {
      if (!(await engine.ledger.takeLease(lease.name, lease.owner, lease.leaseMs))) return false
      renewAt = now + lease.leaseMs / 2
    }
    const accepted = await relayBatch(engine, sinks, lease)
    if (accepted === undefined) renewAt = Number.NEGATIVE_INFINITY
    // A batch that is not full may be all there is below the horizon; the next look costs three reads, so rest first.
    return accepted === RELAY_BATCH
  })
}
