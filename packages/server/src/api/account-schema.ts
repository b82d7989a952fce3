// The wire format of accounts. Credentials and webhook secrets go in and never come out again.

import { Type, type Static } from "typebox"
import { FeeModelSchema, NullableFeeModel } from "./account-fees-schema.ts"
import { closed, nullable, Text, Time, words } from "./schema.ts"

/** Webhook secrets that may be current at once, during a rotation. */
export const MAX_WEBHOOK_SECRETS = 4

const fieldName = Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_]{0,49}$" })
const values = (maxLength: number, description: string) =>
  Type.Record(fieldName, Type.String({ minLength: 1, maxLength }), {
    additionalProperties: false,
    maxProperties: 50,
    description,
  })
const changes = (maxLength: number, description: string) =>
  Type.Record(fieldName, nullable(Type.String({ minLength: 1, maxLength })), {
    additionalProperties: false,
    maxProperties: 50,
    description,
  })

export const WebhookSecret = Type.String({
  minLength: 8,
  maxLength: 512,
  pattern: "^[\\x21-\\x7e]+$",
  description: "With which the provider signs its webhooks, as its dashboard shows it.",
})
const BaseUrl = Type.String({
  minLength: 8,
  maxLength: 2_048,
  description: "Test mode only: a simulator's address in place of the provider's.",
})
const TimeScale = Type.Number({
  exclusiveMinimum: 0,
  maximum: 1,
  description: "Test mode only: the provider's clock runs 1/s times as fast, so that a test need not wait for days.",
})
const OnUnknown = words(
  ["wait", "reverse_then_reroute"],
  "What to do when the provider does not answer an authorization. The second may leave two holds on a card for a while.",
)
const Verify = Type.Boolean({
  default: true,
  description:
    "Ask the provider whether it takes the credentials before they are saved, by a call that changes nothing.",
})

export const AccountCreate = closed(
  {
    connector: Text(40, "The provider, by its id in the catalogue of connectors."),
    name: Text(100, "For people."),
    credentials: values(16_384, "By the names of the connector's `credentials`. Write-only."),
    settings: Type.Optional(values(1_000, "By the names of the connector's `settings`.")),
    webhook_secrets: Type.Optional(Type.Array(WebhookSecret, { maxItems: MAX_WEBHOOK_SECRETS, uniqueItems: true })),
    on_unknown: Type.Optional(OnUnknown),
    base_url: Type.Optional(BaseUrl),
    time_scale: Type.Optional(TimeScale),
    fee_model: Type.Optional(FeeModelSchema),
    verify: Type.Optional(Verify),
  },
  {
    $id: "AccountCreate",
    examples: [{ connector: "stripe", name: "Stripe Europe", credentials: { secret_key: "sk_test_0123456789abcdef" } }],
  },
)
export type AccountCreate = Static<typeof AccountCreate>

export const AccountUpdate = closed(
  {
    name: Type.Optional(Text(100)),
    credentials: Type.Optional(changes(16_384, "Those that change; null removes an optional one. Write-only.")),
    settings: Type.Optional(changes(1_000, "Those that change; null removes an optional one.")),
    on_unknown: Type.Optional(OnUnknown),
    base_url: Type.Optional(nullable(BaseUrl)),
    time_scale: Type.Optional(nullable(TimeScale)),
    fee_model: Type.Optional(NullableFeeModel),
    verify: Type.Optional(Verify),
  },
  {
    $id: "AccountUpdate",
    examples: [{ name: "Stripe Europe (2027 key)", credentials: { secret_key: "sk_test_fedcba9876543210" } }],
  },
)
export type AccountUpdate = Static<typeof AccountUpdate>

export const WebhookSecretBody = closed({ secret: WebhookSecret }, { $id: "AccountWebhookSecret" })

export const AccountResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("account"),
    mode: words(["live", "test"]),
    connector: Type.String(),
    name: Type.String(),
    state: words(
      ["enabled", "draining", "disabled"],
      "draining: takes no new payments, follows up on those it has. disabled: takes neither; cancels and what is open already are still carried out.",
    ),
    credentials: Type.Array(Type.String(), {
      description: "Names of the credentials that are set. Never their values.",
    }),
    settings: Type.Record(Type.String(), Type.String()),
    on_unknown: OnUnknown,
    base_url: Type.Union([Type.String(), Type.Null()]),
    time_scale: Type.Union([Type.Number(), Type.Null()]),
    fee_model: Type.Union([FeeModelSchema, Type.Null()], {
      description: "What the contract charges; without it routing counts no cost here.",
    }),
    webhook_url: Type.String({ description: "Where the provider must send its webhooks." }),
    webhook_secrets: Type.Array(Type.Object({ id: Type.String() }), {
      description:
        "Those that are current, by a name made from them; a rotation adds one and later removes the old one.",
    }),
    version: Type.Integer(),
    created_at: Time,
    updated_at: Time,
  },
  { $id: "Account" },
)
export type AccountResource = Static<typeof AccountResource>
