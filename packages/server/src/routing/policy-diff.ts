// What has changed between two documents of a policy, rule by rule. A rule is known by its name: one that was renamed is gone,
// and another has come.

import { printCondition } from "./conditions/text.ts"
import type { PolicyDocument, Rule } from "./policy.ts"

export type RuleChange =
  | { readonly kind: "added"; readonly name: string; readonly to: number }
  | { readonly kind: "removed"; readonly name: string; readonly from: number }
  /** Its place among the rules that both documents have is another. */
  | { readonly kind: "moved"; readonly name: string; readonly from: number; readonly to: number }
  | {
      readonly kind: "changed"
      readonly name: string
      readonly from: number
      readonly to: number
      readonly parts: readonly PartChange[]
    }

export type RulePart = "when" | "strategy" | "require_three_ds" | "retry" | "on_unknown"
export type PartChange = { readonly part: RulePart; readonly before?: unknown; readonly after?: unknown }

/** `write`: a part of a rule as it is shown. Conditions are shown as text. */
export function diffRules(
  from: PolicyDocument,
  to: PolicyDocument,
  write: (rule: Rule) => Partial<Record<RulePart, unknown>>,
): readonly RuleChange[] {
  const before = new Map(from.rules.map((rule, index) => [rule.name, { rule, index }]))
  const after = new Map(to.rules.map((rule, index) => [rule.name, { rule, index }]))
  const stay = unmoved(
    from.rules.flatMap(({ name }) => {
      const now = after.get(name)
      return now === undefined ? [] : [now.index]
    }),
  )
  const removed = from.rules.flatMap(({ name }, index): RuleChange[] =>
    after.has(name) ? [] : [{ kind: "removed", name, from: index }],
  )
  const others = to.rules.flatMap((rule, index): RuleChange[] => {
    const was = before.get(rule.name)
    const { name } = rule
    if (was === undefined) return [{ kind: "added", name, to: index }]
    const parts = changedParts(written(was.rule, write), written(rule, write))
    const place = { name, from: was.index, to: index }
    return [
      ...(stay.has(index) ? [] : [{ kind: "moved" as const, ...place }]),
      ...(parts.length === 0 ? [] : [{ kind: "changed" as const, ...place, parts }]),
    ]
  })
  return [...removed, ...others]
}

const written = (
  rule: Rule,
  write: (rule: Rule) => Partial<Record<RulePart, unknown>>,
): Partial<Record<RulePart, unknown>> => ({ ...write(rule), when: printCondition(rule.when) })

const parts: readonly RulePart[] = ["when", "strategy", "require_three_ds", "retry", "on_unknown"]

const changedParts = (
  before: Partial<Record<RulePart, unknown>>,
  after: Partial<Record<RulePart, unknown>>,
): readonly PartChange[] =>
  parts.flatMap((part) =>
    JSON.stringify(before[part]) === JSON.stringify(after[part])
      ? []
      : [
          {
            part,
            ...(before[part] === undefined ? {} : { before: before[part] }),
            ...(after[part] === undefined ? {} : { after: after[part] }),
          },
        ],
  )

/**
 * The places that need no moving: a longest rising run of the new places, in the old order. All others are moved, and
 * these are as few as can be.
 */
function unmoved(places: readonly number[]): ReadonlySet<number> {
  // Patience sorting: `tails[n]` ends the run of length n + 1 that ends lowest; each place knows what came before it.
  const tails: number[] = []
  const previous = new Map<number, number | undefined>()
  for (const place of places) {
    let low = 0
    let high = tails.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (tails[middle]! < place) low = middle + 1
      else high = middle
    }
    previous.set(place, tails[low - 1])
    tails[low] = place
  }
  const kept = new Set<number>()
  for (let at = tails.at(-1); at !== undefined; at = previous.get(at)) kept.add(at)
  return kept
}
