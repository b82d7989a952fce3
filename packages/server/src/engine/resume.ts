// A plan that waited for hours or days goes on: payments of the merchant alone, whose retry plan has such delays. The wait is
// a row with a time like everything that has to happen later (docs/decisions/0003-due-rows.md), so `recover` comes here. All is
// asked anew: the policy, whether the account still takes the payment, and what the schemes have left for the card.

import { authorizes, type Payment } from "../core/payment.ts"
import { failureOf } from "../core/settlement.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import { planOf } from "../routing/retry-plan.ts"
import { route } from "./attempt.ts"
import type { Engine } from "./engine.ts"
import { conclude, work } from "./plan.ts"
import { decideAnew } from "./reconsider.ts"
import type { Run } from "./run.ts"

export const isDue = ({ plan: { state, waits } }: Payment, now: number): boolean =>
  state === "waiting" && waits !== undefined && waits.until <= now

/** Starts the attempt that was waited for, and works on in the background; or ends the plan with the reason why not. */
export async function resume(engine: Engine, payment: Payment): Promise<Payment> {
  const { waits } = payment.plan
  const attempt = payment.attempts.at(-1)
  const operation = payment.operations.findLast((o) => o.attempt === attempt?.id && authorizes(o))
  if (waits === undefined || attempt?.outcome === undefined) return payment
  const now = engine.clock.now()
  const account = engine.directory.account(attempt.account) ?? engine.directory.account(waits.account)
  if (account === undefined || operation === undefined)
    return decideAnew(engine, payment, (known) =>
      known.plan.state === "waiting"
        ? [{ type: "plan_over", failure: failureOf(attempt, attempt.outcome), at: now }]
        : [],
    )
  const { record, candidates, onUnknown, retry } = route(engine, payment, sourceOf(attempt.decision))
  const run: Run = {
    engine,
    merchant: payment.merchant,
    id: payment.id,
    secrets: {},
    request: undefined,
    answerBy: now + payment.intent.answerWithinMs,
    decision: record,
    onUnknown,
    retry: planOf(retry),
    rest: candidates.flatMap((id) =>
      payment.attempts.some((tried) => tried.account === id) ? [] : (engine.directory.account(id) ?? []),
    ),
    payment,
    finishing: false,
    // Its request was answered when the wait began.
    late: true,
    uncertain: false,
    cryptogramSpent: false,
    resumes: engine.node,
  }
  const started = await conclude(run, { account, attempt, operation }, attempt.outcome, [], waits)
  if (started !== undefined) engine.background(work(run, started))
  return run.payment
}

/** Where the stored card's first payment was made, which only decisions know. */
const sourceOf = (decision: unknown) => (decision as DecisionRecord).inputs.context.sourceAccount
