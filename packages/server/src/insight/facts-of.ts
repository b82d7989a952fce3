// From a payment to its facts: one per attempt and one for itself. Pure, so that facts can be made again from the ledger
// at any time and come out the same. What changes later is a correction (correction.ts).

import { exponentOf } from "../core/currency.ts"
import { declineReasons, isDeclineReason } from "../core/decline.ts"
import type { Intent } from "../core/intent.ts"
import type { Money } from "../core/money.ts"
import type { Outcome } from "../core/outcome.ts"
import {
  amountsOf,
  authorizes,
  isOpen,
  needsPerson,
  standing,
  statusOf,
  type Attempt,
  type Operation,
  type Payment,
} from "../core/payment.ts"
import { MAX_TEXT, type Dimension, type Fact, type FactName } from "./facts.ts"
import { endingOf } from "./failure.ts"
import { bucketOf } from "./histogram/histogram.ts"

/** What a payment does not hold itself. Whatever is not given is undefined in the facts, never guessed. */
export type Beside = {
  /** How long the provider's calls took (transcripts), of copies and repeats the first. */
  readonly calls?: readonly { readonly operation: string; readonly durationMs: number }[]
  /** Version of the API that a connector speaks. */
  readonly apiVersion?: (connector: string) => string | undefined
  /** The issuer behind a BIN. */
  readonly issuer?: (bin: string) => string | undefined
  /** Estimated fee of an attempt in 1/10000 minor units. */
  readonly fee?: (attempt: Attempt) => bigint | undefined
  /** The metadata key that the merchant groups by. */
  readonly labelKey?: string
}

export type Facts = { readonly attempts: readonly Fact<"attempt">[]; readonly payment: Fact<"payment"> }

export function factsOf(payment: Payment, beside: Beside = {}): Facts {
  const attempts = payment.attempts.map((attempt) => attemptFact(payment, attempt, beside))
  return { attempts, payment: paymentFact(payment, attempts, beside) }
}

function attemptFact(payment: Payment, attempt: Attempt, beside: Beside): Fact<"attempt"> {
  const operations = payment.operations.filter((o) => o.attempt === attempt.id)
  const verdict = verdictOf(operations, attempt)
  const outcome = verdict?.outcome ?? attempt.outcome
  const settled = !isUndecided(attempt)
  const approved = isApproved(attempt, operations)
  const ending = endingOf(attempt, outcome, approved, settled)
  const late = settled && isLate(operations, verdict)
  const first = attempt.ordinal === 1
  const fee = beside.fee?.(attempt)
  const settledAt = settled ? (verdict?.settledAt ?? attempt.settledAt) : undefined
  const called = (kind: Operation["kind"]): number | undefined =>
    durationOf(
      operations.filter((o) => o.kind === kind),
      beside,
    )
  const { evidence } = attempt
  const decision = decisionOf(attempt).reason
  return {
    fact: "attempt",
    id: attempt.id,
    payment: payment.id,
    version: payment.version,
    sign: 1,
    startedAt: attempt.startedAt,
    settledAt,
    dimensions: bounded<"attempt">({
      ...sharedDimensions(payment, [attempt], beside),
      provider: attempt.connector,
      account: attempt.account,
      api_version: beside.apiVersion?.(attempt.connector),
      operation: verdict?.kind ?? operations.findLast(authorizes)?.kind,
      ordinal: attempt.ordinal,
      decision,
      propensity: decisionOf(attempt).propensity,
      three_ds: threeDsOf(attempt, operations),
      state: attempt.state,
      outcome: outcome?.kind,
      reason: ending.reason,
      category: ending.category,
      fault: ending.fault,
      raw_code: approved ? undefined : outcome?.raw.code,
      network_code: outcome?.raw.networkCode,
      advice_code: outcome?.raw.adviceCode,
      avs:
        evidence.checks === undefined
          ? undefined
          : `${evidence.checks.line}/${evidence.checks.postcode}/${evidence.checks.name}`,
      cvc: evidence.checks?.code,
    }),
    measures: {
      attempts: 1n,
      settled: flag(settled),
      undecided: flag(!settled),
      pending: flag(operations.some((o) => authorizes(o) && o.state === "pending")),
      waiting: flag(attempt.state === "action"),
      unknown: flag(operations.some((o) => authorizes(o) && o.state === "unknown")),
      approved: flag(approved),
      declined: flag(settled && outcome?.kind === "declined"),
      failed: flag(settled && !approved),
      technical: flag(ending.technical),
      at_issuer: flag(settled && (approved || ending.atIssuer)),
      approved_at_issuer: flag(approved),
      unmapped: flag(ending.reason === "unmapped"),
      first: flag(first && settled),
      first_approved: flag(first && approved),
      fallback: flag(!first && settled),
      fallback_approved: flag(!first && approved),
      verdict_late: flag(late),
      routed: flag(decision !== undefined),
      routed_best: flag(decision === "best"),
      explored: flag(decision === "explore" || decision === "probe"),
      amount: payment.requested,
      approved_amount: approved ? approvedAmount(attempt, operations) : 0n,
      failed_amount: settled && !approved ? payment.requested : 0n,
      fee: fee ?? 0n,
      failed_fee: settled && !approved ? (fee ?? 0n) : 0n,
      priced: flag(fee !== undefined),
    },
    times: {
      provider_time: bucket(
        durationOf(
          operations.filter((o) => o.kind === "prepare" || authorizes(o)),
          beside,
        ),
      ),
      prepare_time: bucket(called("prepare")),
      authorize_time: bucket(called("authorize")),
      complete_time: bucket(called("complete")),
      settle_time: bucket(late && settledAt !== undefined ? settledAt - attempt.startedAt : undefined),
    },
  }
}

function paymentFact(payment: Payment, attempts: readonly Fact<"attempt">[], beside: Beside): Fact<"payment"> {
  const status = statusOf(payment)
  const amounts = amountsOf(payment)
  const winner = attempts.find((a) => a.measures.approved === 1n && a.id === standing(payment)?.id)
  const approvedOne = winner ?? attempts.find((a) => a.measures.approved === 1n)
  const approved = approvedOne !== undefined && payment.failure?.reason !== "partially_approved"
  const failed = status === "failed"
  const settled = approved || failed
  const last = payment.attempts.find((a) => a.id === approvedOne?.id) ?? payment.attempts.at(-1)
  const settledAt = approved ? approvedOne.settledAt : failed ? payment.closed?.at : undefined
  const reason = failed ? payment.failure?.reason : undefined
  const known = reason !== undefined && isDeclineReason(reason) ? declineReasons[reason] : undefined
  const fees = attempts.reduce((sum, a) => sum + a.measures.fee, 0n)
  const priced = attempts.length > 0 && attempts.every((a) => a.measures.priced === 1n)
  const start = payment.attempts[0]?.startedAt
  const acted = payment.operations.some((o) => o.kind === "complete") || attempts.some((a) => a.measures.waiting === 1n)
  const firstApproved = attempts[0]?.measures.approved === 1n
  const confirmed = status !== "requires_confirmation" && payment.plan.state !== "idle"
  const givenUp = (status === "canceled" || status === "expired") && !approved
  return {
    fact: "payment",
    id: payment.id,
    payment: payment.id,
    version: payment.version,
    sign: 1,
    startedAt: payment.createdAt,
    settledAt,
    dimensions: bounded<"payment">({
      ...sharedDimensions(payment, last === undefined ? [] : [last], beside),
      provider: last?.connector,
      account: last?.account,
      first_provider: payment.attempts[0]?.connector,
      status,
      failure: reason,
      fault: reason === undefined ? undefined : (known?.fault ?? "engine"),
      attempts: attempts.length,
    }),
    measures: {
      payments: 1n,
      confirmed: flag(confirmed),
      settled: flag(settled),
      undecided: flag(confirmed && !settled && !givenUp),
      approved: flag(approved),
      failed: flag(failed && !approved),
      given_up: flag(givenUp),
      first_approved: flag(firstApproved && approved),
      fell_back: flag(settled && attempts.length > 1),
      recovered: flag(attempts.length > 1 && !firstApproved && approved),
      unroutable: flag(reason === "no_eligible_account"),
      was_unknown: flag(attempts.some((a) => a.measures.verdict_late === 1n || a.measures.unknown === 1n)),
      disputed: flag(payment.disputes.some((d) => d.stage !== "inquiry")),
      captured: flag(amounts.captured > 0n),
      needs_person: flag(needsPerson(payment)),
      amount: payment.requested,
      approved_amount: approved ? approvedOne.measures.approved_amount : 0n,
      captured_amount: amounts.captured,
      refunded_amount: amounts.refunded,
      disputed_amount: amounts.disputed,
      fee: fees,
      fee_squared: ((fees + 5_000n) / 10_000n) ** 2n,
      approved_fee: approved ? fees : 0n,
      priced: flag(priced),
      priced_approved: flag(priced && approved),
    },
    times: {
      authorization_time: bucket(
        settledAt === undefined || start === undefined || acted ? undefined : Math.max(settledAt - start, 0),
      ),
    },
  }
}

type Shared = { readonly [D in Dimension<"attempt"> & Dimension<"payment">]?: string | number | undefined }

function sharedDimensions(payment: Payment, [attempt]: readonly Attempt[], beside: Beside): Omit<Shared, "attempts"> {
  const { intent } = payment
  const { method } = intent
  const card = method === undefined || method.type === "provider_token" ? undefined : method
  const { card: told } = attempt?.evidence ?? {}
  const { policy, version, rule, arm } = attempt === undefined ? nothingDecided : decisionOf(attempt)
  return {
    merchant: payment.merchant,
    mode: payment.mode,
    method: method?.type,
    network: method?.network,
    funding: card?.funding ?? told?.funding,
    card_country: card?.country ?? told?.country,
    issuer: card?.issuer ?? (card === undefined ? undefined : beside.issuer?.(card.bin)) ?? told?.issuer,
    bin: card?.bin,
    currency: intent.amount.currency,
    amount_band: amountBand(intent.amount),
    customer_country: intent.billing?.address?.country,
    label: beside.labelKey === undefined ? undefined : intent.metadata[beside.labelKey],
    initiator: initiatorOf(intent),
    three_ds_asked: intent.threeDs.mode,
    policy,
    policy_version: version,
    rule,
    arm,
  }
}

/** Powers of two of the major unit: 0.5, 1, 2, 4 … up to 2^30; "0" for a verification. */
export function amountBand({ minor, currency }: Money): string {
  if (minor <= 0n) return "0"
  const major = Number(minor) / 10 ** exponentOf(currency)
  return String(2 ** Math.min(Math.max(Math.floor(Math.log2(major)), -1), 30))
}

function initiatorOf({ initiator }: Intent): string {
  if (initiator.by === "merchant") return `merchant_${initiator.purpose}`
  return initiator.stored === "none" ? "customer" : initiator.stored === "first" ? "customer_first" : "customer_stored"
}

type Decided = {
  readonly policy: string | undefined
  readonly version: number | undefined
  readonly rule: string | undefined
  readonly reason: string | undefined
  readonly arm: string | undefined
  readonly propensity: number | undefined
}
const nothingDecided: Decided = {
  policy: undefined,
  version: undefined,
  rule: undefined,
  reason: undefined,
  arm: undefined,
  propensity: undefined,
}

/** What a stored decision says, whatever version of the router wrote it: fields that are not there are undefined. */
function decisionOf({ decision, account }: Attempt): Decided {
  const chance = field(field(decision, "propensities"), account)
  const policy = field(decision, "policy")
  return {
    policy: asText(field(policy, "id")),
    version: asWhole(field(policy, "version")),
    rule: asText(field(field(decision, "rule"), "name")),
    reason: asText(field(decision, "reason")),
    arm: asText(field(decision, "arm")),
    propensity: typeof chance === "number" && Number.isFinite(chance) ? Math.round(chance * 1e6) : undefined,
  }
}
const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
const asText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)
const asWhole = (value: unknown): number | undefined => (Number.isSafeInteger(value) ? (value as number) : undefined)

/** The operation that decided the attempt: the last of its authorizing ones that closed with a word of the provider. */
function verdictOf(operations: readonly Operation[], attempt: Attempt): Operation | undefined {
  const closed = operations.filter((o) => (authorizes(o) || o.kind === "prepare") && !isOpen(o))
  return (
    closed.findLast((o) => o.outcome !== undefined && o.outcome === attempt.outcome) ??
    closed.findLast((o) => authorizes(o) && o.state === "succeeded") ??
    closed.findLast((o) => authorizes(o)) ??
    closed.at(-1)
  )
}

const isUndecided = (attempt: Attempt): boolean => attempt.state === "open" || attempt.state === "action"

function isApproved(attempt: Attempt, operations: readonly Operation[]): boolean {
  if (attempt.state === "held" || attempt.state === "verified") return true
  return operations.some((o) => authorizes(o) && takesEffect(o.outcome))
}
const takesEffect = (outcome: Outcome | undefined): boolean =>
  outcome?.kind === "approved" &&
  (outcome.effect === "authorized" || outcome.effect === "captured" || outcome.effect === "verified")

const approvedAmount = (attempt: Attempt, operations: readonly Operation[]): bigint => {
  const told = operations.findLast((o) => authorizes(o) && takesEffect(o.outcome))?.outcome
  return attempt.authorized > 0n ? attempt.authorized : told?.kind === "approved" ? told.amount : 0n
}

/** A verdict that did not come with the first answer: somebody looked again, a webhook told, or time did. */
function isLate(operations: readonly Operation[], verdict: Operation | undefined): boolean {
  if (verdict === undefined) return true
  const asked = operations.filter(authorizes)
  return asked.some((o) => o.checks > 0) || verdict.state === "reversed" || verdict.state === "absent"
}

function threeDsOf({ evidence }: Attempt, operations: readonly Operation[]): string | undefined {
  const challenged = operations.some((o) => o.kind === "complete" || o.state === "action")
  const { status, version } = evidence.threeDs ?? {}
  const parts = [challenged ? "challenged" : undefined, status, version].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join(" ")
}

/** ms that the provider's calls took, of each operation the first exchange; undefined where none is known. */
function durationOf(operations: readonly Operation[], { calls = [] }: Beside): number | undefined {
  const known = operations.flatMap((o) => calls.find((call) => call.operation === o.id)?.durationMs ?? [])
  return known.length === 0 ? undefined : known.reduce((sum, ms) => sum + Math.max(ms, 0), 0)
}

const bucket = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : bucketOf(Math.max(ms, 0))
const flag = (is: boolean): bigint => (is ? 1n : 0n)

/** What every store gives back as it was given: no half of a character, which the cut may leave too, and no NUL. */
const plain = (text: string): string => text.slice(0, MAX_TEXT).toWellFormed().replaceAll("\0", "\ufffd")

function bounded<F extends FactName>(dimensions: {
  readonly [D in Dimension<F>]?: string | number | undefined
}): Fact<F>["dimensions"] {
  return Object.fromEntries(
    Object.entries<string | number | undefined>(dimensions).map(([name, value]) => [
      name,
      typeof value === "string" ? plain(value) : value,
    ]),
  ) as Fact<F>["dimensions"]
}
