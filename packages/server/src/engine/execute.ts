// The main hall: one payment, from the merchant's request to its answer. Write ahead, hand to the provider, read the
// outcome, and go on to the next account only where nothing can have been charged, or where the reversal of what
// may have been charged is stored first.
//
//   create / confirm ─ commit: payment + attempt + operation `sent` + idempotency key
//      └ call ─ commit: outcome + events + answer            (two commits in the normal case)
//            ├ ended, another account may help ─ the same commit starts the next attempt
//            ├ unknown ─ resolve (replay, inquire) until the answer is due ─ then `recover` goes on
//            └ unknown, reverse_then_reroute ─ the same commit stores the reversal and starts the next attempt

import type { AccountId, MerchantId, PaymentId } from "../core/id.ts"
import type { Intent } from "../core/intent.ts"

import { evolve } from "../core/evolve.ts"
import { attemptOf, statusOf, type Attempt, type Operation, type Payment, type PaymentEvent } from "../core/payment.ts"
import type { Refusal } from "../core/payment-command.ts"
import { consequences } from "../core/settlement.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import type { IdempotencyRow, SealedCard } from "../storage/ledger/ledger.ts"
import { route, startAttempt } from "./attempt.ts"
import {} from "./call.ts"
import { answer, work, type Run } from "./plan.ts"
import { change, newOperation, storeAnswer, type Request } from "./change.ts"
import { type Account, type Engine, type Secrets } from "./engine.ts"

export type Executed =
  | { readonly kind: "payment"; readonly payment: Payment }
  | { readonly kind: "taken"; readonly row: IdempotencyRow }

export type Create = {
  /** A new value: version 0, idle, nothing tried. */
  readonly payment: Payment
  readonly confirm: boolean
  readonly secrets: Secrets
  readonly card?: SealedCard
  /** Where the stored card's first payment was made. */
  readonly sourceAccount?: AccountId
  readonly request?: Request
}

export async function create(engine: Engine, command: Create): Promise<Executed> {
  const { payment, request } = command
  const created: PaymentEvent = { type: "created", payment, at: payment.createdAt }
  const stored = {
    ...(request === undefined ? {} : { take: request }),
    ...(command.card === undefined ? {} : { card: command.card }),
  }
  if (!command.confirm) {
    const changed = await change(engine, payment.merchant, payment.id, undefined, (known) =>
      known === undefined ? { events: [created], ...stored, ...answer(request) } : { events: [] },
    )
    return changed.kind === "taken" ? changed : { kind: "payment", payment: changed.payment }
  }
  return start(engine, payment.merchant, payment.id, undefined, command, (known) =>
    known === undefined
      ? { events: [created], intent: payment.intent, ...stored }
      : { events: [], intent: known.intent },
  )
}

export type Confirm = {
  readonly intent: Intent
  readonly secrets: Secrets
  readonly card?: SealedCard
  readonly sourceAccount?: AccountId
  readonly request?: Request
}

/** Confirms a payment that was created without. The intent is the stored one, with what the confirmation added. */
export async function confirm(engine: Engine, payment: Payment, command: Confirm): Promise<Executed | Refusal> {
  let refusal: Refusal | undefined
  const executed = await start(engine, payment.merchant, payment.id, payment, command, (known) => {
    if (known === undefined || statusOf(known) !== "requires_confirmation") {
      refusal = {
        kind: "refused",
        code: "payment.not_confirmable",
        detail: `A payment that is ${known === undefined ? "gone" : statusOf(known)} cannot be confirmed.`,
      }
      return undefined
    }
    return {
      events: [],
      intent: command.intent,
      ...(command.request === undefined ? {} : { take: command.request }),
      ...(command.card === undefined ? {} : { card: command.card }),
    }
  })
  return refusal ?? executed
}

type Opening = {
  readonly events: readonly PaymentEvent[]
  readonly intent: Intent
  readonly take?: Request
  readonly card?: SealedCard
}

async function start(
  engine: Engine,
  merchant: MerchantId,
  id: PaymentId,
  from: Payment | undefined,
  command: Create | Confirm,
  open: (known: Payment | undefined) => Opening | undefined,
): Promise<Executed> {
  let run: Run | undefined
  let first: { readonly account: Account; readonly attempt: Attempt; readonly operation: Operation } | undefined
  // The same attempt in every try of the commit: one whose fate was unknown may still arrive.
  let started: (ReturnType<typeof startAttempt> & { readonly account: Account }) | undefined
  const changed = await change(engine, merchant, id, from, (known) => {
    // The commit whose fate was unknown was ours: go on from it.
    if (known !== undefined && first !== undefined && attemptOf(known, first.attempt.id) !== undefined)
      return { events: [] }
    const opening = open(known)
    if (opening === undefined) return { events: [] }
    const now = engine.clock.now()
    const answerBy = now + opening.intent.answerWithinMs
    const events: PaymentEvent[] = [
      ...opening.events,
      { type: "confirmed", intent: opening.intent, answerBy, owner: engine.node, at: now },
    ]
    const base = opening.events[0]?.type === "created" ? opening.events[0].payment : known
    if (base === undefined) return { events: [] }
    const confirmed = events.reduce(evolve, base)
    const decision = route(engine, confirmed, command.sourceAccount)
    const [account, ...rest] = decision.candidates.flatMap((candidate) => engine.directory.account(candidate) ?? [])
    run = {
      engine,
      merchant,
      id,
      secrets: command.secrets,
      request: command.request,
      answerBy,
      decision: decision.record,
      rest,
      payment: confirmed,
      finishing: false,
      late: false,
      cryptogramSpent: false,
    }
    const stored = {
      ...(opening.take === undefined ? {} : { take: opening.take }),
      ...(opening.card === undefined ? {} : { card: opening.card }),
    }
    if (account === undefined) {
      first = undefined
      events.push({
        type: "plan_over",
        failure: {
          reason: "no_eligible_account",
          raw: { code: "no_eligible_account", message: excludedText(decision.record) },
        },
        at: now,
      })
      return {
        events: [...events, ...consequences(events.reduce(evolve, base), now, newOperation(engine))],
        ...stored,
        ...answer(command.request),
      }
    }
    started ??= { account, ...startAttempt(engine, confirmed, account, answerBy, decision.record) }
    first = { account: started.account, attempt: started.attempt, operation: started.operation }
    return { events: [...events, started.event], ...stored }
  })
  if (changed.kind === "taken") return changed
  if (run === undefined || first === undefined) return { kind: "payment", payment: changed.payment }
  run.payment = changed.payment
  return underDeadline(run, work(run, first))
}

const excludedText = (record: DecisionRecord): string =>
  record.excluded.length === 0
    ? "No account is configured for this payment."
    : record.excluded.map(({ account, reason }) => `${account}: ${reason}`).join("; ")

/** Extra time for a commit that is already on its way when the answer is due (ms). */
const FINISH_MS = 2_000

/** Answers when the plan is over, or at the answer deadline with what is known then; the plan goes on in the background. */
async function underDeadline(run: Run, plan: Promise<void>): Promise<Executed> {
  const { engine } = run
  let cancel = (): void => {}
  const due = new Promise<"due">((resolve) => {
    cancel = engine.clock.after(Math.max(0, run.answerBy - engine.clock.now()), () => resolve("due"))
  })
  const first = await Promise.race([plan, due]).finally(() => cancel())
  if (first === "due") {
    engine.background(plan)
    if (run.finishing) await Promise.race([plan, engine.clock.sleep(FINISH_MS)])
    if (run.finishing || run.payment.plan.state === "running") {
      run.late = true
      if (run.request !== undefined)
        await storeAnswer(engine, run.request, run.payment).catch((error: unknown) =>
          engine.log.warn({ payment: run.id, error: String(error) }, "the answer could not be stored"),
        )
    }
  }
  return { kind: "payment", payment: run.payment }
}
