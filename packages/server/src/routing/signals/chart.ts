// Sequential tests on 0/1 outcomes. Every chart keeps two statistics of the same likelihood ratio of "sick" against
// "well":
// - the odds of being sick right now (Shiryaev 1963): before each outcome a little is added for the chance that the change
//   came just now, the ratio multiplies, and without outcomes the odds fade, because outages end. They say how much traffic
//   is worth withdrawing: where another account is one point worse, leaving early is cheap.
// - the CUSUM (Page 1954): sum of log ratios, held at zero. Crossing h needs about ln(h)/KL outcomes of a real change, and
//   without one comes on average not before e^h outcomes (Lorden 1971). So h = ln(outcomes of a month / false alarms that
//   are allowed in it), and ejecting has a stated false-alarm rate.

export type Chart = {
  odds: number
  cusum: number
  /** Outcomes and bad ones since the CUSUM was last at zero: the evidence that is shown. */
  n: number
  bad: number
  sinceMs: number
  atMs: number
}

export type ChartKind = {
  /** Mean time between troubles of a scope: the chance that one began since the last outcome is the time passed over it. */
  readonly everyMs: number
  /** Without outcomes the odds fade by e per this time: as long as such troubles last. */
  readonly fadeMs: number
  /** More certainty than this only makes the return slower. */
  readonly maxOdds: number
}

export function createChart(nowMs: number): Chart {
  return { odds: 0, cusum: 0, n: 0, bad: 0, sinceMs: nowMs, atMs: nowMs }
}

/** The odds as they are now. */
export function oddsAt({ odds, atMs }: Chart, { fadeMs }: ChartKind, nowMs: number): number {
  return odds === 0 || nowMs <= atMs ? odds : odds * Math.exp((atMs - nowMs) / fadeMs)
}

/** Takes in an outcome whose likelihood is `ratio` times as large if the account is sick. */
export function step(chart: Chart, kind: ChartKind, ratio: number, bad: boolean, nowMs: number): void {
  // Beyond the time that troubles last, those that began are over again.
  const onset = Math.min(Math.max(nowMs - chart.atMs, 0), kind.fadeMs) / kind.everyMs
  chart.odds = Math.min((oddsAt(chart, kind, nowMs) + onset) * ratio, kind.maxOdds)
  chart.atMs = Math.max(chart.atMs, nowMs)
  chart.cusum += Math.log(ratio)
  if (chart.cusum <= 0) {
    clear(chart, nowMs)
    return
  }
  if (chart.n === 0) chart.sinceMs = nowMs
  chart.n += 1
  if (bad) chart.bad += 1
}

/** Forgets the evidence, e.g. because something else explains it. The odds start again. */
export function forget(chart: Chart, nowMs: number): void {
  chart.odds = 0
  clear(chart, nowMs)
}

/** Starts the CUSUM again; the odds stay. */
export function clear(chart: Chart, nowMs: number): void {
  chart.cusum = 0
  chart.n = 0
  chart.bad = 0
  chart.sinceMs = nowMs
}

export function probability(odds: number): number {
  return odds / (1 + odds)
}
