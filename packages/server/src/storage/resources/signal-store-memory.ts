// The simulation's store of signals: the same contract, in simulated time, from one seed. Calls take time, transactions become
// visible later than they began, and a connection may be lost before or after its call took effect.

import type { Volume } from "./signal-store.ts"
import {
  HEALTH_SETTLES_MS,
  MAX_HEALTH_ROWS,
  type HealthNote,
  type HealthState,
  type Owner,
  type RoutingChange,
  type SignalBatch,
  type SignalPlace,
  type SignalStore,
  type StoredBatch,
} from "./signal-store.ts"
import { frozenCopy } from "../document.ts"
import type { Losses, MemoryPorts } from "../ledger/memory.ts"
import { keyBelow, pageOf, rowsWanted } from "./page.ts"

/** Longest usual time for each of a call's parts (ms). */
const LATENCY_MS = 3
/** Batches beyond this are forgotten, oldest first: long runs must fit in memory. */
const MAX_BATCHES = 20_000

export type MemorySignals = SignalStore & {
  readonly contents: {
    batches(): readonly StoredBatch[]
    /** Of batches that there ever were. */
    count(): number
    changes(): readonly HealthNote[]
    volumes(): readonly Volume[]
  }
}

export function createMemorySignals(
  ports: MemoryPorts,
  losses: () => Losses = () => ({ before: 0, during: 0, after: 0 }),
): MemorySignals {
  /** In log order. */
  const batches: StoredBatch[] = []
  const known = new Set<string>()
  const volumes = new Map<string, Volume & Owner>()
  const health = new Map<string, HealthNote>()
  const changes: HealthNote[] = []
  const running = new Set<number>()
  let lastTransaction = 0

  const pause = (): Promise<void> => ports.sleep(Math.floor(ports.random() * (LATENCY_MS + 1)))

  async function call<T>(effect: () => T | Promise<T>): Promise<T> {
    const { before, during, after } = losses()
    const fate = ports.random()
    await pause()
    if (fate < before) throw lost()
    const result = await effect()
    await pause()
    if (fate < before + during + after) throw lost()
    return result
  }

  async function transaction<T>(effect: (number: number) => T): Promise<T> {
    lastTransaction += 1
    const number = lastTransaction
    running.add(number)
    try {
      await pause()
      return effect(number)
    } finally {
      running.delete(number)
    }
  }

  const horizon = (): number => (running.size === 0 ? lastTransaction + 1 : Math.min(...running))

  function insert({ volumes: added, ...batch }: SignalBatch, number: number): void {
    const key = `${batch.merchant} ${batch.mode} ${batch.id}`
    if (known.has(key)) return
    known.add(key)
    const stored: StoredBatch = frozenCopy({ ...batch, transaction: String(number) })
    let at = batches.length
    while (at > 0 && compare(placeOf(batches[at - 1]!), placeOf(stored)) > 0) at -= 1
    batches.splice(at, 0, stored)
    if (batches.length > MAX_BATCHES) batches.shift()
    for (const volume of added) {
      const slot = `${batch.merchant} ${batch.mode} ${volume.account} ${volume.month}`
      const sum = volumes.get(slot)
      volumes.set(slot, {
        merchant: batch.merchant,
        mode: batch.mode,
        ...volume,
        payments: volume.payments + (sum?.payments ?? 0),
        amount: volume.amount + (sum?.amount ?? 0),
      })
    }
  }

  function note(given: HealthNote): boolean {
    const key = `${given.merchant} ${given.mode} ${given.account} ${given.scope}`
    const last = health.get(key)
    const isNews =
      last === undefined
        ? given.from === "healthy"
        : last.to !== given.to && (last.to === given.from || last.at < given.at - HEALTH_SETTLES_MS)
    if (!isNews) return false
    const kept = frozenCopy(given)
    health.set(key, kept)
    changes.push(kept)
    return true
  }

  const isOf =
    (owner: Owner) =>
    (row: Owner): boolean =>
      row.merchant === owner.merchant && row.mode === owner.mode

  return {
    write: (given) =>
      call(() =>
        transaction((number) => {
          for (const batch of given) insert(batch, number)
        }),
      ),
    end: () => call(() => ({ transaction: String(horizon() - 1), id: "~" })),
    after: (place, limit) =>
      call(() => {
        const until = horizon()
        return batches
          .filter((batch) => compare(placeOf(batch), place) > 0 && Number(batch.transaction) < until)
          .slice(0, limit)
      }),
    owners: (since, limit) =>
      call(() => {
        const found = new Map<string, Owner>()
        for (const { merchant, mode, at } of batches)
          if (at >= since) found.set(`${merchant} ${mode}`, { merchant, mode })
        return [...found.values()].slice(0, limit)
      }),
    recent: (owner, since, before, limit) =>
      call(() =>
        batches
          .filter((batch) => isOf(owner)(batch) && batch.at >= since && (before === undefined || batch.id < before))
          .toSorted((a, b) => (a.id < b.id ? 1 : -1))
          .slice(0, limit),
      ),
    volumes: (owner, month) =>
      call(() =>
        [...volumes.values()]
          .filter((row) => isOf(owner)(row) && row.month === month)
          .map(({ merchant: _merchant, mode: _mode, ...volume }) => volume)
          .toSorted((a, b) => (a.account < b.account ? -1 : 1)),
      ),
    noteHealth: (given) => call(() => transaction(() => note(given))),
    health: (owner) =>
      call(() =>
        [...health.values()]
          .filter(isOf(owner))
          .map(({ account, scope, to: state, at, document }): HealthState => ({ account, scope, state, at, document }))
          .toSorted((a, b) => (`${a.account} ${a.scope}` < `${b.account} ${b.scope}` ? -1 : 1))
          .slice(0, MAX_HEALTH_ROWS),
      ),
    changes: (owner, request) =>
      call(() => {
        const rows = changes
          .filter((row) => isOf(owner)(row) && row.id < keyBelow(request))
          .map(({ id, account, scope, from, to, at, document }): RoutingChange => ({
            id,
            account,
            scope,
            from,
            to,
            at,
            document,
          }))
          .toSorted((a, b) => (a.id < b.id ? 1 : -1))
          .slice(0, rowsWanted(request))
        return pageOf(rows, request, (change) => change.id)
      }),
    contents: {
      batches: () => [...batches],
      count: () => known.size,
      changes: () => [...changes],
      volumes: () => [...volumes.values()],
    },
  }
}

const placeOf = ({ transaction, id }: StoredBatch): SignalPlace => ({ transaction, id })

const compare = (a: SignalPlace, b: SignalPlace): number =>
  Number(a.transaction) - Number(b.transaction) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

const lost = (): Error => Object.assign(new Error("connection to the database lost"), { code: "ECONNRESET" })
