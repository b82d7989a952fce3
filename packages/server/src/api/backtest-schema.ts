// The wire format of backtests.

import { Type, type Static } from "typebox"
import { metrics } from "../routing/evidence.ts"
import { backtestStates } from "../storage/resources/backtests.ts"
import { closed, Time, words } from "./schema.ts"

/** Payments that one backtest reads at most. */
export const MAX_BACKTEST_RECORDS = 1_000_000
const USUAL_RECORDS = 200_000

export const BacktestCreate = closed(
  {
    version: Type.Integer({ minimum: 1, maximum: 1_000_000, description: "Of the policy; it need not be in force." }),
    from: { ...Time, description: "Payments created from this time on." },
    until: { ...Time, description: "Payments created before this time." },
    max_records: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_BACKTEST_RECORDS,
        default: USUAL_RECORDS,
        description: `The newest of them, at most so many; ${USUAL_RECORDS} if it is not said.`,
      }),
    ),
  },
  {
    $id: "BacktestCreate",
    examples: [{ version: 4, from: "2026-11-01T00:00:00Z", until: "2026-12-01T00:00:00Z" }],
  },
)
export type BacktestCreate = Static<typeof BacktestCreate>
export const recordsAsked = ({ max_records: asked }: BacktestCreate): number => asked ?? USUAL_RECORDS

const Interval = Type.Object({ low: Type.Number(), high: Type.Number() })
const Estimate = Type.Object(
  {
    told: Type.Boolean({ description: "Whether the records can tell." }),
    why_not: Type.Union([Type.String(), Type.Null()]),
    records: Type.Integer({ description: "Those whose outcome is known." }),
    logged: Type.Union([Type.Number(), Type.Null()], { description: "As it was." }),
    draft: Type.Union([Type.Number(), Type.Null()], { description: "As it would have been." }),
    draft_interval: Type.Union([Interval, Type.Null()]),
    difference: Type.Union([Type.Number(), Type.Null()]),
    difference_interval: Type.Union([Interval, Type.Null()]),
  },
  {
    description:
      "Means over payments: latency in milliseconds, cost as a share of the amount. Intervals at 95 %: see docs/evidence.md.",
  },
)
const tally = (columns: readonly string[]) =>
  Type.Array(Type.Object({ name: Type.String(), ...Object.fromEntries(columns.map((name) => [name, Type.Number()])) }))

export const BacktestReportResource = Type.Object({
  records: Type.Integer(),
  truncated: Type.Boolean({ description: "There were more than `max_records`." }),
  skipped: Type.Record(Type.String(), Type.Integer(), {
    description: "Payments that are no record, by reason. They are in no other number.",
  }),
  moved: Type.Number({
    description:
      "Payments that the draft sends elsewhere. Like all counts by account, flow, rule and segment it is what the dice of both policies lead to on average, in hundredths: whole only where neither has dice.",
  }),
  accounts: tally(["before", "after"]),
  flows: tally(["moved"]),
  rules: tally(["payments", "moved"]),
  segments: tally(["payments", "moved"]),
  overlap: Type.Object({
    moved: Type.Number({ description: "Share of payments." }),
    never_logged: Type.Number({
      description: "Share of the draft's decisions that the records never, or hardly ever, took.",
    }),
    declined_early: Type.Number(),
    effective_sample: Type.Number({ description: "How many equally heavy records all are worth." }),
    moved_sample: Type.Number({ description: "How many of those speak for what moves." }),
    largest_weight: Type.Number(),
  }),
  estimates: Type.Object(
    Object.fromEntries(metrics.map((metric) => [metric, Estimate])) as Record<string, typeof Estimate>,
  ),
  approval_bounds: {
    ...Interval,
    description: "The difference in approval lies between these, whatever the accounts would have done.",
  },
})

export const BacktestResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("backtest"),
    mode: words(["live", "test"]),
    policy: Type.String(),
    version: Type.Integer(),
    from: Time,
    until: Time,
    max_records: Type.Integer(),
    state: words(backtestStates),
    records: Type.Integer({ description: "Read so far." }),
    error: Type.Union([Type.String(), Type.Null()]),
    report: Type.Union([BacktestReportResource, Type.Null()]),
    created_at: Time,
    ended_at: Type.Union([Time, Type.Null()]),
  },
  { $id: "Backtest" },
)
export type BacktestResource = Static<typeof BacktestResource>
