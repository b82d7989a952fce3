// `npm run bench -- facts`: what questions cost, on DuckDB through the product's own store, and on PostgreSQL with the same
// rows and the same SQL, in one run on one machine. All answers are compared before anything is timed. The rows are of a
// month with the traffic's shape by hour left out: attempts spread evenly, a few hundred combinations of provider, network,
// country and issuer.

import assert from "node:assert/strict"
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { DuckDBInstance } from "@duckdb/node-api"
import { Client } from "pg"
import type { PaymentId } from "../packages/server/src/core/id.ts"
import type { FactQuery } from "../packages/server/src/insight/fact-query.ts"
import { FACTS_FILE, openDuckFacts } from "../packages/server/src/storage/facts/duckdb.ts"
import { createTable, sumsQuery, tableColumns, type Dialect } from "../packages/server/src/storage/facts/fact-sql.ts"
import { MAX_CURRENT } from "../packages/server/src/storage/facts/fact-store.ts"
import { CLUSTER_USER, startTestCluster } from "../packages/server/testing/cluster.ts"
import { makeId } from "../packages/server/src/core/id.ts"
import { median, round, table } from "./payments/figures.ts"

const help = `npm run bench -- facts [options]

  --rows N     attempts (default 1000000)
  --rounds N   of every question in turn; the median counts (default 5)
  --alone      without PostgreSQL, which takes minutes to load ten million rows
`

const END = 1_800_057_600_000
const DAYS = 30
const DAY_MINUTES = 1_440
const TO = END / 60_000

const postgres: Dialect = {
  types: { text: "text", whole: "bigint", sum: "bigint", wide: "numeric", bucket: "integer" },
  sum: (expression) => `sum(${expression})`,
}

/** What the columns hold; the others are null, or 0 where they must not be. */
const values: Readonly<Record<string, string>> = {
  id: "'att_' || n",
  sign: "1",
  attempts: "1",
  settled: "1",
  approved: "case when d % 100 < 88 then 1 else 0 end",
  merchant: "'mer_' || (d % 3)",
  mode: "'live'",
  provider: "list_value('adyen', 'stripe', 'checkout')[(d // 7) % 3 + 1]",
  network: "list_value('visa', 'mastercard', 'amex', 'maestro')[(d // 31) % 4 + 1]",
  card_country: "list_value('DE', 'FR', 'GB', 'US', 'NL', 'ES', 'IT', 'PL')[(d // 131) % 8 + 1]",
  issuer: "'bank ' || ((d // 1031) % 40)",
  bin: "cast(400000 + (d // 2053) % 3000 as varchar)",
  currency: "case when d % 5 = 0 then 'USD' else 'EUR' end",
  reason: "case when d % 100 < 88 then null else 'reason ' || (d % 9) end",
  amount: "1000 + d % 9000",
  provider_time: "250 + (d // 17) % 120",
}

const base = { fact: "attempt", sums: ["attempts", "settled", "approved"], times: [], filter: [], to: TO } as const
const questions: Readonly<Record<string, FactQuery>> = {
  "3 dimensions × 24 h": { ...base, from: TO - DAY_MINUTES, groupBy: ["provider", "network", "card_country"] },
  "provider × minute × 24 h": { ...base, from: TO - DAY_MINUTES, step: 1, groupBy: ["provider"] },
  "provider × day × 30 days": { ...base, from: TO - DAYS * DAY_MINUTES, step: DAY_MINUTES, groupBy: ["provider"] },
  "issuer × reason × 30 days": { ...base, from: TO - DAYS * DAY_MINUTES, groupBy: ["issuer", "reason"] },
  "one country and network by hour": {
    ...base,
    from: TO - 7 * DAY_MINUTES,
    step: 60,
    groupBy: ["provider"],
    filter: [
      { dimension: "card_country", among: ["DE"] },
      { dimension: "network", among: ["visa"] },
    ],
  },
}

export async function run(args: readonly string[]): Promise<void> {
  const { values: options } = parseArgs({
    args: [...args],
    options: {
      rows: { type: "string", default: "1000000" },
      rounds: { type: "string", default: "5" },
      alone: { type: "boolean", default: false },
      help: { type: "boolean" },
    },
  })
  if (options.help === true) return console.log(help)
  const [rows, rounds] = [Number(options.rows), Number(options.rounds)]
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}, ${rows} attempts over ${DAYS} days\n`,
  )
  const dir = mkdtempSync(join(tmpdir(), "bench-facts-"))
  // The database's server runs as another user, and reads the rows here.
  chmodSync(dir, 0o755)
  const csv = join(dir, "rows.csv")
  try {
    await fill(dir, rows, options.alone ? undefined : csv)
    const anchor = options.alone ? undefined : await loadPostgres(csv)
    const store = await openDuckFacts({ dir })
    const results: { readonly question: string; readonly duckdb: number; readonly postgres: number | null }[] = []
    for (const [question, query] of Object.entries(questions)) {
      const answer = await store.sums(query)
      assert.ok(answer.kind === "groups" && answer.groups.length > 0)
      if (anchor !== undefined)
        assert.deepEqual(
          answer.groups
            .map(({ step, key, sums }) => told([step, ...key, ...base.sums.map((name) => sums[name])]))
            .toSorted(),
          (await anchor.ask(query)).map(told).toSorted(),
          `both answer alike: ${question}`,
        )
      results.push({
        question,
        duckdb: await timed(rounds, () => store.sums(query)),
        postgres: anchor === undefined ? null : await timed(rounds, () => anchor.ask(query)),
      })
    }
    const ids = Array.from({ length: MAX_CURRENT }, (_, i) => paymentAt(rows - 1 - i * 7, rows))
    const current = await timed(rounds, () => store.current(ids))
    await store.close()
    await anchor?.close()
    console.log(
      table(
        ["question", "DuckDB ms", "PostgreSQL ms"],
        results.map((one) => [one.question, one.duckdb, one.postgres ?? "–"]),
      ),
    )
    const mb = Math.round(statSync(join(dir, FACTS_FILE)).size / 2 ** 20)
    console.log(`\nWhat is current of ${MAX_CURRENT} recent payments: ${current} ms. File: ${mb} MB.\n`)
    console.log(JSON.stringify({ rows, questions: results, current_ms: current, file_mb: mb }))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

const told = (row: readonly unknown[]): string => JSON.stringify(row.map(String))

type Anchor = {
  /** Step, key and sums, without how many rows there are. */
  ask(query: FactQuery): Promise<readonly (readonly unknown[])[]>
  close(): Promise<void>
}

async function loadPostgres(csv: string): Promise<Anchor> {
  const cluster = await startTestCluster()
  const client = new Client({ host: cluster.host, user: CLUSTER_USER, database: "postgres" })
  await client.connect()
  await client.query(createTable("attempt", postgres))
  await client.query(`copy attempt_facts from '${csv}' with (format csv)`)
  await client.query(`create index on attempt_facts ("minute")`)
  await client.query("vacuum analyze attempt_facts")
  return {
    ask: async (query) => {
      const { text, values: filtered } = sumsQuery(query, postgres)
      let place = 0
      const numbered = text.replaceAll("?", () => `$${(place += 1)}`)
      const { rows } = await client.query<unknown[]>({ text: numbered, values: [...filtered], rowMode: "array" })
      return rows.map((row) => row.toSpliced(1 + query.groupBy.length, 1))
    },
    close: async () => {
      await client.end()
      await cluster.stop()
    },
  }
}

/** Through the store's own tables, made in the database: by the appender a million rows take a minute. */
async function fill(dir: string, rows: number, csv: string | undefined): Promise<void> {
  await (await openDuckFacts({ dir })).close()
  const instance = await DuckDBInstance.create(join(dir, FACTS_FILE))
  const connection = await instance.connect()
  const at = `${END - DAYS * 86_400_000} + cast(n * ${DAYS * 86_400_000} / ${rows} as bigint)`
  const columns = tableColumns("attempt").map(({ name, type, nullable }) => {
    if (name === "minute") return `(${at}) // 60000`
    if (name === "started_at") return at
    // The ids that payments of that time have, as far as the store looks at them.
    if (name === "payment") return "'pay_' || lpad(cast(n as varchar), 26, '0')"
    const value = values[name]
    if (value !== undefined) return value
    return nullable ? "null" : type === "text" ? "''" : "0"
  })
  await connection.run(`insert into attempt_facts select ${columns.join(", ")}
    from (select range as n, cast(hash(range) % 1000000007 as bigint) as d from range(${rows}))`)
  if (csv !== undefined) {
    await connection.run(`copy attempt_facts to '${csv}' (format csv, header false)`)
    chmodSync(csv, 0o644)
  }
  connection.closeSync()
  instance.closeSync()
}

/** An id of the time of row `n`, which is not among the rows: it is looked for where it would stand. */
const paymentAt = (n: number, rows: number): PaymentId =>
  makeId("pay", END - DAYS * 86_400_000 + Math.floor((n * DAYS * 86_400_000) / rows), new Uint8Array(16))

async function timed(rounds: number, work: () => Promise<unknown>): Promise<number> {
  await work()
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const since = performance.now()
    await work()
    times.push(performance.now() - since)
  }
  return round(median(times))
}
