// A simulated provider: what it holds is the truth against which everything is judged. It does what its profile says,
// repeats answers as its profile says, and tells by webhook, sooner, later or twice. It may change its mind, refuse for a
// while what it will do later, and be worked on from its own dashboard; but it never lies about what it holds.

import { byHand } from "./lab-dashboard.ts"
import type { Profile } from "./lab-profile.ts"
import { comesBack, expiresEarly, refundedAfterAll } from "./lab-surprises.ts"
import { drawCode, hardReasons, NEVER_AGAIN, softReasons, type Issuers } from "./lab-issuer.ts"
import type { World } from "./world.ts"

export type LabRequest = {
  readonly do:
    | "prepare"
    | "authorize"
    | "complete"
    | "capture"
    | "void"
    | "refund"
    | "increment"
    | "reverse"
    | "inquire"
  /** Whose credentials it came with. */
  readonly account: string
  readonly key: string
  readonly attempt: string
  readonly operation?: string
  readonly reference?: string
  readonly about?: string
  readonly amount: string
  readonly auto?: boolean
  readonly partial?: boolean
  readonly final?: boolean
  readonly cryptogram?: string
  /** What it is paid with, as its issuer knows it. */
  readonly card?: string
  readonly fields?: Readonly<Record<string, string>>
}

export type LabAnswer = {
  readonly kind: "approved" | "pending" | "action" | "declined" | "refused" | "rejected" | "absent"
  readonly effect?: string
  readonly amount?: string
  readonly reference?: string
  readonly reason?: string
  readonly advice?: string
  readonly network?: string
  /** Whose payment it is, by the id that we gave it. */
  readonly attempt?: string
}

export type LabNotice = {
  readonly account: string
  /** Signed, and delivered until it is accepted: the only way in which some facts are ever told. */
  readonly sure?: true
  readonly event: string
  readonly about: string
  readonly attempt: string
  readonly operation?: string
  readonly reference?: string
  readonly operationReference?: string
  readonly hint: boolean
  readonly answer: LabAnswer
  readonly dispute?: { readonly id: string; readonly stage: "opened" | "won" | "lost"; readonly amount: string }
}

/** One charge as the provider's books have it. */
export type Charge = {
  readonly account: string
  readonly reference: string
  readonly attempt: string
  readonly createdAt: number
  state: "prepared" | "action" | "pending" | "authorized" | "declined" | "voided" | "canceled"
  readonly amount: bigint
  readonly auto: boolean
  readonly partial: boolean
  authorized: bigint
  authorizedAt?: number
  captured: bigint
  refunded: bigint
  reason: string
  readonly card: string
  advice?: string
  network?: string
  /** It said no, and then it was yes after all. */
  changedItsMind?: true
  /** Somebody did something to it at the dashboard. */
  byHand?: true
  disputed?: string
  /** It let the authorization go before its time. */
  expiredAt?: number
  /** What a reversal gave back came back. */
  bounced?: true
  /** What it calls its reversal. */
  reversal?: string
  readonly does: Deed[]
}
/** A capture, refund, … at the provider. */
export type Deed = {
  readonly id: string
  readonly kind: string
  readonly operation: string
  readonly amount: bigint
  readonly at: number
  state: "accepted" | "done" | "failed"
  /** Somebody worked on it by hand, and the provider carries the ids of what came before on to it. */
  readonly carries?: string
  /** What it came to is not what the provider had said. */
  surprising?: true
}

/** Money that the cardholder misses because of this charge. */
export const holds = (charge: Charge): bigint =>
  charge.state === "authorized" ? (charge.captured > 0n ? charge.captured - charge.refunded : charge.authorized) : 0n

/** Turned away before any issuer was asked. */
const REJECTED = "rejected"

/** Of a question that was turned away: it says nothing about what was asked. */
export const QUESTION_REFUSED = "question_refused"

export class LabPsp {
  readonly charges: Charge[] = []
  readonly profile: Profile
  readonly #world: World
  readonly #issuers: Issuers
  readonly #bornAt: number
  readonly #answers = new Map<
    string,
    { readonly at: number; readonly ok: boolean; readonly answer: LabAnswer | "error" }
  >()
  #reversals = 0
  #disputes = 0
  /** A webhook to be delivered; whoever carries it may lose, delay and repeat it. */
  onNotice: (notice: LabNotice) => void = () => {}
  onChange: () => void = () => {}

  constructor(world: World, profile: Profile, issuers: Issuers) {
    this.#world = world
    this.#issuers = issuers
    this.#bornAt = world.now
    this.profile = profile
  }

  /** Nothing is under way here any more. */
  quiet(): boolean {
    return this.charges.every((c) => c.state !== "pending" && c.does.every((d) => d.state !== "accepted"))
  }

  /** `errorAfter`: do it, but answer 500. */
  handle(request: LabRequest, errorAfter: boolean): LabAnswer | "error" {
    if (this.#lockedOut()) {
      const copy = this.#answers.has(request.key)
      this.#world.note(copy ? "credentials refused between two copies" : "credentials refused")
      refundedAfterAll(this.#world, this, request)
      return { kind: "refused", reason: request.do === "inquire" ? QUESTION_REFUSED : "credentials" }
    }
    if (request.do === "inquire") return this.#inquire(request)
    const { replay } = this.profile
    const kept = this.#answers.get(request.key)
    if (
      kept !== undefined &&
      replay.stores !== "none" &&
      this.#world.now < kept.at + (request.do === "authorize" ? this.profile.authorizationWindowMs : replay.windowMs) &&
      (replay.stores === "all" || kept.ok)
    ) {
      this.#world.note("answer repeated for its key")
      return kept.answer
    }
    const answer = this.#do(request)
    // A 500 instead of a refusal that nothing else ever tells could be settled by nobody.
    const told = request.do === "authorize" || (answer.kind !== "declined" && answer.kind !== "refused")
    const said = errorAfter && told ? "error" : answer
    this.#answers.set(request.key, {
      at: this.#world.now,
      ok: said !== "error" && answer.kind !== "refused" && answer.kind !== "rejected",
      answer: said,
    })
    this.onChange()
    return said
  }

  /** A request that nobody counted on any more. */
  handleLate(request: LabRequest, note: () => void): void {
    const open = this.charges.filter((c) => c.attempt === request.attempt && c.state !== "prepared")
    if (open.length > 0) return
    const answer = this.#do(request)
    const charge = this.charges.findLast((c) => c.attempt === request.attempt)
    if (charge === undefined || answer.kind === "refused") return
    note()
    charge.changedItsMind = true
    // A customer who has long gone acts no more.
    if (charge.state === "action") charge.state = "canceled"
    this.#tell(charge, "authorize", this.#verdict(charge), undefined, true)
    this.onChange()
  }

  /** The customer at the provider's page. */
  challenge(reference: string, passed: boolean): void {
    const charge = this.#find(reference)
    if (charge?.state !== "action") return
    if (this.profile.completion === "call") {
      charge.reason = passed ? "passed" : "authentication_failed"
      return
    }
    if (passed && this.#world.chance(0.2 + this.profile.issuer.pending)) {
      this.#world.note("challenge passed and its verdict pending")
      this.#decideLater(charge)
    } else this.#decide(charge, passed ? undefined : "authentication_failed")
    this.onChange()
  }

  #do(request: LabRequest): LabAnswer {
    const amount = BigInt(request.amount)
    switch (request.do) {
      case "prepare": {
        const charge = this.#open(request, amount, "prepared")
        return { kind: "approved", effect: "prepared", amount: "0", reference: charge.reference }
      }
      case "authorize": {
        const charge = this.profile.prepare
          ? this.#find(request.reference, request.account)
          : this.#open(request, amount, "prepared")
        if (charge === undefined) return { kind: "refused", reason: "not_found" }
        if (charge.state !== "prepared")
          return charge.state === "canceled" || charge.state === "voided"
            ? { kind: "refused", reason: "wrong_state" }
            : this.#verdict(charge)
        return this.#start(charge)
      }
      case "complete": {
        // What the browser brought names the payment, whoever's it is; the answer says whose.
        const charge = this.#find(request.fields?.["result"], request.account)
        if (charge === undefined) return { kind: "refused", reason: "not_found" }
        const { attempt } = charge
        if (charge.state === "authorized" || charge.state === "declined") return { ...this.#verdict(charge), attempt }
        if (charge.state !== "action") return { kind: "refused", reason: "not_found", attempt }
        if (charge.reason !== "passed" && charge.reason !== "authentication_failed")
          return { kind: "refused", reason: "wrong_state", attempt }
        this.#decide(charge, charge.reason === "passed" ? undefined : "authentication_failed")
        return { ...this.#verdict(charge), attempt }
      }
      case "capture":
        return this.#followUp(
          request,
          amount,
          (c) =>
            c.state === "authorized" &&
            ((this.profile.lenient && c.byHand === undefined) || c.captured + amount <= c.authorized),
          (c) => {
            c.captured += amount
          },
        )
      case "refund":
        return this.#followUp(
          request,
          amount,
          (c) =>
            c.state === "authorized" &&
            ((this.profile.lenient && c.byHand === undefined) || c.refunded + amount <= c.captured),
          (c) => {
            c.refunded += amount
          },
        )
      case "increment":
        return this.#followUp(
          request,
          amount,
          (c) => c.state === "authorized" && c.captured === 0n && amount > c.authorized,
          (c) => {
            c.authorized = amount
          },
        )
      case "void":
        return this.#followUp(
          request,
          amount,
          (c) => c.state === "authorized" && c.captured === 0n,
          (c) => {
            c.state = "voided"
          },
        )
      case "reverse":
        return this.#reverse(request)
      case "inquire":
        return this.#inquire(request)
      default:
        return request.do satisfies never
    }
  }

  #open(request: LabRequest, amount: bigint, state: Charge["state"]): Charge {
    const charge: Charge = {
      account: request.account,
      reference: `${this.profile.id}_${this.charges.length}`,
      attempt: request.attempt,
      createdAt: this.#world.now,
      state,
      amount,
      auto: request.auto === true,
      partial: request.partial === true,
      authorized: 0n,
      captured: 0n,
      refunded: 0n,
      reason: "",
      card: request.card ?? request.attempt,
      does: [],
    }
    this.charges.push(charge)
    return charge
  }

  #start(charge: Charge): LabAnswer {
    const { issuer, actionMs } = this.profile
    if (this.#world.chance(issuer.action)) {
      charge.state = "action"
      // Past its page's time plus an hour nobody can finish it any more.
      this.#world.after(actionMs + 3_600_000, () => {
        if (charge.state === "action") charge.state = "canceled"
      })
      return { kind: "action", reference: charge.reference }
    }
    if (this.#world.chance(issuer.pending)) {
      this.#decideLater(charge)
      return { kind: "pending", reference: charge.reference }
    }
    this.#decide(charge, undefined)
    return this.#verdict(charge)
  }

  #decideLater(charge: Charge): void {
    charge.state = "pending"
    this.#world.after(this.#world.int(100, 60_000), () => {
      if (charge.state !== "pending") return
      this.#decide(charge, undefined)
      this.onChange()
    })
  }

  #decide(charge: Charge, failure: string | undefined): void {
    const { issuer } = this.profile
    const certain = charge.amount === 0n ? undefined : this.#issuers.says(charge.card)
    if (
      failure === undefined &&
      certain === undefined &&
      (charge.amount === 0n || this.#world.chance(issuer.approve))
    ) {
      this.#authorize(
        charge,
        charge.amount > 1n && this.#world.chance(issuer.partial) ? charge.amount / 2n : charge.amount,
      )
    } else {
      charge.state = "declined"
      charge.reason =
        failure ?? certain ?? this.#world.pick(this.#world.chance(issuer.soft) ? softReasons : hardReasons)
      this.#issuers.declined(charge.card, charge.reason)
      const code = drawCode(this.#world, charge.reason)
      if (code !== undefined) charge.network = code
      if (this.#world.chance(0.25)) {
        charge.advice = NEVER_AGAIN
        this.#world.note("decline with advice never to try again")
      }
      if (failure === undefined && this.#world.chance(issuer.rejects)) {
        charge.reason = REJECTED
        this.#world.note("rejected by the provider")
      }
      this.#mayChangeItsMind(charge)
      // What was turned away is no event.
      if (charge.reason === REJECTED) return
    }
    // What nobody can expect any more is told surely to the end.
    this.#tell(charge, "authorize", this.#verdict(charge), undefined, charge.changedItsMind === true)
  }

  #authorize(charge: Charge, amount: bigint): void {
    charge.state = "authorized"
    charge.authorized = amount
    charge.authorizedAt = this.#world.now
    if (amount < charge.amount) this.#world.note("part approved")
    if (charge.auto) charge.captured = amount
    byHand(this.#world, this, charge)
    expiresEarly(this.#world, this, charge)
    this.#world.after(this.profile.authorizationMs + 7_200_000, () => {
      if (charge.state === "authorized" && charge.captured === 0n) {
        charge.state = "voided"
        this.tellExpired(charge, false)
      }
    })
  }
  tellExpired(charge: Charge, sure = true): void {
    const { reference } = charge
    this.#tell(charge, "expire", { kind: "approved", effect: "voided", amount: "0", reference }, undefined, sure)
    this.onChange()
  }

  /** A refusal that was none: the processor behind the provider had done it all the same. */
  #mayChangeItsMind(charge: Charge): void {
    if (charge.reason === "authentication_failed" || !this.#world.chance(this.profile.issuer.changesItsMind)) return
    this.#world.expect(this.#world.pick([3_000, 60_000, 1_800_000]) * this.#world.random(), () => {
      if (charge.state !== "declined") return
      this.#world.note("provider changed its mind")
      charge.changedItsMind = true
      this.#authorize(charge, charge.amount)
      this.#tell(charge, "authorize", this.#verdict(charge), undefined, true)
      this.onChange()
    })
  }

  /** Done at the provider's dashboard, at once. */
  doByHand(charge: Charge, kind: "capture" | "refund" | "void", amount: bigint): void {
    const deed: Deed = {
      id: `${charge.reference}_${charge.does.length}`,
      kind,
      operation: "",
      amount,
      at: this.#world.now,
      state: "done",
      ...(kind === "refund" && this.#world.chance(0.4) ? this.#carried(charge) : {}),
    }
    charge.byHand = true
    charge.does.push(deed)
    if (kind === "capture") charge.captured += amount
    else if (kind === "refund") charge.refunded += amount
    else charge.state = "voided"
    this.#tell(charge, kind, this.#deedAnswer(charge, deed), deed, true)
    this.onChange()
  }
  #carried(charge: Charge): { readonly carries?: string } {
    const capture = charge.does.findLast((d) => d.kind === "capture" && d.operation !== "")
    if (capture === undefined) return {}
    this.#world.note("made by hand under the id of something else")
    return { carries: capture.operation }
  }
  /** Done, and surely told. */
  tellDeed(charge: Charge, deed: Deed): void {
    charge.does.push(deed)
    this.#tell(charge, deed.kind, this.#deedAnswer(charge, deed), deed, true)
    this.onChange()
  }
  dispute(charge: Charge, amount: bigint): void {
    this.#disputes += 1
    const id = `${this.profile.id}_dispute_${this.#disputes}`
    charge.disputed = id
    const tell = (stage: "opened" | "won" | "lost"): void =>
      this.onNotice({
        account: charge.account,
        sure: true,
        event: `${id}-${stage}`,
        about: "dispute",
        attempt: charge.attempt,
        reference: charge.reference,
        hint: false,
        answer: { kind: "pending" },
        dispute: { id, stage, amount: String(amount) },
      })
    tell("opened")
    if (this.#world.chance(0.5))
      this.#world.expect(this.#world.int(60_000, 86_400_000), () => tell(this.#world.pick(["won", "lost"] as const)))
  }

  #verdict(charge: Charge): LabAnswer {
    switch (charge.state) {
      case "prepared":
        return { kind: "absent", reference: charge.reference }
      case "action":
        return { kind: "action", reference: charge.reference }
      case "pending":
        return { kind: "pending", reference: charge.reference }
      case "authorized":
        return {
          kind: "approved",
          effect: charge.amount === 0n ? "verified" : charge.auto ? "captured" : "authorized",
          amount: String(charge.authorized),
          reference: charge.reference,
        }
      case "declined":
        if (charge.reason === REJECTED) return { kind: "rejected", reason: "try_elsewhere" }
        return {
          kind: "declined",
          reason: charge.reason,
          reference: charge.reference,
          ...(charge.advice === undefined ? {} : { advice: charge.advice }),
          ...(charge.network === undefined ? {} : { network: charge.network }),
        }
      case "voided":
      case "canceled":
        return { kind: "approved", effect: "voided", amount: "0", reference: charge.reference }
      default:
        return charge.state satisfies never
    }
  }

  #followUp(
    request: LabRequest,
    amount: bigint,
    possible: (charge: Charge) => boolean,
    effect: (charge: Charge) => void,
  ): LabAnswer {
    const charge = this.#find(request.reference, request.account)
    if (charge === undefined) return { kind: "refused", reason: "not_found" }
    if (!possible(charge)) return { kind: "declined", reason: "wrong_state" }
    if (this.#refusesNow()) {
      this.#world.note("follow-up refused for a while")
      refundedAfterAll(this.#world, this, request)
      return { kind: "refused", reason: "not_now" }
    }
    const deed: Deed = {
      id: `${charge.reference}_${charge.does.length}`,
      kind: request.do,
      operation: request.operation ?? "",
      amount,
      at: this.#world.now,
      state: "accepted",
    }
    charge.does.push(deed)
    const finish = (): LabAnswer => {
      const fails = this.#world.chance(this.profile.issuer.followUpFails) || !possible(charge)
      deed.state = fails ? "failed" : "done"
      if (!fails) effect(charge)
      return this.#deedAnswer(charge, deed)
    }
    if (!this.profile.acceptedFirst) {
      const answer = finish()
      this.#tell(charge, deed.kind, answer, deed)
      return answer
    }
    this.#world.after(this.#world.int(50, 20_000), () => {
      this.#tell(charge, deed.kind, finish(), deed)
      if (deed.state === "done" && deed.kind === "capture" && this.#world.chance(this.profile.issuer.failsLate))
        this.#failLate(charge, deed)
      this.onChange()
    })
    return { kind: "pending", reference: deed.id }
  }

  #failLate(charge: Charge, deed: Deed): void {
    this.#world.expect(this.#world.int(1_000, 600_000), () => {
      if (charge.refunded > 0n || charge.does.some((d) => d.kind === "refund" && d.state === "accepted")) return
      deed.state = "failed"
      charge.captured -= deed.amount
      this.#world.note("capture failed after its success")
      this.#tell(charge, deed.kind, this.#deedAnswer(charge, deed), deed, true)
      this.onChange()
    })
  }

  #deedAnswer(charge: Charge, deed: Deed): LabAnswer {
    if (deed.state === "accepted") return { kind: "pending", reference: deed.id }
    if (deed.state === "failed") return { kind: "declined", reason: "wrong_state", reference: deed.id }
    const effects: Readonly<Record<string, string>> = {
      capture: "captured",
      refund: "refunded",
      increment: "incremented",
      void: "voided",
    }
    return {
      kind: "approved",
      effect: effects[deed.kind] ?? (charge.captured > 0n ? "refunded" : "voided"),
      amount: String(deed.amount),
      reference: deed.id,
    }
  }

  #reverse(request: LabRequest): LabAnswer {
    const charge =
      request.reference === undefined
        ? this.profile.reverseByAttempt
          ? this.charges.findLast((c) => c.attempt === request.attempt)
          : undefined
        : this.#find(request.reference, request.account)
    if (this.#refusesNow()) {
      this.#world.note("reversal refused for a while")
      return { kind: this.#world.chance(0.5) ? "refused" : "declined", reason: "not_now" }
    }
    const nothing: LabAnswer = { kind: "absent" }
    // Who cannot find what it never named may miss what it has named as well: its "nothing there" proves nothing.
    if (charge !== undefined && !this.profile.reverseByAttempt && this.#world.chance(0.15)) {
      this.#world.note("nothing to reverse, said of what is there")
      return nothing
    }
    if (charge === undefined || charge.state === "declined") this.#world.note("nothing to reverse")
    this.#reversals += 1
    const reference = `${this.profile.id}_reversal_${this.#reversals}`
    if (!this.profile.acceptedFirst)
      return charge === undefined || charge.state === "declined" ? nothing : this.#undo(charge, request, reference)
    // What it finds is decided when it is asked, not when it tells.
    const found = charge !== undefined && charge.state !== "declined" ? charge : undefined
    const ms = this.#world.int(50, this.profile.reversalMs)
    // At first it does not always say that there is nothing; a bare "no" proves nothing.
    const bare = this.#world.now - this.#bornAt < 1_200_000 && this.#world.chance(0.5)
    const no: LabAnswer = bare ? { kind: "declined", reason: "wrong_state" } : nothing
    if (ms > 3_600_000) this.#world.note("reversal confirmed only hours later")
    this.#world.expect(ms, () =>
      this.#tellReverse(request, charge, found === undefined ? no : this.#undo(found, request, reference), reference),
    )
    return { kind: "pending", reference }
  }

  #undo(charge: Charge, request: LabRequest, reference: string): LabAnswer {
    if (charge.state === "declined") return { kind: "absent" }
    const refunded = charge.captured > 0n
    charge.reversal = reference
    if (charge.state === "authorized")
      comesBack(this.#world, this, charge, charge.captured - charge.refunded, () =>
        this.#tellReverse(request, charge, { kind: "declined", reason: "wrong_state", reference }, reference, true),
      )
    if (charge.state === "authorized" && refunded) charge.refunded = charge.captured
    else if (charge.state === "authorized") charge.state = "voided"
    else if (charge.state !== "voided") charge.state = "canceled"
    this.onChange()
    return {
      kind: "approved",
      effect: refunded ? "refunded" : "voided",
      amount: String(refunded ? charge.captured : 0n),
      reference,
    }
  }

  #inquire(request: LabRequest): LabAnswer {
    const byReference = request.reference === undefined ? undefined : this.#find(request.reference, request.account)
    const lag =
      this.profile.byAttempt === "strong"
        ? 0
        : this.profile.byAttempt === "none"
          ? Number.POSITIVE_INFINITY
          : this.profile.byAttempt.eventualMs
    const charge =
      byReference ??
      this.charges.findLast(
        (c) => c.attempt === request.attempt && c.createdAt + lag <= this.#world.now && c.state !== "prepared",
      )
    if (charge === undefined || (charge.state === "declined" && charge.reason === REJECTED)) return { kind: "absent" }
    if (request.about === "authorize" || request.about === "complete" || request.about === "prepare")
      return this.#verdict(charge)
    if (request.about === "reverse") {
      const undone =
        charge.state === "voided" ||
        charge.state === "canceled" ||
        (charge.captured > 0n && charge.refunded >= charge.captured)
      return undone
        ? {
            kind: "approved",
            effect: charge.captured > 0n ? "refunded" : "voided",
            amount: "0",
            ...(charge.reversal === undefined ? {} : { reference: charge.reversal }),
          }
        : { kind: "absent" }
    }
    const deed = charge.does.find((d) => d.operation === request.operation)
    return deed === undefined ? { kind: "absent" } : this.#deedAnswer(charge, deed)
  }

  #lockedOut(): boolean {
    const { everyMs, forMs, untilMs } = this.profile.lockouts
    const age = this.#world.now - this.#bornAt
    return age < untilMs && age % everyMs < forMs
  }

  #refusesNow(): boolean {
    const { from, to } = this.profile.refuses
    const age = this.#world.now - this.#bornAt
    return age >= from && age < to
  }

  #tell(charge: Charge, about: string, answer: LabAnswer, deed?: Deed, sure = false): void {
    this.onNotice({
      ...(sure ? { sure } : {}),
      account: charge.account,
      event: `${charge.reference}-${about}-${deed?.id ?? ""}-${answer.kind}-${this.#world.int(0, 1e9)}`,
      about,
      attempt: charge.attempt,
      reference: charge.reference,
      hint: !sure && this.#world.chance(this.profile.weather.hints),
      answer,
      ...(deed === undefined
        ? {}
        : {
            operationReference: deed.id,
            ...(deed.operation === "" && deed.carries === undefined
              ? {}
              : { operation: deed.operation === "" ? deed.carries! : deed.operation }),
          }),
    })
  }
  #tellReverse(
    request: LabRequest,
    charge: Charge | undefined,
    answer: LabAnswer,
    operationReference: string,
    sure = false,
  ): void {
    this.onNotice({
      ...(sure ? { sure } : {}),
      account: request.account,
      event: `${request.key}-reverse-${this.#world.int(0, 1e9)}`,
      about: "reverse",
      attempt: request.attempt,
      // Some do not say which of several requests they answer.
      ...(answer.kind === "absent" && this.#world.chance(0.2) ? {} : { operationReference }),
      hint: false,
      answer,
      ...(request.operation === undefined ? {} : { operation: request.operation }),
      ...(charge === undefined ? {} : { reference: charge.reference }),
    })
  }

  /** Accounts do not see each other's payments. */
  #find(reference: string | undefined, account?: string): Charge | undefined {
    return this.charges.find((c) => c.reference === reference && (account === undefined || c.account === account))
  }
}
