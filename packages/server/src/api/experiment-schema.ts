// The wire format of experiments: what is planned, and what has been learned.

import { Type, type Static } from "typebox"
import { MAX_ARMS } from "../routing/evidence.ts"
import { trialEnds } from "../storage/resources/trials.ts"
import { guardedMetrics, Guardrails, Note } from "./publication-schema.ts"
import { closed, Id, nullable, Text, Time, words } from "./schema.ts"

/** Units after which an experiment ends, where nobody says. */
export const USUAL_UNITS = 1_000_000

export const ExperimentCreate = closed(
  {
    name: Text(100),
    policy: Id("pol"),
    arms: Type.Array(
      closed({
        name: Text(60),
        version: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
        share_bps: Type.Integer({ minimum: 50, maximum: 9_950, description: "Of 10,000 units; all sum up to that." }),
      }),
      {
        minItems: 2,
        maxItems: MAX_ARMS,
        description:
          "Versions of the policy. The first is the control: the version that is in force when it is started.",
      },
    ),
    unit: words(
      ["payment", "customer"],
      "What is drawn. A customer stays in an arm; the first payment is evidence, the others are counted. Payments without a customer are in none then.",
    ),
    metric: Type.Optional(words(guardedMetrics, "What decides between them; approval if absent.")),
    guardrails: Type.Optional(Guardrails),
    max_units: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100_000_000,
        default: USUAL_UNITS,
        description: `It ends by itself after so many; ${USUAL_UNITS} if it is not said.`,
      }),
    ),
    note: Type.Optional(Note),
  },
  {
    $id: "ExperimentCreate",
    examples: [
      {
        name: "Adyen first in France",
        policy: "pol_01k7m0c9qv3w8x5y2z4r6t8b1d",
        arms: [
          { name: "as it is", version: 3, share_bps: 5_000 },
          { name: "Adyen first", version: 4, share_bps: 5_000 },
        ],
        unit: "customer",
      },
    ],
  },
)
export type ExperimentCreate = Static<typeof ExperimentCreate>

export const ExperimentAct = closed({ note: Type.Optional(Note) }, { $id: "ExperimentAct", examples: [{}] })
export const ExperimentPromote = closed(
  { arm: Text(60, "Its version comes into force for all payments."), note: Type.Optional(Note) },
  { $id: "ExperimentPromote", examples: [{ arm: "Adyen first" }] },
)

const Side = Type.Object({
  units: Type.Integer({ description: "With a value of this metric." }),
  mean: nullable(Type.Number()),
})

export const ExperimentResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("experiment"),
    mode: words(["live", "test"]),
    name: Type.String(),
    policy: Type.String(),
    unit: words(["payment", "customer"]),
    metric: Type.String(),
    state: words(["planned", "running", "stopped", "promoted"]),
    arms: Type.Array(
      Type.Object({
        name: Type.String(),
        version: Type.Integer(),
        share_bps: Type.Integer(),
        units: Type.Integer(),
        repeats: Type.Integer({ description: "Later payments of its customers: no evidence." }),
      }),
    ),
    left_out: Type.Integer({
      description:
        "Payments that are in no arm: pinned to an account, without the customer that is drawn, or decided without knowing of it.",
    }),
    guardrails: Type.Array(Type.Object({ metric: Type.String(), margin: Type.Number(), unit: Type.String() })),
    certainty: Type.Number({
      description: "Of all stops together, and of all intervals together, however often anybody looks.",
    }),
    max_units: Type.Integer(),
    sample_ratio: Type.Object({ is_broken: Type.Boolean(), log_evidence: Type.Number() }),
    comparisons: Type.Array(
      Type.Object({
        arm: Type.String({ description: "Compared with the control." }),
        metric: Type.String(),
        unit: Type.String(),
        control: Side,
        treated: Side,
        difference: nullable(Type.Number({ description: "Treated − control." })),
        interval: Type.Union([Type.Object({ low: Type.Number(), high: Type.Number() }), Type.Null()], {
          description: "Holds at all times at once.",
        }),
        verdict: words(["better", "worse", "no_verdict"]),
        margin: nullable(Type.Number()),
        is_within_margin: nullable(Type.Boolean()),
        cut: Type.Integer({ description: "Values beyond the metric's range, counted as its end." }),
      }),
    ),
    created_by: Type.String({ description: "An API key." }),
    created_at: Time,
    note: Type.String(),
    started_by: nullable(Type.String()),
    started_at: nullable(Time),
    stopped_by: nullable(Type.String({ description: "An API key; null where it stopped by itself." })),
    stopped_at: nullable(Time),
    stopped_as: nullable(
      Type.String({
        enum: [...trialEnds, null],
        description: "`withdrawn`, `retired`: another version or policy was put in force.",
      }),
    ),
    why: nullable(Type.String({ description: "Why it stopped." })),
    reason: Type.Unknown({ description: "The same in figures, as they stood then." }),
    promoted_by: nullable(Type.String()),
    promoted_at: nullable(Time),
    promoted_arm: nullable(Type.String()),
  },
  { $id: "Experiment", description: "See docs/evidence.md." },
)
export type ExperimentResource = Static<typeof ExperimentResource>
