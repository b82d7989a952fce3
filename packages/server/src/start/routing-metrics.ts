// What routing knows on this node, as numbers: the health of accounts, what it left, what was shared and lost.

import { Counter, Gauge, type Registry } from "prom-client"
import type { CheckCounts } from "../engine/decision-check.ts"
import type { SharingCounts } from "../engine/signal-sharing.ts"
import type { Shelf } from "../engine/signals.ts"
import type { Clock } from "../ports.ts"

const states = ["healthy", "suspect", "returning", "probing", "ejected"] as const

export type WatchedRouting = {
  readonly counts: () => SharingCounts
  readonly shelves: () => readonly Shelf[]
  readonly checks: Readonly<CheckCounts>
}

export function watchRouting(registry: Registry, clock: Clock, { counts, shelves, checks }: WatchedRouting): void {
  const registers = [registry]
  const health = new Gauge({
    name: "orchestra_routing_account_state",
    help: "Health of an account in all it does, as this node sees it: 0 healthy, 1 suspect, 2 returning, 3 probing, 4 ejected.",
    labelNames: ["account"],
    registers,
    collect() {
      health.reset()
      for (const { signals, accounts, mode } of shelves())
        for (const { id, config } of accounts) {
          const known = config.mode === mode ? signals.overall(id, clock.now()) : undefined
          if (known !== undefined) health.set({ account: id }, states.indexOf(known.state))
        }
    },
  })
  const ejections = new Counter({
    name: "orchestra_routing_ejections_total",
    help: "How often this node took an account, or a part of its traffic, out of routing.",
    labelNames: ["account"],
    registers,
    collect() {
      ejections.reset()
      for (const [account, count] of Object.entries(counts().ejections)) ejections.inc({ account }, count)
    },
  })
  const checked = new Counter({
    name: "orchestra_routing_decision_checks_total",
    help: "Stored decisions that were made again, as a sample: same, different (a bug), impossible (of another version).",
    labelNames: ["result"],
    registers,
    collect() {
      checked.reset()
      for (const [result, count] of Object.entries(checks)) checked.inc({ result }, count)
    },
  })
  const number = (name: string, help: string, value: (of: SharingCounts) => number): void => {
    const gauge = new Gauge({
      name: `orchestra_routing_${name}`,
      help,
      registers,
      collect() {
        gauge.set(value(counts()))
      },
    })
  }
  number("signals_dropped", "Observations that were not shared: the database was away for too long.", (c) => c.dropped)
  number("signals_unreadable", "Batches of another version's form that were left out.", (c) => c.unreadable)
  number(
    "replayed_observations",
    "Observations of the past that this node has read since it started.",
    (c) => c.replayed,
  )
  number("replay_seconds", "How long the start took to read them.", (c) => c.replayMs / 1_000)
  number("node_sick", "1: no provider answers this node; it takes no traffic.", (c) => (c.isSick ? 1 : 0))
}
