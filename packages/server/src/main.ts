// `npm start`: reads the environment, starts what the options say, tells how to make the first payment, and stops cleanly.

import { mkdirSync } from "node:fs"
import { hostname } from "node:os"
import { join, resolve } from "node:path"
import { pino } from "pino"
import { systemPorts, type Log } from "./ports.ts"
import { assemble, DRAIN_MS, type Server } from "./start/assemble.ts"
import { demoBinTable, loadBinTable } from "./start/bin-table.ts"
import { startDemo, type Demo } from "./start/demo.ts"
import { factsFolder, insightSocket } from "./start/insight-address.ts"
import { insightClient } from "./start/insight-client.ts"
import { runInsightProcess, type InsightProcess } from "./start/insight-process.ts"
import { startInsight } from "./start/insight.ts"
import { maskedLog } from "./start/masked-log.ts"
import { ready, readyJson } from "./start/notice.ts"
import { help, readOptions, Usage, type Options } from "./start/options.ts"
import { sentenceOf } from "./start/sentence.ts"
import { runTraffic } from "./start/traffic.ts"
import { startEmbedded, type Embedded } from "./storage/embedded.ts"
import { loadOrCreateKeyFile } from "./vault/key-file.ts"

const KEY_FILE = "keys"
/** Signals this close together are one (ms). */
const ONE_WISH_MS = 1_000

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options === "help") {
    console.log(help)
    return
  }
  const log = logger(options)
  const { clock, chance } = systemPorts(() => 0, log)
  const started: { stop(): Promise<void> }[] = []
  const stopAll = async (): Promise<void> => {
    for (const part of started.splice(0).toReversed())
      await part.stop().catch((error: unknown) => log.error({ error: String(error) }, "something did not stop"))
  }
  let phase: "starting" | "running" | "stopping" = "starting"
  // A stop during the start waits for the start: half a server cannot be taken apart.
  let wanted = false
  let askedAt = 0
  const end = (): void => {
    phase = "stopping"
    void stopAll().then(() => process.exit(0))
  }
  const stop = (signal: string): void => {
    if (phase === "stopping" || wanted) {
      // Ctrl-C reaches us from the terminal and again from npm: one wish, not two.
      if (clock.now() - askedAt < ONE_WISH_MS) return
      console.error("Stopping at once; what was under way is recovered at the next start.")
      process.exit(130)
    }
    askedAt = clock.now()
    if (!options.json)
      console.error(
        `\n${signal}: finishing what is under way, at most ${DRAIN_MS / 1_000} s. Ctrl-C again stops at once, and loses nothing.`,
      )
    if (phase === "running") end()
    else wanted = true
  }
  process.on("SIGINT", () => stop("SIGINT"))
  process.on("SIGTERM", () => stop("SIGTERM"))
  try {
    const demoBins = demoBinTable()
    const bins = options.binTable === undefined ? demoBins : loadBinTable(options.binTable)
    mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
    const dir = resolve(options.dataDir)
    const embedded: Embedded | undefined =
      options.databaseUrl === undefined ? await startEmbedded({ dir, ports: { clock, log } }) : undefined
    if (embedded !== undefined) started.push(embedded)
    const database =
      embedded === undefined
        ? { url: options.databaseUrl! }
        : { host: embedded.host, user: embedded.user, database: "postgres" }
    const place = { database, dir: factsFolder(dir), socket: insightSocket(dir) }
    if (options.role === "insight") {
      started.push(await startInsight({ ...place, log: maskedLog(log) }))
      if (wanted) return end()
      phase = "running"
      console.log(options.json ? readyJson("", undefined) : ready("", undefined, options, ""))
      return
    }
    const facts = insightClient(place.socket, log)
    started.push({ stop: () => facts.close() })
    let insight: InsightProcess | undefined
    // Before the server, so that it is stopped after it.
    started.push({ stop: async () => insight?.stop() })
    const server = await assemble({
      database,
      facts,
      masterKeys: options.masterKeys ?? loadOrCreateKeyFile(join(dir, KEY_FILE), "first", chance),
      port: options.port,
      host: options.host,
      publicUrl: options.publicUrl,
      role: options.role,
      metrics: options.metrics,
      retention: options.retention,
      bins,
      node: `${hostname().slice(0, 40)}-${process.pid}-${Buffer.from(chance.bytes(3)).toString("hex")}`,
      log,
    })
    started.push(server)
    if (wanted) return end()
    if (options.role === "all" && options.insight)
      insight = runInsightProcess({ ...place, verbose: options.verbose }, { clock, log })
    const demo = options.role === "all" ? await startSample(options, server, dir, log, started) : undefined
    if (demo?.simulator !== undefined) demoBins.simulatorRuns()
    if (wanted) return end()
    phase = "running"
    if (options.json) console.log(readyJson(server.url, demo))
    else console.log(ready(server.url, demo, options, Buffer.from(chance.bytes(3)).toString("hex")))
  } catch (error) {
    await stopAll()
    throw error
  }
}

async function startSample(
  options: Options,
  server: Server,
  dataDir: string,
  log: Log,
  started: { stop(): Promise<void> }[],
): Promise<Demo> {
  const { clock, chance } = server.engine
  const demo = await startDemo(
    { database: server.database, vault: server.vault, clock, chance, dataDir },
    server.url,
    options.simulator,
  )
  const { simulator } = demo
  if (simulator !== undefined) {
    started.push({ stop: () => simulator.close() })
    if (options.traffic) {
      await server.knows(simulator.accounts().length)
      started.push(runTraffic({ url: server.url, apiKey: demo.apiKey, clock, chance, log }))
    }
  }
  return demo
}

function logger({ verbose }: Options): Log {
  const log = pino(
    { level: verbose ? "info" : "warn", base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  )
  return {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  }
}

main().catch((error: unknown) => {
  if (error instanceof Usage) {
    console.error(error.message)
    process.exit(2)
  }
  console.error(sentenceOf(error))
  process.exit(1)
})
