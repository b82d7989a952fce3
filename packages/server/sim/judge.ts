// The judge sees what no process sees: the providers' books and the store at one instant. Every promise that Orchestra
// makes is checked after every event, and once more when everything has come to rest.

import {
  amountsOf,
  attemptOf,
  holders,
  isOpen,
  standing,
  statusOf,
  terminalStatuses,
  wakeAt,
  type Attempt,
  type Operation,
  type Payment,
  type PaymentStatus,
} from "../src/core/payment.ts"
import type { EventHead } from "../src/storage/ledger/ledger.ts"
import type { MemoryLedger } from "../src/storage/ledger/memory.ts"
import type { DecisionRecord } from "../src/routing/decide.ts"
import { replay } from "../src/routing/replay.ts"
import { claim } from "./claim.ts"
import type { Situation } from "./coverage.ts"
import { judgeCommit, SKEW_MS, type Sight } from "./judge-commit.ts"
import { TrafficJudge } from "./judge-traffic.ts"
import { holds, type Charge, type LabPsp, type LabRequest } from "./lab-psp.ts"

export type JudgeSight = {
  readonly now: () => number
  /** Longest answer of an account that takes new payments; undefined where it takes none. */
  readonly answerMs: (account: string) => number | undefined
  /** What its provider made of a request that was never answered can be found out, or undone, all the same. */
  readonly findable: (account: string) => boolean
  /** It answers questions about what it has given an id. */
  readonly askable: (account: string) => boolean
  readonly note: (situation: Situation) => void
  readonly decide: (payment: Payment, at: number) => readonly string[]
  /** The account took new payments at one of two moments. */
  readonly accepted: (account: string, from: number, to: number) => boolean
  /** A living process waits for the answer to this key. */
  readonly isOwned: (key: string) => boolean
}

export class Judge {
  readonly #ledger: MemoryLedger
  readonly #psps: readonly LabPsp[]
  readonly #terminal = new Map<string, PaymentStatus>()
  readonly #versions = new Map<string, number>()
  readonly #lessened = new Set<string>()
  #seen = new Map<string, Payment>()

  readonly #sight: JudgeSight
  readonly #traffic: TrafficJudge

  constructor(ledger: MemoryLedger, psps: readonly LabPsp[], sight: JudgeSight) {
    this.#ledger = ledger
    this.#psps = psps
    this.#sight = sight
    this.#traffic = new TrafficJudge((attempt) =>
      ledger.contents.payments().find((p) => p.attempts.some((a) => a.id === attempt)),
    )
  }

  /** A request is about to leave. */
  beforeSend(psp: LabPsp, request: LabRequest): void {
    this.#traffic.beforeSend(psp, request, this.#sight.now())
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
    judgeCommit(payment, before, this.#commitSight())
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
      standing(payment) === undefined || payment.plan.state !== "running",
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
    for (const attempt of payment.attempts) {
      if (before?.attempts.some((a) => a.id === attempt.id)) continue
      // By the accounts as they were when the plan was made, as far as clocks agree on when that was.
      const made = payment.attempts[0]!.startedAt
      const chosen = JSON.stringify((attempt.decision as DecisionRecord).chosen)
      const again = [made, made - SKEW_MS, made + SKEW_MS].map((at) => JSON.stringify(this.#sight.decide(payment, at)))
      // And by its own record, whatever has become of the accounts. Worlds have no policies.
      const replayed = replay(attempt.decision as DecisionRecord, undefined)
      claim(
        replayed.kind === "replayed" && JSON.stringify(replayed.decision.record.chosen) === chosen,
        () => `${id}: the record of ${attempt.id}'s decision does not replay to ${chosen}`,
      )
      claim(again.includes(chosen), () => `${id}: the decision of ${attempt.id} replays to ${again[0]}, not ${chosen}`)
    }
    for (const operation of payment.operations) {
      const taken =
        operation.outcome?.raw.code === "owner_gone" &&
        before?.operations.find((o) => o.id === operation.id)?.state === "sent"
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

  #commitSight(): Sight {
    const { now, answerMs, accepted, findable, note } = this.#sight
    const holding = (attempt: string): boolean =>
      this.#psps.some((psp) => psp.charges.some((c) => c.attempt === attempt && holds(c) > 0n))
    const toldFor = (attempt: string): number => {
      const psp = this.#psps.find((p) => p.charges.some((c) => c.attempt === attempt))
      const charge = psp?.charges.find((c) => c.attempt === attempt && c.state === "authorized")
      return psp?.profile.byReference !== "strong" || charge?.authorizedAt === undefined
        ? 0
        : now() - charge.authorizedAt
    }
    return { now: now(), toldFor, answerMs, accepted, findable, note, holds: holding }
  }

  /** At most one charge of a payment holds money that no stored reversal covers. */
  #checkMoney(): void {
    for (const payment of this.#ledger.contents.payments()) {
      let uncovered = 0
      for (const { charge } of this.chargesOf(payment)) {
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
      const open = payment.operations.filter(isOpen)
      // Where the provider can be asked by nothing that we have, and nothing ever came, a person is the right end.
      const lost = (o: Operation): boolean => {
        const { account, reference } = attemptOf(payment, o.attempt)!
        const asks = reference === undefined ? this.#sight.findable(account) : this.#sight.askable(account)
        // A reversal can always be sent anew; anything else only while the provider repeats its answers.
        return o.needsPerson && !asks && (reference === undefined || o.kind !== "reverse")
      }
      const waits = open.length > 0 && open.every(lost)
      if (waits) this.#sight.note("left to a person where nobody can know")
      claim(
        open.length === 0 || waits,
        () =>
          `${payment.id} never settled: ${open.map((o) => `${o.kind} ${o.state}${o.needsPerson ? " needs a person" : ""}`).join(", ")}`,
      )
      const status = statusOf(payment)
      claim(
        waits || status !== "authorized" || standing(payment)?.state !== "held",
        () => `${payment.id} is still authorized, long after its authorization has run out`,
      )
      claim(
        waits || (status !== "processing" && status !== "requires_action"),
        () => `${payment.id} is still ${status}`,
      )
      const held = standing(payment)
      const amounts = amountsOf(payment)
      if (!waits) this.#checkEnd(payment, held)
      for (const { charge } of this.chargesOf(payment)) {
        claim(
          charge.disputed === undefined || payment.disputes.some((d) => d.reference === charge.disputed),
          () => `${payment.id}: ${charge.disputed} is not in our books`,
        )
        const stands =
          held !== undefined &&
          charge.attempt === held.id &&
          (held.reference === undefined || held.reference === charge.reference)
        if (!stands) {
          claim(
            holds(charge) <= 0n,
            () =>
              `${payment.id} is ${status}, yet ${charge.reference} holds ${holds(charge)} of ${charge.attempt} (${attemptOf(payment, charge.attempt as `att_${string}`)?.state})`,
          )
          continue
        }
        // The provider's hold may have run out by itself; what was taken must agree.
        claim(
          charge.captured === amounts.captured,
          () => `${payment.id}: ${amounts.captured} captured in our books, ${charge.captured} at the provider`,
        )
        claim(
          charge.refunded === amounts.refunded,
          () => `${payment.id}: ${amounts.refunded} refunded in our books, ${charge.refunded} at the provider`,
        )
        if (status === "authorized" && held.state === "held")
          claim(
            charge.authorized === amounts.authorized,
            () => `${payment.id}: ${amounts.authorized} authorized in our books, ${charge.authorized} at the provider`,
          )
        claim(
          charge.captured <= charge.authorized,
          () => `${payment.id}: the provider captured ${charge.captured} of ${charge.authorized}`,
        )
        claim(
          // A refund that was on its way when its capture failed: a lenient provider makes it all the same.
          charge.refunded <= charge.captured || this.#lessened.has(payment.id),
          () => `${payment.id}: the provider refunded ${charge.refunded} of ${charge.captured}`,
        )
      }
      if (held?.state === "held")
        claim(
          this.chargesOf(payment).some(({ charge }) => charge.attempt === held.id),
          () => `${payment.id} is ${status} without a charge at any provider`,
        )
    }
    this.#checkEvents(delivered)
  }

  /** What was asked for is what came of it: parts, ends, reasons, and the rest of what ran out. */
  #checkEnd(payment: Payment, held: Attempt | undefined): void {
    const { id, intent, ending, closed } = payment
    const status = statusOf(payment)
    if (held?.state === "held" && held.authorized < intent.amount.minor && held.captured < intent.amount.minor)
      claim(intent.allowPartial, () => `${id}: a part of ${held.authorized} was kept although that is not allowed`)
    for (const o of payment.operations)
      if (o.kind === "reverse" && o.reason === "only a part was authorized")
        claim(!intent.allowPartial, () => `${id}: a part was reversed although it is allowed`)
    claim(ending === undefined || closed !== undefined, () => `${id} is ${status} although it was to be ${ending?.as}`)
    claim(
      status !== "failed" || payment.failure !== undefined,
      () => `${id} failed without a reason (${payment.attempts.map((a) => a.outcome?.kind).join(" ")})`,
    )
    if (held?.state === "held" && held.captured < held.authorized && !held.released)
      claim(
        payment.authorizedUntil === undefined || this.#sight.now() < payment.authorizedUntil + 3_600_000,
        () => `${id} is ${status} and the rest of it capturable, long after its authorization ended`,
      )
  }

  /** Every stored event was delivered, once each after deduplication, and every end was told exactly once. */
  #checkEvents(delivered: readonly EventHead[]): void {
    const stored = this.#ledger.contents.events()
    // After a correction (a capture that failed days later, with its refund under way) an incident is what it is: a work item.
    const corrected = new Set(stored.flatMap((e) => (e.type === "payment.corrected" ? [e.payment] : [])))
    for (const payment of this.#ledger.contents.payments())
      if (payment.operations.some((o) => o.origin === "provider") || payment.disputes.length > 0)
        corrected.add(payment.id)
    const incident = stored.find((e) => e.type === "payment.invariant_broken" && !corrected.has(e.payment))
    claim(incident === undefined, () => `the engine itself says of ${incident?.payment} that an invariant is broken`)
    const got = new Set(delivered.map((e) => e.id))
    for (const event of stored)
      claim(got.has(event.id), () => `event ${event.type} ${event.id} of ${event.payment} was never relayed`)
    claim(got.size === stored.length, () => `${got.size} events were relayed, ${stored.length} stored`)
    for (const payment of this.#ledger.contents.payments()) {
      const status = statusOf(payment)
      const told = stored.filter((e) => e.payment === payment.id && e.type === `payment.${status}`)
      if (
        terminalStatuses.has(status) &&
        !stored.some((e) => e.payment === payment.id && e.type === "payment.corrected")
      )
        claim(told.length === 1, () => `${payment.id}: "${status}" was told ${told.length} times`)
    }
  }

  /** The operation that a commit changed, for traces. */
  describe(payment: Payment): string {
    return `${payment.id.slice(0, 12)} v${payment.version} ${statusOf(payment)} ${payment.attempts.map((a) => `${a.ordinal}:${a.state}`).join(" ")} | ${payment.operations.map((o) => `${o.kind}:${o.state}`).join(" ")}`
  }
}
