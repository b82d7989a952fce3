// Health, on its own clock: seconds where approval learns in hours. Each account is watched in every scope an attempt
// belongs to (all of it, operation, network, issuer country, method), by two charts (chart.ts): technical failures against
// its usual rate, and approvals against what its issuers' other accounts and the approval estimate lead to expect.
// States and their changes stand in health-change.ts.

import { clear, forget, oddsAt, probability, step, type ChartKind } from "./chart.ts"
import type {
  Dimension,
  HealthCause,
  HealthChange,
  HealthEvidence,
  HealthState,
  SignalChange,
} from "./health-change.ts"
import { createWatch, WELL, worse, type HealthReading, type Watch } from "./health-watch.ts"
import type { Ending, Situation } from "./observation.ts"
import { createPeers } from "./peers.ts"
import { clamp } from "./pooling.ts"
import { sigmoid } from "./approval.ts"

/** Sick means at least this share of technical failures: between gray (40 %) and hard (92 %) both are found quickly. */
const SICK_TECHNICAL = 0.4
/** Usual technical failures before data, its weight in outcomes, and bounds: one scope in trouble must not raise them. */
const USUAL_TECHNICAL = 0.006
const USUAL_STRENGTH = 1_000
const USUAL_MIN = 0.002
const USUAL_MAX = 0.05
/** A silent outage takes approval from 88 % to 63 %: what is left of it. */
const SILENT_LEFT = 0.716
const technicalChart: ChartKind = { everyMs: 86_400_000, fadeMs: 3 * 60_000, maxOdds: 1e3 }
const silentChart: ChartKind = { everyMs: 3 * 86_400_000, fadeMs: 40 * 60_000, maxOdds: 30 }
/** From these odds on traffic follows the discounted score. Silent ones need more: declines are common. */
const SUSPECT_ODDS: Readonly<Record<HealthCause, number>> = { technical: 0.1, declines: 3 }
/** Suspected again this soon, it was not over: the odds then fade half as fast as before, down to the slowest. */
const AGAIN_MS = 3_600_000
const SLOWEST_FADE_MS = 24 * 60_000
/** A harmless read that fails counts like a failure; one that succeeds says little, because gray outages answer it. */
const READ_OK_RATIO = 0.8
const READS_OK = 2
const READ_EVERY_MS = 10_000
/** Back to healthy at this part of them, so that the state does not flutter. */
const CALM = 0.25
/** Ejections without cause that are allowed per account and month, and the charts that could each bring one. */
const FALSE_EJECTIONS_PER_MONTH = 0.2
const CHARTS_PER_OUTCOME = 10
const MONTH_MS = 30 * 24 * 3_600_000
/** Assumed until a day of outcomes says better. */
const OUTCOMES_PER_MONTH = 100_000
const DAY_MS = 24 * 3_600_000
/** Wait before the first probe, doubled with every failed one up to the longest. */
const WAIT_MS = 30_000
const LONGEST_WAIT_MS = 20 * 60_000
const PROBE_EVERY_MS = 10_000
/** Without any probe for so long its traffic is such that none may ride on it (payments of the merchant alone, …). */
const UNPROBED_MS = 3_600_000
/** ln(0.05)/ln(0.6): so many successes in a row reject a failure rate of 40 % at 5 %. */
const PROBE_SUCCESSES = 6
/** Shares of traffic on the way back, each held for so many outcomes. */
const RETURN_SHARES = [0.25, 0.5] as const
const RETURN_HELD = 10
/** Two accounts that fall within this time fell together. */
const TOGETHER_MS = 5 * 60_000
/** Values per dimension (countries, networks) that are watched apart; further ones are watched in "all" only. */
const MAX_VALUES = 300
const MAX_SITUATIONS = 4_096

export type Health = ReturnType<typeof createHealth>

export type Trouble = {
  readonly dimension: Dimension
  readonly value: string
  readonly state: HealthState
  readonly cause: HealthCause
  readonly share: number
  readonly sinceMs: number
  readonly evidence: HealthEvidence
}
/** `state` is that of the account in all it does; a trouble may be of one network or country alone. */
export type Overall = { readonly state: HealthState; readonly troubles: readonly Trouble[] }

export type HealthInput = {
  readonly size: number
  /** Accounts that can be asked something harmless; where absent, time alone leads to the first probe. */
  readonly readable: readonly boolean[]
  readonly startMs: number
  readonly tell: (change: SignalChange) => void
}

export function createHealth({ size, readable, startMs, tell }: HealthInput) {
  const scopes = new Map<string, readonly Watch[]>()
  const situations = new Map<string, readonly (readonly Watch[])[]>()
  const counted = new Map<Dimension, number>()
  const outcomes = new Float64Array(size)
  const technicalTotal = new Float64Array(size)
  const usualTotal = new Float64Array(size)
  const readAtMs = new Float64Array(size).fill(-Infinity)
  /** Successful reads in a row. */
  const readsOk = new Float64Array(size)
  const peers = createPeers(size)
  let nodeSick = false
  let lastSituation: Situation | undefined
  let lastScopes: readonly (readonly Watch[])[] = []

  function scopeOf(dimension: Dimension, value: string, nowMs: number): readonly Watch[] | undefined {
    const key = `${dimension}:${value}`
    let scope = scopes.get(key)
    if (scope !== undefined) return scope
    const count = counted.get(dimension) ?? 0
    if (count >= MAX_VALUES) return undefined
    counted.set(dimension, count + 1)
    scope = Array.from({ length: size }, (_, account) =>
      createWatch(account, dimension, value, technicalChart, WAIT_MS, nowMs),
    )
    scopes.set(key, scope)
    return scope
  }

  /** The scopes of a payment, broadest first. */
  function scopesOf(situation: Situation, nowMs: number): readonly (readonly Watch[])[] {
    // Asked several times for one and the same payment.
    if (situation === lastSituation) return lastScopes
    lastSituation = situation
    lastScopes = findScopes(situation, nowMs)
    return lastScopes
  }

  function findScopes(
    { operation, network, country, method }: Situation,
    nowMs: number,
  ): readonly (readonly Watch[])[] {
    const key = `${operation}|${network}|${country}|${method}`
    let found = situations.get(key)
    if (found === undefined) {
      if (situations.size >= MAX_SITUATIONS) situations.clear()
      found = [
        scopeOf("all", "", nowMs),
        scopeOf("method", method, nowMs),
        scopeOf("operation", operation, nowMs),
        scopeOf("network", network, nowMs),
        scopeOf("country", country, nowMs),
      ].filter((scope) => scope !== undefined)
      situations.set(key, found)
    }
    return found
  }

  function read(situation: Situation, account: number, nowMs: number): HealthReading {
    let result = WELL
    for (const scope of scopesOf(situation, nowMs)) {
      const watch = scope[account]!
      if (watch.state === "healthy") continue
      advance(watch, nowMs)
      result = worse(result, readingOf(watch, nowMs))
    }
    return result
  }

  function readingOf(watch: Watch, nowMs: number): HealthReading {
    const technical = probability(oddsAt(watch.technical, watch.kind, nowMs))
    const silent = probability(oddsAt(watch.declines, silentChart, nowMs))
    return {
      silent,
      state: watch.state,
      factor: (1 - technical * SICK_TECHNICAL) * (1 - silent * (1 - SILENT_LEFT)),
      share: watch.state === "ejected" || watch.state === "probing" ? 0 : watch.share,
      probeDue: watch.state === "probing" && nowMs >= watch.retryAtMs,
    }
  }

  /** What time alone changes. */
  function advance(watch: Watch, nowMs: number): void {
    if (watch.state === "suspect" && isCalm(watch, nowMs)) change(watch, "healthy", "odds", nowMs)
    // Else it would never be back: a small share of its traffic finds out instead.
    if (watch.state === "probing" && nowMs - Math.max(watch.changedAtMs, watch.retryAtMs) >= UNPROBED_MS)
      giveBack(watch, "waited", nowMs)
    if (watch.state !== "ejected" || nowMs < watch.retryAtMs) return
    if (watch.cause === "technical") {
      const mustRead = watch.dimension === "all" && readable[watch.account] === true
      if (!mustRead || readsOk[watch.account]! >= READS_OK) change(watch, "probing", "waited", nowMs)
    } else if (oddsAt(watch.declines, silentChart, nowMs) < SUSPECT_ODDS.declines) giveBack(watch, "waited", nowMs)
  }

  function isCalm(watch: Watch, nowMs: number): boolean {
    return (
      oddsAt(watch.technical, watch.kind, nowMs) < SUSPECT_ODDS.technical * CALM &&
      oddsAt(watch.declines, silentChart, nowMs) < SUSPECT_ODDS.declines * CALM
    )
  }

  /** A probe was sent: the next one waits. */
  function probed(situation: Situation, account: number, nowMs: number): void {
    for (const scope of scopesOf(situation, nowMs)) scope[account]!.retryAtMs = nowMs + PROBE_EVERY_MS
  }

  /** `expected` is the estimated chance of being paid, technical failures aside. What is `blameless` says nothing of the account. */
  function observe(
    situation: Situation,
    account: number,
    ending: Ending,
    expected: number,
    nowMs: number,
    blameless = false,
  ): void {
    outcomes[account]! += 1
    const bad = ending === "technical"
    if (!bad) setNode(false, nowMs)
    const usual = usualTechnical(account)
    if (scopesOf(situation, nowMs)[0]![account]!.state === "healthy") {
      technicalTotal[account]! += bad ? 1 : 0
      usualTotal[account]! += 1
    }
    const ratio = bad ? SICK_TECHNICAL / usual : (1 - SICK_TECHNICAL) / (1 - usual)
    const judged = !blameless && situation.attempt === 1 && (ending === "paid" || ending === "not_paid")
    const keys = peerKeys(situation)
    const declineRatio = judged ? ratioOfDecline(keys, account, ending, expected, nowMs) : 1
    if (situation.attempt === 1 && !bad && !blameless)
      peers.observe(keys, account, ending === "paid", ending === "issuer_technical", expected, nowMs)
    const scopesNow = scopesOf(situation, nowMs)
    // What an ejected scope explains is no evidence for other ones.
    const isExplained = scopesNow.some((scope) => isOut(scope[account]!))
    for (const scope of scopesNow) {
      const watch = scope[account]!
      if (isExplained && !isOut(watch)) continue
      step(watch.technical, watch.kind, ratio, bad, nowMs)
      if (judged) step(watch.declines, silentChart, declineRatio, ending === "not_paid", nowMs)
      if (watch.state !== "healthy") progress(watch, bad, nowMs)
    }
    if (bad) judge(situation, account, "technical", nowMs)
    else if (ending === "not_paid" && !blameless) judge(situation, account, "declines", nowMs)
  }

  function isOut({ state }: Watch): boolean {
    return state === "ejected" || state === "probing"
  }

  /** What the decline of an account says about the account, after its peers on the same issuers explained their part. */
  function ratioOfDecline(
    keys: readonly string[],
    account: number,
    ending: Ending,
    expected: number,
    nowMs: number,
  ): number {
    const shift = peers.shiftFor(keys, account, nowMs)
    const well = shift > -0.05 ? expected : sigmoid(Math.log(expected / (1 - expected)) + shift)
    return ending === "paid" ? SILENT_LEFT : (1 - SILENT_LEFT * well) / (1 - well)
  }

  function usualTechnical(account: number): number {
    const rate = (technicalTotal[account]! + USUAL_TECHNICAL * USUAL_STRENGTH) / (usualTotal[account]! + USUAL_STRENGTH)
    return clamp(rate, USUAL_MIN, USUAL_MAX)
  }

  function progress(watch: Watch, bad: boolean, nowMs: number): void {
    if (watch.state === "probing") {
      if (bad) {
        watch.waitMs = Math.min(watch.waitMs * 2, LONGEST_WAIT_MS)
        eject(watch, watch.cause, "probe_failed", nowMs)
      } else if (++watch.successes >= PROBE_SUCCESSES) giveBack(watch, "probes_succeeded", nowMs)
    } else if (watch.state === "returning" && ++watch.successes >= RETURN_HELD) {
      watch.successes = 0
      const next = RETURN_SHARES[RETURN_SHARES.indexOf(watch.share as 0.25) + 1]
      if (next !== undefined) watch.share = next
      else {
        watch.share = 1
        watch.waitMs = WAIT_MS
        change(watch, "healthy", "share_held", nowMs)
      }
    }
  }

  function giveBack(watch: Watch, why: HealthChange["why"], nowMs: number): void {
    watch.successes = 0
    watch.share = RETURN_SHARES[0]
    forget(watch.technical, nowMs)
    // The odds of silent trouble stay: they are what traffic comes back by.
    clear(watch.declines, nowMs)
    change(watch, "returning", why, nowMs)
  }

  /** Of all charts that this outcome moved, the one with the largest statistic names the scope; the broadest if equal. */
  function judge(situation: Situation, account: number, cause: HealthCause, nowMs: number): void {
    let worst: Watch | undefined
    for (const scope of scopesOf(situation, nowMs)) {
      const watch = scope[account]!
      if (isOut(watch)) return
      if (worst === undefined || watch[cause].cusum > worst[cause].cusum + 1e-9) worst = watch
      if (watch.state === "healthy" && watch[cause].odds >= SUSPECT_ODDS[cause]) {
        watch.cause = cause
        suspect(watch, nowMs)
      }
    }
    if (worst === undefined || worst[cause].cusum <= 0) return
    if (worst.state !== "healthy" && clearTogether(worst, cause, nowMs)) return
    if (worst[cause].cusum < thresholdOf(account, nowMs)) return
    eject(worst, cause, "threshold", nowMs)
    explainAway(worst, situation, nowMs)
  }

  function suspect(watch: Watch, nowMs: number): void {
    const isAgain = watch.cause === "technical" && nowMs - watch.suspectedAtMs < AGAIN_MS
    const fadeMs = isAgain ? Math.min(watch.kind.fadeMs * 2, SLOWEST_FADE_MS) : technicalChart.fadeMs
    if (watch.cause === "technical") watch.kind = { ...technicalChart, fadeMs }
    watch.suspectedAtMs = nowMs
    change(watch, "suspect", "odds", nowMs)
  }

  function thresholdOf(account: number, nowMs: number): number {
    const elapsed = nowMs - startMs
    const monthly = elapsed < DAY_MS ? OUTCOMES_PER_MONTH : (outcomes[account]! * MONTH_MS) / elapsed
    return Math.log((Math.max(monthly, 1_000) * CHARTS_PER_OUTCOME) / FALSE_EJECTIONS_PER_MONTH)
  }

  /** What the ejected scope explains is no evidence against wider or crossing ones. */
  function explainAway(ejected: Watch, situation: Situation, nowMs: number): void {
    if (ejected.dimension === "all") return
    for (const scope of scopesOf(situation, nowMs)) {
      const watch = scope[ejected.account]!
      if (watch === ejected) continue
      forget(watch[ejected.cause], nowMs)
      if (watch.state === "suspect") change(watch, "healthy", "odds", nowMs)
    }
  }

  /** Where another account is in the same trouble in the same scope, what they share is sick, and neither is blamed. */
  function clearTogether(watch: Watch, cause: HealthCause, nowMs: number): boolean {
    const scope = scopes.get(`${watch.dimension}:${watch.value}`)!
    const fell = scope.filter((w) => w.state !== "healthy" && w.cause === cause && nowMs - w.changedAtMs < TOGETHER_MS)
    const many = cause === "declines" ? fell.length >= 2 : fell.length >= Math.max(2, watchable(nowMs))
    if (!many) return false
    if (cause === "technical" && watch.dimension === "all") setNode(true, nowMs)
    for (const w of fell) {
      forget(w[cause], nowMs)
      w.share = 1
      change(w, "healthy", "all_together", nowMs)
    }
    return true
  }

  /** Accounts that have traffic at all: those that could fall together. */
  function watchable(nowMs: number): number {
    const all = scopeOf("all", "", nowMs)!
    return all.filter((w) => outcomes[w.account]! > 0).length
  }

  function setNode(sick: boolean, nowMs: number): void {
    if (nodeSick === sick) return
    nodeSick = sick
    tell({ kind: "node", sick, atMs: nowMs })
  }

  function eject(watch: Watch, cause: HealthCause, why: HealthChange["why"], nowMs: number): void {
    watch.cause = cause
    watch.successes = 0
    watch.share = 1
    watch.retryAtMs = nowMs + watch.waitMs
    if (watch.dimension === "all") readsOk[watch.account] = 0
    change(watch, "ejected", why, nowMs)
  }

  function change(watch: Watch, to: HealthState, why: HealthChange["why"], nowMs: number): void {
    const { account, dimension, value, state: from, cause } = watch
    tell({
      kind: "health",
      account,
      dimension,
      value,
      from,
      to,
      cause,
      why,
      atMs: nowMs,
      evidence: evidenceOf(watch, nowMs),
    })
    watch.state = to
    watch.changedAtMs = nowMs
    if (to === "healthy") watch.waitMs = WAIT_MS
  }

  function evidenceOf(watch: Watch, nowMs: number): HealthEvidence {
    const { account, cause, kind } = watch
    const chart = watch[cause]
    return {
      sinceMs: chart.sinceMs,
      n: chart.n,
      bad: chart.bad,
      expected: cause === "technical" ? usualTechnical(account) : 1 - SILENT_LEFT,
      statistic: chart.cusum,
      threshold: thresholdOf(account, nowMs),
      probability: probability(oddsAt(chart, cause === "technical" ? kind : silentChart, nowMs)),
    }
  }

  /** One account in every scope that it is watched in and not well. */
  function overall(account: number, nowMs: number): Overall {
    const troubles: Trouble[] = []
    for (const scope of scopes.values()) {
      const watch = scope[account]!
      advance(watch, nowMs)
      const { state, dimension, value, cause, share, changedAtMs: sinceMs } = watch
      if (state !== "healthy")
        troubles.push({ dimension, value, state, cause, share, sinceMs, evidence: evidenceOf(watch, nowMs) })
    }
    const whole = scopeOf("all", "", nowMs)![account]!
    return { state: whole.state, troubles }
  }

  /** Accounts in technical trouble as a whole that can be asked something harmless. */
  function wantsRead(nowMs: number): readonly number[] {
    const found: number[] = []
    for (const watch of scopeOf("all", "", nowMs) ?? []) {
      if (readable[watch.account] !== true || watch.cause !== "technical") continue
      if (watch.state !== "suspect" && watch.state !== "ejected") continue
      if (nowMs - readAtMs[watch.account]! >= READ_EVERY_MS) found.push(watch.account)
    }
    return found
  }

  function observeRead(account: number, ok: boolean, nowMs: number): void {
    const watch = scopeOf("all", "", nowMs)![account]!
    readAtMs[account] = nowMs
    readsOk[account] = ok ? readsOk[account]! + 1 : 0
    step(watch.technical, watch.kind, ok ? READ_OK_RATIO : SICK_TECHNICAL / usualTechnical(account), !ok, nowMs)
    if (watch.state === "suspect" && watch.technical.cusum >= thresholdOf(account, nowMs))
      eject(watch, "technical", "threshold", nowMs)
  }

  return { read, observe, probed, overall, wantsRead, observeRead, isNodeSick: (): boolean => nodeSick }
}

/** Coarse to fine: the country, then the issuer in it. */
function peerKeys({ country, issuer, network }: Situation): readonly string[] {
  return [country, `${country}|${issuer ?? network}`]
}
