// A merchant's client as it should be written: every wish has one idempotency key, and whatever happens to the connection
// or the server, the same request goes with the same key to the other server, until there is an answer or patience ends.

import { setTimeout as sleep } from "node:timers/promises"
import { Agent, request } from "undici"
import type { Dice } from "./dice.ts"
import { noteFault, noteUnexpected, type Journal, type Shown, type What, type Wish } from "./journal.ts"

export type Servers = readonly { readonly name: string; readonly url: string }[]

export type Asked = {
  readonly order: number
  readonly what: Exclude<What, "read">
  readonly path: string
  readonly body: object
  readonly key: string
  readonly amount?: number
  /** Sent to two servers at the same moment, under the one key. */
  readonly twice?: boolean
  /** The first request is abandoned after so many ms, as by a client that was restarted. */
  readonly hangUpMs?: number
}

export type Answered =
  | { readonly kind: "acknowledged"; readonly payment: Shown }
  | { readonly kind: "refused"; readonly status: number; readonly code: string }
  | { readonly kind: "gave_up" }

export type Client = {
  ask(asked: Asked): Promise<Answered>
  read(order: number, id: string): Promise<Shown | undefined>
  close(): Promise<void>
}

/** Longer than any answer deadline (ms). */
const REQUEST_MS = 75_000
/** A key of a killed server's request is in flight for up to a minute and a bit; then the payment's state is the answer. */
const PATIENCE_MS = 180_000
const MAX_TRIES = 400
const PAUSE_MS = [100, 2_000] as const
const CONNECTIONS = 512
/** What the API may say to a wish that came too late, asked too much, or met another one. */
const refusals: ReadonlySet<string> = new Set([
  "payment.not_confirmable",
  "payment.not_capturable",
  "payment.not_refundable",
  "payment.not_cancelable",
  "payment.no_action",
  "amount.exceeds_authorized",
  "amount.exceeds_captured",
  "provider.unsupported",
])

export function openClient(journal: Journal, servers: () => Servers, apiKey: string, dice: Dice): Client {
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1, allowH2: false })
  const other = (tries: number, first: number): Servers[number] => {
    const all = servers()
    return all[(first + tries) % all.length]!
  }

  const once = async (
    server: Servers[number],
    method: "GET" | "POST",
    path: string,
    key: string | undefined,
    body: object | undefined,
    hangUpMs?: number,
  ): Promise<{ readonly status: number; readonly json: unknown } | undefined> => {
    try {
      const answer = await request(server.url + path, {
        dispatcher: agent,
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(key === undefined ? {} : { "idempotency-key": key }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        headersTimeout: REQUEST_MS,
        bodyTimeout: REQUEST_MS,
        signal: AbortSignal.timeout(hangUpMs ?? REQUEST_MS),
      })
      const text = await answer.body.text()
      return { status: answer.statusCode, json: JSON.parse(text) as unknown }
    } catch {
      // No connection, no whole answer, or we hung up: not acknowledged, whatever it was.
      return undefined
    }
  }

  /** One wish through one connection after the other. */
  const pursue = async (asked: Asked, wish: Wish, first: number): Promise<Answered> => {
    const until = Date.now() + PATIENCE_MS
    for (let tries = 0; tries < MAX_TRIES && Date.now() < until; tries++) {
      const server = other(tries, first)
      const hangUpMs = tries === 0 ? asked.hangUpMs : undefined
      const answer = await once(server, "POST", asked.path, asked.key, asked.body, hangUpMs)
      const verdict = answer === undefined ? undefined : judge(asked, wish, server.name, answer)
      if (verdict !== undefined) return verdict
      await sleep(Math.min(PAUSE_MS[0] * 2 ** Math.min(tries, 8), PAUSE_MS[1]) * (0.5 + dice.random() / 2))
    }
    return { kind: "gave_up" }
  }

  /** Undefined: try again. */
  const judge = (
    { order, what, key }: Asked,
    wish: Wish,
    server: string,
    { status, json }: { readonly status: number; readonly json: unknown },
  ): Answered | undefined => {
    if (status >= 200 && status < 300) {
      const payment = json as Shown
      wish.outcome = "acknowledged"
      wish.payment = payment.id
      wish.payments.add(payment.id)
      note(order, what, key, server, payment)
      return { kind: "acknowledged", payment }
    }
    const { code = "none", detail } = json as { readonly code?: string; readonly detail?: string }
    if (status >= 500 || code === "idempotency.in_flight" || status === 429) {
      noteFault(journal, code)
      // While things break we may be told to come again, but never of a bug, and never in words of nobody's.
      if (status >= 500 && code !== "server.unavailable")
        noteUnexpected(journal, `${what} was answered ${status} ${code}`)
      return undefined
    }
    if (!refusals.has(code))
      noteUnexpected(journal, `${what} was answered ${status} ${code}${detail === undefined ? "" : `: ${detail}`}`)
    if (wish.outcome === "open") wish.outcome = "refused"
    return { kind: "refused", status, code }
  }

  const note = (order: number, what: What, key: string | undefined, server: string, payment: Shown): void => {
    const { id, version, status, amounts } = payment
    journal.acknowledged.push({ order, what, key, server, payment: id, version, status, amounts })
  }

  return {
    ask: async (asked) => {
      const { order, what, key, path, amount } = asked
      const wish: Wish = { order, what, key, path, amount, outcome: "open", payment: undefined, payments: new Set() }
      journal.wishes.push(wish)
      const first = dice.int(0, 1)
      const [answered] = await Promise.all([
        pursue(asked, wish, first),
        ...(asked.twice === true ? [pursue(asked, wish, first + 1)] : []),
      ])
      return answered
    },
    read: async (order, id) => {
      const server = other(dice.int(0, 1), 0)
      const answer = await once(server, "GET", `/v1/payments/${id}`, undefined, undefined)
      if (answer === undefined || answer.status >= 500) return undefined
      if (answer.status !== 200) {
        noteUnexpected(journal, `reading ${id}, which was acknowledged, was answered ${answer.status}`)
        return undefined
      }
      const payment = answer.json as Shown
      note(order, "read", undefined, server.name, payment)
      return payment
    },
    close: () => agent.destroy(),
  }
}
