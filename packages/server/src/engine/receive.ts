// Webhooks from providers: verified on the raw body, stored before they are answered, and then worked on as often as it
// takes. Order and number do not matter, because `settle` takes only what is news. Money facts come from signed fields;
// a hint only makes us ask sooner.

import type { Hmac, Notice, WebhookRequest } from "../connectors/connector.ts"
import { makeId } from "../core/id.ts"
import type { Outcome } from "../core/outcome.ts"
import { evolve } from "../core/evolve.ts"
import { authorizes, isOpen, reversalOf, type Attempt, type Operation, type Payment } from "../core/payment.ts"
import { consequences, settle } from "../core/settlement.ts"
import type { InboundResult, InboundWebhook } from "../storage/ledger/ledger.ts"
import { masked } from "./call.ts"
import { bodyWithoutNumbers, hasNumber, noticeWithoutNumbers } from "./echo.ts"
import { change, newOperation } from "./change.ts"
import type { Account, Engine } from "./engine.ts"
import { foundAtProvider, type Found } from "./found-at-provider.ts"
import { runLoop, type Loop } from "./loop.ts"
import { judgeReversal } from "./reverse.ts"
import { timesFor } from "./timing.ts"

export type Received =
  | { readonly kind: "accepted"; readonly status: number; readonly body: string; readonly duplicate: boolean }
  | { readonly kind: "forged" | "stale"; readonly why: string }

/** Verifies and stores one delivery; it is worked on by `processInbound`. */
export async function receive(
  engine: Engine,
  account: Account,
  request: WebhookRequest,
  hmac: Hmac,
): Promise<Received> {
  const { webhook } = account.connector
  const now = engine.clock.now()
  const verdict = webhook.verify(request, account.webhookSecrets, now, hmac)
  if (verdict.kind !== "genuine") return verdict
  const events = webhook.decode(request).map((notice) => notice.eventId)
  const stored = await engine.ledger.storeInbound({
    id: makeId("whi", now, engine.chance.bytes(16)),
    merchant: account.merchant,
    account: account.id,
    deduplication:
      events.length > 0 && events.length <= 4 && !events.some(hasNumber)
        ? events.join(" ")
        : hex(hmac("sha256", new Uint8Array(), request.body)),
    headers: request.headers,
    body: bodyWithoutNumbers(request.body),
    receivedAt: now,
    tries: 0,
  })
  return { kind: "accepted", ...webhook.acknowledgement, duplicate: !stored }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("")

/** Stored webhooks worked on in one round. */
export const INBOUND_BATCH = 64
/** Stored webhooks worked on at the same time by one process: each costs a few round trips to the database. */
export const INBOUND_PARALLEL = 8
/** A claimed webhook is ours this long (ms). */
export const INBOUND_CLAIM_MS = 60_000
/** Waits before an unmatched webhook is matched again: it may have overtaken the commit that makes its payment known (ms). */
export const REMATCH_DELAYS_MS: readonly number[] = [1_000, 5_000, 30_000, 300_000, 3_600_000, 21_600_000, 86_400_000]
/** Wait between rounds when nothing was due, and the longest after rounds that failed (ms). */
export const INBOUND_IDLE_MS = 250
export const INBOUND_BACKOFF_MS = 10_000

/** One round over stored webhooks; answers how many were worked on. */
export async function processInbound(engine: Engine): Promise<number> {
  const due = await engine.ledger.dueInbound(INBOUND_BATCH, INBOUND_CLAIM_MS)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < due.length) {
      const inbound = due[next]!
      next += 1
      await workOn(engine, inbound)
    }
  }
  await Promise.all(Array.from({ length: INBOUND_PARALLEL }, worker))
  return due.length
}

async function workOn(engine: Engine, inbound: InboundWebhook): Promise<void> {
  const result = await processOne(engine, inbound).catch((error: unknown): InboundResult => {
    engine.log.error(
      { webhook: inbound.id, account: inbound.account, error: String(error) },
      "a stored webhook could not be worked on; it is tried again",
    )
    return "failed"
  })
  const delay = result === "unmatched" || result === "failed" ? REMATCH_DELAYS_MS[inbound.tries] : undefined
  await engine.ledger.finishInbound(
    inbound.merchant,
    inbound.id,
    result,
    delay === undefined ? undefined : engine.clock.now() + delay,
  )
}

async function processOne(engine: Engine, inbound: InboundWebhook): Promise<InboundResult> {
  const account = engine.directory.account(inbound.account)
  if (account === undefined) return "unmatched"
  let result: InboundResult = "ignored"
  for (const decoded of account.connector.webhook.decode({ headers: inbound.headers, body: inbound.body })) {
    if (decoded.about === "other") continue
    const notice = { ...noticeWithoutNumbers(decoded), outcome: masked(decoded.outcome) }
    const applied = await apply(engine, account, notice, inbound.tries)
    if (applied === "unmatched") result = "unmatched"
    else if (result === "ignored") result = "processed"
  }
  return result
}

/** Applies one notice to the payment it is about. Safe to repeat. `tries`: how often it has waited already. */
export async function apply(
  engine: Engine,
  account: Account,
  notice: Notice,
  tries = 0,
): Promise<"applied" | "unmatched"> {
  const references = [notice.operationReference, notice.reference].filter((r) => r !== undefined)
  const found = await engine.ledger.find(account.merchant, account.id, {
    references,
    ...(notice.attempt === undefined ? {} : { attempt: notice.attempt }),
    ...(notice.operation === undefined ? {} : { operation: notice.operation }),
  })
  if (found === undefined) return "unmatched"
  const payment = await engine.ledger.load(found.merchant, found.payment)
  const attempt = payment === undefined ? undefined : attemptIn(payment, account, notice)
  if (payment === undefined || attempt === undefined) return "unmatched"
  const target = targetOf(payment, attempt, notice)
  if (
    target?.kind === "reverse" &&
    isOpen(target) &&
    notice.trust === "signed" &&
    notice.outcome.kind !== "approved" &&
    notice.outcome.kind !== "pending"
  ) {
    // A reversal's "no" may only mean that the reversal came first. It is judged like its answer, by the time at which the
    // round that it answers was sent. What it calls the payment is worth keeping either way.
    const known = await learnReference(engine, payment, attempt, notice)
    const sentAt = sentAtOf(target, notice.operationReference)
    if (sentAt !== undefined) await judgeReversal(engine, known, target, account, notice.outcome, undefined, sentAt)
    return "applied"
  }
  let waits = false
  await change(engine, payment.merchant, payment.id, payment, (known) => {
    const now = known === undefined ? undefined : attemptIn(known, account, notice)
    if (known === undefined || now === undefined) return { events: [] }
    const events = eventsOf(engine, known, now, account, notice, tries)
    waits = events === "wait"
    return events === "wait"
      ? { events: [] }
      : { events: [...events, ...consequences(events.reduce(evolve, known), engine.clock.now(), newOperation(engine))] }
  })
  return waits ? "unmatched" : "applied"
}

/** When the round of a reversal was sent that the provider calls by this reference. */
function sentAtOf(operation: Operation, reference: string | undefined): number | undefined {
  if (reference === undefined) return undefined
  return reference === operation.reference
    ? operation.sentAt
    : operation.earlierRounds?.find((round) => round.reference === reference)?.sentAt
}

/** The provider's id of a payment that we could only name by our own. */
async function learnReference(
  engine: Engine,
  payment: Payment,
  attempt: Attempt,
  { reference }: Notice,
): Promise<Payment> {
  if (reference === undefined || attempt.reference !== undefined) return payment
  const changed = await change(engine, payment.merchant, payment.id, payment, (known) => {
    const unnamed = known?.attempts.some((a) => a.id === attempt.id && a.reference === undefined)
    return {
      events:
        unnamed === true ? [{ type: "reference_learned", attempt: attempt.id, reference, at: engine.clock.now() }] : [],
    }
  })
  return changed.kind === "changed" ? changed.payment : payment
}

function attemptIn(payment: Payment, account: Account, notice: Notice): Attempt | undefined {
  const operation = payment.operations.find(
    (o) =>
      o.id === notice.operation ||
      (notice.operationReference !== undefined && o.reference === notice.operationReference),
  )
  return payment.attempts.find(
    (a) =>
      a.account === account.id &&
      (a.id === notice.attempt ||
        a.id === operation?.attempt ||
        (notice.reference !== undefined && a.reference === notice.reference)),
  )
}

/** The operation a notice is about: by our id, by the provider's, or the only open one of its kind. */
function targetOf(payment: Payment, attempt: Attempt, notice: Notice): Operation | undefined {
  const own = payment.operations.filter((o) => o.attempt === attempt.id)
  const named = own.find(
    (o) =>
      (fits(o, notice.about) || o.origin === "provider") &&
      (o.id === notice.operation || o.reference === (notice.operationReference ?? notice.eventId)),
  )
  if (named !== undefined) return named
  if (notice.about === "authorize" || notice.about === "complete")
    return (
      own.findLast((o) => authorizes(o) && isOpen(o)) ??
      own.findLast((o) => authorizes(o) && o.state === "succeeded") ??
      own.findLast(authorizes)
    )
  // What ends an attempt may be told without our id: it can only be the one that is under way.
  if (notice.about === "void" || notice.about === "reverse")
    return own.findLast((o) => (o.kind === "void" || o.kind === "reverse") && isOpen(o))
  // A refund of all there is does what a reversal was owed for, whoever made it; a part of it leaves the rest owed.
  const { outcome } = notice
  const all = attempt.captured > 0n ? attempt.captured - attempt.refunded : payment.requested
  if (notice.about === "refund" && outcome.kind === "approved" && outcome.amount >= all)
    return reversalOf(payment, attempt.id)
  return undefined
}

/** Providers carry our metadata on to what is made by hand: an operation's id alone does not make a refund its refund. */
function fits(operation: Operation, about: Notice["about"]): boolean {
  if (operation.kind === "reverse") return about === "reverse" || about === "void" || about === "refund"
  if (operation.kind === "authorize" || operation.kind === "complete")
    return about === "authorize" || about === "complete"
  return operation.kind === about || (operation.kind === "void" && about === "reverse")
}

function eventsOf(
  engine: Engine,
  payment: Payment,
  attempt: Attempt,
  account: Account,
  notice: Notice,
  tries: number,
): Found {
  const now = engine.clock.now()
  if (notice.dispute !== undefined) {
    const known = payment.disputes.find((d) => d.reference === notice.dispute?.id)
    if (known?.stage === notice.dispute.stage) return []
    const { id: reference, stage, amount, reason, dueAt } = notice.dispute
    return [
      {
        type: "disputed",
        at: now,
        dispute: {
          id: known?.id ?? makeId("dsp", now, engine.chance.bytes(16)),
          reference,
          stage,
          amount,
          at: now,
          ...(reason === undefined ? {} : { reason }),
          ...(dueAt === undefined ? {} : { dueAt }),
        },
      },
    ]
  }
  const target = targetOf(payment, attempt, notice)
  if (
    notice.trust === "hint" ||
    (notice.currency !== undefined && notice.currency !== payment.intent.amount.currency)
  ) {
    // Not a fact: look now instead of later.
    return target === undefined ||
      !isOpen(target) ||
      target.state === "sent" ||
      (target.checkAt !== undefined && target.checkAt <= now)
      ? []
      : [{ type: "operation_rescheduled", operation: target.id, checkAt: now, unlooked: true, at: now }]
  }
  // The "no" to an earlier round of a reversal, which a later one has made good.
  if (
    target?.kind === "reverse" &&
    !isOpen(target) &&
    notice.outcome.kind !== "approved" &&
    notice.operationReference !== undefined &&
    notice.operationReference !== target.reference
  )
    return []
  if (target !== undefined) {
    const outcome = meantBy(notice, payment)
    return settle(payment, target.id, outcome, timesFor(payment, target, account, outcome, now), newOperation(engine))
  }
  const authorization = payment.operations.findLast((o) => o.attempt === attempt.id && authorizes(o))
  if (authorization === undefined) return []
  const times = timesFor(payment, authorization, account, notice.outcome, now)
  return foundAtProvider({ payment, attempt, notice, times, tries, create: newOperation(engine) })
}

/** The notice's outcome as this payment's: an authorization may be its capture as well. */
function meantBy({ outcome, capturesIfAutomatic }: Notice, { intent }: Payment): Outcome {
  const captures = capturesIfAutomatic === true && intent.capture === "automatic"
  return captures && outcome.kind === "approved" && outcome.effect === "authorized"
    ? { ...outcome, effect: "captured" }
    : outcome
}

/** Rounds until stopped; a round that was full is followed at once. */
export const runInbound = (engine: Engine): Loop =>
  runLoop(
    engine,
    "inbound webhooks",
    { idleMs: INBOUND_IDLE_MS, backoffMs: INBOUND_BACKOFF_MS },
    async () => (await processInbound(engine)) === INBOUND_BATCH,
  )
