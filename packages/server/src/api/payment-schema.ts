// The wire format of payments: what merchants send and get.

import { Type, type Static } from "typebox"
import { methodFields, methodTypes, PaymentMethodInput } from "./method-schema.ts"
import { MAX_ANSWER_WITHIN_MS } from "../core/intent.ts"
import { FollowsResource, NextRetryResource, ShapeResource, StoppedResource } from "./retry-resource.ts"
import {
  Amount,
  closed,
  Country,
  Currency,
  Email,
  Id,
  Metadata,
  NetworkName,
  Party,
  PositiveAmount,
  Text,
  Time,
  words,
} from "./schema.ts"

export const InitiatorInput = closed(
  {
    by: words(["customer", "merchant"]),
    stored: Type.Optional(
      words(
        ["none", "first", "used"],
        "For the customer: whether the card is stored with this payment (first) or was stored before (used).",
      ),
    ),
    purpose: Type.Optional(words(["recurring", "installment", "unscheduled"])),
    network_transaction_id: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9]{1,64}$" })),
  },
  { description: "Who starts the payment: customer (CIT) or merchant (MIT)." },
)

const threeDsFields = {
  mode: words(["automatic", "required", "none", "external"]),
  external: Type.Optional(
    closed({
      version: Type.String({ pattern: "^[12](\\.[0-9]){1,2}$" }),
      eci: Type.String({ pattern: "^[0-9]{1,2}$" }),
      cryptogram: Type.String({ minLength: 20, maxLength: 64 }),
      ds_transaction_id: Type.String({ minLength: 8, maxLength: 64 }),
      status: Type.Optional(words(["Y", "A", "N", "U", "C", "R", "I"])),
    }),
  ),
}
export const ThreeDsInput = closed(threeDsFields)

export const CustomerDetails = closed({
  email: Type.Optional(Email),
  name: Type.Optional(Text(200)),
  ip: Type.Optional(Type.String({ maxLength: 45, pattern: "^[0-9a-fA-F.:]+$" })),
  user_agent: Type.Optional(Text(500)),
})

const confirmFields = {
  payment_method: Type.Optional(PaymentMethodInput),
  return_url: Type.Optional(
    Type.String({
      format: "uri",
      pattern: "^https?://",
      maxLength: 2_000,
      description: "Where the customer comes back to after a redirect.",
    }),
  ),
  answer_within_ms: Type.Optional(
    Type.Integer({
      minimum: 1_000,
      maximum: MAX_ANSWER_WITHIN_MS,
      default: 25_000,
      description: "After this time the answer is `processing` and the outcome follows by webhook.",
    }),
  ),
}

export const PaymentCreate = Type.Object(
  {
    amount: Amount,
    currency: Currency,
    confirm: Type.Optional(Type.Boolean({ default: true })),
    capture_method: Type.Optional(words(["automatic", "manual"])),
    ...confirmFields,
    store_payment_method: Type.Optional(
      Type.Boolean({ description: "The customer agreed to have the card stored. Needs `customer`." }),
    ),
    customer: Type.Optional(Id("cus")),
    customer_details: Type.Optional(CustomerDetails),
    billing: Type.Optional(Party),
    shipping: Type.Optional(Party),
    merchant_reference: Type.Optional(Text(80)),
    statement_descriptor: Type.Optional(Type.String({ minLength: 2, maxLength: 22, pattern: "^[^<>\\\\\"'*]+$" })),
    description: Type.Optional(Text(500)),
    metadata: Type.Optional(Metadata),
    initiator: Type.Optional(InitiatorInput),
    three_ds: Type.Optional(ThreeDsInput),
    allow_partial: Type.Optional(Type.Boolean({ description: "Take an approval of a smaller amount." })),
    on_unknown: Type.Optional(
      words(
        ["wait", "reverse_then_reroute"],
        "What to do when a provider does not answer. The second may leave two holds on the card for a while.",
      ),
    ),
    account: Type.Optional(Id("acc")),
  },
  {
    $id: "PaymentCreate",
    additionalProperties: false,
    examples: [
      {
        amount: 1999,
        currency: "EUR",
        payment_method: {
          type: "card",
          card: { number: "4242424242424242", expiry_month: 12, expiry_year: 2030, cvc: "123" },
        },
        merchant_reference: "order-1042",
        return_url: "https://shop.example.com/thanks",
        metadata: { cart: "8f1c" },
      },
    ],
  },
)
export type PaymentCreate = Static<typeof PaymentCreate>

/** Without `type`: the method that the payment was created with, and what authenticates it, sent again. */
export const ConfirmMethodInput = closed(
  {
    type: Type.Optional(methodTypes),
    ...methodFields,
    cvc: Type.Optional(
      Type.String({ minLength: 3, maxLength: 4, description: "Of the card that the payment was created with." }),
    ),
    cryptogram: Type.Optional(
      Type.String({
        minLength: 20,
        maxLength: 64,
        description: "Of the network token that the payment was created with.",
      }),
    ),
  },
  {
    description:
      "Another method, as at creation; or only `cvc` or `cryptogram` for the one that the payment was created with. " +
      "Neither is ever stored, so both are needed again.",
  },
)

export const PaymentConfirm = Type.Object(
  {
    ...confirmFields,
    payment_method: Type.Optional(ConfirmMethodInput),
    three_ds: Type.Optional(
      closed(threeDsFields, {
        description:
          "In place of the payment's own. Required where that is `external`: its cryptogram was not stored, and a " +
          "payment does not go on without it unless you say so.",
      }),
    ),
  },
  {
    $id: "PaymentConfirm",
    additionalProperties: false,
    examples: [
      {
        payment_method: {
          type: "card",
          card: { number: "4242424242424242", expiry_month: 12, expiry_year: 2030, cvc: "123" },
        },
      },
    ],
  },
)
export type PaymentConfirm = Static<typeof PaymentConfirm>

export const CaptureBody = Type.Object(
  {
    amount: Type.Optional(PositiveAmount),
    final: Type.Optional(
      Type.Boolean({
        description: "Release what is left. Defaults to true when nothing is left or the provider captures only once.",
      }),
    ),
  },
  { $id: "Capture", additionalProperties: false, examples: [{ amount: 1500, final: true }] },
)
export const RefundBody = Type.Object(
  { amount: Type.Optional(PositiveAmount), reason: Type.Optional(Text(200)) },
  { $id: "Refund", additionalProperties: false, examples: [{ amount: 500, reason: "one item was returned" }] },
)
export const CancelBody = Type.Object(
  { reason: Type.Optional(Text(200)) },
  { $id: "Cancel", additionalProperties: false, examples: [{ reason: "out of stock" }] },
)
export const IncrementBody = Type.Object(
  { amount: PositiveAmount },
  {
    $id: "Increment",
    additionalProperties: false,
    description: "`amount` is the new total.",
    examples: [{ amount: 2499 }],
  },
)
export const CompleteBody = Type.Object(
  { fields: Type.Record(Type.String({ maxLength: 100 }), Type.String({ maxLength: 20_000 }), { maxProperties: 50 }) },
  {
    $id: "Complete",
    additionalProperties: false,
    description: "The query or form fields with which the customer came back.",
    examples: [{ fields: { redirectResult: "X6XtfGC3!Y…" } }],
  },
)

export const statuses = [
  "requires_confirmation",
  "requires_action",
  "processing",
  "authorized",
  "partially_captured",
  "captured",
  "canceled",
  "failed",
  "expired",
] as const

const Raw = Type.Object({
  code: Type.String(),
  message: Type.Optional(Type.String()),
  network_code: Type.Optional(Type.String()),
  advice_code: Type.Optional(Type.String()),
})
const Check = words(["pass", "fail", "unavailable", "unchecked"])

export const OutcomeResource = Type.Object({
  kind: words(["approved", "pending", "action", "declined", "rejected", "unknown", "not_sent", "absent"]),
  reason: Type.Optional(Type.String()),
  category: Type.Optional(Type.String()),
  customer_message: Type.Optional(Type.String()),
  raw: Raw,
})

export const AttemptResource = Type.Object({
  id: Type.String(),
  ordinal: Type.Integer(),
  account: Type.String(),
  provider: Type.String(),
  state: Type.String(),
  reference: Type.Union([Type.String(), Type.Null()]),
  amounts: Type.Object({ authorized: Amount, captured: Amount, refunded: Amount }),
  outcome: Type.Union([OutcomeResource, Type.Null()]),
  checks: Type.Optional(Type.Object({ line: Check, postal_code: Check, name: Check, cvc: Check })),
  shape: Type.Optional(ShapeResource),
  follows: Type.Optional(FollowsResource),
  authorization_code: Type.Optional(Type.String()),
  network_transaction_id: Type.Optional(Type.String()),
  three_ds: Type.Optional(
    Type.Object({
      status: Type.Optional(Type.String()),
      eci: Type.Optional(Type.String()),
      version: Type.Optional(Type.String()),
      liability_shifted: Type.Optional(Type.Boolean()),
    }),
  ),
  started_at: Time,
  settled_at: Type.Union([Time, Type.Null()]),
  decision: Type.Unknown({
    description:
      "Why this account: version of the router, policy with version, hash and share, rule, reason, chosen and excluded accounts, " +
      "scores and propensities. In the list of attempts also `accounts` (see Decision), `inputs`, all that was read for it, " +
      "and `replay`: whether the same choice comes of these inputs again (`same` is null where this version cannot tell).",
  }),
})

export const OperationResource = Type.Object({
  id: Type.String(),
  attempt: Type.String(),
  kind: Type.String(),
  state: Type.String(),
  amount: Amount,
  final: Type.Optional(Type.Boolean()),
  reference: Type.Union([Type.String(), Type.Null()]),
  origin: words(["merchant", "engine", "provider"]),
  reason: Type.Optional(Type.String()),
  outcome: Type.Union([OutcomeResource, Type.Null()]),
  needs_person: Type.Boolean({ description: "We have given up finding out: retry it, or settle it by hand." }),
  acted: Type.Optional(
    Type.Object(
      {
        said: words(["retry", "succeeded", "failed", "absent", "reversed"]),
        by: Type.String(),
        key: Type.String(),
        note: Type.Optional(Type.String()),
        at: Time,
      },
      { description: "What a person did about it last." },
    ),
  ),
  created_at: Time,
  settled_at: Type.Union([Time, Type.Null()]),
})

export const PaymentResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("payment"),
    mode: words(["live", "test"]),
    version: Type.Integer(),
    status: words(statuses),
    amount: Amount,
    currency: Type.String(),
    amounts: Type.Object({
      requested: Amount,
      authorized: Amount,
      captured: Amount,
      refunded: Amount,
      disputed: Amount,
      capturing: Amount,
      refunding: Amount,
    }),
    capture_method: words(["automatic", "manual"]),
    payment_method: Type.Union([
      Type.Null(),
      Type.Object({
        type: Type.String(),
        id: Type.Optional(Type.String()),
        network: Type.Optional(NetworkName),
        bin: Type.Optional(Type.String()),
        last4: Type.Optional(Type.String()),
        expiry_month: Type.Optional(Type.Integer()),
        expiry_year: Type.Optional(Type.Integer()),
        holder_name: Type.Optional(Type.String()),
        country: Type.Optional(Country),
        funding: Type.Optional(Type.String()),
        issuer: Type.Optional(Type.String()),
        product: Type.Optional(Type.String()),
        fingerprint: Type.Optional(Type.String()),
      }),
    ]),
    action: Type.Union([
      Type.Null(),
      Type.Object({
        type: Type.Literal("redirect"),
        method: words(["GET", "POST"]),
        url: Type.String(),
        fields: Type.Optional(Type.Record(Type.String(), Type.String())),
        expires_at: Type.Union([Time, Type.Null()]),
      }),
    ]),
    failure: Type.Union([
      Type.Null(),
      Type.Object({
        reason: Type.String(),
        category: Type.Optional(Type.String()),
        customer_message: Type.Optional(Type.String()),
        raw: Type.Optional(Raw),
        attempt: Type.Optional(Type.String()),
      }),
    ]),
    attempts: Type.Array(AttemptResource),
    skipped_accounts: Type.Array(Type.Object({ account: Type.String(), reason: Type.String() }), {
      description: "Accounts that another attempt was allowed for, and why it was not made there.",
    }),
    retry_stopped: Type.Union([StoppedResource, Type.Null()]),
    next_retry: Type.Union([NextRetryResource, Type.Null()]),
    operations: Type.Array(OperationResource),
    needs_person: Type.Boolean({
      description: "One of its operations does, or an incident that nobody has acknowledged.",
    }),
    incidents: Type.Array(
      Type.Object({
        id: Type.String(),
        violation: Type.String(),
        at: Time,
        acknowledged: Type.Union([
          Type.Null(),
          Type.Object({ by: Type.String(), key: Type.String(), note: Type.String(), at: Time }),
        ]),
      }),
      { description: "Where its books did not add up: a provider reported what was never asked for." },
    ),
    disputes: Type.Array(
      Type.Object({
        id: Type.String(),
        reference: Type.String(),
        stage: Type.String(),
        amount: Amount,
        reason: Type.Optional(Type.String()),
        due_at: Type.Optional(Type.String()),
      }),
    ),
    customer: Type.Union([Type.String(), Type.Null()]),
    customer_details: Type.Optional(CustomerDetails),
    billing: Type.Optional(Party),
    shipping: Type.Optional(Party),
    merchant_reference: Type.Union([Type.String(), Type.Null()]),
    statement_descriptor: Type.Union([Type.String(), Type.Null()]),
    description: Type.Union([Type.String(), Type.Null()]),
    metadata: Metadata,
    initiator: InitiatorInput,
    three_ds: Type.Object({ mode: Type.String() }),
    allow_partial: Type.Boolean(),
    on_unknown: Type.Union([Type.String(), Type.Null()]),
    account: Type.Union([Type.String(), Type.Null()]),
    return_url: Type.Union([Type.String(), Type.Null()]),
    authorized_until: Type.Union([Time, Type.Null()]),
    cancellation: Type.Union([
      Type.Null(),
      Type.Object({ as: Type.String(), reason: Type.Optional(Type.String()), requested_at: Time }),
    ]),
    created_at: Time,
    updated_at: Time,
  },
  { $id: "Payment" },
)
export type PaymentResource = Static<typeof PaymentResource>
