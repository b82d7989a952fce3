// Keeps the insight process running beside the server: started anew when it ends, later each time; at a low priority, so
// that its sums never take a core from a payment.

import { fork, type ChildProcess } from "node:child_process"
import { setPriority } from "node:os"
import { join } from "node:path"
import type { Clock, Log } from "../ports.ts"
import type { Told } from "./insight-child.ts"

export type InsightProcess = {
  /** The process that runs now, for tests that kill it. */
  pid(): number | undefined
  /** How often it was started. */
  starts(): number
  /** Ends it cleanly; kills it if that takes longer than STOP_MS. */
  stop(): Promise<void>
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** Whoever ran this long is started anew at once (ms). */
const STEADY_MS = 60_000
export const STOP_MS = 5_000
/** Niceness: 0 is everybody's, 19 the least. */
const NICE = 10

export function runInsightProcess(
  told: Told,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): InsightProcess {
  let child: ChildProcess | undefined
  let starts = 0
  let failures = 0
  let stopping = false
  let cancelRestart = (): void => {}
  let ended: Promise<void> = Promise.resolve()

  const start = (): void => {
    starts += 1
    const since = clock.now()
    const mine = fork(join(import.meta.dirname, "insight-child.ts"), [], {
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    })
    child = mine
    lower(mine)
    mine.on("error", (error) => log.warn({ error: String(error) }, "the insight process does not hear us"))
    ended = new Promise((resolve) => {
      mine.once("exit", (code, signal) => {
        resolve()
        child = undefined
        if (stopping) return
        failures = clock.now() - since >= STEADY_MS ? 0 : failures + 1
        const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10))
        log.warn({ code, signal, pauseMs }, "the insight process has ended, and is started anew; payments go on")
        cancelRestart = clock.after(pauseMs, start)
      })
    })
    mine.send(told, () => {})
  }
  start()

  return {
    pid: () => child?.pid,
    starts: () => starts,
    stop: async () => {
      stopping = true
      cancelRestart()
      const mine = child
      if (mine === undefined) return
      mine.send("stop", () => {})
      const cancel = clock.after(STOP_MS, () => mine.kill("SIGKILL"))
      await ended
      cancel()
    },
  }
}

function lower({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, NICE)
  } catch {
    // Gone already, or not allowed: it runs as everybody does.
  }
}
