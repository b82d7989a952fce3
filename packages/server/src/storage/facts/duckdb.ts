// Facts in DuckDB: one file, one process. Appending blocks its thread (10 µs a row), which is why it has a process of its own;
// batches stay small. Rows and cursor are one transaction: what is acknowledged survives kill -9, what is not leaves nothing.

import assert from "node:assert/strict"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { DuckDBInstance, type DuckDBAppender, type DuckDBConnection } from "@duckdb/node-api"
import { timeOf } from "../../core/id.ts"
import type { Fact, FactName } from "../../insight/facts.ts"
import { MAX_BUCKETS, MAX_GROUPS, type FactGroup, type FactQuery, type FactSums } from "../../insight/fact-query.ts"
import { bucketsQuery, createTable, hoursQuery, sumsQuery, tableColumns, tableOf, type Dialect } from "./fact-sql.ts"
import { currentFacts, factFrom, MINUTE_MS, valuesOf, type Value } from "./fact-rows.ts"
import { MAX_CURRENT, type FactStore } from "./fact-store.ts"

export type DuckOptions = {
  /** The folder of the file, made if it is not there. */
  readonly dir: string
  readonly threads?: number
  readonly memoryMb?: number
}

export const FACTS_FILE = "facts.duckdb"
const MEMORY_MB = 512
const THREADS = 2

/** Another process has the file. */
export class FactsInUse extends Error {}

export const duckdb: Dialect = {
  types: { text: "varchar", whole: "bigint", sum: "bigint", wide: "hugeint", bucket: "integer" },
  sum: (expression) => `sum(${expression})`,
}

const factNames = ["attempt", "payment"] as const satisfies readonly FactName[]
/** Another one is another table: what is there is thrown away, and built again. */
const schema = factNames.map((fact) => createTable(fact, duckdb)).join(";\n")

export async function openDuckFacts({ dir, threads = THREADS, memoryMb = MEMORY_MB }: DuckOptions): Promise<FactStore> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const instance = await DuckDBInstance.create(join(dir, FACTS_FILE), {
    threads: String(threads),
    memory_limit: `${memoryMb}MB`,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
  }).catch((error: unknown) => {
    throw /lock on file/i.test(String(error))
      ? new FactsInUse(`Another process has the facts in ${dir} open.`, { cause: error })
      : error
  })
  const writer = await instance.connect()
  await prepareTables(writer)
  let batch = Number((await rowsOf(writer, `select "batch" from "cursor"`))[0]?.[0] ?? 0)
  let last: Promise<unknown> = Promise.resolve()
  /** One transaction at a time on the writer's connection. */
  const alone = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(() => transaction(writer, work))
    last = mine.catch(() => {})
    return mine
  }
  const reading = async <T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> => {
    const connection = await instance.connect()
    try {
      return await work(connection)
    } finally {
      connection.closeSync()
    }
  }

  return {
    append: (rows, cursor) =>
      alone(async () => {
        const next = batch + 1
        for (const fact of factNames) {
          const mine = rows.filter((row) => row.fact === fact)
          if (mine.length > 0) await appendRows(writer, fact, mine, next)
        }
        await writer.run(`update "cursor" set "batch" = ?`, [next])
        if (cursor !== undefined)
          await writer.run(`update "cursor" set "transaction" = ?, "event" = ?`, [cursor.transaction, cursor.event])
        // Counted also where the commit fails: a number may be left out, but never come twice.
        batch = next
      }),

    cursor: () =>
      reading(async (connection) => {
        const [row] = await rowsOf(connection, `select "transaction", "event" from "cursor"`)
        assert(row !== undefined, "the cursor has its row")
        return row[0] === null ? undefined : { transaction: String(row[0]), event: String(row[1]) }
      }),

    current: (payments) =>
      reading(async (connection) => {
        assert(payments.length <= MAX_CURRENT, "a look at what is current has a limit")
        if (payments.length === 0) return new Map()
        // Rows stand in the order of time: those of before are skipped unread.
        const since = Math.min(...payments.map(timeOf)) - MINUTE_MS
        const marks = payments.map(() => "?").join(", ")
        const found: { fact: Fact<FactName>; batch: number }[] = []
        for (const fact of factNames) {
          const columns = tableColumns(fact)
          const at = columns.findIndex(({ name }) => name === "batch")
          const text = `select ${columns.map(({ name }) => `"${name}"`).join(", ")} from ${tableOf[fact]}
            where "started_at" >= ${Math.max(since, 0)} and "payment" in (${marks}) and "sign" = 1`
          for (const row of await rowsOf(connection, text, payments))
            found.push({ fact: factFrom(fact, row), batch: Number(row[at]) })
        }
        return currentFacts(found)
      }),

    sums: (query) => reading((connection) => transaction(connection, () => sumUp(connection, query))),

    clear: () =>
      alone(async () => {
        await writer.run(`update "cursor" set "transaction" = null, "event" = null`)
        for (const fact of factNames) await writer.run(`delete from ${tableOf[fact]}`)
      }),

    close: async () => {
      await last
      writer.closeSync()
      instance.closeSync()
    },
  }
}

async function prepareTables(writer: DuckDBConnection): Promise<void> {
  await writer.run(`create table if not exists "cursor" ("transaction" varchar, "event" varchar, "batch" bigint not null,
    "schema" varchar not null)`)
  const [known] = await rowsOf(writer, `select "schema" from "cursor"`)
  if (known?.[0] === schema) return
  await transaction(writer, async () => {
    await writer.run(`delete from "cursor"`)
    for (const fact of factNames) {
      await writer.run(`drop table if exists ${tableOf[fact]}`)
      await writer.run(createTable(fact, duckdb))
    }
    await writer.run(`insert into "cursor" values (null, null, 0, ?)`, [schema])
  })
}

async function appendRows(
  writer: DuckDBConnection,
  fact: FactName,
  rows: readonly Fact<FactName>[],
  batch: number,
): Promise<void> {
  // Made before anything is appended: a row that cannot be written leaves no half of the batch behind.
  const values = rows.map((row) => valuesOf(row, batch))
  const types = tableColumns(fact).map(({ type }) => type)
  const appender = await writer.createAppender(tableOf[fact])
  for (const row of values) {
    for (const [index, value] of row.entries()) appendValue(appender, types[index] === "wide", types[index]!, value)
    appender.endRow()
  }
  appender.closeSync()
}

function appendValue(appender: DuckDBAppender, wide: boolean, type: string, value: Value): void {
  if (value === null) appender.appendNull()
  else if (typeof value === "string") appender.appendVarchar(value)
  else if (wide) appender.appendHugeInt(value)
  else if (type === "bucket") appender.appendInteger(Number(value))
  else appender.appendBigInt(value)
}

async function sumUp(connection: DuckDBConnection, query: FactQuery): Promise<FactSums> {
  const { groupBy, sums, times, hoursOf } = query
  const keyed = groupBy.length
  const keyOf = (row: Row): FactGroup["key"] =>
    row.slice(1, 1 + keyed).map((value) => (typeof value === "bigint" ? Number(value) : value))
  const nameOf = (row: Row): string => JSON.stringify([Number(row[0]), ...keyOf(row)])
  const summed = sumsQuery(query, duckdb)
  const rows = await rowsOf(connection, summed.text, summed.values)
  if (rows.length > MAX_GROUPS) return { kind: "too_many" }
  const buckets = new Map<string, Record<string, [number, number][]>>()
  let left = MAX_BUCKETS
  for (const time of times) {
    const select = bucketsQuery(query, time, duckdb)
    const found = await rowsOf(connection, select.text, select.values)
    left -= found.length
    if (left < 0) return { kind: "too_many" }
    for (const row of found) {
      const name = nameOf(row)
      const group = buckets.get(name) ?? {}
      ;(group[time] ??= []).push([Number(row[1 + keyed]), Number(row[2 + keyed])])
      buckets.set(name, group)
    }
  }
  const hours = new Map<string, number>()
  if (hoursOf !== undefined) {
    const select = hoursQuery(query, hoursOf, duckdb)
    for (const row of await rowsOf(connection, select.text, select.values))
      hours.set(nameOf(row), Number(row[1 + keyed]))
  }
  const groups = rows.map((row): FactGroup => {
    const name = nameOf(row)
    return {
      step: Number(row[0]),
      key: keyOf(row),
      sums: Object.fromEntries(sums.map((column, index) => [column, BigInt(row[2 + keyed + index] ?? 0)])),
      times: Object.fromEntries(times.map((time) => [time, buckets.get(name)?.[time] ?? []])),
      ...(hoursOf === undefined ? {} : { hours: hours.get(name) ?? 0 }),
    }
  })
  return { kind: "groups", groups: groups.toSorted(byStepAndKey) }
}

/** The same order from every store, whatever its collation and wherever it puts nulls. */
function byStepAndKey(a: FactGroup, b: FactGroup): number {
  if (a.step !== b.step) return a.step - b.step
  const [left, right] = [JSON.stringify(a.key), JSON.stringify(b.key)]
  return left < right ? -1 : left > right ? 1 : 0
}

type Row = readonly (string | number | bigint | null)[]

async function rowsOf(
  connection: DuckDBConnection,
  text: string,
  values: readonly (string | number)[] = [],
): Promise<readonly Row[]> {
  const reader = await connection.runAndReadAll(text, [...values])
  return reader.getRows() as unknown as readonly Row[]
}

async function transaction<T>(connection: DuckDBConnection, work: () => Promise<T>): Promise<T> {
  await connection.run("begin transaction")
  try {
    const result = await work()
    await connection.run("commit")
    return result
  } catch (error) {
    await connection.run("rollback").catch(() => {})
    throw error
  }
}
