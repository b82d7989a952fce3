// Latencies as counts per logarithmic bucket: the one representation that is exact to merge, in any order and in any
// database (`select bucket, sum(count) … group by bucket`), and whose every quantile is off by at most 1 % of its value,
// in the middle of a gap between ordinary answers and timeouts too. (t-digest interpolates across that gap: p99 off by
// 37 % where 1 % of the answers are timeouts.)
//
// Source: DDSketch (Masson, Rim, Lee 2019, PVLDB 12): with γ = (1+α)/(1−α) the bucket i holds (γ^(i−1), γ^i], and
// 2γ^i/(γ+1) is within α of every value in it. No buckets are ever collapsed, because their number is bounded by the
// range: 1 ms to 30 days.

import assert from "node:assert/strict"
import { normalQuantile } from "../statistics/normal.ts"

/** Counts by bucket. Corrections subtract; a bucket at zero is left out. */
export type Histogram = ReadonlyMap<number, number>

export const RELATIVE_ERROR = 0.01
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
const LOG_GAMMA = Math.log(GAMMA)
/** The longest time that is told apart: what took longer counts as this long. */
export const MAX_MS = 30 * 86_400_000
/** Of what took no measurable time. */
export const ZERO_BUCKET = 0
export const MAX_BUCKET = indexOf(MAX_MS)

/** The bucket of a time in ms: 0 for less than half a millisecond, from 1 on for the rest. */
export function bucketOf(ms: number): number {
  assert(ms >= 0, `a time is not negative: ${ms}`)
  return ms < 0.5 ? ZERO_BUCKET : indexOf(Math.min(Math.max(ms, 1), MAX_MS))
}

/** The time in ms that is within 1 % of all in the bucket. */
export function valueOf(bucket: number): number {
  assert(Number.isSafeInteger(bucket) && bucket >= ZERO_BUCKET && bucket <= MAX_BUCKET, `no bucket: ${bucket}`)
  return bucket === ZERO_BUCKET ? 0 : (2 * GAMMA ** (bucket - 1)) / (GAMMA + 1)
}

/** 1 ms is bucket 1. */
function indexOf(ms: number): number {
  return 1 + Math.ceil(Math.log(ms) / LOG_GAMMA)
}

export function histogramOf(times: Iterable<number>): Histogram {
  const counts = new Map<number, number>()
  for (const ms of times) add(counts, bucketOf(ms), 1)
  return counts
}

/** The sum of all: exact, whatever the order. */
export function merge(histograms: Iterable<Histogram>): Histogram {
  const counts = new Map<number, number>()
  for (const histogram of histograms) for (const [bucket, count] of histogram) add(counts, bucket, count)
  return counts
}

/** As rows (bucket, count) in the order of buckets: what is stored, and what comes back from a `group by`. */
export function rowsOf(histogram: Histogram): readonly (readonly [bucket: number, count: number])[] {
  return [...histogram].sort(([a], [b]) => a - b)
}

export function fromRows(rows: Iterable<readonly [bucket: number, count: number]>): Histogram {
  const counts = new Map<number, number>()
  for (const [bucket, count] of rows) {
    valueOf(bucket)
    assert(Number.isSafeInteger(count), `a count is whole: ${count}`)
    add(counts, bucket, count)
  }
  return counts
}

export function countOf(histogram: Histogram): number {
  let total = 0
  for (const count of histogram.values()) total += count
  return total
}

/** The value at rank ⌊q·(n−1)⌋ of the sorted times, within 1 %; undefined where there are none. */
export function quantileOf(histogram: Histogram, q: number): number | undefined {
  assert(q >= 0 && q <= 1, `a quantile lies in 0..1: ${q}`)
  const total = countOf(histogram)
  return total === 0 ? undefined : valueAt(histogram, Math.floor(q * (total - 1)))
}

/**
 * Where the quantile of the source lies, by the ranks np ± z·sqrt(np(1−p)) (David and Nagaraja, Order Statistics 2003, §7.1:
 * the count below the true quantile is binomial). A side without a rank is the smallest or largest that was seen.
 */
export function quantileInterval(
  histogram: Histogram,
  q: number,
  confidence: number,
): readonly [low: number, high: number] | undefined {
  const total = countOf(histogram)
  if (total === 0) return undefined
  const spread = normalQuantile(0.5 + confidence / 2) * Math.sqrt(total * q * (1 - q))
  const rank = (at: number): number => Math.min(Math.max(at, 0), total - 1)
  return [
    valueAt(histogram, rank(Math.floor(total * q - spread) - 1)),
    valueAt(histogram, rank(Math.ceil(total * q + spread))),
  ]
}

function valueAt(histogram: Histogram, rank: number): number {
  let passed = 0
  for (const [bucket, count] of rowsOf(histogram)) {
    assert(count >= 0, `bucket ${bucket} holds fewer than none: a correction without what it corrects`)
    passed += count
    if (passed > rank) return valueOf(bucket)
  }
  return assert.fail(`no rank ${rank} in ${passed}`)
}

function add(counts: Map<number, number>, bucket: number, count: number): void {
  const sum = (counts.get(bucket) ?? 0) + count
  if (sum === 0) counts.delete(bucket)
  else counts.set(bucket, sum)
}
