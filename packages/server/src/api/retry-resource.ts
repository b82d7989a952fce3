// Why an attempt followed another one, why none did, and what the schemes have left for a card, as merchants see it.

import { Type, type Static } from "typebox"
import { given } from "../core/given.ts"
import { rfc3339 } from "../core/instant.ts"
import type { Follows, PassedOver, Stopped, UsedLimit } from "../core/following.ts"
import { toJson, type Money } from "../core/money.ts"
import type { RetryVerdict } from "../core/scheme-rules.ts"
import { Time, words } from "./schema.ts"

const Fee = Type.Object(
  { amount: Type.Integer(), currency: Type.String() },
  { description: "What the scheme would bill for an attempt made all the same, as far as known. Minor units." },
)
const Rule = Type.String({ description: "A rule of docs/scheme-rules.md." })
const Limit = Type.Object({
  rule: Rule,
  used: Type.Integer(),
  limit: Type.Integer(),
  next_free_at: Type.Optional(Time),
})
const PassedOverResource = Type.Object({
  step: Type.String(),
  account: Type.Optional(Type.String()),
  why: Type.String(),
  rule: Type.Optional(Rule),
  predicted_fee: Type.Optional(Fee),
})
const judged = {
  after: Type.String({ description: "The attempt after which it was asked." }),
  at: Time,
  limits: Type.Array(Limit, {
    description: "The schemes' limits for the card, that attempt counted; empty where they were not asked.",
  }),
  passed_over: Type.Array(PassedOverResource, { description: "What was preferred and may not be, in order." }),
  omitted: Type.Optional(Type.Integer({ description: "Passed over beyond what is kept." })),
}

export const FollowsResource = Type.Object(
  {
    ...judged,
    step: Type.String({
      description:
        "Of the rule's retry plan; `(default)` where no step of it is asked, `reverse_then_reroute` beside a reversal.",
    }),
    rule: Type.Optional(Rule),
    predicted_fee: Type.Optional(Fee),
  },
  { description: "Of an attempt after another one: why it was allowed." },
)
export const StoppedResource = Type.Object(
  { ...judged, why: Type.String() },
  { description: "Why no other attempt was made after the last one." },
)
export const NextRetryResource = Type.Object(
  { at: Time, account: Type.String(), step: Type.String() },
  { description: "The attempt that the payment waits for." },
)
export const ShapeResource = Type.Object(
  {
    credential: Type.Optional(words(["card", "network_token"])),
    three_ds: Type.Optional(words(["required", "none"])),
    merchant_initiated: Type.Optional(Type.Boolean()),
    descriptor: Type.Optional(Type.String()),
    updated_account: Type.Optional(Type.Boolean()),
  },
  { description: "How the attempt differs from what was asked for." },
)

export const RetryBudgetResource = Type.Object(
  {
    object: Type.Literal("retry_budget"),
    payment: Type.String(),
    network: Type.Union([Type.String(), Type.Null()]),
    fingerprint: Type.Union([Type.String(), Type.Null()]),
    as_of: Time,
    allowed: words(
      ["yes", "no", "later"],
      "Whether the schemes let a payment like this one be tried now with its card. What the plan wants, and what the " +
        "decline says, is another matter: see `retry_stopped` of the payment.",
    ),
    from: Type.Union([Time, Type.Null()], { description: "With `later`: the first moment." }),
    why: Type.String(),
    rule: Type.Union([Rule, Type.Null()]),
    certainty: Type.Union([words(["agreed", "single", "disputed", "assumed"]), Type.Null()]),
    sources: Type.Array(Type.String(), { description: "Of the rule, as docs/scheme-rules.md lists them." }),
    predicted_fee: Type.Union([Fee, Type.Null()]),
    only_with: Type.Array(Type.String(), { description: "The attempt must be changed by one of these." }),
    limits: Type.Array(Type.Object({ ...Limit.properties, says: Type.String() })),
    findings: Type.Array(
      Type.Object({
        rule: Rule,
        allowed: words(["yes", "no", "later"]),
        from: Type.Optional(Time),
        why: Type.String(),
        predicted_fee: Type.Optional(Fee),
      }),
      { description: "Every rule that has something to say, the strictest first." },
    ),
    declines: Type.Integer({
      description: "Counted attempts with the card that are remembered, through all accounts.",
    }),
  },
  { $id: "RetryBudget" },
)

const feeOf = (fee: Money | undefined) => (fee === undefined ? undefined : toJson(fee))
const timeOf = (ms: number | undefined) => (ms === undefined ? undefined : rfc3339(ms))

const limitResource = ({ rule, used, limit, nextFreeAt }: UsedLimit) =>
  given({ rule, used, limit, next_free_at: timeOf(nextFreeAt) })

const passedOverResource = ({ step, account, why, rule, predictedFee }: PassedOver) =>
  given({ step, account, why, rule, predicted_fee: feeOf(predictedFee) })

const judgedResource = ({ after, at, limits, passedOver, omitted }: Follows | Stopped) =>
  given({
    after,
    at: rfc3339(at),
    limits: limits.map(limitResource),
    passed_over: passedOver.map(passedOverResource),
    omitted,
  })

export const followsResource = (follows: Follows): Static<typeof FollowsResource> => ({
  ...judgedResource(follows),
  ...given({ step: follows.step, rule: follows.rule, predicted_fee: feeOf(follows.predictedFee) }),
})

export const stoppedResource = (stopped: Stopped): Static<typeof StoppedResource> => ({
  ...judgedResource(stopped),
  why: stopped.why,
})

/** The schemes' word; where no scheme counts (a provider's own token), nothing stands against it. */
export const verdictResource = (verdict: RetryVerdict | undefined) => ({
  allowed: verdict?.allowed ?? ("yes" as const),
  from: timeOf(verdict?.from) ?? null,
  why: verdict?.why ?? "no scheme counts what is paid with a provider's own token",
  rule: verdict?.rule ?? null,
  certainty: verdict?.certainty ?? null,
  sources: [...(verdict?.sources ?? [])],
  predicted_fee: feeOf(verdict?.predictedFee) ?? null,
  only_with: [...(verdict?.onlyWith ?? [])],
  limits: (verdict?.limits ?? []).map((use) => ({ ...limitResource(use), says: use.says })),
  findings: (verdict?.findings ?? []).map(({ rule, allowed, from, why, predictedFee }) =>
    given({ rule, allowed, from: timeOf(from), why, predicted_fee: feeOf(predictedFee) }),
  ),
})
