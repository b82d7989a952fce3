// How what one node has learned reaches the others, and itself after a restart. Each node applies what it sees at once; a few
// times a second it writes that as batches, outside of every payment, and reads those of others. A starting node reads the
// recent days before it serves. A database that is away loses nothing but the oldest of what waits here, and that is counted.

import { makeId, type AccountId, type SignalBatchId } from "../core/id.ts"
import type { Ports } from "../ports.ts"
import type {
  Owner,
  SignalBatch,
  SignalPlace,
  SignalStore,
  StoredBatch,
  Volume,
} from "../storage/resources/signal-store.ts"
import { createHealthNotes } from "./health-notes.ts"
import type { Directory } from "./engine.ts"
import { createNodeHealth } from "./node-health.ts"
import type { Observation } from "./observations.ts"
import { readSignalDocument, signalDocument, type Choice } from "./signal-document.ts"
import { monthOf, newSignals, type RoutingSignals, type Seen, type Shelf } from "./signals.ts"

/** How often a node writes what it has seen, and looks for what others have (ms). */
export const SHARE_MS = 250
/** How far back a starting node reads, and how many observations of one merchant and mode at most. */
export const REPLAY_DAYS = 7
export const REPLAY_MAX = 100_000
/** Merchants and modes whose history is read before a node serves; others are read when somebody asks. */
export const REPLAY_OWNERS = 1_000
/** Observations and choices that wait to be written; the oldest are dropped. */
export const MAX_BUFFERED = 50_000
/** Batches that one look reads. */
const PAGE = 200
/** Observations that are replayed between two moments for everything else: payments do not wait for longer than these take. */
const REPLAY_SLICE = 100
/** After so long a node serves, and what is left of the past follows in the background (ms). */
export const START_MS = 60_000
/** Batches that a replay has read, and that come once more by the log. */
const MAX_REPLAYED_IDS = 10_000
const DAY_MS = 86_400_000

export type SharingParts = Ports & {
  readonly node: string
  readonly store: SignalStore
  readonly directory: Directory
  readonly signals: RoutingSignals
}

export type SharingCounts = {
  readonly dropped: number
  readonly unreadable: number
  readonly replayed: number
  readonly replayMs: number
  readonly ejections: Readonly<Record<string, number>>
  readonly isSick: boolean
}

export type SignalSharing = ReturnType<typeof createSignalSharing>

type Waiting = Owner & { observations: Observation[]; choices: Choice[]; volumes: Map<string, Volume> }

export function createSignalSharing(parts: SharingParts) {
  const { clock, chance, log, node, store, directory, signals } = parts
  const waiting = new Map<string, Waiting>()
  /** Tried and not known to be written; written again under the same ids. */
  let unwritten: readonly SignalBatch[] = []
  const wanted = new Map<string, Owner>()
  const replayedIds = new Set<SignalBatchId>()
  const counts = { dropped: 0, unreadable: 0, replayed: 0, replayMs: 0 }
  const notes = createHealthNotes(parts)
  const nodeHealth = createNodeHealth((sick, accounts) => {
    if (sick) log.error({ node, accounts }, "no provider answers this node: it takes no traffic and shares nothing")
    else log.info({ node }, "a provider answers this node again")
  })
  let place: SignalPlace | undefined

  signals.connect({
    seen: (owner, seen) => {
      for (const { account, unanswered, at } of seen.observations) hear(account, unanswered !== true, at)
      // What a sick node sees says nothing about providers.
      const isBelieved = !nodeHealth.isSick()
      buffer(owner, isBelieved ? seen : { ...seen, observations: [] })
      return isBelieved
    },
    wanted: (owner) => void wanted.set(`${owner.merchant} ${owner.mode}`, owner),
    changed: (owner, changes) => notes.add(owner, changes),
  })

  function hear(account: AccountId, answered: boolean, at: number): void {
    const provider = directory.account(account)?.connector.manifest.id ?? account
    nodeHealth.observe({ account, provider, answered, at })
  }

  function buffer(owner: Owner, { observations, choices, volumes }: Seen): void {
    const key = `${owner.merchant} ${owner.mode}`
    let mine = waiting.get(key)
    if (mine === undefined) waiting.set(key, (mine = { ...owner, observations: [], choices: [], volumes: new Map() }))
    mine.observations.push(...observations)
    mine.choices.push(...choices)
    for (const volume of volumes) add(mine.volumes, volume)
    while (buffered() > MAX_BUFFERED) dropOldest()
  }

  const sizeOf = ({ observations, choices }: Pick<Waiting, "observations" | "choices">): number =>
    observations.length + choices.length
  const buffered = (): number =>
    unwritten.reduce((sum, batch) => sum + batch.observations, 0) +
    [...waiting.values()].reduce((sum, one) => sum + sizeOf(one), 0)

  function dropOldest(): void {
    const [oldest, ...rest] = unwritten
    if (oldest !== undefined) {
      counts.dropped += oldest.observations
      unwritten = rest
      return
    }
    const first = waiting.entries().next().value
    if (first === undefined) return
    counts.dropped += sizeOf(first[1])
    waiting.delete(first[0])
  }

  /** Writes what was seen since, and the changes of health; answers whether there was anything. */
  async function write(): Promise<boolean> {
    const now = clock.now()
    const fresh = [...waiting.values()].map(({ merchant, mode, observations, choices, volumes }): SignalBatch => ({
      merchant,
      mode,
      id: makeId("sig", now, chance.bytes(16)),
      node,
      at: now,
      observations: observations.length + choices.length,
      document: signalDocument({ observations, choices }),
      volumes: [...volumes.values()],
    }))
    waiting.clear()
    const batches = [...unwritten, ...fresh]
    unwritten = batches
    if (batches.length > 0) {
      await store.write(batches)
      // Others may have been added behind them meanwhile.
      unwritten = unwritten.filter((batch) => !batches.includes(batch))
    }
    const noted = await notes.write(store)
    return batches.length > 0 || noted
  }

  /** Takes in what others have written since; answers whether there may be more. */
  async function catchUp(): Promise<boolean> {
    place ??= await store.end()
    const page = await store.after(place, PAGE)
    for (const batch of page) {
      if (batch.node !== node && !replayedIds.delete(batch.id)) takeBatch(batch)
      place = { transaction: batch.transaction, id: batch.id }
    }
    return page.length === PAGE
  }

  function takeBatch(batch: StoredBatch): void {
    try {
      const document = readSignalDocument(batch.document)
      if (document === undefined) counts.unreadable += 1
      else signals.take(batch, document.observations, document.choices)
    } catch (error) {
      // It would be read again and again, and nothing after it ever.
      counts.unreadable += 1
      log.error({ batch: batch.id, error: String(error) }, "a batch of signals could not be taken in")
    }
  }

  /** Makes signals anew that somebody wants with their past; the old ones serve until then. Answers whether any was. */
  async function renew(): Promise<boolean> {
    const next = wanted.entries().next().value
    if (next === undefined) return false
    const [key, owner] = next
    wanted.delete(key)
    try {
      await replay(owner)
    } catch (error) {
      wanted.set(key, owner)
      throw error
    }
    return true
  }

  /** The recent past of one merchant and mode, in the order of time, into signals of their own. */
  async function replay(owner: Owner): Promise<void> {
    const shelf = signals.shelfOf(owner)
    const began = clock.now()
    // What was seen here and is not written yet is in no batch that is read.
    shelf.meanwhile = [...unwrittenOf(owner)]
    const { observations, choices, ids } = await recentOf(owner, began)
    const made = newSignals(owner.mode, directory.accounts(owner.merchant), observations[0]?.at ?? began)
    const told = new Set<string>()
    for (const [index, observation] of observations.entries()) {
      made.recall(observation, observation.at)
      told.add(nameOf(observation))
      if (index % REPLAY_SLICE === REPLAY_SLICE - 1) await clock.sleep(0)
    }
    const since = signals.fit(made, owner)
    for (const { chosen, eligible, amount, at } of choices) if (at >= since) made.count(eligible, chosen, amount, at)
    const volumes = await volumesOf(owner)
    for (const observation of shelf.meanwhile ?? [])
      if (!told.has(nameOf(observation))) made.observe(observation, clock.now())
    // What is past is no news.
    made.takeChanges()
    made.inherit(shelf.signals)
    shelf.signals = made
    shelf.meanwhile = undefined
    shelf.policy = undefined
    shelf.month = ""
    signals.shelfOf(owner)
    made.restoreVolumes(volumes)
    counts.replayed += observations.length
    // These come once more by the log.
    for (const id of ids) if (replayedIds.size < MAX_REPLAYED_IDS) replayedIds.add(id)
  }

  function unwrittenOf({ merchant, mode }: Owner): readonly Observation[] {
    const batches = unwritten.filter((batch) => batch.merchant === merchant && batch.mode === mode)
    return [
      ...batches.flatMap(({ document }) => readSignalDocument(document)?.observations ?? []),
      ...(waiting.get(`${merchant} ${mode}`)?.observations ?? []),
    ]
  }

  async function recentOf(owner: Owner, now: number) {
    const observations: Observation[] = []
    const choices: Choice[] = []
    const ids: SignalBatchId[] = []
    let before: SignalBatchId | undefined
    while (observations.length < REPLAY_MAX) {
      const page = await store.recent(owner, now - REPLAY_DAYS * DAY_MS, before, PAGE)
      for (const batch of page) {
        const document = readSignalDocument(batch.document)
        if (document === undefined) counts.unreadable += 1
        observations.push(...(document?.observations ?? []))
        choices.push(...(document?.choices ?? []))
        if (place === undefined || BigInt(batch.transaction) > BigInt(place.transaction)) ids.push(batch.id)
      }
      before = page.at(-1)?.id
      if (page.length < PAGE) break
    }
    // Names decide where times are equal, so that every node replays alike.
    observations.sort((a, b) => a.at - b.at || (nameOf(a) < nameOf(b) ? -1 : 1))
    choices.sort((a, b) => a.at - b.at)
    return { observations: observations.slice(-REPLAY_MAX), choices: choices.slice(-REPLAY_MAX), ids }
  }

  /** This month's, with what is still to be written. */
  async function volumesOf(owner: Owner): Promise<Record<string, Volume>> {
    const month = monthOf(clock.now())
    const sum = new Map((await store.volumes(owner, month)).map((volume) => [volume.account as string, volume]))
    const own = [
      ...(waiting.get(`${owner.merchant} ${owner.mode}`)?.volumes.values() ?? []),
      ...unwritten.filter((b) => b.merchant === owner.merchant && b.mode === owner.mode).flatMap((b) => b.volumes),
    ]
    for (const volume of own)
      if (volume.month === month) {
        const { payments = 0, amount = 0 } = sum.get(volume.account) ?? {}
        sum.set(volume.account, {
          ...volume,
          payments: payments + volume.payments,
          amount: amount + volume.amount,
        })
      }
    return Object.fromEntries(sum)
  }

  return {
    write,
    catchUp,
    renew,
    /** Reads the recent past of everybody. Until then nothing that was learned before is known here. */
    async start(): Promise<void> {
      const began = clock.now()
      place = await store.end()
      for (const owner of await store.owners(began - REPLAY_DAYS * DAY_MS, REPLAY_OWNERS)) {
        if (directory.accounts(owner.merchant).length === 0) continue
        signals.shelfOf(owner)
        // Wanted, as it has no past yet.
        if (clock.now() - began > START_MS) continue
        await replay(owner)
        wanted.delete(`${owner.merchant} ${owner.mode}`)
      }
      counts.replayMs = clock.now() - began
      log.info({ observations: counts.replayed, ms: counts.replayMs }, "what was learned before is known again")
    },
    /** Volumes of the month as the database knows them: what got lost or came twice on the way is put right. */
    async refreshVolumes(): Promise<void> {
      for (const shelf of signals.shelves())
        if ((shelf.policy?.commitments?.length ?? 0) > 0) shelf.signals.restoreVolumes(await volumesOf(shelf))
    },
    /** What became of a harmless read: whether it was well, and whether there was an answer at all. */
    readCame: (owner: Owner & { readonly account: AccountId }, ok: boolean, answered: boolean): void => {
      const now = clock.now()
      hear(owner.account, answered, now)
      const shelf: Shelf = signals.shelfOf(owner)
      shelf.signals.observeRead(owner.account, ok, now)
      signals.tellChanges(shelf)
    },
    isSick: nodeHealth.isSick,
    sickAt: nodeHealth.accounts,
    counts: (): SharingCounts => ({ ...counts, ejections: notes.ejections(), isSick: nodeHealth.isSick() }),
  }
}

function add(sums: Map<string, Volume>, volume: Volume): void {
  const key = `${volume.account} ${volume.month}`
  const { payments = 0, amount = 0 } = sums.get(key) ?? {}
  sums.set(key, { ...volume, payments: payments + volume.payments, amount: amount + volume.amount })
}

/** An end is told once; so are the silence before it and its correction. */
const nameOf = ({ id, news, ending }: Observation): string => `${id} ${news ?? "end"} ${ending}`
