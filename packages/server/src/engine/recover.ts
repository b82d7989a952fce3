// Everything that is open past its time comes here: operations whose owner died, unknown outcomes, owed reversals,
// accepted operations whose webhook never came, customers who never came back, authorizations that ran out, retries that are
// due. Crash recovery is the same path. Nothing here can create an authorization, but for those retries (resume.ts).
//
//   operation                  | what is done
//   prepare, owner gone        | ended: what was prepared cannot charge
//   authorize, complete        | inquire; where the provider cannot be asked: wait for its webhook, then owe a reversal
//   capture, refund, void, …   | send the same request with the same key while the provider repeats its answers; else inquire
//   reverse                    | find out what there is to reverse, reverse it, and again until confirmed or absence is proven
//   action                     | past its time: ask once more, then end it as expired
//
// "Not found" settles something only when asked after the longest in-flight time of the last copy (timing.provenFrom), and of the
// account that was sent it (timing.isSameAccount).

import type { Outcome } from "../core/outcome.ts"

import {
  attemptOf,
  isOpen,
  operationOf,
  PLAN_GRACE_MS,
  reversalOf,
  standing,
  statusOf,
  tellExpiryAt,
  UNCONFIRMED_MS,
  type Attempt,
  type Operation,
  type Payment,
  type PaymentEvent,
} from "../core/payment.ts"
import { endAttempt, failureOf, newsOf, oweReversal } from "../core/settlement.ts"
import type { Due } from "../storage/ledger/ledger.ts"
import { newOperation, type Change } from "./change.ts"
import type { Account, Engine } from "./engine.ts"
import { ask, decideAnew, later, settleOr, settleWith } from "./reconsider.ts"
import { recoverReversal } from "./reverse.ts"
import { send } from "./follow-up.ts"
import { runLoop, type Loop } from "./loop.ts"
import { isDue, resume } from "./resume.ts"
import { deadline, inquiryStrength, isSameAccount, provenFrom, replayable, sendUntil } from "./timing.ts"

/** Payments looked at in one round, and of one account among them: no storm after an outage. */
export const RECOVER_BATCH = 64
export const RECOVER_PER_ACCOUNT = 16
/** Payments worked on at the same time by one process. */
export const RECOVER_PARALLEL = 16
/** A claimed payment is ours this long (ms); longer than anything done with it in one look. */
export const CLAIM_MS = 120_000
/** Wait between rounds when nothing was due (ms). */
export const RECOVER_IDLE_MS = 500
/** Longest wait after rounds that failed (ms). */
export const RECOVER_BACKOFF_MS = 10_000

/** One round; answers how many payments were looked at. */
export async function recoverOnce(engine: Engine): Promise<number> {
  const due = await engine.ledger.due(RECOVER_BATCH, RECOVER_PER_ACCOUNT)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < due.length) {
      const item = due[next]!
      next += 1
      await look(engine, item)
    }
  }
  await Promise.all(Array.from({ length: RECOVER_PARALLEL }, worker))
  return due.length
}

async function look(engine: Engine, due: Due): Promise<void> {
  try {
    await lookAt(engine, due)
  } catch (error) {
    // The database may be what failed: then the claim runs out by itself.
    await putOff(engine, due, error).catch((again: unknown) =>
      engine.log.error({ payment: due.payment, error: String(again) }, "a payment could not be put off"),
    )
  }
}

async function lookAt(engine: Engine, due: Due): Promise<void> {
  if (!(await engine.ledger.claim(due, CLAIM_MS))) return
  const payment = await engine.ledger.load(due.merchant, due.payment)
  if (payment !== undefined) await recover(engine, payment)
}

/** A look that fails is a look without a verdict: the schedule goes on, and ends with a person. */
async function putOff(engine: Engine, due: Due, error: unknown): Promise<void> {
  engine.log.error({ payment: due.payment, error: String(error) }, "recovery of a payment failed; it is tried again")
  const payment = await engine.ledger.load(due.merchant, due.payment)
  for (const { id } of payment === undefined ? [] : dueNow(engine, payment)) {
    const known = await engine.ledger.load(due.merchant, due.payment)
    const operation = known === undefined ? undefined : operationOf(known, id)
    if (known !== undefined && operation !== undefined) await later(engine, known, operation, undefined)
  }
}

const dueNow = (engine: Engine, payment: Payment): readonly Operation[] =>
  payment.operations.filter((o) => isOpen(o) && o.checkAt !== undefined && o.checkAt <= engine.clock.now())

/** Does for one payment all that is due now. */
export async function recover(engine: Engine, loaded: Payment): Promise<Payment> {
  let payment = isDue(loaded, engine.clock.now()) ? await resume(engine, loaded) : await onTime(engine, loaded)
  for (const { id } of dueNow(engine, payment)) {
    const operation = operationOf(payment, id)
    const attempt = operation === undefined ? undefined : attemptOf(payment, operation.attempt)
    if (
      operation === undefined ||
      attempt === undefined ||
      !isOpen(operation) ||
      (operation.checkAt ?? Number.POSITIVE_INFINITY) > engine.clock.now()
    )
      continue
    const account = engine.directory.account(attempt.account)
    // Without the account nobody can be asked: the schedule runs out and a person has to look.
    payment =
      account === undefined
        ? await later(engine, payment, operation, undefined)
        : await recoverOperation(engine, payment, operation, attempt, account)
    // Whatever the look came to: an operation that stays due at once would be looked at for ever.
    const still = operationOf(payment, id)
    if (still !== undefined && isOpen(still) && still.checkAt !== undefined && still.checkAt <= engine.clock.now())
      payment = await later(engine, payment, still, undefined)
  }
  return payment
}

/** What time alone decides: a plan whose owner died, a payment nobody confirmed, an authorization that ran out. */
async function onTime(engine: Engine, payment: Payment): Promise<Payment> {
  return decideAnew(engine, payment, (known) => {
    const now = engine.clock.now()
    const events: PaymentEvent[] = []
    if (
      known.plan.state === "running" &&
      known.plan.answerBy !== undefined &&
      now >= known.plan.answerBy + PLAN_GRACE_MS
    ) {
      const last = known.attempts.at(-1)
      const failure = last === undefined ? ({ reason: "interrupted" } as const) : failureOf(last, last.outcome)
      events.push({ type: "plan_over", at: now, failure })
    }
    if (statusOf(known) === "requires_confirmation" && now >= known.createdAt + UNCONFIRMED_MS)
      events.push({ type: "ending_requested", as: "expired", at: now })
    const held = standing(known)
    const until = known.authorizedUntil
    if (held?.state !== "held" || until === undefined || held.captured >= held.authorized || held.released)
      return events
    if (known.expiryTold !== true && now >= tellExpiryAt(known, until))
      events.push({ type: "authorization_expiring", at: now })
    if (now < until || known.ending !== undefined) return events
    // With captures the rest has lapsed; without, what may still be held is reversed, so that nobody's limit stays blocked.
    if (held.captured > 0n) events.push({ type: "attempt_lapsed", attempt: held.id, at: now })
    else if (!known.operations.some((o) => o.kind === "capture" && isOpen(o)))
      events.push({ type: "ending_requested", as: "expired", reason: "the authorization has expired", at: now })
    return events
  })
}

async function recoverOperation(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  attempt: Attempt,
  account: Account,
): Promise<Payment> {
  if (operation.state === "sent" && operation.kind !== "reverse") {
    const gone: Outcome = {
      kind: "unknown",
      raw: { code: "owner_gone", message: "The process that sent it never stored an answer." },
      evidence: {},
    }
    const known = await settleWith(engine, payment, operation.id, gone, account)
    const still = operationOf(known, operation.id)
    return still === undefined || !isOpen(still) ? known : recoverOperation(engine, known, still, attempt, account)
  }
  switch (operation.kind) {
    case "prepare":
      return payment
    case "authorize":
    case "complete":
      return operation.state === "action"
        ? recoverAction(engine, payment, operation, attempt, account)
        : recoverAuthorization(engine, payment, operation, attempt, account)
    case "capture":
    case "refund":
    case "void":
    case "increment":
      return recoverFollowUp(engine, payment, operation, attempt, account)
    case "reverse":
      return recoverReversal(engine, payment, operation, attempt, account)
    default:
      return operation.kind satisfies never
  }
}

async function recoverAuthorization(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  attempt: Attempt,
  account: Account,
): Promise<Payment> {
  const strength = inquiryStrength(account, operation, attempt)
  // Its reversal finds out by itself what there is.
  if (reversalOf(payment, attempt.id) !== undefined) return later(engine, payment, operation, undefined)
  if (strength !== "none") {
    const proof = proofFrom(payment, operation, account, strength)
    const asked = await ask(engine, payment, operation, attempt, account)
    return settleOr(engine, payment, operation, account, asked, proof)
  }
  const webhookBy = (operation.sentAt ?? operation.createdAt) + account.limits.settleWithinMs
  if (engine.clock.now() < webhookBy) return later(engine, payment, operation, webhookBy)
  if (
    account.connector.codecs.reverse === undefined ||
    (attempt.reference === undefined && !account.connector.manifest.reverse.byAttempt)
  )
    return later(engine, payment, operation, undefined)
  return decideAnew(engine, payment, (known) => {
    const open = operationOf(known, operation.id)
    if (open === undefined || !isOpen(open) || reversalOf(known, attempt.id) !== undefined) return []
    return oweReversal(
      known,
      attempt.id,
      "the provider cannot be asked and its webhook never came",
      engine.clock.now(),
      newOperation(engine),
    )
  })
}

/**
 * The customer's time is over. If the provider can say that it was used after all, that counts; that it is still pending
 * says nothing where it may still be the customer's turn. Otherwise the payment ends, or, where another attempt stands
 * for it, this attempt alone.
 */
async function recoverAction(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  attempt: Attempt,
  account: Account,
): Promise<Payment> {
  // Its reversal finds out by itself what there is.
  if (reversalOf(payment, attempt.id) !== undefined) return later(engine, payment, operation, undefined)
  const asked =
    inquiryStrength(account, operation, attempt) === "none"
      ? undefined
      : await ask(engine, payment, operation, attempt, account)
  if (asked !== undefined && newsOf(operation, asked.outcome) !== "nothing" && asked.outcome.kind !== "absent")
    return settleWith(engine, payment, operation.id, asked.outcome, account, asked)
  const transcripts = asked === undefined ? [] : [asked.transcript]
  if (asked?.outcome.kind === "unknown") return later(engine, payment, operation, undefined, transcripts)
  return decideAnew(
    engine,
    payment,
    (known) => {
      const now = engine.clock.now()
      const open = operationOf(known, operation.id)
      if (open?.state !== "action" || reversalOf(known, attempt.id) !== undefined) return []
      // Asked before its time, since something was told that is no fact: it is still the customer's turn.
      const until = attemptOf(known, attempt.id)?.actionUntil ?? now
      if (now < until)
        return [{ type: "operation_rescheduled", operation: open.id, checkAt: until, unlooked: true, at: now }]
      return endAttempt(known, attempt.id, "the customer did not finish in time", now, newOperation(engine))
    },
    transcripts,
  )
}

/**
 * Ask first where one can: a provider that stores its failures repeats them to a copy for as long as it keeps the key.
 * What it truly does not know is sent again under the same key, or, when that helped nothing and absence is proof, given up.
 */
async function recoverFollowUp(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  attempt: Attempt,
  account: Account,
): Promise<Payment> {
  const copies =
    operation.state === "unknown" &&
    replayable(account, operation, engine.clock.now()) &&
    isSameAccount(payment, operation, account)
  const strength = inquiryStrength(account, operation, attempt)
  // Accepted, never confirmed, and nobody to ask: a reversal asks anew until it has an answer.
  if (
    strength === "none" &&
    operation.kind === "void" &&
    operation.state === "pending" &&
    attempt.reference !== undefined
  )
    return decideAnew(engine, payment, (known) => {
      const open = operationOf(known, operation.id)
      if (open?.state !== "pending" || reversalOf(known, attempt.id) !== undefined) return []
      const owed = oweReversal(
        known,
        attempt.id,
        "the void was accepted and never confirmed",
        engine.clock.now(),
        newOperation(engine),
      )
      return [
        ...owed,
        {
          type: "operation_rescheduled",
          operation: open.id,
          checkAt: engine.clock.now() + RECHECK_VOID_MS,
          at: engine.clock.now(),
        },
      ]
    })
  if (strength === "none")
    return copies ? copy(engine, payment, operation, account) : later(engine, payment, operation, undefined)
  const asked = await ask(engine, payment, operation, attempt, account)
  const proof = proofFrom(payment, operation, account, strength)
  const givesUp = operation.checks >= COPIES_BEFORE_ABSENCE && proof !== undefined && asked.transcript.at >= proof
  if (asked.outcome.kind !== "absent" || !copies || givesUp)
    return settleOr(engine, payment, operation, account, asked, proof)
  return copy(engine, payment, operation, account, [asked.transcript])
}
const proofFrom = (...about: Parameters<typeof provenFrom>): number | undefined =>
  isSameAccount(about[0], about[1], about[2]) ? provenFrom(...about) : undefined
/** By then the reversal of a void that nobody confirmed has had its rounds (ms). */
const RECHECK_VOID_MS = 24 * 3_600_000
/** Looks at a follow-up after which a proven absence is believed instead of sending it once more. */
const COPIES_BEFORE_ABSENCE = 3

/** The same request under the same key: the provider answers what it answered, or does it now, once. */
async function copy(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  account: Account,
  transcripts: Change["transcripts"] = [],
): Promise<Payment> {
  const now = engine.clock.now()
  const until = deadline(account, sendUntil(now))
  const written = await decideAnew(
    engine,
    payment,
    (known) => {
      const open = operationOf(known, operation.id)
      if (open?.state !== "unknown") return []
      const ahead = { ...open, sendUntil: sendUntil(now), deadline: until, checkAt: until, owner: engine.node }
      return [{ type: "operation_sent", operation: ahead, at: now }]
    },
    transcripts,
  )
  const ahead = operationOf(written, operation.id)
  if (ahead?.state !== "unknown") return written
  // A copy that is turned away (credentials, limits, a state that the first copy itself has made) says nothing about the first.
  return settleOr(engine, written, ahead, account, await send(engine, written, ahead, account), undefined)
}

/** Rounds until stopped; a round that was full is followed at once. */
export const runRecovery = (engine: Engine): Loop =>
  runLoop(
    engine,
    "recovery",
    { idleMs: RECOVER_IDLE_MS, backoffMs: RECOVER_BACKOFF_MS },
    async () => (await recoverOnce(engine)) === RECOVER_BATCH,
  )
