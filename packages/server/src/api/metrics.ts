// GET /metrics: the numbers of this process and the queues of the whole installation, in the text format of Prometheus, to
// whoever has a key with the scope for it. They are of all merchants, hence below the root and not below /v1.

import Fastify, { type FastifyInstance } from "fastify"
import { authenticate, type Api } from "./context.ts"

export type Metrics = {
  readonly contentType: string
  text(): Promise<string>
  /** `route` is the pattern, never the path: labels must not grow with what clients ask. */
  served(method: string, route: string, status: number, ms: number): void
}

/** A path that no route has. */
const NO_ROUTE = "none"

export function metrics(app: FastifyInstance, api: Api): void {
  app.get(
    "/metrics",
    { schema: { hide: true }, onRequest: async (request) => authenticate(api, request, "metrics:read") },
    async (_request, reply) => reply.header("content-type", api.metrics.contentType).send(await api.metrics.text()),
  )
}

/** A server for nothing else, without a key: for workers, which serve no API, and for networks that are closed. */
export async function serveMetrics(
  metrics: Metrics,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<FastifyInstance> {
  const app = Fastify({ logger: false })
  app.get("/metrics", async (_request, reply) =>
    reply.header("content-type", metrics.contentType).send(await metrics.text()),
  )
  await app.listen({ port, host })
  return app
}

/** For the whole server: every answer is counted with its route and time. */
export function countAnswers(app: FastifyInstance, api: Api): void {
  app.addHook("onResponse", async (request, reply) =>
    api.metrics.served(request.method, request.routeOptions.url ?? NO_ROUTE, reply.statusCode, reply.elapsedTime),
  )
}
