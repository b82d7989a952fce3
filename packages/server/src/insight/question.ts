// A question about metrics, and its answer: which sums to ask a store of facts for, and what they say. Pure, so that API,
// dashboard and alerts read the same numbers out of the same sums.

import { facts, MAX_TEXT, type FactName } from "./facts.ts"
import type { FactFilter, FactGroup, FactQuery } from "./fact-query.ts"
import { fromRows, merge, type Histogram } from "./histogram/histogram.ts"
import { columnsOf, read, type Aggregate, type Metric, type Reading } from "./metrics/metric.ts"
import { metrics } from "./metrics/metrics.ts"

export { metrics, type Metric, type Reading }

export type Question = {
  readonly metrics: readonly Metric[]
  readonly groupBy: readonly string[]
  readonly filter: readonly FactFilter[]
  /** Whole minutes since the epoch; `to` is not in it. */
  readonly from: number
  readonly to: number
  /** Minutes of a step; undefined: the whole range is one. */
  readonly step?: number
  /** How many minutes earlier the range lies that this one is compared with. */
  readonly shift?: number
}

export type AnswerRow = {
  /** Minutes; the first and the last step of a range may be cut by it. */
  readonly from: number
  readonly to: number
  /** In the order of `groupBy`; null is what is not known. */
  readonly key: readonly (string | number | null)[]
  /** More than IMMATURE_SHARE is without a verdict, or not all of it has arrived: rates may still move. */
  readonly immature: boolean
  readonly undecided: Readonly<Partial<Record<FactName, number>>>
  readonly values: Readonly<Record<string, Reading>>
  readonly compared?: Readonly<Record<string, Reading>>
}

export const IMMATURE_SHARE = 0.01
export const DAY_MINUTES = 1_440
/** Longest range, and what facts are kept for: 25 months. */
export const MAX_RANGE_MINUTES = 762 * DAY_MINUTES
/** Steps of one answer. */
export const MAX_STEPS = 3_000

export const granularities = { minute: 1, hour: 60, day: DAY_MINUTES } as const
export const comparisons = ["previous_period", "previous_day", "previous_week"] as const
export type Comparison = (typeof comparisons)[number]

/** What one may group and filter by: a key sees its own merchant and mode only. */
export const dimensionsOf = (fact: FactName): readonly string[] =>
  Object.keys(facts[fact].dimensions).filter((name) => name !== "merchant" && name !== "mode")

export type Asked = {
  readonly metrics: readonly string[]
  readonly groupBy: readonly string[]
  readonly filter: readonly FactFilter[]
  /** ms; the range is widened to whole minutes. */
  readonly from: number
  readonly to: number
  readonly granularity?: keyof typeof granularities
  readonly compare?: Comparison
}
export type Wrong = { readonly pointer: string; readonly detail: string }

/** The question, or everything that is wrong with it. Pointers are those of the request's body. */
export function checkQuestion(asked: Asked): { readonly question: Question } | { readonly errors: readonly Wrong[] } {
  const errors: Wrong[] = []
  const wrong = (pointer: string, detail: string): void => void errors.push({ pointer, detail })
  const wanted: Metric[] = []
  for (const [index, id] of asked.metrics.entries()) {
    const metric = metrics.find((known) => known.id === id)
    if (metric === undefined) wrong(`#/metrics/${index}`, `is no metric: GET /v1/metrics lists them`)
    else wanted.push(metric)
  }
  const used = [
    ...asked.groupBy.map((dimension, index) => ({ dimension, pointer: `#/group_by/${index}` })),
    ...asked.filter.map(({ dimension }, index) => ({ dimension, pointer: `#/filter/${index}/dimension` })),
  ]
  for (const { dimension, pointer } of used) {
    const without = wanted.find((metric) => !dimensionsOf(metric.fact).includes(dimension))
    if (without !== undefined)
      wrong(pointer, `is no dimension of ${without.fact}s, which ${without.id} is about: GET /v1/metrics lists them`)
  }
  for (const [index, { dimension, among }] of asked.filter.entries())
    for (const [at, value] of among.entries())
      if (!fits(dimension, value)) wrong(`#/filter/${index}/values/${at}`, mustBe[typeOf(dimension)])
  for (const [index, metric] of wanted.entries())
    if (metric.unit.startsWith("minor") && !ofOneCurrency(asked))
      wrong(`#/metrics/${index}`, "is money: group by currency, or filter on one")
  const [from, to] = [Math.floor(asked.from / 60_000), Math.ceil(asked.to / 60_000)]
  const length = to - from
  const step = asked.granularity === undefined ? undefined : granularities[asked.granularity]
  if (from < 0) wrong("#/from", "is before the epoch")
  if (length <= 0) wrong("#/to", "must be later than from")
  else if (length > MAX_RANGE_MINUTES) wrong("#/from", "is more than 25 months before to")
  else if (step !== undefined && length / step > MAX_STEPS)
    wrong("#/granularity", `makes ${Math.ceil(length / step)} steps of this range; ${MAX_STEPS} are the most`)
  const shift = asked.compare === undefined ? undefined : shiftOf(asked.compare, length)
  if (shift !== undefined && from - shift < 0) wrong("#/compare", "is before the epoch")
  if (shift !== undefined && step !== undefined && shift % step !== 0)
    wrong("#/compare", "does not fall on the same steps: choose a range of whole steps, or previous_week")
  if (errors.length > 0) return { errors }
  const { groupBy, filter } = asked
  return {
    question: {
      metrics: wanted,
      groupBy,
      filter,
      from,
      to,
      ...(step === undefined ? {} : { step }),
      ...(shift === undefined ? {} : { shift }),
    },
  }
}

/** For each fact that is asked about a query, and one for what it is compared with. */
export function queriesOf(question: Question, always: readonly FactFilter[]): readonly FactQuery[] {
  const { groupBy, filter, from, to, step, shift } = question
  return factsOf(question).flatMap((fact) => {
    const wanted = question.metrics.filter((metric) => metric.fact === fact)
    const columns = wanted.map(columnsOf)
    const weight = wanted.map(({ formula }) => formula).find((formula) => formula.kind === "weight")
    const query: FactQuery = {
      fact,
      sums: unique([rows[fact], "undecided", ...columns.flatMap(({ sums }) => sums)]),
      times: unique(columns.flatMap(({ times }) => times)),
      groupBy,
      filter: [...always, ...filter],
      from,
      to,
      ...(step === undefined ? {} : { step }),
      ...(weight === undefined ? {} : { hoursOf: weight.frequency }),
    }
    return shift === undefined ? [query] : [query, { ...query, from: from - shift, to: to - shift }]
  })
}

/** `groups` answer the queries in their order; `completeUntil` in ms. */
export function answerOf(
  question: Question,
  groups: readonly (readonly FactGroup[])[],
  completeUntil: number | undefined,
): readonly AnswerRow[] {
  const { shift = 0, from, to, step } = question
  const lists = factsOf(question).map((fact, index) => {
    if (question.shift === undefined) return { fact, now: byName(groups[index]!), before: byName([]) }
    const earlier = groups[2 * index + 1]!.map((group) => ({ ...group, step: group.step + shift }))
    return { fact, now: byName(groups[2 * index]!), before: byName(earlier) }
  })
  const names = new Map<string, FactGroup>()
  for (const { now, before } of lists) for (const [name, group] of [...now, ...before]) names.set(name, group)
  const readAll = (when: "now" | "before") => {
    const wholes = lists.map((list) => wholeOf([...list[when].values()]))
    return (name: string, group: FactGroup): Readonly<Record<string, Reading>> =>
      Object.fromEntries(
        question.metrics.map((metric) => {
          const index = lists.findIndex(({ fact }) => fact === metric.fact)
          const hours = hoursIn(question, group)
          const whole = wholes[index]!.get(group.step)
          const own = aggregateOf(metric, lists[index]![when].get(name), hours)
          return [metric.id, read(metric, own, aggregateOf(metric, whole, hours))]
        }),
      )
  }
  const [readNow, readBefore] = [readAll("now"), readAll("before")]
  return [...names]
    .map(([name, group]): AnswerRow => {
      const start = Math.max(group.step, from)
      const end = step === undefined ? to : Math.min(group.step + step, to)
      const open = lists.map(({ fact, now }) => {
        const sums = now.get(name)?.sums
        return { fact, undecided: Number(sums?.["undecided"] ?? 0n), all: Number(sums?.[rows[fact]] ?? 0n) }
      })
      return {
        from: start,
        to: end,
        key: group.key,
        immature:
          completeUntil === undefined ||
          end * 60_000 > completeUntil ||
          open.some(({ undecided, all }) => undecided > all * IMMATURE_SHARE),
        undecided: Object.fromEntries(open.map(({ fact, undecided }) => [fact, undecided])),
        values: readNow(name, group),
        ...(question.shift === undefined ? {} : { compared: readBefore(name, group) }),
      }
    })
    .toSorted((a, b) => a.from - b.from || compareTexts(JSON.stringify(a.key), JSON.stringify(b.key)))
}

const rows = { attempt: "attempts", payment: "payments" } as const

const factsOf = ({ metrics: wanted }: Question): readonly FactName[] => unique(wanted.map(({ fact }) => fact))

const unique = <T>(values: readonly T[]): readonly T[] => [...new Set(values)]

const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function typeOf(dimension: string): "whole" | "text" {
  const columns: Readonly<Record<string, { readonly type: "whole" | "text" }>> = {
    ...facts.attempt.dimensions,
    ...facts.payment.dimensions,
  }
  return columns[dimension]?.type ?? "text"
}

const mustBe = {
  whole: "must be a whole number or null",
  text: `must be a text of at most ${MAX_TEXT} characters or null`,
} as const

function fits(dimension: string, value: unknown): boolean {
  if (value === null) return true
  return typeOf(dimension) === "whole"
    ? Number.isSafeInteger(value)
    : typeof value === "string" && value.length <= MAX_TEXT && value.isWellFormed()
}

const ofOneCurrency = ({ groupBy, filter }: Asked): boolean =>
  groupBy.includes("currency") ||
  filter.some(({ dimension, among, not }) => dimension === "currency" && among.length === 1 && not !== true)

function shiftOf(compare: Comparison, length: number): number {
  switch (compare) {
    case "previous_period":
      return length
    case "previous_day":
      return DAY_MINUTES
    case "previous_week":
      return 7 * DAY_MINUTES
    default:
      return compare satisfies never
  }
}

const byName = (groups: readonly FactGroup[]): ReadonlyMap<string, FactGroup> =>
  new Map(groups.map((group) => [JSON.stringify([group.step, group.key]), group]))

/** Hours that the group's time touches, which it may have been seen in. */
function hoursIn({ from, to, step }: Question, group: FactGroup): number {
  const end = step === undefined ? to : Math.min(group.step + step, to)
  return Math.ceil(end / 60) - Math.floor(Math.max(group.step, from) / 60)
}

function aggregateOf(metric: Metric, group: FactGroup | undefined, hours: number): Aggregate {
  const { sums, times } = columnsOf(metric)
  return {
    sums: Object.fromEntries(sums.map((name) => [name, group?.sums[name] ?? 0n])),
    histograms: Object.fromEntries(times.map((name) => [name, fromRows(group?.times[name] ?? [])])),
    ...(group?.hours === undefined ? {} : { hours: { seen: group.hours, all: hours } }),
  }
}

/** What all groups of a step come to: what shares are of. */
function wholeOf(groups: readonly FactGroup[]): ReadonlyMap<number, FactGroup> {
  const wholes = new Map<number, FactGroup>()
  for (const [step, all] of Map.groupBy(groups, (group) => group.step)) {
    const sums: Record<string, bigint> = {}
    for (const group of all)
      for (const [name, value] of Object.entries(group.sums)) sums[name] = (sums[name] ?? 0n) + value
    const times = Object.fromEntries(
      Object.keys(all[0]!.times).map((name) => {
        const merged: Histogram = merge(all.map((group) => fromRows(group.times[name] ?? [])))
        return [name, [...merged]]
      }),
    )
    wholes.set(step, { step, key: [], sums, times })
  }
  return wholes
}
