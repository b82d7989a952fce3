// Trials on live payments: the versions of a staged publish or the arms of an experiment, held against each other by what became of payments, and ended when a
// guardrail says with certainty that the candidate does harm. Beside payments, never in their way:
//
//   payment.created in the log ─ trialSink ─▶ a row: this payment is to be looked at
//   a row whose time has come  ─ runTrials ─▶ counted with its outcome, or looked at again later
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
  findTrial,
  listRunningTrials,
  takePayments,
  writeTally,
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
export const FIRST_LOOK_MS = 5_000
/** Rests between looks grow with the payment's age, up to this (ms). */
const LONGEST_LOOK_MS = 5 * 60_000
/** Payments that are looked at at once, and loaded at once. */
export const TRIAL_BATCH = 200
const LOADED_AT_ONCE = 8
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
  for (let conflicts = 0; conflicts <= MAX_CONFLICTS; conflicts++) {
    const trial = await findTrial(database, merchant, id)
    if (trial === undefined) return
    const { state, leftOut, done, later } = fold(parts, trial, due, payments, firsts)
    const { units, repeats, differences } = state
    const tally: TrialTally = { units, repeats, differences, leftOut }
    if (!(await writeTally(database, trial, claim, tally, { done, later }))) continue
    return judge(parts, trial, state)
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

/** In the order of the payments' ids, which is about that of their making. */
function fold(
  { clock, directory }: TrialParts,
  trial: TrialRow,
  due: readonly DuePayment[],
  payments: ReadonlyMap<PaymentId, Payment>,
  firsts: ReadonlyMap<string, PaymentId>,
) {
  const now = clock.now()
  const experiment = trial.experiment as Experiment
  const of = { ...trial, experiment, startedAt: trial.startedAt ?? now }
  let state = stateOf(trial)
  let { leftOut } = trial.tally as TrialTally
  const done: PaymentId[] = []
  const later: { payment: PaymentId; lookAt: number; drawn: boolean }[] = []
  for (const { payment: id, drawn } of due.toSorted(byPayment)) {
    const payment = payments.get(id)
    const arm = payment === undefined ? undefined : armIn(of, payment)
    // Who was not drawn while it ran is no part of it.
    const isPart = payment !== undefined && (drawn || trial.ended === undefined)
    const look: Look =
      isPart && arm !== undefined ? lookAt(payment, of, arm, now, (account) => directory.account(account)) : LEFT_OUT
    const customer = payment?.intent.customerId
    const isFirst = experiment.unit === "payment" || (customer !== undefined && firsts.get(customer) === id)
    const rest = Math.min(Math.max((now - (payment?.createdAt ?? now)) / 2, FIRST_LOOK_MS), LONGEST_LOOK_MS)
    switch (look.kind) {
      case "left_out":
        if (isPart) leftOut += 1
        done.push(id)
        break
      case "undecided":
        later.push({ payment: id, lookAt: now + rest, drawn })
        break
      case "open":
        if (!drawn && isFirst) state = evolveExperiment(state, { kind: "assigned", arm: arm! })
        later.push({ payment: id, lookAt: now + rest, drawn: true })
        break
      case "final":
        if (!drawn && isFirst) state = evolveExperiment(state, { kind: "assigned", arm: arm! })
        state = isFirst ? measured(state, arm!, look) : repeated(state, arm!)
        done.push(id)
        break
      default:
        return look satisfies never
    }
  }
  return { state, leftOut, done, later }
}
const LEFT_OUT: Look = { kind: "left_out" }

function measured(before: ExperimentState, arm: number, look: Extract<Look, { kind: "final" }>): ExperimentState {
  let state = before
  for (const metric of metricsOf(look))
    state = evolveExperiment(state, { kind: "measured", arm, metric, value: look.values[metric]!, first: true })
  return state
}

/** Another payment of a customer whose first one is the evidence. */
const repeated = (state: ExperimentState, arm: number): ExperimentState =>
  evolveExperiment(state, { kind: "measured", arm, metric: state.experiment.decidedBy, value: 0, first: false })

const metricsOf = ({ values }: Extract<Look, { kind: "final" }>): readonly (keyof typeof values)[] =>
  Object.keys(values) as (keyof typeof values)[]

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
