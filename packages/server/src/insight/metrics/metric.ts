// What a metric is: a formula over the columns of one fact, and how to read its value out of sums that any store can make
// (`select sum(approved), sum(settled) … group by …`). Value, count and interval come from here alone, so that API,
// dashboard, alerts and documentation cannot disagree.

import type { FactName, Measure, Time } from "../facts.ts"
import { countOf, quantileInterval, quantileOf, type Histogram } from "../histogram/histogram.ts"
import { poisson, ratio, wilson, type Interval } from "../statistics/interval.ts"

export type Formula<F extends FactName> =
  /** k of n rows: Wilson's interval. */
  | { readonly kind: "proportion"; readonly of: Measure<F>; readonly among: Measure<F> }
  /** What a group holds of the whole that was asked for: Wilson's interval. */
  | { readonly kind: "share"; readonly of: Measure<F> }
  /** Σx/Σy with y 0 or 1: delta method, from Σx² and Σxy over the `rows` that count. */
  | {
      readonly kind: "ratio"
      readonly of: Measure<F>
      readonly over: Measure<F>
      readonly squares: Measure<F>
      readonly products: Measure<F>
      readonly rows: Measure<F>
    }
  /** Σx/Σy of exact sums that are no sample of anything: no interval. */
  | { readonly kind: "quotient"; readonly of: Measure<F>; readonly over: Measure<F> }
  /** How many: the interval is of the rate behind it (Poisson). */
  | { readonly kind: "count"; readonly of: Measure<F> }
  /** Money that was moved: exact, no interval. */
  | { readonly kind: "sum"; readonly of: Measure<F> }
  /** A quantile of a duration: order-statistic interval. */
  | { readonly kind: "quantile"; readonly of: Time<F>; readonly q: number }
  /** Frequency × severity × recurrence: what failed (frequency × mean amount) times the share of hours it failed in. */
  | { readonly kind: "weight"; readonly frequency: Measure<F>; readonly severity: Measure<F> }

export type Unit = "share" | "count" | "ms" | "minor" | "minor/10000"

export type Metric<F extends FactName = FactName> = F extends FactName
  ? {
      readonly id: string
      readonly name: string
      readonly fact: F
      readonly formula: Formula<F>
      readonly unit: Unit
      readonly better: "higher" | "lower" | "neither"
      /** What it leaves out, and why. */
      readonly excludes: string
      /** Whose failure a bad value is. */
      readonly whose: string
    }
  : never

/** What a store sums up for one group. Columns that a formula needs must be there; nothing is taken for zero. */
export type Aggregate = {
  readonly sums: Readonly<Record<string, bigint>>
  readonly histograms?: Readonly<Record<string, Histogram>>
  /** Hours of the range in which the group had a failure, and all of them: for `weight`. */
  readonly hours?: { readonly seen: number; readonly all: number }
}

export type Reading = {
  /** Undefined where there is nothing to divide by. */
  readonly value: number | undefined
  /** Rows that the value rests on. */
  readonly count: number
  readonly interval: Interval | undefined
}

/** Reads a metric of one group; `whole` is the sum over all groups of the question, for shares. */
export function read(metric: Metric, group: Aggregate, whole: Aggregate = group): Reading {
  const { formula } = metric
  const sum = (name: string, of: Aggregate = group): number => Number(columnOf(metric, of.sums, name))
  switch (formula.kind) {
    case "proportion":
      return proportion(sum(formula.of), sum(formula.among))
    case "share":
      return proportion(sum(formula.of), sum(formula.of, whole))
    case "ratio": {
      // Fees are counted in ten-thousandths, their squares in whole minor units (facts.ts).
      const scale = metric.unit === "minor/10000" ? 10_000 : 1
      const [x, y, n] = [sum(formula.of) / scale, sum(formula.over), sum(formula.rows)]
      const moments = { n, x, xx: sum(formula.squares), y, yy: y, xy: sum(formula.products) / scale }
      const interval = ratio(moments)
      return {
        value: y === 0 ? undefined : (x / y) * scale,
        count: n,
        interval: interval && { low: Math.max(interval.low, 0) * scale, high: interval.high * scale },
      }
    }
    case "quotient": {
      const y = sum(formula.over)
      return { value: y === 0 ? undefined : sum(formula.of) / y, count: y, interval: undefined }
    }
    case "count": {
      const n = sum(formula.of)
      return { value: n, count: n, interval: poisson(n) }
    }
    case "sum":
      return { value: sum(formula.of), count: sum(rowsColumn[metric.fact]), interval: undefined }
    case "quantile": {
      const histogram = columnOf(metric, group.histograms ?? {}, formula.of)
      const bounds = quantileInterval(histogram, formula.q, 0.95)
      return {
        value: quantileOf(histogram, formula.q),
        count: countOf(histogram),
        interval: bounds && { low: bounds[0], high: bounds[1] },
      }
    }
    case "weight": {
      const { seen, all } = group.hours ?? { seen: 1, all: 1 }
      const value = all === 0 ? undefined : sum(formula.severity) * (seen / all)
      return { value, count: sum(formula.frequency), interval: undefined }
    }
    default:
      return formula satisfies never
  }
}

/** The columns that a store has to sum up or to group by bucket for a metric. */
export function columnsOf({ fact, formula }: Metric): {
  readonly sums: readonly string[]
  readonly times: readonly string[]
} {
  switch (formula.kind) {
    case "proportion":
      return { sums: [formula.of, formula.among], times: [] }
    case "share":
    case "count":
      return { sums: [formula.of], times: [] }
    case "ratio":
      return { sums: [formula.of, formula.over, formula.squares, formula.products, formula.rows], times: [] }
    case "quotient":
      return { sums: [formula.of, formula.over], times: [] }
    case "sum":
      return { sums: [formula.of, rowsColumn[fact]], times: [] }
    case "quantile":
      return { sums: [], times: [formula.of] }
    case "weight":
      return { sums: [formula.frequency, formula.severity], times: [] }
    default:
      return formula satisfies never
  }
}

const rowsColumn = { attempt: "attempts", payment: "payments" } as const satisfies { [F in FactName]: Measure<F> }

const proportion = (k: number, n: number): Reading => ({
  value: n <= 0 ? undefined : k / n,
  count: n,
  interval: wilson(k, n),
})

function columnOf<V>(metric: Metric, columns: Readonly<Record<string, V>>, name: string): V {
  const value = columns[name]
  if (value === undefined) throw new TypeError(`${metric.id} needs the column ${name} of ${metric.fact} facts`)
  return value
}
