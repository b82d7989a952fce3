// Waits until nothing moves any more: no operation is open, no payment waits, everything that providers told has been
// worked on, and everything that the merchant is to be told has been told.

import { setTimeout as sleep } from "node:timers/promises"
import type { MerchantId } from "../../packages/server/src/core/id.ts"
import type { Database, Statement } from "../../packages/server/src/storage/database.ts"

export type Unrest = {
  /** Open operations, by kind and state. */
  readonly operations: readonly { readonly what: string; readonly count: number; readonly oldestMs: number }[]
  readonly waiting: number
  /** Webhooks from providers that were not worked on yet. */
  readonly inbound: number
  /** Events that the relay has not handed on, and deliveries that the endpoint has not taken. */
  readonly unrelayed: number
  readonly undelivered: number
}

const LOOK_MS = 2_000
const TELL_MS = 10_000
/** Looks in a row that must find nothing: some things follow from others. */
const QUIET_LOOKS = 3

/** Undefined: at rest. Else what still moves when the time is over. */
export async function untilRest(
  database: Database,
  merchant: MerchantId,
  limitMs: number,
  tell: (text: string) => void,
): Promise<Unrest | undefined> {
  const began = Date.now()
  let told = 0
  let quiet = 0
  for (;;) {
    const unrest = await look(database, merchant)
    quiet = isQuiet(unrest) ? quiet + 1 : 0
    if (quiet === QUIET_LOOKS) return undefined
    const elapsed = Date.now() - began
    if (elapsed > limitMs) return unrest
    if (elapsed - told >= TELL_MS) {
      told = elapsed
      tell(`${seconds(elapsed)} of rest: ${describe(unrest)}`)
    }
    await sleep(LOOK_MS)
  }
}

export function describe({ operations, waiting, inbound, unrelayed, undelivered }: Unrest): string {
  const open = operations.map(({ what, count, oldestMs }) => `${count} ${what} (oldest ${seconds(oldestMs)})`)
  return [
    operations.length === 0 ? "no open operation" : `open operations: ${open.join(", ")}`,
    `${waiting} payments wait`,
    `${inbound} webhooks from providers`,
    `${unrelayed} events to relay`,
    `${undelivered} webhooks to deliver`,
  ].join("; ")
}

const isQuiet = ({ operations, waiting, inbound, unrelayed, undelivered }: Unrest): boolean =>
  operations.length + waiting + inbound + unrelayed + undelivered === 0

const seconds = (ms: number): string => `${Math.round(ms / 1_000)} s`

async function look(database: Database, merchant: MerchantId): Promise<Unrest> {
  const [operations, [counts]] = await Promise.all([
    database.query<{ what: string; count: number; oldest: number }>(openOperations, [merchant]),
    database.query<{ waiting: number; inbound: number; unrelayed: number; undelivered: number }>(others, [merchant]),
  ])
  return {
    operations: operations.map(({ what, count, oldest }) => ({ what, count, oldestMs: oldest })),
    waiting: counts?.waiting ?? 0,
    inbound: counts?.inbound ?? 0,
    unrelayed: counts?.unrelayed ?? 0,
    undelivered: counts?.undelivered ?? 0,
  }
}

const openOperations: Statement = {
  name: "",
  text: `select kind || ' ' || state || case when document->>'needsPerson' = 'true' then ' needs a person' else '' end as what,
      count(*)::int as count, max(now_ms() - (document->>'createdAt')::float8)::float8 as oldest
    from operations where merchant_id = $1 and state in ('owed', 'sent', 'unknown', 'pending', 'action')
    group by 1 order by 1`,
}

// A webhook that matched nothing several times is about nothing of ours: it does not keep us waiting.
const others: Statement = {
  name: "",
  text: `select
      (select count(*)::int from payments where merchant_id = $1 and status in ('processing', 'requires_action')) as waiting,
      (select count(*)::int from inbound_webhooks where merchant_id = $1 and next_ms is not null
        and (result is null or tries < 5)) as inbound,
      (select count(*)::int from events e, relays r where r.name = 'outbox'
        and (e.transaction, e.id) > (coalesce(r.transaction, 0), coalesce(r.event_id, ''))) as unrelayed,
      (select count(*)::int from deliveries where merchant_id = $1 and next_ms is not null) as undelivered`,
}
