// What one commit may do to a payment: which attempt may follow which, what must go on standing, what a merchant's command
// may reserve. Written against what is stored before and after, in the judge's own words: never by asking the engine.

import {
  amountsOf,
  isOpen,
  standing,
  statusOf,
  type Attempt,
  type Operation,
  type Payment,
} from "../src/core/payment.ts"
import type { Outcome } from "../src/core/outcome.ts"
import { retriedElsewhere, retriedLater } from "./lab-issuer.ts"
import type { Situation } from "./coverage.ts"
import { claim } from "./claim.ts"

/** Two processes' clocks and the judge's may be this far apart (ms). */
export const SKEW_MS = 2_200

export type Sight = {
  readonly now: number
  /** Longest answer of an account that takes new payments; undefined where it takes none. */
  readonly answerMs: (account: string) => number | undefined
  /** The account took new payments at one of two moments. */
  readonly accepted: (account: string, from: number, to: number) => boolean
  /** The account was not disabled, now or a moment ago. */
  readonly usable: (account: string) => boolean
  /** What its provider made of a request that was never answered can be found out, or undone, all the same. */
  readonly findable: (account: string) => boolean
  readonly note: (situation: Situation) => void
  /** The provider's own books still have money reserved or taken for this attempt. */
  readonly holds: (attempt: string) => boolean
  /** How long an answer to a question would have said so, where the provider can be asked (ms). */
  readonly toldFor: (attempt: string) => number
  /** Whoever has no plan of their own for retries wants another account to be tried. */
  readonly mustFollow: (payment: Payment) => boolean
  /** The schemes may let no other attempt be made with its card. */
  readonly mayBeUsedUp: (payment: Payment) => boolean
  /** Longer than it takes from a question to what is made of its answer, standing still included (ms). */
  readonly longAgoMs: number
}

export function judgeCommit(payment: Payment, before: Payment | undefined, sight: Sight): void {
  for (const attempt of payment.attempts)
    if (before === undefined || !before.attempts.some((a) => a.id === attempt.id)) {
      mayFollow(payment, before, attempt, sight)
      mayGoThere(payment, attempt, sight)
    }
  if (before === undefined) return
  mustFollow(payment, before, sight)
  for (const operation of payment.operations)
    if (!before.operations.some((o) => o.id === operation.id)) mayBegin(payment, before, operation, sight)
  for (const operation of payment.operations) {
    newRound(payment, before, operation)
    mayAct(payment, before, operation)
  }
  keepsStanding(payment, before)
  mayEnd(payment, before, sight)
  mayGoOn(payment, before)
  mustUndo(payment)
  saysWhatIsOpen(payment)
  for (const { ordinal, released, captured } of payment.attempts)
    claim(!released || captured > 0n, () => `${payment.id}: attempt ${ordinal} has let go the rest of nothing captured`)
}

/** An attempt follows only where every earlier one certainly holds nothing, or where its reversal is stored. */
function mayFollow(payment: Payment, before: Payment | undefined, attempt: Attempt, { findable, note }: Sight): void {
  claim(
    before?.ending === undefined && before?.closed === undefined,
    () => `${payment.id}: attempt ${attempt.ordinal} was started although the payment was to end`,
  )
  for (const earlier of payment.attempts) {
    if (earlier.ordinal >= attempt.ordinal) continue
    const { outcome, state } = earlier
    const free =
      state === "not_sent" ||
      state === "absent" ||
      (state === "rejected" && (outcome?.kind !== "rejected" || outcome.executed === "no")) ||
      (state === "declined" && outcome?.kind === "declined" && isFree(earlier, outcome, attempt))
    if (earlier.account === attempt.account && (state === "rejected" || state === "declined"))
      claim(
        attempt.startedAt - earlier.startedAt >= LATER_MS,
        () => `${payment.id}: attempt ${attempt.ordinal} was made at once where attempt ${earlier.ordinal} had failed`,
      )
    note(free ? "attempt after one that holds nothing" : "attempt beside a stored reversal")
    if (free) continue
    claim(
      payment.operations.some((o) => o.kind === "reverse" && o.attempt === earlier.id),
      () => `${payment.id}: attempt ${attempt.ordinal} follows attempt ${earlier.ordinal}, which is ${said(earlier)}`,
    )
    claim(
      findable(earlier.account) || earlier.reference !== undefined,
      () => `${payment.id}: rerouted from ${earlier.account}, where a lost payment can be neither found nor reversed`,
    )
    claim(
      payment.intent.initiator.by === "customer" && payment.intent.onUnknown === "reverse_then_reroute",
      () => `${payment.id}: rerouted after attempt ${earlier.ordinal} was ${said(earlier)}, which nobody asked for`,
    )
  }
}

/** "Later" is an hour later at least. */
const LATER_MS = 3_600_000
function isFree(earlier: Attempt, { reason, raw }: Extract<Outcome, { kind: "declined" }>, { startedAt }: Attempt) {
  return startedAt - earlier.startedAt >= LATER_MS
    ? retriedLater(reason, raw.adviceCode)
    : retriedElsewhere(reason, raw.adviceCode)
}

/** An attempt is made only where this payment may be made at all. */
function mayGoThere(
  { id, intent, plan }: Payment,
  { account, startedAt, ordinal }: Attempt,
  { accepted, answerMs }: Sight,
): void {
  const needs = answerMs(account)
  claim(
    ordinal === 1 || needs === undefined || plan.answerBy === undefined || startedAt + needs <= plan.answerBy + SKEW_MS,
    () => `${id}: attempt ${ordinal} was started ${(plan.answerBy ?? 0) - startedAt} ms before its answer is due`,
  )
  const tell = (why: string) => (): string => `${id}: attempt ${ordinal} was made at ${account}, ${why}`
  claim(accepted(account, startedAt - SKEW_MS, startedAt + SKEW_MS), tell("which takes no new payments"))
  if (intent.method?.type === "provider_token")
    claim(intent.method.account === account, tell(`with a token of ${intent.method.account}`))
  else if (intent.initiator.by === "merchant" && intent.initiator.networkTransactionId === undefined)
    claim(intent.metadata["source"] === account, tell(`although it began at ${intent.metadata["source"]}`))
}

const said = ({ state, outcome }: Attempt): string =>
  `${state} (${outcome?.kind}${outcome !== undefined && "reason" in outcome ? ` ${outcome.reason}` : ""})`

/** What certainly holds nothing leads on while there is time and an account: payments are not given up early. */
function mustFollow(payment: Payment, before: Payment, sight: Sight): void {
  const { now, answerMs } = sight
  const { answerBy } = before.plan
  if (!sight.mustFollow(payment) || sight.mayBeUsedUp(payment)) return
  if (before.plan.state !== "running" || payment.plan.state !== "over" || answerBy === undefined) return
  const last = payment.attempts.at(-1)
  // A verdict that somebody else brought finds the plan's owner where it is.
  if (last?.state === before.attempts.at(-1)?.state) return
  if (payment.ending !== undefined || last === undefined || statusOf(payment) !== "failed") return
  const { outcome } = last
  const leads =
    outcome?.kind === "not_sent" ||
    outcome?.kind === "absent" ||
    (outcome?.kind === "rejected" && outcome.executed === "no" && outcome.fault === "theirs") ||
    (outcome?.kind === "declined" && retriedElsewhere(outcome.reason, outcome.raw.adviceCode))
  const method = payment.intent.method
  // A cryptogram is spent once it was sent, and only then.
  const spent = method?.type === "network_token" && method.hasCryptogram === true && outcome?.kind !== "not_sent"
  if (
    !leads ||
    spent ||
    payment.attempts.some((a) => a.outcome?.kind !== "not_sent" && method?.type === "network_token")
  )
    return
  const chosen = (last.decision as { readonly chosen: readonly string[] }).chosen
  for (const account of chosen) {
    const needs = answerMs(account)
    claim(
      needs === undefined || payment.attempts.some((a) => a.account === account) || now + needs + SKEW_MS > answerBy,
      () => `${payment.id} failed after ${said(last)}, with ${answerBy - now} ms left and ${account} untried`,
    )
  }
}

/** A merchant's command reserves on what stands, and never beside what contradicts it. */
function mayBegin(payment: Payment, before: Payment, operation: Operation, { note, usable }: Sight): void {
  const { id, kind, origin, attempt } = operation
  const tell = (what: string) => (): string => `${payment.id}: ${kind} ${id} ${what}`
  const held = standing(before)
  if (kind === "reverse" && held !== undefined && held.id !== attempt) note("reversal of a second success")
  const beside = (...kinds: readonly string[]): boolean =>
    before.operations.some((o) => kinds.includes(o.kind) && o.attempt === attempt && isOpen(o))
  if (kind === "authorize" || kind === "prepare")
    claim(before.ending === undefined, tell(`was written ahead although the payment is to be ${before.ending?.as}`))
  if (kind === "reverse" && held?.id === attempt) {
    claim(held.captured === 0n, tell(`is owed of an attempt that stands with ${held.captured} captured`))
    const { intent } = payment
    claim(
      payment.ending !== undefined ||
        payment.closed !== undefined ||
        held.state !== "held" ||
        (!intent.allowPartial && held.authorized < intent.amount.minor),
      tell("is owed of an attempt that stands for all that was asked"),
    )
  }
  if (kind === "reverse") {
    // A success that is told late is worth more than what is merely under way.
    const gone = payment.attempts.find((a) => a.id === attempt)
    const { intent, ending, closed } = payment
    const whole = intent.allowPartial || (gone?.authorized ?? 0n) >= intent.amount.minor
    // Another reversal of it was handed over, and may still arrive.
    const givenUp = payment.operations.some(
      (o) => o.kind === "reverse" && o.attempt === attempt && o.id !== id && o.sentAt !== undefined,
    )
    if (givenUp && gone?.state === "held") note("paid after all, with a reversal on its way")
    claim(
      gone?.state !== "held" ||
        !whole ||
        givenUp ||
        ending !== undefined ||
        closed !== undefined ||
        standing(payment) !== undefined,
      tell("is owed of what is held, and nothing else stands"),
    )
  }
  if (origin !== "merchant") return
  claim(
    kind === "void" || usable(before.attempts.find((a) => a.id === attempt)!.account),
    tell("began at an account that is disabled"),
  )
  if (kind === "complete") {
    claim(!beside("complete"), tell("began beside another return of the same customer"))
    claim(
      before.attempts.some((a) => a.id === attempt && a.state === "action"),
      tell("of what waits for no customer"),
    )
    return
  }
  claim(held?.id === attempt, tell(`is of ${attempt}, and ${held?.id} stands`))
  if (kind === "refund") return
  claim(before.ending === undefined, tell(`began although the payment is to be ${before.ending?.as}`))
  claim(!beside("void"), tell("began beside a void"))
  if (kind === "capture") {
    const final = before.operations.some((o) => o.kind === kind && o.final && o.attempt === attempt && isOpen(o))
    claim(!final, tell("began beside a final capture"))
    claim(
      before.authorizedUntil === undefined || operation.createdAt < before.authorizedUntil + SKEW_MS,
      tell("began after the authorization had run out"),
    )
    return
  }
  claim(!beside("capture", "increment"), tell("began beside another operation on the authorization"))
  claim(amountsOf(before).captured === 0n, tell("began although money was captured"))
}

/** A person's word is about what is open; what is to be looked at anew is looked at, and by nobody's list. */
function mayAct({ id }: Payment, before: Payment, operation: Operation): void {
  const was = before.operations.find((o) => o.id === operation.id)
  if (was === undefined || operation.acted === was.acted || operation.acted?.at === was.acted?.at) return
  const tell = (what: string) => (): string =>
    `${id}: a person said "${operation.acted?.said}" of ${operation.kind} ${what}`
  claim(isOpen(was), tell(`which was ${was.state}`))
  claim(
    operation.acted?.said !== "retry" || (operation.checkAt !== undefined && !operation.needsPerson),
    tell("and nobody looks at it"),
  )
}

/** A round is a request of its own: what its provider answered to the last one, and what it called it, is the last one's. */
function newRound({ id }: Payment, before: Payment, operation: Operation): void {
  const { round, key, kind, reference, earlierRounds = [] } = operation
  const was = before.operations.find((o) => o.id === operation.id)
  if (was === undefined || (round === was.round && key === was.key)) return
  const tell = (what: string) => (): string =>
    `${id}: ${kind} ${operation.id} went from round ${was.round} to ${round} ${what}`
  claim(round === was.round + 1 && key !== was.key, tell(`under ${key}, after ${was.key}`))
  if (was.reference === undefined) return
  claim(reference !== was.reference, tell(`and is still called ${reference}`))
  claim(
    earlierRounds.some((r) => r.reference === was.reference && r.sentAt === was.sentAt),
    tell(`and nobody knows any more what ${was.reference} was`),
  )
}

/** What stood, with money captured, goes on standing: nobody else's late success takes its place. */
function keepsStanding(payment: Payment, before: Payment): void {
  const stood = standing(before)
  if (stood === undefined || stood.captured - stood.refunded <= 0n || before.closed !== undefined) return
  const stands = standing(payment)
  claim(
    stands === undefined || stands.id === stood.id,
    () =>
      `${payment.id}: attempt ${stood.ordinal} stood with ${stood.captured} captured, and now ${stands?.ordinal} does`,
  )
}

/** What was to end goes on only with money that somebody took on purpose: by hand, or the merchant before its time was over. */
function mayGoOn(payment: Payment, before: Payment): void {
  if (before.ending === undefined || payment.ending !== undefined) return
  const stands = standing(payment)?.id
  claim(
    payment.operations.some(
      (o) =>
        o.kind === "capture" &&
        o.attempt === stands &&
        o.state === "succeeded" &&
        (o.origin === "provider" || before.ending?.as === "expired"),
    ),
    () => `${payment.id} was to be ${before.ending?.as}, and is ${statusOf(payment)} by nobody's wish`,
  )
}

/** What is to end leaves no charge open: it is undone, or its undoing is stored, before anybody knows what became of it. */
function mustUndo({ id, ending, operations }: Payment): void {
  if (ending === undefined) return
  for (const o of operations)
    if (isOpen(o) && o.kind !== "prepare" && !AFTER_THE_CHARGE.has(o.kind))
      claim(
        operations.some((u) => u.attempt === o.attempt && (u.kind === "reverse" || u.kind === "void")),
        () => `${id} is to be ${ending.as}, and nothing is stored that would undo its ${o.kind}, which is ${o.state}`,
      )
}
const AFTER_THE_CHARGE: ReadonlySet<Operation["kind"]> = new Set(["capture", "refund", "void", "reverse", "increment"])

/** A customer is asked to act only while nobody works on what he did. */
function saysWhatIsOpen({ id, attempts, operations }: Payment): void {
  for (const { id: attempt, ordinal, state } of attempts)
    claim(
      state !== "action" ||
        !operations.some((o) => o.attempt === attempt && o.kind === "complete" && o.state === "unknown"),
      () => `${id}: attempt ${ordinal} asks the customer to act, and what he did has no answer yet`,
    )
}

/** Nobody but the merchant ends a payment that an attempt stands for, unless that attempt's own time is over. */
function mayEnd(payment: Payment, before: Payment, { now, holds, toldFor, longAgoMs }: Sight): void {
  const { ending } = payment
  const stood = standing(before)
  if (ending === undefined || before.ending !== undefined || ending.by !== undefined) return
  for (const attempt of before.attempts)
    claim(
      attempt.state !== "action" || toldFor(attempt.id) < longAgoMs,
      () => `${payment.id} is to be ${ending.as}: ${ending.reason}; its provider has known better for long`,
    )
  if (stood?.state !== "held") return
  const over = before.authorizedUntil !== undefined && now >= before.authorizedUntil - SKEW_MS
  claim(
    over || !holds(stood.id),
    () =>
      `${payment.id} was ${statusOf(before)} by attempt ${stood.ordinal}, and is to be ${ending.as}: ${ending.reason}`,
  )
}
