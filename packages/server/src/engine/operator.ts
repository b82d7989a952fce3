// What a person does about an operation that we have given up on: has it looked at anew, or says what the provider's back
// office shows of it. A person's word goes the way of every other verdict, through `settle`, so that all that must follow
// from it follows: reversals, the end of the payment, the announcements. Who said it, and why, is recorded with it.

import type { IncidentId, MerchantId, OperationId, PaymentId } from "../core/id.ts"
import { evolve } from "../core/evolve.ts"
import type { FaultCode } from "../core/fault.ts"
import { rfc3339 } from "../core/instant.ts"
import type { Outcome } from "../core/outcome.ts"
import {
  attemptOf,
  authorizes,
  isOpen,
  operationOf,
  type Acknowledgement,
  type Act,
  type Attempt,
  type Operation,
  type Payment,
  type PaymentEvent,
  type Verdict,
} from "../core/payment.ts"
import { BY_HAND, settle, type Times } from "../core/settlement.ts"
import { authorizedUntil } from "../core/validity.ts"
import type { IdempotencyRow } from "../storage/ledger/ledger.ts"
import { change, newOperation, type Request } from "./change.ts"
import type { Engine } from "./engine.ts"
import { inquiryStrength, provenFrom } from "./timing.ts"

/** Who acts, and why. */
export type Person = Pick<Act, "by" | "key" | "note">

export type Said = {
  readonly verdict: Verdict
  /** Minor units: authorized, captured, refunded; the new total of an increment. Without it, what was asked for. */
  readonly amount?: bigint
  /** Of an authorization: whether its money is taken already. Without it, as the payment asked. */
  readonly captured?: boolean
  /** The provider's id, which later operations need. */
  readonly reference?: string
}

export type Acted =
  | { readonly kind: "payment"; readonly payment: Payment }
  | { readonly kind: "taken"; readonly row: IdempotencyRow }
  | { readonly kind: "refused"; readonly code: FaultCode; readonly detail: string }
  | { readonly kind: "not_found" }

/** Looks again now, with a schedule that starts anew. */
export const retryOperation = (
  engine: Engine,
  merchant: MerchantId,
  payment: PaymentId,
  operation: OperationId,
  person: Person,
  request: Request | undefined,
): Promise<Acted> =>
  act(engine, merchant, payment, operation, request, (_known, { needsPerson, checkAt }, now) =>
    needsPerson
      ? [{ type: "operator_acted", operation, act: { said: "retry", ...person, at: now }, at: now }]
      : refuse("operation.in_progress", `It is looked at by itself${checkAt === undefined ? "" : at(checkAt)}.`),
  )

/** Believes what a person read in the provider's back office. */
export const settleByHand = (
  engine: Engine,
  merchant: MerchantId,
  payment: PaymentId,
  operation: OperationId,
  said: Said,
  person: Person,
  request: Request | undefined,
): Promise<Acted> =>
  act(engine, merchant, payment, operation, request, (known, open, now) => {
    const attempt = attemptOf(known, open.attempt)
    if (attempt === undefined) return impossible("Its attempt is gone.")
    const outcome = outcomeOf(known, attempt, open, said, person)
    if (outcome.kind === "refused") return outcome
    const refused = tooEarly(engine, known, attempt, open, said, now)
    if (refused !== undefined) return refused
    const acted: PaymentEvent = {
      type: "operator_acted",
      operation,
      act: { said: said.verdict, ...person, at: now },
      at: now,
    }
    return [
      acted,
      ...settle(evolve(known, acted), operation, outcome, timesOf(engine, known, open, now), newOperation(engine)),
    ]
  })

/** A person has looked into an incident: it stays in the payment's history, and off the list of what needs a person. */
export async function acknowledge(
  engine: Engine,
  merchant: MerchantId,
  id: PaymentId,
  incident: IncidentId,
  person: Omit<Acknowledgement, "at">,
  request: Request | undefined,
): Promise<Acted> {
  const loaded = await engine.ledger.load(merchant, id)
  if (loaded?.incidents?.some((i) => i.id === incident) !== true) return { kind: "not_found" }
  const acknowledgement: Acknowledgement = { ...person, at: engine.clock.now() }
  let refused: Refused | undefined
  let tried = false
  const changed = await change(engine, merchant, id, loaded, (known) => {
    refused = undefined
    const before = known?.incidents?.find((i) => i.id === incident)?.acknowledged
    if (before !== undefined) {
      // Ours, perhaps, should a commit's fate have been unknown.
      const { by, key, note, at: when } = acknowledgement
      if (tried && before.at === when && before.by === by && before.key === key && before.note === note)
        return { events: [] }
      refused = refuse("resource.conflict", `It was acknowledged by ${before.by}${at(before.at)}.`)
      return { events: [] }
    }
    tried = true
    return {
      events: [{ type: "incident_acknowledged", incident, acknowledgement, at: acknowledgement.at }],
      ...(request === undefined ? {} : { take: request, answer: request }),
    }
  })
  if (refused !== undefined) return refused
  return changed.kind === "taken" ? changed : { kind: "payment", payment: changed.payment }
}

type Refused = Extract<Acted, { kind: "refused" }>
const refuse = (code: FaultCode, detail: string): Refused => ({ kind: "refused", code, detail })
const impossible = (detail: string): Refused => refuse("operation.verdict_impossible", detail)
const at = (ms: number): string => ` at ${rfc3339(ms)}`

async function act(
  engine: Engine,
  merchant: MerchantId,
  id: PaymentId,
  operation: OperationId,
  request: Request | undefined,
  decide: (known: Payment, open: Operation, now: number) => readonly PaymentEvent[] | Refused,
): Promise<Acted> {
  const loaded = await engine.ledger.load(merchant, id)
  if (loaded === undefined || operationOf(loaded, operation) === undefined) return { kind: "not_found" }
  // The same moment in every try of the commit: by it we know our own, should its fate have been unknown.
  const now = engine.clock.now()
  let tried: Act | undefined
  let refused: Refused | undefined
  const changed = await change(engine, merchant, id, loaded, (known) => {
    refused = undefined
    const found = known === undefined ? undefined : operationOf(known, operation)
    if (known === undefined || found === undefined) return { events: [] }
    if (tried !== undefined && isSame(tried, found.acted)) return { events: [] }
    const decided = isOpen(found)
      ? decide(known, found, now)
      : refuse("operation.closed", `It is ${found.state}; its outcome is known.`)
    if ("kind" in decided) {
      refused = decided
      return { events: [] }
    }
    tried = decided.flatMap((event) => (event.type === "operator_acted" ? [event.act] : []))[0]
    return { events: decided, ...(request === undefined ? {} : { take: request, answer: request }) }
  })
  if (refused !== undefined) return refused
  return changed.kind === "taken" ? changed : { kind: "payment", payment: changed.payment }
}

const isSame = (a: Act, b: Act | undefined): boolean =>
  b !== undefined && a.at === b.at && a.said === b.said && a.by === b.by && a.key === b.key && a.note === b.note

/** A back office that shows nothing proves nothing while a copy of the request may be on its way, or the customer acting. */
function tooEarly(
  engine: Engine,
  payment: Payment,
  attempt: Attempt,
  operation: Operation,
  { verdict }: Said,
  now: number,
): Refused | undefined {
  const account = engine.directory.account(attempt.account)
  if (operation.state === "sent" && now < (operation.deadline ?? 0))
    return refuse("operation.in_progress", `Its answer is waited for${until(operation.deadline)}.`)
  if (verdict === "succeeded") return undefined
  // The provider may still tell another end, after the merchant has acted on this one.
  if (!operation.needsPerson)
    return refuse("operation.in_progress", `It is looked at by itself${until(operation.checkAt)}.`)
  if (operation.state === "action" && now < (attempt.actionUntil ?? 0))
    return refuse("operation.in_progress", `The customer may still finish it${until(attempt.actionUntil)}.`)
  const proof =
    account === undefined
      ? (operation.deadline ?? 0)
      : provenFrom(payment, operation, account, inquiryStrength(account, operation, attempt))
  return now < proof
    ? refuse("operation.in_progress", `The request may still arrive at the provider${until(proof)}.`)
    : undefined
}
const until = (ms: number | undefined): string => (ms === undefined ? "" : ` until ${rfc3339(ms)}`)

/** What a verdict means for this kind of operation, or why it cannot be. */
function outcomeOf(
  payment: Payment,
  attempt: Attempt,
  operation: Operation,
  said: Said,
  person: Person,
): Outcome | Refused {
  const raw = { code: BY_HAND, ...(person.note === undefined ? {} : { message: person.note }) }
  const evidence = said.reference === undefined ? {} : { reference: said.reference }
  const { kind } = operation
  switch (said.verdict) {
    case "succeeded":
      return succeeded(payment, attempt, operation, said, { raw, evidence })
    case "reversed":
      return kind === "authorize" || kind === "complete"
        ? { kind: "approved", effect: "voided", amount: 0n, raw, evidence }
        : impossible(`Only an authorization can be reversed; this is a ${kind}.`)
    case "failed":
      return kind === "reverse"
        ? impossible("A reversal is owed until it is made: make it at the provider, then say that it succeeded.")
        : { kind: "declined", reason: "unmapped", raw, evidence }
    case "absent":
      return kind === "reverse" && attempt.state === "held"
        ? impossible("The provider has told us that it holds money: reverse it there, then say that it succeeded.")
        : { kind: "absent", raw, evidence }
    default:
      return said.verdict satisfies never
  }
}

function succeeded(
  payment: Payment,
  attempt: Attempt,
  operation: Operation,
  { amount = operation.amount, captured, reference }: Said,
  told: Pick<Outcome, "raw" | "evidence">,
): Outcome | Refused {
  if (captured !== undefined && !authorizes(operation))
    return impossible(`\`captured\` is about an authorization; this is a ${operation.kind}.`)
  if (amount > operation.amount) return impossible(`It was asked for ${operation.amount}, and cannot have made more.`)
  const approved = (effect: Extract<Outcome, { kind: "approved" }>["effect"], of = amount): Outcome => ({
    kind: "approved",
    effect,
    amount: of,
    ...told,
  })
  switch (operation.kind) {
    case "authorize":
    case "complete":
      if (attempt.reference === undefined && reference === undefined)
        return impossible("`reference` is needed: without the provider's id nothing can be captured or given back.")
      if (operation.amount === 0n) return approved("verified", 0n)
      if (amount <= 0n) return impossible("Nothing authorized is a failure.")
      return approved((captured ?? payment.intent.capture === "automatic") ? "captured" : "authorized")
    case "capture":
      return amount <= 0n ? impossible("Nothing captured is a failure.") : approved("captured")
    case "refund":
      return amount <= 0n ? impossible("Nothing refunded is a failure.") : approved("refunded")
    case "increment":
      return amount <= attempt.authorized
        ? impossible("The new total must be higher than what is authorized.")
        : approved("incremented")
    case "void":
      return approved("voided", 0n)
    case "reverse":
      return attempt.captured > 0n ? approved("refunded") : approved("voided", 0n)
    case "prepare":
      return impossible("What is only prepared cannot hold money: it ends by itself.")
    default:
      return operation.kind satisfies never
  }
}

function timesOf(engine: Engine, payment: Payment, operation: Operation, now: number): Times {
  const { method, initiator } = payment.intent
  const attempt = attemptOf(payment, operation.attempt)
  const limit = attempt === undefined ? undefined : engine.directory.account(attempt.account)?.connector.manifest
  return {
    now,
    checkAt: now,
    actionUntil: now,
    // It lives since the provider made it, not since somebody saw it there.
    authorizedUntil: authorizedUntil(operation.sentAt ?? operation.createdAt, {
      network: method?.network ?? "visa",
      initiator: initiator.by,
      ...(limit?.authorizationMs === undefined ? {} : { providerLimitMs: limit.authorizationMs }),
    }),
  }
}
