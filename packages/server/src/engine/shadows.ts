// Shadows: a version of a policy that decides on live payments without acting. The payment's own path only puts it on a list; a loop
// takes it from there, decides by the very functions that decide live payments, and counts. Nothing is explored, no commitment is
// counted, nothing of the payment is written. What is counted here goes to storage every other second, added to what other nodes
// counted; a node that dies takes at most that much with it.

import type { AccountId, MerchantId, ShadowId } from "../core/id.ts"
import type { Payment } from "../core/payment.ts"
import type { Clock, Log } from "../ports.ts"
import { conclude, type DecisionRecord, type Examined } from "../routing/decide.ts"
import {
  createShadowTally,
  mergedShadow,
  nothingShadowed,
  NO_ATTEMPT,
  type ShadowedDecision,
  type ShadowTally,
} from "../routing/evidence.ts"
import type { Policy } from "../routing/policy.ts"
import type { Database } from "../storage/database.ts"
import { findShadow, writeShadowTally } from "../storage/resources/shadows.ts"
import { examineFor } from "./attempt.ts"
import { NO_RULE } from "./backtest-record.ts"
import type { Directory } from "./engine.ts"
import type { RoutingSignals } from "./signals.ts"

/** A version that decides without acting. */
export type Shadow = { readonly id: ShadowId; readonly policy: Policy }

/** A payment that was decided, as it stood then. */
export type Decided = {
  readonly payment: Payment
  readonly sourceAccount: AccountId | undefined
  readonly record: DecisionRecord
}

export type Shadows = ReturnType<typeof createShadows>

/** Payments that wait for their shadow; what comes on top is counted as missed. */
export const MAX_WAITING_SHADOWS = 2_000
/** Decided at once, between other work. */
const SHADOW_BATCH = 10
/** Another node wrote the tally first, so often in a row; then it is added the next time. */
const MAX_CONFLICTS = 5

export function createShadows(parts: {
  readonly clock: Clock
  readonly log: Log
  readonly directory: Directory
  readonly signals: RoutingSignals
}) {
  const { directory, log } = parts
  let waiting: (Decided & { readonly shadow: Shadow })[] = []
  /** Not stored yet. As many as merchants and modes have shadows. */
  const counted = new Map<
    ShadowId,
    { readonly merchant: MerchantId; readonly tally: ReturnType<typeof createShadowTally> }
  >()
  /** What is to be stored, and stays until it is. */
  const unstored = new Map<ShadowId, { readonly merchant: MerchantId; readonly tally: ShadowTally }>()
  let wake = (): void => {}

  function countOf(shadow: Shadow, { merchant }: Payment) {
    const known = counted.get(shadow.id)
    if (known !== undefined) return known.tally
    const tally = createShadowTally()
    counted.set(shadow.id, { merchant, tally })
    return tally
  }

  function decide({ shadow, ...decided }: Decided & { readonly shadow: Shadow }): void {
    const { payment, record } = decided
    const tally = countOf(shadow, payment)
    try {
      const { context } = record.inputs
      tally.add(
        sideOf(record),
        sideOf(shadowDecision(parts, shadow.policy, decided)),
        `${context.network ?? "–"} ${context.country ?? "–"}`,
        { payment: payment.id, at: context.now ?? payment.createdAt },
      )
    } catch (error) {
      tally.miss()
      log.error({ payment: payment.id, shadow: shadow.id, error: String(error) }, "a shadow could not decide")
    }
  }

  return {
    /** A payment was decided and is stored. On its way to the merchant: no more than a look into memory. */
    noticed(decided: Decided): void {
      const { merchant, mode } = decided.payment
      const shadow = directory.shadow(merchant, mode)
      if (shadow === undefined) return
      if (waiting.length >= MAX_WAITING_SHADOWS) countOf(shadow, decided.payment).miss()
      else waiting.push({ ...decided, shadow })
      wake()
    },
    /** Decides for some of those that wait; whether others still do. */
    decideSome(): boolean {
      const some = waiting.slice(0, SHADOW_BATCH)
      waiting = waiting.slice(SHADOW_BATCH)
      for (const one of some) decide(one)
      return waiting.length > 0
    },
    /** Adds what was counted to what is stored; what cannot be stored now is tried again with what comes. */
    async write(add: AddTally): Promise<void> {
      for (const [id, { merchant, tally }] of counted) {
        const before = unstored.get(id)?.tally ?? nothingShadowed
        unstored.set(id, { merchant, tally: mergedShadow(before, tally.tally()) })
      }
      counted.clear()
      for (const [id, { merchant, tally }] of unstored) if (await add(merchant, id, tally)) unstored.delete(id)
    },
    /** Who calls `decideSome` hears that somebody waits. */
    connect: (heard: () => void): void => void (wake = heard),
  }
}

/** Adds to what all nodes have counted; false: not now. */
export type AddTally = (merchant: MerchantId, id: ShadowId, here: ShadowTally) => Promise<boolean>

/** Whoever has lost the race adds to what is there then. */
export const shadowStore =
  (database: Database): AddTally =>
  async (merchant, id, here) => {
    for (let conflicts = 0; conflicts <= MAX_CONFLICTS; conflicts++) {
      const stored = await findShadow(database, merchant, id)
      // Nobody will ask for it.
      if (stored === undefined) return true
      if (await writeShadowTally(database, stored, mergedShadow(stored.tally as ShadowTally, here))) return true
    }
    return false
  }

/** With the same context, and with what was read for the live decision wherever that says enough. */
export function shadowDecision(
  parts: { readonly directory: Directory; readonly signals: RoutingSignals },
  policy: Policy,
  { payment, sourceAccount, record }: Decided,
): DecisionRecord {
  const { now, live } = record.inputs.context
  const examined = examineFor(parts, policy, payment, sourceAccount, now ?? payment.createdAt, live)
  const readings = saysEnough(record, examined)
    ? record.inputs.readings
    : parts.signals.read(payment, examined).readings
  return conclude(examined, readings).record
}

/** The live rule read the same accounts, and their worth where the shadow asks for it. */
function saysEnough({ inputs, excluded }: DecisionRecord, { strategy, eligible }: Examined): boolean {
  const out = new Set(excluded.map(({ account }) => account))
  const read = inputs.accounts.filter(({ id }) => !out.has(id)).map(({ id }) => id)
  const isSame = read.length === eligible.length && eligible.every((id) => read.includes(id))
  return (
    isSame &&
    (strategy.kind !== "optimize" || eligible.every((id) => inputs.readings.accounts[id]?.worth !== undefined))
  )
}

function sideOf({ rule, chosen, propensities, scores }: DecisionRecord): ShadowedDecision {
  const [account = NO_ATTEMPT] = chosen
  return {
    rule: rule?.name ?? NO_RULE,
    account,
    propensities: chosen.length === 0 ? { [NO_ATTEMPT]: 1 } : propensities,
    ...(scores === undefined ? {} : { scores: Object.fromEntries(scores.map((line) => [line.account, line.score])) }),
  }
}
