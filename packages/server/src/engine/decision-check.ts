// Whether stored decisions can still be made again, from their own record and the version of their policy: on request, and for
// a sample of all of them, all the time. A mismatch is a bug, and is counted and logged as one.

import type { MerchantId } from "../core/id.ts"
import type { Payment } from "../core/payment.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import type { Policy } from "../routing/policy.ts"
import { replay } from "../routing/replay.ts"
import { diceOf } from "../routing/signals/dice.ts"
import type { Database } from "../storage/database.ts"
import { findPolicyVersion } from "../storage/resources/policies.ts"
import type { Engine } from "./engine.ts"
import type { Sink } from "./relay.ts"

/** Of all payments' decisions, so many are made again. */
export const CHECKED_SHARE = 1 / 1_000

export type Again =
  | { readonly same: true }
  | { readonly same: false; readonly chosen: readonly string[] }
  /** Of another version of the router, or of a policy that is not to be had. */
  | { readonly same: undefined; readonly why: string }

export async function decideAgain(
  database: Pick<Database, "query">,
  merchant: MerchantId,
  record: DecisionRecord,
): Promise<Again> {
  const replayed = replay(record, await policyOf(database as Database, merchant, record))
  if (replayed.kind === "impossible") return { same: undefined, why: replayed.why }
  const again = replayed.decision.record
  return says(again) === says(record) ? { same: true } : { same: false, chosen: again.chosen }
}

/** What was chosen, with what chances, and why. What later attempts added to the excluded ones is not of the choice. */
const says = ({ chosen, reason, propensities }: DecisionRecord): string =>
  JSON.stringify([chosen, reason, Object.entries(propensities).toSorted(([a], [b]) => (a < b ? -1 : 1))])

async function policyOf(
  database: Database,
  merchant: MerchantId,
  { policy }: DecisionRecord,
): Promise<Policy | undefined> {
  if (policy === undefined) return undefined
  const stored = await findPolicyVersion(database, merchant, policy.id, policy.version)
  return stored === undefined ? undefined : { ...(stored.document as Policy), id: policy.id, version: policy.version }
}

export type CheckCounts = { same: number; different: number; impossible: number }

/** Hangs off the outbox, and never holds it up: what cannot be checked now is not checked. */
export const decisionCheckSink = (
  engine: Pick<Engine, "ledger" | "log">,
  database: Database,
  counts: CheckCounts,
  share: number = CHECKED_SHARE,
): Sink => ({
  name: "decision checks",
  accept: async (events) => {
    for (const { type, merchant, payment: id } of events) {
      if (type !== "payment.created" || id === undefined || diceOf(id) >= share) continue
      try {
        const payment = await engine.ledger.load(merchant, id)
        if (payment !== undefined) await check(engine, database, payment, counts)
      } catch (error) {
        engine.log.warn({ payment: id, error: String(error) }, "a decision could not be checked")
      }
    }
  },
})

async function check(
  { log }: Pick<Engine, "log">,
  database: Database,
  { merchant, id, attempts }: Payment,
  counts: CheckCounts,
): Promise<void> {
  for (const { id: attempt, decision } of attempts) {
    const again = await decideAgain(database, merchant, decision as DecisionRecord)
    if (again.same === undefined) counts.impossible += 1
    else if (again.same) counts.same += 1
    else {
      counts.different += 1
      log.error({ payment: id, attempt, again: again.chosen }, "a stored decision replays to another choice")
    }
  }
}

export const newCheckCounts = (): CheckCounts => ({ same: 0, different: 0, impossible: 0 })
