// What can be wrong with an experiment that somebody plans, each with its place in the document.

import type { Experiment } from "./experiment.ts"
import { MAX_ARMS } from "./experiment.ts"
import { watchedMetrics } from "./guardrail.ts"

export type PlanProblem = { readonly at: string; readonly detail: string }

/** Arms below this share would be compared with next to nothing. */
export const LEAST_SHARE = 0.005
const SHARES_OFF = 1e-9

export function checkExperiment({ salt, arms, guardrails, alpha, maxUnits }: Experiment): readonly PlanProblem[] {
  const problems: PlanProblem[] = []
  const tell = (at: string, detail: string): void => void problems.push({ at, detail })
  if (salt === "") tell("/salt", "is empty: two experiments would split alike")
  if (arms.length < 2) tell("/arms", "has no arm to compare the control with")
  if (arms.length > MAX_ARMS) tell("/arms", `has more than ${MAX_ARMS} entries`)
  for (const [index, { name, share }] of arms.entries()) {
    if (!(share >= LEAST_SHARE && share < 1)) tell(`/arms/${index}/share`, `is not between ${LEAST_SHARE} and 1`)
    if (arms.findIndex((other) => other.name === name) !== index) tell(`/arms/${index}/name`, "is another arm's name")
  }
  const total = arms.reduce((sum, { share }) => sum + share, 0)
  if (Math.abs(total - 1) > SHARES_OFF) tell("/arms", `has shares that sum up to ${total}, not to 1`)
  for (const [index, { metric, margin }] of guardrails.entries()) {
    const { range } = watchedMetrics[metric]
    if (!(margin >= 0 && margin < range.high - range.low))
      tell(`/guardrails/${index}/margin`, "is not between 0 and the width of what the metric can be")
    if (guardrails.findIndex((other) => other.metric === metric) !== index)
      tell(`/guardrails/${index}/metric`, "has a guardrail already")
  }
  if (!(alpha > 0 && alpha <= 0.2)) tell("/alpha", "is not between 0 and 0.2")
  if (!(Number.isSafeInteger(maxUnits) && maxUnits > 0)) tell("/max_units", "is no whole number above 0")
  return problems
}
