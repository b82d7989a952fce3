// What one condition says that cannot be meant, or probably is not.

import type { AccountId } from "../core/id.ts"
import { confinementOf } from "./conditions/compile.ts"
import type { Comparison, Condition } from "./conditions/condition.ts"
import { fieldOf } from "./conditions/fields.ts"
import { type Budget, canHold } from "./conditions/search.ts"
import type { Candidate } from "./decide.ts"
import { finding, type Finding } from "./policy-finding.ts"
import type { PolicyDocument } from "./policy.ts"

export function checkCondition(
  condition: Condition,
  at: string,
  policy: PolicyDocument,
  accounts: readonly Candidate[],
  budget: Budget,
): readonly Finding[] {
  const contradictions = contradictionsIn(condition, at, budget)
  return [
    ...contradictions,
    ...[...visited(condition, at, false)].flatMap(({ comparison, place, inOneCurrency }) => [
      ...checkAmount(comparison, place, inOneCurrency),
      ...checkAsked(comparison, place, policy, accounts),
    ]),
  ]
}

/** Of the whole, or of alternatives that only look like some. */
function contradictionsIn(condition: Condition, at: string, budget: Budget): readonly Finding[] {
  if (canHold({ isTrue: condition }, budget) === false)
    return [finding("never_true", at, "contradicts itself: no payment matches")]
  if ("all" in condition)
    return condition.all.flatMap((one, index) =>
      "any" in one ? contradictionsIn(one, `${at}/all/${index}`, budget) : [],
    )
  if ("any" in condition)
    return condition.any.flatMap((one, index) => contradictionsIn(one, `${at}/any/${index}`, budget))
  return []
}

type Visited = { readonly comparison: Comparison; readonly place: string; readonly inOneCurrency: boolean }

function* visited(condition: Condition, place: string, inOneCurrency: boolean): Generator<Visited> {
  if ("not" in condition) yield* visited(condition.not, `${place}/not`, inOneCurrency)
  else if ("all" in condition) {
    const one = inOneCurrency || confinementOf(condition).get("currency")?.size === 1
    for (const [index, member] of condition.all.entries()) yield* visited(member, `${place}/all/${index}`, one)
  } else if ("any" in condition)
    for (const [index, member] of condition.any.entries())
      yield* visited(member, `${place}/any/${index}`, inOneCurrency)
  else yield { comparison: condition, place, inOneCurrency }
}

/** Nothing is nothing in every currency. */
const checkAmount = (comparison: Comparison, at: string, inOneCurrency: boolean): readonly Finding[] =>
  comparison.field === "amount" && !inOneCurrency && comparison.op !== "exists" && comparison.value !== 0
    ? [
        finding(
          "amount_without_currency",
          at,
          "minor units of several currencies: name one currency beside it, with `&&`",
        ),
      ]
    : []

function checkAsked(
  { field }: Comparison,
  at: string,
  { commitments = [] }: PolicyDocument,
  accounts: readonly Candidate[],
): readonly Finding[] {
  const found = fieldOf(field)
  if (found?.spec.parameter !== "account") return []
  const account = found.parameter as AccountId
  if (!accounts.some(({ id }) => id === account))
    return [finding("unknown_account", at, `no account of this mode has the id ${account}`)]
  const capped = commitments.some((one) => one.account === account && one.maxVolume !== undefined)
  return field.endsWith(".cap_left") && !capped
    ? [finding("no_cap", at, "no commitment of this policy caps the account: nothing is ever known of what is left")]
    : []
}
