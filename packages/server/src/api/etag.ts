// What people edit carries its version as ETag. An edit names the version it was made on, or it would overwrite what
// somebody else has changed meanwhile.

import type { FastifyReply, FastifyRequest } from "fastify"
import { Type } from "typebox"
import { Fault, notFound } from "../core/fault.ts"
import type { Edited } from "../storage/resources/edit.ts"

/** For routes that need If-Match. Optional for the schema, so that its absence is answered with 428. */
export const IfMatch = Type.Object({
  "if-match": Type.Optional(Type.String({ description: 'The ETag that you read, such as "3". Required.' })),
})
export const MayMatch = Type.Object({
  "if-match": Type.Optional(
    Type.String({ description: "The ETag that you read; without it, whatever stands there is changed." }),
  ),
})

const ETAG = /^"(\d{1,9})"$/

export const etagOf = ({ version }: { readonly version: number }): string => `"${version}"`

/** The version that the caller has seen. */
export function ifMatch(request: FastifyRequest): number {
  const version = mayMatch(request)
  if (version === undefined) throw new Fault("request.no_precondition")
  return version
}

export function mayMatch(request: FastifyRequest): number | undefined {
  const header = request.headers["if-match"]
  if (header === undefined) return undefined
  const version = ETAG.exec(header)?.[1]
  // A weak tag, a list or a star does not name one version that was read.
  if (version === undefined) throw new Fault("request.precondition_failed", { detail: "If-Match is no ETag of ours." })
  return Number(version)
}

/** The row after the edit. */
export function editedRow<T extends { readonly version: number }>(edited: Edited<T>, what: string): T {
  switch (edited.kind) {
    case "edited":
      return edited.row
    case "stale":
      throw stale(edited.row)
    case "missing":
      throw notFound(what)
    default:
      return edited satisfies never
  }
}

export const stale = (row: { readonly version: number }): Fault =>
  new Fault("request.precondition_failed", { detail: `It stands at ${etagOf(row)} now.` })

export const tagged = <R extends FastifyReply>(reply: R, row: { readonly version: number }): R => {
  void reply.header("etag", etagOf(row))
  return reply
}
