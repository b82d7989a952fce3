// Two versions of a policy in force at once: a new one is published to a share of the payments, by their hash, so that a payment
// meets the same version each time, and one that met the new version at one percent still meets it at ten.

import type { CustomerId, PaymentId } from "../core/id.ts"
import { armOf, type Shares } from "./evidence/assignment.ts"
import type { Experiment } from "./evidence/experiment.ts"
import type { Policy } from "./policy.ts"
import { diceOf } from "./signals/dice.ts"

export type PolicyVersions =
  | { readonly active: Policy; readonly candidate?: undefined; readonly experiment?: ArmedExperiment }
  | { readonly active: Policy; readonly candidate: Policy; readonly candidateBps: number }

/** What of an experiment decides where a payment goes. */
export type ArmedExperiment = {
  readonly salt: string
  readonly unit: Experiment["unit"]
  /** Each policy says of itself which arm it is. */
  readonly arms: readonly { readonly name: string; readonly share: number; readonly policy: Policy }[]
}

/** All payments, in the unit of shares. */
export const ALL_BPS = 10_000

/** The version that decides for this payment, with its share. */
export function versionFor(versions: PolicyVersions, payment: PaymentId, customer?: CustomerId): Policy {
  if (versions.candidate === undefined) {
    const { active, experiment } = versions
    const arm = experiment === undefined ? undefined : armFor(experiment, experiment.arms, payment, customer)
    return arm === undefined ? active : experiment!.arms[arm]!.policy
  }
  const shared = sharesOf(versions)
  return isCandidates(versions.candidate, versions.candidateBps, payment) ? shared.candidate : shared.active
}

/** The arm of a payment: its own, or its customer's. Without the customer that is drawn it is in none. */
export function armFor(
  { salt, unit }: Pick<Experiment, "salt" | "unit">,
  shares: Shares,
  payment: PaymentId,
  customer: CustomerId | undefined,
): number | undefined {
  const drawn = unit === "payment" ? payment : customer
  return drawn === undefined ? undefined : armOf(shares, salt, drawn)
}

/** Whether a payment is in the candidate's share, whatever became of it. */
export const isCandidates = (candidate: Pick<Policy, "id" | "version">, bps: number, payment: PaymentId): boolean =>
  placeOf(candidate, payment) < bps

type Shared = { readonly active: Policy; readonly candidate: Policy }

/** The same values each time, so that they are compiled once. */
const known = new WeakMap<PolicyVersions, Shared>()

function sharesOf(versions: Extract<PolicyVersions, { readonly candidate: Policy }>): Shared {
  const before = known.get(versions)
  if (before !== undefined) return before
  const { active, candidate, candidateBps } = versions
  const shared: Shared = {
    active: { ...active, share: { of: "active", bps: ALL_BPS - candidateBps } },
    candidate: { ...candidate, share: { of: "candidate", bps: candidateBps } },
  }
  known.set(versions, shared)
  return shared
}

/** Below 10,000, even over payments, and drawn anew for every version that is published to a share. */
const placeOf = ({ id, version }: Pick<Policy, "id" | "version">, payment: PaymentId): number =>
  diceOf(`${id} ${version} ${payment}`) * ALL_BPS
