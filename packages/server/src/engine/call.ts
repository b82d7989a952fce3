// One exchange with a provider: encode, hand to the transport, decode, keep a scrubbed transcript. Nothing is stored and
// nothing is decided here. The caller has written the operation ahead.

import assert from "node:assert/strict"
import type { Codec, HttpRequest, InquiryInput, Input } from "../connectors/connector.ts"
import type { Outcome } from "../core/outcome.ts"
import type { Operation, OperationKind, Payment } from "../core/payment.ts"
import { TRANSCRIPT_BYTES, type Transcript } from "../storage/ledger/ledger.ts"
import { CONNECT_MS, type Account, type Engine } from "./engine.ts"

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
  return exchange(
    engine,
    account,
    operation,
    codec.encode(input, account.config),
    (response) => codec.decode(response, input),
    bounds,
  )
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
  const called = await exchange(
    engine,
    account,
    operation,
    codec.encode(input, account.config),
    (response) => codec.decode(response, input),
    bounds,
  )
  // A question that failed says nothing about what was asked.
  const silent = called.outcome.kind === "not_sent" || called.outcome.kind === "rejected"
  return silent ? { ...called, outcome: { kind: "unknown", raw: called.outcome.raw, evidence: {} } } : called
}

async function exchange(
  engine: Engine,
  account: Account,
  operation: Operation,
  request: HttpRequest,
  decode: (response: { status: number; headers: Readonly<Record<string, string>>; body: string }) => Outcome,
  bounds: Bounds,
): Promise<Called> {
  const { clock } = engine
  const startedAt = clock.now()
  const limits = {
    connectMs: CONNECT_MS,
    totalMs: bounds.totalMs,
    notAfter: bounds.notAfter,
    keepAliveMs: account.limits.keepAliveMs,
    connections: account.limits.connections,
  }
  let sent = await engine.transport.send(account.origin, request, limits)
  for (
    let resends = 0;
    sent.kind === "not_sent" && sent.code === "ECONNRESET" && resends < MAX_RESENDS && clock.now() <= bounds.notAfter;
    resends++
  ) {
    sent = await engine.transport.send(account.origin, request, limits)
  }
  const durationMs = clock.now() - startedAt
  const scrub = (text: string): string => account.connector.scrub(text).slice(0, TRANSCRIPT_BYTES)
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
        return decode(sent.response)
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
