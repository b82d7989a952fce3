// Idempotency-Key at the door: read and checked here, taken by the engine's first commit, answered from its row.

import type { FastifyReply, FastifyRequest } from "fastify"
import { Type } from "typebox"
import { Fault } from "../core/fault.ts"
import type { Payment } from "../core/payment.ts"
import type { Request } from "../engine/change.ts"
import type { Engine } from "../engine/engine.ts"
import { LEASE_MARGIN_MS, repeat } from "../engine/idempotency.ts"
import type { IdempotencyRow, IdempotencyScope, StoredResponse } from "../storage/ledger/ledger.ts"
import type { Vault } from "../vault/vault.ts"
import type { Caller } from "./method-input.ts"

/** For the document. Optional for the schema, so that its absence has a code of its own. */
export const IdempotencyKey = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      description:
        "Required. Unique to this one wish; the same again when you repeat it: then the first answer comes again.",
    }),
  ),
})

const KEY = /^[\x21-\x7e]{1,255}$/

/** The request with its key. `status` is that of a first answer. */
export function keyed(
  vault: Vault,
  caller: Caller,
  request: FastifyRequest,
  answerWithinMs: number,
  render: (payment: Payment) => StoredResponse,
): Request {
  const key = idempotencyKeyOf(request)
  if (key === undefined)
    throw new Fault("idempotency.key_missing", {
      errors: [{ pointer: "header/idempotency-key", detail: "is required" }],
    })
  return {
    row: {
      ...scopeOf(caller, request, key),
      fingerprint: vault.requestFingerprint(caller.merchant, request.body ?? {}),
    },
    leaseMs: answerWithinMs + LEASE_MARGIN_MS,
    render,
  }
}

export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const header = request.headers["idempotency-key"]
  if (header === undefined || header === "") return undefined
  const key = Array.isArray(header) ? header.join(",") : header
  if (!KEY.test(key))
    throw new Fault("idempotency.key_invalid", {
      errors: [{ pointer: "header/idempotency-key", detail: "must be 1 to 255 visible ASCII characters, said once" }],
    })
  return key
}

/** The path as the route writes it: an escape that says the same makes no other key. */
export function scopeOf({ merchant, mode }: Caller, request: FastifyRequest, key: string): IdempotencyScope {
  const params = request.params as Readonly<Record<string, string>>
  const path = (request.routeOptions.url ?? request.url).replaceAll(/:(\w+)/g, (_, name: string) => params[name] ?? "")
  return { merchant, mode, method: request.method, path, key }
}

/** Answers a request whose key was used before; `undefined` if it was not. */
export async function answerRepeated(
  engine: Engine,
  asked: Request,
  row: IdempotencyRow | undefined,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const known = row ?? (await engine.ledger.idempotency(asked.row))
  if (known === undefined) return undefined
  const repeated = await repeat(engine, known, asked)
  switch (repeated.kind) {
    case "mismatch":
      throw new Fault("idempotency.key_reused")
    case "in_flight":
      throw new Fault("idempotency.in_flight", { retryAfterMs: Math.min(repeated.retryAfterMs, 5_000) })
    case "replayed":
      return sendStored(reply.header("idempotent-replayed", "true"), repeated.response)
    case "current":
      return sendStored(reply.header("idempotent-replayed", "true"), asked.render(repeated.payment))
    default:
      return repeated satisfies never
  }
}

/**
 * Serves a request that has a key. Only a new key is judged by the present: what was accepted once keeps its answer, though
 * its card has expired since, its account is gone, or its payment went on. Asked when the present refuses, so that the
 * normal case costs no question; a request whose key was used and whom nothing refuses finds out when it takes the key.
 */
export async function once(
  engine: Engine,
  asked: Request,
  reply: FastifyReply,
  serve: () => Promise<FastifyReply>,
): Promise<FastifyReply> {
  try {
    return await serve()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    const repeated = await answerRepeated(engine, asked, undefined, reply)
    if (repeated === undefined) throw error
    return repeated
  }
}

export const sendStored = (reply: FastifyReply, { status, body }: StoredResponse): FastifyReply =>
  reply
    .code(status)
    .header("content-type", "application/json; charset=utf-8")
    .serializer((text: unknown) => text as string)
    .send(body)
