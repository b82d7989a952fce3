// One real server as a process of its own, on its own port: started as `npm start` does, killed without warning, started
// again until it is ready. That it ends by itself after it was ready is a disagreement of its own.

import { spawn, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createWriteStream } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import type { Ground } from "./ground.ts"

export type ServerProcess = {
  readonly name: string
  readonly url: string
  /** Of the merchant that the first start made; each server's demo merchant is its own. */
  apiKey(): string
  ready(): boolean
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>
  /** Stands still, until the returned function lets it go on as if nothing had happened. */
  freeze(): () => void
  /** Until it is ready; it is tried again while the database is away. */
  start(): Promise<void>
  /** Exits that nobody asked for. */
  readonly died: readonly string[]
}

export type ServerSetting = {
  readonly name: string
  readonly databaseUrl: string
  readonly masterKeys: string
}

const MAIN = join(import.meta.dirname, "../../packages/server/src/main.ts")
/** A start that is not ready by then is killed and tried again (ms): the machine is busy, the database may be away. */
const START_LIMIT_MS = 60_000
const STARTS_LIMIT = 60
const START_PAUSE_MS = 500
/** A server that was asked politely gets this long before it is killed (ms). */
const DRAIN_LIMIT_MS = 30_000

export async function openServer(ground: Ground, setting: ServerSetting): Promise<ServerProcess> {
  const { name, databaseUrl, masterKeys } = setting
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const log = createWriteStream(join(ground.dir, `server-${name}.log`), { flags: "a" })
  const died: string[] = []
  let child: ChildProcess | undefined
  let apiKey = ""
  let ready = false
  let unwanted = false
  let closed = false

  const startOnce = async (): Promise<boolean> => {
    const args = ["--role", "all", "--no-simulator", "--no-traffic", "--json"]
    const started = spawn(
      process.execPath,
      [MAIN, ...args, "--port", String(port), "--data", join(ground.dir, `server-${name}`)],
      {
        env: {
          PATH: process.env["PATH"],
          DATABASE_URL: databaseUrl,
          ORCHESTRA_MASTER_KEYS: masterKeys,
          ORCHESTRA_PUBLIC_URL: url,
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    )
    child = started
    unwanted = false
    const { pid } = started
    if (pid !== undefined) ground.lives(pid)
    started.stderr.pipe(log, { end: false })
    started.once("exit", (code, signal) => {
      if (pid !== undefined) ground.ended(pid)
      if (ready && !unwanted) died.push(`server ${name} ended by itself with ${signal ?? code}`)
      ready = false
    })
    const lines = createInterface({ input: started.stdout })
    const first = await Promise.race([
      once(lines, "line").then(([line]) => String(line)),
      once(started, "exit").then(() => undefined),
      sleep(START_LIMIT_MS, undefined, { ref: false }),
    ])
    if (first === undefined || started.exitCode !== null || started.signalCode !== null) {
      started.kill("SIGKILL")
      return false
    }
    apiKey = (JSON.parse(first) as { api_key: string }).api_key
    ready = true
    return true
  }

  const kill = async (signal: "SIGKILL" | "SIGTERM"): Promise<void> => {
    const killed = child
    if (killed === undefined || killed.exitCode !== null || killed.signalCode !== null) return
    unwanted = true
    const exited = once(killed, "exit")
    killed.kill(signal)
    if (signal === "SIGTERM") {
      await Promise.race([exited, sleep(DRAIN_LIMIT_MS, undefined, { ref: false })])
      killed.kill("SIGKILL")
    }
    await exited
  }
  ground.stopLater(`server ${name}`, () => {
    closed = true
    return kill("SIGKILL")
  })
  return {
    name,
    url,
    died,
    apiKey: () => apiKey,
    ready: () => ready,
    kill,
    freeze: () => {
      const frozen = child
      frozen?.kill("SIGSTOP")
      return () => void frozen?.kill("SIGCONT")
    },
    start: async () => {
      for (let starts = 0; starts < STARTS_LIMIT && !closed; starts++) {
        if (await startOnce()) return
        await sleep(START_PAUSE_MS)
      }
      if (closed) return
      throw new Error(`server ${name} does not start; see its log`)
    },
  }
}

/** A restarted server must be found where it was. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, "close")
  return port
}
