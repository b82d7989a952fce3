// What health keeps of one account in one scope, and how several scopes become one reading.

import { createChart, type Chart, type ChartKind } from "./chart.ts"
import type { Dimension, HealthCause, HealthState } from "./health-change.ts"

export type Watch = {
  readonly account: number
  readonly dimension: Dimension
  readonly value: string
  readonly technical: Chart
  readonly declines: Chart
  /** Of technical trouble; fades slower where it came back. */
  kind: ChartKind
  suspectedAtMs: number
  state: HealthState
  cause: HealthCause
  changedAtMs: number
  retryAtMs: number
  waitMs: number
  successes: number
  share: number
}

export function createWatch(
  account: number,
  dimension: Dimension,
  value: string,
  kind: ChartKind,
  waitMs: number,
  nowMs: number,
): Watch {
  return {
    account,
    dimension,
    value,
    technical: createChart(nowMs),
    declines: createChart(nowMs),
    kind,
    suspectedAtMs: -Infinity,
    state: "healthy",
    cause: "technical",
    changedAtMs: nowMs,
    retryAtMs: 0,
    waitMs,
    successes: 0,
    share: 1,
  }
}

/** What health says of an account for one payment. `factor` multiplies P(paid); `share` of traffic may go there. */
export type HealthReading = {
  /** Chance that approvals are silently down: what comes out then is no news about ordinary times. */
  readonly silent: number
  readonly state: HealthState
  readonly factor: number
  readonly share: number
  readonly probeDue: boolean
}
export const WELL: HealthReading = { silent: 0, state: "healthy", factor: 1, share: 1, probeDue: false }

/** From well to out. */
export const severity: readonly HealthState[] = ["healthy", "suspect", "returning", "probing", "ejected"]

/** The worse of both in everything. Every scope that is out must agree to a probe. */
export function worse(a: HealthReading, b: HealthReading): HealthReading {
  if (a === WELL) return b
  return {
    silent: Math.max(a.silent, b.silent),
    state: severity.indexOf(b.state) > severity.indexOf(a.state) ? b.state : a.state,
    factor: Math.min(a.factor, b.factor),
    share: Math.min(a.share, b.share),
    probeDue: agrees(a) && agrees(b) && (a.probeDue || b.probeDue),
  }
}

const agrees = ({ state, probeDue }: HealthReading): boolean => state !== "ejected" && (state !== "probing" || probeDue)
