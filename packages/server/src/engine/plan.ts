// One payment's plan, worked on by one process: attempt after attempt, each settled and the next one started in the same
// commit, until one stands, none may follow, or the outcome stays unknown and `recover` goes on.

import { continuationAfter } from "../core/continuation.ts"
import type { MerchantId, PaymentId } from "../core/id.ts"

import type { Outcome } from "../core/outcome.ts"
import { evolve } from "../core/evolve.ts"
import {
  attemptOf,
  operationOf,
  type Attempt,
  type Failure,
  type Operation,
  type Payment,
  type PaymentEvent,
} from "../core/payment.ts"

import { consequences, oweReversal, settle } from "../core/settlement.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import type { Transcript } from "../storage/ledger/ledger.ts"
import { authorization, authorizeInput, CardGone, startAttempt } from "./attempt.ts"
import { call, inquire, inquiryInput, type Called } from "./call.ts"
import { change, newOperation, type Change, type Request } from "./change.ts"
import { MAX_ATTEMPTS, type Account, type Engine, type Secrets } from "./engine.ts"
import { inquiryStrength, provenFrom, replayable, timesFor } from "./timing.ts"

/** One process working on one payment's plan. */
export type Run = {
  readonly engine: Engine
  readonly merchant: MerchantId
  readonly id: PaymentId
  readonly secrets: Secrets
  readonly request: Request | undefined
  readonly answerBy: number
  readonly decision: DecisionRecord
  /** Accounts not tried yet, in order. */
  rest: readonly Account[]
  payment: Payment
  /** The commit that carries the answer is under way. */
  finishing: boolean
  /** The answer was given before the plan was over. */
  late: boolean
  cryptogramSpent: boolean
}

export type Current = { readonly account: Account; readonly attempt: Attempt; readonly operation: Operation }

export async function work(run: Run, first: Current): Promise<void> {
  let current: Current | undefined = first
  for (let tried = 0; current !== undefined && tried < MAX_ATTEMPTS; tried++) current = await attempt(run, current)
}

/** One attempt to its end; the next one, already written ahead, if there is one. */
async function attempt(run: Run, current: Current): Promise<Current | undefined> {
  const { engine } = run
  const now = current.operation.kind === "prepare" ? await prepare(run, current) : current
  if (now === undefined || now.attempt.id !== current.attempt.id) return now
  const called = authorize(run, now)
  const patience = mayReroute(run, now.account)
    ? await withPatience(run, called, now.account.limits.answerMs)
    : await called
  if (patience === undefined) {
    // Still listening: what comes later is settled when it comes, the obligation stands either way.
    engine.background(called.then((late) => settleLate(run, now, late)))
    return conclude(
      run,
      now,
      {
        kind: "unknown",
        raw: { code: "no_answer", message: `No answer within ${now.account.limits.answerMs} ms.` },
        evidence: {},
      },
      [],
    )
  }
  return conclude(run, now, patience.outcome, [patience.transcript])
}

/** Makes the object whose id is known before money moves. It cannot charge: a failure here leads on at once. */
async function prepare(run: Run, current: Current): Promise<Current | undefined> {
  const { engine } = run
  const { account, attempt: tried, operation } = current
  const called = await invoke(run, current, "prepare")
  if (called.outcome.kind !== "approved" || called.outcome.evidence.reference === undefined) {
    const failed: Outcome =
      called.outcome.kind === "declined" || called.outcome.kind === "rejected" || called.outcome.kind === "not_sent"
        ? called.outcome
        : {
            kind: "rejected",
            fault: "theirs",
            executed: "no",
            reason: "provider_error",
            raw: called.outcome.raw,
            evidence: {},
          }
    return conclude(run, current, failed, [called.transcript])
  }
  const { outcome } = called
  const next = authorization(engine, run.payment, tried, account, run.answerBy, "authorize")
  const changed = await change(engine, run.merchant, run.id, run.payment, (known) => {
    if (known === undefined || operationOf(known, next.id) !== undefined) return { events: [] }
    const events = [
      ...settle(
        known,
        operation.id,
        outcome,
        timesFor(known, operation, account, outcome, engine.clock.now()),
        newOperation(engine),
      ),
    ]
    // Canceled meanwhile, or taken over: what was prepared is never confirmed.
    if (known.plan.state !== "running" || operationOf(known, operation.id)?.state !== "sent")
      return { events, transcripts: [called.transcript] }
    return {
      events: [...events, { type: "operation_sent", operation: next, at: next.createdAt }],
      transcripts: [called.transcript],
    }
  })
  if (changed.kind === "taken") return undefined
  run.payment = changed.payment
  const stored = operationOf(run.payment, next.id)
  const known = attemptOf(run.payment, tried.id)
  if (stored === undefined || known === undefined) return finish(run)
  return { account, attempt: known, operation: stored }
}

const CARD_GONE = "card_no_longer_kept"

const authorize = (run: Run, current: Current): Promise<Called> => invoke(run, current, "authorize")

async function invoke(
  run: Run,
  { account, attempt: tried, operation }: Current,
  kind: "prepare" | "authorize",
): Promise<Called> {
  const { engine } = run
  // What cannot charge is not waited for longer than a full answer takes.
  const bounds = {
    notAfter: operation.sendUntil ?? 0,
    totalMs: kind === "prepare" ? account.limits.answerMs : account.limits.listenMs,
  }
  try {
    const input = await authorizeInput(engine, run.payment, tried, operation, run.secrets)
    if (kind === "authorize" && run.secrets.cryptogram !== undefined) run.cryptogramSpent = true
    return await call(engine, account, operation, kind, input, bounds)
  } catch (error) {
    // Nothing was sent: encoding comes before the transport, and the transport never throws.
    const gone = error instanceof CardGone
    engine.log.error({ payment: run.id, account: account.id, error: String(error) }, "the attempt could not be sent")
    const outcome: Outcome = {
      kind: "rejected",
      fault: "ours",
      executed: "no",
      reason: "invalid_request",
      raw: { code: gone ? CARD_GONE : "encode_failed" },
      evidence: {},
    }
    return {
      outcome,
      transcript: {
        operation: operation.id,
        attempt: tried.id,
        account: account.id,
        at: engine.clock.now(),
        durationMs: 0,
        request: { method: "-", path: "-" },
        error: outcome.raw.code,
      },
    }
  }
}

const mayReroute = (run: Run, account: Account): boolean =>
  (run.payment.intent.onUnknown ?? account.onUnknown) === "reverse_then_reroute" &&
  run.payment.intent.initiator.by === "customer" &&
  canReverse(account) &&
  candidate(run) !== undefined

const canReverse = ({ connector: { codecs, manifest } }: Account): boolean =>
  codecs.reverse !== undefined &&
  (manifest.reverse.byAttempt ||
    codecs.prepare !== undefined ||
    manifest.operations.authorize?.inquiry.byAttempt !== "none")

function withPatience(run: Run, called: Promise<Called>, ms: number): Promise<Called | undefined> {
  let cancel = (): void => {}
  const over = new Promise<undefined>((resolve) => {
    cancel = run.engine.clock.after(ms, () => resolve(undefined))
  })
  return Promise.race([called, over]).finally(() => cancel())
}

/** The plan's decision as it stands for a later attempt: accounts before it were passed over for want of time. */
function decisionFor(run: Run, following: Account): DecisionRecord {
  const passed = run.rest.slice(0, run.rest.indexOf(following))
  return {
    ...run.decision,
    excluded: [...run.decision.excluded, ...passed.map(({ id }) => ({ account: id, reason: "no_time" as const }))],
  }
}

/** The next account with time for a full answer and all it needs. */
function candidate(run: Run): Account | undefined {
  const now = run.engine.clock.now()
  if (run.cryptogramSpent || run.payment.attempts.length >= MAX_ATTEMPTS) return undefined
  return run.rest.find(
    (account) =>
      now + account.limits.answerMs <= run.answerBy && run.engine.directory.account(account.id)?.state === "enabled",
  )
}

/** Settles an outcome of the current attempt and says what is next, in one commit. */
async function conclude(
  run: Run,
  current: Current,
  outcome: Outcome,
  transcripts: readonly Transcript[],
): Promise<Current | undefined> {
  const { engine } = run
  const { account, operation } = current
  const following = candidate(run)
  const started =
    following === undefined
      ? undefined
      : startAttempt(engine, run.payment, following, run.answerBy, decisionFor(run, following))
  let goesOn = false
  let resolves = false
  const changed = await change(engine, run.merchant, run.id, run.payment, (known): Change => {
    goesOn = false
    resolves = false
    if (known === undefined) return { events: [] }
    if (started !== undefined && attemptOf(known, started.attempt.id) !== undefined) {
      goesOn = true
      return { events: [] }
    }
    const now = engine.clock.now()
    const times = timesFor(known, operation, account, outcome, now)
    const settled = settle(
      known,
      operation.id,
      outcome,
      outcome.kind === "unknown" && now < run.answerBy ? { ...times, checkAt: run.answerBy } : times,
      newOperation(engine),
    )
    const after = settled.reduce(evolve, known)
    const attemptNow = attemptOf(after, current.attempt.id)
    if (after.plan.state !== "running") return over(run, settled, transcripts)
    if (attemptNow?.state === "open" && outcome.kind !== "pending") {
      if (started !== undefined && mayReroute(run, account)) {
        goesOn = true
        const owed = oweReversal(
          after,
          current.attempt.id,
          "its outcome is unknown and another account is tried",
          now,
          newOperation(engine),
        )
        return { events: [...settled, ...owed, { ...started.event, at: now }], transcripts }
      }
      resolves = true
      return { events: settled, transcripts }
    }
    if (attemptNow?.state === "open" || attemptNow?.state === "action")
      return over(run, withPlanOver(engine, known, settled, undefined), transcripts)
    const verdict = attemptNow?.outcome ?? outcome
    if (started !== undefined && continuationAfter(verdict).kind === "next") {
      goesOn = true
      return { events: [...settled, { ...started.event, at: now }], transcripts }
    }
    return over(run, withPlanOver(engine, known, settled, failureOf(verdict, current.attempt)), transcripts)
  })
  if (changed.kind === "taken") return undefined
  run.payment = changed.payment
  if (goesOn && started !== undefined && following !== undefined) {
    run.rest = run.rest.filter((a) => a.id !== following.id)
    return { account: following, attempt: started.attempt, operation: started.operation }
  }
  return resolves ? resolve(run, current) : undefined
}

function over(run: Run, events: readonly PaymentEvent[], transcripts: readonly Transcript[]): Change {
  run.finishing = !run.late
  return { events, transcripts, ...(run.late ? {} : answer(run.request)) }
}

export const answer = (request: Request | undefined): { readonly answer?: Request } =>
  request === undefined ? {} : { answer: request }

function withPlanOver(
  engine: Engine,
  payment: Payment,
  events: readonly PaymentEvent[],
  failure: Failure | undefined,
): readonly PaymentEvent[] {
  const now = engine.clock.now()
  const ended: PaymentEvent[] = [
    ...events,
    { type: "plan_over", at: now, ...(failure === undefined ? {} : { failure }) },
  ]
  return [...ended, ...consequences(ended.reduce(evolve, payment), now, newOperation(engine))]
}

function failureOf(outcome: Outcome, { id }: Attempt): Failure {
  const failed = (reason: Failure["reason"]): Failure => ({ reason, raw: outcome.raw, attempt: id })
  switch (outcome.kind) {
    case "declined":
      return failed(outcome.reason)
    case "rejected":
      return failed(outcome.raw.code === CARD_GONE ? "card_no_longer_kept" : outcome.reason)
    case "not_sent":
      return failed("provider_unreachable")
    case "absent":
      return failed("never_arrived")
    case "approved":
    case "pending":
    case "action":
    case "unknown":
      return failed("interrupted")
    default:
      return outcome satisfies never
  }
}

/** Ends the plan as it stands and gives the answer. */
async function finish(run: Run): Promise<undefined> {
  const { engine } = run
  const changed = await change(engine, run.merchant, run.id, run.payment, (known): Change => {
    if (known === undefined) return { events: [] }
    const events =
      known.plan.state === "running"
        ? withPlanOver(engine, known, releaseUnknowns(known, engine.clock.now()), undefined)
        : []
    return over(run, events, [])
  })
  if (changed.kind === "changed") run.payment = changed.payment
  return undefined
}

/** What the owner could not resolve is for `recover` from now on. */
const releaseUnknowns = (payment: Payment, now: number): readonly PaymentEvent[] =>
  payment.operations
    .filter((o) => o.state === "unknown" && (o.checkAt ?? 0) > now)
    .map((o) => ({ type: "operation_rescheduled", operation: o.id, checkAt: now, at: now }))

/** Copies of one request under one key, the first included. */
export const MAX_COPIES = 3
/** Waits between questions while the merchant waits (ms). */
const RESOLVE_DELAYS_MS: readonly number[] = [250, 500, 1_000, 2_000, 4_000, 8_000]

/**
 * The outcome is unknown and the merchant still waits: ask again, in the ways that cannot charge twice. A copy under the
 * same key is a charge, not a question, so only where the provider repeats all its answers, and only from here, where
 * the identical request still is.
 */
async function resolve(run: Run, current: Current): Promise<Current | undefined> {
  const { engine } = run
  const { account, operation } = current
  let copies = 1
  for (const delay of RESOLVE_DELAYS_MS) {
    if (engine.clock.now() + delay >= run.answerBy) break
    await engine.clock.sleep(delay)
    const now = engine.clock.now()
    const known = attemptOf(run.payment, current.attempt.id) ?? current.attempt
    const totalMs = Math.max(1, run.answerBy - now)
    let called: Called
    if (
      copies < MAX_COPIES &&
      replayable(account, operation, now) &&
      now < (operation.sendUntil ?? 0) &&
      !run.cryptogramSpent
    ) {
      copies += 1
      called = await call(
        engine,
        account,
        operation,
        "authorize",
        await authorizeInput(engine, run.payment, known, operation, run.secrets),
        { notAfter: operation.sendUntil ?? 0, totalMs },
      )
    } else {
      const strength = inquiryStrength(account, operation, known)
      if (strength === "none") continue
      called = await inquire(engine, account, operation, inquiryInput(run.payment, operation, known.reference), {
        notAfter: run.answerBy,
        totalMs,
      })
      if (called.outcome.kind === "absent" && now < provenFrom(run.payment, operation, account, strength)) continue
    }
    const { kind } = called.outcome
    // A copy that did not leave, or was turned away, says nothing about the first.
    if (kind === "unknown" || kind === "not_sent" || kind === "rejected") continue
    return conclude(run, current, called.outcome, [called.transcript])
  }
  return finish(run)
}

/** The answer to a request that we had stopped waiting for. */
async function settleLate(run: Run, { account, operation }: Current, called: Called): Promise<void> {
  const { engine } = run
  await change(engine, run.merchant, run.id, run.payment, (known) => {
    if (known === undefined) return { events: [] }
    const now = engine.clock.now()
    return {
      events: settle(
        known,
        operation.id,
        called.outcome,
        timesFor(known, operation, account, called.outcome, now),
        newOperation(engine),
      ),
      transcripts: [called.transcript],
    }
  })
}
