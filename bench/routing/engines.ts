// The same rules in other engines, each as its own documentation advises: prepared once, then asked for the first rule that
// matches.

import { celEnv, parse as parseCel, plan } from "@bufbuild/cel"
import { ZenEngine } from "@gorules/zen-engine"
import { Environment } from "@marcbachmann/cel-js"
import { Engine, type NestedCondition } from "json-rules-engine"
import type { Comparison } from "../../packages/server/src/routing/conditions/condition.ts"
import { compileFirst } from "../../packages/server/src/routing/conditions/compile.ts"
import { printCondition } from "../../packages/server/src/routing/conditions/text.ts"
import type { RoutingContext } from "../../packages/server/src/routing/routing-context.ts"
import { conditionOf, type BenchRule } from "./rules.ts"

export type FirstMatch<Input = unknown> = {
  /** What the engine wants to be given, made before anything is timed. */
  readonly input: (payment: RoutingContext) => Input
  readonly first: (input: Input) => number | Promise<number>
}

const facts = (payment: RoutingContext, amount: bigint | number) => ({
  amount,
  currency: payment.amount.currency,
  card: { network: payment.network, bin: payment.bin },
  payer: { country: payment.country },
  metadata: payment.metadata,
  initiator: { by: payment.initiator },
})

export const engines: Readonly<Record<string, (rules: readonly BenchRule[]) => FirstMatch>> = {
  ours: (rules) => {
    const first = compileFirst(rules.map(conditionOf))
    return { input: (payment) => payment, first: (payment) => first(payment as RoutingContext) }
  },

  "@bufbuild/cel": (rules) => {
    const env = celEnv()
    const plans = rules.map((rule) => plan(env, parseCel(printCondition(conditionOf(rule)))))
    return {
      input: (payment) => facts(payment, payment.amount.minor),
      first: (input) => plans.findIndex((matches) => matches(input as never) === true),
    }
  },

  "@marcbachmann/cel-js": (rules) => {
    const env = new Environment({ unlistedVariablesAreDyn: true })
    const parsed = rules.map((rule) => env.parse(printCondition(conditionOf(rule))))
    return {
      input: (payment) => facts(payment, payment.amount.minor),
      first: (input) => parsed.findIndex((matches) => matches(input as never) === true),
    }
  },

  "json-rules-engine": (rules) => {
    const engine = new Engine([], { allowUndefinedFacts: true })
    engine.addOperator("startsWith", (value: string, start: string) => value.startsWith(start))
    let found = -1
    for (const [index, rule] of rules.entries())
      engine.addRule({
        priority: rules.length - index,
        conditions: { all: rule.map(jsonRule) },
        event: { type: "matched", params: { index } },
        onSuccess: () => {
          if (found >= 0) return
          found = index
          engine.stop()
        },
      })
    return {
      input: (payment) => {
        const { amount, currency, card, payer, metadata, initiator } = facts(payment, Number(payment.amount.minor))
        return {
          amount,
          currency,
          "card.network": card.network,
          "card.bin": card.bin,
          "payer.country": payer.country,
          "metadata.tier": metadata?.["tier"],
          "initiator.by": initiator.by,
        }
      },
      first: async (input) => {
        found = -1
        await engine.run(input as Record<string, unknown>)
        return found
      },
    }
  },

  "@gorules/zen-engine": (rules) => {
    const decision = new ZenEngine().createDecision(zenTable(rules))
    return {
      input: (payment) => facts(payment, Number(payment.amount.minor)),
      first: async (input) => {
        const { result } = await decision.evaluate(input)
        return (result as { readonly index?: number } | null)?.index ?? -1
      },
    }
  },
}

const jsonOperators: Readonly<Record<string, string>> = {
  equals: "equal",
  in: "in",
  ge: "greaterThanInclusive",
  lt: "lessThan",
  prefix: "startsWith",
}
const jsonRule = (comparison: Comparison): NestedCondition => ({
  fact: comparison.field,
  operator: jsonOperators[comparison.op] ?? comparison.op,
  value: comparison.op === "exists" ? undefined : comparison.value,
})

const columns = ["currency", "amount", "card.network", "payer.country", "card.bin", "metadata.tier", "initiator.by"]

/** A decision table in the engine's own format (JDM): one column for each field, the first row that fits. */
const zenTable = (rules: readonly BenchRule[]): object => ({
  nodes: [
    { id: "in", type: "inputNode", name: "in", position: { x: 0, y: 0 } },
    {
      id: "table",
      type: "decisionTableNode",
      name: "table",
      position: { x: 1, y: 0 },
      content: {
        hitPolicy: "first",
        inputs: columns.map((field) => ({ id: field, name: field, type: "expression", field })),
        outputs: [{ id: "index", name: "index", type: "expression", field: "index" }],
        rules: rules.map((rule, index) => ({
          _id: String(index),
          ...Object.fromEntries(columns.map((field) => [field, zenCell(rule.filter((one) => one.field === field))])),
          index: String(index),
        })),
      },
    },
    { id: "out", type: "outputNode", name: "out", position: { x: 2, y: 0 } },
  ],
  edges: [
    { id: "a", sourceId: "in", targetId: "table", type: "edge" },
    { id: "b", sourceId: "table", targetId: "out", type: "edge" },
  ],
})

function zenCell(comparisons: readonly Comparison[]): string {
  return comparisons
    .map((one) => {
      if (one.op === "exists") throw new Error("no cell says that something is there")
      if (one.op === "in") return one.value.map((value) => JSON.stringify(value)).join(", ")
      const value = JSON.stringify(one.value)
      return one.op === "prefix"
        ? `startsWith($, ${value})`
        : `${{ ge: ">= ", lt: "< ", equals: "" }[one.op as string]}${value}`
    })
    .join(" and ")
}
