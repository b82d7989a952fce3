// What may follow an attempt of a run: the question that routing answers (routing/retry-following.ts), put together from the
// payment, the accounts and the card's budget, and its answer as it is stored. The budget is read only for an attempt that
// nothing else stands against; a payment that is approved, or declined for good, never asks for it.

import { takesNetworkTransactionId } from "../connectors/connector.ts"
import { budgetKeyOf } from "../core/card-attempt.ts"
import { cardRegionOf, crossingOf } from "../core/card-region.ts"
import { cardAttemptOf } from "../core/card-attempt.ts"
import { parseCountry, type Country } from "../core/country.ts"
import { MAX_PASSED_OVER, MAX_WHY, type Follows, type Stopped } from "../core/following.ts"
import { given } from "../core/given.ts"
import type { AccountId, AttemptId } from "../core/id.ts"
import { rfc3339 } from "../core/instant.ts"
import type { Outcome } from "../core/outcome.ts"
import { attemptOf, type Attempt, type Payment } from "../core/payment.ts"
import { budgetOf, evolve, type CardBudget, type NextAttempt } from "../routing/retry-budget.ts"
import { whatMayFollow, type Following, type PassedOver, type RetrySituation } from "../routing/retry-following.ts"
import { MAX_DELAY_SECONDS, type RetryPlan } from "../routing/retry-plan.ts"
import type { RetriedPayment, RetryTarget } from "../routing/retry-target.ts"
import { persist } from "./change.ts"
import type { Account } from "./engine.ts"
import { open, type Run } from "./run.ts"

/** The card's, as it was read before the last attempt's outcome was stored; none where no scheme counts. */
export type Read = { readonly budget: CardBudget | undefined } | "unread" | "unreadable"

/** A retry whose wait is over. */
export type Waited = { readonly step: string; readonly account: AccountId }

export type Question = {
  /** The payment with the attempt's verdict in it. */
  readonly payment: Payment
  readonly attempt: Attempt
  readonly account: Account
  readonly outcome: Outcome
  /** Its reversal is stored with what follows. */
  readonly reversed?: true
  readonly waited?: Waited | undefined
  readonly read: Read
  readonly now: number
}

/** `unread`: an attempt may follow as far as is known without the budget, which has to be read now. */
export function judge(run: Run, question: Question): Following | "unread" {
  const { read } = question
  const without = whatMayFollow(situationOf(run, question))
  if (without.kind === "stop" || budgetKeyOf(question.payment) === undefined) return without
  if (read === "unread") return read
  if (read === "unreadable")
    return { kind: "stop", why: "what the schemes allow for the card could not be read", passedOver: [] }
  const { budget } = read
  return budget === undefined
    ? without
    : whatMayFollow({ ...situationOf(run, question), budget: told(budget, question) })
}

/** Whether only the state of the accounts, or the time, stands against another attempt. */
export function isHindered(run: Run, question: Question): boolean {
  const all = run.rest.map((account) => targetOf(account, false))
  const situation = { ...situationOf(run, question), targets: all, until: Number.POSITIVE_INFINITY }
  return whatMayFollow(situation).kind === "retry"
}

/** How long a budget is tried to be read (ms): another attempt needs the rest of the answer's time. */
const BUDGET_PATIENCE_MS = 2_000

/** The budget of the payment's card. What was not read is never taken for empty. */
export async function readBudget({ engine, payment }: Run): Promise<Read> {
  const key = budgetKeyOf(payment)
  if (key === undefined) return { budget: undefined }
  try {
    const rows = await persist(engine, engine.clock.now() + BUDGET_PATIENCE_MS, () => engine.ledger.cardAttempts(key))
    return { budget: budgetOf(key.network, rows) }
  } catch (error) {
    engine.log.warn({ payment: payment.id, error: String(error) }, "a card's attempts could not be read")
    return "unreadable"
  }
}

/** With the attempt itself, whose outcome is about to be stored. */
function told(budget: CardBudget, { payment, attempt }: Question): CardBudget {
  const known = attemptOf(payment, attempt.id) ?? attempt
  const row = cardAttemptOf(payment, known)
  return row === undefined ? budget : evolve(budget, row)
}

function situationOf(run: Run, question: Question): RetrySituation {
  const { payment, attempt, account, outcome, reversed, waited, now } = question
  const targets = open(run).map((one) => targetOf(one.account, one.tried))
  const situation: RetrySituation = given({
    plan: run.retry,
    payment: retried(payment, attempt, account),
    last: given({
      account: attempt.account,
      provider: attempt.connector,
      at: attempt.startedAt,
      outcome,
      reversed,
    }),
    taken: taken(payment),
    targets,
    errorRates: run.engine.errorRates.observed(payment.mode, windowsOf(run.retry)),
    // Nothing is weighed: what an attempt costs and brings is not known yet (routing/retry-value.ts).
    stakes: {},
    now,
    until: run.answerBy,
    waitUntil: mayWait(payment) ? now + MAX_DELAY_SECONDS * 1000 : undefined,
  })
  return waited === undefined ? situation : afterItsWait(situation, waited)
}

/** The one step that was waited for, at the account that it was planned for, at once. */
const afterItsWait = (
  { waitUntil: _waitUntil, ...situation }: RetrySituation,
  { step, account }: Waited,
): RetrySituation => ({
  ...situation,
  plan: {
    ...situation.plan,
    steps: situation.plan.steps.filter(({ name }) => name === step).map((one) => ({ ...one, delaySeconds: [] })),
  },
  targets: situation.targets
    .filter((target) => target.account === account)
    .map(({ tried: _tried, ...target }) => target),
})

const windowsOf = ({ steps }: RetryPlan): readonly number[] => [
  ...new Set(
    steps.flatMap(({ onlyAbove, avoidAbove }) =>
      [onlyAbove, avoidAbove].flatMap((rate) => (rate === undefined ? [] : [rate.windowSeconds])),
    ),
  ),
]

/** How often each step was taken. */
function taken({ attempts }: Payment): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { follows } of attempts) if (follows !== undefined) counts[follows.step] = (counts[follows.step] ?? 0) + 1
  return counts
}

function targetOf({ id, connector: { manifest }, config, limits }: Account, tried: boolean): RetryTarget {
  return {
    account: id,
    provider: manifest.id,
    ...(tried ? { tried } : {}),
    answerMs: limits.answerMs,
    card: manifest.methods.card,
    networkToken: manifest.methods.networkToken,
    // Every connector can ask for 3-D Secure, and sends a descriptor.
    threeDs: true,
    descriptor: true,
    merchantInitiated: manifest.features.merchantInitiated && takesNetworkTransactionId(manifest, config.settings),
  }
}

function retried(payment: Payment, attempt: Attempt, account: Account): RetriedPayment {
  const { initiator } = payment.intent
  const method = payment.intent.method?.type ?? "card"
  const isAgreed = initiator.by === "merchant" || initiator.stored === "used"
  return {
    ...schemeFacts(payment, account.country),
    method,
    credentials: method === "provider_token" ? [] : [method],
    updatedAccount: false,
    challenged: payment.operations.some((o) => o.attempt === attempt.id && o.kind === "complete"),
    customerPresent: initiator.by === "customer",
    storedAgreement: isAgreed && initiator.networkTransactionId !== undefined,
  }
}

/** What the schemes' rules ask of a payment, whatever was tried before. */
export function schemeFacts({ intent }: Payment, country: Country | undefined): Omit<NextAttempt, "last"> {
  const { method, amount, initiator } = intent
  const issued = method === undefined || method.type === "provider_token" ? undefined : method.country
  return {
    // Where nobody says where the merchant is, the rules that hold everywhere.
    region: country === undefined ? "elsewhere" : cardRegionOf(country),
    crossing: crossingOf(issued === undefined ? undefined : parseCountry(issued), country),
    amount,
    initiator: initiator.by,
  }
}

/** Whether the payment may wait for hours or days: the customer is gone, and all that its attempts need is stored. */
export function mayWait({ intent: { initiator, method, threeDs } }: Payment): boolean {
  if (initiator.by !== "merchant" || method === undefined || threeDs.mode === "external") return false
  if (method.hasCvc === true) return false
  return method.type !== "network_token" || method.hasCryptogram !== true
}

type Retry = Extract<Following, { kind: "retry" }>
type Stop = Extract<Following, { kind: "stop" }>

export function followsOf(retry: Retry, after: AttemptId, at: number): Follows {
  const { step, verdict } = retry
  return given({
    ...recordOf(retry.passedOver, verdict, after, at),
    step,
    rule: verdict?.rule,
    predictedFee: verdict?.predictedFee,
  })
}

export const stoppedOf = ({ why, passedOver }: Stop, after: AttemptId, at: number): Stopped => ({
  ...recordOf(passedOver, passedOver.findLast(({ verdict }) => verdict !== undefined)?.verdict, after, at),
  why: short(why),
})

/** Why an attempt of unknown outcome is not followed beside its reversal: at once, or not at all. */
export const rerouteRefused = (following: Following, after: AttemptId, at: number): Stopped =>
  stoppedOf(
    following.kind === "stop"
      ? following
      : {
          kind: "stop",
          why: `another account could be tried at ${rfc3339(following.at)} only, and an unknown outcome waits for no retry`,
          passedOver: following.passedOver,
        },
    after,
    at,
  )

function recordOf(
  passedOver: readonly PassedOver[],
  verdict: PassedOver["verdict"],
  after: AttemptId,
  at: number,
): Omit<Stopped, "why"> {
  const omitted = passedOver.length - MAX_PASSED_OVER
  return given({
    after,
    at,
    limits: (verdict?.limits ?? []).map(({ rule, used, limit, nextFreeAt }) =>
      given({ rule, used, limit, nextFreeAt }),
    ),
    passedOver: passedOver
      .slice(0, MAX_PASSED_OVER)
      .map(({ step, account, why, verdict: said }) =>
        given({ step, account, why: short(why), rule: said?.rule, predictedFee: said?.predictedFee }),
      ),
    omitted: omitted > 0 ? omitted : undefined,
  })
}

const short = (text: string): string => (text.length <= MAX_WHY ? text : `${text.slice(0, MAX_WHY - 1)}…`)
