// A payment as its merchant sees it. Nothing here is secret: what must not be shown is not in the payment.

import type { Static } from "typebox"
import { declineReasons, isDeclineReason } from "../core/decline.ts"
import { rfc3339 } from "../core/instant.ts"
import type { Party as StoredParty } from "../core/intent.ts"
import type { Outcome, Raw } from "../core/outcome.ts"
import { amountsOf, statusOf, type Attempt, type Operation, type Payment } from "../core/payment.ts"
import type { AttemptResource, OperationResource, OutcomeResource, PaymentResource } from "./payment-schema.ts"
import type { Party } from "./schema.ts"

export function paymentResource(payment: Payment): PaymentResource {
  const { intent, failure, ending } = payment
  const amounts = amountsOf(payment)
  const acting = payment.attempts.find((a) => a.state === "action" && a.action !== undefined)
  const active = statusOf(payment) === "requires_action" ? acting : undefined
  return {
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
        : {
            type: "redirect",
            method: active.action.method,
            url: active.action.url,
            ...(active.action.fields === undefined ? {} : { fields: { ...active.action.fields } }),
            expires_at: active.actionUntil === undefined ? null : rfc3339(active.actionUntil),
          },
    failure:
      failure === undefined || payment.closed?.as !== "failed"
        ? null
        : {
            reason: failure.reason,
            ...(isDeclineReason(failure.reason)
              ? {
                  category: declineReasons[failure.reason].category,
                  customer_message: declineReasons[failure.reason].customerMessage,
                }
              : {}),
            ...(failure.raw === undefined ? {} : { raw: rawResource(failure.raw) }),
            ...(failure.attempt === undefined ? {} : { attempt: failure.attempt }),
          },
    attempts: payment.attempts.map(attemptResource),
    operations: payment.operations.map(operationResource),
    disputes: payment.disputes.map((d) => ({
      id: d.id,
      reference: d.reference,
      stage: d.stage,
      amount: Number(d.amount),
      ...(d.reason === undefined ? {} : { reason: d.reason }),
      ...(d.dueAt === undefined ? {} : { due_at: d.dueAt }),
    })),
    customer: intent.customerId ?? null,
    ...(intent.customer === undefined ? {} : { customer_details: customerResource(intent.customer) }),
    ...(intent.billing === undefined ? {} : { billing: partyResource(intent.billing) }),
    ...(intent.shipping === undefined ? {} : { shipping: partyResource(intent.shipping) }),
    merchant_reference: intent.merchantReference ?? null,
    statement_descriptor: intent.descriptor ?? null,
    description: intent.description ?? null,
    metadata: { ...intent.metadata },
    initiator: {
      by: intent.initiator.by,
      ...(intent.initiator.by === "customer" ? { stored: intent.initiator.stored } : {}),
      ...(intent.initiator.purpose === undefined ? {} : { purpose: intent.initiator.purpose }),
      ...(intent.initiator.networkTransactionId === undefined
        ? {}
        : { network_transaction_id: intent.initiator.networkTransactionId }),
    },
    three_ds: { mode: intent.threeDs.mode },
    allow_partial: intent.allowPartial,
    on_unknown: intent.onUnknown ?? null,
    account: intent.pinnedAccount ?? null,
    return_url: intent.returnUrl ?? null,
    authorized_until: payment.authorizedUntil === undefined ? null : rfc3339(payment.authorizedUntil),
    cancellation:
      ending === undefined
        ? null
        : {
            as: ending.as,
            ...(ending.reason === undefined ? {} : { reason: ending.reason }),
            requested_at: rfc3339(ending.at),
          },
    created_at: rfc3339(payment.createdAt),
    updated_at: rfc3339(payment.updatedAt),
  }
}

export function attemptResource(attempt: Attempt): Static<typeof AttemptResource> {
  const { evidence } = attempt
  const { checks, threeDs } = evidence
  return {
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
    ...(checks === undefined
      ? {}
      : { checks: { line: checks.line, postal_code: checks.postcode, name: checks.name, cvc: checks.code } }),
    ...(evidence.authorizationCode === undefined ? {} : { authorization_code: evidence.authorizationCode }),
    ...(evidence.networkTransactionId === undefined ? {} : { network_transaction_id: evidence.networkTransactionId }),
    ...(threeDs === undefined
      ? {}
      : {
          three_ds: {
            ...(threeDs.status === undefined ? {} : { status: threeDs.status }),
            ...(threeDs.eci === undefined ? {} : { eci: threeDs.eci }),
            ...(threeDs.version === undefined ? {} : { version: threeDs.version }),
            ...(threeDs.liabilityShifted === undefined ? {} : { liability_shifted: threeDs.liabilityShifted }),
          },
        }),
    started_at: rfc3339(attempt.startedAt),
    settled_at: attempt.settledAt === undefined ? null : rfc3339(attempt.settledAt),
    decision: attempt.decision,
  }
}

export function operationResource(operation: Operation): Static<typeof OperationResource> {
  return {
    id: operation.id,
    attempt: operation.attempt,
    kind: operation.kind,
    state: operation.state,
    amount: Number(operation.amount),
    ...(operation.kind === "capture" ? { final: operation.final } : {}),
    reference: operation.reference ?? null,
    origin: operation.origin,
    ...(operation.reason === undefined ? {} : { reason: operation.reason }),
    outcome: outcomeResource(operation.outcome),
    needs_person: operation.needsPerson,
    created_at: rfc3339(operation.createdAt),
    settled_at: operation.settledAt === undefined ? null : rfc3339(operation.settledAt),
  }
}

function outcomeResource(outcome: Outcome | undefined): Static<typeof OutcomeResource> | null {
  if (outcome === undefined) return null
  const reason = outcome.kind === "declined" || outcome.kind === "rejected" ? outcome.reason : undefined
  return {
    kind: outcome.kind,
    ...(reason === undefined
      ? {}
      : {
          reason,
          category: declineReasons[reason].category,
          customer_message: declineReasons[reason].customerMessage,
        }),
    raw: rawResource(outcome.raw),
  }
}

const rawResource = (raw: Raw) => ({
  code: raw.code,
  ...(raw.message === undefined ? {} : { message: raw.message }),
  ...(raw.networkCode === undefined ? {} : { network_code: raw.networkCode }),
  ...(raw.adviceCode === undefined ? {} : { advice_code: raw.adviceCode }),
})

function methodResource(method: Payment["intent"]["method"]): PaymentResource["payment_method"] {
  if (method === undefined) return null
  const stored = method.paymentMethod === undefined ? {} : { id: method.paymentMethod }
  if (method.type === "provider_token")
    return {
      type: method.type,
      ...stored,
      ...(method.network === undefined ? {} : { network: method.network }),
      ...(method.last4 === undefined ? {} : { last4: method.last4 }),
    }
  return {
    type: method.type,
    ...stored,
    network: method.network,
    bin: method.bin,
    last4: method.last4,
    expiry_month: method.expiryMonth,
    expiry_year: method.expiryYear,
    ...(method.holderName === undefined ? {} : { holder_name: method.holderName }),
    ...(method.country === undefined ? {} : { country: method.country }),
    ...(method.funding === undefined ? {} : { funding: method.funding }),
    fingerprint: method.fingerprint,
  }
}

const customerResource = (customer: NonNullable<Payment["intent"]["customer"]>) => ({
  ...(customer.email === undefined ? {} : { email: customer.email }),
  ...(customer.name === undefined ? {} : { name: customer.name }),
  ...(customer.ip === undefined ? {} : { ip: customer.ip }),
  ...(customer.userAgent === undefined ? {} : { user_agent: customer.userAgent }),
})

export function partyResource(party: StoredParty): Static<typeof Party> {
  const { address } = party
  return {
    ...(party.name === undefined ? {} : { name: party.name }),
    ...(party.email === undefined ? {} : { email: party.email }),
    ...(party.phone === undefined ? {} : { phone: party.phone }),
    ...(address === undefined
      ? {}
      : {
          address: {
            ...(address.line1 === undefined ? {} : { line1: address.line1 }),
            ...(address.line2 === undefined ? {} : { line2: address.line2 }),
            ...(address.city === undefined ? {} : { city: address.city }),
            ...(address.state === undefined ? {} : { state: address.state }),
            ...(address.postalCode === undefined ? {} : { postal_code: address.postalCode }),
            ...(address.country === undefined ? {} : { country: address.country }),
          },
        }),
  }
}
