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
import type { Intent, OnUnknown } from "../core/intent.ts"
import { evolve } from "../core/evolve.ts"
import { attemptOf, statusOf, type Failure, type Payment, type PaymentEvent } from "../core/payment.ts"
import type { Refusal } from "../core/payment-command.ts"
import { consequences } from "../core/settlement.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import type { IdempotencyRow, SealedCard } from "../storage/ledger/ledger.ts"
import { route, startAttempt } from "./attempt.ts"
import { planOf, type RetryPlan } from "../routing/retry-plan.ts"
import { answer, work } from "./plan.ts"
import type { Run } from "./run.ts"
import { answeredBy, change, newOperation, settleAnswer, type Answered, type Request } from "./change.ts"
import { type Account, type Engine, type Secrets } from "./engine.ts"
import type { Decided } from "./shadows.ts"

export type Executed = Answered | { readonly kind: "taken"; readonly row: IdempotencyRow }

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
    return changed.kind === "taken" ? changed : answeredBy(engine, request, changed)
  }
  return start(engine, payment.merchant, payment.id, undefined, command, (known) =>
    known === undefined ? { events: [created], intent: payment.intent, ...stored } : undefined,
  )
}

export type Confirm = {
  readonly intent: Intent
  readonly secrets: Secrets
  readonly card?: SealedCard
  readonly sourceAccount?: AccountId
  readonly request?: Request
}

/** Why a payment cannot be confirmed now, if it cannot. */
export const unconfirmable = (payment: Payment): Refusal | undefined =>
  statusOf(payment) === "requires_confirmation"
    ? undefined
    : {
        kind: "refused",
        code: "payment.not_confirmable",
        detail: `A payment that is ${statusOf(payment)} cannot be confirmed.`,
      }

/** Confirms a payment that was created without. The intent is the stored one, with what the confirmation added. */
export async function confirm(engine: Engine, payment: Payment, command: Confirm): Promise<Executed | Refusal> {
  let refusal: Refusal | undefined
  const executed = await start(engine, payment.merchant, payment.id, payment, command, (known) => {
    refusal = known === undefined ? undefined : unconfirmable(known)
    if (refusal !== undefined) return undefined
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

/** Length of what tells one run from every other of this process (bytes). */
const RUN_BYTES = 8

async function start(
  engine: Engine,
  merchant: MerchantId,
  id: PaymentId,
  from: Payment | undefined,
  command: Create | Confirm,
  open: (known: Payment | undefined) => Opening | undefined,
): Promise<Executed> {
  // Chosen before the first try: however a commit's fate is learned, what was ours is known by it, and not confirmed again.
  const owner = `${engine.node} ${Buffer.from(engine.chance.bytes(RUN_BYTES)).toString("hex")}`
  let ours = false
  // The same attempt in every try of the commit: one whose fate was unknown may still arrive.
  let started: Started | undefined
  let decided: Decided | undefined
  const changed = await change(engine, merchant, id, from, (known) => {
    ours = known?.plan.owner === owner
    if (ours) return { events: [] }
    const opening = open(known)
    if (opening === undefined) return { events: [] }
    const now = engine.clock.now()
    const answerBy = now + opening.intent.answerWithinMs
    const events: PaymentEvent[] = [
      ...opening.events,
      { type: "confirmed", intent: opening.intent, answerBy, owner, at: now },
    ]
    const base = opening.events[0]?.type === "created" ? opening.events[0].payment : known
    if (base === undefined) return { events: [] }
    ours = true
    const confirmed = events.reduce(evolve, base)
    const stored = {
      ...(opening.take === undefined ? {} : { take: opening.take }),
      ...(opening.card === undefined ? {} : { card: opening.card }),
    }
    if (started === undefined) {
      const decision = route(engine, confirmed, command.sourceAccount)
      decided = { payment: confirmed, sourceAccount: command.sourceAccount, record: decision.record }
      const [account, ...rest] = decision.candidates.flatMap((candidate) => engine.directory.account(candidate) ?? [])
      if (account === undefined) {
        events.push({
          type: "plan_over",
          failure: unroutable(decision.record),
          at: now,
        })
        return {
          events: [...events, ...consequences(events.reduce(evolve, base), now, newOperation(engine))],
          ...stored,
          ...answer(command.request),
        }
      }
      const { record, onUnknown } = decision
      started = {
        account,
        rest,
        record,
        onUnknown,
        retry: planOf(decision.retry),
        ...startAttempt(engine, confirmed, account, answerBy, record),
      }
    }
    return { events: [...events, started.event], ...stored }
  })
  if (changed.kind === "taken") return changed
  const { payment } = changed
  if (ours && decided !== undefined) engine.shadows.noticed(decided)
  const { answerBy } = payment.plan
  // Refused, or stored without an attempt: no account was eligible in the try that came through.
  if (!ours || started === undefined || answerBy === undefined || attemptOf(payment, started.attempt.id) === undefined)
    return ours ? answeredBy(engine, command.request, changed) : { kind: "payment", payment }
  const run: Run = {
    engine,
    merchant,
    id,
    secrets: command.secrets,
    request: command.request,
    answerBy,
    decision: started.record,
    onUnknown: started.onUnknown,
    retry: started.retry,
    rest: started.rest,
    payment,
    finishing: false,
    late: false,
    uncertain: false,
    cryptogramSpent: false,
    resumes: undefined,
  }
  return underDeadline(run, work(run, started))
}

type Started = ReturnType<typeof startAttempt> & {
  readonly account: Account
  readonly rest: readonly Account[]
  readonly record: DecisionRecord
  readonly onUnknown: OnUnknown | undefined
  readonly retry: RetryPlan
}

/** Why no attempt is made. */
function unroutable(record: DecisionRecord): Failure {
  const { declined, rule, policy } = record
  const reason = declined === undefined ? "no_eligible_account" : "declined_by_policy"
  const message =
    declined === undefined
      ? excludedText(record)
      : `Rule "${rule?.name}" of policy ${policy?.id} (version ${policy?.version}) declines it: ${declined.reason}`
  return { reason, raw: { code: reason, message } }
}

function excludedText({ excluded, rule, policy }: DecisionRecord): string {
  if (excluded.length > 0) return excluded.map(({ account, reason }) => `${account}: ${reason}`).join("; ")
  return policy !== undefined && rule === undefined
    ? `No rule of policy ${policy.id} (version ${policy.version}) matches this payment.`
    : "No account is configured for this payment."
}

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
      return settleAnswer(engine, run.request, run.payment)
    }
  }
  return run.uncertain ? settleAnswer(engine, run.request, run.payment) : { kind: "payment", payment: run.payment }
}
