// What one payment really asks of the database and of its provider: a whole server in this process, with the driver and
// the HTTP pool overheard while it takes one payment. Nothing is replaced, so what is noted is what runs.

import pg from "pg"
import { Pool } from "undici"
import { assemble } from "../../packages/server/src/start/assemble.ts"
import type { PaymentId } from "../../packages/server/src/core/id.ts"
import type { Statement } from "../../packages/server/src/storage/database.ts"
import type { CommitStatement } from "../../packages/server/src/storage/ledger/commit-statement.ts"
import type { Target } from "./load.ts"
import { serve } from "./worker.ts"

/** A commit has a shape and named parameters. */
export type SentStatement = Statement & Partial<CommitStatement> & { readonly values: readonly unknown[] }
export type SentRequest = {
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Its idempotency key. */
  readonly key: string
}
export type Captured = {
  readonly statements: readonly SentStatement[]
  readonly requests: readonly SentRequest[]
  readonly payment: PaymentId
  /** The idempotency key of the payment's own request. */
  readonly key: string
  readonly answer: string
}
export type CaptureInput = {
  readonly database: { readonly host: string; readonly user: string; readonly database: string }
  readonly masterKeys: string
  readonly target: Omit<Target, "origin">
}

/** Payments before the one that counts, so that connections and caches are there. */
const WARM_UP = 3
const CONNECTIONS = 2

const statements: SentStatement[] = []
const requests: SentRequest[] = []

type Query = (config: unknown, ...rest: unknown[]) => unknown
const client = pg.Client.prototype as unknown as { query: Query }
const query = client.query
client.query = function (config, ...rest) {
  if (typeof config === "object" && config !== null && "values" in config) statements.push(config as SentStatement)
  return query.call(this, config, ...rest)
}
type Dispatch = (options: SentRequest & { readonly body: unknown }, handler: unknown) => boolean
const pool = Pool.prototype as unknown as { dispatch: Dispatch }
const dispatch = pool.dispatch
pool.dispatch = function (options, handler) {
  const { path, headers, body } = options
  const key = headers["idempotency-key"] ?? headers["cko-idempotency-key"] ?? ""
  requests.push({ path, headers, body: String(body ?? ""), key })
  return dispatch.call(this, options, handler)
}

const quiet = {
  info: () => {},
  warn: () => {},
  error: (fields: object, message: string) => console.error(message, fields),
}

const commands = {
  capture: async ({ database, masterKeys, target }: CaptureInput): Promise<Captured> => {
    const server = await assemble({
      database: { ...database, connections: CONNECTIONS },
      masterKeys,
      port: 0,
      host: "127.0.0.1",
      publicUrl: undefined,
      role: "all",
      node: "capture",
      log: quiet,
    })
    try {
      let answer = ""
      let key = ""
      for (let i = 0; i <= WARM_UP; i++) {
        statements.length = 0
        requests.length = 0
        key = `order-capture${String(i).padStart(7, "0")}`
        const answered = await server.app.inject({
          method: "POST",
          url: target.path,
          headers: { ...target.headers, "idempotency-key": key },
          payload: target.body.replaceAll("{key}", key),
        })
        answer = answered.body
        if (answered.statusCode >= 300 || !answer.includes(target.expect)) throw new Error(answer)
      }
      const payment = (JSON.parse(answer) as { readonly id: PaymentId }).id
      return {
        // A payment's own statements say which one they are about; a key that is looked up again, or a batch of the outbox,
        // is not the payment's.
        statements: statements.filter(
          ({ shape, values }) =>
            values.includes(payment) || (shape !== undefined && String(values[0]).includes(payment)),
        ),
        requests: [...requests],
        payment,
        key,
        answer,
      }
    } finally {
      await server.stop()
    }
  },
}
export type CaptureCommands = typeof commands
serve(commands)
