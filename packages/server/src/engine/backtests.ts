// Backtests are worked off beside payments: one at a time and process, page by page, so that neither memory nor the database
// feels how large a window is. A process that dies leaves a claim that runs out, and another one begins anew.

import type { Ports } from "../ports.ts"
import { backtest, type BacktestReport } from "../routing/evidence/backtest.ts"
import type { Policy, PolicyDocument } from "../routing/policy.ts"
import type { Database } from "../storage/database.ts"
import {
  claimBacktest,
  endBacktest,
  noteProgress,
  type BacktestRow,
  type Claimed,
} from "../storage/resources/backtests.ts"
import { MAX_PAGE } from "../storage/resources/page.ts"
import { searchPayments } from "../storage/resources/payments.ts"
import { findPolicyVersion } from "../storage/resources/policies.ts"
import { candidateOf } from "./attempt.ts"
import { draftDecider, recordOf, type BacktestRecord, type NoRecord } from "./backtest-record.ts"
import type { Directory } from "./engine.ts"
import { runLoop, type Loop } from "./loop.ts"

export type Backtester = Ports & { readonly database: Database; readonly directory: Directory }

/** What is stored of one that is done. */
export type StoredReport = BacktestReport & {
  /** Payments of the window that are no record, by reason. */
  readonly skipped: Readonly<Partial<Record<NoRecord, number>>>
}

/** A job is ours this long after each page (ms). */
export const BACKTEST_LEASE_MS = 60_000
const IDLE_MS = 1_000
const BACKOFF_MS = 30_000

/** Works until stopped; what is under way then is left to others. */
export function runBacktests(parts: Backtester): Loop {
  let stopping = false
  const loop = runLoop(parts, "backtests", { idleMs: IDLE_MS, backoffMs: BACKOFF_MS }, async () => {
    const claimed = await claimBacktest(parts.database, BACKTEST_LEASE_MS)
    if (claimed === undefined) return false
    await work(parts, claimed, () => stopping)
    return true
  })
  return {
    wake: () => loop.wake(),
    stop: () => {
      stopping = true
      return loop.stop()
    },
  }
}

async function work(parts: Backtester, first: Claimed, isStopping: () => boolean): Promise<void> {
  const { database, log } = parts
  const { row } = first
  let claimed: Claimed | undefined = first
  let read = 0
  /** Before every page; false: it is no longer ours, or we are to stop. */
  const goOn = async (): Promise<boolean> => {
    if (claimed !== undefined) claimed = await noteProgress(database, claimed, read, BACKTEST_LEASE_MS)
    return claimed !== undefined && !isStopping()
  }
  try {
    const version = await findPolicyVersion(database, row.merchant, row.policy, row.policyVersion)
    if (version === undefined)
      return await endBacktest(database, first, { state: "failed", error: "the policy's version is gone" })
    const policy: Policy = {
      ...(version.document as PolicyDocument),
      id: row.policy,
      version: row.policyVersion,
    }
    const now = parts.directory.accounts(row.merchant).map(candidateOf)
    const skipped: Partial<Record<NoRecord, number>> = {}
    const records = recordsOf(parts, row, skipped, goOn)
    for await (const told of backtest(records, draftDecider(policy, now), { maxRecords: row.maxRecords, every: 1 })) {
      read = told.records
      if (told.kind !== "done" || claimed === undefined || isStopping()) continue
      const report: StoredReport = { ...told.report, skipped }
      await endBacktest(database, claimed, { state: "done", records: told.records, report })
    }
  } catch (error) {
    log.error({ merchant: row.merchant, backtest: row.id, error: String(error) }, "a backtest failed")
    if (claimed !== undefined) await endBacktest(database, claimed, { state: "failed", error: FAILED })
  }
}
const FAILED = "the server could not finish it; ask again"

/** Newest first, a page at a time. */
async function* recordsOf(
  { database, directory }: Backtester,
  { merchant, mode, from, until }: BacktestRow,
  skipped: Partial<Record<NoRecord, number>>,
  goOn: () => Promise<boolean>,
): AsyncGenerator<BacktestRecord, void, void> {
  const filter = { merchant, mode, createdFrom: from, createdUntil: until }
  let cursor: string | undefined
  do {
    if (!(await goOn())) return
    const page = await searchPayments(database, filter, {
      limit: MAX_PAGE,
      ...(cursor === undefined ? {} : { cursor }),
    })
    for (const payment of page.rows) {
      const record = recordOf(payment, directory.account)
      if ("none" in record) skipped[record.none] = (skipped[record.none] ?? 0) + 1
      else yield record
    }
    cursor = page.next
  } while (cursor !== undefined)
}
