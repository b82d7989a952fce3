// PostgreSQL as the rest of storage uses it: named prepared statements, waits that end, and errors that say what they
// mean for the caller.
//
// A pooler in between (PgBouncer) has to keep sessions; docs/postgresql.md says how. One that does not is refused before
// anything is written (`ledger/migrate.ts`).

import pg from "pg"
import type { Log } from "../ports.ts"

/** One statement is one function; its name is the prepared statement's, so equal names have equal texts. An empty name is planned anew each time. */
export type Statement = { readonly name: string; readonly text: string }

export type Query = <Row extends object>(statement: Statement, values?: readonly unknown[]) => Promise<readonly Row[]>

/** One connection of its own, outside the pool's limits on time: for migrations, retention and LISTEN. */
export type Session = {
  readonly query: Query
  /** Unprepared, and possibly several statements at once. */
  run(text: string): Promise<void>
  onNotification(heard: (channel: string, payload: string) => void): void
  /** Called once when the connection is gone, also after `close`. */
  onEnd(ended: () => void): void
  close(): Promise<void>
}

export type Database = {
  readonly query: Query
  session(): Promise<Session>
  close(): Promise<void>
}

export type DatabaseOptions = {
  /** `postgres://…`, or the folder of a Unix socket with user and database. */
  readonly url?: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly database?: string
  readonly log: Log
  readonly connections?: number
}

/** Connections of one process; two cores of a database are busy with eight. */
export const CONNECTIONS = 16
/** Callers that may wait for a connection, and how long: more or longer means that the database cannot keep up. */
export const MAX_WAITING = 2_000
export const CONNECT_WAIT_MS = 5_000
/**
 * An idle connection is kept this long. A new one costs its first caller a process, an empty catalogue cache and the
 * planning of each statement, tens of milliseconds in all: those of the last burst are kept for the next.
 */
export const IDLE_CONNECTION_MS = 10 * 60_000
/** The server gives up a statement after this; the client hangs up a little later, in case the server does not answer. */
export const STATEMENT_MS = 15_000
export const CLIENT_MARGIN_MS = 2_000
export const LOCK_MS = 5_000
/** Nobody leaves a transaction open: it would hold back the outbox's horizon. */
export const IDLE_TRANSACTION_MS = 10_000

// Prepared statements keep their plans. One that was made while a queue's table was nearly empty would read the whole of
// it for ever after, with all its dead rows; every statement here has its index. Before version 18 a table that is read whole
// all the same (a handful of rows) counts as immensely dear for that, and just-in-time compilation would begin: seconds for
// what takes a millisecond.
const PLANNING = "-c enable_seqscan=off -c jit=off"

const INT8 = 20
const types = {
  getTypeParser: (oid: number, format?: "text" | "binary"): ((value: string) => unknown) =>
    oid === INT8 && format !== "binary"
      ? BigInt
      : (pg.types.getTypeParser(oid, format as "text") as (value: string) => unknown),
} as pg.CustomTypesConfig

export function openDatabase(options: DatabaseOptions): Database {
  const { url, host, port, user, database, log, connections = CONNECTIONS } = options
  const where = {
    ...(url === undefined ? {} : { connectionString: plainAboutTls(url) }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(database === undefined ? {} : { database }),
    application_name: "orchestra",
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_WAIT_MS,
    types,
  }
  const pool = new pg.Pool({
    ...where,
    max: connections,
    idleTimeoutMillis: IDLE_CONNECTION_MS,
    options: PLANNING,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS + CLIENT_MARGIN_MS,
    lock_timeout: LOCK_MS,
    idle_in_transaction_session_timeout: IDLE_TRANSACTION_MS,
  })
  // Without a listener, an idle connection that breaks would end the process. `end` resolves before the last connection
  // is gone: one that the database cuts then is nobody's concern.
  let closing = false
  pool.on("error", (error) => {
    if (!closing) log.warn({ error: error.message }, "an idle database connection broke; it is replaced")
  })

  return {
    async query<Row extends object>(statement: Statement, values: readonly unknown[] = []): Promise<readonly Row[]> {
      if (pool.waitingCount >= MAX_WAITING) throw tooBusy()
      const result = await pool.query<Row>({ ...statement, values: values as unknown[] })
      return result.rows
    },
    async session() {
      const client = new pg.Client(where)
      client.on("error", (error: Error) => log.warn({ error: error.message }, "a database session broke"))
      await client.connect()
      return sessionOf(client)
    },
    close: () => {
      closing = true
      return pool.end()
    },
  }
}

/**
 * Every `sslmode` that wants TLS checks the server's certificate and name; `no-verify` and `uselibpqcompat=true` do not. That
 * is what the driver makes of them today, with a warning that it will be otherwise one day.
 */
export const plainAboutTls = (url: string): string =>
  url.includes("uselibpqcompat=")
    ? url
    : url.replace(/([?&]sslmode=)(?:prefer|require|verify-ca)(?=&|$)/, "$1verify-full")

function sessionOf(client: pg.Client): Session {
  return {
    async query<Row extends object>(statement: Statement, values: readonly unknown[] = []): Promise<readonly Row[]> {
      const result = await client.query<Row>({ ...statement, values: values as unknown[] })
      return result.rows
    },
    async run(text) {
      await client.query(text)
    },
    onNotification: (heard) => void client.on("notification", ({ channel, payload }) => heard(channel, payload ?? "")),
    onEnd: (ended) => void client.once("end", ended),
    close: () => client.end(),
  }
}

/**
 * What a failed statement means. `happened` tells whether it may have taken effect: "no" where the server answered with
 * an error or never got the statement, "unknown" where the connection went away in between.
 */
export type DatabaseFailure = {
  readonly kind:
    | "unique_violation"
    | "connection_lost"
    | "too_busy"
    | "timeout"
    /** Somebody else's lock was not given free in time. */
    | "locked"
    | "conflict"
    | "disk_full"
    | "read_only"
    | "other"
  readonly happened: "no" | "unknown"
  /** Of a unique violation: the constraint's name. */
  readonly constraint?: string
}

const TOO_BUSY = "ORCHESTRA_TOO_BUSY"

export const tooBusy = (): Error =>
  Object.assign(new Error("too many callers wait for the database"), { code: TOO_BUSY })

/** Undefined for what did not come from the database, which is a bug and none of our business here. */
export function failureOf(error: unknown): DatabaseFailure | undefined {
  if (!(error instanceof Error)) return undefined
  const { code, severity, constraint } = error as Error & { code?: string; severity?: string; constraint?: string }
  if (code === TOO_BUSY || error.message.startsWith("timeout exceeded when trying to connect"))
    return { kind: "too_busy", happened: "no" }
  if (error.message === "Query read timeout") return { kind: "timeout", happened: "unknown" }
  if (code === undefined)
    return lostMessages.test(error.message) ? { kind: "connection_lost", happened: "unknown" } : undefined
  if (neverConnected.has(code)) return { kind: "connection_lost", happened: "no" }
  if (systemCode.test(code)) return { kind: "connection_lost", happened: "unknown" }
  if (severity === undefined) return undefined
  // A session that is ended from outside may have committed just before: the server says only that it is over.
  if (severity === "FATAL" || severity === "PANIC" || code.startsWith("08") || code.startsWith("57P"))
    return { kind: "connection_lost", happened: "unknown" }
  return {
    kind: kinds[code] ?? kinds[code.slice(0, 2)] ?? "other",
    happened: "no",
    ...(constraint === undefined ? {} : { constraint }),
  }
}

/** By SQLSTATE, or its class (https://www.postgresql.org/docs/18/errcodes-appendix.html). */
const kinds: Readonly<Record<string, DatabaseFailure["kind"]>> = {
  "23505": "unique_violation",
  "25006": "read_only",
  "40": "conflict",
  "53100": "disk_full",
  "53": "too_busy",
  "55P03": "locked",
  "57014": "timeout",
}
const neverConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
])
const systemCode = /^(E[A-Z]{2,}|ERR_(SSL|TLS)_[A-Z_]+)$/
const lostMessages = /^(Connection terminated|Client has encountered a connection error|Client was closed)/
