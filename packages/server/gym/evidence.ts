// `npm run gym -- --evidence`: what the statistics of routing/evidence claim, against worlds that know the truth.

import { drawnEvidence, logs, routerEvidence, type Draft, type Estimated } from "./evidence-off-policy.ts"
import { stagedRun, type Staged } from "./evidence-guardrails.ts"
import { median } from "./report.ts"
import { createWorld, type WorldName } from "./world.ts"

/** Draws of a log's dice and outcomes in each world. */
const DRAWS = 24
/** Draws of a staged publish in each world, by what is asked of it. */
const STAGED_DRAWS = 20
const HARMED_DRAWS = 4
const STAGED_PAYMENTS = 100_000
/** Points of approval by which an estimate near full overlap may be off. */
const NEAR_PP = 0.15

export type EvidenceInput = {
  readonly name: WorldName
  readonly volume: number
  readonly from: number
  readonly to: number
  readonly tell: (line: string) => void
}

export type OffPolicyRow = {
  readonly log: keyof typeof logs | "router"
  readonly draft: Draft
  readonly estimates: number
  readonly told: number
  /** Why not, by reason. */
  readonly untold: Readonly<Record<string, number>>
  /** Of those told, how many intervals hold the truth: of the value, and of the difference from the log. */
  readonly coverage: number | null
  readonly coverage_of_difference: number | null
  readonly mean_error_pp: number | null
  readonly within_015_pp: number | null
  readonly half_width_pp: number | null
  readonly moved: number
  readonly effective_share: number
}
export type GuardrailRow = Staged & {
  readonly runs: number
  readonly stopped: number
  readonly median_payments: number | null
}
export type EvidenceReport = {
  readonly off_policy: readonly OffPolicyRow[]
  readonly guardrails: readonly GuardrailRow[]
}

const stagings: readonly Staged[] = [0.5, 0.1].flatMap((share) => [
  { share, harm: 0, margin: 0 },
  { share, harm: 0, margin: 0.005 },
  { share, harm: 1, margin: 0.005 },
  { share, harm: 2, margin: 0.005 },
  { share, harm: 5, margin: 0.005 },
])

export function evidence({ name, volume, from, to, tell }: EvidenceInput): EvidenceReport {
  const found = new Map<string, Estimated[]>()
  const staged = stagings.map((): (number | undefined)[] => [])
  for (let seed = from; seed <= to; seed++) {
    const world = createWorld({ name, volume, seed })
    const keep = (log: OffPolicyRow["log"], all: readonly Estimated[]): void => {
      for (const one of all) {
        const key = `${log} ${one.draft}`
        found.set(key, [...(found.get(key) ?? []), one])
      }
    }
    for (const log of Object.keys(logs) as (keyof typeof logs)[])
      for (let draw = 0; draw < DRAWS; draw++) keep(log, drawnEvidence(world, log, draw))
    keep("router", routerEvidence(world))
    const short = createWorld({ name, volume: STAGED_PAYMENTS, seed })
    stagings.forEach((staging, index) => {
      const draws = staging.harm === 0 ? STAGED_DRAWS : HARMED_DRAWS
      for (let draw = 0; draw < draws; draw++) staged[index]!.push(stagedRun(short, staging, draw))
    })
    tell(`seed ${seed} is done`)
  }
  return {
    off_policy: [...found].map(([key, all]) => {
      const [log, draft] = key.split(" ") as [OffPolicyRow["log"], Draft]
      return { log, draft, ...rowOf(all) }
    }),
    guardrails: stagings.map((staging, index) => {
      const after = staged[index]!.filter((payments) => payments !== undefined)
      return {
        ...staging,
        runs: staged[index]!.length,
        stopped: after.length,
        // Of all runs: those that never stopped are later than any.
        median_payments: after.length * 2 > staged[index]!.length ? (median(sorted(staged[index]!)) ?? null) : null,
      }
    }),
  }
}

const sorted = (all: readonly (number | undefined)[]): number[] => all.map((payments) => payments ?? Infinity)

function rowOf(all: readonly Estimated[]): Omit<OffPolicyRow, "log" | "draft"> {
  const untold: Record<string, number> = {}
  let [held, heldDifference, error, within, half, told] = [0, 0, 0, 0, 0, 0]
  for (const { report, truth, logged } of all) {
    const { approval } = report.estimates
    if (approval.kind === "cannot_tell") {
      untold[approval.why] = (untold[approval.why] ?? 0) + 1
      continue
    }
    told += 1
    const { target, targetInterval, differenceInterval } = approval
    if (targetInterval.low <= truth && truth <= targetInterval.high) held += 1
    if (differenceInterval.low <= truth - logged && truth - logged <= differenceInterval.high) heldDifference += 1
    error += 100 * Math.abs(target - truth)
    if (100 * Math.abs(target - truth) <= NEAR_PP) within += 1
    half += 50 * (targetInterval.high - targetInterval.low)
  }
  const of = (sum: number): number | null => (told === 0 ? null : round(sum / told))
  const mean = (value: (one: Estimated) => number): number =>
    round(all.reduce((sum, one) => sum + value(one), 0) / all.length)
  return {
    estimates: all.length,
    told,
    untold,
    coverage: of(held),
    coverage_of_difference: of(heldDifference),
    mean_error_pp: of(error),
    within_015_pp: of(within),
    half_width_pp: of(half),
    moved: mean(({ report }) => report.overlap.moved),
    effective_share: mean(({ report: { overlap } }) => overlap.effectiveSample / Math.max(1, overlap.records)),
  }
}

export function evidenceTable({ off_policy: rows, guardrails }: EvidenceReport): string {
  const share = (value: number | null): string => (value === null ? "–" : `${(100 * value).toFixed(1)} %`)
  const points = (value: number | null): string => (value === null ? "–" : value.toFixed(3))
  const offPolicy = [
    [
      "log",
      "draft",
      "moved",
      "effective",
      "estimates",
      "told",
      "coverage",
      "of difference",
      "error (pp)",
      "within 0.15",
      "half width (pp)",
      "why not told",
    ],
    ...rows.map((row) => [
      row.log,
      row.draft,
      share(row.moved),
      share(row.effective_share),
      String(row.estimates),
      share(row.told / row.estimates),
      share(row.coverage),
      share(row.coverage_of_difference),
      points(row.mean_error_pp),
      share(row.within_015_pp),
      points(row.half_width_pp),
      Object.entries(row.untold)
        .map(([why, count]) => `${why} ${count}`)
        .join(", ") || "–",
    ]),
  ]
  const stops = [
    ["candidate's share", "harm (pp)", "margin (pp)", "runs", "stopped", "median payments until the stop"],
    ...guardrails.map((row) => [
      share(row.share),
      String(row.harm),
      (100 * row.margin).toFixed(1),
      String(row.runs),
      share(row.stopped / row.runs),
      row.median_payments === null ? "–" : String(row.median_payments),
    ]),
  ]
  return `${aligned(offPolicy)}\n\n${aligned(stops)}`
}

/** As Markdown, so that it can stand in the documentation as it is. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`
  const [head, ...body] = rows
  return [line(head!), `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body.map(line)].join("\n")
}

const round = (value: number): number => Math.round(value * 10_000) / 10_000
