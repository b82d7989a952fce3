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
  type Payment,
  type PaymentStatus,
} from "../src/core/payment.ts"
import type { EventHead } from "../src/storage/ledger/ledger.ts"
import type { MemoryLedger } from "../src/storage/ledger/memory.ts"
import type { DecisionRecord } from "../src/routing/decide.ts"
import { holds, type Charge, type LabPsp, type LabRequest } from "./lab-psp.ts"

export class Broken extends Error {}

const broken = (what: string): never => {
  throw new Broken(what)
}
const claim = (holdsTrue: boolean, what: () => string): void => {
  if (!holdsTrue) broken(what())
}

export class Judge {
  readonly #ledger: MemoryLedger
  readonly #psps: readonly LabPsp[]
  readonly #terminal = new Map<string, PaymentStatus>()
  readonly #versions = new Map<string, number>()
  #seen = new Map<string, Payment>()

  /** The accounts that routing chooses for a payment, asked anew. */
  readonly #decide: (payment: Payment) => readonly string[]
  /** A living process waits for the answer to this key. */
  readonly #isOwned: (key: string) => boolean

  constructor(
    ledger: MemoryLedger,
    psps: readonly LabPsp[],
    isOwned: (key: string) => boolean,
    decide: (payment: Payment) => readonly string[],
  ) {
    this.#decide = decide
    this.#isOwned = isOwned
    this.#ledger = ledger
    this.#psps = psps
  }

  /** A money-moving request is about to leave: it must have been written ahead. */
  beforeSend(_psp: LabPsp, request: LabRequest): void {
    if (request.do === "inquire") return
    const payment = this.#ledger.contents.payments().find((p) => p.attempts.some((a) => a.id === request.attempt))
    if (payment === undefined)
      return broken(`${request.do} of ${request.attempt} was sent before its payment was stored`)
    const written = payment.operations.find((o) => o.key === request.key || o.id === request.operation)
    claim(
      written !== undefined && written.sentAt !== undefined,
      () => `${request.do} with key ${request.key} was sent without being written ahead`,
    )
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
      const again = this.#decide(payment)
      claim(
        JSON.stringify(again) === JSON.stringify((attempt.decision as DecisionRecord).chosen),
        () => `${id}: the decision of ${attempt.id} replays to ${JSON.stringify(again)}`,
      )
    }
    for (const operation of payment.operations) {
      const taken =
        operation.outcome?.raw.code === "owner_gone" &&
        before?.operations.find((o) => o.id === operation.id)?.state === "sent"
      claim(
        !taken || !this.#isOwned(operation.key),
        () => `${id}: ${operation.kind} was taken from a process that still waits for its answer`,
      )
    }
    const { requested, authorized, captured, refunded, capturing, refunding } = amountsOf(payment)
    claim(
      captured + capturing <= authorized || authorized === 0n,
      () => `${id}: ${captured} captured and ${capturing} on its way, of ${authorized} authorized`,
    )
    claim(
      refunded + refunding <= captured || captured === 0n,
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

  /** At most one charge of a payment holds money that no stored reversal covers. */
  #checkMoney(): void {
    for (const payment of this.#ledger.contents.payments()) {
      let uncovered = 0
      for (const { charge } of this.chargesOf(payment)) {
        if (holds(charge) <= 0n) continue
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

  /** When nothing moves any more: no operation is open, and stored and true money agree to the last unit. */
  atRest(delivered: readonly EventHead[]): void {
    const payments = this.#ledger.contents.payments()
    for (const payment of payments) {
      const open = payment.operations.filter(isOpen)
      claim(
        open.length === 0,
        () =>
          `${payment.id} never settled: ${open.map((o) => `${o.kind} ${o.state}${o.needsPerson ? " needs a person" : ""}`).join(", ")}`,
      )
      const status = statusOf(payment)
      claim(
        status !== "authorized" || standing(payment)?.state !== "held",
        () => `${payment.id} is still authorized, long after its authorization has run out`,
      )
      claim(status !== "processing" && status !== "requires_action", () => `${payment.id} is still ${status}`)
      const held = standing(payment)
      const amounts = amountsOf(payment)
      for (const { charge } of this.chargesOf(payment)) {
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
          charge.refunded <= charge.captured,
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

  /** Every stored event was delivered, once each after deduplication, and every end was told exactly once. */
  #checkEvents(delivered: readonly EventHead[]): void {
    const stored = this.#ledger.contents.events()
    // After a correction (a capture that failed days later, with its refund under way) an incident is what it is: a work item.
    const corrected = new Set(stored.flatMap((e) => (e.type === "payment.corrected" ? [e.payment] : [])))
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
