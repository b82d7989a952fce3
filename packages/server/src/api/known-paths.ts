// Paths that are not served. One that is, with another method, is told which (405); one with a slash at its end, where
// none belongs: /v1/payments/ must not become another address of /v1/payments, for idempotency keys count per path.

import type { FastifyInstance, FastifyRequest } from "fastify"
import { Fault } from "../core/fault.ts"
import { maskPans } from "../core/pan-mask.ts"
import { sendFault } from "./problem.ts"

/** Must be called before there are any routes. */
export function turnAwayUnknownPaths(app: FastifyInstance): void {
  const known: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook("onRoute", ({ method, url }) => void known.push({ pattern: patternOf(url), methods: [method].flat() }))
  const allowed = (path: string): readonly string[] =>
    known.flatMap(({ pattern, methods }) => (pattern.test(path) ? methods : []))
  app.setNotFoundHandler((request, reply) => {
    const { method } = request
    const path = pathOf(request)
    const served = [...new Set(allowed(path))].toSorted()
    if (served.length === 0) return sendFault(noSuchPath(request), request, reply)
    void reply.header("allow", served.join(", "))
    if (method === "OPTIONS") return reply.code(204).send()
    const detail = `${method} is not served here; ${served.join(", ")} ${served.length > 1 ? "are" : "is"}.`
    return sendFault(new Fault("request.method_not_allowed", { detail }), request, reply)
  })
}

/** `/a/:b` matches what the router takes for it. */
const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll(/:\w+/g, "[^/]+")}$`,
  )

const pathOf = ({ url }: FastifyRequest): string => url.split("?")[0]!

/** A number that slipped into a path is not for the answer. */
function noSuchPath(request: FastifyRequest): Fault {
  const path = pathOf(request)
  const without = path.replace(/\/+$/, "")
  const hint = without === path || without === "" ? "" : ` Paths have no slash at their end: ${without}.`
  return new Fault("request.no_such_path", {
    detail: maskPans(`${request.method} ${path} is not served here.${hint}`),
  })
}

/** The router takes a missing last part for an empty one. */
export async function refuseSlash(request: FastifyRequest): Promise<void> {
  if (pathOf(request).endsWith("/")) throw noSuchPath(request)
}
