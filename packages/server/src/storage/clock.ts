// One clock for all nodes: the database's. Each node shifts its own clock by the difference, measured again and again
// as the time a question takes there and back allows.

import type { Clock, Log } from "../ports.ts"
import type { Database, Statement } from "./database.ts"

/** Questions of one calibration; the quickest answer knows best. */
export const SAMPLES = 5
/** Between calibrations (ms). Quartz drifts by some 20 ppm: a millisecond in 50 s. */
export const CALIBRATION_MS = 30_000

export type CalibratedClock = {
  /** What to add to the local clock. Whole milliseconds. */
  offsetMs(): number
  /** How far the truth may be from it (ms). */
  errorMs(): number
  calibrate(): Promise<void>
  /** Calibrates every so often until stopped; a database that is away leaves the offset as it was. */
  keep(ports: { readonly clock: Clock; readonly log: Log }): () => void
}

/** `localNow` is the node's own clock, in ms since the epoch. */
export async function calibratedClock(database: Database, localNow: () => number): Promise<CalibratedClock> {
  let offset = 0
  let error = Number.POSITIVE_INFINITY

  const calibrate = async (): Promise<void> => {
    let best: { offset: number; error: number } | undefined
    for (let i = 0; i < SAMPLES; i++) {
      const asked = localNow()
      const [row] = await database.query<{ now: number }>(databaseNow)
      const answered = localNow()
      if (row === undefined) continue
      const sample = { offset: row.now - (asked + answered) / 2, error: (answered - asked) / 2 }
      // A local clock that was set back in between would claim a negative time.
      if (sample.error >= 0 && (best === undefined || sample.error < best.error)) best = sample
    }
    if (best === undefined) return
    // Time should not shiver: it follows a better measurement, or one that contradicts the last.
    if (best.error + 1 >= error && Math.abs(best.offset - offset) <= best.error + error) return
    offset = Math.round(best.offset)
    error = best.error + 1
  }

  await calibrate()
  return {
    offsetMs: () => offset,
    errorMs: () => error,
    calibrate,
    keep({ clock, log }) {
      let cancel = (): void => {}
      let stopped = false
      const next = (): void => {
        if (stopped) return
        cancel = clock.after(CALIBRATION_MS, () => {
          calibrate()
            .catch((error: unknown) => log.warn({ error: String(error) }, "the clock could not be calibrated"))
            .finally(next)
        })
      }
      next()
      return () => {
        stopped = true
        cancel()
      }
    },
  }
}

const databaseNow: Statement = {
  name: "database-now",
  text: "select (extract(epoch from clock_timestamp()) * 1000)::double precision as now",
}
