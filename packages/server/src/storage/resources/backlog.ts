// What waits, and for how long, of the whole installation: for its metrics. Every count is bounded by a limit per account or
// endpoint and reads an index, so that a scrape in an outage costs no more than one in good times.

import type { Database, Statement } from "../database.ts"

export type Waiting = {
  readonly count: number
  /** Of what waits longest (ms); 0 where nothing does. */
  readonly ageMs: number
}

export type Backlog = {
  /** Payments whose time to be looked at has come. */
  readonly due: Waiting
  /** Payments that a person has to look at, since when. */
  readonly needsPerson: Readonly<Record<"live" | "test", Waiting>>
  /** Webhooks of providers that are to be worked on now. */
  readonly inbound: Waiting
  /** Events on their way to endpoints whose time has come. */
  readonly deliveries: Waiting
  /** Per relay of the outbox: how long the oldest event that it has not handed on has been there (ms). */
  readonly relays: readonly { readonly name: string; readonly lagMs: number }[]
}

/** Counted at most, of one account and of one endpoint. */
export const MAX_COUNTED_EACH = 1_000
/** Counted at most where there is one queue. */
export const MAX_COUNTED = 10_000

export async function readBacklog(database: Database): Promise<Backlog> {
  const [waits, relays] = await Promise.all([
    database.query<Wait>(waiting),
    database.query<{ name: string; lag_ms: bigint | null }>(relayLag),
  ])
  const of = (kind: string): Waiting => {
    const row = waits.find((wait) => wait.kind === kind)
    return { count: Number(row?.count ?? 0), ageMs: Math.max(0, Number(row?.age_ms ?? 0)) }
  }
  return {
    due: of("due"),
    needsPerson: { live: of("person live"), test: of("person test") },
    inbound: of("inbound"),
    deliveries: of("deliveries"),
    relays: relays.map(({ name, lag_ms }) => ({ name, lagMs: Math.max(0, Number(lag_ms ?? 0)) })),
  }
}

type Wait = { readonly kind: string; readonly count: bigint | number; readonly age_ms: bigint | null }

const waiting: Statement = {
  name: "backlog-waiting",
  text: `select 'due' as kind, coalesce(sum(w.count), 0)::bigint as count, now_ms() - min(w.oldest) as age_ms
    from wake_accounts a cross join lateral (
      select count(*) as count, min(o.wake_ms) as oldest from (
        select wake_ms from payment_wakes
        where merchant_id = a.merchant_id and account_id = a.account_id and wake_ms <= now_ms()
        order by wake_ms limit ${MAX_COUNTED_EACH}) o) w
    union all
    select 'person ' || mode, count(*), now_ms() - min(since_ms) from payments_needing_person group by mode
    union all
    select 'inbound', count(*), now_ms() - min(next_ms) from (
      select next_ms from inbound_webhooks where next_ms <= now_ms() order by next_ms limit ${MAX_COUNTED}) i
    union all
    select 'deliveries', coalesce(sum(d.count), 0)::bigint, now_ms() - min(d.oldest)
    from webhook_endpoints e cross join lateral (
      select count(*) as count, min(o.next_ms) as oldest from (
        select next_ms from deliveries
        where merchant_id = e.merchant_id and endpoint_id = e.id and next_ms <= now_ms()
        order by next_ms limit ${MAX_COUNTED_EACH}) o) d
    where e.state = 'enabled'`,
}

const relayLag: Statement = {
  name: "backlog-relays",
  text: `select r.name, (
      select now_ms() - e.at_ms from events e
      where (e.transaction, e.id) > (coalesce(r.transaction, -1), coalesce(r.event_id, ''))
      order by e.transaction, e.id limit 1) as lag_ms
    from relays r order by r.name`,
}
