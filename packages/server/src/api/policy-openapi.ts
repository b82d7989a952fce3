// Schemas of policies for readers and generators of clients: conditions contain conditions, and retry plans have a reader of
// their own, so that validation sees neither. The document shows them whole under the names by which others refer to them.

import { declineCategories } from "../core/decline.ts"
import { operators } from "../routing/condition-language.ts"

const ref = (name: string): object => ({ $ref: `#/components/schemas/${name}` })
const scalar = { type: ["string", "number"] }

export const wholeSchemas: Readonly<Record<string, object>> = {
  Condition: {
    description:
      "When a rule applies: a text in a subset of CEL, or the tree that it says, which are one and the same. A comparison with a " +
      "fact that the payment does not have is unknown, and only what is true matches. See docs/policy-language.md; " +
      "`GET /v1/policies/fields` lists what may be compared.",
    oneOf: [
      { type: "string", description: "CEL." },
      {
        type: "object",
        required: ["all"],
        properties: { all: { type: "array", items: ref("Condition") } },
        additionalProperties: false,
        description: "All of them; none matches everything.",
      },
      {
        type: "object",
        required: ["any"],
        properties: { any: { type: "array", items: ref("Condition") } },
        additionalProperties: false,
        description: "Any of them; none matches nothing.",
      },
      { type: "object", required: ["not"], properties: { not: ref("Condition") }, additionalProperties: false },
      {
        type: "object",
        required: ["field", "op"],
        properties: {
          field: { type: "string", description: 'As in text: `amount`, `card.bin`, `now.getHours("Europe/Berlin")`.' },
          op: { type: "string", enum: Object.keys(operators) },
          value: {
            description: "A list with `in`, nothing with `exists`, else one value.",
            oneOf: [scalar, { type: "array", items: scalar, minItems: 1, uniqueItems: true }],
          },
        },
        additionalProperties: false,
      },
    ],
    examples: [
      'currency == "EUR" && (amount >= 5000 || card.network in ["visa", "amex"])',
      {
        all: [
          { field: "currency", op: "equals", value: "EUR" },
          { field: "amount", op: "ge", value: 5_000 },
        ],
      },
    ],
  },
  RetryPlan: {
    type: "object",
    description: "What follows a failed attempt. Steps are tried in order. See docs/policy-language.md.",
    required: ["max_retries", "steps"],
    additionalProperties: false,
    properties: {
      max_retries: { type: "integer", minimum: 0 },
      steps: {
        type: "array",
        items: {
          type: "object",
          required: ["name", "on", "times", "provider"],
          additionalProperties: false,
          properties: {
            name: { type: "string" },
            on: {
              type: "object",
              minProperties: 1,
              additionalProperties: false,
              properties: {
                categories: { type: "array", items: { type: "string", enum: Object.keys(declineCategories) } },
                reasons: { type: "array", items: { type: "string" } },
                not_executed: { type: "boolean", enum: [true] },
              },
            },
            initiator: { type: "string", enum: ["customer", "merchant"] },
            times: { type: "integer", minimum: 1 },
            provider: { type: "string", enum: ["same", "other", "any"] },
            delay_seconds: { type: "array", items: { type: "integer", minimum: 0 } },
            shape: {
              type: "object",
              additionalProperties: false,
              properties: {
                credential: { type: "string", enum: ["card", "network_token"] },
                three_ds: { type: "string", enum: ["required", "none"] },
                merchant_initiated: { type: "boolean", enum: [true] },
                descriptor: { type: "string" },
                updated_account: { type: "boolean", enum: [true] },
              },
            },
            only_above: ref("ErrorRate"),
            avoid_above: ref("ErrorRate"),
          },
        },
      },
    },
  },
  ErrorRate: {
    type: "object",
    required: ["at_least_bps", "window_seconds", "minimum_attempts"],
    additionalProperties: false,
    properties: {
      at_least_bps: { type: "integer", minimum: 1, maximum: 10_000 },
      window_seconds: { type: "integer", minimum: 1 },
      minimum_attempts: { type: "integer", minimum: 1 },
    },
  },
}
