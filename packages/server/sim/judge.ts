// The judge sees what no process sees: the providers' books and the store at one instant. Every promise that Orchestra
// makes is checked after every event, and once more when everything has come to rest.

import {
  type Attempt,
  amountsOf,
  holders,
  isOpen,
  needsPerson,
  standing,
  statusOf,
  terminalStatuses,
  wakeAt,
  type Payment,
  type PaymentStatus,
} from "../src/core/payment.ts"
import type { BudgetKey, CardAttempt } from "../src/core/card-attempt.ts"
import type { EventHead } from "../src/storage/ledger/ledger.ts"
import { checkEvents } from "./judge-events.ts"
import type { MemoryLedger } from "../src/storage/ledger/memory.ts"
import type { DecisionRecord } from "../src/routing/decide.ts"
import type { Policy } from "../src/routing/policy.ts"
import { claim } from "./claim.ts"
import type { Situation } from "./coverage.ts"
import { BudgetJudge } from "./judge-budget.ts"
import { judgeBelief } from "./judge-belief.ts"
import { judgeDecision } from "./judge-routing.ts"
import { judgeRest } from "./judge-rest.ts"
import { LivenessJudge } from "./judge-liveness.ts"
import { judgeCommit, SKEW_MS, type Sight } from "./judge-commit.ts"
import { TrafficJudge } from "./judge-traffic.ts"
import type { Profile } from "./lab-profile.ts"
import { holds, QUESTION_REFUSED, type Charge, type LabPsp, type LabRequest } from "./lab-psp.ts"

export type JudgeSight = {
  readonly now: () => number
  /** Longest answer of an account that takes new payments; undefined where it takes none. */
  readonly answerMs: (account: string) => number | undefined
  /** What its provider made of a request that was never answered can be found out, or undone, all the same. */
  readonly findable: (account: string) => boolean
  /** It answers questions about what it has given an id. */
  readonly askable: (account: string) => boolean
  /** It can be asked, or what it tells surely comes. */
  readonly heard: (account: string) => boolean
  readonly note: (situation: Situation) => void
  readonly decide: (payment: Payment, attempt: Attempt, at: number) => readonly string[]
  /** The version of the merchant's policy that decides for a payment. */
  readonly policy: (payment: Payment) => Policy | undefined
  /** What was counted of cards before the world began. */
  readonly history: readonly { readonly key: BudgetKey; readonly rows: readonly CardAttempt[] }[]
  readonly usable: (account: string) => boolean
  /** The account took new payments at one of two moments. */
  readonly accepted: (account: string, from: number, to: number) => boolean
  /** Neither stalls nor lost connections in this world. */
  readonly calm: boolean
  readonly profile: (account: string) => Profile
  /** A living process waits for the answer to this key. */
  readonly isOwned: (key: string) => boolean
}

/** What a provider surely tells has been worked on by then (ms). */
const HEARD_MS = 4 * 3_600_000

export class Judge {
  readonly #ledger: MemoryLedger
  readonly #psps: readonly LabPsp[]
  readonly #terminal = new Map<string, PaymentStatus>()
  readonly #versions = new Map<string, number>()
  readonly #lessened = new Set<string>()
  #seen = new Map<string, Payment>()

  readonly #sight: JudgeSight
  readonly #traffic: TrafficJudge
  readonly liveness: LivenessJudge
  readonly #budgets: BudgetJudge
  readonly #longAgoMs: number

  constructor(ledger: MemoryLedger, psps: readonly LabPsp[], sight: JudgeSight) {
    this.#ledger = ledger
    this.#psps = psps
    this.#sight = sight
    this.liveness = new LivenessJudge(sight)
    // In a calm world as long as an answer is listened for, and a little more.
    this.#longAgoMs = sight.calm ? 100_000 : 450_000
    this.#budgets = new BudgetJudge(ledger, { ...sight, longAgoMs: this.#longAgoMs }, sight.history)
    this.#traffic = new TrafficJudge((attempt) =>
      ledger.contents.payments().find((p) => p.attempts.some((a) => a.id === attempt)),
    )
  }

  /** A request is about to leave. */
  beforeSend(psp: LabPsp, request: LabRequest): void {
    this.#traffic.beforeSend(psp, request, this.#sight.now())
    this.liveness.beforeSend(psp, request)
  }

  #moneyMoved = true
  /** The providers' books have changed. */
  moneyMoved(): void {
    this.#moneyMoved = true
  }

  /** After every event. */
  check(): void {
    for (const payment of this.#ledger.contents.payments()) {
      const before = this.#seen.get(payment.id)
      if (before === payment) continue
      this.#seen.set(payment.id, payment)
      this.#checkStored(payment, before)
      this.#moneyMoved = true
    }
    if (this.#moneyMoved) this.#checkMoney()
    this.#moneyMoved = false
  }

  #checkStored(payment: Payment, before: Payment | undefined): void {
    const status = statusOf(payment)
    const { id } = payment
    this.#budgets.check(payment, before)
    judgeCommit(payment, before, this.#commitSight())
    this.liveness.check(payment, before)
    claim(
      holders(payment).length <= 1,
      () => `${id}: ${holders(payment).length} attempts may hold money without a stored reversal`,
    )
    claim(
      payment.version > (this.#versions.get(id) ?? 0),
      () => `${id}: version went from ${this.#versions.get(id)} to ${payment.version}`,
    )
    this.#versions.set(id, payment.version)
    const open = payment.operations.filter(isOpen)
    if (status === "failed" || status === "canceled" || status === "expired") {
      claim(
        open.every((o) => o.kind === "reverse"),
        () => `${id} is ${status} while ${open.map((o) => `${o.kind} ${o.state}`).join(", ")} is open`,
      )
    }
    for (const operation of open)
      claim(
        operation.checkAt !== undefined || operation.needsPerson,
        () => `${id}: nobody will look at ${operation.kind} ${operation.state} again`,
      )
    claim(
      standing(payment) === undefined || (payment.plan.state !== "running" && payment.plan.state !== "waiting"),
      () => `${id} is ${status}, and its plan goes on`,
    )
    claim(
      standing(payment)?.released !== true || status !== "partially_captured",
      () => `${id}: more may be captured after the final capture`,
    )
    if (!terminalStatuses.has(status))
      claim(
        wakeAt(payment) !== undefined ||
          status === "authorized" ||
          status === "partially_captured" ||
          open.some((o) => o.needsPerson),
        () => `${id} is ${status} and nothing will wake it`,
      )
    if (payment.failure?.reason === "declined_by_policy") {
      this.#sight.note("declined by the policy")
      claim(payment.attempts.length === 0, () => `${id} was declined by the policy, and tried all the same`)
    }
    for (const attempt of payment.attempts) {
      if (before?.attempts.some((a) => a.id === attempt.id)) continue
      // By the accounts as they were when the plan was made, as far as clocks agree on when that was.
      const made =
        before?.plan.state === "waiting"
          ? [attempt.startedAt]
          : [payment.attempts[0]!.startedAt, ...this.#resumed(payment)]
      const chosen = JSON.stringify((attempt.decision as DecisionRecord).chosen)
      const again = made
        .flatMap((at) => [at, at - SKEW_MS, at + SKEW_MS])
        .map((at) => JSON.stringify(this.#sight.decide(payment, attempt, at)))
      // And by its own record, whatever has become of the accounts.
      judgeDecision(payment, attempt, this.#sight.policy(payment), this.#sight.note)
      claim(again.includes(chosen), () => `${id}: the decision of ${attempt.id} replays to ${again[0]}, not ${chosen}`)
    }
    for (const operation of payment.operations) {
      const was = before?.operations.find((o) => o.id === operation.id)
      const taken =
        was?.state === "sent" &&
        (operation.outcome?.raw.code === "owner_gone" || operation.acted !== was.acted || operation.round !== was.round)
      claim(
        operation.outcome?.kind === "unknown" || operation.outcome?.raw.code !== QUESTION_REFUSED,
        () => `${id}: ${operation.kind} is ${operation.state} because a question about it was refused`,
      )
      claim(
        was?.state !== "sent" ||
          operation.state !== "sent" ||
          operation.deadline === was.deadline ||
          this.#sight.now() >= (was.deadline ?? 0) - SKEW_MS,
        () => `${id}: ${operation.kind} was sent anew while ${was?.owner} listened`,
      )
      claim(
        !taken || !this.#sight.isOwned(operation.key),
        () => `${id}: ${operation.kind} was taken from a process that still waits for its answer`,
      )
    }
    const { requested, authorized, captured, refunded, capturing, refunding } = amountsOf(payment)
    // A capture that fails days later may leave refunds behind that were right when they began.
    if (before !== undefined && captured < amountsOf(before).captured) this.#lessened.add(id)
    // Whoever works at the provider's dashboard does not ask what is on its way.
    const byHand = payment.operations.some((o) => o.origin === "provider")
    claim(
      captured + capturing <= authorized || authorized === 0n || byHand,
      () => `${id}: ${captured} captured and ${capturing} on its way, of ${authorized} authorized`,
    )
    // A refund that was refused and made all the same may meet one that was asked for in its place: a person hears of it.
    const unrefused = payment.operations.some(
      (o) =>
        o.kind === "refund" &&
        o.state === "succeeded" &&
        before?.operations.some((was) => was.id === o.id && was.state === "failed") === true,
    )
    if (unrefused && payment.incidents !== undefined) this.#lessened.add(id)
    claim(
      refunded + refunding <= captured || captured === 0n || byHand || this.#lessened.has(id),
      () => `${id}: ${refunded} refunded and ${refunding} on its way, of ${captured} captured`,
    )
    claim(requested >= 0n && captured >= 0n && refunded >= 0n, () => `${id}: a negative amount`)
    const ended = this.#terminal.get(id)
    if (ended !== undefined && ended !== status) {
      const corrected = this.#ledger.contents
        .events()
        .some(
          (e) =>
            e.payment === id &&
            e.sequence === payment.version &&
            (e.type === "payment.corrected" || e.type === "payment.changed_at_provider"),
        )
      claim(corrected, () => `${id} was ${ended} and is ${status} without a recorded correction`)
    }
    if (terminalStatuses.has(status)) this.#terminal.set(id, status)
    else this.#terminal.delete(id)
  }

  /** When its plan went on after a wait: then it was decided anew. */
  #resumed({ attempts }: Payment): readonly number[] {
    return attempts.flatMap(({ startedAt, follows }) =>
      follows !== undefined && startedAt - attempts[0]!.startedAt > 60_000 ? [startedAt] : [],
    )
  }

  #commitSight(): Sight {
    const { now, answerMs, accepted, usable, findable, note } = this.#sight
    const holding = (attempt: string): boolean =>
      this.#psps.some((psp) => psp.charges.some((c) => c.attempt === attempt && holds(c) > 0n))
    const toldFor = (attempt: string): number => {
      const psp = this.#psps.find((p) => p.charges.some((c) => c.attempt === attempt))
      const charge = psp?.charges.find((c) => c.attempt === attempt && c.state === "authorized")
      return psp?.profile.byReference !== "strong" || charge?.authorizedAt === undefined
        ? 0
        : now() - charge.authorizedAt
    }
    // A retry plan may want less than what is allowed.
    const mustFollow = (payment: Payment): boolean => {
      const record = payment.attempts[0]?.decision as DecisionRecord | undefined
      return record?.rule === undefined || this.#sight.policy(payment)?.rules[record.rule.index]?.retry === undefined
    }
    const mayBeUsedUp = (payment: Payment): boolean => this.#budgets.mayBeUsedUp(payment)
    const longAgoMs = this.#longAgoMs
    return {
      now: now(),
      longAgoMs,
      mustFollow,
      mayBeUsedUp,
      toldFor,
      answerMs,
      accepted,
      findable,
      note,
      usable,
      holds: holding,
    }
  }

  /** At most one charge of a payment holds money that no stored reversal covers. */
  #checkMoney(): void {
    for (const payment of this.#ledger.contents.payments()) {
      let uncovered = 0
      for (const { charge } of this.chargesOf(payment)) {
        judgeBelief(payment, charge)
        claim(
          charge.expiredAt === undefined ||
            this.#sight.now() < charge.expiredAt + HEARD_MS ||
            // A capture on its way says what became of the rest, be it days later.
            payment.operations.some((o) => o.kind === "capture") ||
            payment.attempts.find((a) => a.id === charge.attempt)?.state !== "held",
          () =>
            `${payment.id}: ${charge.reference} ran out ${this.#sight.now() - charge.expiredAt!} ms ago, and stands`,
        )
        // Nobody could know of money that was refused and is held all the same; at rest it has been given back.
        if (holds(charge) <= 0n || charge.changedItsMind === true) continue
        const attempt = payment.attempts.find((a) => a.id === charge.attempt)
        const covered =
          attempt !== undefined &&
          payment.operations.some((o) => o.kind === "reverse" && o.attempt === attempt.id && isOpen(o))
        if (!covered) uncovered += 1
      }
      claim(uncovered <= 1, () => `${payment.id}: the cardholder is charged ${uncovered} times`)
    }
  }

  chargesOf(payment: Payment): readonly { readonly charge: Charge; readonly psp: LabPsp }[] {
    return this.#psps.flatMap((psp) =>
      psp.charges.filter((c) => payment.attempts.some((a) => a.id === c.attempt)).map((charge) => ({ charge, psp })),
    )
  }

  /** Whoever was answered gets the same answer again for ever. Only where the database lost no connection. */
  checkAnswers(told: ReadonlyMap<string, { readonly from: string }>): void {
    const answered = new Set(
      this.#ledger.contents.idempotency().flatMap((row) => (row.response === undefined ? [] : [row.key])),
    )
    for (const [key, { from }] of told)
      claim(from !== "first" || answered.has(key), () => `key ${key} was answered, and its answer is not stored`)
  }

  /** When nothing moves any more: no operation is open, and stored and true money agree to the last unit. */
  atRest(delivered: readonly EventHead[]): void {
    const payments = this.#ledger.contents.payments()
    for (const payment of payments) {
      const charges = this.chargesOf(payment).map(({ charge }) => charge)
      judgeRest(payment, charges, this.#sight, this.#lessened.has(payment.id))
    }
    const listed = this.#ledger.contents.needsPerson()
    for (const payment of payments)
      claim(
        listed.has(payment.id) === needsPerson(payment),
        () =>
          `${payment.id} ${listed.has(payment.id) ? "stands" : "does not stand"} on the list of what needs a person`,
      )
    this.liveness.atRest(payments, this.#ledger.contents.transcripts())
    checkEvents(this.#ledger, delivered)
  }

  /** The operation that a commit changed, for traces. */
  describe(payment: Payment): string {
    return `${payment.id.slice(0, 12)} v${payment.version} ${statusOf(payment)} ${payment.attempts.map((a) => `${a.ordinal}:${a.state}`).join(" ")} | ${payment.operations.map((o) => `${o.kind}:${o.state}`).join(" ")} | ${payment.plan.stopped?.why ?? ""}`
  }
}
