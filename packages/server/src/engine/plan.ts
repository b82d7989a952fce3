// One payment's plan, worked on by one process: attempt after attempt, each settled and the next one started in the same
// commit, until one stands, none may follow (following.ts), or the outcome stays unknown and `recover` goes on.

import assert from "node:assert/strict"
import type { AuthorizeInput } from "../connectors/connector.ts"
import { evolve } from "../core/evolve.ts"
import type { Stopped } from "../core/following.ts"
import type { AccountId } from "../core/id.ts"
import type { Outcome } from "../core/outcome.ts"
import {
  attemptOf,
  operationOf,
  type Attempt,
  type Failure,
  type Operation,
  type Payment,
  type PaymentEvent,
  type Skipped,
} from "../core/payment.ts"
import { consequences, failureOf, oweReversal, settle } from "../core/settlement.ts"
import type { Following } from "../routing/retry-following.ts"
import type { Transcript } from "../storage/ledger/ledger.ts"
import { authorization, authorizeInput, MethodGone, startAttempt } from "./attempt.ts"
import { call, inquire, inquiryInput, unmade, type Called } from "./call.ts"
import { change, newOperation, type Change, type Request } from "./change.ts"
import { MAX_ATTEMPTS, type Account, type Engine } from "./engine.ts"
import {
  followsOf,
  isHindered,
  judge,
  readBudget,
  rerouteRefused,
  stoppedOf,
  type Question,
  type Read,
  type Waited,
} from "./following.ts"
import { decisionFor, hasCandidate, skippedOf, type Current, type Run } from "./run.ts"
import { inquiryStrength, provenFrom, replayable, timesFor } from "./timing.ts"

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
    // Whatever came of it, it cannot charge.
    const failed: Outcome =
      called.outcome.kind === "declined" || called.outcome.kind === "not_sent"
        ? called.outcome
        : {
            kind: "rejected",
            fault: "theirs",
            reason: "provider_error",
            ...(called.outcome.kind === "rejected" ? called.outcome : { raw: called.outcome.raw }),
            executed: "no",
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
  const input = await inputFor(run, account, tried, operation)
  if ("outcome" in input) return input
  const spends = kind === "authorize" && run.secrets.cryptogram !== undefined
  run.cryptogramSpent ||= spends
  const called = await call(engine, account, operation, kind, input, bounds)
  // It never left: the cryptogram is as good as before.
  if (spends && called.transcript.response === undefined && !mayHaveLeft(called)) run.cryptogramSpent = false
  return called
}

const mayHaveLeft = ({ outcome }: Called): boolean =>
  outcome.kind !== "not_sent" && !(outcome.kind === "rejected" && outcome.raw.code === "encode_failed")

/** What the connector is told, or the outcome of an attempt that cannot even be made: nothing has left. */
async function inputFor(
  { engine, id, payment, secrets }: Run,
  account: Account,
  tried: Attempt,
  operation: Operation,
): Promise<AuthorizeInput | Called> {
  try {
    return await authorizeInput(engine, payment, tried, operation, secrets)
  } catch (error) {
    engine.log.error({ payment: id, account: account.id, error: String(error) }, "the attempt could not be made")
    return unmade(
      account,
      operation,
      engine.clock.now(),
      error instanceof MethodGone
        ? { code: error.code, message: error.message }
        : { code: "input_failed", message: "The card could not be read; nothing was sent." },
    )
  }
}

const mayReroute = (run: Run, account: Account): boolean =>
  (run.payment.intent.onUnknown ?? run.onUnknown ?? account.onUnknown) === "reverse_then_reroute" &&
  run.payment.intent.initiator.by === "customer" &&
  canReverse(account) &&
  hasCandidate(run)

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

type Started = Current & { readonly event: PaymentEvent }

/** What a commit of `conclude` leads to. */
type Next =
  | { readonly kind: "nothing" | "unread" }
  /** `stopped`: why it does not go elsewhere beside a reversal, where that was asked for. */
  | { readonly kind: "resolve"; readonly stopped?: Stopped }
  | { readonly kind: "start"; readonly started: Started }
  | { readonly kind: "wait"; readonly until: number; readonly waited: Waited }

/**
 * Settles an outcome of the current attempt and says what is next, in one commit. `waited`: it was settled before, and the
 * retry that was planned then is due.
 */
export async function conclude(
  run: Run,
  current: Current,
  outcome: Outcome,
  transcripts: readonly Transcript[],
  waited?: Waited,
): Promise<Current | undefined> {
  const { engine } = run
  const begun: Started[] = []
  let read: Read = "unread"
  for (;;) {
    const said: { next: Next } = { next: { kind: "nothing" } }
    const changed = await change(engine, run.merchant, run.id, run.payment, (known): Change => {
      const decided = decideNext(run, current, outcome, known, { transcripts, waited, read, begun })
      said.next = decided.next
      return decided.change
    })
    if (changed.kind === "taken") return undefined
    run.payment = changed.payment
    run.uncertain ||= changed.uncertain
    const { next } = said
    if (next.kind !== "unread") run.resumes = undefined
    switch (next.kind) {
      case "unread":
        read = await readBudget(run)
        continue
      case "start":
        run.rest = run.rest.filter((a) => a.id !== next.started.account.id)
        return next.started
      case "resolve":
        return resolve(run, current, next.stopped)
      case "wait":
        await engine.clock.sleep(Math.max(0, next.until - engine.clock.now()))
        return conclude(run, current, outcome, [], next.waited)
      case "nothing":
        return undefined
      default:
        return next satisfies never
    }
  }
}

type Concluding = {
  readonly transcripts: readonly Transcript[]
  readonly waited: Waited | undefined
  readonly read: Read
  /** By the tries of this commit: one of unknown fate may still arrive, so an account's attempt is always the same one. */
  readonly begun: Started[]
}

function decideNext(
  run: Run,
  current: Current,
  outcome: Outcome,
  known: Payment | undefined,
  { transcripts, waited, read, begun }: Concluding,
): { readonly change: Change; readonly next: Next } {
  const { engine } = run
  const { account } = current
  const only = (change: Change): { readonly change: Change; readonly next: Next } => ({
    change,
    next: { kind: "nothing" },
  })
  if (known === undefined) return only({ events: [] })
  const there = begun.find(({ attempt }) => attemptOf(known, attempt.id) !== undefined)
  if (there !== undefined) return { change: { events: [] }, next: { kind: "start", started: there } }
  const now = engine.clock.now()
  // Somebody else went on with it, or it has ended.
  if (run.resumes !== undefined && known.plan.state !== "waiting") return only({ events: [] })
  const settled = waited === undefined ? settling(run, current, outcome, known, now) : resuming(run, now)
  const after = settled.reduce(evolve, known)
  const attemptNow = attemptOf(after, current.attempt.id)
  if (after.plan.state !== "running") return only(over(run, settled, transcripts))
  const question = (verdict: Outcome): Question => {
    const { attempt } = current
    return { payment: after, attempt, account, outcome: verdict, waited, read, now }
  }
  const unread = { change: { events: [] }, next: { kind: "unread" } } as const
  const start = (retry: Retry, owed: readonly PaymentEvent[] = []) => {
    const started = begin(run, retry, current.attempt, now, begun)
    return {
      change: { events: [...settled, ...owed, { ...started.event, at: now }], transcripts },
      next: { kind: "start", started },
    } as const
  }
  if (attemptNow?.state === "open" && outcome.kind !== "pending") {
    const following = mayReroute(run, account) ? judge(run, { ...question(outcome), reversed: true }) : undefined
    if (following === "unread") return unread
    if (following?.kind === "retry" && following.at <= now) {
      const why = "its outcome is unknown and another account is tried"
      return start(following, oweReversal(after, current.attempt.id, why, now, newOperation(engine)))
    }
    const stopped = following === undefined ? {} : { stopped: rerouteRefused(following, current.attempt.id, now) }
    return { change: { events: settled, transcripts }, next: { kind: "resolve", ...stopped } }
  }
  if (attemptNow?.state === "open" || attemptNow?.state === "action")
    return only(over(run, withPlanOver(engine, known, settled, {}), transcripts))
  const verdict = attemptNow?.outcome ?? outcome
  const following = judge(run, question(verdict))
  if (following === "unread") return unread
  if (following.kind === "retry") {
    const { at, step, account: id } = following
    if (at <= now) return start(following)
    if (at <= lastStart(run, id)) {
      const next = { kind: "wait", until: at, waited: { step, account: id } } as const
      return { change: { events: settled, transcripts }, next }
    }
    const until = at + spread(at - now, engine.chance.random())
    const waits: PaymentEvent = { type: "plan_waits", waits: { until, step, account: id }, at: now }
    return only(over(run, [...settled, waits], transcripts))
  }
  const skipped =
    waited !== undefined ? exclusionOf(run, waited) : isHindered(run, question(verdict)) ? skippedOf(run) : []
  const end = {
    failure: failureOf(attemptNow ?? current.attempt, verdict),
    skipped,
    stopped: stoppedOf(following, current.attempt.id, now),
  }
  return only(over(run, withPlanOver(engine, known, settled, end), transcripts))
}

/** Retries for another day that were planned together do not come together: up to so much later, of the wait and at most (ms). */
const WAIT_SPREAD = 0.05
const MAX_WAIT_SPREAD_MS = 3_600_000
const spread = (waitMs: number, random: number): number =>
  Math.round(Math.min(waitMs * WAIT_SPREAD, MAX_WAIT_SPREAD_MS) * random)

function settling(
  { engine, answerBy }: Run,
  { account, operation }: Current,
  outcome: Outcome,
  known: Payment,
  now: number,
): readonly PaymentEvent[] {
  const times = timesFor(known, operation, account, outcome, now)
  const patient = outcome.kind === "unknown" && now < answerBy ? { ...times, checkAt: answerBy } : times
  return settle(known, operation.id, outcome, patient, newOperation(engine))
}

/** What was waited for was settled before. */
const resuming = ({ resumes, answerBy }: Run, now: number): readonly PaymentEvent[] =>
  resumes === undefined ? [] : [{ type: "plan_resumed", answerBy, owner: resumes, at: now }]

/** The last moment at which an attempt at the account can start with time for its answer. */
function lastStart({ engine, answerBy }: Run, id: AccountId): number {
  const account = engine.directory.account(id)
  return account === undefined ? Number.NEGATIVE_INFINITY : answerBy - account.limits.answerMs
}

/** Why the account that was waited for takes the payment no more, if routing says so. */
const exclusionOf = ({ decision }: Run, { account }: Waited): readonly Skipped[] =>
  decision.excluded.filter((excluded) => excluded.account === account)

type Retry = Extract<Following, { kind: "retry" }>

/** The attempt that follows, of the account that was chosen for it. */
function begin(run: Run, retry: Retry, after: Attempt, now: number, begun: Started[]): Started {
  const before = begun.find(({ account }) => account.id === retry.account)
  if (before !== undefined) return before
  const { engine, payment, answerBy } = run
  const account = engine.directory.account(retry.account)
  assert(account !== undefined, "an attempt goes to an account that there is")
  const shape = Object.keys(retry.shape).length === 0 ? {} : { shape: retry.shape }
  const started = startAttempt(engine, payment, account, answerBy, decisionFor(run, retry.account), {
    ...shape,
    follows: followsOf(retry, after.id, now),
  })
  begun.push({ account, ...started })
  return { account, ...started }
}

function over(run: Run, events: readonly PaymentEvent[], transcripts: readonly Transcript[]): Change {
  run.finishing = !run.late
  return { events, transcripts, ...(run.late ? {} : answer(run.request)) }
}

export const answer = (request: Request | undefined): { readonly answer?: Request } =>
  request === undefined ? {} : { answer: request }

type End = { readonly failure?: Failure; readonly skipped?: readonly Skipped[]; readonly stopped?: Stopped }

function withPlanOver(
  engine: Engine,
  payment: Payment,
  events: readonly PaymentEvent[],
  { failure, skipped = [], stopped }: End,
): readonly PaymentEvent[] {
  const now = engine.clock.now()
  const ended: PaymentEvent[] = [
    ...events,
    {
      type: "plan_over",
      at: now,
      ...(failure === undefined ? {} : { failure }),
      ...(skipped.length === 0 ? {} : { skipped }),
      ...(stopped === undefined ? {} : { stopped }),
    },
  ]
  return [...ended, ...consequences(ended.reduce(evolve, payment), now, newOperation(engine))]
}

/** Ends the plan as it stands and gives the answer. */
async function finish(run: Run, transcripts: readonly Transcript[] = [], end: End = {}): Promise<undefined> {
  const { engine } = run
  const changed = await change(engine, run.merchant, run.id, run.payment, (known): Change => {
    if (known === undefined) return { events: [] }
    const events =
      known.plan.state === "running" ? withPlanOver(engine, known, releaseUnknowns(known, engine.clock.now()), end) : []
    return over(run, events, transcripts)
  })
  if (changed.kind === "taken") return undefined
  run.payment = changed.payment
  run.uncertain ||= changed.uncertain
  return undefined
}

/** What the owner could not resolve is for `recover` from now on. */
const releaseUnknowns = (payment: Payment, now: number): readonly PaymentEvent[] =>
  payment.operations
    .filter((o) => o.state === "unknown" && (o.checkAt ?? 0) > now)
    .map((o) => ({ type: "operation_rescheduled", operation: o.id, checkAt: now, unlooked: true, at: now }))

/** Copies of one request under one key, the first included. */
export const MAX_COPIES = 3
/** Waits between questions while the merchant waits (ms). */
const RESOLVE_DELAYS_MS: readonly number[] = [250, 500, 1_000, 2_000, 4_000, 8_000]

/**
 * The outcome is unknown and the merchant still waits: ask again, in the ways that cannot charge twice. A copy under the
 * same key is a charge, not a question, so only where the provider repeats all its answers, and only from here, where
 * the identical request still is.
 */
async function resolve(run: Run, current: Current, stopped?: Stopped): Promise<Current | undefined> {
  const { engine } = run
  const { account, operation } = current
  const silent: Transcript[] = []
  let copies = 1
  for (const delay of RESOLVE_DELAYS_MS) {
    if (engine.clock.now() + delay >= run.answerBy) break
    await engine.clock.sleep(delay)
    const now = engine.clock.now()
    const known = attemptOf(run.payment, current.attempt.id) ?? current.attempt
    const totalMs = Math.max(1, run.answerBy - now)
    const copying =
      copies < MAX_COPIES &&
      replayable(account, operation, now) &&
      now < (operation.sendUntil ?? 0) &&
      !run.cryptogramSpent
    const input = copying ? await inputFor(run, account, known, operation) : undefined
    let called: Called
    if (input !== undefined && !("outcome" in input)) {
      copies += 1
      called = await call(engine, account, operation, "authorize", input, {
        notAfter: operation.sendUntil ?? 0,
        totalMs,
      })
    } else {
      const strength = inquiryStrength(account, operation, known)
      if (strength === "none") continue
      called = await inquire(engine, account, operation, inquiryInput(run.payment, operation, known.reference), {
        notAfter: run.answerBy,
        totalMs,
      })
      if (called.outcome.kind === "absent" && now < provenFrom(run.payment, operation, account, strength)) {
        silent.push(called.transcript)
        continue
      }
    }
    const { kind } = called.outcome
    // A copy that did not leave, or was turned away, says nothing about the first.
    if (kind === "unknown" || kind === "not_sent" || kind === "rejected") silent.push(called.transcript)
    else return conclude(run, current, called.outcome, [...silent, called.transcript])
  }
  // A webhook may have brought the verdict meanwhile.
  const stored = await engine.ledger.load(run.merchant, run.id).catch(() => undefined)
  const verdict = stored === undefined ? undefined : attemptOf(stored, current.attempt.id)
  if (stored === undefined || verdict?.outcome === undefined || verdict.state === "open")
    return finish(run, silent, stopped === undefined ? {} : { stopped })
  run.payment = stored
  return conclude(run, current, verdict.outcome, silent)
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
