// The SQL of facts, in the words that DuckDB and ClickHouse share: integer minutes, sums, `group by`, `having`. A dialect says
// only what differs. Every name is one of insight/facts.ts and quoted, every value a parameter.

import assert from "node:assert/strict"
import { facts, type FactName } from "../../insight/facts.ts"
import { MAX_BUCKETS, MAX_GROUPS, type FactQuery } from "../../insight/fact-query.ts"

export type ColumnType = "text" | "whole" | "sum" | "wide" | "bucket"
export type Column = { readonly name: string; readonly type: ColumnType; readonly nullable: boolean }

export type Dialect = {
  readonly types: Readonly<Record<ColumnType, string>>
  /** A sum that cannot wrap around. */
  sum(expression: string): string
}

export type Select = { readonly text: string; readonly values: readonly (string | number)[] }

/** What every row has: which fact it is of, whether it adds or takes back, and when. */
const head: readonly Column[] = [
  { name: "id", type: "text", nullable: false },
  { name: "payment", type: "text", nullable: false },
  { name: "version", type: "whole", nullable: false },
  { name: "sign", type: "whole", nullable: false },
  // Of two rows of a fact the later one; versions may be equal, where a fact says more of the same payment.
  { name: "batch", type: "whole", nullable: false },
  { name: "minute", type: "whole", nullable: false },
  { name: "started_at", type: "whole", nullable: false },
  { name: "settled_at", type: "whole", nullable: true },
]

export const tableOf = { attempt: "attempt_facts", payment: "payment_facts" } as const satisfies Record<
  FactName,
  string
>

/** In the order of the table. */
export function tableColumns(fact: FactName): readonly Column[] {
  const { dimensions, measures, times } = facts[fact]
  const columns: Column[] = [
    ...head,
    ...Object.entries(dimensions).map(([name, { type }]): Column => ({ name, type, nullable: true })),
    ...Object.entries(measures).map(([name, { unit }]): Column => ({
      name,
      type: unit === "minor²" ? "wide" : "sum",
      nullable: false,
    })),
    ...Object.keys(times).map((name): Column => ({ name, type: "bucket", nullable: true })),
  ]
  assert.equal(new Set(columns.map(({ name }) => name)).size, columns.length, "every column has a name of its own")
  return columns
}

export function createTable(fact: FactName, { types }: Dialect): string {
  const columns = tableColumns(fact).map(
    ({ name, type, nullable }) => `${quoted(name)} ${types[type]}${nullable ? "" : " not null"}`,
  )
  return `create table ${tableOf[fact]} (${columns.join(", ")})`
}

/** One row per group: step, key, `n` rows, the sums. */
export function sumsQuery(query: FactQuery, dialect: Dialect): Select {
  const { sums, groupBy } = query
  known(query.fact, "measures", sums)
  const { where, values } = condition(query)
  const columns = [
    `${stepOf(query)} as "step"`,
    ...groupBy.map(quoted),
    `${dialect.sum(quoted("sign"))} as "n"`,
    ...sums.map((name) => `${dialect.sum(quoted(name))} as ${quoted(`sum ${name}`)}`),
  ]
  const text = `select ${columns.join(", ")} from ${tableOf[query.fact]} where ${where}
    ${groupedBy(query)} having ${dialect.sum(quoted("sign"))} > 0 limit ${MAX_GROUPS + 1}`
  return { text, values }
}

/** One row per group and bucket: step, key, bucket, count; by bucket. */
export function bucketsQuery(query: FactQuery, time: string, dialect: Dialect): Select {
  known(query.fact, "times", [time])
  const { where, values } = condition(query)
  const columns = [
    `${stepOf(query)} as "step"`,
    ...query.groupBy.map(quoted),
    `${quoted(time)} as "bucket"`,
    `${dialect.sum(quoted("sign"))} as "n"`,
  ]
  const text = `select ${columns.join(", ")} from ${tableOf[query.fact]} where ${where} and ${quoted(time)} is not null
    ${groupedBy(query, quoted(time))} having ${dialect.sum(quoted("sign"))} <> 0
    order by ${quoted(time)} limit ${MAX_BUCKETS + 1}`
  return { text, values }
}

/** One row per group: step, key, and in how many hours the measure's sum is above zero. */
export function hoursQuery(query: FactQuery, measure: string, dialect: Dialect): Select {
  known(query.fact, "measures", [measure])
  const { where, values } = condition(query)
  const names = ['"step"', ...query.groupBy.map(quoted)].join(", ")
  const hour = `${quoted("minute")} - ${quoted("minute")} % 60`
  const columns = [`${stepOf(query)} as "step"`, ...query.groupBy.map(quoted), `${hour} as "hour"`]
  const text = `select ${names}, count(*) as "hours" from (
      select ${columns.join(", ")} from ${tableOf[query.fact]} where ${where}
      ${groupedBy(query, hour)} having ${dialect.sum(quoted(measure))} > 0
    ) as "seen" group by ${names} limit ${MAX_GROUPS + 1}`
  return { text, values }
}

function stepOf({ step, from }: FactQuery): string {
  return step === undefined ? String(whole(from)) : `${quoted("minute")} - ${quoted("minute")} % ${whole(step)}`
}

/** Nothing to group by is one group; a number in a `group by` would be the place of a column. */
function groupedBy(query: FactQuery, ...more: readonly string[]): string {
  known(query.fact, "dimensions", query.groupBy)
  const parts = [...(query.step === undefined ? [] : [stepOf(query)]), ...query.groupBy.map(quoted), ...more]
  return parts.length === 0 ? "" : `group by ${parts.join(", ")}`
}

function condition({ fact, filter, from, to }: FactQuery): {
  readonly where: string
  readonly values: Select["values"]
} {
  known(
    fact,
    "dimensions",
    filter.map(({ dimension }) => dimension),
  )
  const values: (string | number)[] = []
  const parts = filter.map(({ dimension, among, not = false }) => {
    const name = quoted(dimension)
    const told = among.filter((value) => value !== null)
    values.push(...told)
    const either = [
      ...(told.length === 0 ? [] : [`${name} in (${told.map(() => "?").join(", ")})`]),
      ...(told.length < among.length ? [`${name} is null`] : []),
    ]
    // What is not known is not among the known ones: `not in` alone would drop it.
    const inside = either.length === 0 ? "1 = 0" : either.join(" or ")
    return not ? `(case when ${inside} then 0 else 1 end) = 1` : `(${inside})`
  })
  const range = `${quoted("minute")} >= ${whole(from)} and ${quoted("minute")} < ${whole(to)}`
  return { where: [range, ...parts].join(" and "), values }
}

function known(fact: FactName, kind: "dimensions" | "measures" | "times", names: readonly string[]): void {
  for (const name of names) assert(Object.hasOwn(facts[fact][kind], name), `${name} is none of the ${kind} of ${fact}`)
}

function whole(value: number): number {
  assert(Number.isSafeInteger(value) && value >= 0, `a whole number: ${value}`)
  return value
}

const quoted = (name: string): string => `"${name}"`
