// /v1/metrics: what there is to ask, and the answers, as JSON or as a table for a spreadsheet.

import { Type, type Static } from "typebox"
import { Fault, invalid } from "../core/fault.ts"
import { given } from "../core/given.ts"
import { rfc3339 } from "../core/instant.ts"
import type { Freshness } from "../engine/fact-feed.ts"
import type { FactFilter, FactSums } from "../insight/fact-query.ts"
import { facts } from "../insight/facts.ts"
import {
  answerOf,
  checkQuestion,
  comparisons,
  dimensionsOf,
  granularities,
  IMMATURE_SHARE,
  metrics,
  queriesOf,
  type AnswerRow,
  type Question,
  type Reading,
} from "../insight/question.ts"
import { callerOf } from "./context.ts"
import { metricsTable } from "./metrics-table.ts"
import { closed, Text, Time, words } from "./schema.ts"
import { readTime } from "./time.ts"
import type { Routes } from "./routes.ts"

const MAX_METRICS = 20
const MAX_GROUP_BY = 4
const MAX_FILTERS = 20
const MAX_VALUES = 200
const DAY_MS = 86_400_000
/** Facts that are built for the first time: about how long to wait (ms). */
const BUILDING_RETRY_MS = 5_000

const steps = ["minute", "hour", "day"] as const satisfies readonly (keyof typeof granularities)[]
const tags = ["Metrics"]

/** Its type depends on the dimension, which `checkQuestion` knows. */
const Value = Type.Unsafe<unknown>({})

export const MetricsQuery = closed(
  {
    metrics: Type.Array(Text(60), { minItems: 1, maxItems: MAX_METRICS, uniqueItems: true }),
    group_by: Type.Optional(
      Type.Array(Text(40), { maxItems: MAX_GROUP_BY, uniqueItems: true, description: "Dimensions." }),
    ),
    filter: Type.Optional(
      Type.Array(
        closed({
          dimension: Text(40),
          values: Type.Array(Value, {
            minItems: 1,
            maxItems: MAX_VALUES,
            description: "Any of these: texts, or whole numbers where the dimension is one; null is what is not known.",
          }),
          not: Type.Optional(Type.Boolean({ description: "None of these instead." })),
        }),
        { maxItems: MAX_FILTERS, description: "All must hold." },
      ),
    ),
    from: Type.Optional({ ...Time, description: "Attempts that began then or later. A day before `to` if absent." }),
    to: Type.Optional({ ...Time, description: "And before this. Now if absent. Both are widened to whole minutes." }),
    granularity: Type.Optional(words(steps, "Steps in UTC. Without it the range is one.")),
    compare: Type.Optional(words(comparisons, "Adds the same numbers of an earlier range as `compared`.")),
  },
  {
    $id: "MetricsQuery",
    examples: [{ metrics: ["attempt_success", "provider_time_p95"], group_by: ["provider"], granularity: "hour" }],
  },
)

const NumberOrNull = Type.Unsafe<number | null>({ type: ["number", "null"] })
const Interval = Type.Unsafe<{ low: number; high: number } | null>({
  type: ["object", "null"],
  properties: { low: { type: "number" }, high: { type: "number" } },
  description: "95 %; null where it is no sample of anything, or there is nothing.",
})
const ReadingPart = Type.Object({
  value: NumberOrNull,
  count: Type.Number({ description: "What the value rests on." }),
  interval: Interval,
})
const Values = Type.Record(Type.String(), ReadingPart)
const FreshnessPart = Type.Object({
  complete_until: Type.Union([Time, Type.Null()], { description: "What was committed until then is counted." }),
  lag_ms: NumberOrNull,
  lag_ms_p50: NumberOrNull,
  lag_ms_p99: NumberOrNull,
})

export const MetricsAnswer = Type.Object(
  {
    object: Type.Literal("metrics"),
    from: Time,
    to: Time,
    data: Type.Array(
      Type.Object({
        from: Time,
        to: Time,
        group: Type.Record(Type.String(), Type.Unsafe<string | number | null>({ type: ["string", "number", "null"] })),
        immature: Type.Boolean({
          description: `More than ${IMMATURE_SHARE * 100} % has no verdict yet, or not all has arrived: what falls here may only be late.`,
        }),
        undecided: Type.Record(Type.String(), Type.Number(), { description: "Attempts, payments without a verdict." }),
        values: Values,
        compared: Type.Optional(Values),
      }),
    ),
    freshness: FreshnessPart,
  },
  { $id: "MetricsAnswer" },
)

const Dimension = Type.Object({ name: Type.String(), type: words(["text", "whole"]), meaning: Type.String() })
export const MetricList = Type.Object(
  {
    data: Type.Array(
      Type.Object({
        id: Type.String(),
        name: Type.String(),
        about: words(["attempt", "payment"]),
        unit: Type.String(),
        better: words(["higher", "lower", "neither"]),
        excludes: Type.String(),
        whose: Type.String({ description: "Whose failure a bad value is." }),
      }),
    ),
    dimensions: Type.Object({ attempt: Type.Array(Dimension), payment: Type.Array(Dimension) }),
  },
  { $id: "MetricList" },
)

export const metricsQuery: Routes = (app, api, guard) => {
  app.get(
    "/metrics",
    {
      schema: {
        operationId: "listMetrics",
        tags,
        summary: "List all metrics and dimensions, with what they mean",
        response: { 200: MetricList },
      },
      ...guard("insight:read"),
    },
    async () => Promise.resolve(definitions),
  )

  app.post(
    "/metrics/query",
    {
      schema: {
        operationId: "queryMetrics",
        tags,
        summary: "Ask for metrics by group, filter, range and step",
        description:
          "Of the key's merchant and mode. Every value comes with its count and interval. With `accept: text/csv` the answer is a table.",
        body: MetricsQuery,
        response: {
          200: {
            description: "The numbers.",
            content: { "application/json": { schema: MetricsAnswer }, "text/csv": { schema: Type.String() } },
          },
        },
      },
      ...guard("insight:read"),
    },
    async (request, reply) => {
      const { merchant, mode } = callerOf(request)
      const now = api.engine.clock.now()
      const question = questionOf(request.body, now)
      const own: readonly FactFilter[] = [
        { dimension: "merchant", among: [merchant] },
        { dimension: "mode", among: [mode] },
      ]
      const { freshness, sums } = await api.facts.ask(queriesOf(question, own))
      if (freshness.building !== undefined) throw building(freshness.building)
      const rows = answerOf(question, sums.map(groupsOf), freshness.completeUntil)
      const ids = question.metrics.map(({ id }) => id)
      if (wantsTable(request.headers.accept))
        return reply
          .header("content-type", "text/csv; charset=utf-8")
          .header("content-disposition", 'attachment; filename="metrics.csv"')
          .serializer((text: unknown) => String(text))
          .send(metricsTable(question.groupBy, ids, rows) as never)
      return reply.send(resourceOf(question, rows, freshness, now) as never)
    },
  )
}

function questionOf(body: Static<typeof MetricsQuery>, now: number): Question {
  const to = readTime("#/to", body.to) ?? now
  const from = readTime("#/from", body.from) ?? to - DAY_MS
  const checked = checkQuestion({
    metrics: body.metrics,
    groupBy: body.group_by ?? [],
    filter: (body.filter ?? []).map(({ dimension, values, not }) =>
      given({ dimension, among: values as FactFilter["among"], not }),
    ),
    from,
    to,
    ...given({ granularity: body.granularity, compare: body.compare }),
  })
  if ("errors" in checked) throw new Fault("request.invalid", { errors: checked.errors })
  return checked.question
}

function groupsOf(sums: FactSums) {
  if (sums.kind === "too_many")
    throw invalid(
      "#/group_by",
      "makes more groups than one answer may have: group by less, filter, or take longer steps",
    )
  return sums.groups
}

const building = ({ done, of }: NonNullable<Freshness["building"]>): Fault =>
  new Fault("insight.unavailable", {
    detail: `The facts are being built: ${done} of about ${Math.max(of, done)} payments are read.`,
    retryAfterMs: BUILDING_RETRY_MS,
  })

/** Whoever names the table in its list wants it, unless JSON is named too. */
const wantsTable = (accept: string | undefined): boolean =>
  accept !== undefined && /\btext\/csv\b/i.test(accept) && !/\bapplication\/json\b/i.test(accept)

const time = (minute: number): string => rfc3339(minute * 60_000)

function resourceOf(
  { groupBy, from, to }: Question,
  rows: readonly AnswerRow[],
  { completeUntil, lagP50Ms, lagP99Ms }: Freshness,
  now: number,
): Static<typeof MetricsAnswer> {
  return {
    object: "metrics",
    from: time(from),
    to: time(to),
    data: rows.map((row) => ({
      from: time(row.from),
      to: time(row.to),
      group: Object.fromEntries(groupBy.map((name, index) => [name, row.key[index] ?? null])),
      immature: row.immature,
      undecided: Object.fromEntries(Object.entries(row.undecided).map(([fact, count]) => [`${fact}s`, count])),
      values: valuesOf(row.values),
      ...(row.compared === undefined ? {} : { compared: valuesOf(row.compared) }),
    })),
    freshness: {
      complete_until: completeUntil === undefined ? null : rfc3339(Math.floor(completeUntil)),
      lag_ms: completeUntil === undefined ? null : Math.max(Math.round(now - completeUntil), 0),
      lag_ms_p50: lagP50Ms === undefined ? null : Math.round(lagP50Ms),
      lag_ms_p99: lagP99Ms === undefined ? null : Math.round(lagP99Ms),
    },
  }
}

const valuesOf = (values: Readonly<Record<string, Reading>>) =>
  Object.fromEntries(
    Object.entries(values).map(([id, { value, count, interval }]) => [
      id,
      {
        value: value ?? null,
        count,
        interval: interval === undefined ? null : { low: interval.low, high: interval.high },
      },
    ]),
  )

const dimensions = (fact: "attempt" | "payment") => {
  const columns: Readonly<Record<string, { readonly type: "text" | "whole"; readonly meaning: string }>> =
    facts[fact].dimensions
  return dimensionsOf(fact).map((name) => ({ name, ...columns[name]! }))
}

const definitions: Static<typeof MetricList> = {
  data: metrics.map(({ id, name, fact, unit, better, excludes, whose }) => ({
    id,
    name,
    about: fact,
    unit,
    better,
    excludes,
    whose,
  })),
  dimensions: { attempt: dimensions("attempt"), payment: dimensions("payment") },
}
