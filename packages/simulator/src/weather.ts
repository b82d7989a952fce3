// The weather of an account: everything that can go wrong between a merchant and a provider, as data. Deciding is
// pure (`forecast` draws from the random source it is given); carrying the decision out is the host's work, or the
// deterministic simulation's. Times of windows count from the moment the weather was set.
import type { DeclineShare, IssuerProfile, IssuerRule } from "./issuer.ts"
import { GENEROUS } from "./issuer.ts"

export type Weather = {
  /** Time to answer, log-normal through these two points. Absent: at once. */
  readonly latency?: { readonly medianMs: number; readonly p99Ms: number }
  readonly issuer?: IssuerWeather
  /** Tried in order for every request; the first whose window, match and dice fit happens. */
  readonly faults?: readonly Fault[]
  /** Tried in order for every webhook; all that fit happen together. */
  readonly webhooks?: readonly WebhookFault[]
}

export type IssuerWeather = {
  readonly approvalRate?: number
  readonly partialRate?: number
  readonly standingShare?: number
  readonly mistypedRate?: number
  readonly rules?: readonly (IssuerRule & Window)[]
  readonly declines?: readonly DeclineShare[]
}

/** Milliseconds since the weather was set; `until` is exclusive. */
export type Window = { readonly from?: number; readonly until?: number }

export type Match = {
  /** Any of these operations; absent means every operation. */
  readonly operation?: readonly Operation[]
  /** Leading digits of the card in the request; requests without a card number never match. */
  readonly cardBin?: string
}

export type Operation = "authorize" | "capture" | "void" | "refund" | "increment" | "inquiry" | "other"

export type Fault = Window & { readonly probability: number; readonly match?: Match } & FaultKind

export type FaultKind =
  /** The request is not handled and answered 500 (or `status`). */
  | { readonly type: "error_before"; readonly status?: number }
  /** The request is handled, and answered 500 all the same; the provider stores that 500 under the request's key. */
  | { readonly type: "error_after"; readonly status?: number }
  /** Nothing is handled and nothing is answered; after `holdMs` the connection is reset. */
  | { readonly type: "hang_before"; readonly holdMs?: number }
  /** Handled, and never answered. */
  | { readonly type: "hang_after"; readonly holdMs?: number }
  /** The connection is reset once the request is read, before it is handled. */
  | { readonly type: "reset_before" }
  /** Handled, and the connection is reset instead of an answer. */
  | { readonly type: "reset_after" }
  /** Handled only `delayMs` after the client gave up (or after `holdMs`, when it does not). */
  | { readonly type: "late"; readonly delayMs: number; readonly holdMs?: number }
  /** Handled; the body breaks off after `keep` (0..1) of its bytes. */
  | { readonly type: "truncated"; readonly keep?: number }
  /** A proxy's HTML 502 stands in for the answer; `handled` says whether the provider saw the request. */
  | { readonly type: "foreign"; readonly handled?: boolean; readonly status?: number }
  /** Not handled: 429 as this provider words it. */
  | { readonly type: "rate_limited" }
  /** Slow by `slowdown`, and `errorShare` of the requests answered 503 without being handled. */
  | { readonly type: "brown_out"; readonly slowdown: number; readonly errorShare: number }
  /** The port is closed: connections are refused. Probability and match do not apply. */
  | { readonly type: "refused" }
  /** Accepted connections are reset before a byte is read. Match does not apply. */
  | { readonly type: "reset_at_accept" }
  /** Connections that wait for their next request for `idleMs` are reset. Probability and match do not apply. */
  | { readonly type: "reset_idle"; readonly idleMs: number }

export type WebhookFault = Window & { readonly probability: number } & WebhookFaultKind

export type WebhookFaultKind =
  /** Delivered `copies` times more (1 when absent). */
  | { readonly type: "duplicated"; readonly copies?: number }
  /** Delivered after a delay drawn evenly from 0 to `withinMs`, so that events overtake each other. */
  | { readonly type: "reordered"; readonly withinMs: number }
  | { readonly type: "late"; readonly delayMs: number }
  /** The first try is lost on the way and the provider tries again `retryMs` later. */
  | { readonly type: "lost"; readonly retryMs: number }
  /** Never delivered. */
  | { readonly type: "dropped" }

export type RequestFacts = { readonly operation: Operation; readonly pan?: string }

/** What becomes of one request. Times add up: wait `beforeMs`, handle, wait `afterMs`, answer. */
export type Plan = {
  readonly beforeMs: number
  readonly afterMs: number
  readonly handle:
    | { readonly when: "at_once" }
    | { readonly when: "never" }
    | { readonly when: "late"; readonly delayMs: number; readonly holdMs: number }
  readonly answer:
    | { readonly type: "own" }
    | { readonly type: "trouble"; readonly status: number; readonly stored: boolean }
    | { readonly type: "foreign"; readonly status: number }
    | { readonly type: "truncated"; readonly keep: number }
    | { readonly type: "silence"; readonly holdMs: number }
    | { readonly type: "reset" }
}

/** How the account's port behaves at this moment. */
export type ListenerWeather = {
  readonly open: boolean
  readonly resetAtAccept: number
  readonly resetIdleMs: number | undefined
}

/** Tries to deliver one webhook, in order of time. A lost try never reaches the merchant. */
export type DeliveryPlan = readonly { readonly afterMs: number; readonly lost: boolean }[]

export const CLEAR: Weather = {}
export const DEFAULT_HOLD_MS = 120_000
export const MAX_LATENCY_MS = 120_000

export function forecast(weather: Weather, facts: RequestFacts, random: () => number, sinceMs: number): Plan {
  // The dice are drawn before anything is looked at, so that a change of weather does not shift later requests.
  const dice = { latency: [random(), random()] as const, detail: random() }
  const latencyMs = drawLatency(weather, dice.latency)
  const own: Plan = {
    beforeMs: Math.round(latencyMs / 2),
    afterMs: latencyMs - Math.round(latencyMs / 2),
    handle: { when: "at_once" },
    answer: { type: "own" },
  }
  for (const fault of weather.faults ?? []) {
    if (!isDuring(fault, sinceMs) || !fits(fault.match, facts)) continue
    if (random() >= fault.probability) continue
    const plan = planOf(fault, own, dice.detail)
    if (plan) return plan
  }
  return own
}

export function listenerWeather(weather: Weather, sinceMs: number): ListenerWeather {
  const current = (weather.faults ?? []).filter((fault) => isDuring(fault, sinceMs))
  const idle = current.find((fault) => fault.type === "reset_idle")
  return {
    open: !current.some((fault) => fault.type === "refused"),
    resetAtAccept: current.find((fault) => fault.type === "reset_at_accept")?.probability ?? 0,
    resetIdleMs: idle?.type === "reset_idle" ? idle.idleMs : undefined,
  }
}

/** The next moment at which `listenerWeather` may change, so that a host can wake up for it. */
export function nextListenerChange(weather: Weather, sinceMs: number): number | undefined {
  const edges = (weather.faults ?? [])
    .filter(({ type }) => type === "refused" || type === "reset_at_accept" || type === "reset_idle")
    .flatMap(({ from, until }) => [from, until])
    .filter((edge) => edge !== undefined && edge > sinceMs) as number[]
  return edges.length ? Math.min(...edges) : undefined
}

export function forecastWebhook(weather: Weather, random: () => number, sinceMs: number): DeliveryPlan {
  let delayMs = 0
  let retryMs: number | undefined
  let copies = 1
  for (const fault of weather.webhooks ?? []) {
    if (!isDuring(fault, sinceMs) || random() >= fault.probability) continue
    switch (fault.type) {
      case "duplicated":
        copies += fault.copies ?? 1
        break
      case "reordered":
        delayMs += Math.floor(random() * fault.withinMs)
        break
      case "late":
        delayMs += fault.delayMs
        break
      case "lost":
        retryMs = fault.retryMs
        break
      case "dropped":
        return []
      default:
        fault satisfies never
    }
  }
  const arrivesMs = delayMs + (retryMs ?? 0)
  const lost = retryMs === undefined ? [] : [{ afterMs: delayMs, lost: true }]
  return [...lost, ...Array.from({ length: copies }, () => ({ afterMs: arrivesMs, lost: false }))]
}

/** The issuer as this weather makes it, at this moment. */
export function issuerProfile(weather: Weather, sinceMs: number): IssuerProfile {
  const { rules = [], ...rest } = weather.issuer ?? {}
  return { ...GENEROUS, ...rest, rules: rules.filter((rule) => isDuring(rule, sinceMs)) }
}

/** Undefined when this fault leaves the request to the next one. */
function planOf(fault: Fault, own: Plan, detail: number): Plan | undefined {
  const unhandled = { when: "never" } as const
  switch (fault.type) {
    case "error_before":
      return { ...own, handle: unhandled, answer: { type: "trouble", status: fault.status ?? 500, stored: false } }
    case "error_after":
      return { ...own, answer: { type: "trouble", status: fault.status ?? 500, stored: true } }
    case "hang_before":
      return { ...own, handle: unhandled, answer: { type: "silence", holdMs: fault.holdMs ?? DEFAULT_HOLD_MS } }
    case "hang_after":
      return { ...own, answer: { type: "silence", holdMs: fault.holdMs ?? DEFAULT_HOLD_MS } }
    case "reset_before":
      return { ...own, handle: unhandled, answer: { type: "reset" } }
    case "reset_after":
      return { ...own, answer: { type: "reset" } }
    case "late": {
      const holdMs = fault.holdMs ?? DEFAULT_HOLD_MS
      return { ...own, handle: { when: "late", delayMs: fault.delayMs, holdMs }, answer: { type: "silence", holdMs } }
    }
    case "truncated":
      return { ...own, answer: { type: "truncated", keep: fault.keep ?? 0.5 } }
    case "foreign":
      return {
        ...own,
        handle: fault.handled ? own.handle : unhandled,
        answer: { type: "foreign", status: fault.status ?? 502 },
      }
    case "rate_limited":
      return { ...own, handle: unhandled, answer: { type: "trouble", status: 429, stored: false } }
    case "brown_out": {
      const slow = {
        ...own,
        beforeMs: Math.min(own.beforeMs * fault.slowdown, MAX_LATENCY_MS),
        afterMs: Math.min(own.afterMs * fault.slowdown, MAX_LATENCY_MS),
      }
      return detail < fault.errorShare
        ? { ...slow, handle: unhandled, answer: { type: "trouble", status: 503, stored: false } }
        : slow
    }
    case "refused":
    case "reset_at_accept":
    case "reset_idle":
      return undefined // the listener's business
    default:
      return fault satisfies never
  }
}

/** Log-normal through median and p99: 2.326 is the standard normal's 99th percentile. */
function drawLatency(weather: Weather, [first, second]: readonly [number, number]): number {
  if (!weather.latency) return 0
  const { medianMs, p99Ms } = weather.latency
  const sigma = Math.log(p99Ms / medianMs) / 2.326
  const normal = Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second)
  return Math.min(Math.round(medianMs * Math.exp(sigma * normal)), MAX_LATENCY_MS)
}

function isDuring({ from = 0, until = Infinity }: Window, sinceMs: number): boolean {
  return sinceMs >= from && sinceMs < until
}

function fits(match: Match | undefined, facts: RequestFacts): boolean {
  if (match?.operation && !match.operation.includes(facts.operation)) return false
  if (match?.cardBin !== undefined && !facts.pan?.startsWith(match.cardBin)) return false
  return true
}
