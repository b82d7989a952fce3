// Trials: versions of a policy held against each other on live payments. Payments are taken from the log in its order, and a trial notes
// in the same statement how far that is: a relay that repeats itself adds nothing. A payment is counted by the statement that takes its
// row away, and only over the tally that was read: whatever crashes, and however many nodes work, it counts once.

import type { MerchantId, PaymentId, PolicyId, TrialId } from "../../core/id.ts"
import type { Database, Statement } from "../database.ts"
import { decodeDocument, encodeDocument } from "../document.ts"
import type { Position } from "../ledger/ledger.ts"

export const trialEnds = ["stopped", "withdrawn", "promoted", "replaced", "retired"] as const
type TrialEnd = (typeof trialEnds)[number]

export type TrialRow = {
  readonly id: TrialId
  readonly kind: "publication" | "experiment"
  /** Of an experiment. */
  readonly name: string
  readonly merchant: MerchantId
  readonly mode: "live" | "test"
  readonly policy: PolicyId
  readonly experiment: unknown
  readonly tally: unknown
  /** Counts the writings of the tally. */
  readonly revision: number
  readonly author: string
  readonly note: string
  readonly createdAt: number
  /** Absent while an experiment is planned. */
  readonly startedAt?: number
  readonly startedBy?: string
  readonly ended?: {
    readonly at: number
    readonly as: TrialEnd
    /** An API key; absent where guardrails ended it. */
    readonly by?: string
    readonly reason?: unknown
  }
  readonly promoted?: { readonly at: number; readonly by: string; readonly arm: number }
}

/** Running ones that are looked at; one merchant has at most two. */
const MAX_RUNNING_TRIALS = 10_000

export async function listRunningTrials(database: Database): Promise<readonly TrialRow[]> {
  return (await database.query<StoredTrial>(running, [MAX_RUNNING_TRIALS])).map(trialFrom)
}

/**
 * The payment that is a unit's evidence: the first that was asked for, whoever asks and however often.
 */
export async function claimUnits(
  database: Database,
  { merchant, id }: Pick<TrialRow, "merchant" | "id">,
  units: readonly { readonly unit: string; readonly payment: PaymentId }[],
): Promise<ReadonlyMap<string, PaymentId>> {
  if (units.length === 0) return new Map()
  // No unit twice in one statement: of two payments the one that comes first.
  const first = new Map(units.toReversed().map(({ unit, payment }) => [unit, payment]))
  const values = [merchant, id, [...first.keys()], [...first.values()]]
  await database.query(insertUnits, values)
  const rows = await database.query<{ unit_id: string; payment_id: PaymentId }>(unitsOf, values.slice(0, 3))
  return new Map(rows.map((row) => [row.unit_id, row.payment_id]))
}

export async function findTrial(database: Database, merchant: MerchantId, id: TrialId): Promise<TrialRow | undefined> {
  const [row] = await database.query<StoredTrial>(byId, [merchant, id])
  return row === undefined ? undefined : trialFrom(row)
}

/** The one that runs, or else the last one that did. */
export async function latestTrialOf(
  database: Database,
  merchant: MerchantId,
  policy: PolicyId,
): Promise<TrialRow | undefined> {
  const [row] = await database.query<StoredTrial>(latest, [merchant, policy])
  return row === undefined ? undefined : trialFrom(row)
}

type TakenPayment = {
  readonly payment: PaymentId
  /** When it is looked at first (ms). */
  readonly lookAt: number
  readonly position: Position
}

/** Payments of a trial in log order; what it had before is passed by. */
export async function takePayments(
  database: Database,
  { merchant, id }: Pick<TrialRow, "merchant" | "id">,
  taken: readonly TakenPayment[],
): Promise<void> {
  const last = taken.at(-1)
  if (last === undefined) return
  await database.query(take, [
    merchant,
    id,
    taken.map(({ payment }) => payment),
    taken.map(({ lookAt }) => Math.round(lookAt)),
    taken.map(({ position }) => position.transaction),
    taken.map(({ position }) => position.event),
    last.position.transaction,
    last.position.event,
  ])
}

/** A payment in hand, with the time that only its holder knows. */
export type DuePayment = {
  readonly merchant: MerchantId
  readonly trial: TrialId
  readonly payment: PaymentId
  /** Once it is drawn. */
  readonly place?: number
  readonly claim: bigint
}

/** Payments that are to be looked at now, ours for so long. */
export async function claimDuePayments(
  database: Database,
  limit: number,
  leaseMs: number,
): Promise<readonly DuePayment[]> {
  const rows = await database.query<DueRow>(claimDue, [limit, leaseMs])
  return rows.map((row) => ({
    merchant: row.merchant_id,
    trial: row.trial_id,
    payment: row.payment_id,
    ...(row.place === null ? {} : { place: Number(row.place) }),
    claim: row.next_ms,
  }))
}

/** A payment that was drawn and is not counted: `outcome` where it only waits for its turn. */
export type DrawnPayment = { readonly payment: PaymentId; readonly place: number; readonly outcome?: unknown }

/** A trial with the payments whose turn comes first, as they stand at one moment. */
export async function findTrialInOrder(
  database: Database,
  merchant: MerchantId,
  id: TrialId,
  limit: number,
): Promise<{ readonly trial: TrialRow; readonly drawn: readonly DrawnPayment[] } | undefined> {
  const [row] = await database.query<StoredTrial & { drawn: readonly DrawnRow[] | null }>(inOrder, [
    merchant,
    id,
    limit,
  ])
  if (row === undefined) return undefined
  const drawn = (row.drawn ?? []).map(({ payment_id: payment, place, outcome }) => ({
    payment,
    place,
    ...(outcome === null ? {} : { outcome }),
  }))
  return { trial: trialFrom(row), drawn }
}

export type Counted = {
  /** Those that were claimed, all at once. */
  readonly claimed: readonly PaymentId[]
  readonly claim: bigint
  /** Counted, or no part of the trial. */
  readonly done: readonly PaymentId[]
  readonly kept: readonly {
    readonly payment: PaymentId
    readonly place?: number
    readonly outcome?: unknown
    /** Absent: it is looked at no more, and waits for its turn. */
    readonly lookAt?: number
  }[]
}

/**
 * Replaces the tally that was read, and lets go of the payments that it now holds. False where somebody wrote the tally meanwhile, or
 * the claimed payments are no longer ours.
 */
export async function writeTally(
  database: Database,
  { merchant, id, revision }: Pick<TrialRow, "merchant" | "id" | "revision">,
  tally: unknown,
  { claimed, claim, done, kept }: Counted,
): Promise<boolean> {
  const [row] = await database.query<{ written: number }>(write, [
    merchant,
    id,
    revision,
    encodeDocument(tally),
    claim,
    claimed,
    done,
    kept.map(({ payment }) => payment),
    kept.map(({ place }) => place ?? null),
    kept.map(({ outcome }) => (outcome === undefined ? null : encodeDocument(outcome))),
    kept.map(({ lookAt }) => (lookAt === undefined ? null : Math.round(lookAt))),
  ])
  return row?.written === 1
}

/** Of a trial that is no more. */
export async function dropPayments(database: Database, merchant: MerchantId, id: TrialId): Promise<void> {
  await database.query(drop, [merchant, id])
}

/** A row of `trials` as statements return it, with `trialColumns`. */
export type StoredTrial = {
  merchant_id: MerchantId
  id: TrialId
  kind: TrialRow["kind"]
  name: string
  mode: TrialRow["mode"]
  policy_id: PolicyId
  experiment: unknown
  tally: unknown
  revision: number
  author: string
  note: string
  created_ms: bigint
  started_ms: bigint | null
  started_by: string | null
  ended_ms: bigint | null
  ended_as: TrialEnd | null
  ended_by: string | null
  reason: unknown
  promoted_ms: bigint | null
  promoted_by: string | null
  promoted_arm: number | null
}
type DrawnRow = { payment_id: PaymentId; place: number; outcome: unknown }
type DueRow = {
  merchant_id: MerchantId
  trial_id: TrialId
  payment_id: PaymentId
  place: bigint | null
  next_ms: bigint
}

export const trialFrom = (row: StoredTrial): TrialRow => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  merchant: row.merchant_id,
  mode: row.mode,
  policy: row.policy_id,
  experiment: decodeDocument(row.experiment),
  tally: decodeDocument(row.tally),
  revision: row.revision,
  author: row.author,
  note: row.note,
  createdAt: Number(row.created_ms),
  ...(row.started_ms === null ? {} : { startedAt: Number(row.started_ms) }),
  ...(row.started_by === null ? {} : { startedBy: row.started_by }),
  ...(row.ended_ms === null || row.ended_as === null
    ? {}
    : {
        ended: {
          at: Number(row.ended_ms),
          as: row.ended_as,
          ...(row.ended_by === null ? {} : { by: row.ended_by }),
          ...(row.reason === null ? {} : { reason: decodeDocument(row.reason) }),
        },
      }),
  ...(row.promoted_ms === null || row.promoted_by === null || row.promoted_arm === null
    ? {}
    : { promoted: { at: Number(row.promoted_ms), by: row.promoted_by, arm: row.promoted_arm } }),
})

export const trialColumns =
  "merchant_id, id, kind, name, mode, policy_id, experiment, tally, revision, author, note, created_ms, started_ms, started_by, " +
  "ended_ms, ended_as, ended_by, reason, promoted_ms, promoted_by, promoted_arm"

const running: Statement = {
  name: "trials-running",
  text: `select ${trialColumns} from trials where started_ms is not null and ended_ms is null order by merchant_id, mode limit $1`,
}

const byId: Statement = {
  name: "trial-by-id",
  text: `select ${trialColumns} from trials where merchant_id = $1 and id = $2`,
}

const latest: Statement = {
  name: "trial-of-policy",
  text: `select ${trialColumns} from trials where merchant_id = $1 and policy_id = $2 and kind = 'publication'
    order by id desc limit 1`,
}

const take: Statement = {
  name: "trial-take",
  text: `with trial as materialized (
      select merchant_id, id, taken_transaction, taken_event from trials
      where merchant_id = $1 and id = $2 and started_ms is not null and ended_ms is null for no key update),
    added as (
      insert into trial_payments (merchant_id, trial_id, payment_id, next_ms)
      select t.merchant_id, t.id, g.payment, g.look_ms from trial t
      cross join unnest($3::text[], $4::bigint[], $5::bigint[], $6::text[]) as g (payment, look_ms, transaction, event)
      where (g.transaction, g.event collate "C") > (t.taken_transaction, t.taken_event)
      on conflict do nothing)
    update trials t set taken_transaction = $7::bigint, taken_event = $8::text from trial o
    where t.merchant_id = o.merchant_id and t.id = o.id
      and (o.taken_transaction, o.taken_event) < ($7::bigint, $8::text collate "C")`,
}

const claimDue: Statement = {
  name: "trial-payments-claim",
  text: `with due as materialized (
      select merchant_id, trial_id, payment_id from trial_payments where next_ms <= now_ms()
      order by next_ms limit $1 for update skip locked)
    update trial_payments p set next_ms = now_ms() + $2::bigint from due d
    where p.merchant_id = d.merchant_id and p.trial_id = d.trial_id and p.payment_id = d.payment_id
    returning p.merchant_id, p.trial_id, p.payment_id, p.place, p.next_ms`,
}

const inOrder: Statement = {
  name: "trial-in-order",
  text: `select ${trialColumns}, (
      select json_agg(d order by d.place) from (
        select payment_id, place, outcome from trial_payments p
        where p.merchant_id = $1 and p.trial_id = $2 and p.place is not null order by p.place limit $3) d) as drawn
    from trials where merchant_id = $1 and id = $2`,
}

const write: Statement = {
  name: "trial-write",
  text: `with ours as materialized (
      select payment_id from trial_payments
      where merchant_id = $1 and trial_id = $2 and next_ms = $5::bigint and payment_id = any ($6::text[]) for update),
    written as (
      update trials set tally = $4::jsonb, revision = revision + 1
      where merchant_id = $1 and id = $2 and revision = $3 and (select count(*) from ours) = cardinality($6::text[])
      returning 1),
    gone as (
      delete from trial_payments
      where merchant_id = $1 and trial_id = $2 and payment_id = any ($7::text[]) and exists (select from written)),
    moved as (
      update trial_payments p set place = k.place, outcome = k.outcome::jsonb, next_ms = k.look_ms
      from unnest($8::text[], $9::bigint[], $10::text[], $11::bigint[]) as k (payment, place, outcome, look_ms)
      where p.merchant_id = $1 and p.trial_id = $2 and p.payment_id = k.payment and exists (select from written))
    select count(*)::integer as written from written`,
}

const drop: Statement = {
  name: "trial-payments-drop",
  text: "delete from trial_payments where merchant_id = $1 and trial_id = $2",
}

const insertUnits: Statement = {
  name: "trial-units-claim",
  text: `insert into trial_units (merchant_id, trial_id, unit_id, payment_id)
    select $1, $2, u.unit, u.payment from unnest($3::text[], $4::text[]) as u (unit, payment)
    order by u.unit on conflict do nothing`,
}

const unitsOf: Statement = {
  name: "trial-units",
  text: `select unit_id, payment_id from trial_units where merchant_id = $1 and trial_id = $2 and unit_id = any ($3::text[])`,
}
