// All rows of all schemes by what they do, and what can be read off them without a payment: the category of a code on a day,
// and which rules begin or end within a time.

import {
  type AdviceRule,
  dayStart,
  type FeeRule,
  isInForce,
  type LimitRule,
  type SchemeRule,
  type StopRule,
} from "./scheme-rule.ts"
import {
  mastercardAdviceRules,
  mastercardFeeRules,
  mastercardLimitRules,
  mastercardStopRules,
} from "./scheme-rules-mastercard.ts"
import { otherFeeRules, otherLimitRules, otherStopRules } from "./scheme-rules-others.ts"
import {
  visaCategoryRules,
  visaFeeRules,
  visaLimitRules,
  visaStopOrderFee,
  visaStopRules,
} from "./scheme-rules-visa.ts"

export const schemeStops: readonly StopRule[] = [...visaStopRules, ...mastercardStopRules, ...otherStopRules]
export const schemeLimits: readonly LimitRule[] = [...visaLimitRules, ...mastercardLimitRules, ...otherLimitRules]
export const schemeAdvice: readonly AdviceRule[] = mastercardAdviceRules
export const schemeFees: readonly FeeRule[] = [
  ...visaFeeRules,
  visaStopOrderFee,
  ...mastercardFeeRules,
  ...otherFeeRules,
]
export const schemeRules: readonly SchemeRule[] = [
  ...visaCategoryRules,
  ...schemeStops,
  ...schemeLimits,
  ...schemeAdvice,
  ...schemeFees,
]

/** Visa's category of a declining response code as of a moment: 4, generic, for every code that no row names. */
export function visaCategoryAt(code: string, at: number): 1 | 2 | 3 | 4 {
  return visaCategoryRules.find((row) => row.codes.includes(code) && isInForce(row, at))?.category ?? 4
}

export type RuleChange = { readonly at: number; readonly kind: "begins" | "ends"; readonly rule: SchemeRule }

/** What changes after one moment and up to another, the earliest first: what a merchant will want to know before it does. */
export function changesBetween(after: number, upTo: number): readonly RuleChange[] {
  const within = ({ at }: RuleChange): boolean => after < at && at <= upTo
  return schemeRules
    .flatMap((rule): RuleChange[] => [
      { at: dayStart(rule.from), kind: "begins", rule },
      ...(rule.until === undefined ? [] : [{ at: dayStart(rule.until), kind: "ends" as const, rule }]),
    ])
    .filter(within)
    .toSorted((a, b) => a.at - b.at)
}
