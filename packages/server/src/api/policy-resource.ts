// A policy with its latest publication to a share, as it is shown.

import { rfc3339 } from "../core/instant.ts"
import { whyStopped, type ReasonDocument } from "../engine/trial-reason.ts"
import { stateOf, type TrialTally } from "../engine/trials.ts"
import { resultsOf, watchedMetrics, type Comparison, type Experiment } from "../routing/evidence.ts"
import { ALL_BPS } from "../routing/policy-share.ts"
import type { PolicyRow } from "../storage/resources/policies.ts"
import { latestTrialOf, type TrialRow } from "../storage/resources/trials.ts"
import type { Api } from "./context.ts"
import type { PolicyResource } from "./policy-schema.ts"
import type { PublicationResource } from "./publication-schema.ts"

export const policyResource = (row: PolicyRow): PolicyResource => ({
  id: row.id,
  object: "policy",
  mode: row.mode,
  name: row.name,
  active_version: row.active ?? null,
  candidate: row.candidate === undefined ? null : { version: row.candidate.version, share_bps: row.candidate.bps },
  version: row.version,
  created_at: rfc3339(row.createdAt),
  updated_at: rfc3339(row.updatedAt),
})

export async function policyWithPublication(api: Api, row: PolicyRow): Promise<PolicyResource> {
  const trial = await latestTrialOf(api.database, row.merchant, row.id)
  return { ...policyResource(row), publication: trial === undefined ? null : publicationResource(trial) }
}

function publicationResource(row: TrialRow): PublicationResource {
  const { ended, experiment: asked, tally } = row
  const experiment = asked as Experiment
  const [active, candidate] = experiment.arms as [Experiment["arms"][number], Experiment["arms"][number]]
  const { arms, sampleRatio, comparisons } = resultsOf(stateOf(row))
  const reason = ended?.reason as ReasonDocument | undefined
  return {
    id: row.id,
    object: "publication",
    candidate_version: candidate.policyVersion,
    active_version: active.policyVersion,
    share_bps: Math.round(candidate.share * ALL_BPS),
    state: ended?.as ?? "running",
    published_by: row.author,
    published_at: rfc3339(row.createdAt),
    note: row.note,
    ended_at: ended === undefined ? null : rfc3339(ended.at),
    ended_by: ended?.by ?? null,
    stopped_at: ended?.as === "stopped" ? rfc3339(ended.at) : null,
    why: reason === undefined ? null : whyStopped(experiment, reason),
    reason: reason ?? null,
    guardrails: experiment.guardrails.map(({ metric, margin }) => ({
      metric,
      margin,
      unit: watchedMetrics[metric].unit,
    })),
    certainty: 1 - experiment.alpha,
    payments: {
      active: arms[0]!.units,
      candidate: arms[1]!.units,
      left_out: (tally as TrialTally).leftOut,
    },
    sample_ratio: { is_broken: sampleRatio.isBroken, log_evidence: sampleRatio.logEvidence },
    comparisons: comparisons.map((one) => comparisonResource(one, experiment)),
  }
}

const comparisonResource = (
  { metric, control, treated, difference, interval, verdict, isWithinMargin, cut }: Comparison,
  { guardrails }: Experiment,
): PublicationResource["comparisons"][number] => ({
  metric,
  unit: watchedMetrics[metric].unit,
  active: { payments: control.n, mean: control.mean ?? null },
  candidate: { payments: treated.n, mean: treated.mean ?? null },
  difference: difference ?? null,
  interval: interval ?? null,
  verdict,
  margin: guardrails.find((one) => one.metric === metric)?.margin ?? null,
  is_within_margin: isWithinMargin ?? null,
  cut,
})
