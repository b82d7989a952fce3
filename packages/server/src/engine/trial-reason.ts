// Why a trial was stopped, as it is stored and told: in figures, and in a sentence.

import { watchedMetrics, type Experiment, type StopReason, type WatchedMetric } from "../routing/evidence.ts"

export type ReasonDocument =
  | {
      readonly kind: "guardrail"
      readonly metric: WatchedMetric
      readonly margin: number
      /** Candidate − active, when it was stopped. */
      readonly difference: number
    }
  | { readonly kind: "sample_ratio"; readonly log_evidence: number }

export const reasonDocument = (reason: Extract<StopReason, { kind: "guardrail" | "sample_ratio" }>): ReasonDocument =>
  reason.kind === "guardrail"
    ? { kind: reason.kind, metric: reason.metric, margin: reason.margin, difference: digits(reason.difference) }
    : { kind: reason.kind, log_evidence: digits(reason.logEvidence) }

export function whyStopped({ arms, alpha }: Pick<Experiment, "arms" | "alpha">, reason: ReasonDocument): string {
  const [active, candidate] = arms.map(({ policyVersion }) => `version ${policyVersion}`)
  if (reason.kind === "sample_ratio")
    return `The payments of ${candidate} and ${active} are not of the shares they should be: no comparison of them means anything.`
  const { metric, margin, difference } = reason
  return (
    `${sentences[metric]} of ${candidate} is ${digits(Math.abs(difference))} ${difference < 0 ? "below" : "above"} that of ${active} ` +
    `(${watchedMetrics[metric].unit}): worse by more than the margin of ${margin}, with ${digits(100 * (1 - alpha))} % certainty at any look.`
  )
}

const sentences: Readonly<Record<WatchedMetric, string>> = {
  approval: "Approval",
  technical_failures: "The share of technical failures",
  cost: "The cost",
  latency: "The waiting time",
  disputes: "The share of disputes",
}

const digits = (value: number): number => Number(value.toPrecision(4))
