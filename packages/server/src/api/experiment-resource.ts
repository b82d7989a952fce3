// An experiment as it is planned over the API, and as it is shown.

import { rfc3339 } from "../core/instant.ts"
import type { ExperimentId } from "../core/id.ts"
import { whyStopped, type ReasonDocument } from "../engine/trial-reason.ts"
import { stateOf, type TrialTally } from "../engine/trials.ts"
import {
  FALSE_STOPS,
  resultsOf,
  usualGuardrails,
  watchedMetrics,
  type Comparison,
  type Experiment,
} from "../routing/evidence.ts"
import { ALL_BPS } from "../routing/policy-share.ts"
import type { TrialRow } from "../storage/resources/trials.ts"
import { USUAL_UNITS, type ExperimentCreate, type ExperimentResource } from "./experiment-schema.ts"

/** Its id is its salt: no two experiments split alike. */
export const plannedExperiment = (id: ExperimentId, body: ExperimentCreate): Experiment => ({
  salt: id,
  unit: body.unit,
  arms: body.arms.map(({ name, version, share_bps: bps }) => ({ name, share: bps / ALL_BPS, policyVersion: version })),
  decidedBy: body.metric ?? "approval",
  guardrails: body.guardrails ?? usualGuardrails,
  alpha: FALSE_STOPS,
  maxUnits: body.max_units ?? USUAL_UNITS,
})

export function experimentResource(row: TrialRow): ExperimentResource {
  const experiment = row.experiment as Experiment
  const { ended, promoted } = row
  const { status, arms, sampleRatio, comparisons } = resultsOf(stateOf(row))
  const reason = ended?.reason as ReasonDocument | undefined
  return {
    id: row.id,
    object: "experiment",
    mode: row.mode,
    name: row.name,
    policy: row.policy,
    unit: experiment.unit,
    metric: experiment.decidedBy,
    state: promoted === undefined ? status : "promoted",
    arms: arms.map(({ name, share, units, repeats }, index) => ({
      name,
      version: experiment.arms[index]!.policyVersion,
      share_bps: Math.round(share * ALL_BPS),
      units,
      repeats,
    })),
    left_out: (row.tally as TrialTally).leftOut,
    guardrails: experiment.guardrails.map(({ metric, margin }) => ({
      metric,
      margin,
      unit: watchedMetrics[metric].unit,
    })),
    certainty: 1 - experiment.alpha,
    max_units: experiment.maxUnits,
    sample_ratio: { is_broken: sampleRatio.isBroken, log_evidence: sampleRatio.logEvidence },
    comparisons: comparisons.map((one) => comparisonResource(one, experiment)),
    created_by: row.author,
    created_at: rfc3339(row.createdAt),
    note: row.note,
    started_by: row.startedBy ?? null,
    started_at: timeOrNull(row.startedAt),
    stopped_by: ended?.by ?? null,
    stopped_at: timeOrNull(ended?.at),
    stopped_as: ended?.as ?? null,
    why: reason === undefined ? null : whyStopped(experiment, reason),
    reason: reason ?? null,
    promoted_by: promoted?.by ?? null,
    promoted_at: timeOrNull(promoted?.at),
    promoted_arm: promoted === undefined ? null : experiment.arms[promoted.arm]!.name,
  }
}

const timeOrNull = (at: number | undefined): string | null => (at === undefined ? null : rfc3339(at))

const comparisonResource = (
  { arm, metric, control, treated, difference, interval, verdict, isWithinMargin, cut }: Comparison,
  { guardrails }: Experiment,
): ExperimentResource["comparisons"][number] => ({
  arm,
  metric,
  unit: watchedMetrics[metric].unit,
  control: { units: control.n, mean: control.mean ?? null },
  treated: { units: treated.n, mean: treated.mean ?? null },
  difference: difference ?? null,
  interval: interval ?? null,
  verdict,
  margin: guardrails.find((one) => one.metric === metric)?.margin ?? null,
  is_within_margin: isWithinMargin ?? null,
  cut,
})
