// Posts one message to one address, with the guard around it: no redirect is followed, the name is looked up once and
// the address that was judged is the one that is called, with the right Host and server name. Everything is bounded: time,
// the answer that is read, connections.

import { Pool, type Dispatcher } from "undici"
import type { Clock } from "../ports.ts"
import {
  ADDRESS_REFUSED,
  checkUrl,
  guardedLookup,
  type GuardRefusal,
  type GuardRules,
  type Resolver,
} from "./address-guard.ts"
import type { WebhookMessage } from "./webhook-message.ts"

export type Posted = { readonly durationMs: number } & (
  | {
      readonly kind: "answered"
      readonly status: number
      /** The first bytes, for the merchant to see. */
      readonly answer: string
      /** The receiver asked for so much time (ms). */
      readonly retryAfterMs?: number
    }
  /** No answer: refused, no such host, TLS failed, silence. */
  | { readonly kind: "failed"; readonly code: string }
  /** The address is one we do not call. */
  | { readonly kind: "refused"; readonly why: GuardRefusal }
)

export type WebhookPoster = {
  /** Never rejects. */
  post(url: string, mode: "live" | "test", message: WebhookMessage): Promise<Posted>
  close(): Promise<void>
}

export type PosterOptions = {
  readonly clock: Clock
  readonly resolve: Resolver
  readonly rules: Readonly<Record<"live" | "test", GuardRules>>
  /** Certificates that are trusted beside the usual ones, in PEM. */
  readonly ca?: string
}

/** From the first look-up to the last byte that we read (ms). Standard Webhooks: 15 to 30 s. */
export const POST_TIMEOUT_MS = 15_000
const CONNECT_TIMEOUT_MS = 5_000
/** What is kept of an answer; the rest is not read. */
export const ANSWER_BYTES = 1_024
/** Origins with open connections; the one that was used longest ago is closed beyond that. */
export const MAX_ORIGINS = 256
const KEEP_ALIVE_MS = 4_000
/** The deliverer bounds what is in flight; many merchants may share one origin, and none should wait for another's. */
const CONNECTIONS = 64

export function createPoster({ clock, resolve, rules, ca }: PosterOptions): WebhookPoster {
  const pools = new Map<string, Pool>()
  const poolOf = (origin: string, mode: "live" | "test"): Pool => {
    const key = `${mode} ${origin}`
    const pool =
      pools.get(key) ??
      new Pool(origin, {
        connections: CONNECTIONS,
        pipelining: 1,
        allowH2: false,
        connect: {
          timeout: CONNECT_TIMEOUT_MS,
          lookup: guardedLookup(resolve, rules[mode]),
          ...(ca === undefined ? {} : { ca }),
        },
        headersTimeout: POST_TIMEOUT_MS + 5_000,
        bodyTimeout: POST_TIMEOUT_MS + 5_000,
        keepAliveTimeout: KEEP_ALIVE_MS,
      })
    pools.delete(key)
    pools.set(key, pool)
    if (pools.size > MAX_ORIGINS) {
      const [oldest, stale] = [...pools][0]!
      pools.delete(oldest)
      void stale.close()
    }
    return pool
  }
  return {
    post: async (text, mode, message) => {
      const startedAt = clock.now()
      const checked = checkUrl(text, rules[mode])
      if ("refused" in checked) return { kind: "refused", why: checked.refused, durationMs: 0 }
      const { url } = checked
      const answer = await dispatch(clock, poolOf(url.origin, mode), url.pathname + url.search, message)
      return { ...answer, durationMs: clock.now() - startedAt }
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()))
      pools.clear()
    },
  }
}

type Answer =
  | { readonly kind: "answered"; readonly status: number; readonly answer: string; readonly retryAfterMs?: number }
  | { readonly kind: "failed"; readonly code: string }
  | { readonly kind: "refused"; readonly why: GuardRefusal }

function dispatch(clock: Clock, pool: Pool, path: string, message: WebhookMessage): Promise<Answer> {
  return new Promise((resolve) => {
    let status = 0
    let retryAfterMs: number | undefined
    let size = 0
    let controller: Dispatcher.DispatchController | undefined
    let over = false
    const chunks: Buffer[] = []
    const answered = (): Answer => ({
      kind: "answered",
      status,
      answer: Buffer.concat(chunks).subarray(0, ANSWER_BYTES).toString("utf8"),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
    const end = (answer: Answer): void => {
      over = true
      cancel()
      resolve(answer)
    }
    // The status is the answer; a body that stalls, breaks or never ends does not change it.
    const fail = (code: string): void => {
      if (status > 0) end(answered())
      else end(code === ADDRESS_REFUSED ? { kind: "refused", why: "address" } : { kind: "failed", code })
    }
    const cancel = clock.after(POST_TIMEOUT_MS, () => {
      if (over) return
      fail("TIMEOUT")
      controller?.abort(failure("TIMEOUT"))
    })
    try {
      pool.dispatch(
        { method: "POST", path, headers: { ...message.headers }, body: message.body },
        {
          onRequestStart(c) {
            controller = c
            if (over) c.abort(failure("TIMEOUT"))
          },
          onResponseStart(_c, code, headers) {
            // Early hints and the like are not the answer.
            if (code < 200) return
            status = code
            retryAfterMs = retryAfter(headers["retry-after"])
          },
          onResponseData(c, chunk) {
            if (over) return
            size += chunk.length
            chunks.push(chunk)
            if (size < ANSWER_BYTES) return
            end(answered())
            c.abort(failure("ENOUGH"))
          },
          onResponseEnd() {
            if (!over) end(answered())
          },
          onResponseError(_c, error) {
            if (!over) fail((error as NodeJS.ErrnoException).code ?? error.name)
          },
        },
      )
    } catch (error) {
      fail((error as NodeJS.ErrnoException).code ?? "DISPATCH")
    }
  })
}

const failure = (code: string): Error => Object.assign(new Error(code), { code })

// Seconds only: the other form is a date, and few receivers write it.
function retryAfter(header: string | string[] | undefined): number | undefined {
  const text = Array.isArray(header) ? header[0] : header
  return text !== undefined && /^\d{1,6}$/.test(text.trim()) ? Number(text) * 1_000 : undefined
}
