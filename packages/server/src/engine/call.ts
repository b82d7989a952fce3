// One exchange with a provider: encode, hand to the transport, decode, keep a scrubbed transcript. Nothing is stored and
// nothing is decided here. The caller has written the operation ahead.

import assert from "node:assert/strict"
import type { Codec, HttpRequest, InquiryInput, Input } from "../connectors/connector.ts"
import { given } from "../core/given.ts"
import { maskPans } from "../core/pan-mask.ts"
import type { Outcome, Raw } from "../core/outcome.ts"
import type { Operation, OperationKind, Payment } from "../core/payment.ts"
import { TRANSCRIPT_BYTES, type Transcript } from "../storage/ledger/ledger.ts"
import { evidenceWithoutNumbers, numberIn } from "./echo.ts"
import { CONNECT_MS, type Account, type Engine } from "./engine.ts"
import type { Sent } from "./transport.ts"

export type Called = { readonly outcome: Outcome; readonly transcript: Transcript }

export type Bounds = {
  /** No copy starts after this (ms, database time). */
  readonly notAfter: number
  /** How long we listen (ms). */
  readonly totalMs: number
}

/** Times a request that provably never left is handed to the same provider again at once: an idle connection was closed. */
export const MAX_RESENDS = 1

export async function call<K extends OperationKind>(
  engine: Engine,
  account: Account,
  operation: Operation,
  kind: K,
  input: Input[K],
  bounds: Bounds,
): Promise<Called> {
  const codec = account.connector.codecs[kind] as Codec<Input[K]> | undefined
  assert(codec !== undefined, `${account.connector.manifest.id} declares no ${kind}`)
  return exchange(engine, account, operation, codec, input, bounds)
}

/** Asks about an operation. The answer is the operation's outcome, or `absent`, whose weight the caller judges. */
export async function inquire(
  engine: Engine,
  account: Account,
  operation: Operation,
  input: InquiryInput,
  bounds: Bounds,
): Promise<Called> {
  const codec = account.connector.inquire
  assert(codec !== undefined, `${account.connector.manifest.id} answers no inquiry`)
  const called = await exchange(engine, account, operation, codec, input, bounds)
  // A question that failed says nothing about what was asked.
  const silent = called.outcome.kind === "not_sent" || called.outcome.kind === "rejected"
  return silent ? { ...called, outcome: { kind: "unknown", raw: called.outcome.raw, evidence: {} } } : called
}

/**
 * Never throws, because what a failure means depends on where it happened: before the transport nothing has left, and
 * from there on money may have moved.
 */
async function exchange<I>(
  engine: Engine,
  account: Account,
  operation: Operation,
  codec: Codec<I>,
  input: I,
  bounds: Bounds,
): Promise<Called> {
  const { clock } = engine
  const startedAt = clock.now()
  const bug = (error: unknown, message: string): void =>
    engine.log.error({ account: account.id, operation: operation.id, error: String(error) }, message)
  let request: HttpRequest
  try {
    request = codec.encode(input, account.config)
  } catch (error) {
    bug(error, "a request could not be encoded; it was not sent")
    return unmade(account, operation, startedAt)
  }
  const limits = {
    connectMs: CONNECT_MS,
    totalMs: bounds.totalMs,
    notAfter: bounds.notAfter,
    keepAliveMs: account.limits.keepAliveMs,
    connections: account.limits.connections,
    ...given({ guarded: account.guarded }),
  }
  const send = async (): Promise<Sent> => {
    try {
      return await engine.transport.send(account.origin, request, limits)
    } catch (error) {
      bug(error, "the transport failed; whether the request left is unknown")
      return { kind: "sent", code: "TRANSPORT_FAILED" }
    }
  }
  let sent = await send()
  for (
    let resends = 0;
    sent.kind === "not_sent" && sent.code === "ECONNRESET" && resends < MAX_RESENDS && clock.now() <= bounds.notAfter;
    resends++
  ) {
    sent = await send()
  }
  const durationMs = clock.now() - startedAt
  const scrub = (text: string): string => {
    try {
      return account.connector.scrub(text).slice(0, TRANSCRIPT_BYTES)
    } catch (error) {
      bug(error, "a transcript could not be scrubbed; it is not kept")
      return "[not kept: it could not be scrubbed]"
    }
  }
  const transcript: Transcript = {
    operation: operation.id,
    attempt: operation.attempt,
    account: account.id,
    at: startedAt,
    durationMs,
    request: {
      method: request.method,
      path: scrub(request.path),
      ...(request.body === undefined ? {} : { body: scrub(request.body) }),
    },
    ...(sent.kind === "answered"
      ? { response: { status: sent.response.status, body: scrub(sent.response.body) } }
      : { error: `${sent.kind} ${sent.code}` }),
  }
  return { outcome: outcomeOf(), transcript }

  function outcomeOf(): Outcome {
    switch (sent.kind) {
      case "answered":
        try {
          return masked(codec.decode(sent.response, input), numberIn(input))
        } catch (error) {
          bug(error, "an answer could not be decoded; its outcome is unknown")
          return {
            kind: "unknown",
            raw: { code: "undecodable", message: `HTTP ${sent.response.status}` },
            evidence: {},
          }
        }
      case "sent":
        return {
          kind: "unknown",
          raw: { code: sent.code, message: "The request was sent; no usable answer came." },
          evidence: {},
        }
      case "not_sent":
        return {
          kind: "not_sent",
          raw: { code: sent.code, message: "The request never left: no connection." },
          evidence: {},
        }
      default:
        return sent satisfies never
    }
  }
}

/** Providers echo what they were sent: their words are kept without card numbers in them. */
export const masked = (outcome: Outcome, sent?: string): Outcome => ({
  ...outcome,
  evidence: evidenceWithoutNumbers(outcome.evidence, sent),
  raw: given({
    ...outcome.raw,
    code: maskPans(outcome.raw.code),
    message: outcome.raw.message === undefined ? undefined : maskPans(outcome.raw.message),
    networkCode: outcome.raw.networkCode === undefined ? undefined : maskPans(outcome.raw.networkCode),
    adviceCode: outcome.raw.adviceCode === undefined ? undefined : maskPans(outcome.raw.adviceCode),
  }),
})

/** What is said of a request that we could not make. Nothing has left. */
export const unmade = (
  account: Account,
  operation: Operation,
  at: number,
  raw: Raw = { code: "encode_failed", message: "The connector could not express this request; it was not sent." },
): Called => ({
  outcome: { kind: "rejected", fault: "ours", executed: "no", reason: "invalid_request", raw, evidence: {} },
  transcript: {
    operation: operation.id,
    attempt: operation.attempt,
    account: account.id,
    at,
    durationMs: 0,
    request: { method: "-", path: "-" },
    error: raw.code,
  },
})

/** The question about an operation, by the best keys that are stored. */
export function inquiryInput(payment: Payment, operation: Operation, reference: string | undefined): InquiryInput {
  return {
    about: operation.kind,
    attempt: operation.attempt,
    operation: operation.id,
    key: operation.key,
    amount: { minor: operation.amount, currency: payment.intent.amount.currency },
    capture: payment.intent.capture,
    ...(reference === undefined ? {} : { reference }),
    ...(operation.reference === undefined ? {} : { operationReference: operation.reference }),
  }
}
