// The insight process as a child of the server: told by its parent what to open, ends when told to or when the parent is gone.

import { pino } from "pino"
import type { DatabaseOptions } from "../storage/database.ts"
import { startInsight, type Insight } from "./insight.ts"
import { maskedLog } from "./masked-log.ts"
import { sentenceOf } from "./sentence.ts"

/** By message and not by arguments, which others can read: a database's address may hold its password. */
export type Told = {
  readonly database: Omit<DatabaseOptions, "log">
  readonly dir: string
  readonly socket: string
  readonly verbose: boolean
}

let started: Promise<Insight> | undefined
let stopping = false

async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  await (await started?.catch(() => undefined))?.stop()
  process.exit(0)
}

// A signal reaches the whole group, from a terminal or a service manager: the parent says when it is our turn.
process.on("SIGINT", () => {})
process.on("SIGTERM", () => {})
process.on("disconnect", () => void stop())
process.on("message", (told: Told | "stop") => {
  if (told === "stop") return void stop()
  started ??= start(told)
})

function start({ verbose, ...place }: Told): Promise<Insight> {
  const writer = pino(
    { level: verbose ? "info" : "warn", base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  )
  const log = maskedLog({
    info: (fields, message) => writer.info(fields, message),
    warn: (fields, message) => writer.warn(fields, message),
    error: (fields, message) => writer.error(fields, message),
  })
  const starting = startInsight({ ...place, log })
  starting.then(
    () => process.send?.("ready"),
    (error: unknown) => {
      if (stopping) return
      log.error({ error: sentenceOf(error) }, "the insight process cannot start")
      process.exit(1)
    },
  )
  return starting
}
