// Questions to the insight process, for the API.

import { Pool } from "undici"
import type { FactReader } from "../api/facts.ts"
import { Fault } from "../core/fault.ts"
import type { Log } from "../ports.ts"
import { decodeDocument, encodeDocument } from "../storage/document.ts"
import type { Answered, Asked } from "./insight.ts"

/** Longest wait for an answer (ms). */
export const ANSWER_MS = 10_000
const CONNECTIONS = 4
const RETRY_AFTER_MS = 2_000
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

export function insightClient(socket: string, log: Log): FactReader & { close(): Promise<void> } {
  const pool = new Pool("http://insight", {
    socketPath: socket,
    connections: CONNECTIONS,
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
  })
  const unavailable = (): Fault => new Fault("insight.unavailable", { retryAfterMs: RETRY_AFTER_MS })
  return {
    async ask(queries) {
      const asked: Asked = { queries }
      const { statusCode, body } = await pool
        .request({ path: "/sums", method: "POST", body: encodeDocument(asked) })
        .catch((error: unknown) => {
          log.warn({ error: String(error) }, "the insight process does not answer")
          throw unavailable()
        })
      const text = await body.text()
      if (statusCode !== 200) throw unavailable()
      return decodeDocument(JSON.parse(text)) as Answered
    },
    close: () => pool.destroy(),
  }
}
