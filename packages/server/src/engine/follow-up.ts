// What is asked of a payment after its authorization: capture, refund, void, increment, and the customer's return. One
// shape for all: reserve and write ahead in one commit, call, settle. What stays unknown is for `recover`.

import { isExact } from "../connectors/amount.ts"
import type { FollowUpInput, Input } from "../connectors/connector.ts"
import { given } from "../core/given.ts"
import type { MerchantId, PaymentId } from "../core/id.ts"
import { money } from "../core/money.ts"
import type { Outcome } from "../core/outcome.ts"
import { evolve } from "../core/evolve.ts"
import {
  attemptOf,
  operationOf,
  type Attempt,
  type Operation,
  type Payment,
  type PaymentEvent,
} from "../core/payment.ts"
import {
  addressed,
  cancel as cancelCommand,
  capture as captureCommand,
  complete as completeCommand,
  increment as incrementCommand,
  refund as refundCommand,
  type Abilities,
  type Refusal,
  type Reserved,
  type Send,
} from "../core/payment-command.ts"
import { consequences, settle, type NewOperation } from "../core/settlement.ts"
import { call, inquire, inquiryInput, type Bounds, type Called } from "./call.ts"
import { answeredBy, change, newOperation, settleAnswer, type Change, type Changed, type Request } from "./change.ts"
import { type Account, type Engine } from "./engine.ts"
import type { Executed } from "./execute.ts"
import { deadline, sendUntil, timesFor } from "./timing.ts"

export type Command =
  | { readonly type: "capture"; readonly amount?: bigint; readonly final?: boolean }
  | { readonly type: "refund"; readonly amount?: bigint; readonly reason?: string }
  | { readonly type: "increment"; readonly amount: bigint }
  | { readonly type: "cancel"; readonly reason?: string }
  /** What the customer's browser brought back, untrusted. */
  | { readonly type: "complete"; readonly fields: Readonly<Record<string, string>> }

export type Followed = Executed | Refusal | { readonly kind: "not_found" }

/** How long the merchant's request waits for a follow-up (ms); then it is answered with the operation still open. */
export const FOLLOW_UP_ANSWER_MS = 25_000

export async function follow(
  engine: Engine,
  merchant: MerchantId,
  id: PaymentId,
  command: Command,
  request: Request | undefined,
): Promise<Followed> {
  const loaded = await engine.ledger.load(merchant, id)
  if (loaded === undefined) return { kind: "not_found" }
  // The same operation in every try of the commit: one whose fate was unknown may still arrive.
  const own = newOperation(engine)()
  const now = engine.clock.now()
  let refusal: Refusal | undefined
  let reserved: { readonly operation: Operation; readonly account: Account } | undefined
  const changed = await change(engine, merchant, id, loaded, (known): Change => {
    refusal = undefined
    if (known === undefined) return { events: [] }
    // The commit whose fate was unknown was ours.
    if (operationOf(known, own.id) !== undefined || (command.type === "cancel" && known.ending?.by === own.id))
      return { events: [] }
    const decided = reserve(engine, known, command, now, own)
    if (decided.kind === "refused") {
      refusal = decided
      return { events: [] }
    }
    reserved = decided.operation === undefined ? undefined : { operation: decided.operation, account: decided.account }
    const events = [
      ...decided.events,
      ...(decided.operation === undefined
        ? []
        : [{ type: "operation_sent", operation: decided.operation, at: now } satisfies PaymentEvent]),
    ]
    const all = [...events, ...consequences(events.reduce(evolve, known), now, newOperation(engine))]
    return {
      events: all,
      ...(request === undefined ? {} : { take: request }),
      ...(reserved === undefined && request !== undefined ? { answer: request } : {}),
    }
  })
  if (refusal !== undefined) return refusal
  if (changed.kind === "taken") return changed
  if (reserved === undefined) return answeredBy(engine, request, changed)
  return underAnswerDeadline(engine, changed.payment, request, reserved.account, (late) =>
    perform(
      engine,
      changed.payment,
      reserved!.operation,
      reserved!.account,
      command.type === "complete" ? command.fields : {},
      request,
      late,
    ),
  )
}

type Decided =
  | Refusal
  | {
      readonly kind: "decided"
      readonly events: readonly PaymentEvent[]
      readonly operation: Operation
      readonly account: Account
    }
  | { readonly kind: "decided"; readonly events: readonly PaymentEvent[]; readonly operation: undefined }

function reserve(
  engine: Engine,
  payment: Payment,
  command: Command,
  now: number,
  operation: ReturnType<NewOperation>,
): Decided {
  const send = (account: Account): Send => ({
    now,
    sendUntil: sendUntil(now),
    deadline: deadline(account, sendUntil(now)),
    owner: engine.node,
    ...given({ generation: account.generation }),
    create: () => operation,
  })
  const attempt = addressed(payment, command.type) ?? payment.attempts.at(-1)
  const account = attempt === undefined ? undefined : engine.directory.account(attempt.account)
  if (command.type === "cancel") {
    const decided = cancelCommand(
      payment,
      account === undefined ? { ...nobody, now, create: () => operation } : send(account),
    )
    if (decided.kind === "refused") return decided
    const events: PaymentEvent[] = [
      {
        type: "ending_requested",
        as: "canceled",
        by: operation.id,
        at: now,
        ...(command.reason === undefined ? {} : { reason: command.reason }),
      },
    ]
    return decided.void === undefined || account?.connector.codecs.void === undefined
      ? { kind: "decided", events, operation: undefined }
      : { kind: "decided", events, operation: decided.void, account }
  }
  if (account === undefined)
    return {
      kind: "refused",
      code: notFor[command.type],
      detail: "The payment was tried at no account that still exists.",
    }
  // What is open already is still recovered: an obligation does not end with a switch.
  if (account.state === "disabled")
    return { kind: "refused", code: "account.disabled", detail: `Account ${account.id} is disabled.` }
  const abilities: Abilities = {
    ...account.connector.manifest.features,
    increment: account.connector.codecs.increment !== undefined,
  }
  const result = ((): Reserved | Refusal => {
    switch (command.type) {
      case "capture":
        return captureCommand(payment, command.amount, command.final, abilities, send(account))
      case "refund":
        return refundCommand(payment, command.amount, command.reason, abilities, send(account))
      case "increment":
        return incrementCommand(payment, command.amount, abilities, send(account))
      case "complete":
        return completeCommand(payment, send(account))
      default:
        return command satisfies never
    }
  })()
  if (result.kind === "refused") return result
  const amount = money(result.operation.amount, payment.intent.amount.currency)
  if (!isExact(account.connector.manifest, amount))
    return {
      kind: "refused",
      code: "amount.not_expressible",
      detail: `${account.connector.manifest.id} cannot express ${amount.minor} minor units of ${amount.currency} exactly.`,
    }
  return { kind: "decided", events: [], operation: result.operation, account }
}
const nobody = { sendUntil: 0, deadline: 0, owner: "" }
const notFor = {
  capture: "payment.not_capturable",
  refund: "payment.not_refundable",
  increment: "payment.not_incrementable",
  complete: "payment.no_action",
} as const

/** Answers when the operation has its verdict, or in time with the operation still open. */
async function underAnswerDeadline(
  engine: Engine,
  reservedPayment: Payment,
  request: Request | undefined,
  account: Account,
  perform: (late: { value: boolean }) => Promise<Changed>,
): Promise<Executed> {
  const late = { value: false }
  const work = perform(late)
  let cancel = (): void => {}
  const due = new Promise<undefined>((resolve) => {
    cancel = engine.clock.after(Math.min(FOLLOW_UP_ANSWER_MS, account.limits.listenMs), () => resolve(undefined))
  })
  const done = await Promise.race([work, due]).finally(() => cancel())
  if (done !== undefined) return done.kind === "taken" ? done : answeredBy(engine, request, done)
  late.value = true
  engine.background(work.then(() => undefined))
  return settleAnswer(engine, request, reservedPayment)
}

async function perform(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  account: Account,
  fields: Readonly<Record<string, string>>,
  request: Request | undefined,
  late: { readonly value: boolean },
): Promise<Changed> {
  const called = await send(engine, payment, operation, account, fields)
  return change(engine, payment.merchant, payment.id, payment, (known): Change => {
    if (known === undefined) return { events: [] }
    const events = settle(
      known,
      operation.id,
      called.outcome,
      timesFor(known, operation, account, called.outcome, engine.clock.now()),
      newOperation(engine),
    )
    return {
      events,
      transcripts: [called.transcript],
      ...(request === undefined || late.value ? {} : { answer: request }),
    }
  })
}

/** Sends an operation that is written ahead: also `recover` sends owed reversals and copies this way. */
export async function send(
  engine: Engine,
  payment: Payment,
  operation: Operation,
  account: Account,
  fields: Readonly<Record<string, string>> = {},
): Promise<Called> {
  const bounds: Bounds = { notAfter: operation.sendUntil ?? 0, totalMs: account.limits.listenMs }
  const attempt = attemptOf(payment, operation.attempt)
  if (attempt === undefined) return unsent(engine, operation, account, "no_attempt")
  const followUp =
    attempt.reference === undefined
      ? undefined
      : { ...inputOf(payment, attempt, operation), reference: attempt.reference }
  switch (operation.kind) {
    case "complete":
      return complete(engine, payment, attempt, operation, account, fields, bounds)
    case "reverse":
      return call(engine, account, operation, "reverse", followUp ?? inputOf(payment, attempt, operation), bounds)
    case "capture":
      return followUp === undefined
        ? unsent(engine, operation, account, "no_reference")
        : call(engine, account, operation, "capture", { ...followUp, final: operation.final }, bounds)
    case "void":
    case "increment":
      return followUp === undefined
        ? unsent(engine, operation, account, "no_reference")
        : call(engine, account, operation, operation.kind, followUp, bounds)
    case "refund":
      return followUp === undefined
        ? unsent(engine, operation, account, "no_reference")
        : call(
            engine,
            account,
            operation,
            "refund",
            { ...followUp, ...(operation.reason === undefined ? {} : { reason: operation.reason }) },
            bounds,
          )
    case "prepare":
    case "authorize":
      // What can create an authorization is sent by execute.ts alone, which holds the card.
      return unsent(engine, operation, account, "not_a_follow_up")
    default:
      return operation.kind satisfies never
  }
}

const unsent = (engine: Engine, operation: Operation, account: Account, code: string): Promise<Called> =>
  Promise.resolve({
    outcome: { kind: "not_sent", raw: { code }, evidence: {} },
    transcript: {
      operation: operation.id,
      attempt: operation.attempt,
      account: account.id,
      at: engine.clock.now(),
      durationMs: 0,
      request: { method: "-", path: "-" },
      error: code,
    },
  })

function inputOf(payment: Payment, attempt: Attempt, operation: Operation): Omit<FollowUpInput, "reference"> {
  const { currency } = payment.intent.amount
  return {
    key: operation.key,
    attempt: attempt.id,
    operation: operation.id,
    amount: money(operation.amount, currency),
    authorized: money(attempt.authorized, currency),
    captured: money(attempt.captured, currency),
  }
}

async function complete(
  engine: Engine,
  payment: Payment,
  attempt: Attempt,
  operation: Operation,
  account: Account,
  fields: Readonly<Record<string, string>>,
  bounds: Bounds,
): Promise<Called> {
  const input: Input["complete"] = {
    key: operation.key,
    attempt: attempt.id,
    amount: money(operation.amount, payment.intent.amount.currency),
    capture: payment.intent.capture,
    fields,
    ...(attempt.reference === undefined ? {} : { reference: attempt.reference }),
  }
  if (account.connector.manifest.completion === "call")
    return call(engine, account, operation, "complete", input, bounds)
  const called = await inquire(engine, account, operation, inquiryInput(payment, operation, attempt.reference), bounds)
  const { outcome } = called
  // The customer came back without finishing, or the provider does not know yet: nothing has changed.
  const unchanged =
    outcome.kind === "absent" ||
    outcome.kind === "action" ||
    (outcome.kind === "pending" && outcome.maybeCustomer === true && attempt.state === "action")
  return unchanged ? { ...called, outcome: stillAction(outcome) } : called
}

const stillAction = (outcome: Outcome): Outcome => ({
  kind: "rejected",
  fault: "ours",
  executed: "no",
  reason: "authentication_abandoned",
  raw: outcome.raw,
  evidence: {},
})
