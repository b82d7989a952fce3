// What a change must not do: make a metric worse than the control by more than a margin. Which way is worse, and between which
// values a metric is counted, is the metric's own; the margin is the merchant's.

import type { Range } from "./confidence-sequence.ts"

/** `unit`: of values and margins. Values beyond the range are cut, because no always-valid interval exists without bounds. */
export const watchedMetrics = {
  approval: { better: "higher", range: { low: 0, high: 1 }, unit: "share of payments" },
  technical_failures: { better: "lower", range: { low: 0, high: 1 }, unit: "share of payments" },
  cost: { better: "lower", range: { low: 0, high: 0.2 }, unit: "share of the amount, cut at 20 %" },
  latency: { better: "lower", range: { low: 0, high: 30_000 }, unit: "ms, cut at 30 s" },
  disputes: { better: "lower", range: { low: 0, high: 1 }, unit: "share of payments" },
} as const satisfies Record<
  string,
  { readonly better: "higher" | "lower"; readonly range: Range; readonly unit: string }
>
export type WatchedMetric = keyof typeof watchedMetrics

export type Guardrail = {
  readonly metric: WatchedMetric
  /** How much worse is borne, in the metric's unit; 0: not at all. */
  readonly margin: number
}

/** A difference treated − control, turned so that more is better. */
export function betterBy(metric: WatchedMetric, difference: number): number {
  return watchedMetrics[metric].better === "higher" ? difference : -difference
}
