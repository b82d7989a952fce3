// Schemas of policies for readers and generators of clients: conditions contain conditions, and retry plans have a reader of
// their own, so that validation sees neither. The document shows them whole under the names by which others refer to them.

import { declineCategories } from "../core/decline.ts"
import { operators } from "../routing/condition-language.ts"
import {
  MAX_DELAYS,
  MAX_DELAY_SECONDS,
  MAX_DESCRIPTOR,
  MAX_RATE_ATTEMPTS,
  MAX_RATE_WINDOW_SECONDS,
  MAX_RETRIES,
  MAX_RETRY_STEPS,
  MAX_STEP_NAME,
  reservedSteps,
} from "../routing/retry-plan.ts"

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
    description:
      "What follows a failed attempt: the first step that is for its end and can be taken is taken. Where no step is for attempts that " +
      "came to nothing, the next account is tried after them as without a plan, within `max_retries`. See docs/retries.md.",
    required: ["max_retries", "steps"],
    additionalProperties: false,
    properties: {
      max_retries: {
        type: "integer",
        minimum: 0,
        maximum: MAX_RETRIES,
        description: "Attempts after the first, of all steps together.",
      },
      steps: {
        type: "array",
        maxItems: MAX_RETRY_STEPS,
        items: {
          type: "object",
          required: ["name", "on", "times", "provider"],
          additionalProperties: false,
          properties: {
            name: {
              type: "string",
              minLength: 1,
              maxLength: MAX_STEP_NAME,
              not: { enum: [...reservedSteps] },
              description: "Once in a plan. What no plan writes is named `(default)` and `reverse_then_reroute`.",
            },
            on: {
              type: "object",
              minProperties: 1,
              additionalProperties: false,
              description: "For which ends of an attempt: any of these.",
              properties: {
                categories: {
                  type: "array",
                  minItems: 1,
                  items: { type: "string", enum: Object.keys(declineCategories) },
                },
                reasons: {
                  type: "array",
                  minItems: 1,
                  items: { type: "string" },
                  description: "As docs/outcomes.md lists them.",
                },
                not_executed: { type: "boolean", enum: [true], description: "The attempt provably came to nothing." },
              },
            },
            initiator: {
              type: "string",
              enum: ["customer", "merchant"],
              description: "Only payments of the customer, or of the merchant alone; both if absent.",
            },
            times: {
              type: "integer",
              minimum: 1,
              maximum: MAX_RETRIES,
              description: "How often the step may be taken for one payment.",
            },
            provider: {
              type: "string",
              enum: ["same", "other", "any"],
              description: "`same`: the same account; `other`: another provider; `any`: any account not tried.",
            },
            delay_seconds: {
              type: "array",
              maxItems: MAX_DELAYS,
              items: { type: "integer", minimum: 0, maximum: MAX_DELAY_SECONDS },
              description: "Of the first, second, … time; the last one repeats. At once if absent.",
            },
            shape: {
              type: "object",
              additionalProperties: false,
              description: "How the attempt differs from what was asked for.",
              properties: {
                credential: { type: "string", enum: ["card", "network_token"] },
                three_ds: { type: "string", enum: ["required", "none"] },
                merchant_initiated: { type: "boolean", enum: [true] },
                descriptor: { type: "string", minLength: 1, maxLength: MAX_DESCRIPTOR },
                updated_account: { type: "boolean", enum: [true] },
              },
            },
            only_above: ref("ErrorRate"),
            avoid_above: ref("ErrorRate"),
          },
        },
      },
    },
    examples: [
      {
        max_retries: 3,
        steps: [
          { name: "provider down", on: { not_executed: true }, times: 2, provider: "other" },
          {
            name: "payday",
            on: { categories: ["insufficient_funds"] },
            initiator: "merchant",
            times: 2,
            provider: "any",
            delay_seconds: [86_400, 259_200],
          },
        ],
      },
    ],
  },
  ErrorRate: {
    type: "object",
    description:
      "`only_above`: only while the provider of the failed attempt fails at least so often; `avoid_above`: not at providers that do.",
    required: ["at_least_bps", "window_seconds", "minimum_attempts"],
    additionalProperties: false,
    properties: {
      at_least_bps: { type: "integer", minimum: 1, maximum: 10_000, description: "Of 10,000 attempts." },
      window_seconds: { type: "integer", minimum: 1, maximum: MAX_RATE_WINDOW_SECONDS },
      minimum_attempts: {
        type: "integer",
        minimum: 1,
        maximum: MAX_RATE_ATTEMPTS,
        description: "With fewer in the window there is no rate.",
      },
    },
  },
}
