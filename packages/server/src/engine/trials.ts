// Trials on live payments: the versions of a staged publish or the arms of an experiment, held against each other by what became of payments, and ended when a
// guardrail says with certainty that the candidate does harm. Beside payments, never in their way:
//
//   payment.created in the log ─ trialSink ─▶ a row: this payment is to be looked at
//   a row whose time has come  ─ runTrials ─▶ drawn; its outcome counted in its turn, or looked at again later
//   the tally after a count    ─ automaticStop ─▶ the candidate's share ends, everywhere, and the merchant is told
//
// Any number of nodes work; a row is claimed, and counted over the tally that was read.

import { makeId, type AccountId, type MerchantId, type PaymentId, type PolicyId } from "../core/id.ts"
import type { Payment } from "../core/payment.ts"
import type { Ports } from "../ports.ts"
import { automaticStop, evolveExperiment, planned, type Experiment, type ExperimentState } from "../routing/evidence.ts"
import { ALL_BPS, armFor, isCandidates } from "../routing/policy-share.ts"
import type { Database } from "../storage/database.ts"
import type { Ledger } from "../storage/ledger/ledger.ts"
import { stopTrial } from "../storage/resources/policy-publication.ts"
import {
  claimDuePayments,
  claimUnits,
  dropPayments,
  findTrial,
  findTrialInOrder,
  listRunningTrials,
  takePayments,
  writeTally,
  type Counted,
  type DrawnPayment,
  type DuePayment,
  type TrialRow,
} from "../storage/resources/trials.ts"
import type { Account } from "./engine.ts"
import { runLoop, type Loop } from "./loop.ts"
import type { Sink } from "./relay.ts"
import { lookAt, type Look } from "./trial-look.ts"
import { reasonDocument, whyStopped } from "./trial-reason.ts"

/** What changes of a trial while it runs. `leftOut`: payments of an arm that its version did not decide. */
export type TrialTally = Pick<ExperimentState, "units" | "repeats" | "differences"> & { readonly leftOut: number }

export type TrialParts = Ports & {
  readonly database: Database
  readonly ledger: Pick<Ledger, "load">
  readonly directory: { account(id: AccountId): Account | undefined }
}

/** A payment is looked at so long after it was made (ms): most have ended then. */
const FIRST_LOOK_MS = 5_000
/** Rests between looks grow with the payment's age, up to this (ms). */
const LONGEST_LOOK_MS = 5 * 60_000
/** Payments that are looked at at once, and loaded at once. */
const TRIAL_BATCH = 200
const LOADED_AT_ONCE = 8
/** Payments that were drawn first, of which those that have their outcome are counted at once. */
const TRIAL_TURNS = 1_000
/** Claimed payments are ours this long (ms). */
const CLAIM_MS = 60_000
/** Another node wrote the tally first, so often in a row. */
const MAX_CONFLICTS = 8
const IDLE_MS = 500
const BACKOFF_MS = 10_000

export const tallyOf = (experiment: Experiment): TrialTally => {
  const { units, repeats, differences } = planned(experiment)
  return { units, repeats, differences, leftOut: 0 }
}

/** A trial as the value that judges it. */
export function stateOf({ experiment, tally, startedAt, ended }: TrialRow): ExperimentState {
  const { units, repeats, differences } = tally as TrialTally
  return {
    experiment: experiment as Experiment,
    status: startedAt === undefined ? "planned" : ended === undefined ? "running" : "stopped",
    units,
    repeats,
    differences,
  }
}

/** Hangs off the outbox. */
export const trialSink = (database: Database, firstLookMs: number = FIRST_LOOK_MS): Sink => ({
  name: "trials",
  accept: async (events) => {
    const created = events.filter(({ type, payment }) => type === "payment.created" && payment !== undefined)
    if (created.length === 0) return
    const byMerchant = Map.groupBy(created, ({ merchant }) => merchant)
    for (const trial of await listRunningTrials(database)) {
      const own = byMerchant.get(trial.merchant) ?? []
      const taken = own.map(({ payment, at, position }) => ({ payment: payment!, lookAt: at + firstLookMs, position }))
      await takePayments(database, trial, taken)
    }
  },
})

/** Counts until stopped. */
export function runTrials(parts: TrialParts): Loop {
  return runLoop(parts, "trials", { idleMs: IDLE_MS, backoffMs: BACKOFF_MS }, async () => {
    const counted = await countDue(parts)
    return counted === TRIAL_BATCH
  })
}

/** Payments whose time has come; answers how many there were. */
export async function countDue(parts: TrialParts): Promise<number> {
  const due = await claimDuePayments(parts.database, TRIAL_BATCH, CLAIM_MS)
  for (const payments of Map.groupBy(due, ({ merchant, trial }) => `${merchant} ${trial}`).values())
    await count(parts, payments)
  return due.length
}

async function count(parts: TrialParts, due: readonly DuePayment[]): Promise<void> {
  const { database, log } = parts
  const [{ merchant, trial: id, claim }] = due as [DuePayment]
  const payments = await loadAll(parts, merchant, due)
  const firsts = await firstsOf(parts, id, due, payments)
  let left = due
  for (let conflicts = 0; conflicts <= MAX_CONFLICTS;) {
    const found = await findTrialInOrder(database, merchant, id, TRIAL_TURNS)
    if (found === undefined) return dropPayments(database, merchant, id)
    const { trial, drawn } = found
    const { state, leftOut, done, kept } = inTurn(drawn, fold(parts, trial, left, payments, firsts))
    const { units, repeats, differences } = state
    const tally: TrialTally = { units, repeats, differences, leftOut }
    const claimed = left.map(({ payment }) => payment)
    if (!(await writeTally(database, trial, tally, { claimed, claim, done, kept }))) {
      conflicts += 1
      continue
    }
    await judge(parts, trial, state)
    // More may have waited for the same payment than fit into one look.
    if (drawn.length < TRIAL_TURNS || !done.includes(drawn.at(-1)!.payment)) return
    left = []
  }
  // They come again when the claim is over.
  log.warn({ merchant, trial: id, payments: due.length }, "the tally of a trial is written by too many; later")
}

async function loadAll(
  { ledger }: TrialParts,
  merchant: MerchantId,
  due: readonly DuePayment[],
): Promise<ReadonlyMap<PaymentId, Payment>> {
  const found = new Map<PaymentId, Payment>()
  for (let from = 0; from < due.length; from += LOADED_AT_ONCE) {
    const some = due.slice(from, from + LOADED_AT_ONCE)
    for (const payment of await Promise.all(some.map((one) => ledger.load(merchant, one.payment))))
      if (payment !== undefined) found.set(payment.id, payment)
  }
  return found
}

/** Of customers that are drawn: the payment that is each one's evidence. */
async function firstsOf(
  { database }: TrialParts,
  id: TrialRow["id"],
  due: readonly DuePayment[],
  payments: ReadonlyMap<PaymentId, Payment>,
): Promise<ReadonlyMap<string, PaymentId>> {
  const trial = await findTrial(database, due[0]!.merchant, id)
  if ((trial?.experiment as Experiment | undefined)?.unit !== "customer") return new Map()
  const units = due.toSorted(byPayment).flatMap(({ payment }) => {
    const { mode, intent, attempts, closed } = payments.get(payment) ?? {}
    // Who is not decided yet must not take the place of one who is.
    const isDecided = (attempts?.length ?? 0) > 0 || closed !== undefined
    return isDecided && mode === trial?.mode && intent?.customerId !== undefined && intent.pinnedAccount === undefined
      ? [{ unit: intent.customerId, payment }]
      : []
  })
  return claimUnits(database, { merchant: due[0]!.merchant, id }, units)
}

const byPayment = (a: DuePayment, b: DuePayment): number => (a.payment < b.payment ? -1 : 1)

/** By its hash or its customer's; none where there is no such customer. */
function armIn(
  {
    kind,
    policy,
    experiment,
  }: { readonly kind: TrialRow["kind"]; readonly policy: PolicyId; readonly experiment: Experiment },
  payment: Payment,
): number | undefined {
  const { arms } = experiment
  if (kind === "experiment") return armFor(experiment, arms, payment.id, payment.intent.customerId)
  const { policyVersion: version, share } = arms[1]!
  return isCandidates({ id: policy, version }, Math.round(share * ALL_BPS), payment.id) ? 1 : 0
}

type Seen = {
  readonly state: ExperimentState
  readonly leftOut: number
  readonly done: PaymentId[]
  readonly kept: Counted["kept"][number][]
}

/** What is seen of the payments whose time has come: who is drawn gets the next place, and an outcome waits for its turn. */
function fold(
  { clock, directory }: TrialParts,
  trial: TrialRow,
  due: readonly DuePayment[],
  payments: ReadonlyMap<PaymentId, Payment>,
  firsts: ReadonlyMap<string, PaymentId>,
): Seen {
  const now = clock.now()
  const experiment = trial.experiment as Experiment
  const of = { ...trial, experiment, startedAt: trial.startedAt ?? now }
  let state = stateOf(trial)
  let { leftOut } = trial.tally as TrialTally
  const done: PaymentId[] = []
  const kept: Seen["kept"] = []
  for (const { payment: id, place: before } of due.toSorted(byPayment)) {
    const payment = payments.get(id)
    const arm = payment === undefined ? undefined : armIn(of, payment)
    // Who was not drawn while it ran is no part of it.
    const isPart = payment !== undefined && (before !== undefined || trial.ended === undefined)
    const look: Look =
      isPart && arm !== undefined ? lookAt(payment, of, arm, now, (account) => directory.account(account)) : LEFT_OUT
    const age = now - (payment?.createdAt ?? now)
    if (look.kind === "undecided") {
      kept.push({ payment: id, lookAt: now + Math.max(age / 2, FIRST_LOOK_MS) })
      continue
    }
    if (look.kind === "left_out" || arm === undefined) {
      if (isPart) leftOut += 1
      done.push(id)
      continue
    }
    const customer = payment?.intent.customerId
    if (experiment.unit === "customer" && (customer === undefined || firsts.get(customer) !== id)) {
      state = repeated(state, arm)
      done.push(id)
      continue
    }
    if (before === undefined) state = evolveExperiment(state, { kind: "assigned", arm })
    const place = before ?? state.units.reduce((sum, units) => sum + units, 0)
    if (look.kind === "final") kept.push({ payment: id, place, outcome: { arm, values: look.values } })
    else kept.push({ payment: id, place, lookAt: now + Math.min(Math.max(age / 2, FIRST_LOOK_MS), LONGEST_LOOK_MS) })
  }
  return { state, leftOut, done, kept }
}

/**
 * Counts outcomes in the order in which their payments were drawn, up to the first that is open. Whoever counted them as they come
 * would count quick declines before slow approvals, and a version that asks for challenges would be stopped for it.
 */
function inTurn(drawn: readonly DrawnPayment[], seen: Seen): Seen {
  const news = new Map(seen.kept.map((one) => [one.payment, one]))
  const known = new Set(drawn.map(({ payment }) => payment))
  const isWhole = drawn.length < TRIAL_TURNS
  const line = [
    ...drawn.map((one) => ({ ...one, ...news.get(one.payment) })),
    ...(isWhole ? seen.kept.filter(({ payment, place }) => place !== undefined && !known.has(payment)) : []),
  ].toSorted((a, b) => a.place! - b.place!)
  let { state } = seen
  const counted = new Set<PaymentId>()
  for (const { payment, outcome } of line) {
    if (outcome === undefined) break
    const { arm, values } = outcome as Outcome
    state = measured(state, arm, values)
    counted.add(payment)
  }
  return {
    ...seen,
    state,
    done: [...seen.done, ...counted],
    kept: seen.kept.filter(({ payment }) => !counted.has(payment)),
  }
}
type Outcome = { readonly arm: number; readonly values: Extract<Look, { kind: "final" }>["values"] }

const LEFT_OUT: Look = { kind: "left_out" }

function measured(before: ExperimentState, arm: number, values: Outcome["values"]): ExperimentState {
  let state = before
  for (const metric of Object.keys(values) as (keyof typeof values)[])
    state = evolveExperiment(state, { kind: "measured", arm, metric, value: values[metric]!, first: true })
  return state
}

/** Another payment of a customer whose first one is the evidence. */
const repeated = (state: ExperimentState, arm: number): ExperimentState =>
  evolveExperiment(state, { kind: "measured", arm, metric: state.experiment.decidedBy, value: 0, first: false })

/** Ends what does harm, and an experiment that has had its units. Whoever comes second, or finds it ended by a person, changes nothing. */
async function judge(
  { database, clock, chance, log }: TrialParts,
  trial: TrialRow,
  state: ExperimentState,
): Promise<void> {
  const reason = automaticStop(state)
  if (reason === undefined) return
  const { merchant, id, kind } = trial
  // That a publication was looked at for long enough is no harm: it goes on, and a person decides.
  if (kind === "publication" && reason.kind === "max_units") return
  const document = reasonDocument(reason)
  const why = whyStopped(state.experiment, document)
  const event = {
    id: makeId("evt", clock.now(), chance.bytes(16)),
    type: kind === "publication" ? "policy.publication_stopped" : "experiment.stopped",
    data: { mode: trial.mode, policy: trial.policy, ...aboutOf(trial, state), why, reason: document },
  }
  const stopped = await stopTrial(database, merchant, id, { reason: document, note: why, event })
  if (stopped !== undefined) log.warn({ merchant, policy: trial.policy, trial: id, why }, "a trial is stopped")
}

function aboutOf({ id, kind, name }: TrialRow, { experiment: { arms }, units }: ExperimentState): object {
  if (kind === "experiment")
    return {
      experiment: id,
      name,
      arms: arms.map((arm, index) => ({ name: arm.name, version: arm.policyVersion, units: units[index]! })),
    }
  return {
    publication: id,
    candidate_version: arms[1]!.policyVersion,
    active_version: arms[0]!.policyVersion,
    payments: { active: units[0]!, candidate: units[1]! },
  }
}
