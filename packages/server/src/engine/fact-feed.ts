// From the log to the facts. An event only says which payment changed: the payment is read as it is, its facts are made,
// and what differs from the facts that the store has is appended as a correction, in one transaction with the place in the
// log. Whatever comes twice, late or after a crash therefore changes nothing; a lost batch comes again.
//
// The cursor is the store's, not the ledger's: every store of facts is fed by itself, and nobody else waits for it.

import { carried, correction } from "../insight/correction.ts"
import { factsOf, type Beside } from "../insight/facts-of.ts"
import type { Fact, FactName } from "../insight/facts.ts"
import { bucketOf, quantileOf } from "../insight/histogram/histogram.ts"
import type { Ports } from "../ports.ts"
import { MAX_CURRENT, type FactStore } from "../storage/facts/fact-store.ts"
import type { Ledger } from "../storage/ledger/ledger.ts"
import type { PaymentKey, WithCalls } from "../storage/resources/payment-batches.ts"
import { connectors } from "../connectors/registry.ts"
import { runLoop, type Loop } from "./loop.ts"

export type PaymentSource = {
  load(keys: readonly PaymentKey[]): Promise<readonly WithCalls[]>
  next(after: PaymentKey | undefined, limit: number): Promise<readonly WithCalls[]>
  /** About how many there are. */
  estimate(): Promise<number>
}

export type FactFeed = Ports & {
  readonly ledger: Pick<Ledger, "horizon" | "eventHeads">
  readonly payments: PaymentSource
  readonly store: FactStore
}

/** What the facts contain. */
export type Freshness = {
  /** Everything that was committed until then is in them (ms); undefined: not once read to the end. */
  readonly completeUntil: number | undefined
  /** Filled for the first time, or anew: how many payments of about how many. */
  readonly building?: { readonly done: number; readonly of: number }
  /** ms from an event to its facts, since this process began to keep up. */
  readonly lagP50Ms: number | undefined
  readonly lagP99Ms: number | undefined
}

/** Events of one batch, which change as many payments at most: a few hundred rows, some ten milliseconds of appending. */
export const FEED_BATCH = MAX_CURRENT
/** Rest when the log is read to its end (ms). */
export const FEED_IDLE_MS = 200
export const FEED_BACKOFF_MS = 10_000
/** Payments of one page while facts are built from all of them. */
export const BUILD_PAGE = 200

export type RunningFeed = Loop & { freshness(): Freshness }

/** Feeds until stopped. A store without a cursor is built from all payments first. */
export function runFactFeed(feed: FactFeed): RunningFeed {
  const { clock, store } = feed
  const lags = new Map<number, number>()
  let completeUntil: number | undefined
  let building: Freshness["building"]
  let ready = false
  let stopping = false
  const loop = runLoop(feed, "facts", { idleMs: FEED_IDLE_MS, backoffMs: FEED_BACKOFF_MS }, async () => {
    if (!ready && (await store.cursor()) === undefined) {
      const of = await feed.payments.estimate()
      building = { done: 0, of }
      const whole = await buildFacts(
        feed,
        (done) => void (building = { done, of: Math.max(of, done) }),
        () => stopping,
      )
      if (!whole) return false
      building = undefined
    }
    ready = true
    const asOf = clock.now()
    const { full, times } = await feedOnce(feed)
    // Not while it reads what happened before it began: that is no lag of its own.
    if (completeUntil !== undefined) for (const at of times) count(lags, bucketOf(Math.max(clock.now() - at, 0)))
    if (!full) completeUntil = asOf
    else if (completeUntil !== undefined) completeUntil = Math.max(completeUntil, times.at(-1) ?? 0)
    return full
  })
  return {
    wake: () => loop.wake(),
    stop: () => {
      stopping = true
      return loop.stop()
    },
    freshness: () => ({
      completeUntil,
      ...(building === undefined ? {} : { building }),
      lagP50Ms: quantileOf(lags, 0.5),
      lagP99Ms: quantileOf(lags, 0.99),
    }),
  }
}

export type Fed = {
  /** There may be more. */
  readonly full: boolean
  /** When its events happened (ms). */
  readonly times: readonly number[]
  readonly rows: number
}

/** One batch of the log. */
export async function feedOnce({ ledger, payments, store }: FactFeed): Promise<Fed> {
  // Before the events: what commits after this is below a later horizon.
  const horizon = await ledger.horizon()
  const events = await ledger.eventHeads(await store.cursor(), horizon, FEED_BATCH)
  const last = events.at(-1)
  if (last === undefined) return { full: false, times: [], rows: 0 }
  const keys = new Map<string, PaymentKey>()
  for (const { merchant, payment } of events) if (payment !== undefined) keys.set(payment, { merchant, payment })
  const rows = await corrections(store, await payments.load([...keys.values()]))
  await store.append(rows, last.position)
  return { full: events.length === FEED_BATCH, times: events.map(({ at }) => at), rows: rows.length }
}

/**
 * Fills the store anew from all payments; false when it was stopped, and the store is left without a cursor. What is
 * committed meanwhile is read again by the log, and found to be there.
 */
export async function buildFacts(
  { ledger, payments, store }: FactFeed,
  progress: (done: number) => void,
  isStopping: () => boolean = () => false,
): Promise<boolean> {
  const horizon = await ledger.horizon()
  await store.clear()
  let after: PaymentKey | undefined
  let done = 0
  for (;;) {
    if (isStopping()) return false
    const page = await payments.next(after, BUILD_PAGE)
    const last = page.at(-1)?.payment
    if (last === undefined) break
    const rows = page.flatMap(({ payment, calls }) => correction(undefined, factsOf(payment, beside(calls))))
    await store.append(rows, undefined)
    after = { merchant: last.merchant, payment: last.id }
    done += page.length
    progress(done)
  }
  // Everything below the horizon was there to be read; no id is before the empty one.
  await store.append([], { transaction: horizon, event: "" })
  return true
}

async function corrections(store: FactStore, changed: readonly WithCalls[]): Promise<readonly Fact<FactName>[]> {
  const known = await store.current(changed.map(({ payment }) => payment.id))
  return changed.flatMap(({ payment, calls }) => {
    const before = known.get(payment.id)
    // A store that was built from the ledger may know more than this reading of it.
    if (before !== undefined && before.payment.version > payment.version) return []
    return correction(before, carried(before, factsOf(payment, beside(calls))))
  })
}

const beside = (calls: WithCalls["calls"]): Beside => ({ calls, apiVersion })

const versions: ReadonlyMap<string, string> = new Map(
  Object.values(connectors).map(({ manifest }) => [manifest.id, manifest.api.version]),
)
const apiVersion = (connector: string): string | undefined => versions.get(connector)

const count = (counts: Map<number, number>, bucket: number): void =>
  void counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
