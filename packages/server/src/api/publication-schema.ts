// The wire format of publications to a share: what is asked of them, and what has been learned; and of a policy's history.

import { Type, type Static } from "typebox"
import { watchedMetrics, type WatchedMetric } from "../routing/evidence.ts"
import { policyActs } from "../storage/resources/policy-history.ts"
import { trialEnds } from "../storage/resources/trials.ts"
import { closed, nullable, Time, words } from "./schema.ts"

/** Disputes come weeks later: no publication waits for them. */
export const guardedMetrics = (Object.keys(watchedMetrics) as WatchedMetric[]).filter((one) => one !== "disputes")

export const Note = Type.String({ maxLength: 500, description: "Why, for whoever reads the history. Empty if absent." })

const GuardrailSchema = closed({
  metric: words(guardedMetrics),
  margin: Type.Number({
    minimum: 0,
    description:
      "How much worse than the version in force is borne. Shares are from 0 to 1 (0.005 is half a point), cost is a share of the amount, " +
      "latency is in milliseconds.",
  }),
})

export const Guardrails = Type.Array(GuardrailSchema, {
  maxItems: guardedMetrics.length,
  description:
    "When the version is withdrawn by itself. Without it, the usual ones, which the answer shows; empty: never.",
})

const Side = Type.Object({
  payments: Type.Integer({ description: "With a value of this metric." }),
  mean: nullable(Type.Number()),
})

export const PublicationResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("publication"),
    candidate_version: Type.Integer(),
    active_version: Type.Integer(),
    share_bps: Type.Integer(),
    state: words(
      ["running", ...trialEnds],
      "`stopped`: by its guardrails. `replaced`: by another share or version. `retired`: another policy is in force.",
    ),
    published_by: Type.String({ description: "An API key." }),
    published_at: Time,
    note: Type.String(),
    ended_at: nullable(Time),
    ended_by: nullable(Type.String({ description: "An API key; null where guardrails acted." })),
    stopped_at: nullable(Time),
    why: nullable(Type.String({ description: "Why its guardrails stopped it." })),
    reason: Type.Unknown({ description: "The same in figures, as they stood then; null where nothing was stopped." }),
    guardrails: Type.Array(Type.Object({ metric: Type.String(), margin: Type.Number(), unit: Type.String() })),
    certainty: Type.Number({
      description: "Of all stops together, and of all intervals together, however often anybody looks.",
    }),
    payments: Type.Object(
      { active: Type.Integer(), candidate: Type.Integer(), left_out: Type.Integer() },
      {
        description:
          "`left_out`: the version of their share did not decide them (it was not in force yet, or they are pinned to an account).",
      },
    ),
    sample_ratio: Type.Object({ is_broken: Type.Boolean(), log_evidence: Type.Number() }),
    comparisons: Type.Array(
      Type.Object({
        metric: Type.String(),
        unit: Type.String(),
        active: Side,
        candidate: Side,
        difference: nullable(Type.Number({ description: "Candidate − active." })),
        interval: Type.Union([Type.Object({ low: Type.Number(), high: Type.Number() }), Type.Null()], {
          description: "Holds at all times at once.",
        }),
        verdict: words(["better", "worse", "no_verdict"]),
        margin: nullable(Type.Number()),
        is_within_margin: nullable(
          Type.Boolean({ description: "Certainly not worse than the margin. False: not known yet, or worse." }),
        ),
        cut: Type.Integer({ description: "Values beyond the metric's range, counted as its end." }),
      }),
    ),
  },
  {
    description: "A version beside the one in force, and what its payments tell. See docs/evidence.md.",
  },
)
export type PublicationResource = Static<typeof PublicationResource>

export const PolicyHistoryLineResource = Type.Object(
  {
    object: Type.Literal("policy_history_line"),
    version: Type.Integer({ description: "The ETag that the act made." }),
    act: words(
      policyActs,
      "`activated`: in force for all payments; `published`: for a share; `promoted`: from its share to all; `withdrawn`: by a person; " +
        "`stopped`: by its guardrails; `retired`: another policy came into force; `shadowed`, `shadow_ended`: it decides without acting, or no more; " +
        "`experiment_started`, `experiment_stopped`: its versions are the arms of one.",
    ),
    policy_version: nullable(Type.Integer({ description: "The version of the document that this is about." })),
    share_bps: nullable(Type.Integer()),
    by: nullable(Type.String({ description: "An API key; null where nobody acted but guardrails." })),
    note: Type.String(),
    reason: Type.Unknown(),
    at: Time,
  },
  { $id: "PolicyHistoryLine" },
)
export type PolicyHistoryLineResource = Static<typeof PolicyHistoryLineResource>
