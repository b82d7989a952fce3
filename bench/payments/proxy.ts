// The least that anything between a shop and a provider does: a bare Fastify that reads a JSON body, forwards one request
// to the provider and answers with what came back. It validates, stores, routes and hides nothing.

import Fastify from "fastify"
import { Pool } from "undici"
import type { SentRequest } from "./capture.ts"
import { serve } from "./worker.ts"

const CONNECTIONS = 64

const commands = {
  /** `request` is what Orchestra sent for one payment; each forwarded one gets an idempotency key of its own. */
  start: async ({ origin, request }: { readonly origin: string; readonly request: SentRequest }): Promise<string> => {
    const pool = new Pool(origin, { connections: CONNECTIONS, pipelining: 1, allowH2: false })
    const app = Fastify({ logger: false })
    app.post("/payments", async (asked, reply) => {
      const key = String(asked.headers["idempotency-key"])
      const answer = await pool.request({
        method: "POST",
        path: request.path,
        headers: { ...request.headers, "idempotency-key": key },
        body: request.body.replaceAll(request.key, key),
      })
      return reply
        .code(answer.statusCode)
        .header("content-type", "application/json")
        .send(await answer.body.text())
    })
    return app.listen({ port: 0, host: "127.0.0.1" })
  },
}
export type ProxyCommands = typeof commands
serve(commands)
