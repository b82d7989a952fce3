// The truth of charges: what a provider's books say about each payment, however its API words it. All personas keep
// their money here, so that a merchant's view can be judged against one truth. Pure apart from the clock it is given.
//
//   state       may become                                   by
//   none        action, authorized, declined, voided         awaitAction, authorize, decline, void
//   action      authorized, declined, voided, expired        authorize, decline, void, expire
//   declined    action, authorized, voided                   (the merchant tries another card on the same reference)
//   authorized  captured, voided, expired                    final capture, void, expire
//   captured    –                                            refunds and disputes change amounts, not the state
//   voided, expired are final.
//
// An authorization with non-final captures stays `authorized`; void or expiry then releases the rest and leaves it
// `captured`. Neither is possible while a capture is pending. A capture or refund that is only accepted at first is `start…`ed and finishes, or fails, days later.
import type { TrueCharge } from "./persona.ts"

export type Refusal =
  | "unknown_charge"
  | "unknown_operation"
  | "not_positive"
  | "wrong_state"
  | "exceeds_authorized"
  | "exceeds_captured"
  | "already_finished"

export type Entry<T = LedgerCharge> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal }

/** A capture, refund or dispute of a charge. `pending` ones reserve their amount but have not moved money. */
export type LedgerOperation = {
  readonly id: string
  readonly reference: string
  readonly kind: "capture" | "refund" | "dispute"
  readonly amount: bigint
  readonly final: boolean
  readonly startedAt: number
  readonly status: "pending" | "succeeded" | "failed"
}

export type LedgerCharge = TrueCharge & {
  readonly expiresAt: number | undefined
  /** What can still be captured, and what can still be refunded; pending operations have reserved theirs. */
  readonly capturable: bigint
  readonly refundable: bigint
  readonly operations: readonly LedgerOperation[]
}

export type MoneyLedger = {
  readonly open: (charge: { reference: string; merchantReference: string; currency: string }) => LedgerCharge
  readonly get: (reference: string) => LedgerCharge | undefined
  readonly awaitAction: (reference: string) => Entry
  /** The issuer's approval: the whole amount, or part of it. The hold is released by itself at `expiresAt`. */
  readonly authorize: (reference: string, amount: bigint, expiresAt?: number) => Entry
  readonly decline: (reference: string) => Entry
  /** Raises the hold by `by`; zero only moves its end. */
  readonly increment: (reference: string, by: bigint, expiresAt?: number) => Entry
  /** Takes money at once. A final capture (the default) releases what is left of the hold. */
  readonly capture: (reference: string, id: string, amount: bigint, final?: boolean) => Entry<LedgerOperation>
  /** Accepts a capture that `finish` decides later. */
  readonly startCapture: (reference: string, id: string, amount: bigint, final?: boolean) => Entry<LedgerOperation>
  readonly void: (reference: string) => Entry
  readonly refund: (reference: string, id: string, amount: bigint) => Entry<LedgerOperation>
  readonly startRefund: (reference: string, id: string, amount: bigint) => Entry<LedgerOperation>
  /** Ends a pending operation. */
  readonly finish: (id: string, status: "succeeded" | "failed") => Entry<LedgerOperation>
  /** Takes back what had succeeded: a refund that bounces, a dispute that the merchant wins. */
  readonly revoke: (id: string) => Entry<LedgerOperation>
  /** The cardholder disputes; the money is taken from the merchant until `revoke` (the dispute is won). */
  readonly dispute: (reference: string, id: string, amount: bigint) => Entry<LedgerOperation>
  /** Ends the hold now, as its validity running out would. */
  readonly expire: (reference: string) => Entry
  readonly truth: () => readonly LedgerCharge[]
}

/** How many charges are kept; beyond it the oldest are forgotten, so that days of sample traffic fit in memory. */
export const MAX_CHARGES = 50_000

type Charge = {
  readonly reference: string
  readonly merchantReference: string
  readonly currency: string
  readonly createdAt: number
  state: TrueCharge["state"]
  authorized: bigint
  expiresAt: number | undefined
  readonly operations: Operation[]
}
type Operation = { -readonly [K in keyof LedgerOperation]: LedgerOperation[K] }

export function createMoneyLedger(account: string, now: () => number, maxCharges = MAX_CHARGES): MoneyLedger {
  const charges = new Map<string, Charge>()
  const operations = new Map<string, { charge: Charge; operation: Operation }>()

  return {
    open({ reference, merchantReference, currency }) {
      if (charges.has(reference)) throw new Error(`charge ${reference} is already open`)
      const charge: Charge = {
        reference,
        merchantReference,
        currency: currency.toUpperCase(),
        createdAt: now(),
        state: "none",
        authorized: 0n,
        expiresAt: undefined,
        operations: [],
      }
      charges.set(reference, charge)
      if (charges.size > maxCharges) forgetOldest()
      return view(charge)
    },
    get(reference) {
      const charge = find(reference)
      return charge && view(charge)
    },
    awaitAction: (reference) =>
      change(reference, ["none", "declined", "action"], (charge) => {
        charge.state = "action"
      }),
    authorize: (reference, amount, expiresAt) =>
      change(reference, ["none", "action", "declined"], (charge) => {
        if (amount <= 0n) return "not_positive"
        charge.state = "authorized"
        charge.authorized = amount
        charge.expiresAt = expiresAt
        return undefined
      }),
    decline: (reference) =>
      change(reference, ["none", "action", "declined"], (charge) => {
        charge.state = "declined"
      }),
    increment: (reference, by, expiresAt) =>
      change(reference, ["authorized"], (charge) => {
        if (by < 0n || (by === 0n && expiresAt === undefined)) return "not_positive"
        charge.authorized += by
        charge.expiresAt = expiresAt ?? charge.expiresAt
        return undefined
      }),
    capture: (reference, id, amount, final = true) => record(reference, "capture", id, amount, final, "succeeded"),
    startCapture: (reference, id, amount, final = true) => record(reference, "capture", id, amount, final, "pending"),
    refund: (reference, id, amount) => record(reference, "refund", id, amount, false, "succeeded"),
    startRefund: (reference, id, amount) => record(reference, "refund", id, amount, false, "pending"),
    dispute: (reference, id, amount) => record(reference, "dispute", id, amount, false, "succeeded"),
    void: (reference) =>
      change(reference, ["none", "action", "declined", "authorized"], (charge) => {
        if (sum(charge, "capture", "pending") > 0n) return "wrong_state"
        release(charge, "voided")
        return undefined
      }),
    expire: (reference) =>
      change(reference, ["action", "authorized"], (charge) => {
        if (sum(charge, "capture", "pending") > 0n) return "wrong_state"
        release(charge, "expired")
        return undefined
      }),
    finish(id, status) {
      const found = operations.get(id)
      if (!found) return { ok: false, refusal: "unknown_operation" }
      if (found.operation.status !== "pending") return { ok: false, refusal: "already_finished" }
      found.operation.status = status
      closeIfFinal(found.charge, found.operation)
      return { ok: true, value: { ...found.operation } }
    },
    revoke(id) {
      const found = operations.get(id)
      if (!found) return { ok: false, refusal: "unknown_operation" }
      const { status, kind } = found.operation
      if (status !== "succeeded" || kind === "capture") return { ok: false, refusal: "wrong_state" }
      found.operation.status = "failed"
      return { ok: true, value: { ...found.operation } }
    },
    truth: () => [...charges.values()].map((charge) => view(settleExpiry(charge))),
  }

  function find(reference: string): Charge | undefined {
    const charge = charges.get(reference)
    return charge && settleExpiry(charge)
  }

  function change(
    reference: string,
    from: readonly TrueCharge["state"][],
    apply: (charge: Charge) => Refusal | undefined | void,
  ): Entry {
    const charge = find(reference)
    if (!charge) return { ok: false, refusal: "unknown_charge" }
    if (!from.includes(charge.state)) return { ok: false, refusal: "wrong_state" }
    const refusal = apply(charge)
    return refusal ? { ok: false, refusal } : { ok: true, value: view(charge) }
  }

  function record(
    reference: string,
    kind: LedgerOperation["kind"],
    id: string,
    amount: bigint,
    final: boolean,
    status: "pending" | "succeeded",
  ): Entry<LedgerOperation> {
    const charge = find(reference)
    if (!charge) return { ok: false, refusal: "unknown_charge" }
    if (operations.has(id)) throw new Error(`operation ${id} exists already`)
    if (amount <= 0n) return { ok: false, refusal: "not_positive" }
    const refusal = refusalOf(charge, kind, amount)
    if (refusal) return { ok: false, refusal }
    const operation: Operation = { id, reference, kind, amount, final, status, startedAt: now() }
    charge.operations.push(operation)
    operations.set(id, { charge, operation })
    closeIfFinal(charge, operation)
    return { ok: true, value: { ...operation } }
  }

  function view(charge: Charge): LedgerCharge {
    const captured = sum(charge, "capture", "succeeded")
    const refunded = sum(charge, "refund", "succeeded")
    const capturePending = sum(charge, "capture", "pending")
    const openHold = charge.state === "authorized" ? charge.authorized - captured : 0n
    return {
      account,
      reference: charge.reference,
      merchantReference: charge.merchantReference,
      currency: charge.currency,
      createdAt: charge.createdAt,
      state: charge.state,
      authorized: charge.authorized,
      captured,
      refunded,
      disputed: sum(charge, "dispute", "succeeded"),
      held: openHold + captured - refunded,
      capturePending,
      refundPending: sum(charge, "refund", "pending"),
      expiresAt: charge.expiresAt,
      capturable: openHold - capturePending,
      refundable: captured - refunded - sum(charge, "refund", "pending"),
      operations: charge.operations.map((operation) => ({ ...operation })),
    }
  }

  /**
   * Validity is looked at whenever somebody looks, so that no timer is needed for the truth to be right. A capture that
   * was accepted in time keeps the hold alive until it is decided.
   */
  function settleExpiry(charge: Charge): Charge {
    const over = charge.expiresAt !== undefined && now() >= charge.expiresAt
    if (over && charge.state === "authorized" && sum(charge, "capture", "pending") === 0n) release(charge, "expired")
    return charge
  }

  function forgetOldest(): void {
    const oldest = charges.values().next().value
    if (!oldest) return
    charges.delete(oldest.reference)
    for (const operation of oldest.operations) operations.delete(operation.id)
  }
}

function refusalOf(charge: Charge, kind: LedgerOperation["kind"], amount: bigint): Refusal | undefined {
  const captured = sum(charge, "capture", "succeeded")
  switch (kind) {
    case "capture": {
      if (charge.state !== "authorized") return "wrong_state"
      const free = charge.authorized - captured - sum(charge, "capture", "pending")
      return amount > free ? "exceeds_authorized" : undefined
    }
    case "refund": {
      if (captured === 0n) return "wrong_state"
      const free = captured - sum(charge, "refund", "succeeded") - sum(charge, "refund", "pending")
      return amount > free ? "exceeds_captured" : undefined
    }
    case "dispute":
      // A cardholder may dispute what was refunded already: that is a fact to report, not one to refuse.
      if (captured === 0n) return "wrong_state"
      return amount > captured - sum(charge, "dispute", "succeeded") ? "exceeds_captured" : undefined
    default:
      return kind satisfies never
  }
}

/** The hold ends once a final capture went through and no other capture is under way. */
function closeIfFinal(charge: Charge, operation: Operation): void {
  if (operation.kind !== "capture" || charge.state !== "authorized") return
  if (sum(charge, "capture", "pending") > 0n) return
  const done = charge.operations.some((each) => each.kind === "capture" && each.final && each.status === "succeeded")
  if (done || sum(charge, "capture", "succeeded") === charge.authorized) charge.state = "captured"
}

function release(charge: Charge, end: "voided" | "expired"): void {
  charge.state = sum(charge, "capture", "succeeded") > 0n ? "captured" : end
}

function sum(charge: Charge, kind: LedgerOperation["kind"], status: LedgerOperation["status"]): bigint {
  let total = 0n
  for (const operation of charge.operations)
    if (operation.kind === kind && operation.status === status) total += operation.amount
  return total
}
