// `npm run facts:rebuild`: throws the facts away and makes them again from the payments in PostgreSQL. Not while the insight
// process has them open; what happens meanwhile is in the log, where the next start reads on. Stopped half-way, it leaves
// facts without a cursor, which the next start of insight, or of this, builds anew.

import { resolve } from "node:path"
import { buildFacts } from "../engine/fact-feed.ts"
import { systemPorts } from "../ports.ts"
import { openDatabase, type DatabaseOptions } from "../storage/database.ts"
import { startEmbedded } from "../storage/embedded.ts"
import { FactsInUse, openDuckFacts } from "../storage/facts/duckdb.ts"
import { migrate } from "../storage/ledger/migrate.ts"
import { createPostgresLedger } from "../storage/ledger/postgres.ts"
import { paymentSource } from "./insight.ts"
import { factsFolder } from "./insight-address.ts"
import { readOptions, Usage } from "./options.ts"
import { sentenceOf } from "./sentence.ts"

/** Payments between two lines of progress. */
const TELL_EVERY = 10_000

const help = `npm run facts:rebuild             of the embedded database
npm run facts:rebuild -- --data DIR   of another data folder
DATABASE_URL=… npm run facts:rebuild  of a PostgreSQL of your own

Stop the insight process first (with role all: the server). It builds from the payments, which takes about a minute per
million, and prints how far it is.`

const log = {
  info: () => {},
  warn: (_fields: object, message: string) => console.error(message),
  error: (fields: object, message: string) => console.error(message, JSON.stringify(fields)),
}

export type Rebuilt = { readonly payments: number }

/** Also for tests: what it says goes to `tell`. */
export async function rebuildFacts(
  place: Omit<DatabaseOptions, "log">,
  dir: string,
  tell: (line: string) => void,
): Promise<Rebuilt> {
  const store = await openDuckFacts({ dir })
  const database = openDatabase({ ...place, log })
  try {
    await migrate(database, log)
    const payments = paymentSource(database)
    const about = await payments.estimate()
    let told = 0
    let all = 0
    const feed = { ...systemPorts(() => 0, log), ledger: createPostgresLedger(database), payments, store }
    await buildFacts(feed, (done) => {
      all = done
      if (done - told < TELL_EVERY) return
      told = done
      tell(`${done} payments${about > done ? ` of about ${about} (${Math.floor((100 * done) / about)} %)` : ""}`)
    })
    tell(`Done: the facts of ${all} payments.`)
    return { payments: all }
  } finally {
    await database.close()
    await store.close()
  }
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options === "help") return console.log(help)
  const dir = resolve(options.dataDir)
  const { clock } = systemPorts(() => 0, log)
  const embedded = options.databaseUrl === undefined ? await startEmbedded({ dir, ports: { clock, log } }) : undefined
  try {
    const database =
      embedded === undefined
        ? { url: options.databaseUrl! }
        : { host: embedded.host, user: embedded.user, database: "postgres" }
    await rebuildFacts(database, factsFolder(dir), (line) => console.log(line))
  } finally {
    await embedded?.stop()
  }
}

if (import.meta.main)
  main().catch((error: unknown) => {
    console.error(
      error instanceof FactsInUse
        ? `${error.message} Stop Orchestra (or its insight process) first.`
        : error instanceof Usage
          ? error.message
          : sentenceOf(error),
    )
    process.exit(1)
  })
