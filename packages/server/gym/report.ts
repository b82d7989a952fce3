// The table for people and the last line for machines.

import { outageKinds, type Metrics, type OutageKind } from "./metrics.ts"

export type Row = { readonly policy: string; readonly runs: readonly Metrics[] }

export function table(rows: readonly Row[]): string {
  const head =
    "policy                            pp over best   headroom  to the sick: hard  gray silent  explored  false ejections  left after  issuer   retry"
  const lines = rows.map(({ policy, runs }) => {
    const share = (kind: OutageKind): string => `${(100 * mean(runs.map((r) => r.outage_share[kind]))).toFixed(1)}%`
    const pp = runs.map((r) => r.approval_pp_vs_best_single)
    return [
      policy.padEnd(33),
      `${mean(pp).toFixed(2)} ± ${error(pp).toFixed(2)}`.padStart(13),
      `${(100 * mean(runs.map((r) => r.headroom))).toFixed(0)}%`.padStart(10),
      share("hard").padStart(18),
      share("gray").padStart(6),
      share("silent").padStart(6),
      `${(100 * mean(runs.map((r) => r.exploration_share))).toFixed(2)}%`.padStart(9),
      mean(runs.map((r) => r.false_ejections_per_month))
        .toFixed(2)
        .padStart(16),
      outageKinds
        .map((kind) => median(runs.flatMap((r) => r.attempts_to_leave[kind])) ?? "–")
        .join("/")
        .padStart(11),
      `${(100 * mean(runs.map((r) => r.issuer_outage_switching))).toFixed(1)}%`.padStart(7),
      mean(runs.map((r) => r.retry_pp))
        .toFixed(2)
        .padStart(7),
    ].join(" ")
  })
  const foot =
    "pp: points of first-attempt approval, mean ± standard error over seeds. left after: median attempts at the sick provider, hard/gray/silent.\n" +
    "issuer: payments switched in issuers' outages beyond quiet times. retry: points that the second attempt adds."
  return [head, ...lines, foot, ...rows.flatMap(promises)].join("\n")
}

function promises({ policy, runs }: Row): readonly string[] {
  const met = runs.flatMap(({ commitment_met: share }) => (share === undefined ? [] : [share]))
  const costs = runs.flatMap(({ commitment_cost_bps: bps }) => (bps === undefined ? [] : [bps]))
  if (met.length === 0) return []
  return [
    `${policy}: of what was promised ${(100 * mean(met)).toFixed(2)}% was delivered (worst ${(100 * Math.min(...met)).toFixed(2)}%), ` +
      `at ${mean(costs).toFixed(1)} ± ${error(costs).toFixed(1)} bps of value against the same router without the promise.`,
  ]
}

export function lastLine(input: {
  readonly world: string
  readonly volume: number
  readonly seeds: string
  readonly rows: readonly Row[]
}): string {
  const { rows, ...rest } = input
  const policies = Object.fromEntries(
    rows.map(({ policy, runs }) => {
      const of = (value: (m: Metrics) => number): number => round(mean(runs.map(value)))
      return [
        policy,
        {
          approval_pp_vs_best_single: of((m) => m.approval_pp_vs_best_single),
          approval_pp_standard_error: round(error(runs.map((m) => m.approval_pp_vs_best_single))),
          worst_approval_pp: round(Math.min(...runs.map((m) => m.approval_pp_vs_best_single))),
          headroom: of((m) => m.headroom),
          outage_share: byKind((kind) => of((m) => m.outage_share[kind])),
          attempts_to_leave: byKind((kind) => median(runs.flatMap((m) => m.attempts_to_leave[kind])) ?? null),
          outages_measured: byKind((kind) => runs.reduce((sum, m) => sum + m.attempts_to_leave[kind].length, 0)),
          false_ejections_per_month: of((m) => m.false_ejections_per_month),
          exploration_share: of((m) => m.exploration_share),
          probe_share: of((m) => m.probe_share),
          issuer_outage_switching: of((m) => m.issuer_outage_switching),
          retry_pp: of((m) => m.retry_pp),
          retry_soft_pp: of((m) => m.retry_soft_pp),
          ...(runs.some((m) => m.commitment_met !== undefined)
            ? {
                commitment_met: of((m) => m.commitment_met ?? 1),
                worst_commitment_met: round(Math.min(...runs.map((m) => m.commitment_met ?? 1))),
                commitment_cost_bps: of((m) => m.commitment_cost_bps ?? 0),
              }
            : {}),
        },
      ]
    }),
  )
  return JSON.stringify({ ...rest, policies })
}

function byKind<T>(value: (kind: OutageKind) => T): Record<OutageKind, T> {
  return { hard: value("hard"), gray: value("gray"), silent: value("silent") }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, v) => sum + v, 0) / Math.max(1, values.length)
}

function error(values: readonly number[]): number {
  const m = mean(values)
  return Math.sqrt(values.reduce((sum, v) => sum + (v - m) ** 2, 0) / Math.max(1, values.length - 1) / values.length)
}

export function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
