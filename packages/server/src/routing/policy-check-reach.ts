// Which rules are never reached, because others before them match all that they would, and which share payments with another
// rule that would treat them differently.

import { confinementOf } from "./conditions/compile.ts"
import { comparisonsOf, type Condition } from "./conditions/condition.ts"
import { type Budget, canHold, type Formula } from "./conditions/search.ts"
import { finding, type Finding } from "./policy-finding.ts"
import type { Rule } from "./policy.ts"

/** Stops after every question, so that whoever asks can do other things between them. */
export function* reachFindings(rules: readonly Rule[], budget: Budget): Generator<void, readonly Finding[]> {
  const confinements = rules.map(({ when }) => confinementOf(when))
  const alive: boolean[] = []
  for (const { when } of rules) {
    alive.push(canHold({ isTrue: when }, budget) === true)
    yield
  }
  const all: Finding[] = []
  for (const [index, rule] of rules.entries()) {
    // A rule that contradicts itself has its own finding.
    if (!alive[index]) continue
    const before: Rule[] = []
    for (const [other, earlier] of rules.slice(0, index).entries()) {
      if (!alive[other] || areApart(confinements[other]!, confinements[index]!)) continue
      if (canHold(both(earlier.when, rule.when), budget) === true) before.push(earlier)
      yield
    }
    const hidden = yield* unreachable(rule, index, before, budget)
    const found = [...hidden, ...alwaysTrue(rules, index, budget)]
    yield
    if (hidden.length === 0) found.push(...(yield* overlap(rule, index, before, budget)))
    all.push(...found.map((one): Finding => ({ ...one, rule: { index, name: rule.name } })))
  }
  return all
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

function* unreachable(
  rule: Rule,
  index: number,
  before: readonly Rule[],
  budget: Budget,
): Generator<void, readonly Finding[]> {
  for (const earlier of before) {
    if (canHold(outside(rule.when, earlier.when), budget) === false)
      return [
        finding("unreachable", `/rules/${index}`, `is never reached: "${earlier.name}" matches all that it would`),
      ]
    yield
  }
  if (before.length < 2 || canHold(outside(rule.when, ...before.map(({ when }) => when)), budget) !== false) return []
  const names = (yield* needed(rule, before, budget)).map(({ name }) => `"${name}"`)
  return [
    finding(
      "unreachable",
      `/rules/${index}`,
      `is never reached: ${names.slice(0, -1).join(", ")} and ${names.at(-1)} together match all that it would`,
    ),
  ]
}

/** Of rules that together match all, those without which they would not. */
function* needed(rule: Rule, before: readonly Rule[], budget: Budget): Generator<void, readonly Rule[]> {
  let left = before
  for (const one of before) {
    const others = left.filter((other) => other !== one)
    if (canHold(outside(rule.when, ...others.map(({ when }) => when)), budget) === false) left = others
    yield
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
 * Two rules that ask of the very same facts and both match some payments, while each also matches others: which of them comes
 * first decides, and its author may not have seen it. An exception before a wider rule is what order is for, and no finding;
 * so is a rule of other facts before one that does not ask of them.
 */
function* overlap(
  rule: Rule,
  index: number,
  before: readonly Rule[],
  budget: Budget,
): Generator<void, readonly Finding[]> {
  const strategy = JSON.stringify(rule.strategy)
  const asked = factsOf(rule.when)
  for (const earlier of before) {
    if (JSON.stringify(earlier.strategy) === strategy || factsOf(earlier.when).symmetricDifference(asked).size > 0)
      continue
    const isExceptionOnly = canHold(outside(earlier.when, rule.when), budget) !== true
    if (!isExceptionOnly && canHold(outside(rule.when, earlier.when), budget) === true)
      return [
        finding(
          "overlap",
          `/rules/${index}`,
          `shares payments with "${earlier.name}", which comes first and treats them differently`,
        ),
      ]
    yield
  }
  return []
}

const factsOf = (condition: Condition): ReadonlySet<string> =>
  new Set([...comparisonsOf(condition)].map(({ field }) => field))
