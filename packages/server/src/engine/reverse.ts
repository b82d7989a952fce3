// Reversals: obligations that end only when the provider confirms one, or when it is proven that there is nothing to reverse.
// A reversal may overtake its original; "nothing to cancel" therefore arms it again, with a new key, because a provider
// repeats its answers to an old one.

import { given } from "../core/given.ts"
import type { Outcome } from "../core/outcome.ts"

import { attemptOf, isOpen, operationOf, type Attempt, type Operation, type Payment } from "../core/payment.ts"

import type { Transcript } from "../storage/ledger/ledger.ts"
import { type Called } from "./call.ts"
import { type Change } from "./change.ts"
import type { Account, Engine } from "./engine.ts"
import { ask, decideAnew, later, settleWith } from "./reconsider.ts"
import { send } from "./follow-up.ts"

import { deadline, inquiryStrength, isSameAccount, nextCheck, provenFrom, sendUntil } from "./timing.ts"

export async function recoverReversal(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  attempt: Attempt,
  account: Account,
): Promise<Payment> {
  const { codecs, manifest } = account.connector
  // What is there to reverse? Asking first also settles the authorization itself.
  const asking = attempt.state === "held" ? undefined : authorizationOf(payment, attempt)
  const strength = inquiryStrength(account, asking ?? operation, attempt)
  const proof = provenFrom(payment, operation, account, strength)
  const sameAccount = asking === undefined || isSameAccount(payment, asking, account)
  let known = payment
  const seen: Transcript[] = []
  if (asking !== undefined && strength !== "none") {
    const asked = await ask(engine, payment, asking, attempt, account)
    const unproven = asked.outcome.kind === "absent" && (asked.transcript.at < proof || !sameAccount)
    if (asked.outcome.kind === "unknown" || (unproven && attempt.reference === undefined))
      return later(engine, payment, operation, proof, [asked.transcript])
    if (unproven) seen.push(asked.transcript)
    else known = await settleWith(engine, payment, asking.id, asked.outcome, account, asked)
  }
  // An earlier round may have worked without our seeing its answer.
  if (asking === undefined && strength !== "none" && (operation.state !== "owed" || operation.round > 0)) {
    const asked = await ask(engine, payment, operation, attempt, account)
    if (asked.outcome.kind === "approved")
      return settleWith(engine, payment, operation.id, asked.outcome, account, asked)
    seen.push(asked.transcript)
  }
  const now = engine.clock.now()
  const open = operationOf(known, operation.id)
  const found = attemptOf(known, attempt.id)
  if (open === undefined || !isOpen(open) || found === undefined) return known
  // Accepted, and then neither webhook nor inquiry: ask for it anew, or the provider repeats its acceptance for ever.
  if (open.state === "pending") return rearm(engine, known, open, proof, open.outcome ?? silence, seen)
  const reachable =
    codecs.reverse !== undefined &&
    (found.reference === undefined ? manifest.reverse.byAttempt : manifest.reverse.byReference)
  if (!reachable) return later(engine, known, open, proof, seen)
  const until = deadline(account, sendUntil(now))
  const isOurs = ({ state, owner, deadline: ours }: Operation): boolean =>
    state === "sent" && owner === engine.node && ours === until
  const written = await decideAnew(
    engine,
    known,
    (then) => {
      const still = operationOf(then, operation.id)
      if (still === undefined || !isOpen(still) || isOurs(still)) return []
      // Another look was faster, and has sent it since: the claim on a payment ends with the commit for another of its
      // operations.
      if (still.round !== operation.round || still.sendUntil !== operation.sendUntil) return []
      const sentAt = still.state === "owed" ? now : (still.sentAt ?? now)
      const sent = {
        ...still,
        state: "sent",
        sentAt,
        sendUntil: sendUntil(now),
        deadline: until,
        checkAt: until,
        owner: engine.node,
        ...given({ generation: account.generation }),
      } as const
      return [{ type: "operation_sent", operation: sent, at: now }]
    },
    seen,
  )
  const ahead = operationOf(written, operation.id)
  if (ahead === undefined || !isOurs(ahead)) return written
  const called = await send(engine, written, ahead, account)
  return judgeReversal(engine, written, ahead, account, called.outcome, called)
}

/** What an answer to a reversal, or a webhook about it, means. `sentAt`: when the round that it answers was sent. */
export async function judgeReversal(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  account: Account,
  outcome: Outcome,
  called?: Called,
  sentAt: number = operation.sentAt ?? 0,
): Promise<Payment> {
  const transcripts = called === undefined ? [] : [called.transcript]
  const proof = provenFrom(payment, operation, account)
  switch (outcome.kind) {
    case "approved":
    case "pending":
      return settleWith(engine, payment, operation.id, outcome, account, called)
    case "absent":
    case "declined":
    case "rejected": {
      const nothingThere =
        outcome.kind === "absent" &&
        account.connector.manifest.reverse.absence === "proof" &&
        isSameAccount(payment, operation, account) &&
        attemptOf(payment, operation.attempt)?.state !== "held"
      if (nothingThere && sentAt >= proof) return settleWith(engine, payment, operation.id, outcome, account, called)
      // Of an earlier round: the present one is still to be answered, or even to be sent.
      if (sentAt !== (operation.sentAt ?? 0) || operation.state === "owed") return payment
      // It may have overtaken the original: again, as a new request.
      return rearm(engine, payment, operation, proof, outcome, transcripts)
    }
    case "not_sent":
      return again(engine, payment, operation, proof, "owed", outcome, transcripts)
    case "unknown":
    case "action":
      // One copy under the same key; a provider that repeats its failures is asked anew after that. Reversing twice is harmless.
      return operation.outcome?.kind === "unknown"
        ? rearm(engine, payment, operation, proof, outcome, transcripts)
        : again(engine, payment, operation, proof, "unknown", outcome, transcripts)
    default:
      return outcome satisfies never
  }
}

const silence: Outcome = { kind: "unknown", raw: { code: "no_webhook" }, evidence: {} }

const authorizationOf = (payment: Payment, attempt: Attempt): Operation | undefined =>
  payment.operations.findLast(
    (o) => o.attempt === attempt.id && (o.kind === "authorize" || o.kind === "complete") && isOpen(o),
  )

const rearm = (
  engine: Engine,
  payment: Payment,
  operation: Operation,
  proof: number,
  outcome: Outcome,
  transcripts: Change["transcripts"],
): Promise<Payment> =>
  again(engine, payment, operation, proof, "owed", outcome, transcripts, `${operation.id}-${operation.round + 1}`)

async function again(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  proof: number,
  state: "owed" | "unknown",
  outcome: Outcome,
  transcripts: Change["transcripts"],
  nextRoundKey?: string,
): Promise<Payment> {
  return decideAnew(
    engine,
    payment,
    (known) => {
      const now = engine.clock.now()
      const open = operationOf(known, operation.id)
      if (open === undefined || !isOpen(open) || open.round !== operation.round) return []
      const checkAt = nextCheck(open, now, proof, engine.chance.random())
      return [
        {
          type: "operation_rescheduled",
          operation: open.id,
          checkAt: checkAt ?? now,
          state,
          outcome,
          at: now,
          ...(nextRoundKey === undefined ? {} : { nextRoundKey }),
          ...(checkAt === undefined ? { needsPerson: true } : {}),
        },
      ]
    },
    transcripts,
  )
}
