// What the world is told when a payment changes: the events of the outbox, from which webhooks, timeline and facts are
// made. A status is announced when it is reached, once; everything carries the payment's version as its sequence.

import type { AttemptId, OperationId } from "./id.ts"
import {
  amountsOf,
  attemptOf,
  operationOf,
  statusOf,
  type Act,
  type Incident,
  type Operation,
  type Payment,
  type PaymentEvent,
} from "./payment.ts"

export type Announcement = { readonly type: string; readonly data: Summary }

/** Small on purpose: receivers read the payment itself when they want all of it. Amounts are minor units as strings. */
export type Summary = {
  readonly payment: string
  readonly mode: "live" | "test"
  readonly status: string
  readonly currency: string
  readonly amounts: Readonly<Record<"requested" | "authorized" | "captured" | "refunded" | "disputed", string>>
  readonly merchant_reference?: string
  readonly metadata: Readonly<Record<string, string>>
  readonly failure?: string
  /** In what way the books do not add up, where this is about that, and what a person said of it. */
  readonly violation?: string
  readonly incident?: {
    readonly id: string
    readonly acknowledged?: { readonly by: string; readonly key: string; readonly note: string }
  }
  readonly attempt?: {
    readonly id: AttemptId
    readonly ordinal: number
    readonly account: string
    readonly provider: string
    readonly state: string
    readonly outcome?: string
    readonly reason?: string
    readonly raw_code?: string
    readonly network_code?: string
    readonly advice_code?: string
    readonly duration_ms?: number
  }
  readonly operation?: {
    readonly id: OperationId
    readonly kind: string
    readonly state: string
    readonly amount: string
    readonly reason?: string
    /** What a person said of it, where this is about that. */
    readonly acted?: { readonly said: string; readonly by: string; readonly key: string; readonly note?: string }
  }
  readonly dispute?: {
    readonly id: string
    readonly stage: string
    readonly amount: string
    readonly reason?: string
    readonly due_at?: string
  }
}

export function announce(
  before: Payment | undefined,
  after: Payment,
  events: readonly PaymentEvent[],
): readonly Announcement[] {
  const said: Announcement[] = []
  for (const event of events) {
    const type = nameOf(event, after)
    if (type !== undefined) said.push({ type, data: summarize(after, event) })
  }
  const status = statusOf(after)
  if (before !== undefined ? statusOf(before) !== status : status !== "requires_confirmation")
    said.push({ type: `payment.${status}`, data: summarize(after) })
  return said
}

function nameOf(event: PaymentEvent, after: Payment): string | undefined {
  switch (event.type) {
    case "created":
      return "payment.created"
    case "attempt_started":
      return "attempt.started"
    case "operation_settled": {
      const operation = operationOf(after, event.operation)
      if (operation === undefined) return undefined
      if (event.correction) return "payment.corrected"
      return `${operation.kind}.${operation.state}`
    }
    case "operation_rescheduled":
      return event.needsPerson === true ? "payment.needs_person" : undefined
    case "operator_acted":
      return event.act.said === "retry" ? "operation.retried" : "operation.settled_by_hand"
    case "reversal_owed":
      return "reverse.owed"
    case "found_at_provider":
    case "given_back_by_hand":
      return "payment.changed_at_provider"
    case "disputed":
      return `dispute.${event.dispute.stage}`
    case "ending_requested":
      return event.as === "canceled" ? "payment.cancel_requested" : undefined
    case "ending_overtaken":
      return "payment.cancel_overtaken"
    case "plan_waits":
      return "payment.retry_scheduled"
    case "confirmed":
    case "operation_sent":
    case "attempt_lapsed":
    case "plan_over":
    case "plan_resumed":
    case "reference_learned":
    case "closed":
      return undefined
    case "authorization_expiring":
      return "payment.authorization_expiring"
    case "invariant_broken":
      return "payment.invariant_broken"
    case "incident_acknowledged":
      return "payment.incident_acknowledged"
    default:
      return event satisfies never
  }
}

export function summarize(payment: Payment, event?: PaymentEvent): Summary {
  const amounts = amountsOf(payment)
  const operation = event === undefined ? undefined : operationIn(payment, event)
  const attempt = operation === undefined ? payment.attempts.at(-1) : attemptOf(payment, operation.attempt)
  const outcome = attempt?.outcome
  const raw = outcome?.raw
  const dispute = event?.type === "disputed" ? event.dispute : undefined
  const incident = event === undefined ? undefined : incidentIn(payment, event)
  return {
    payment: payment.id,
    mode: payment.mode,
    status: statusOf(payment),
    currency: payment.intent.amount.currency,
    amounts: {
      requested: String(amounts.requested),
      authorized: String(amounts.authorized),
      captured: String(amounts.captured),
      refunded: String(amounts.refunded),
      disputed: String(amounts.disputed),
    },
    metadata: payment.intent.metadata,
    ...(payment.intent.merchantReference === undefined ? {} : { merchant_reference: payment.intent.merchantReference }),
    ...(payment.failure === undefined ? {} : { failure: payment.failure.reason }),
    ...(incident === undefined ? {} : saidOf(incident)),
    ...(attempt === undefined
      ? {}
      : {
          attempt: {
            id: attempt.id,
            ordinal: attempt.ordinal,
            account: attempt.account,
            provider: attempt.connector,
            state: attempt.state,
            ...(outcome === undefined ? {} : { outcome: outcome.kind }),
            ...(outcome?.kind === "declined" || outcome?.kind === "rejected" ? { reason: outcome.reason } : {}),
            ...(raw === undefined ? {} : { raw_code: raw.code }),
            ...(raw?.networkCode === undefined ? {} : { network_code: raw.networkCode }),
            ...(raw?.adviceCode === undefined ? {} : { advice_code: raw.adviceCode }),
            ...(attempt.settledAt === undefined ? {} : { duration_ms: attempt.settledAt - attempt.startedAt }),
          },
        }),
    ...(operation === undefined
      ? {}
      : {
          operation: {
            id: operation.id,
            kind: operation.kind,
            state: operation.state,
            amount: String(operation.amount),
            ...(operation.reason === undefined ? {} : { reason: operation.reason }),
            ...(event?.type === "operator_acted" ? { acted: saidIn(event.act) } : {}),
          },
        }),
    ...(dispute === undefined
      ? {}
      : {
          dispute: {
            id: dispute.id,
            stage: dispute.stage,
            amount: String(dispute.amount),
            ...(dispute.reason === undefined ? {} : { reason: dispute.reason }),
            ...(dispute.dueAt === undefined ? {} : { due_at: dispute.dueAt }),
          },
        }),
  }
}

function saidOf({ id, violation, acknowledged }: Incident): Pick<Summary, "violation" | "incident"> {
  if (acknowledged === undefined) return { violation, incident: { id } }
  const { by, key, note } = acknowledged
  return { violation, incident: { id, acknowledged: { by, key, note } } }
}

const incidentIn = ({ incidents = [] }: Payment, event: PaymentEvent): Incident | undefined =>
  event.type === "invariant_broken"
    ? event.incident
    : event.type === "incident_acknowledged"
      ? incidents.find(({ id }) => id === event.incident)
      : undefined

const saidIn = ({ said, by, key, note }: Act) => ({ said, by, key, ...(note === undefined ? {} : { note }) })

function operationIn(payment: Payment, event: PaymentEvent): Operation | undefined {
  switch (event.type) {
    case "operation_settled":
    case "operation_rescheduled":
    case "operator_acted":
    case "given_back_by_hand":
      return operationOf(payment, event.operation)
    case "attempt_started":
    case "reversal_owed":
    case "found_at_provider":
    case "operation_sent":
      return operationOf(payment, event.operation.id)
    case "created":
    case "confirmed":
    case "ending_requested":
    case "ending_overtaken":
    case "attempt_lapsed":
    case "plan_over":
    case "plan_waits":
    case "plan_resumed":
    case "reference_learned":
    case "authorization_expiring":
    case "closed":
    case "disputed":
    case "invariant_broken":
    case "incident_acknowledged":
      return undefined
    default:
      return event satisfies never
  }
}
