// All disagreements of a run, and the one line that sums them up.

import { judgeAnswers } from "./answers.ts"
import type { Facts } from "./facts.ts"
import type { Finding } from "./finding.ts"
import { judgeMoney } from "./money.ts"
import { judgeTold } from "./told.ts"

export const judge = (facts: Facts): readonly Finding[] => [
  ...judgeMoney(facts.payments, facts.charges),
  ...judgeAnswers(facts),
  ...judgeTold(facts),
]

/** Payments with such a disagreement, and those disagreements that name no payment. */
export function summarize(findings: readonly Finding[]): {
  readonly double_charges: number
  readonly lost: number
  readonly unsettled: number
} {
  const count = (kind: Finding["kind"]): number => {
    const own = findings.filter((each) => each.kind === kind)
    const payments = new Set(own.flatMap(({ payment }) => payment ?? []))
    return payments.size + own.filter(({ payment }) => payment === undefined).length
  }
  return { double_charges: count("double_charge"), lost: count("lost"), unsettled: count("unsettled") }
}
