// Hands one request to one provider and reports how far it got: the fact on which every promise about money rests.
//
//   answered   a whole answer came back
//   sent       the request was handed to a socket, and then silence or nonsense: the outcome is unknown
//   not_sent   provably no byte left: refused, no such host, TLS failed, no connection in time, deadline passed
//
// undici calls `onRequestStart` after TCP and TLS stand and immediately before the first write; error codes cannot tell
// (ECONNRESET occurs on both sides). There is no automatic retry and no pipelining. Measured in docs/decisions/0002-transport.md.

import { Pool, type Dispatcher } from "undici"
import type { Clock } from "../ports.ts"
import type { HttpRequest, HttpResponse } from "../connectors/connector.ts"
import { ADDRESS_REFUSED, guardedLookup, TEST_RULES, type Resolver } from "./address-guard.ts"

export type Sent =
  | { readonly kind: "answered"; readonly response: HttpResponse }
  | { readonly kind: "sent"; readonly code: string }
  | { readonly kind: "not_sent"; readonly code: string }

export type Limits = {
  /** Longest wait for a connection (ms). */
  readonly connectMs: number
  /** From now to the last byte of the answer (ms). */
  readonly totalMs: number
  /** The request is not started after this time (ms since the epoch, database time). */
  readonly notAfter: number
  readonly keepAliveMs: number
  readonly connections: number
  /** The origin is a merchant's choice: only what the guard lets through is connected to, at the address that it judged. */
  readonly guarded?: true
}

export type Transport = {
  send(origin: string, request: HttpRequest, limits: Limits): Promise<Sent>
  close(): Promise<void>
}

/** Longest answer we read. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** Requests that may wait for a connection to one origin. */
export const MAX_WAITING = 256
/** Origins with a pool of their own; the least recently made is closed beyond that. */
export const MAX_POOLS = 256

/** `resolve`: looks up the names of guarded origins; without it none of them is connected to. */
export function createTransport(clock: Clock, resolve: Resolver = nowhere): Transport {
  const pools = new Map<string, Pool>()
  const poolOf = (origin: string, limits: Limits): Pool => {
    const key = limits.guarded === true ? `guarded ${origin}` : origin
    const known = pools.get(key)
    if (known !== undefined) return known
    const pool = new Pool(origin, {
      connections: limits.connections,
      pipelining: 1,
      allowH2: false,
      connect: {
        timeout: limits.connectMs,
        ...(limits.guarded === true ? { lookup: guardedLookup(resolve, TEST_RULES) } : {}),
      },
      // undici's own limits are the pool's, and a pool outlives many requests with limits of their own: ours are exact.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: limits.keepAliveMs,
    })
    pools.set(key, pool)
    if (pools.size > MAX_POOLS) {
      const [oldest, stale] = [...pools][0]!
      pools.delete(oldest)
      void stale.close()
    }
    return pool
  }
  return {
    send: (origin, request, limits) => {
      const { protocol, host, pathname } = new URL(origin)
      const prefix = pathname === "/" ? "" : pathname.replace(/\/$/, "")
      return dispatch(clock, poolOf(`${protocol}//${host}`, limits), prefix, request, limits)
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.close()))
      pools.clear()
    },
  }
}

const nowhere: Resolver = () => Promise.reject(failure(ADDRESS_REFUSED))

function dispatch(clock: Clock, pool: Pool, prefix: string, request: HttpRequest, limits: Limits): Promise<Sent> {
  return new Promise((resolve) => {
    let started = false
    let expired = false
    let controller: Dispatcher.DispatchController | undefined
    let status = 0
    let headers: Record<string, string> = {}
    let size = 0
    const chunks: Buffer[] = []
    const end = (sent: Sent): void => {
      cancelDeadline()
      cancelConnect()
      resolve(sent)
    }
    const fail = (code: string): void => end({ kind: started ? "sent" : "not_sent", code })
    const expire = (code: string) => (): void => {
      expired = true
      if (controller === undefined) fail(code)
      else controller.abort(failure(code))
    }
    const cancelDeadline = clock.after(limits.totalMs, expire("TOTAL_TIMEOUT"))
    // Waiting in the pool has no limit of undici's own.
    const cancelConnect = clock.after(limits.connectMs, () => {
      if (!started) expire("CONNECT_TIMEOUT")()
    })
    const stats = pool.stats
    if (stats !== undefined && stats.queued >= MAX_WAITING) {
      fail("POOL_FULL")
      return
    }
    try {
      pool.dispatch(
        {
          method: request.method,
          path: prefix + request.path,
          headers: { ...request.headers },
          body: request.body ?? null,
        },
        {
          onRequestStart(c) {
            // Aborting here writes nothing: the promise "none starts after notAfter" is kept at the last moment there is.
            if (expired || clock.now() > limits.notAfter) {
              expired = true
              c.abort(failure("TOO_LATE"))
              return
            }
            started = true
            controller = c
          },
          onResponseStart(_c, code, raw) {
            status = code
            headers = flatten(raw)
          },
          onResponseData(c, chunk) {
            size += chunk.length
            if (size > MAX_ANSWER_BYTES) c.abort(failure("BODY_TOO_LARGE"))
            else chunks.push(chunk)
          },
          onResponseEnd() {
            end({ kind: "answered", response: { status, headers, body: Buffer.concat(chunks).toString("utf8") } })
          },
          onResponseError(_c, error) {
            fail((error as NodeJS.ErrnoException).code ?? error.name)
          },
        },
      )
    } catch (error) {
      fail((error as NodeJS.ErrnoException).code ?? "DISPATCH")
    }
  })
}

const failure = (code: string): Error => Object.assign(new Error(code), { code })

function flatten(raw: Record<string, string | string[] | undefined>): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(raw))
    if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(", ") : value
  return headers
}
