// What is not given up before everything was tried: a question or a copy before the merchant's answer is due, a webhook's
// time before a reversal, a copy of a follow-up before a person is called. And what is kept: every answer that reached a
// living process. Only on days on which neither processes stand still nor the database loses connections: then nobody has
// an excuse.

import {
  authorizes,
  isOpen,
  PLAN_GRACE_MS,
  standing,
  type Attempt,
  type Operation,
  type Payment,
} from "../src/core/payment.ts"
import type { Transcript } from "../src/storage/ledger/ledger.ts"
import { claim } from "./claim.ts"
import { SKEW_MS } from "./judge-commit.ts"
import type { Profile } from "./lab-profile.ts"
import type { LabPsp, LabRequest } from "./lab-psp.ts"

export type LivenessSight = {
  readonly now: () => number
  /** Neither stalls nor lost connections in this world. */
  readonly calm: boolean
  readonly profile: (account: string) => Profile
}

/** Long enough for the first question while the merchant waits, with a slow database in between (ms). */
const TIME_TO_ASK_MS = 5_000
/** A process that has lived so long after an answer has stored it (ms). */
const TIME_TO_STORE_MS = 60_000

type Answer = { readonly attempt: string; readonly path: string; readonly at: number; readonly diedAt: () => number }

export class LivenessJudge {
  readonly #sight: LivenessSight
  readonly #tried = new Map<string, number>()
  readonly #unknownSince = new Map<string, number>()
  readonly #committers = new Map<string, Set<string>>()
  /** By attempt: its reversal that was sent, and whether anybody has asked since. */
  readonly #reversals = new Map<string, { readonly operation: string | undefined; asked: boolean }>()
  readonly #answers: Answer[] = []

  constructor(sight: LivenessSight) {
    this.#sight = sight
  }

  /** A process is about to hand this over, whatever becomes of it. */
  tried(request: LabRequest): void {
    const what = request.do === "inquire" ? `about ${request.operation}` : request.key
    this.#tried.set(what, (this.#tried.get(what) ?? 0) + 1)
    const reversal = request.do === "inquire" ? this.#reversals.get(request.attempt) : undefined
    if (reversal !== undefined) reversal.asked = true
  }

  /** A request leaves. A reversal that may have worked is asked about before it is made once more. */
  beforeSend(psp: LabPsp, request: LabRequest): void {
    if (request.do !== "reverse") return
    const before = this.#reversals.get(request.attempt)
    claim(
      before?.asked !== false ||
        before.operation !== request.operation ||
        psp.profile.byReference === "none" ||
        request.reference === undefined,
      () => `the reversal of ${request.attempt} was made once more, and nobody had asked what became of it`,
    )
    claim(
      request.reference !== undefined || psp.profile.reverseByAttempt,
      () => `the reversal of ${request.attempt} names nothing that its provider knows`,
    )
    this.#reversals.set(request.attempt, { operation: request.operation, asked: false })
  }

  answered(request: LabRequest, diedAt: () => number): void {
    if (request.do !== "inquire")
      this.#answers.push({ attempt: request.attempt, path: `/${request.do}`, at: this.#sight.now(), diedAt })
  }

  committing(node: string, payment: string, version: number): void {
    const key = `${payment} ${version}`
    this.#committers.set(key, (this.#committers.get(key) ?? new Set()).add(node))
  }

  check(payment: Payment, before: Payment | undefined): void {
    for (const o of payment.operations)
      if (o.state !== "unknown") this.#unknownSince.delete(o.id)
      else if (!this.#unknownSince.has(o.id)) this.#unknownSince.set(o.id, this.#sight.now())
    if (this.#sight.calm) this.#givesTime(payment, before)
    if (before?.plan.state === "running" && payment.plan.state === "over") this.#mayGiveUp(payment)
    for (const o of payment.operations)
      if (o.kind === "reverse" && before?.operations.some((b) => b.id === o.id) === false)
        this.#mayReverse(payment, before, o)
  }

  /** Customers and authorizations have all the time that their provider gives them, and no more. */
  #givesTime(payment: Payment, before: Payment | undefined): void {
    const now = this.#sight.now()
    const is = (what: string, until: number | undefined, ms: number, least: number): void =>
      claim(
        until === undefined || (until <= now + ms + SKEW_MS && until >= now + least - TIME_TO_ASK_MS),
        () => `${payment.id}: ${what} until ${until! - now} ms from now, and its provider says ${ms}`,
      )
    for (const { id, state, actionUntil, account } of payment.attempts) {
      const was = before?.attempts.find((a) => a.id === id)
      const { actionMs } = this.#sight.profile(account)
      if (state === "action" && was?.state !== "action") is("its customer may act", actionUntil, actionMs, actionMs)
    }
    const held = standing(payment)
    if (held !== undefined && (before === undefined || standing(before) === undefined))
      is("it is authorized", payment.authorizedUntil, this.#sight.profile(held.account).authorizationMs, -1e9)
  }

  /** The plan's owner asks before it gives up, and nobody else ends the plan before its time. */
  #mayGiveUp(payment: Payment): void {
    const { answerBy, owner } = payment.plan
    if (answerBy === undefined || owner === undefined) return
    // A success ends it at once, also one that is given back because only a part was approved.
    if (payment.ending !== undefined || payment.attempts.some((a) => a.state === "held" || a.state === "verified"))
      return
    const now = this.#sight.now()
    const by = this.#committers.get(`${payment.id} ${payment.version}`)
    const own = by?.has(owner.split(" ")[0]!) === true
    claim(
      own || now >= answerBy + PLAN_GRACE_MS - SKEW_MS,
      () => `${payment.id}: its plan was ended by another ${answerBy - now} ms before its answer was due`,
    )
    if (!own || !this.#sight.calm || now > answerBy + PLAN_GRACE_MS - SKEW_MS) return
    const attempt = payment.attempts.at(-1)
    const open = payment.operations.findLast((o) => o.attempt === attempt?.id && authorizes(o) && o.state === "unknown")
    if (open === undefined || attempt === undefined) return
    const since = this.#unknownSince.get(open.id) ?? now
    if (answerBy - since < TIME_TO_ASK_MS) return
    const { asks, copies } = this.#ways(payment, attempt)
    const asked = this.#tried.get(`about ${open.id}`) ?? 0
    const sent = this.#tried.get(open.key) ?? 0
    claim(
      asked > 0 || sent > 1 || !(asks || copies),
      () =>
        `${payment.id} was given up for now ${answerBy - since} ms after attempt ${attempt.ordinal} was unknown, unasked`,
    )
    claim(
      sent > 1 || !copies,
      () => `${payment.id}: attempt ${attempt.ordinal} was not sent again, although its provider repeats its answers`,
    )
  }

  #ways({ intent }: Payment, { account, reference }: Attempt): { readonly asks: boolean; readonly copies: boolean } {
    const { byReference, byAttempt, replay, authorizationWindowMs, inFlightMs } = this.#sight.profile(account)
    const spent = intent.method?.type === "network_token" && intent.method.hasCryptogram === true
    return {
      asks: byAttempt !== "none" || (reference !== undefined && byReference !== "none"),
      copies: replay.stores === "all" && authorizationWindowMs > inFlightMs + 60_000 && !spent,
    }
  }

  /** Nobody undoes what its provider has still time to tell of. */
  #mayReverse(payment: Payment, before: Payment, { attempt: id }: Operation): void {
    const attempt = before.attempts.find((a) => a.id === id)
    const original = before.operations.findLast((o) => o.attempt === id && authorizes(o))
    if (attempt?.state !== "open" || original?.sentAt === undefined || before.plan.state !== "over") return
    if (payment.ending !== undefined || payment.closed !== undefined || before.closed !== undefined) return
    if (payment.attempts.some((a) => a.id !== id && (a.state === "held" || a.state === "verified"))) return
    // Known by now, and given back because only a part was approved.
    if (payment.attempts.find((a) => a.id === id)?.state !== "open" || this.#ways(before, attempt).asks) return
    const due = original.sentAt + this.#sight.profile(attempt.account).settleWithinMs
    claim(
      this.#sight.now() >= due - SKEW_MS,
      () =>
        `${payment.id}: attempt ${attempt.ordinal} was reversed ${due - this.#sight.now()} ms before its webhook was due`,
    )
  }

  atRest(payments: readonly Payment[], transcripts: readonly Transcript[]): void {
    for (const payment of payments)
      for (const o of payment.operations) {
        if (!isOpen(o) || !o.needsPerson || o.state !== "unknown" || authorizes(o) || o.kind === "reverse") continue
        const attempt = payment.attempts.find((a) => a.id === o.attempt)!
        const { replay } = this.#sight.profile(attempt.account)
        const copies = replay.stores === "all" && replay.windowMs > 86_400_000
        claim(
          !copies || (this.#tried.get(o.key) ?? 0) > 1,
          () => `${payment.id}: ${o.kind} ${o.id} was left to a person, and never sent again`,
        )
      }
    if (this.#sight.calm) this.#everythingKept(transcripts)
  }

  #everythingKept(transcripts: readonly Transcript[]): void {
    const kept = new Map<string, number>()
    for (const { attempt, request, response } of transcripts)
      if (response !== undefined) add(kept, `${request.path} ${attempt}`)
    const told = new Map<string, number>()
    for (const { attempt, path, at, diedAt } of this.#answers)
      if (diedAt() > at + TIME_TO_STORE_MS) add(told, `${path} ${attempt}`)
    for (const [what, count] of told)
      claim((kept.get(what) ?? 0) >= count, () => `${count} answers came to ${what}, ${kept.get(what) ?? 0} were kept`)
  }
}

const add = (counts: Map<string, number>, key: string): void => void counts.set(key, (counts.get(key) ?? 0) + 1)
