// P(paid | sent) per account for one payment: the tree of pooling.ts with names on its nodes, and beside it what retries
// are worth. A second attempt is another population (the card was just declined), so it is learned as an offset to the
// first attempt's estimate, per how the attempt before ended and per account: fallback accounts are not blamed for it.

import { clamp, createPooling, type PooledReading } from "./pooling.ts"
import type { Previous, Situation } from "./observation.ts"

/** Effective memory. Config and portfolio changes live for days; at 88 % a shorter one would be mostly noise. */
export const APPROVAL_HALF_LIFE_MS = 4 * 24 * 3_600_000
/** Issuers × networks × countries. Beyond it new issuers share their segment's remainder. */
export const MAX_ISSUER_SEGMENTS = 20_000
/** Networks × countries. Beyond it new countries share their network's remainder. */
export const MAX_SEGMENTS = 1_000

/**
 * Logit offsets before data: who failed technically is an ordinary card; of softly declined ones about 24 % are paid
 * elsewhere, of others hardly any (routing.md §4: Primer 20–38 % of soft declines).
 */
const retryPriors: Readonly<Record<Previous, number>> = { technical: 0, soft_decline: -3, decline: -5 }
const RETRY_PRIOR_PRECISION = 2
/** An account's own offset is about 0.15 logits: 1 / 0.15². */
const RETRY_ACCOUNT_PRECISION = 45
/** An operation (with a challenge or without) is worth about 0.3 logits, alike at all accounts: 1 / 0.3². */
const OPERATION_PRECISION = 11
const MAX_OPERATIONS = 16
/** Caps what is known, so that it can still change: about 20,000 retries. */
const RETRY_MAX_PRECISION = 2_000

export type Approval = ReturnType<typeof createApproval>

export type ApprovalReading = PooledReading & {
  /** How fine the estimate is: the issuer's own segment, or the coarser one because the issuer is new. */
  readonly level: "issuer" | "segment"
}

type Segment = { readonly node: number; readonly leaves: Map<string, number> }

export function createApproval(size: number, halfLifeMs = APPROVAL_HALF_LIFE_MS) {
  const pooling = createPooling(size, halfLifeMs)
  const networks = new Map<string, { readonly node: number; readonly countries: Map<string, Segment> }>()
  let segments = 0
  let issuers = 0
  const retries = Object.fromEntries(
    Object.entries(retryPriors).map(([previous, prior]) => [
      previous,
      {
        offset: prior,
        precision: RETRY_PRIOR_PRECISION,
        own: new Float64Array(size),
        ownPrecision: new Float64Array(size).fill(RETRY_ACCOUNT_PRECISION),
      },
    ]),
  ) as Record<Previous, { offset: number; precision: number; own: Float64Array; ownPrecision: Float64Array }>

  const operations = new Map<string, { offset: number; precision: number }>()

  function operationOf(name: string): { offset: number; precision: number } {
    let known = operations.get(name)
    if (known === undefined) {
      known = { offset: 0, precision: OPERATION_PRECISION }
      if (operations.size < MAX_OPERATIONS) operations.set(name, known)
    }
    return known
  }

  function segmentOf({ network, country }: Situation): Segment {
    let above = networks.get(network)
    if (above === undefined) {
      if (networks.size >= MAX_SEGMENTS) above = networks.values().next().value!
      else networks.set(network, (above = { node: pooling.addInner(pooling.root, 1), countries: new Map() }))
    }
    let segment = above.countries.get(country)
    if (segment === undefined) {
      if (segments >= MAX_SEGMENTS && above.countries.size > 0) segment = above.countries.values().next().value!
      else {
        segments += 1
        above.countries.set(country, (segment = { node: pooling.addInner(above.node, 2), leaves: new Map() }))
      }
    }
    return segment
  }

  function read(situation: Situation): ApprovalReading {
    const segment = segmentOf(situation)
    const leaf = segment.leaves.get(situation.issuer ?? "")
    const reading = pooling.read(leaf, segment.node)
    const { offset: challenge } = operationOf(situation.operation)
    for (let j = 0; j < size; j++) reading.logit[j]! += challenge
    if (situation.previous !== undefined) {
      const { offset, own } = retries[situation.previous]
      for (let j = 0; j < size; j++) reading.logit[j]! += offset + own[j]!
    }
    return Object.assign(reading, { level: leaf === undefined ? ("segment" as const) : ("issuer" as const) })
  }

  function observe(situation: Situation, account: number, paid: boolean, nowMs: number): void {
    // After a technical failure nobody has judged the card yet: it tells as much as a first attempt.
    if (situation.previous !== undefined && situation.previous !== "technical")
      return observeRetry(situation, situation.previous, account, paid)
    observeOperation(situation, account, paid)
    const segment = segmentOf(situation)
    let name = situation.issuer ?? ""
    let leaf = segment.leaves.get(name)
    if (leaf === undefined && issuers >= MAX_ISSUER_SEGMENTS) leaf = segment.leaves.get((name = ""))
    if (leaf === undefined) {
      issuers += 1
      segment.leaves.set(name, (leaf = pooling.addLeaf(segment.node, nowMs)))
    }
    pooling.observe(leaf, account, paid, nowMs)
  }

  /** An outcome that was told as the opposite. The offsets of retries and operations are coarse, and stay as they are. */
  function correct(situation: Situation, account: number, paid: boolean, nowMs: number): void {
    if (situation.previous !== undefined && situation.previous !== "technical") return
    const leaf = segmentOf(situation).leaves.get(situation.issuer ?? "")
    if (leaf !== undefined) pooling.correct(leaf, account, paid, nowMs)
  }

  /** What a challenge costs at all accounts alike. The mean of the operations is the tree's, so only differences stay. */
  function observeOperation(situation: Situation, account: number, paid: boolean): void {
    const known = operationOf(situation.operation)
    const p = sigmoid(read(situation).logit[account]!)
    known.precision = Math.min(known.precision + p * (1 - p), RETRY_MAX_PRECISION)
    known.offset = clamp(known.offset + ((paid ? 1 : 0) - p) / known.precision, -3, 3)
  }

  /** One step of a Kalman filter on the logit per offset (Graepel et al., ICML 2010, in its logistic form). */
  function observeRetry(situation: Situation, previous: Previous, account: number, paid: boolean): void {
    const known = retries[previous]
    const p = sigmoid(read(situation).logit[account]!)
    const surprise = (paid ? 1 : 0) - p
    const information = p * (1 - p)
    const total = 1 / known.precision + 1 / known.ownPrecision[account]!
    const step = surprise / (1 + information * total)
    known.offset = clamp(known.offset + step / known.precision, -8, 3)
    known.own[account]! += step / known.ownPrecision[account]!
    known.precision = Math.min(known.precision + information, RETRY_MAX_PRECISION)
    known.ownPrecision[account] = Math.min(known.ownPrecision[account]! + information, RETRY_MAX_PRECISION)
  }

  return { read, observe, correct, spread: pooling.spread }
}

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value))
}
