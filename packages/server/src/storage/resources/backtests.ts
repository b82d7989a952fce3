// Backtests: jobs and their results. A claim moves the time of the row, and only one worker can move it; every note of
// progress does the same, and so hears when the job was canceled or taken over.

import type { BacktestId, MerchantId, PolicyId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import { keyBelow, pageOf, rowsWanted, type Page, type PageRequest } from "./page.ts"

export const backtestStates = ["queued", "running", "done", "canceled", "failed"] as const
export type BacktestState = (typeof backtestStates)[number]

export type BacktestRow = {
  readonly id: BacktestId
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  readonly policy: PolicyId
  readonly policyVersion: number
  /** Payments created from this time on, and before that one (ms). */
  readonly from: number
  readonly until: number
  readonly maxRecords: number
  readonly state: BacktestState
  /** Read so far. */
  readonly records: number
  readonly report?: unknown
  /** Why it failed. */
  readonly error?: string
  readonly createdAt: number
  readonly endedAt?: number
}

/** Of a merchant, queued and running. */
export const MAX_OPEN_BACKTESTS = 4
/** Of a merchant, kept with their results; the oldest of those that have ended go first. */
export const MAX_KEPT_BACKTESTS = 200

/** Undefined where the merchant has as many open ones as may be. */
export async function createBacktest(
  database: Database,
  row: Pick<BacktestRow, "id" | "merchant" | "mode" | "policy" | "policyVersion" | "from" | "until" | "maxRecords">,
): Promise<BacktestRow | undefined> {
  const { id, merchant, mode, policy, policyVersion, from, until, maxRecords } = row
  await database.query(prune, [merchant, MAX_KEPT_BACKTESTS - 1])
  const values = [merchant, id, mode, policy, policyVersion, from, until, maxRecords, MAX_OPEN_BACKTESTS]
  const [made] = await database.query<Row>(insert, values)
  return made === undefined ? undefined : backtestFrom(made)
}

export async function findBacktest(
  database: Database,
  merchant: MerchantId,
  id: BacktestId,
): Promise<BacktestRow | undefined> {
  const [row] = await database.query<Row>(byId, [merchant, id])
  return row === undefined ? undefined : backtestFrom(row)
}

/** Newest first. */
export async function listBacktests(
  database: Database,
  merchant: MerchantId,
  mode: "live" | "test",
  request: PageRequest,
): Promise<Page<BacktestRow>> {
  const values = [merchant, mode, keyBelow(request), rowsWanted(request)]
  const rows = (await database.query<Row>(ofMerchant, values)).map(backtestFrom)
  return pageOf(rows, request, ({ id }) => id)
}

/** A job in hand, with the time that only its holder knows. */
export type Claimed = { readonly row: BacktestRow; readonly wake: bigint }

/** One that is due, ours for so long. */
export async function claimBacktest(database: Database, leaseMs: number): Promise<Claimed | undefined> {
  const [due] = await database.query<Row & { wake_ms: bigint }>(oldestDue, [])
  if (due === undefined) return undefined
  const [row] = await database.query<Row & { wake_ms: bigint }>(claim, [due.merchant_id, due.id, due.wake_ms, leaseMs])
  return row === undefined ? undefined : { row: backtestFrom(row), wake: row.wake_ms }
}

/** Undefined: it is no longer ours, because it was canceled or taken over. */
export async function noteProgress(
  database: Database,
  { row, wake }: Claimed,
  records: number,
  leaseMs: number,
): Promise<Claimed | undefined> {
  const [noted] = await database.query<Row & { wake_ms: bigint }>(progress, [
    row.merchant,
    row.id,
    wake,
    records,
    leaseMs,
  ])
  return noted === undefined ? undefined : { row: backtestFrom(noted), wake: noted.wake_ms }
}

export async function endBacktest(
  database: Database,
  { row, wake }: Claimed,
  end:
    | { readonly state: "done"; readonly records: number; readonly report: unknown }
    | { readonly state: "failed"; readonly error: string },
): Promise<void> {
  await database.query(finish, [
    row.merchant,
    row.id,
    wake,
    end.state,
    end.state === "done" ? end.records : null,
    end.state === "done" ? encodeDocument(end.report) : null,
    end.state === "failed" ? end.error : null,
  ])
}

/** The row as it stands afterwards; one that has ended stays as it is. */
export async function cancelBacktest(
  database: Database,
  merchant: MerchantId,
  id: BacktestId,
): Promise<BacktestRow | undefined> {
  await database.query(cancel, [merchant, id])
  return findBacktest(database, merchant, id)
}

type Row = {
  merchant_id: MerchantId
  id: BacktestId
  mode: BacktestRow["mode"]
  policy_id: PolicyId
  policy_version: number
  from_ms: bigint
  until_ms: bigint
  max_records: number
  state: BacktestState
  records: number
  report: unknown
  error: string | null
  created_ms: bigint
  ended_ms: bigint | null
}

const backtestFrom = (row: Row): BacktestRow => ({
  id: row.id,
  merchant: row.merchant_id,
  mode: row.mode,
  policy: row.policy_id,
  policyVersion: row.policy_version,
  from: Number(row.from_ms),
  until: Number(row.until_ms),
  maxRecords: row.max_records,
  state: row.state,
  records: row.records,
  ...(row.report === null ? {} : { report: decodeDocument(row.report) }),
  ...(row.error === null ? {} : { error: row.error }),
  createdAt: Number(row.created_ms),
  ...(row.ended_ms === null ? {} : { endedAt: Number(row.ended_ms) }),
})

const columns =
  "merchant_id, id, mode, policy_id, policy_version, from_ms, until_ms, max_records, state, records, report, error, created_ms, ended_ms"

const insert: Statement = {
  name: "backtest-insert",
  text: `insert into backtests (merchant_id, id, mode, policy_id, policy_version, from_ms, until_ms, max_records, state, wake_ms)
    select $1::text, $2::text, $3::text, $4::text, $5::integer, $6::bigint, $7::bigint, $8::integer, 'queued', now_ms()
    where (select count(*) from backtests where merchant_id = $1 and wake_ms is not null) < $9::integer
    returning ${columns}`,
}

const prune: Statement = {
  name: "backtest-prune",
  text: `delete from backtests where merchant_id = $1 and id in (
    select id from backtests where merchant_id = $1 and wake_ms is null order by id desc offset $2)`,
}

const byId: Statement = {
  name: "backtest-by-id",
  text: `select ${columns} from backtests where merchant_id = $1 and id = $2`,
}

const ofMerchant: Statement = {
  name: "backtests-of-merchant",
  text: `select ${columns} from backtests where merchant_id = $1 and mode = $2 and id < $3 order by id desc limit $4`,
}

const oldestDue: Statement = {
  name: "backtest-due",
  text: `select ${columns}, wake_ms from backtests where wake_ms <= now_ms() order by wake_ms limit 1`,
}

// Of two claims at once one changes the time that the other expects.
const claim: Statement = {
  name: "backtest-claim",
  text: `update backtests set state = 'running', records = 0, wake_ms = now_ms() + $4::bigint
    where merchant_id = $1 and id = $2 and wake_ms = $3 returning ${columns}, wake_ms`,
}

// The time moves by more than nothing even within one millisecond, or a canceled job could be taken for ours.
const progress: Statement = {
  name: "backtest-progress",
  text: `update backtests set records = $4, wake_ms = greatest(now_ms() + $5::bigint, wake_ms + 1)
    where merchant_id = $1 and id = $2 and wake_ms = $3 and state = 'running' returning ${columns}, wake_ms`,
}

const finish: Statement = {
  name: "backtest-end",
  text: `update backtests set state = $4, records = coalesce($5, records), report = $6::jsonb, error = $7, wake_ms = null,
      ended_ms = now_ms()
    where merchant_id = $1 and id = $2 and wake_ms = $3 and state = 'running'`,
}

const cancel: Statement = {
  name: "backtest-cancel",
  text: `update backtests set state = 'canceled', wake_ms = null, ended_ms = now_ms()
    where merchant_id = $1 and id = $2 and wake_ms is not null`,
}
