// Which rules are never reached, because others before them match all that they would, and which share payments with another
// rule that would treat them differently.

import { confinementOf } from "./conditions/compile.ts"
import { type Condition } from "./conditions/condition.ts"
import { type Budget, canHold, type Formula } from "./conditions/search.ts"
import { finding, type Finding } from "./policy-finding.ts"
import type { Rule } from "./policy.ts"

export function reachFindings(rules: readonly Rule[], budget: Budget): readonly Finding[] {
  const confinements = rules.map(({ when }) => confinementOf(when))
  const alive = rules.map(({ when }) => canHold({ isTrue: when }, budget) === true)
  return rules.flatMap((rule, index): readonly Finding[] => {
    // A rule that contradicts itself has its own finding.
    if (!alive[index]) return []
    const before = rules.slice(0, index).flatMap((earlier, other) => {
      const apart = !alive[other] || areApart(confinements[other]!, confinements[index]!)
      return apart || canHold(both(earlier.when, rule.when), budget) !== true ? [] : [earlier]
    })
    const found = [...unreachable(rule, index, before, budget), ...alwaysTrue(rules, index, budget)]
    const all = found.some(({ code }) => code === "unreachable")
      ? found
      : [...found, ...overlap(rule, index, before, budget)]
    return all.map((one): Finding => ({ ...one, rule: { index, name: rule.name } }))
  })
}

const both = (one: Condition, other: Condition): Formula => ({ every: [{ isTrue: one }, { isTrue: other }] })
const outside = (inner: Condition, ...outer: readonly Condition[]): Formula => ({
  every: [{ isTrue: inner }, ...outer.map((one): Formula => ({ not: { isTrue: one } }))],
})

/** Seen without a search: some field must have values that the other rule does not allow. */
function areApart(one: ReturnType<typeof confinementOf>, other: ReturnType<typeof confinementOf>): boolean {
  for (const [field, values] of one) if (other.get(field)?.isDisjointFrom(values) === true) return true
  return false
}

function unreachable(rule: Rule, index: number, before: readonly Rule[], budget: Budget): readonly Finding[] {
  if (before.length === 0) return []
  const covering = before.find((earlier) => canHold(outside(rule.when, earlier.when), budget) === false)
  if (covering !== undefined)
    return [finding("unreachable", `/rules/${index}`, `is never reached: "${covering.name}" matches all that it would`)]
  if (before.length < 2 || canHold(outside(rule.when, ...before.map(({ when }) => when)), budget) !== false) return []
  const names = needed(rule, before, budget).map(({ name }) => `"${name}"`)
  return [
    finding(
      "unreachable",
      `/rules/${index}`,
      `is never reached: ${names.slice(0, -1).join(", ")} and ${names.at(-1)} together match all that it would`,
    ),
  ]
}

/** Of rules that together match all, those without which they would not. */
function needed(rule: Rule, before: readonly Rule[], budget: Budget): readonly Rule[] {
  let left = before
  for (const one of before) {
    const others = left.filter((other) => other !== one)
    if (canHold(outside(rule.when, ...others.map(({ when }) => when)), budget) === false) left = others
  }
  return left
}

const alwaysTrue = (rules: readonly Rule[], index: number, budget: Budget): readonly Finding[] =>
  index < rules.length - 1 && canHold({ not: { isTrue: rules[index]!.when } }, budget) === false
    ? [
        finding(
          "always_true",
          `/rules/${index}/when`,
          `matches every payment: the ${rules.length - 1 - index} behind it are never reached`,
        ),
      ]
    : []

/**
 * Two rules that both match some payments, while each also matches others: which of them comes first decides, and its author
 * may not have seen it. An exception before a wider rule is what order is for, and no finding.
 */
function overlap(rule: Rule, index: number, before: readonly Rule[], budget: Budget): readonly Finding[] {
  const other = before.find(
    (earlier) =>
      JSON.stringify(earlier.strategy) !== JSON.stringify(rule.strategy) &&
      canHold(outside(earlier.when, rule.when), budget) === true &&
      canHold(outside(rule.when, earlier.when), budget) === true,
  )
  return other === undefined
    ? []
    : [
        finding(
          "overlap",
          `/rules/${index}`,
          `shares payments with "${other.name}", which comes first and treats them differently`,
        ),
      ]
}
