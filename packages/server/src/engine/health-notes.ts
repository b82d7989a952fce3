// Changes of health on their way into the world: stored with their evidence, and told to the merchant's webhooks where an
// account leaves its traffic or has all of it back. All nodes come to the same conclusions; the store keeps the first.

import { makeId, type AccountId, type EventId } from "../core/id.ts"
import type { Ports } from "../ports.ts"
import type { HealthChange, LatencyChange, SignalChange } from "../routing/signals/health-change.ts"
import { round } from "../routing/readings.ts"
import type { HealthNote, Owner, SignalStore } from "../storage/resources/signal-store.ts"

/** Changes that wait to be stored; the oldest are dropped, as the newest say where things stand. */
const MAX_NOTES = 5_000

type Changed = { readonly account: AccountId; readonly change: SignalChange }

export function createHealthNotes({ clock, chance, log }: Ports) {
  let notes: HealthNote[] = []
  const ejections: Record<string, number> = {}

  function add(owner: Owner, changes: readonly Changed[]): void {
    for (const { account, change } of changes) {
      if (change.kind === "node") continue
      const told = change.kind === "health" ? ofHealth(change) : ofLatency(change)
      if (told.to === "ejected" && told.from !== "probing") {
        ejections[account] = (ejections[account] ?? 0) + 1
        log.warn({ account, ...told }, "routing leaves an account")
      }
      const type = announcedAs(told)
      const data = { mode: owner.mode, account, ...told }
      notes.push({
        merchant: owner.merchant,
        mode: owner.mode,
        id: makeId("rch", clock.now(), chance.bytes(16)),
        account,
        scope: told.scope,
        from: told.from,
        to: told.to,
        at: Math.round(change.atMs),
        document: { cause: told.cause, why: told.why, evidence: told.evidence },
        ...(type === undefined ? {} : { event: { id: eventId(), type, data } }),
      })
    }
    if (notes.length > MAX_NOTES) notes = notes.slice(-MAX_NOTES)
  }

  const eventId = (): EventId => makeId("evt", clock.now(), chance.bytes(16))

  return {
    add,
    /** In the order in which they came: each begins where the one before ended. */
    async write(store: SignalStore): Promise<boolean> {
      const some = notes.length > 0
      for (let next = notes[0]; next !== undefined; next = notes[0]) {
        await store.noteHealth(next)
        notes = notes.filter((note) => note !== next)
      }
      return some
    },
    ejections: (): Readonly<Record<string, number>> => ({ ...ejections }),
  }
}

type Told = {
  readonly scope: string
  readonly from: string
  readonly to: string
  readonly cause: string
  readonly why: string
  readonly evidence: Readonly<Record<string, number>>
}

function ofHealth({ dimension, value, from, to, cause, why, evidence }: HealthChange): Told {
  return {
    scope: dimension === "all" ? "all" : `${dimension}:${value}`,
    from,
    to,
    cause,
    why,
    evidence: {
      since: Math.round(evidence.sinceMs),
      outcomes: evidence.n,
      bad: evidence.bad,
      expected: round(evidence.expected, 4),
      statistic: round(evidence.statistic, 2),
      threshold: round(evidence.threshold, 2),
      probability: round(evidence.probability, 4),
    },
  }
}

/** Slowness has a scope of its own, as it goes with every state. */
function ofLatency({ slow, usualMs, nowMs, statistic }: LatencyChange): Told {
  return {
    scope: "latency",
    from: slow ? "healthy" : "slow",
    to: slow ? "slow" : "healthy",
    cause: "latency",
    why: "threshold",
    evidence: { usual_ms: Math.round(usualMs), now_ms: Math.round(nowMs), statistic: round(statistic, 2) },
  }
}

/** A probe that failed is no news to a merchant: the account was out before. */
function announcedAs({ from, to }: Told): string | undefined {
  if (to === "ejected") return from === "probing" ? undefined : "account.ejected"
  return to === "healthy" && (from === "returning" || from === "ejected" || from === "probing")
    ? "account.recovered"
    : undefined
}
