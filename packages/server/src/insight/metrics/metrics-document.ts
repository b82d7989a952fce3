// docs/metrics.md, written from the tables of metrics and fact columns. Pure: tools/generate.ts writes the text.

import { facts, type FactName } from "../facts.ts"
import type { Formula, Metric } from "./metric.ts"
import { metrics } from "./metrics.ts"

export function metricsDocument(): string {
  return `${[intro, definitions(), ...(["attempt", "payment"] as const).map(columns)].join("\n\n")}\n`
}

const intro = `# Metrics

<!-- Generated from packages/server/src/insight by tools/generate.ts. Do not edit. -->

Every number that insight shows is one of these, defined once and used by every screen and rule. A value always comes with the
count it rests on and, where it is a sample of something, a 95 % interval: Wilson for proportions, the delta method for ratios,
order statistics for quantiles, Garwood for counts. Fees are estimates. What Prometheus scrapes from a process is another
matter: [prometheus.md](prometheus.md).`

function definitions(): string {
  const rows = metrics.map((metric) => [
    code(metric.id),
    metric.name,
    formulaText(metric),
    metric.unit,
    metric.better,
    metric.excludes,
    metric.whose,
  ])
  return `## Definitions

${table(["id", "name", "formula", "unit", "better", "leaves out", "whose failure"], rows)}`
}

function columns(fact: FactName): string {
  const { dimensions, measures, times } = facts[fact]
  const of = (columns: Readonly<Record<string, { readonly meaning: string }>>): string =>
    table(
      ["column", "meaning"],
      Object.entries(columns).map(([name, { meaning }]) => [code(name), meaning]),
    )
  return `## The ${fact} fact

One row per ${fact}; a correction adds the old row with its measures negated, and the new one, so that sums stay right.

### Dimensions

${of(dimensions)}

### Measures

${of(measures)}

### Times

Buckets of at most 1 % relative error, whose counts sum up.

${of(times)}`
}

function formulaText({ formula }: Metric): string {
  return textOf(formula)
}

function textOf(formula: Formula<"attempt"> | Formula<"payment">): string {
  switch (formula.kind) {
    case "proportion":
    case "quotient":
      return `${code(formula.of)} / ${code(formula.kind === "proportion" ? formula.among : formula.over)}`
    case "ratio":
      return `${code(formula.of)} / ${code(formula.over)}`
    case "share":
      return `${code(formula.of)} of the group / of all groups`
    case "count":
    case "sum":
      return `Σ ${code(formula.of)}`
    case "quantile":
      return `p${Math.round(formula.q * 100)} of ${code(formula.of)}`
    case "weight":
      return `Σ ${code(formula.severity)} × share of hours with one`
    default:
      return formula satisfies never
  }
}

const code = (text: string): string => `\`${text}\``

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
}
