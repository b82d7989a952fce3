// Trials on live payments: the versions of a staged publish, held against each other by what became of payments, and ended when a
// guardrail says with certainty that the candidate does harm. Beside payments, never in their way:
//
//   payment.created in the log ─ trialSink ─▶ a row: this payment, in this arm, to be looked at
//   a row whose time has come  ─ runTrials ─▶ counted with its outcome, or looked at again later
//   the tally after a count    ─ automaticStop ─▶ the candidate's share ends, everywhere, and the merchant is told
//
// Any number of nodes work; a row is claimed, and counted over the tally that was read.

import { makeId, type AccountId, type MerchantId, type PaymentId } from "../core/id.ts"
import type { Payment } from "../core/payment.ts"
import type { Ports } from "../ports.ts"
import { automaticStop, evolveExperiment, planned, type Experiment, type ExperimentState } from "../routing/evidence.ts"
import { ALL_BPS, isCandidates } from "../routing/policy-share.ts"
import type { Database } from "../storage/database.ts"
import type { EventHead, Ledger } from "../storage/ledger/ledger.ts"
import { stopTrial } from "../storage/resources/policy-publication.ts"
import {
  claimDuePayments,
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
    status: ended === undefined ? "running" : "stopped",
    units,
    repeats,
    differences,
    startedAt,
  }
}

/** Hangs off the outbox. */
export const trialSink = (database: Database, firstLookMs: number = FIRST_LOOK_MS): Sink => ({
  name: "trials",
  accept: async (events) => {
    const created = events.filter(({ type, payment }) => type === "payment.created" && payment !== undefined)
    if (created.length === 0) return
    const byMerchant = Map.groupBy(created, ({ merchant }) => merchant)
    for (const trial of await listRunningTrials(database))
      await takePayments(
        database,
        trial,
        (byMerchant.get(trial.merchant) ?? []).map((event) => taken(trial, event, firstLookMs)),
      )
  },
})

function taken({ policy, experiment }: TrialRow, { payment, at, position }: EventHead, firstLookMs: number) {
  const candidate = (experiment as Experiment).arms[1]!
  const bps = Math.round(candidate.share * ALL_BPS)
  const isTreated = isCandidates({ id: policy, version: candidate.policyVersion }, bps, payment!)
  return { payment: payment!, arm: isTreated ? 1 : 0, lookAt: at + firstLookMs, position }
}

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
  for (let conflicts = 0; conflicts <= MAX_CONFLICTS; conflicts++) {
    const trial = await findTrial(database, merchant, id)
    if (trial === undefined) return
    const { state, leftOut, done, later } = fold(parts, trial, due, payments)
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

/** In the order of the payments' ids, which is about that of their making. */
function fold(
  { clock, directory }: TrialParts,
  trial: TrialRow,
  due: readonly DuePayment[],
  payments: ReadonlyMap<PaymentId, Payment>,
) {
  const now = clock.now()
  const of = { ...trial, experiment: trial.experiment as Experiment }
  let state = stateOf(trial)
  let { leftOut } = trial.tally as TrialTally
  const done: PaymentId[] = []
  const later: { payment: PaymentId; lookAt: number; drawn: boolean }[] = []
  for (const { payment: id, arm, drawn } of due.toSorted((a, b) => (a.payment < b.payment ? -1 : 1))) {
    const payment = payments.get(id)
    // Who was not drawn while it ran is no part of it.
    const isPart = payment !== undefined && (drawn || trial.ended === undefined)
    const look: Look = isPart ? lookAt(payment, of, arm, now, (account) => directory.account(account)) : LEFT_OUT
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
        if (!drawn) state = evolveExperiment(state, { kind: "assigned", arm })
        later.push({ payment: id, lookAt: now + rest, drawn: true })
        break
      case "final":
        if (!drawn) state = evolveExperiment(state, { kind: "assigned", arm })
        for (const metric of metricsOf(look))
          state = evolveExperiment(state, { kind: "measured", arm, metric, value: look.values[metric]!, first: true })
        done.push(id)
        break
      default:
        return look satisfies never
    }
  }
  return { state, leftOut, done, later }
}
const LEFT_OUT: Look = { kind: "left_out" }

const metricsOf = ({ values }: Extract<Look, { kind: "final" }>): readonly (keyof typeof values)[] =>
  Object.keys(values) as (keyof typeof values)[]

/** Ends what does harm. Whoever comes second, or finds it ended by a person, changes nothing. */
async function judge(
  { database, clock, chance, log }: TrialParts,
  trial: TrialRow,
  state: ExperimentState,
): Promise<void> {
  const reason = automaticStop(state)
  // That it was looked at for long enough is no harm: it goes on, and a person decides.
  if (reason === undefined || reason.kind === "max_units") return
  const { merchant, mode, policy, id } = trial
  const document = reasonDocument(reason)
  const why = whyStopped(state.experiment, document)
  const data = {
    mode,
    policy,
    publication: id,
    candidate_version: state.experiment.arms[1]!.policyVersion,
    active_version: state.experiment.arms[0]!.policyVersion,
    why,
    reason: document,
    payments: { active: state.units[0]!, candidate: state.units[1]! },
  }
  const event = { id: makeId("evt", clock.now(), chance.bytes(16)), type: "policy.publication_stopped", data }
  const stopped = await stopTrial(database, merchant, id, { reason: document, note: why, event })
  if (stopped !== undefined) log.warn({ merchant, policy, publication: id, why }, "a staged publish is stopped")
}
