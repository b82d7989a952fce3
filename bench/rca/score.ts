// The scorer of RiskLoc's repository (`score_root_causes`): exact matches, counts pooled over all cases,
// F1 = 2TP / (2TP + FP + FN). hit@k: of how many of a case's labels (at most k) are among the first k candidates, averaged over
// cases. Beside it an interval
// by resampling groups, because cases of one group are near copies of each other.

import { createRandom } from "../../packages/server/gym/random.ts"

export type Scored = {
  readonly name: string
  readonly group: string
  readonly tp: number
  readonly fp: number
  readonly fn: number
  /** Share of the labels that are among the first 1, 3, 5 candidates. */
  readonly hits: readonly [number, number, number]
  /** By the wall, and of processors: on a busy machine only the second says what it costs. */
  readonly ms: number
  readonly cpuMs: number
}

export function scoreOf(
  labels: readonly string[],
  predicted: readonly string[],
  ranked: readonly string[],
): Pick<Scored, "tp" | "fp" | "fn" | "hits"> {
  const wanted = [...new Set(labels)]
  const named = [...new Set(predicted)]
  const tp = wanted.filter((label) => named.includes(label)).length
  const hits = (k: number): number =>
    wanted.filter((label) => ranked.slice(0, k).includes(label)).length / Math.min(k, wanted.length)
  return { tp, fp: named.length - tp, fn: wanted.length - tp, hits: [hits(1), hits(3), hits(5)] }
}

export type Summary = {
  readonly cases: number
  readonly f1: number
  readonly f1_interval: readonly [number, number]
  readonly hit1: number
  readonly hit3: number
  readonly hit5: number
  readonly ms: { readonly p50: number; readonly p95: number }
  readonly cpu_ms: { readonly p50: number; readonly p95: number }
}

const RESAMPLES = 1_000

export function summaryOf(scored: readonly Scored[]): Summary {
  const hit = (k: 0 | 1 | 2): number => rounded(sum(scored, (s) => s.hits[k]) / scored.length)
  const quantiles = (of: (s: Scored) => number) => {
    const times = scored.map(of).toSorted((a, b) => a - b)
    const at = (q: number): number => rounded(times[Math.floor(q * (times.length - 1))] ?? 0, 1)
    return { p50: at(0.5), p95: at(0.95) }
  }
  return {
    cases: scored.length,
    f1: rounded(f1Of(scored)),
    f1_interval: interval(scored),
    hit1: hit(0),
    hit3: hit(1),
    hit5: hit(2),
    ms: quantiles((s) => s.ms),
    cpu_ms: quantiles((s) => s.cpuMs),
  }
}

export function f1Of(scored: readonly Scored[]): number {
  const tp = sum(scored, (s) => s.tp)
  return (2 * tp) / Math.max(2 * tp + sum(scored, (s) => s.fp) + sum(scored, (s) => s.fn), 1)
}

/** Bootstrap over groups, seeded. Where all is one group, over cases. */
function interval(scored: readonly Scored[]): readonly [number, number] {
  const byGroup = [...Map.groupBy(scored, (s) => s.group).values()]
  const groups = byGroup.length > 1 ? byGroup : scored.map((s) => [s])
  const random = createRandom(1)
  const values = Array.from({ length: RESAMPLES }, () =>
    f1Of(Array.from({ length: groups.length }, () => groups[random.whole(groups.length)]!).flat()),
  ).toSorted((a, b) => a - b)
  return [rounded(values[Math.floor(0.025 * RESAMPLES)]!), rounded(values[Math.floor(0.975 * RESAMPLES)]!)]
}

const sum = (scored: readonly Scored[], of: (s: Scored) => number): number =>
  scored.reduce((total, s) => total + of(s), 0)
const rounded = (value: number, digits = 4): number => Math.round(value * 10 ** digits) / 10 ** digits
