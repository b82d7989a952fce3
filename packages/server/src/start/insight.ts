// The insight process: alone it has the file of facts open. It reads the log, keeps the facts up to date, and answers
// questions over a Unix socket that is its user's alone. Nothing that pays waits for it: its crash or lag is seen in the
// freshness of its answers only.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import { rmSync } from "node:fs"
import { runFactFeed, type Freshness, type PaymentSource, type RunningFeed } from "../engine/fact-feed.ts"
import { systemPorts, type Log } from "../ports.ts"
import { calibratedClock } from "../storage/clock.ts"
import { openDatabase, type Database, type DatabaseOptions } from "../storage/database.ts"
import { decodeDocument, encodeDocument } from "../storage/document.ts"
import { openDuckFacts } from "../storage/facts/duckdb.ts"
import type { FactQuery, FactSums } from "../insight/fact-query.ts"
import type { FactStore } from "../storage/facts/fact-store.ts"
import { migrate } from "../storage/ledger/migrate.ts"
import { createPostgresLedger } from "../storage/ledger/postgres.ts"
import { estimatePayments, loadPayments, nextPayments } from "../storage/resources/payment-batches.ts"

export type InsightOptions = {
  readonly database: Omit<DatabaseOptions, "log">
  /** The folder of the facts. */
  readonly dir: string
  readonly socket: string
  readonly log: Log
}

export type Insight = { stop(): Promise<void> }

/** What is asked and answered over the socket, as documents (storage/document.ts). */
export type Asked = { readonly queries: readonly FactQuery[] }
export type Answered = { readonly freshness: Freshness; readonly sums: readonly FactSums[] }

/** Connections to PostgreSQL: the feed needs one at a time. */
const CONNECTIONS = 3
/** Questions worked on at once, and those that may wait: each is spread over all cores by itself. */
const MAX_AT_WORK = 2
const MAX_WAITING = 30
const MAX_QUESTION_BYTES = 256 * 1024
/** Sums of one question: a metric's fact and the range it is compared with. */
export const MAX_QUERIES = 4

export async function startInsight({ database: place, dir, socket, log }: InsightOptions): Promise<Insight> {
  const closing: (() => Promise<unknown>)[] = []
  const stop = async (): Promise<void> => {
    for (const step of closing.splice(0).toReversed())
      await step().catch((error: unknown) => log.warn({ error: String(error) }, "a part of insight did not close"))
  }
  try {
    const store = await openDuckFacts({ dir })
    closing.push(() => store.close())
    const database = openDatabase({ ...place, connections: CONNECTIONS, log })
    closing.push(() => database.close())
    await migrate(database, log)
    const time = await calibratedClock(database, Date.now)
    const ports = systemPorts(() => time.offsetMs(), log)
    const stopCalibrating = time.keep(ports)
    closing.push(async () => stopCalibrating())
    const feed = runFactFeed({
      ...ports,
      ledger: createPostgresLedger(database),
      payments: paymentSource(database),
      store,
    })
    closing.push(() => feed.stop())
    const answer = answering(store, feed, log)
    const server = createServer((request, response) => void answer(request, response))
    await listening(server, socket)
    closing.push(() => closed(server))
    return { stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export const paymentSource = (database: Database): PaymentSource => ({
  load: (keys) => loadPayments(database, keys),
  next: (after, limit) => nextPayments(database, after, limit),
  estimate: () => estimatePayments(database),
})

function answering(store: FactStore, feed: RunningFeed, log: Log) {
  let atWork = 0
  const waiting: (() => void)[] = []
  const turn = async (): Promise<void> => {
    if (atWork >= MAX_AT_WORK) await new Promise<void>((resolve) => waiting.push(resolve))
    else atWork += 1
  }
  const done = (): void => {
    const next = waiting.shift()
    if (next === undefined) atWork -= 1
    else next()
  }
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refuse = (status: number): void => {
      response.writeHead(status)
      response.end()
    }
    if (request.method !== "POST" || request.url !== "/sums") return refuse(404)
    if (waiting.length >= MAX_WAITING) return refuse(503)
    try {
      const { queries } = decodeDocument(JSON.parse(await bodyOf(request))) as Asked
      if (queries.length > MAX_QUERIES) return refuse(400)
      await turn()
      try {
        const freshness = feed.freshness()
        const sums: FactSums[] = []
        if (freshness.building === undefined) for (const query of queries) sums.push(await store.sums(query))
        const answered: Answered = { freshness, sums }
        response.writeHead(200)
        response.end(encodeDocument(answered))
      } finally {
        done()
      }
    } catch (error) {
      log.error({ error: String(error) }, "a question to the facts failed")
      refuse(500)
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_QUESTION_BYTES) throw new Error("a question is larger than any that is asked")
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

async function listening(server: Server, socket: string): Promise<void> {
  // Whoever has the file of facts has the socket: one that is left over is of a process that died.
  rmSync(socket, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(socket, () => {
      server.off("error", reject)
      resolve()
    })
  })
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
