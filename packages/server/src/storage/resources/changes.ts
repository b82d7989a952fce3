// How nodes learn that something they keep in memory has changed. Every change of these resources notes itself in the
// table `changes` with its own transaction; NOTIFY afterwards makes it quick, and a poll of the table makes it certain.
// Never part of a payment's transaction: NOTIFY takes a lock that all commits would wait for.

import type { MerchantId } from "../../core/id.ts"
import type { Clock, Log } from "../../ports.ts"
import { failureOf, type Database, type Statement } from "../database.ts"
import { listen } from "../listen.ts"

export const topics = ["merchants", "api_keys", "accounts", "policies", "webhook_endpoints"] as const
export type Topic = (typeof topics)[number]
export type Change = { readonly merchant: MerchantId; readonly topic: Topic }

/** The table is read this often (ms): the longest that a lost notification can hide a change. */
export const POLL_MS = 1_000
const CHANNEL = "orchestra_changes"

/** The part of a statement that notes the change. It expects a part `written` and the merchant as $1. */
export const noteChange = (topic: Topic): string => `
  changed as (
    insert into changes (merchant_id, topic, transaction)
    select distinct $1::text, '${topic}', ledger_transaction() from written
    on conflict (merchant_id, topic) do update set transaction = excluded.transaction)`

/** Runs a statement that contains `noteChange`, and tells the other nodes when it has changed something. */
export async function change<Row extends object>(
  database: Database,
  topic: Topic,
  merchant: MerchantId,
  statement: Statement,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  const rows = await database.query<Row>(statement, [merchant, ...values])
  if (rows.length > 0)
    await database.query(notify, [CHANNEL, `${topic} ${merchant}`]).catch((error: unknown) => {
      // The change stands, and the poll tells it.
      if (failureOf(error) === undefined) throw error
    })
  return rows
}

export type ChangeWatch = { stop(): Promise<void> }

/** Calls `heard` for every change, at least once, from when the promise resolves until `stop`. */
export async function watchChanges(
  database: Database,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  heard: (change: Change) => void,
): Promise<ChangeWatch> {
  let stopped = false
  let since = (await poll(database, "0")).horizon
  const pauses = new Set<() => void>()
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        pauses.delete(end)
        cancel()
        resolve()
      }
      const cancel = clock.after(ms, end)
      pauses.add(end)
    })

  const pollForEver = async (): Promise<void> => {
    while (!stopped) {
      try {
        const { horizon, changes } = await poll(database, since)
        since = horizon
        for (const change of changes) heard(change)
      } catch (error) {
        log.warn({ error: String(error) }, "cannot poll for changes; trying again")
      }
      if (!stopped) await pause(POLL_MS)
    }
  }

  const listening = listen(database, { clock, log }, CHANNEL, (payload) => {
    const change = parseChange(payload)
    if (change !== undefined) heard(change)
  })
  const polling = pollForEver()
  return {
    async stop() {
      stopped = true
      for (const end of pauses) end()
      await Promise.all([listening.stop(), polling])
    },
  }
}

/** Changes of transactions at or above `since`, and the horizon to ask from next: a late commit is seen next time. */
async function poll(database: Database, since: string): Promise<{ horizon: string; changes: readonly Change[] }> {
  const [row] = await database.query<{ horizon: bigint; changes: [string, Topic][] | null }>(changesSince, [since])
  const changes = (row?.changes ?? []).map(([merchant, topic]) => ({ merchant: merchant as MerchantId, topic }))
  return { horizon: String(row?.horizon ?? since), changes }
}

function parseChange(payload: string): Change | undefined {
  const [topic, merchant] = payload.split(" ")
  return merchant !== undefined && topics.some((known) => known === topic)
    ? { topic: topic as Topic, merchant: merchant as MerchantId }
    : undefined
}

const notify: Statement = { name: "change-notify", text: "select pg_notify($1, $2)" }

const changesSince: Statement = {
  name: "changes-since",
  text: `select ledger_horizon() as horizon,
      (select json_agg(json_build_array(merchant_id, topic)) from changes where transaction >= $1::bigint) as changes`,
}
