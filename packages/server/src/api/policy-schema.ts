// The wire format of routing policies: the same document that routing evaluates (routing/policy.ts). Conditions and retry plans
// have readers of their own (policy-document.ts), whose errors say more than a schema's could.

import { Type, type Static } from "typebox"
import {
  MAX_ACCOUNTS_PER_RULE,
  MAX_COMMITMENTS,
  MAX_DECLINE_REASON,
  MAX_NEVER_ROUTES,
  MAX_RULE_NAME,
  MAX_RULES,
} from "../routing/policy.ts"
import { closed, Id, Text, Time, words } from "./schema.ts"

/** Validation leaves it to its reader; the document shows it whole (policy-openapi.ts). */
export const ConditionPart = Type.Unsafe<unknown>({
  description: "When it applies: a tree, or its text. See docs/policy-language.md.",
})
export const RetryPlanPart = Type.Unsafe<unknown>({
  description: "What follows a failed attempt. Without it, the next account is tried at once where that is safe.",
})

const Share = Type.Number({ minimum: 0, maximum: 1 })
export const StrategySchema = closed(
  {
    kind: words(["ordered", "split", "optimize", "decline"]),
    accounts: Type.Optional(
      Type.Array(Id("acc"), {
        minItems: 1,
        maxItems: MAX_ACCOUNTS_PER_RULE,
        description: "Of `ordered`: in the order in which they are tried. Of `optimize`: among which is chosen.",
      }),
    ),
    shares: Type.Optional(
      Type.Array(closed({ account: Id("acc"), share: Type.Number({ minimum: 0, maximum: 1_000_000 }) }), {
        minItems: 1,
        maxItems: MAX_ACCOUNTS_PER_RULE,
        description: "Of `split`: parts of the payments, in proportion to each other.",
      }),
    ),
    objective: Type.Optional(
      closed(
        {
          kind: words(["approval", "expected_value"]),
          margin: Type.Optional(Share),
          per_second: Type.Optional(Share),
        },
        { description: "Of `optimize`. `margin` and `per_second` (the price of waiting) are shares of the amount." },
      ),
    ),
    exploration: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 0.1,
        description: "Of `optimize`: share of payments that may explore; 0 switches it off.",
      }),
    ),
    reason: Type.Optional(Text(MAX_DECLINE_REASON, "Of `decline`: why no attempt is made.")),
  },
  { description: "Exactly the fields that belong to its `kind`." },
)

export const RuleSchema = closed({
  name: Text(MAX_RULE_NAME, "For people and for the record of every decision."),
  when: ConditionPart,
  strategy: StrategySchema,
  require_three_ds: Type.Optional(
    Type.Unsafe<true>({
      type: "boolean",
      enum: [true],
      description: "Asks for 3-D Secure where the payment says `automatic`; a payment's own word stands.",
    }),
  ),
  retry: Type.Optional(RetryPlanPart),
  on_unknown: Type.Optional(
    words(
      ["wait", "reverse_then_reroute"],
      "What to do when a provider does not answer, where the payment does not say. Without it, the account's word counts.",
    ),
  ),
})

const documentFields = {
  rules: Type.Array(RuleSchema, {
    minItems: 1,
    maxItems: MAX_RULES,
    description: "In order: the first that matches a payment says where it goes.",
  }),
  never: Type.Optional(
    Type.Array(closed({ account: Id("acc"), when: ConditionPart }), {
      minItems: 1,
      maxItems: MAX_NEVER_ROUTES,
      description: "Accounts that are not tried for such payments, whatever rule or pin says.",
    }),
  ),
  commitments: Type.Optional(
    Type.Array(
      closed(
        {
          account: Id("acc"),
          min_share: Type.Optional(Share),
          max_share: Type.Optional(Share),
          min_volume: Type.Optional(Type.Integer({ minimum: 0 })),
          max_volume: Type.Optional(Type.Integer({ minimum: 0 })),
          unit: Type.Optional(words(["payments", "amount"], "What volume counts; payments if absent.")),
        },
        { minProperties: 2 },
      ),
      { minItems: 1, maxItems: MAX_COMMITMENTS, description: "Per calendar month (UTC), across all rules." },
    ),
  ),
}
const Note = Type.String({
  maxLength: 500,
  description: "Why it was made, for whoever reads the history. Empty if absent.",
})

const some = "acc_01k7m0c9qv3w8x5y2z4r6t8b1d"
const other = "acc_01k7m0d2ab4c6e8g0j2m4p6r8t"
const exampleRules = [
  {
    name: "Large payments from abroad are declined",
    when: 'currency == "EUR" && amount >= 500000 && !(payer.country in ["DE", "FR"])',
    strategy: { kind: "decline", reason: "above the limit for other countries" },
  },
  {
    name: "Europe",
    when: {
      all: [
        { field: "currency", op: "equals", value: "EUR" },
        { field: "payer.country", op: "in", value: ["DE", "FR"] },
      ],
    },
    strategy: { kind: "ordered", accounts: [some, other] },
    require_three_ds: true,
  },
  { name: "Everything else", when: "true", strategy: { kind: "ordered", accounts: [other] } },
]

export const PolicyCreate = closed(
  { name: Text(100), ...documentFields, note: Type.Optional(Note) },
  { $id: "PolicyCreate", examples: [{ name: "Checkout", rules: exampleRules, note: "Adyen first in Europe" }] },
)
export const PolicyVersionCreate = closed(
  { ...documentFields, note: Type.Optional(Note) },
  { $id: "PolicyVersionCreate", examples: [{ rules: exampleRules, note: "Adyen first in Europe" }] },
)
export const PolicyCheck = closed(
  { name: Type.Optional(Text(100)), ...documentFields, note: Type.Optional(Note) },
  {
    $id: "PolicyCheck",
    description: "The body of `POST /v1/policies` or of `POST /v1/policies/{id}/versions`, as it is.",
    examples: [{ rules: exampleRules }],
  },
)

const Version = (description: string) => Type.Integer({ minimum: 1, maximum: 1_000_000, description })
export const PolicyActivate = closed(
  { version: Version("An older one rolls back.") },
  { $id: "PolicyActivate", examples: [{ version: 3 }] },
)
export const PolicyPublish = closed(
  {
    version: Version("The one that is published."),
    share_bps: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 9_999,
        description: "Of 10,000 payments, beside the version in force. Without it: all, and nothing beside it.",
      }),
    ),
  },
  { $id: "PolicyPublish", examples: [{ version: 4, share_bps: 500 }] },
)

export const Conditions = words(["tree", "text"], "How conditions are shown; as trees if absent.")

export const Finding = Type.Object(
  {
    severity: words(["error", "warning"], "A document with errors is not stored."),
    code: Type.String(),
    rule: Type.Optional(
      Type.Object({ index: Type.Integer({ description: "From 0." }), name: Type.Optional(Type.String()) }),
    ),
    pointer: Type.String({
      description: "JSON pointer into the document; into a tree, as its normal form has it.",
    }),
    position: Type.Optional(
      Type.Object(
        { offset: Type.Integer(), line: Type.Integer(), column: Type.Integer() },
        { description: "Within the condition's text, where it came as text." },
      ),
    ),
    detail: Type.String(),
  },
  { $id: "PolicyFinding" },
)
export type FindingResource = Static<typeof Finding>

export const PolicyResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("policy"),
    mode: words(["live", "test"]),
    name: Type.String(),
    active_version: Type.Union([Type.Integer(), Type.Null()], {
      description: "In force; null where another policy is.",
    }),
    candidate: Type.Union([Type.Null(), Type.Object({ version: Type.Integer(), share_bps: Type.Integer() })], {
      description: "A version that is published to a share of the payments, beside the one in force.",
    }),
    version: Type.Integer({ description: "The ETag: counts publications, not the versions of the document." }),
    created_at: Time,
    updated_at: Time,
  },
  { $id: "Policy" },
)
export type PolicyResource = Static<typeof PolicyResource>

export const PolicyVersionResource = Type.Object(
  {
    object: Type.Literal("policy_version"),
    policy: Type.String(),
    version: Type.Integer(),
    ...documentFields,
    note: Type.String(),
    author: Type.String({ description: "The API key that made it." }),
    warnings: Type.Optional(
      Type.Array(Finding, { description: "What its author should know of, as things stand now. Not in lists." }),
    ),
    created_at: Time,
    published_at: Type.Union([Time, Type.Null()], { description: "When it first came into force." }),
  },
  { $id: "PolicyVersion" },
)
export type PolicyVersionResource = Static<typeof PolicyVersionResource>

export type WireDocument = Omit<Static<typeof PolicyVersionCreate>, "note">
export type WireRule = Static<typeof RuleSchema>
