// A payment as its merchant sees it. Nothing here is secret: what must not be shown is not in the payment.

import type { Static } from "typebox"
import type { AttemptShape } from "../core/attempt-shape.ts"
import { declineReasons, isDeclineReason, type DeclineReason } from "../core/decline.ts"
import { given } from "../core/given.ts"
import { rfc3339 } from "../core/instant.ts"
import type { Party as StoredParty } from "../core/intent.ts"
import type { Outcome, Raw } from "../core/outcome.ts"
import {
  amountsOf,
  needsPerson,
  statusOf,
  type Act,
  type Attempt,
  type Operation,
  type Payment,
  type Waits,
} from "../core/payment.ts"
import type { DecisionRecord } from "../routing/decide.ts"
import type { AttemptResource, OperationResource, OutcomeResource, PaymentResource } from "./payment-schema.ts"
import { followsResource, stoppedResource } from "./retry-resource.ts"
import type { Party } from "./schema.ts"

export function paymentResource(payment: Payment): PaymentResource {
  const { intent, failure, ending } = payment
  const amounts = amountsOf(payment)
  const acting = payment.attempts.find((a) => a.state === "action" && a.action !== undefined)
  const active = statusOf(payment) === "requires_action" ? acting : undefined
  return given({
    id: payment.id,
    object: "payment",
    mode: payment.mode,
    version: payment.version,
    status: statusOf(payment),
    amount: Number(intent.amount.minor),
    currency: intent.amount.currency,
    amounts: {
      requested: Number(amounts.requested),
      authorized: Number(amounts.authorized),
      captured: Number(amounts.captured),
      refunded: Number(amounts.refunded),
      disputed: Number(amounts.disputed),
      capturing: Number(amounts.capturing),
      refunding: Number(amounts.refunding),
    },
    capture_method: intent.capture,
    payment_method: methodResource(intent.method),
    action:
      active?.action === undefined
        ? null
        : given({
            type: "redirect",
            method: active.action.method,
            url: active.action.url,
            fields: active.action.fields && { ...active.action.fields },
            expires_at: instant(active.actionUntil),
          }),
    failure:
      failure === undefined || payment.closed?.as !== "failed"
        ? null
        : given({
            reason: failure.reason,
            ...(isDeclineReason(failure.reason) ? meaningOf(failure.reason) : {}),
            raw: failure.raw && rawResource(failure.raw),
            attempt: failure.attempt,
          }),
    attempts: payment.attempts.map(attemptResource),
    skipped_accounts: (payment.plan.skipped ?? []).map(({ account, reason }) => ({ account, reason })),
    retry_stopped: payment.plan.stopped === undefined ? null : stoppedResource(payment.plan.stopped),
    next_retry: payment.plan.waits === undefined ? null : nextRetry(payment.plan.waits),
    operations: payment.operations.map(operationResource),
    needs_person: needsPerson(payment),
    incidents: (payment.incidents ?? []).map(({ id, violation, at, acknowledged }) => ({
      id,
      violation,
      at: rfc3339(at),
      acknowledged: acknowledged === undefined ? null : { ...acknowledged, at: rfc3339(acknowledged.at) },
    })),
    disputes: payment.disputes.map(({ id, reference, stage, amount, reason, dueAt }) =>
      given({ id, reference, stage, amount: Number(amount), reason, due_at: dueAt }),
    ),
    customer: intent.customerId ?? null,
    customer_details: intent.customer && customerResource(intent.customer),
    billing: intent.billing && partyResource(intent.billing),
    shipping: intent.shipping && partyResource(intent.shipping),
    merchant_reference: intent.merchantReference ?? null,
    statement_descriptor: intent.descriptor ?? null,
    description: intent.description ?? null,
    metadata: { ...intent.metadata },
    initiator: given({
      by: intent.initiator.by,
      stored: intent.initiator.by === "customer" ? intent.initiator.stored : undefined,
      purpose: intent.initiator.purpose,
      network_transaction_id: intent.initiator.networkTransactionId,
    }),
    three_ds: { mode: intent.threeDs.mode },
    allow_partial: intent.allowPartial,
    on_unknown: intent.onUnknown ?? null,
    account: intent.pinnedAccount ?? null,
    return_url: intent.returnUrl ?? null,
    authorized_until: instant(payment.authorizedUntil),
    cancellation:
      ending === undefined ? null : given({ as: ending.as, reason: ending.reason, requested_at: rfc3339(ending.at) }),
    created_at: rfc3339(payment.createdAt),
    updated_at: rfc3339(payment.updatedAt),
  })
}

const nextRetry = ({ until, account, step }: Waits) => ({ at: rfc3339(until), account, step })

const shapeResource = ({ credential, threeDs, merchantInitiated, descriptor, updatedAccount }: AttemptShape) =>
  given({
    credential,
    three_ds: threeDs,
    merchant_initiated: merchantInitiated,
    descriptor,
    updated_account: updatedAccount,
  })

const instant = (ms: number | undefined): string | null => (ms === undefined ? null : rfc3339(ms))

const meaningOf = (reason: DeclineReason) => ({
  category: declineReasons[reason].category,
  customer_message: declineReasons[reason].customerMessage,
})

export function attemptResource(attempt: Attempt): Static<typeof AttemptResource> {
  const { checks, threeDs, authorizationCode, networkTransactionId } = attempt.evidence
  return given({
    id: attempt.id,
    ordinal: attempt.ordinal,
    account: attempt.account,
    provider: attempt.connector,
    state: attempt.state,
    reference: attempt.reference ?? null,
    amounts: {
      authorized: Number(attempt.authorized),
      captured: Number(attempt.captured),
      refunded: Number(attempt.refunded),
    },
    outcome: outcomeResource(attempt.outcome),
    checks: checks && { line: checks.line, postal_code: checks.postcode, name: checks.name, cvc: checks.code },
    shape: attempt.shape && shapeResource(attempt.shape),
    follows: attempt.follows && followsResource(attempt.follows),
    authorization_code: authorizationCode,
    network_transaction_id: networkTransactionId,
    three_ds:
      threeDs &&
      given({
        status: threeDs.status,
        eci: threeDs.eci,
        version: threeDs.version,
        liability_shifted: threeDs.liabilityShifted,
      }),
    started_at: rfc3339(attempt.startedAt),
    settled_at: instant(attempt.settledAt),
    decision: withoutInputs(attempt.decision),
  })
}

/** What was read for a decision stands in the list of attempts; a payment is read often, and is long enough. */
export function withoutInputs(decision: unknown): unknown {
  if (typeof decision !== "object" || decision === null) return decision
  const { inputs: _inputs, ...record } = decision as Partial<DecisionRecord>
  return record
}

/** All that was read for a decision, as JSON writes it. */
export function decisionInputs(decision: unknown): unknown {
  const { inputs } = decision as Partial<DecisionRecord>
  if (inputs === undefined) return undefined
  const { amount, ...context } = inputs.context
  return { ...inputs, context: { ...context, amount: { ...amount, minor: Number(amount.minor) } } }
}

export function operationResource(operation: Operation): Static<typeof OperationResource> {
  return given({
    id: operation.id,
    attempt: operation.attempt,
    kind: operation.kind,
    state: operation.state,
    amount: Number(operation.amount),
    final: operation.kind === "capture" ? operation.final : undefined,
    reference: operation.reference ?? null,
    origin: operation.origin,
    reason: operation.reason,
    outcome: outcomeResource(operation.outcome),
    needs_person: operation.needsPerson,
    acted: operation.acted && actResource(operation.acted),
    created_at: rfc3339(operation.createdAt),
    settled_at: instant(operation.settledAt),
  })
}

const actResource = ({ said, by, key, note, at }: Act) => given({ said, by, key, note, at: rfc3339(at) })

function outcomeResource(outcome: Outcome | undefined): Static<typeof OutcomeResource> | null {
  if (outcome === undefined) return null
  const reason = outcome.kind === "declined" || outcome.kind === "rejected" ? outcome.reason : undefined
  return {
    kind: outcome.kind,
    ...(reason === undefined ? {} : { reason, ...meaningOf(reason) }),
    raw: rawResource(outcome.raw),
  }
}

const rawResource = ({ code, message, networkCode, adviceCode }: Raw) =>
  given({ code, message, network_code: networkCode, advice_code: adviceCode })

function methodResource(method: Payment["intent"]["method"]): PaymentResource["payment_method"] {
  if (method === undefined) return null
  const { type, paymentMethod: id, network, last4 } = method
  if (type === "provider_token") return given({ type, id, network, last4 })
  return given({
    type,
    id,
    network,
    bin: method.bin,
    last4,
    expiry_month: method.expiryMonth,
    expiry_year: method.expiryYear,
    holder_name: method.holderName,
    country: method.country,
    funding: method.funding,
    issuer: method.issuer,
    product: method.product,
    fingerprint: method.fingerprint,
  })
}

const customerResource = ({ email, name, ip, userAgent }: NonNullable<Payment["intent"]["customer"]>) =>
  given({ email, name, ip, user_agent: userAgent })

export function partyResource({ name, email, phone, address }: StoredParty): Static<typeof Party> {
  return given({
    name,
    email,
    phone,
    address:
      address &&
      given({
        line1: address.line1,
        line2: address.line2,
        city: address.city,
        state: address.state,
        postal_code: address.postalCode,
        country: address.country,
      }),
  })
}
