// What this process counts for its operators, and what it watches to count it: the ledger's commits, in which every call to a
// provider is told, and the deliveries' tries. The engine knows nothing of it. docs/prometheus.md says what each number means.

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client"
import type { Counts } from "../api/counts.ts"
import type { Metrics } from "../api/metrics.ts"
import { attemptOf, operationOf } from "../core/payment.ts"
import type { Clock, Log } from "../ports.ts"
import type { Database } from "../storage/database.ts"
import type { Commit, Ledger, Transcript } from "../storage/ledger/ledger.ts"
import { readBacklog, type Backlog } from "../storage/resources/backlog.ts"
import type { DeliveryRows } from "../storage/resources/deliveries.ts"
import { watchRouting, type WatchedRouting } from "./routing-metrics.ts"

export type Watch = Metrics & {
  ledger(ledger: Ledger): Ledger
  deliveries(deliveries: DeliveryRows): DeliveryRows
  /** What routing has learned on this node, read whenever the metrics are. */
  routing(watched: WatchedRouting): void
}

/** Seconds. */
const REQUEST_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const CALL_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 90]
const COMMIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
/** Whoever scrapes more often than this gets the same backlog again (ms). */
export const BACKLOG_FRESH_MS = 2_000

type Parts = {
  readonly database: Database
  readonly counts: Counts
  readonly clock: Clock
  readonly log: Log
}

export function createMetrics({ database, counts, clock, log }: Parts): Watch {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const requests = new Histogram({
    name: "orchestra_http_request_duration_seconds",
    help: "Requests answered, by route and status.",
    labelNames: ["method", "route", "status"],
    buckets: REQUEST_BUCKETS,
    registers,
  })
  const calls = new Counter({
    name: "orchestra_provider_calls_total",
    help: "Calls to providers, by what came of them.",
    labelNames: ["account", "provider", "call", "outcome"],
    registers,
  })
  const callTime = new Histogram({
    name: "orchestra_provider_call_duration_seconds",
    help: "How long providers took to answer, or we to give up.",
    labelNames: ["account", "provider", "call"],
    buckets: CALL_BUCKETS,
    registers,
  })
  const commits = new Counter({
    name: "orchestra_commits_total",
    help: "Commits of payments: committed, conflict (decided anew), taken (the idempotency key was), lost (fate unknown).",
    labelNames: ["result"],
    registers,
  })
  const commitTime = new Histogram({
    name: "orchestra_commit_duration_seconds",
    help: "How long commits took.",
    buckets: COMMIT_BUCKETS,
    registers,
  })
  const events = new Counter({
    name: "orchestra_events_total",
    help: "What happened to payments, by the event's type.",
    labelNames: ["type"],
    registers,
  })
  const deliveries = new Counter({
    name: "orchestra_webhook_deliveries_total",
    help: "Tries to deliver events to endpoints: delivered, pending (tried again later), failed (given up).",
    labelNames: ["result"],
    registers,
  })
  watchInbound(registry, counts)
  const readable = watchBacklog(registry, database, clock, log)

  const told = (commit: Commit): void => {
    for (const { type } of commit.events) events.inc({ type })
    for (const transcript of commit.transcripts ?? []) {
      const labels = labelsOf(commit, transcript)
      if (labels === undefined) continue
      const { outcome, ...rest } = labels
      calls.inc({ ...rest, outcome })
      callTime.observe(rest, transcript.durationMs / 1_000)
    }
  }

  return {
    contentType: registry.contentType,
    text: async () => {
      await readable()
      return registry.metrics()
    },
    served: (method, route, status, ms) => requests.observe({ method, route, status: String(status) }, ms / 1_000),
    ledger: (ledger) => ({
      ...ledger,
      commit: async (commit) => {
        const done = commitTime.startTimer()
        try {
          const committed = await ledger.commit(commit)
          commits.inc({ result: committed.kind })
          if (committed.kind === "committed") told(commit)
          return committed
        } catch (error) {
          commits.inc({ result: "lost" })
          throw error
        } finally {
          done()
        }
      },
    }),
    routing: (watched) => watchRouting(registry, clock, watched),
    deliveries: (rows) => ({
      ...rows,
      record: async (key, result) => {
        await rows.record(key, result)
        deliveries.inc({ result: result.state })
      },
    }),
  }
}

type CallLabels = Readonly<Record<"account" | "provider" | "call" | "outcome", string>>

/** Undefined where nothing was sent and nothing was to be. */
function labelsOf({ payment }: Commit, transcript: Transcript): CallLabels | undefined {
  const { operation: id, request, response, error } = transcript
  const operation = operationOf(payment, id)
  const attempt = attemptOf(payment, transcript.attempt)
  if (operation === undefined || attempt === undefined || request.method === "-") return undefined
  const inquiry = request.method === "GET"
  const outcome = (): string => {
    if (response === undefined) return error?.startsWith("not_sent") === true ? "not_sent" : "unknown"
    // The operation's own call has just given it its outcome; a question may have brought no news.
    return inquiry ? `http_${Math.floor(response.status / 100)}xx` : (operation.outcome?.kind ?? "unknown")
  }
  return {
    account: transcript.account,
    provider: attempt.connector,
    call: inquiry ? "inquiry" : operation.kind,
    outcome: outcome(),
  }
}

function watchInbound(registry: Registry, counts: Counts): void {
  const inbound = new Counter({
    name: "orchestra_inbound_webhooks_total",
    help: "Webhooks of providers: accepted, duplicate, forged, stale.",
    labelNames: ["account", "provider", "verdict"],
    registers: [registry],
    collect() {
      inbound.reset()
      for (const { labels, value } of counts.all())
        inbound.inc({ account: labels.account, provider: labels.connector, verdict: labels.verdict }, value)
    },
  })
}

/** The gauges of the backlog; the function reads it anew where it is not fresh. */
function watchBacklog(registry: Registry, database: Database, clock: Clock, log: Log): () => Promise<void> {
  const registers = [registry]
  const pair = (name: string, what: string, labelNames: readonly string[] = []) => ({
    count: new Gauge({ name: `orchestra_${name}`, help: `${what}: how many.`, labelNames, registers }),
    age: new Gauge({ name: `orchestra_${name}_oldest_seconds`, help: `${what}: the oldest.`, labelNames, registers }),
  })
  const up = new Gauge({
    name: "orchestra_backlog_readable",
    help: "0: the database does not say what waits.",
    registers,
  })
  const due = pair("due_payments", "Payments that are to be looked at now")
  const person = pair("payments_needing_person", "Payments that somebody has to look at", ["mode"])
  const inbound = pair("due_inbound_webhooks", "Webhooks of providers that are to be worked on now")
  const outbound = pair("due_webhook_deliveries", "Events that are to be delivered to endpoints now")
  const lag = new Gauge({
    name: "orchestra_outbox_lag_seconds",
    help: "How long the oldest event that a relay has not handed on has been in the outbox.",
    labelNames: ["relay"],
    registers,
  })
  const show = (backlog: Backlog): void => {
    for (const [{ count, age }, waiting] of [
      [due, backlog.due],
      [inbound, backlog.inbound],
      [outbound, backlog.deliveries],
    ] as const) {
      count.set(waiting.count)
      age.set(waiting.ageMs / 1_000)
    }
    for (const mode of ["live", "test"] as const) {
      person.count.set({ mode }, backlog.needsPerson[mode].count)
      person.age.set({ mode }, backlog.needsPerson[mode].ageMs / 1_000)
    }
    for (const { name, lagMs } of backlog.relays) lag.set({ relay: name }, lagMs / 1_000)
  }
  let readAt = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined
  const read = async (): Promise<void> => {
    try {
      show(await readBacklog(database))
      up.set(1)
      readAt = clock.now()
    } catch (error) {
      // Old numbers would look like good ones.
      up.set(0)
      for (const { count, age } of [due, person, inbound, outbound]) {
        count.reset()
        age.reset()
      }
      lag.reset()
      log.warn({ error: String(error) }, "the backlog could not be read for the metrics")
    } finally {
      reading = undefined
    }
  }
  return async () => {
    if (clock.now() - readAt < BACKLOG_FRESH_MS) return
    reading ??= read()
    await reading
  }
}
