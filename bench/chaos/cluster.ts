// The one real PostgreSQL of a run: fsync on, its postmaster killed without warning and revived by what revives it in
// production too (storage/embedded.ts).

import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { openDatabase, type Database } from "../../packages/server/src/storage/database.ts"
import { startEmbedded } from "../../packages/server/src/storage/embedded.ts"
import { systemPorts, type Log } from "../../packages/server/src/ports.ts"
import type { Ground } from "./ground.ts"

export type Cluster = {
  readonly url: string
  /** Ours, to look at what is stored. */
  readonly database: Database
  kill(): void
  /** Until it answers again. */
  answers(): Promise<void>
}

const NAME = "postgres"
const CONNECTIONS = 4
const ANSWER_TRIES = 600
const ANSWER_PAUSE_MS = 200

export async function openCluster(ground: Ground): Promise<Cluster> {
  const ports = systemPorts(() => 0, quiet)
  const embedded = await startEmbedded({ dir: join(ground.dir, "database"), ports })
  ground.stopLater("PostgreSQL", () => embedded.stop())
  const database = openDatabase({
    host: embedded.host,
    user: embedded.user,
    database: NAME,
    connections: CONNECTIONS,
    log: quiet,
  })
  ground.stopLater("our connections", () => database.close())
  return {
    url: `postgres://${embedded.user}@localhost/${NAME}?host=${encodeURIComponent(embedded.host)}`,
    database,
    kill: () => process.kill(embedded.pid(), "SIGKILL"),
    answers: async () => {
      for (let tries = 0; tries < ANSWER_TRIES; tries++) {
        const answered = await database.query({ name: "", text: "select 1" }).then(
          () => true,
          () => false,
        )
        if (answered) return
        await sleep(ANSWER_PAUSE_MS)
      }
      throw new Error("PostgreSQL does not come back")
    },
  }
}

/** That it is revived is what we asked for. */
const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} }
