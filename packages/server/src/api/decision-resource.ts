// A decision as people read it: why this account, what every other one was worth, and what kept it out.

import { Type, type Static } from "typebox"
import { given } from "../core/given.ts"
import type { AccountId } from "../core/id.ts"
import { exclusions, type DecisionRecord, type Exclusion } from "../routing/decide.ts"
import { WELL } from "../routing/readings.ts"
import { words } from "./schema.ts"

const Share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description })
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()])

export const DecisionAccount = Type.Object(
  {
    account: Type.String(),
    excluded: Nullable(Type.String({ description: "Why it could not serve this payment; null: it could." })),
    explanation: Type.Optional(Type.String({ description: "The same in a sentence." })),
    propensity: Share("The chance that this payment went there first, after all gates and before the dice."),
    health: Nullable(
      Type.Object({
        state: words(["healthy", "suspect", "ejected", "probing", "returning"]),
        share: Share("Of its traffic that may go there now."),
        probe_due: Type.Boolean({ description: "It was out, and a payment may ask whether it is back." }),
      }),
    ),
    score: Nullable(
      Type.Object(
        {
          paid: Share("The estimated chance that a payment that is sent there is paid, health aside."),
          paid_low: Share("Lower end of its 90 % interval."),
          paid_high: Share("Upper end."),
          outcomes: Type.Number({ description: "How many outcomes of this segment it rests on, faded by their age." }),
          health_factor: Share("What trouble takes from that chance."),
          cost: Nullable(Type.Number({ description: "The fee as a share of the amount; null: no fees are known." })),
          latency_ms: Type.Number({ description: "The answer that is expected." }),
          latency_price: Type.Number({ description: "What waiting for it costs, as a share of the amount." }),
          commitment_price: Type.Number({
            description: "What commitments, floors and caps add or take, as a share of the amount.",
          }),
          score: Type.Number({
            description:
              "paid × health_factor × margin − cost − latency_price + commitment_price: what is compared. The margin is the " +
              "rule's; 1, without cost and waiting, where approval alone is asked for.",
          }),
          benefit: Type.Number({
            description: "How far above the best score it may be; below 0 there is nothing to explore.",
          }),
        },
        { description: "Of a rule that optimizes." },
      ),
    ),
  },
  { $id: "DecisionAccount" },
)

export const DecisionResource = Type.Object(
  {
    router: Type.Integer({ description: "The version of the router. A decision of another one is not made again." }),
    policy: Type.Optional(
      Type.Object(
        { id: Type.String(), version: Type.Integer(), hash: Type.String() },
        { additionalProperties: true, description: "Absent: no policy was in force." },
      ),
    ),
    rule: Type.Optional(Type.Object({ index: Type.Integer(), name: Type.String() })),
    reason: Type.String({
      description:
        "`ordered`, `split`: the rule's own order or shares. `best`: the best score. `explore`: one of the few payments that " +
        "tell whether another account is better. `probe`: whether an account that was out is back. `none_healthy`: all are out.",
    }),
    exploration: Type.Optional(Share("The chance that this payment had to explore.")),
    chosen: Type.Array(Type.String(), { description: "In the order in which they are tried." }),
    excluded: Type.Array(Type.Object({ account: Type.String(), reason: Type.String() })),
    accounts: Type.Array(DecisionAccount, { description: "Every account that was looked at." }),
    attempt: Type.Integer({ description: "Of which attempt of the payment it was made." }),
    high_value: Type.Boolean({ description: "Far above the usual amount: nothing is tried out with it." }),
  },
  { $id: "Decision", additionalProperties: true },
)
export type DecisionResource = Static<typeof DecisionResource>

/** The record, with everything that was known of each account. Undefined for what an older version stored. */
export function decisionResource(decision: unknown): DecisionResource | undefined {
  const record = decision as DecisionRecord
  if ((record.inputs as Partial<DecisionRecord["inputs"]> | undefined)?.readings === undefined) return undefined
  const { inputs, scores: _scores, propensities: _propensities, ...rest } = record
  const { readings } = inputs
  const ids = [...new Set([...record.chosen, ...record.excluded.map(({ account }) => account)])]
  return {
    ...rest,
    chosen: [...record.chosen],
    excluded: [...record.excluded],
    accounts: ids.map((id) => accountResource(record, id)),
    attempt: readings.attempt,
    high_value: readings.highValue,
  }
}

function accountResource(record: DecisionRecord, id: AccountId): Static<typeof DecisionAccount> {
  const excluded = record.excluded.find(({ account }) => account === id)?.reason
  const reading = record.inputs.readings.accounts[id]
  const { state, share, probeDue, worth } = reading ?? WELL
  const line = record.scores?.find(({ account }) => account === id)
  return given({
    account: id,
    excluded: excluded ?? null,
    explanation: excluded === undefined ? undefined : exclusions[excluded satisfies Exclusion],
    propensity: record.propensities[id] ?? 0,
    health: reading === undefined ? null : { state, share, probe_due: probeDue },
    score:
      line === undefined || worth === undefined
        ? null
        : {
            paid: line.paid,
            paid_low: line.low,
            paid_high: line.high,
            outcomes: worth.n,
            health_factor: worth.factor,
            cost: worth.cost ?? null,
            latency_ms: worth.latencyMs,
            latency_price: line.latencyPrice,
            commitment_price: worth.price,
            score: line.score,
            benefit: line.benefit,
          },
  })
}
