// The server's clock: database time, so that all nodes and the database agree on what is due. The offset of this machine
// to the database is measured with a cheap query, at the middle of its round trip, and again every few seconds.

import type { Database, Statement } from "../storage/database.ts"

/** Between two measurements (ms). A machine's clock drifts by far less than CLOCK_MARGIN_MS in this time. */
export const CALIBRATE_EVERY_MS = 10_000
/** A round trip longer than this says too little about the offset; the last one stays (ms). */
export const MAX_ROUND_TRIP_MS = 250

const now: Statement = { name: "now", text: "select now_ms() as now" }

/** The offset to add to `localNow()` (ms), or undefined if the answer took too long to mean anything. */
export async function measureOffset(database: Database, localNow: () => number): Promise<number | undefined> {
  const before = localNow()
  const [row] = await database.query<{ now: bigint }>(now)
  const after = localNow()
  if (row === undefined || after - before > MAX_ROUND_TRIP_MS) return undefined
  return Number(row.now) - Math.round((before + after) / 2)
}
