// A version of a policy that is published to x % of payments first: an experiment of two arms, the version in force and the
// candidate. It stops by itself when the candidate is worse beyond a margin, with the certainty of the always-valid intervals; that the candidate
// goes to everybody is a person's act, like any promotion.

import type { Experiment } from "./experiment.ts"
import type { Guardrail } from "./guardrail.ts"

/** Half a point of approval is the least that merchants notice, and what a few ten thousand payments can tell. */
export const usualGuardrails: readonly Guardrail[] = [
  { metric: "approval", margin: 0.005 },
  { metric: "technical_failures", margin: 0.01 },
  { metric: "cost", margin: 0.002 },
  { metric: "latency", margin: 1_000 },
]
/** Chance that a candidate which does no harm is stopped all the same, ever. */
export const FALSE_STOPS = 0.05
/** Payments after which it asks for a decision. */
const MAX_PAYMENTS = 10_000_000

export function stagedPublish(input: {
  /** Of this publication: its payments are drawn anew. */
  readonly salt: string
  readonly current: number
  readonly candidate: number
  /** Of payments, to the candidate. */
  readonly share: number
  readonly guardrails?: readonly Guardrail[]
  readonly maxPayments?: number
}): Experiment {
  const { salt, current, candidate, share } = input
  return {
    salt,
    unit: "payment",
    arms: [
      { name: "current", share: 1 - share, policyVersion: current },
      { name: "candidate", share, policyVersion: candidate },
    ],
    decidedBy: "approval",
    guardrails: input.guardrails ?? usualGuardrails,
    alpha: FALSE_STOPS,
    maxUnits: input.maxPayments ?? MAX_PAYMENTS,
  }
}
