// Why a trial was stopped, as it is stored and told: in figures, and in a sentence.

import { watchedMetrics, type Experiment, type StopReason, type WatchedMetric } from "../routing/evidence.ts"

export type ReasonDocument =
  | {
      readonly kind: "guardrail"
      readonly arm: string
      readonly metric: WatchedMetric
      readonly margin: number
      /** Treated − control, when it was stopped. */
      readonly difference: number
    }
  | { readonly kind: "sample_ratio"; readonly log_evidence: number }
  | { readonly kind: "max_units" }
  | { readonly kind: "person"; readonly by: string; readonly note: string }

export function reasonDocument(reason: StopReason): ReasonDocument {
  switch (reason.kind) {
    case "guardrail": {
      const { kind, arm, metric, margin, difference } = reason
      return { kind, arm, metric, margin, difference: digits(difference) }
    }
    case "sample_ratio":
      return { kind: reason.kind, log_evidence: digits(reason.logEvidence) }
    case "max_units":
    case "person":
      return reason
    default:
      return reason satisfies never
  }
}

export function whyStopped({ arms, alpha, maxUnits }: Experiment, reason: ReasonDocument): string {
  switch (reason.kind) {
    case "sample_ratio":
      return "The arms do not have the shares of payments that they should have: no comparison of them means anything."
    case "max_units":
      return `It has had the ${maxUnits} units that it was planned for.`
    case "person":
      return reason.note === "" ? "Somebody stopped it." : reason.note
    case "guardrail": {
      const { metric, margin, difference } = reason
      const treated = arms.find(({ name }) => name === reason.arm)
      return (
        `${sentences[metric]} of version ${treated?.policyVersion} is ${digits(Math.abs(difference))} ${difference < 0 ? "below" : "above"} ` +
        `that of version ${arms[0]!.policyVersion} (${watchedMetrics[metric].unit}): worse by more than the margin of ${margin}, ` +
        `with ${digits(100 * (1 - alpha))} % certainty at any look.`
      )
    }
    default:
      return reason satisfies never
  }
}

const sentences: Readonly<Record<WatchedMetric, string>> = {
  approval: "Approval",
  technical_failures: "The share of technical failures",
  cost: "The cost",
  latency: "The waiting time",
  disputes: "The share of disputes",
}

const digits = (value: number): number => Number(value.toPrecision(4))
