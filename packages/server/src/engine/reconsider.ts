// The steps of recovery: ask, decide on what is stored then, settle what was learned, or look again later. A look ends in one
// commit, so that the claim on the payment holds as long as it lasts.

import type { OperationId } from "../core/id.ts"
import type { Outcome } from "../core/outcome.ts"
import { evolve } from "../core/evolve.ts"
import { isOpen, operationOf, type Attempt, type Operation, type Payment, type PaymentEvent } from "../core/payment.ts"
import { consequences, newsOf, settle } from "../core/settlement.ts"

import { inquire, inquiryInput, type Called } from "./call.ts"
import { change, newOperation, type Change } from "./change.ts"
import type { Account, Engine } from "./engine.ts"

import { nextCheck, sendUntil, timesFor } from "./timing.ts"

/** Commits what `decide` finds in the payment as it is then, with all consequences. */
export async function decideAnew(
  engine: Engine,
  payment: Payment,
  decide: (known: Payment) => readonly PaymentEvent[],
  transcripts: Change["transcripts"] = [],
): Promise<Payment> {
  const changed = await change(engine, payment.merchant, payment.id, payment, (known) => {
    if (known === undefined) return { events: [] }
    const events = decide(known)
    const then = events.reduce(evolve, known)
    return { events: [...events, ...consequences(then, engine.clock.now(), newOperation(engine))], transcripts }
  })
  return changed.kind === "changed" ? changed.payment : payment
}

export const ask = (
  engine: Engine,
  payment: Payment,
  operation: Operation,
  attempt: Attempt,
  account: Account,
): Promise<Called> =>
  inquire(engine, account, operation, inquiryInput(payment, operation, attempt.reference), {
    notAfter: sendUntil(engine.clock.now()),
    totalMs: account.limits.listenMs,
  })

/** Settles a verdict; anything else, and absence that proves nothing yet, is looked at again later. */
export async function settleOr(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  account: Account,
  called: Called,
  proof: number | undefined,
): Promise<Payment> {
  const askedAt = called.transcript.at
  const { outcome } = called
  const weak = outcome.kind === "absent" && (proof === undefined || askedAt < proof)
  const known = operationOf(payment, operation.id)
  if (
    !weak &&
    known !== undefined &&
    newsOf(known, outcome) !== "nothing" &&
    outcome.kind !== "not_sent" &&
    outcome.kind !== "rejected"
  )
    return settleWith(engine, payment, operation.id, outcome, account, called)
  return later(engine, payment, operation, proof, [called.transcript])
}

export async function settleWith(
  engine: Engine,
  payment: Payment,
  id: OperationId,
  outcome: Outcome,
  account: Account,
  called?: Called,
): Promise<Payment> {
  const changed = await change(engine, payment.merchant, payment.id, payment, (known): Change => {
    const operation = known === undefined ? undefined : operationOf(known, id)
    if (known === undefined || operation === undefined) return { events: [] }
    return {
      events: settle(
        known,
        id,
        outcome,
        timesFor(known, operation, account, outcome, engine.clock.now()),
        newOperation(engine),
      ),
      transcripts: called === undefined ? [] : [called.transcript],
    }
  })
  return changed.kind === "changed" ? changed.payment : payment
}

/** No verdict: by the schedule, but not later than `proof`; at its end a person has to look. */
export async function later(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  proof: number | undefined,
  transcripts: Change["transcripts"] = [],
): Promise<Payment> {
  return decideAnew(
    engine,
    payment,
    (known) => {
      const now = engine.clock.now()
      const open = operationOf(known, operation.id)
      if (open === undefined || !isOpen(open)) return []
      // Sent meanwhile by another look, which listens: until its deadline nobody takes it.
      if (open.state === "sent" && now < (open.deadline ?? 0)) return []
      const checkAt = nextCheck(open, now, proof, engine.chance.random())
      return [
        {
          type: "operation_rescheduled",
          operation: open.id,
          checkAt: checkAt ?? now,
          at: now,
          ...(checkAt === undefined ? { needsPerson: true } : {}),
        },
      ]
    },
    transcripts,
  )
}
