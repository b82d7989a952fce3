// The wire format of shadows: a version that decides on live payments without acting, and how far it diverges.

import { Type, type Static } from "typebox"
import { Note } from "./publication-schema.ts"
import { closed, nullable, Time, words } from "./schema.ts"

export const ShadowStart = closed(
  {
    version: Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description: "Of the policy, which need not be in force.",
    }),
    note: Type.Optional(Note),
  },
  { $id: "ShadowStart", examples: [{ version: 4, note: "before we publish it" }] },
)

const tally = (columns: readonly string[]) =>
  Type.Array(Type.Object({ name: Type.String(), ...Object.fromEntries(columns.map((name) => [name, Type.Number()])) }))
const Expected = Type.Object(
  {
    payments: Type.Integer({ description: "That differ, and of which both accounts were scored." }),
    unscored: Type.Integer({ description: "That differ, and of which they were not." }),
    per_payment: nullable(
      Type.Number({
        description: "Shadow's account − live's, over all payments; 0 where they agree. In the objective's unit.",
      }),
    ),
  },
  { description: "What one side's scores say of the difference: an expectation, not an outcome." },
)
const Side = Type.Object({ rule: Type.String(), account: nullable(Type.String()) })

export const ShadowResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("shadow"),
    mode: words(["live", "test"]),
    policy: Type.String(),
    version: Type.Integer(),
    state: words(["running", "ended"]),
    started_by: Type.String({ description: "An API key." }),
    started_at: Time,
    note: Type.String(),
    ended_by: nullable(Type.String()),
    ended_at: nullable(Time),
    payments: Type.Integer({ description: "That both decided." }),
    missed: Type.Integer({ description: "Too many waited: they are in no other number." }),
    agreement: Type.Number({ description: "Share of payments that came to the same account; 1 while there are none." }),
    moved: Type.Number({
      description:
        "Payments that the shadow sends elsewhere, by the chances of both; not whole where policies have dice.",
    }),
    accounts: tally(["before", "after"]),
    flows: tally(["moved"]),
    rules: tally(["payments", "moved"]),
    segments: tally(["payments", "moved"]),
    by_live_scores: Expected,
    by_shadow_scores: Expected,
    divergences: Type.Array(Type.Object({ payment: Type.String(), at: Time, live: Side, shadow: Side }), {
      description:
        "The latest 50 payments that came to different accounts, newest first; no account where a rule declines.",
    }),
  },
  { $id: "Shadow", description: "See docs/evidence.md." },
)
export type ShadowResource = Static<typeof ShadowResource>
