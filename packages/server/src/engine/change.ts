// The one way in which a payment changes: decide on what is stored, commit against its version, and on a conflict read
// again and decide again. A commit whose fate is unknown (the database went away) is treated like a conflict: decisions
// are idempotent on their own result, so deciding again on what is stored then is safe.

import assert from "node:assert/strict"
import { announce } from "../core/announcement.ts"
import { budgetKeyOf, cardAttemptsOf } from "../core/card-attempt.ts"
import { newViolation } from "../core/invariant.ts"
import { makeId, type MerchantId, type PaymentId } from "../core/id.ts"
import { evolve } from "../core/evolve.ts"
import { needsPerson, wakeAt, type Payment, type PaymentEvent } from "../core/payment.ts"
import type { NewOperation } from "../core/settlement.ts"
import type {
  Commit,
  IdempotencyRow,
  IdempotencyScope,
  SealedCard,
  StoredResponse,
  Transcript,
} from "../storage/ledger/ledger.ts"
import type { Engine } from "./engine.ts"

/** A merchant's request as idempotency sees it. `render` makes the answer that is stored and replayed. */
export type Request = {
  readonly row: Omit<IdempotencyRow, "payment" | "leaseUntil">
  readonly leaseMs: number
  render(payment: Payment): StoredResponse
}

export type Change = {
  readonly events: readonly PaymentEvent[]
  /** Take the request's key with this commit. */
  readonly take?: Request
  /** Store the request's answer with this commit. */
  readonly answer?: Request
  readonly card?: SealedCard
  readonly transcripts?: readonly Transcript[]
}

export type Changed =
  /** `uncertain`: a commit's fate was unknown, so that an answer may be stored that was rendered then. */
  | { readonly kind: "changed"; readonly payment: Payment; readonly uncertain: boolean }
  | { readonly kind: "taken"; readonly row: IdempotencyRow }

/** Times a change is decided anew before we give up: only a payment under constant attack reaches it. */
export const MAX_CONFLICTS = 40
/** Commits whose fate is unknown are tried again this often, a little later each time. */
export const MAX_STORE_FAILURES = 8
const STORE_RETRY_MS = 100
/**
 * How long a payment that is not stored yet waits for the database: its caller waits, nothing has been sent, and a
 * replay of the key finds it should the commit have happened after all. A stored payment waits through every retry.
 */
export const FIRST_COMMIT_PATIENCE_MS = 10_000

/** `from` undefined: the payment is not stored yet and the first decision creates it. */
export async function change(
  engine: Engine,
  merchant: MerchantId,
  id: PaymentId,
  from: Payment | undefined,
  decide: (payment: Payment | undefined) => Change,
): Promise<Changed> {
  let before = from
  let failures = 0
  const until = from === undefined ? engine.clock.now() + FIRST_COMMIT_PATIENCE_MS : Infinity
  let foundTaken = false
  for (let tries = 0; tries < MAX_CONFLICTS; tries++) {
    const decided = decide(before)
    const nothing = decided.events.length === 0 && (decided.transcripts?.length ?? 0) === 0
    if (nothing && (decided.answer === undefined || failures > 0)) {
      assert(before !== undefined, "a payment that does not exist cannot stay as it is")
      return { kind: "changed", payment: before, uncertain: failures > 0 }
    }
    const commit = commitOf(engine, id, before, decided)
    try {
      const committed = await engine.ledger.commit(commit)
      if (committed.kind === "committed") {
        learn(engine, before, commit.payment)
        return { kind: "changed", payment: commit.payment, uncertain: failures > 0 }
      }
      if (committed.kind === "taken") {
        // Taken perhaps by the very commit whose fate was unknown: what is stored then shows whose it was. Taken again, it
        // was another request with the same key.
        if (failures === 0 || committed.row.payment !== id || foundTaken) return committed
        foundTaken = true
      }
    } catch (error) {
      failures += 1
      if (failures > MAX_STORE_FAILURES || engine.clock.now() > until) throw error
      engine.log.warn({ payment: id, failures, error: String(error) }, "commit of unknown fate; reading again")
      await engine.clock.sleep(STORE_RETRY_MS * 2 ** failures)
    }
    before = await reload(engine, merchant, id, until)
  }
  throw new Error(`payment ${id} changed ${MAX_CONFLICTS} times while we tried to change it`)
}

/** What is learned is an estimate, and no payment may fail by it. */
function learn({ signals, errorRates, log }: Engine, before: Payment | undefined, payment: Payment): void {
  try {
    signals.committed(before, payment)
    errorRates.note(before, payment)
  } catch (error) {
    log.error({ payment: payment.id, error: String(error) }, "routing could not learn from a payment")
  }
}

const reload = (engine: Engine, merchant: MerchantId, id: PaymentId, until: number): Promise<Payment | undefined> =>
  persist(engine, until, () => engine.ledger.load(merchant, id))

/** Reads, through the database's bad moments, as long as `until` is not over. */
export async function persist<T>(engine: Engine, until: number, read: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await read()
    } catch (error) {
      if (failures > MAX_STORE_FAILURES || engine.clock.now() > until) throw error
      await engine.clock.sleep(STORE_RETRY_MS * 2 ** failures)
    }
  }
}

function commitOf(engine: Engine, id: PaymentId, before: Payment | undefined, decided: Change): Commit {
  const expected = before?.version ?? 0
  const first = decided.events[0]
  assert(before !== undefined || first?.type === "created", "the first event of a payment creates it")
  const start = before ?? (first as Extract<PaymentEvent, { type: "created" }>).payment
  const now = engine.clock.now()
  const events = withIncident(engine, before, start, decided.events, now)
  const payment: Payment = { ...events.reduce(evolve, start), version: expected + 1 }
  const said = announce(before, payment, events)
  // What is told of one commit is read in the order of its ids.
  const ids = said.map(() => makeId("evt", now, engine.chance.bytes(16))).toSorted()
  return {
    payment,
    expected,
    attempts: payment.attempts.filter((attempt) => !before?.attempts.includes(attempt)),
    operations: payment.operations.filter((operation) => !before?.operations.includes(operation)),
    wakeAt: wakeAt(payment),
    ...(needsPerson(payment) === (before !== undefined && needsPerson(before))
      ? {}
      : { needsPerson: needsPerson(payment) }),
    events: said.map(({ type, data }, index) => ({
      id: ids[index]!,
      merchant: payment.merchant,
      payment: id,
      sequence: payment.version,
      type,
      data,
      at: now,
    })),
    ...(decided.take === undefined
      ? {}
      : { take: { ...decided.take.row, payment: id, leaseUntil: now + decided.take.leaseMs } }),
    ...(decided.answer === undefined
      ? {}
      : { answer: { ...scopeOf(decided.answer), response: decided.answer.render(payment) } }),
    ...(decided.card === undefined ? {} : { card: decided.card }),
    ...(decided.transcripts === undefined ? {} : { transcripts: decided.transcripts }),
    ...budgetOf(before, payment),
  }
}

/** Wherever an attempt's outcome comes from, what the card's budget counts is written with it. Mostly nothing. */
function budgetOf(before: Payment | undefined, payment: Payment): Pick<Commit, "cardAttempts"> {
  const rows = cardAttemptsOf(before, payment)
  const key = rows.length === 0 ? undefined : budgetKeyOf(payment)
  return key === undefined ? {} : { cardAttempts: { key, rows } }
}

/** A broken invariant is stored with what broke it, because what is, is; somebody has to look into it. */
function withIncident(
  engine: Engine,
  before: Payment | undefined,
  start: Payment,
  events: readonly PaymentEvent[],
  at: number,
): readonly PaymentEvent[] {
  const violation = newViolation(before, events.reduce(evolve, start))
  if (violation === undefined) return events
  engine.log.error({ payment: start.id, violation }, "an invariant of a payment is broken")
  const id = makeId("inc", at, engine.chance.bytes(16))
  return [...events, { type: "invariant_broken", incident: { id, violation, at }, at }]
}

const scopeOf = ({ row: { merchant, mode, method, path, key } }: Request): IdempotencyScope => ({
  merchant,
  mode,
  method,
  path,
  key,
})

/** Operation ids double as the idempotency key at the provider: unique, short enough for all, and found again in its logs. */
export const newOperation =
  (engine: Engine): NewOperation =>
  () => {
    const id = makeId("op", engine.clock.now(), engine.chance.bytes(16))
    return { id, key: id }
  }

/** `response` where something else than this payment's rendering is stored under the key, or may be. */
export type Answered = { readonly kind: "payment"; readonly payment: Payment; readonly response?: StoredResponse }

/**
 * The answer of a request that no commit of known fate has stored: the one that is stored then, by us or before, so that
 * a replay says the same. Where the database cannot say, the payment as we know it.
 */
export async function settleAnswer(engine: Engine, request: Request | undefined, payment: Payment): Promise<Answered> {
  if (request === undefined) return { kind: "payment", payment }
  try {
    await engine.ledger.storeAnswer(scopeOf(request), request.render(payment))
    const row = await engine.ledger.idempotency(scopeOf(request))
    return { kind: "payment", payment, ...(row?.response === undefined ? {} : { response: row.response }) }
  } catch (error) {
    engine.log.warn({ payment: payment.id, error: String(error) }, "the answer could not be stored")
    return { kind: "payment", payment }
  }
}

/** The answer that a commit has stored. */
export const answeredBy = (
  engine: Engine,
  request: Request | undefined,
  changed: Extract<Changed, { kind: "changed" }>,
): Promise<Answered> | Answered =>
  changed.uncertain ? settleAnswer(engine, request, changed.payment) : { kind: "payment", payment: changed.payment }
