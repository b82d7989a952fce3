// The wire format of routing policies: the same document that routing evaluates (routing/policy.ts).

import { Type, type Static } from "typebox"
import { given } from "../core/given.ts"
import type { AccountId } from "../core/id.ts"
import { MAX_ACCOUNTS_PER_RULE, MAX_RULES, type Rule } from "../routing/policy.ts"
import { Amount, closed, Country, Currency, Id, NetworkName, Text, Time, words } from "./schema.ts"

const list = { minItems: 1, uniqueItems: true }

export const RuleSchema = closed({
  name: Text(100, "For people and for the record of every decision."),
  when: closed(
    {
      currency: Type.Optional(Type.Array(Currency, { ...list, maxItems: 200 })),
      country: Type.Optional(
        Type.Array(Country, {
          ...list,
          maxItems: 250,
          description: "Of the card's issuer where it is known, else of the billing address.",
        }),
      ),
      network: Type.Optional(Type.Array(NetworkName, { ...list, maxItems: 20 })),
      amount: Type.Optional(
        closed(
          { min: Type.Optional(Amount), max: Type.Optional(Amount) },
          { minProperties: 1, description: "Both ends included." },
        ),
      ),
    },
    { description: "All that are named must match; none named matches everything." },
  ),
  accounts: Type.Array(Id("acc"), {
    minItems: 1,
    maxItems: MAX_ACCOUNTS_PER_RULE,
    description: "In the order in which they are tried.",
  }),
  on_unknown: Type.Optional(
    words(
      ["wait", "reverse_then_reroute"],
      "What to do when a provider does not answer, where the payment does not say. Without it, the account's word counts.",
    ),
  ),
})
const Rules = Type.Array(RuleSchema, {
  minItems: 1,
  maxItems: MAX_RULES,
  description: "In order: the first that matches a payment names its accounts.",
})
const Note = Text(500, "Why it was made, for whoever reads the history.")
const examples = [
  {
    name: "Checkout",
    rules: [
      {
        name: "Europe",
        when: { currency: ["EUR"], country: ["DE", "FR"] },
        accounts: ["acc_01k7m0c9qv3w8x5y2z4r6t8b1d", "acc_01k7m0d2ab4c6e8g0j2m4p6r8t"],
      },
      { name: "Everything else", when: {}, accounts: ["acc_01k7m0d2ab4c6e8g0j2m4p6r8t"] },
    ],
    note: "Adyen first in Europe",
  },
]

export const PolicyCreate = closed(
  { name: Text(100), rules: Rules, note: Type.Optional(Note) },
  { $id: "PolicyCreate", examples },
)
export const PolicyVersionCreate = closed({ rules: Rules, note: Type.Optional(Note) }, { $id: "PolicyVersionCreate" })
export const PolicyActivate = closed(
  { version: Type.Integer({ minimum: 1, maximum: 1_000_000, description: "An older one rolls back." }) },
  { $id: "PolicyActivate", examples: [{ version: 3 }] },
)

const Finding = Type.Object({ code: Type.String(), pointer: Type.String(), detail: Type.String() })

export const PolicyResource = Type.Object(
  {
    id: Type.String(),
    object: Type.Literal("policy"),
    mode: words(["live", "test"]),
    name: Type.String(),
    active_version: Type.Union([Type.Integer(), Type.Null()], {
      description: "In force; null where another policy is.",
    }),
    version: Type.Integer({ description: "The ETag: counts activations, not the versions of the document." }),
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
    rules: Type.Array(RuleSchema),
    note: Type.String(),
    author: Type.String({ description: "The API key that made it." }),
    warnings: Type.Array(Finding, { description: "What its author should know of, as things stand now." }),
    created_at: Time,
    published_at: Type.Union([Time, Type.Null()], { description: "When it first came into force." }),
  },
  { $id: "PolicyVersion" },
)
export type PolicyVersionResource = Static<typeof PolicyVersionResource>

type WireRule = Static<typeof RuleSchema>

export const readRules = (rules: readonly WireRule[]): readonly Rule[] =>
  rules.map(({ name, when, accounts, on_unknown: onUnknown }) => ({
    ...given({ name, onUnknown }),
    when: given({
      ...when,
      amount:
        when.amount === undefined
          ? undefined
          : given({ min: bigintOf(when.amount.min), max: bigintOf(when.amount.max) }),
    }),
    accounts: accounts as AccountId[],
  }))

export const ruleResource = ({ name, when, accounts, onUnknown }: Rule): WireRule => ({
  ...given({ name, on_unknown: onUnknown }),
  when: given({
    currency: when.currency && [...when.currency],
    country: when.country && [...when.country],
    network: when.network && [...when.network],
    amount: when.amount && given({ min: numberOf(when.amount.min), max: numberOf(when.amount.max) }),
  }),
  accounts: [...accounts],
})

const bigintOf = (amount: number | undefined): bigint | undefined => (amount === undefined ? undefined : BigInt(amount))
const numberOf = (amount: bigint | undefined): number | undefined => (amount === undefined ? undefined : Number(amount))
