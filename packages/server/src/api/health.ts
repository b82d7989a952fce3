// Whether this process lives, and whether it can serve: for load balancers and orchestrators, without a key.

import type { FastifyInstance } from "fastify"
import type { Statement } from "../storage/database.ts"
import { Fault } from "../core/fault.ts"
import type { Api } from "./context.ts"

/** A database that does not answer in this time is not there (ms). */
export const READY_WITHIN_MS = 2_000
/** A node that no provider answers looks for them this often (ms). */
const SICK_RETRY_MS = 10_000
const now: Statement = { name: "ready", text: "select 1" }

export function health(app: FastifyInstance, api: Api): void {
  app.get("/health", { schema: { hide: true } }, async () => ({ status: "ok" }))
  app.get("/ready", { schema: { hide: true } }, async () => {
    let cancel = (): void => {}
    const late = new Promise<false>((resolve) => {
      cancel = api.engine.clock.after(READY_WITHIN_MS, () => resolve(false))
    })
    const answered = api.database.query(now).then(
      () => true,
      () => false,
    )
    const ready = await Promise.race([answered, late]).finally(() => cancel())
    if (api.routing.isSick())
      throw new Fault("server.unavailable", {
        detail: "No provider answers this node.",
        retryAfterMs: SICK_RETRY_MS,
      })
    if (!ready) throw new Fault("server.unavailable", { detail: "The database does not answer.", retryAfterMs: 1_000 })
    return { status: "ready" }
  })
}
