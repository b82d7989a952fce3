// A policy's document from the wire and back. Everything that is wrong with it is found at once, each at its place.

import { given } from "../core/given.ts"
import type { AccountId } from "../core/id.ts"
import { type Condition, type ConditionProblem, printCondition, readCondition } from "../routing/condition-language.ts"
import type { AccountCommitment, PolicyDocument, Rule, RuleStrategy } from "../routing/policy.ts"
import { readRetryPlan, retryPlanToJson } from "../routing/retry-plan-json.ts"
import type { RetryPlan } from "../routing/retry-plan.ts"
import type { Objective } from "../routing/strategy.ts"
import type { WireDocument, WireRule } from "./policy-schema.ts"

export type DocumentReading =
  | { readonly kind: "document"; readonly document: PolicyDocument }
  | {
      readonly kind: "broken"
      readonly problems: readonly ConditionProblem[]
      /** What could be read: rules keep their places, and what could not be read matches nothing. */
      readonly legible: PolicyDocument
    }

type Problems = ConditionProblem[]

export function readDocument({ rules, never, commitments }: WireDocument): DocumentReading {
  const problems: Problems = []
  const document: PolicyDocument = given({
    rules: rules.map((rule, index) => readRule(problems, `/rules/${index}`, rule)),
    never: never?.map(({ account, when }, index) => ({
      account: account as AccountId,
      when: conditionOf(problems, `/never/${index}/when`, when),
    })),
    commitments: commitments?.map(readCommitment),
  })
  return problems.length === 0 ? { kind: "document", document } : { kind: "broken", problems, legible: document }
}

function readRule(problems: Problems, at: string, wire: WireRule): Rule {
  if (wire.strategy.kind === "decline")
    for (const part of ["require_three_ds", "retry", "on_unknown"] as const)
      if (wire[part] !== undefined)
        problems.push({ at: `${at}/${part}`, detail: "has no place beside `decline`: no attempt is made" })
  return given({
    name: wire.name,
    when: conditionOf(problems, `${at}/when`, wire.when),
    strategy: readStrategy(problems, `${at}/strategy`, wire.strategy),
    requireThreeDs: wire.require_three_ds,
    retry: wire.retry === undefined ? undefined : readRetry(problems, `${at}/retry`, wire.retry),
    onUnknown: wire.on_unknown,
  })
}

/** Stands where something else could not be read; the document is refused then. */
const unread: Condition = { any: [] }

function conditionOf(problems: Problems, at: string, wire: unknown): Condition {
  const read = readCondition(wire, at)
  if (read.kind === "condition") return read.condition
  problems.push(...read.problems)
  return unread
}

function readRetry(problems: Problems, at: string, wire: unknown): RetryPlan | undefined {
  const read = readRetryPlan(wire)
  if (read.kind === "plan") return read.plan
  problems.push(...read.problems.map((one) => ({ ...one, at: at + one.at })))
  return undefined
}

type WireStrategy = WireRule["strategy"]

const fieldsByKind: Readonly<
  Record<WireStrategy["kind"], { readonly needs: readonly Part[]; readonly may: readonly Part[] }>
> = {
  ordered: { needs: ["accounts"], may: [] },
  split: { needs: ["shares"], may: [] },
  optimize: { needs: ["accounts", "objective"], may: ["exploration"] },
  decline: { needs: ["reason"], may: [] },
}
type Part = Exclude<keyof WireStrategy, "kind">

function readStrategy(problems: Problems, at: string, wire: WireStrategy): RuleStrategy {
  const { needs, may } = fieldsByKind[wire.kind]
  for (const part of Object.keys(wire) as (keyof WireStrategy)[])
    if (part !== "kind" && !needs.includes(part) && !may.includes(part))
      problems.push({ at: `${at}/${part}`, detail: `does not belong to the strategy ${wire.kind}` })
  for (const part of needs)
    if (wire[part] === undefined) problems.push({ at, detail: `the strategy ${wire.kind} needs ${part}` })
  const accounts = wire.accounts ?? []
  switch (wire.kind) {
    case "ordered":
      return { kind: "ordered", accounts }
    case "split":
      return { kind: "split", shares: wire.shares ?? [] }
    case "optimize":
      return given({
        kind: "optimize",
        accounts,
        objective: readObjective(problems, `${at}/objective`, wire.objective),
        exploration: wire.exploration,
      })
    case "decline":
      return { kind: "decline", reason: wire.reason ?? "" }
    default:
      return wire.kind satisfies never
  }
}

function readObjective(problems: Problems, at: string, wire: WireStrategy["objective"]): Objective {
  if (wire?.kind !== "expected_value") {
    for (const part of ["margin", "per_second"] as const)
      if (wire?.[part] !== undefined)
        problems.push({ at: `${at}/${part}`, detail: "does not belong to the objective approval" })
    return { kind: "approval" }
  }
  for (const part of ["margin", "per_second"] as const)
    if (wire[part] === undefined) problems.push({ at, detail: `the objective expected_value needs ${part}` })
  return { kind: "expected_value", margin: wire.margin ?? 0, perSecond: wire.per_second ?? 0 }
}

type WireCommitment = NonNullable<WireDocument["commitments"]>[number]

const readCommitment = (wire: WireCommitment): AccountCommitment =>
  given({
    account: wire.account as AccountId,
    minShare: wire.min_share,
    maxShare: wire.max_share,
    minVolume: wire.min_volume,
    maxVolume: wire.max_volume,
    unit: wire.unit,
  })

export type ConditionForm = "tree" | "text"

/** The wire format that `readDocument` reads. */
export const documentResource = (
  { rules, never, commitments }: PolicyDocument,
  form: ConditionForm = "tree",
): WireDocument =>
  given({
    rules: rules.map((rule) => ruleResource(rule, form)),
    never: never?.map(({ account, when }) => ({ account, when: conditionResource(when, form) })),
    commitments: commitments?.map((one) =>
      given({
        account: one.account,
        min_share: one.minShare,
        max_share: one.maxShare,
        min_volume: one.minVolume,
        max_volume: one.maxVolume,
        unit: one.unit,
      }),
    ),
  })

const ruleResource = (rule: Rule, form: ConditionForm): WireRule =>
  given({
    name: rule.name,
    when: conditionResource(rule.when, form),
    strategy: strategyResource(rule.strategy),
    require_three_ds: rule.requireThreeDs,
    retry: rule.retry === undefined ? undefined : retryPlanToJson(rule.retry),
    on_unknown: rule.onUnknown,
  }) as WireRule

const conditionResource = (condition: Condition, form: ConditionForm): unknown =>
  form === "text" ? printCondition(condition) : condition

function strategyResource(strategy: RuleStrategy): WireStrategy {
  switch (strategy.kind) {
    case "ordered":
      return { kind: "ordered", accounts: [...strategy.accounts] }
    case "split":
      return { kind: "split", shares: strategy.shares.map((one) => ({ ...one })) }
    case "optimize":
      return {
        kind: "optimize",
        accounts: [...strategy.accounts],
        objective:
          strategy.objective.kind === "approval"
            ? { kind: "approval" as const }
            : {
                kind: "expected_value" as const,
                margin: strategy.objective.margin,
                per_second: strategy.objective.perSecond,
              },
        ...given({ exploration: strategy.exploration }),
      }
    case "decline":
      return { kind: "decline", reason: strategy.reason }
    default:
      return strategy satisfies never
  }
}
